"""Collections: documents and annotations, joined and verified."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate_ds.document import Annotation, Document
from boilerplate_ds.errors import DatasetError, LabelError, Rejects
from boilerplate_ds.labeling.collection import (
    document_record,
    load_collection,
    parse_document,
    write_document_file,
)
from boilerplate_ds.labeling.store import LabelStore
from boilerplate_ds.sources import site_of

FERRY = Document(
    "ferry", ("Menu", "Ferry timetable to change"), site="harbour.example", metadata={"variant": "full"}
)
BREAD = Document("bread", ("Rye bread", "500 g rye flour", "Share"))


def annotation(document: Document, annotator: str, ids: list[int]) -> Annotation:
    return Annotation(document.id, document.text_sha256, annotator, np.array(ids, dtype=np.int8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_document_file(tmp_path / "documents" / "en.jsonl", [FERRY, BREAD])
    store = LabelStore(tmp_path)
    store.append(annotation(FERRY, "anna", [2, 1]))
    store.append(annotation(FERRY, "anna", [2, 0]))
    store.append(annotation(BREAD, "anna", [0, 0, 2]))
    return tmp_path


def test_the_last_annotations_are_joined_to_their_documents(folder: Path) -> None:
    collection = load_collection(folder)
    assert collection.name == folder.name
    named = {"ferry": FERRY, "bread": BREAD}
    assert collection.documents == {i: replace(document, source=folder.name) for i, document in named.items()}
    assert [(a.doc_id, a.labels.tolist()) for a in collection.annotations] == [
        ("ferry", [2, 0]),
        ("bread", [0, 0, 2]),
    ]


def test_annotations_that_do_not_fit_are_rejected_with_a_reason(folder: Path) -> None:
    store = LabelStore(folder)
    store.append(annotation(FERRY, "short", [2]))
    store.append(annotation(Document("ferry", ("Menu", "Other text")), "other", [2, 0]))
    store.append(annotation(Document("lost", ("x",)), "stray", [0]))
    rejects = Rejects()
    assert len(load_collection(folder, rejects).annotations) == 2
    assert [Path(item.file).stem for item in rejects.items] == ["other", "short", "stray"]
    reasons = [item.reason for item in rejects.items]
    assert "not the one that was labelled" in reasons[0]
    assert reasons[1] == "1 labels for the 2 lines of document 'ferry'"
    assert "whose text is not here" in reasons[2]
    with pytest.raises(LabelError):
        load_collection(folder)


def test_an_id_of_two_texts_is_rejected(folder: Path) -> None:
    write_document_file(folder / "documents" / "fi.jsonl", [replace(FERRY, lines=("Menu",)), BREAD])
    rejects = Rejects()
    assert load_collection(folder, rejects).documents.keys() == {"ferry", "bread"}
    [reject] = rejects.items  # the other one is the same page
    assert "in the collection already" in reject.reason


def test_a_collection_without_documents_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such collection"):
        load_collection(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"holds no documents$"):
        load_collection(tmp_path)
    (tmp_path / "corpus.json").write_text("{}")
    with pytest.raises(DatasetError, match="boilerplate-ds hydrate"):
        load_collection(tmp_path)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"lines": ["x"]}, "id is missing"),
        ({"id": 3, "lines": ["x"]}, "id is int"),
        ({"id": "a"}, "lines is not a list of strings"),
        ({"id": "a", "lines": "x"}, "lines is not a list of strings"),
        ({"id": "a", "lines": ["x", 3]}, "lines is not a list of strings"),
        ({"id": "a", "lines": ["x", " "]}, "entry 2 of lines is blank"),
        ({"id": "a", "lines": ["x\ny"]}, "more than one line"),
        ({"id": "a", "lines": ["x"], "url": 3}, "url is int"),
        ({"id": "a", "lines": ["x"], "separators": ["\n"]}, "need 2 separators"),
    ],
)
def test_a_bad_document_is_refused_with_the_reason(record: dict[str, Any], reason: str) -> None:
    with pytest.raises(LabelError, match=reason):
        parse_document(record)


@given(st.text(max_size=40), st.text(max_size=5))
def test_a_document_reads_back_with_its_gaps_and_metadata(text: str, value: str) -> None:
    document = Document.from_text(text, id="a", url=value, language="de", metadata={"page_type": value})
    read = parse_document(json.loads(json.dumps(document_record(document))))
    assert read == replace(document, site=site_of(value))


@pytest.mark.parametrize(
    "fields",
    [{"url": "https://www.same.example/1"}, {"site": "www.Same.example"}, {"site": "same.example:443"}],
)
def test_a_document_is_of_the_site_it_states_or_its_url_names(fields: dict[str, str]) -> None:
    assert parse_document({"id": "a", "lines": ["x"], **fields}).site == "same.example"


def test_metadata_that_is_called_as_a_field_is_kept_under_another_name() -> None:
    document = Document("a", ("x",), metadata={"lines": "y", "url": None, "source": "cc-main", "rank": 1})
    record = document_record(document)
    assert record["lines"] == ["x"]
    metadata = {"original_lines": "y", "original_source": "cc-main", "rank": 1}
    assert parse_document(record) == replace(document, metadata=metadata)


def test_metadata_may_not_hide_other_metadata() -> None:
    with pytest.raises(LabelError, match="lines"):
        document_record(Document("a", ("x",), metadata={"lines": "y", "original_lines": "z"}))
