"""Cleaning keeps lines as they are, in order, and drops what it was asked to."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boilerplate_ds import Cleaner, Document, Label
from boilerplate_ds.errors import LabelError, ModelError
from boilerplate_ds.model.runtime import Reading

PAGE = """Skip to content
Home | News | Sport | Weather

Ferry to run every hour from May

The ferry between the harbour and the island will run every hour from the first of May, \
the operator said on Monday.
ADVERTISEMENT
Until now, passengers had to wait up to three hours between two boats, \
which kept many of them from going at all.

Sign up for our newsletter and never miss a story
Related articles
Island bakery reopens
Island bakery reopens
© 2024 Harbour Post. All rights reserved. Privacy policy | Terms of use
"""


@pytest.fixture(scope="module")
def cleaner() -> Cleaner:
    return Cleaner()


def test_the_released_model_cleans_a_page(cleaner):
    kept = cleaner.clean(PAGE)
    assert "will run every hour from the first of May" in kept
    assert "had to wait up to three hours" in kept
    for gone in ("Skip to content", "Home | News", "All rights reserved", "newsletter"):
        assert gone not in kept


def test_a_label_named_twice_counts_once():
    once, twice = Cleaner(drop=["ad", "navigation"]), Cleaner(drop=["navigation", "n", "ad", 1, np.int8(2)])
    assert once.fingerprint == twice.fingerprint
    reading = Reading(np.float32([[0.6, 0.4, 0, 0]]), np.float32([0.6]), np.array([1]))
    assert Cleaner(drop=["ad", "ad"]).decide(reading).tolist() == [True]


def test_kept_lines_are_lines_of_the_input_in_order(cleaner):
    position = 0
    for line in cleaner.clean(PAGE).splitlines():
        position = PAGE.index(line, position) + len(line)


@given(text=st.text())
@settings(max_examples=60, deadline=None)
def test_dropping_nothing_gives_any_text_back(text):
    assert Cleaner(drop=()).clean(text) == text


@given(text=st.text(alphabet=st.characters(), max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_text_is_cleaned_without_complaint(text):
    cleaner = Cleaner()
    kept = Document.from_text(cleaner.clean(text)).lines
    lines = iter(Document.from_text(text).lines)
    assert all(line in lines for line in kept)  # a subsequence


def test_html_bytes_and_text_are_cleaned(cleaner):
    html = (
        "<nav><a href='/'>Home</a> <a href='/n'>News</a></nav><article><h1>Ferry to run every hour</h1><p>"
        + PAGE.splitlines()[5]
        + "</p></article>"
    )
    for page in (html, html.encode(), bytearray(html.encode()), memoryview(html.encode())):
        kept = cleaner.clean_html(page)
        assert "first of May" in kept
        assert "News" not in kept


def test_labels_come_with_their_probability(cleaner):
    labelled = cleaner.label(PAGE)
    assert [line.text for line in labelled] == [line for line in PAGE.splitlines() if line]
    assert labelled[0].label is Label.NAVIGATION
    assert all(0.25 <= line.score <= 1 for line in labelled)
    assert cleaner.label(Document.from_text("")) == []


def test_only_the_named_labels_are_dropped():
    kept = Cleaner(drop=["navigation"]).clean(PAGE)
    assert "Skip to content" not in kept
    assert "newsletter" in kept
    assert "had to wait" in kept


def test_a_higher_threshold_drops_fewer_lines():
    kept = [len(Cleaner(threshold=t).clean(PAGE)) for t in (0.0, 0.5, 1.0)]
    assert kept == sorted(kept)
    assert kept[-1] == len(PAGE)
    assert kept[0] == 0


def test_at_the_highest_threshold_rounding_drops_no_line():
    labels = np.nextafter(np.float32([[0.25, 0.25, 0.25, 0.25]]), np.float32(1))
    reading = Reading(labels, np.float32([0.25]), np.array([1]))
    assert Cleaner(drop=list(Label), threshold=1.0).decide(reading).tolist() == [True]


@pytest.mark.parametrize("text", ["", "\n", "   ", "\r\n\r\n"])
def test_nothing_in_nothing_out(cleaner, text):
    assert cleaner.clean(text).strip() == ""


def test_a_batch_is_cleaned_as_its_texts_are(cleaner):
    texts = [PAGE, "", PAGE.replace("ferry", "train"), "One line."]
    alone = [cleaner.clean(text) for text in texts]
    assert cleaner.clean_batch(texts) == alone
    assert cleaner.clean_batch(texts, n_jobs=2) == alone
    assert cleaner.clean_batch([]) == []


def test_a_column_of_a_hugging_face_dataset_is_mapped(cleaner, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    from datasets import Dataset

    dataset = Dataset.from_dict({"text": [PAGE, None, "One line."], "id": [1, 2, 3]})
    mapped = dataset.map(cleaner.map_batch, batched=True)
    assert mapped["text"] == [cleaner.clean(PAGE), None, cleaner.clean("One line.")]
    assert mapped["id"] == [1, 2, 3]
    renamed = dataset.rename_column("text", "body")
    assert (
        renamed.map(cleaner.map_batch, batched=True, fn_kwargs={"text_column": "body"})["body"]
        == mapped["text"]
    )


def test_missing_texts_of_pandas_stay_missing(cleaner):
    for kind in (object, "string"):
        texts = pd.Series([PAGE, float("nan"), None], dtype=kind)
        page, *missing = cleaner.map_batch({"text": texts})["text"]
        assert page == cleaner.clean(PAGE)
        assert pd.isna(missing).tolist() == [True, True]


def test_a_missing_column_is_named(cleaner):
    with pytest.raises(KeyError, match="text_column"):
        cleaner.map_batch({"body": ["x"]})


def test_threads_share_one_cleaner():
    cleaner = Cleaner()
    texts = [PAGE.replace("ferry", f"ferry {i}") for i in range(24)]
    expected = [Cleaner().clean(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(cleaner.clean, texts)) == expected


def test_a_pickled_cleaner_carries_no_weights(cleaner):
    cleaner.clean(PAGE)
    data = pickle.dumps(cleaner)
    assert len(data) < 1000
    assert pickle.loads(data).clean(PAGE) == cleaner.clean(PAGE)


def test_wrong_settings_are_refused():
    with pytest.raises(LabelError, match="spam"):
        Cleaner(drop=["spam"])
    with pytest.raises(ValueError, match="0 to 1"):
        Cleaner(threshold=2)
    with pytest.raises(ModelError, match="no model there"):
        Cleaner("no-such-model")


MAP = """
import sys
from datasets import Dataset, load_from_disk
from boilerplate_ds import Cleaner

cleaner = Cleaner()
if len(sys.argv) > 2:
    cleaner.clean("used before it is mapped")
mapped = load_from_disk(sys.argv[1]).map(cleaner.map_batch, batched=True, batch_size=2, num_proc=2)
print(sorted(file["filename"] for file in mapped.cache_files))
print(mapped["text"][0])
"""


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda cleaner: cleaner.clean(None), "not NoneType"),
        (lambda cleaner: cleaner.clean(b"text"), "not bytes"),
        (lambda cleaner: cleaner.clean_html(None), "str or bytes, not NoneType"),
        (lambda cleaner: cleaner.clean_html(Path("page.html")), "str or bytes, not .*Path"),
        (lambda cleaner: cleaner.clean_html([]), "str or bytes, not list"),
        (lambda cleaner: cleaner.map_batch({"text": [np.float64(3)]}), "text 0 is float64"),
        (lambda cleaner: cleaner.clean_batch("text"), "a list of texts"),
        (lambda cleaner: cleaner.clean_batch(["text", 3.0]), "text 1 is float"),
        (lambda cleaner: cleaner.map_batch({"text": "text"}), "batched=True"),
    ],
)
def test_what_is_no_text_is_named(cleaner, call, said):
    with pytest.raises(TypeError, match=said):
        call(cleaner)


def test_texts_may_come_from_anywhere_and_one_label_may_stand_alone(cleaner):
    texts = [PAGE, "One line.", PAGE]
    assert cleaner.clean_documents(map(Document.from_text, texts)) == cleaner.clean_batch(texts)
    for n_jobs in (None, 1, 2):
        assert cleaner.clean_batch(iter(texts), n_jobs=n_jobs) == cleaner.clean_batch(texts)
    assert Cleaner(drop="ad").drop == Cleaner(drop=["ad"]).drop


def test_mapping_a_dataset_in_processes_is_cached_across_runs(cleaner, tmp_path):
    from datasets import Dataset
    from datasets.fingerprint import Hasher

    Dataset.from_dict({"text": [PAGE, "One line.", PAGE, None]}).save_to_disk(str(tmp_path / "dataset"))
    script = tmp_path / "map.py"
    script.write_text(MAP)

    def mapped(*arguments: str) -> tuple[str, str, dict[str, int]]:
        command = [sys.executable, str(script), str(tmp_path / "dataset"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        files, text = done.stdout.split("\n", 1)
        return files, text, {file.name: file.stat().st_mtime_ns for file in (tmp_path / "dataset").iterdir()}

    first = mapped()
    assert "cache-" in first[0]
    assert first[1].rstrip("\n") == cleaner.clean(PAGE).rstrip("\n")
    assert mapped("used") == first  # no file was written anew
    hashes = {Hasher.hash(each.map_batch) for each in (cleaner, Cleaner(threshold=0.6), Cleaner(drop=["ad"]))}
    assert len(hashes) == 3


def test_a_cleaner_with_another_model_has_another_fingerprint(cleaner, tmp_path):
    model = shutil.copytree(cleaner.model_path, tmp_path / "model")
    assert Cleaner(model).fingerprint == cleaner.fingerprint
    config = model / "config.json"
    config.write_text(config.read_text().replace('"sha256": "', '"sha256": "0', 1))
    assert Cleaner(model).fingerprint != cleaner.fingerprint
    assert Cleaner(drop=["ad"]).fingerprint != cleaner.fingerprint
