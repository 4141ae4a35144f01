"""Models on disk: what was saved is what is loaded, and nothing else is."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from boilerplate_ds import Cleaner, Document, LineClassifier
from boilerplate_ds.document import MAIN, NOT_MAIN
from boilerplate_ds.errors import ModelError
from boilerplate_ds.model import load_model, persistence, trees
from boilerplate_ds.model.persistence import save_model
from kernels import in_python, same


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
    """A model of pages of HTML and text with four labels, all of them reviewed."""
    html = (
        "<nav><a href='/'>Home</a></nav><main><p>The ferry runs every hour.</p></main>"
        "<aside>Buy now</aside><ul><li><a href='/a'>Read about bread</a></li></ul>"
    )
    pages = [Document.from_html(html, id=f"p{i}", site=str(i)) for i in range(60)]
    text = [page.without_markup() for page in pages]
    labels = np.array([2, 0, 1, 3], dtype=np.int8)
    reviewed = np.array([NOT_MAIN, MAIN, NOT_MAIN, NOT_MAIN], dtype=np.int8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trees, "ENOUGH", 100)
        model = LineClassifier(epochs=3, n_folds=3).fit(
            [*pages, *text, *pages, *text], [labels] * 120 + [reviewed] * 120
        )
    return model, [pages[0], text[1], pages[2]]


def test_trees_are_saved_with_their_model(with_trees, tmp_path):
    model, documents = with_trees
    assert set(model.model_.trees) == set(trees.GROVES)
    loaded = LineClassifier.load(model.save(tmp_path / "model"))
    for before, after in zip(model.read(documents), loaded.read(documents), strict=True):
        same(before.main, after.main)
        same(before.labels, after.labels)


def test_each_document_is_read_by_its_own_trees(with_trees):
    model, documents = with_trees
    together = model.read(documents)
    network = replace(model.model_, trees={})
    for document, reading, without in zip(documents, together, network.read(documents), strict=True):
        (alone,) = model.read([document])
        same(reading.main, alone.main)
        same(reading.labels, alone.labels)
        assert (reading.main != without.main).all()
        assert (reading.labels != without.labels).any()  # trees of less weight are asked less
    with in_python():
        for reading, again in zip(together, model.read(documents), strict=True):
            same(reading.main, again.main)
            same(reading.labels, again.labels)


def test_a_model_without_trees_is_read_as_its_network_alone(with_trees, tmp_path):
    model, documents = with_trees
    bare = LineClassifier.load(save_model(replace(model.model_, trees={}), tmp_path / "bare"))
    assert not bare.model_.trees
    for reading, again in zip(
        replace(model.model_, trees={}).read(documents), bare.read(documents), strict=True
    ):
        same(reading.main, again.main)


@pytest.mark.parametrize("n_trees", [4, 40, 4 * trees.GROVES["markup.labels"].rounds - 4])
def test_a_model_may_have_fewer_trees_but_as_many_for_each_label(with_trees, tmp_path, n_trees):
    labels = with_trees[0].model_.trees["markup.labels"]
    fewer = {name: getattr(labels, name)[:n_trees] for name in ("feature", "threshold", "out", "value")}
    model = replace(
        with_trees[0].model_, trees=with_trees[0].model_.trees | {"markup.labels": replace(labels, **fewer)}
    )
    loaded = load_model(save_model(model, tmp_path / "fewer"))
    assert len(loaded.trees["markup.labels"].value) == n_trees
    for before, after in zip(model.read(with_trees[1]), loaded.read(with_trees[1]), strict=True):
        same(before.labels, after.labels)


@pytest.mark.parametrize("n_trees", [0, 3, 4 * persistence.MAX_ROUNDS + 4])
def test_trees_that_no_rounds_make_are_refused(with_trees, tmp_path, n_trees):
    labels = with_trees[0].model_.trees["markup.labels"]
    some = np.arange(n_trees) % len(labels.value)
    wrong = {name: getattr(labels, name)[some] for name in ("feature", "threshold", "out", "value")}
    model = replace(with_trees[0].model_, trees={"markup.labels": replace(labels, **wrong)})
    with pytest.raises(ModelError, match="other tensors"):
        load_model(save_model(model, tmp_path / "wrong"))


def test_trees_that_ask_for_features_that_are_not_there_are_refused(with_trees, tmp_path):
    folder = with_trees[0].save(tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    tensors["trees.markup.main.feature"][3, 5] = 255
    save_file(tensors, folder / "model.safetensors")
    rewrite(folder, sha256=hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest())
    with pytest.raises(ModelError, match="features that there are not"):
        load_model(folder)


def test_numbers_of_a_kind_that_numpy_does_not_have_are_refused(folder):
    header = b'{"text.bias":{"dtype":"BF16","shape":[5],"data_offsets":[0,10]}}'
    data = len(header).to_bytes(8, "little") + header + bytes(10)
    (folder / "model.safetensors").write_bytes(data)
    rewrite(folder, sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(ModelError, match="not a safetensors file"):
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


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("network.in.step", 3e38, "nothing can be calculated with"),
        ("network.block1.bias", -1e7, "nothing can be calculated with"),
        ("network.in.weight", 127, "more than single precision can add up"),
        ("network.block0.grid", -1, "below zero"),
        ("network.out.grid", -1, "below zero"),
    ],
)
def test_weights_that_nothing_can_be_calculated_with_are_refused(folder, name, value, message):
    tensors = load_file(folder / "model.safetensors")
    tensors[name] = np.full_like(tensors[name], value)
    save_file(tensors, folder / "model.safetensors")
    rewrite(folder, sha256=hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest())
    with pytest.raises(ModelError, match=message):
        load_model(folder)


def test_the_worst_weights_that_are_accepted_still_give_numbers(folder):
    tensors = load_file(folder / "model.safetensors")
    rng = np.random.default_rng(0)
    for name, values in tensors.items():
        if values.dtype == np.float16:
            tensors[name] = (rng.choice([-65504, 65504], values.shape)).astype(np.float16)
        elif name.startswith("network.") and values.dtype == np.float32:
            least = 0 if name.endswith("grid") else -1e6
            tensors[name] = rng.choice([least, 1e6], values.shape).astype(np.float32)
        elif values.dtype == np.float32:
            tensors[name] = rng.choice([-3e38, 3e38], values.shape).astype(np.float32)
        elif values.dtype == np.int32:
            tensors[name] = rng.choice([-(2**31), 2**31 - 1], values.shape).astype(np.int32)
    save_file(tensors, folder / "model.safetensors")
    rewrite(folder, sha256=hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest())
    model = load_model(folder)
    pages = [Document.from_text("Home\n\nSome text of a page."), Document.from_html("<p>A <a href=/>b</a>")]
    with np.errstate(all="ignore"):
        for reading in model.read(pages):
            assert np.isfinite(reading.labels).all()
            assert np.isfinite(reading.main).all()


def test_facts_that_no_config_can_hold_leave_the_model_that_is_there(small_model, folder, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(persistence, "MAX_CONFIG_BYTES", 10_000)
    with pytest.raises(ModelError, match="10,000 may be"):
        small_model.save(folder, {"languages": "x" * 20_000})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    monkeypatch.undo()
    small_model.save(folder, {"language": "\ud800"})
    assert load_model(folder)


@pytest.mark.parametrize("config", [{"model_type": "bert"}, {"format": None}, [], "no JSON"])
def test_the_model_of_another_project_is_never_replaced(small_model, tmp_path, config):
    (tmp_path / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"theirs")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ModelError, match=r"holds config\.json, and no boilerplate-ds model"):
        small_model.save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_model_of_an_older_format_is_replaced(small_model, folder):
    rewrite(folder, format="boilerplate-ds/1", tensors={})
    small_model.save(folder)
    assert load_model(folder)


def test_a_model_needs_a_folder(small_model, tmp_path):
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "deep" / "model"):
        with pytest.raises(ModelError, match="file: is a file"):
            small_model.save(folder)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="link: is a file"):
        small_model.save(tmp_path / "link")


def test_parameters_of_numpy_are_saved_as_plain_numbers(small_model, tmp_path):
    model = LineClassifier(epochs=np.int64(3), n_folds=np.int8(2), random_state=np.random.RandomState(1))
    model.model_, model.sites_ = small_model.model_, small_model.sites_
    facts = persistence.read_config(model.save(tmp_path / "model"))["facts"]
    assert facts["parameters"] == {"epochs": 3, "n_folds": 2, "n_jobs": 1, "random_state": None}
    assert LineClassifier.load(tmp_path / "model").epochs == 3


def test_loading_reads_the_config_once(saved, monkeypatch):
    read, read_bytes = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name) or read_bytes(path))
    LineClassifier.load(saved)
    assert sorted(read) == ["config.json", "model.safetensors"]


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


def test_cleaning_loads_no_large_library_no_reader_of_files_and_nothing_for_networks(saved):
    code = (
        "import sys; from boilerplate_ds import Cleaner;"
        f"Cleaner({str(saved)!r}).clean('Home\\nSome text of a page.');"
        "Cleaner({0!r}).clean_html('<p>Some text of a page.</p>');".format(str(saved))
        + "heavy = {'sklearn', 'datasets', 'pyarrow', 'pandas', 'joblib', 'matplotlib'};"
        "heavy |= {'ssl', 'http.client', 'boilerplate_ds.sources.reader'};"
        "heavy &= set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
