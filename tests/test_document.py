"""The nouns: label runs, splitting text into lines, and giving it back."""

from __future__ import annotations

import hashlib
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate_ds.document import Document, Label, decode_runs, encode_runs
from boilerplate_ds.errors import LabelError

ANY_CHARACTER = st.characters(exclude_categories=())  # lone surrogates included
PAGE_TEXT = st.text(st.one_of(st.sampled_from("ab \t\n\r\x0b\x85\u2028\ufeff"), ANY_CHARACTER), max_size=60)


@given(st.lists(st.integers(0, 3), max_size=50))
def test_runs_read_back_as_the_labels_they_were_written_from(labels: list[int]) -> None:
    decoded = decode_runs(encode_runs(labels))
    assert decoded.dtype == np.int8
    assert decoded.tolist() == labels


@given(st.text(st.sampled_from("0123456789canrx -"), max_size=20))
def test_any_text_is_either_runs_or_a_label_error(text: str) -> None:
    try:
        labels = decode_runs(text)
    except LabelError:
        return
    assert len(labels) == sum(int(run[:-1]) for run in text.split())


def test_runs_are_short_and_readable() -> None:
    assert encode_runs([2, 2, 0, 1]) == "2n 1c 1a"


@pytest.mark.parametrize(
    "runs", ["12", "n", "3x", "12n5c", "-1n", "1n;2c", "9999999999n", "999999999n", "1.5c"]
)
def test_broken_or_absurd_runs_are_refused(runs: str) -> None:
    with pytest.raises(LabelError):
        decode_runs(runs)


def test_labels_are_named_by_name_letter_or_class_id() -> None:
    assert Label.parse("ad") is Label.parse("a") is Label.parse(1) is Label.AD
    with pytest.raises(LabelError, match="unknown label"):
        Label.parse("spam")


@given(PAGE_TEXT)
def test_a_document_gives_its_text_back(text: str) -> None:
    assert Document.from_text(text).text == text


@given(PAGE_TEXT)
def test_lines_are_the_non_blank_lines_of_the_text(text: str) -> None:
    physical = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert list(Document.from_text(text).lines) == [
        line for line in physical if line.strip() not in ("", "\ufeff")
    ]


@given(PAGE_TEXT, st.data())
def test_selected_lines_are_unaltered_and_in_order(text: str, data: st.DataObject) -> None:
    document = Document.from_text(text)
    size = len(document.lines)
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=bool)
    kept = tuple(line for line, k in zip(document.lines, keep, strict=True) if k)
    assert Document.from_text(document.select(keep)).lines == kept


@given(st.lists(st.text(min_size=1, max_size=5), max_size=5), st.data())
def test_lines_without_separators_are_joined_by_newlines(lines: list[str], data: st.DataObject) -> None:
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines))), dtype=bool)
    kept = [line for line, k in zip(lines, keep, strict=True) if k]
    assert Document(id="x", lines=tuple(lines)).select(keep) == "\n".join(kept)


def test_where_lines_are_left_out_the_longest_gap_stays() -> None:
    document = Document.from_text("one\n\n\ntwo\nthree\n")
    assert document.select(np.array([True, False, True])) == "one\n\n\nthree\n"


@pytest.mark.parametrize("document", [Document.from_text("one\ntwo"), Document("x", ("one", "two"))])
def test_a_choice_may_be_a_list_and_is_one_a_line(document: Document) -> None:
    assert document.select([False, True]) == "two"
    for keep in ([True], [True] * 3, np.ones(3, dtype=bool)):
        with pytest.raises(ValueError, match=rf"2 lines need as many choices, not {len(keep)}"):
            document.select(keep)


def test_documents_are_equal_by_lines_and_origin() -> None:
    page = "<h1>Ferry</h1><p>It is late.</p>"
    one, same = Document.from_html(page, metadata={"a": []}), Document.from_html(page, metadata={"a": []})
    assert one == same == pickle.loads(pickle.dumps(one))
    assert len({one, same}) == 1
    assert one != Document.from_html(page, metadata={"a": [1]})
    assert one != Document.from_html(page, url="https://a.example/", metadata={"a": []})


def test_the_text_hash_is_that_of_the_lines_joined_by_newlines() -> None:
    document = Document.from_text("Größe\r\n\r\n 2\n")
    assert document.text_sha256 == hashlib.sha256("Größe\n 2".encode()).hexdigest()
    assert document.blank_before.tolist() == [False, True]


def test_blank_lines_are_those_that_say_nothing() -> None:
    document = Document.from_text("\none\r\n \t\r\ntwo\rthree\r\rfour\n\n")
    assert document.blank_before.tolist() == [True, True, False, True]
    assert Document(id="x", lines=("a", "b")).blank_before.tolist() == [False, False]
    assert Document.from_text("\n\n").blank_before.tolist() == []
