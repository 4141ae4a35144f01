"""Models on disk: what was saved is what is loaded, and nothing else is."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from boilerplate_ds import Cleaner, Document, LineClassifier
from boilerplate_ds.document import MAIN, NOT_MAIN
from boilerplate_ds.errors import ModelError
from boilerplate_ds.model import load_model, persistence


@pytest.fixture(scope="module")
def saved(small_model, tmp_path_factory) -> Path:
    return small_model.save(tmp_path_factory.mktemp("models") / "mine", {"note": "for tests"})


@pytest.fixture
def folder(saved, tmp_path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def rewrite(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def test_a_loaded_model_says_exactly_what_the_saved_one_said(small_model, saved, small_set):
    documents = small_set[0]
    loaded = LineClassifier.load(saved)
    for before, after in zip(
        small_model.predict_proba(documents), loaded.predict_proba(documents), strict=True
    ):
        np.testing.assert_array_equal(before, after)


def test_saving_twice_gives_the_same_bytes(small_model, saved, tmp_path):
    again = small_model.save(tmp_path / "again", {"note": "for tests"})
    for name in ("config.json", "model.safetensors"):
        assert (again / name).read_bytes() == (saved / name).read_bytes()


def test_the_config_keeps_facts_and_parameters(saved):
    facts = persistence.read_config(saved)["facts"]
    assert facts["note"] == "for tests"
    assert facts["parameters"]["epochs"] == 20


@pytest.fixture(scope="module")
def with_trees() -> tuple[LineClassifier, list[Document]]:
    """A model of reviewed pages of HTML."""
    html = "<nav><a href='/'>Home</a></nav><main><p>The ferry runs.</p></main><footer>© Ferry</footer>"
    pages = [Document.from_html(html, id=f"h{i}", site=str(i)) for i in range(30)]
    reviewed = np.array([NOT_MAIN, MAIN, NOT_MAIN], dtype=np.int8)
    return LineClassifier(epochs=3, n_folds=3).fit(pages, [reviewed] * len(pages)), pages


def test_trees_are_saved_with_their_model(with_trees, tmp_path):
    model, pages = with_trees
    text = [page.without_markup() for page in pages[:3]]
    loaded = LineClassifier.load(model.save(tmp_path / "model"))
    assert set(model.model_.trees) == {"markup.main"}
    for before, after in zip(model.read(pages + text), loaded.read(pages + text), strict=True):
        np.testing.assert_array_equal(before.main, after.main)
    together = model.read([text[0], pages[0]])
    np.testing.assert_array_equal(together[1].main, model.read([pages[0]])[0].main)
    assert (together[0].main != together[1].main).all()


def test_trees_that_ask_for_features_that_are_not_there_are_refused(with_trees, tmp_path):
    folder = with_trees[0].save(tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    tensors["trees.markup.main.feature"][3, 5] = 255
    save_file(tensors, folder / "model.safetensors")
    rewrite(folder, sha256=hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest())
    with pytest.raises(ModelError, match="features that there are not"):
        load_model(folder)


def test_a_missing_folder_is_a_clear_error(tmp_path):
    with pytest.raises(ModelError, match=r"nothing-here: no model there"):
        LineClassifier.load(tmp_path / "nothing-here")
    with pytest.raises(ModelError, match="no model there"):
        Cleaner(tmp_path)


def test_a_changed_weight_fails_the_checksum(folder):
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(bytes(data))
    with pytest.raises(ModelError, match=r"model\.safetensors: checksum differs"):
        load_model(folder)


def test_missing_weights_are_named(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors: No such file"):
        load_model(folder)


@pytest.mark.parametrize("config", ["", "not json", "[]", "[" * 100_000, '{"format": "other/9"}', "\x80"])
def test_a_config_that_is_not_ours_is_refused(folder, config):
    (folder / "config.json").write_text(config, encoding="latin-1")
    with pytest.raises(ModelError, match=r"config\.json"):
        load_model(folder)


def test_other_labels_are_refused(folder):
    rewrite(folder, labels=["spam", "ham"])
    with pytest.raises(ModelError, match="spam"):
        load_model(folder)


def test_tensors_of_absurd_shape_are_refused_before_they_are_read(folder):
    tensors = json.loads((folder / "config.json").read_text())["tensors"]
    tensors["text.weights"]["shape"] = [2**40, 4]
    rewrite(folder, tensors=tensors)
    with pytest.raises(ModelError, match="other tensors"):
        load_model(folder)


def test_a_file_of_other_tensors_is_refused_even_with_the_right_checksum(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors["network.in.bias"] = np.zeros(3, dtype=np.float32)
    save_file(tensors, folder / "model.safetensors")
    rewrite(folder, sha256=hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest())
    with pytest.raises(ModelError, match="not those that"):
        load_model(folder)


def test_values_that_are_not_finite_are_refused(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors["network.in.bias"] = np.full_like(tensors["network.in.bias"], np.nan)
    save_file(tensors, folder / "model.safetensors")
    rewrite(folder, sha256=hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest())
    with pytest.raises(ModelError, match="not finite"):
        load_model(folder)


def test_a_pickle_in_place_of_the_weights_is_not_opened(folder):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was loaded",))

    data = pickle.dumps(Bomb())
    (folder / "model.safetensors").write_bytes(data)
    rewrite(folder, sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(ModelError, match="not a safetensors file"):
        load_model(folder)


def test_a_weight_file_over_the_limit_is_refused(folder, monkeypatch):
    monkeypatch.setattr(persistence, "MAX_WEIGHT_BYTES", 1000)
    with pytest.raises(ModelError, match="at most 1,000"):
        load_model(folder)


def test_cleaning_loads_neither_scikit_learn_nor_datasets_nor_pyarrow(saved):
    code = (
        "import sys; from boilerplate_ds import Cleaner;"
        f"Cleaner({str(saved)!r}).clean('Home\\nSome text of a page.');"
        "Cleaner({0!r}).clean_html('<p>Some text of a page.</p>');".format(str(saved))
        + "heavy = {'sklearn', 'datasets', 'pyarrow', 'pandas', 'joblib', 'matplotlib'};"
        "heavy &= set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
