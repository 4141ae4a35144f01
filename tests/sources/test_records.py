"""Which field of a record becomes what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from boilerplate_ds.errors import SourceError
from boilerplate_ds.sources import read_documents
from boilerplate_ds.sources.records import TEXT_COLUMNS

from . import archives

if TYPE_CHECKING:
    from pathlib import Path

    from boilerplate_ds.document import Document


def from_record(folder: Path, record: dict[str, Any], **options: Any) -> Document:
    (folder / "a.jsonl").write_text(json.dumps(record))
    (document,) = read_documents(folder / "a.jsonl", **options)
    return document


@pytest.mark.parametrize("column", [*TEXT_COLUMNS, "Text", "CONTENT"])
def test_the_text_column_is_guessed(tmp_path: Path, column: str) -> None:
    assert from_record(tmp_path, {"other": "no", column: "Some text."}).lines == ("Some text.",)


def test_the_likeliest_column_that_is_not_null_is_the_text(tmp_path: Path) -> None:
    document = from_record(tmp_path, {"html": "<p>no", "body": "yes", "text": None})
    assert (document.text, document.metadata) == ("yes", {"html": "<p>no", "text": None})


def test_an_empty_text_does_not_hide_the_page_beside_it(tmp_path: Path) -> None:
    document = from_record(tmp_path, {"text": "", "lines": [], "html": "<p>yes"})
    assert (document.lines, document.metadata) == (("yes",), {"text": "", "lines": []})
    assert from_record(tmp_path, {"text": "", "html": None}).lines == ()


def test_the_named_column_is_the_text(tmp_path: Path) -> None:
    document = from_record(tmp_path, {"text": "no", "summary": "yes"}, text_column="summary")
    assert (document.text, document.metadata) == ("yes", {"text": "no"})


def test_a_column_named_html_is_read_as_html_and_no_other(tmp_path: Path) -> None:
    assert from_record(tmp_path, {"raw_html": archives.HTML}).markup is not None
    assert from_record(tmp_path, {"text": archives.HTML}).text == archives.HTML


def test_lines_are_taken_as_they_are(tmp_path: Path) -> None:
    lines = ["  one", "two ", "\tthree"]
    assert from_record(tmp_path, {"lines": lines}).lines == tuple(lines)


def test_bytes_are_decoded(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(archives.as_parquet([{"content": "Käse".encode("cp1252")}]))
    (document,) = read_documents(tmp_path / "a.parquet")
    assert document.lines == ("Käse",)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"doc_id": "x"}, ("x", "", "", "")),
        ({"id": 7}, ("7", "", "", "")),
        ({"id": ""}, ("a.jsonl#1", "", "", "")),
        ({"id": True}, ("a.jsonl#1", "", "", "")),
        ({"source_url": "http://WWW.A.org/p"}, ("a.jsonl#1", "http://WWW.A.org/p", "a.org", "")),
        ({"url": "http://a.org", "domain": "b.org"}, ("a.jsonl#1", "http://a.org", "b.org", "")),
        ({"lang": "cs"}, ("a.jsonl#1", "", "", "cs")),
        (
            {"metadata": {"url": "http://a.org", "language": "de"}},
            ("a.jsonl#1", "http://a.org", "a.org", "de"),
        ),
    ],
)
def test_fields_that_documents_have(
    tmp_path: Path, record: dict[str, Any], expected: tuple[str, ...]
) -> None:
    document = from_record(tmp_path, {"text": "t", **record})
    assert (document.id, document.url, document.site, document.language) == expected


@pytest.mark.parametrize(
    ("given", "site"),
    [("www.Example.org", "example.org"), ("https://example.org/x", "example.org"), ("My Site", "My Site")],
)
def test_a_site_has_one_name(tmp_path: Path, given: str, site: str) -> None:
    assert from_record(tmp_path, {"text": "t", "domain": given}).site == site


def test_the_other_fields_are_metadata(tmp_path: Path) -> None:
    record = {"text": "t", "id": "x", "score": 0.5, "meta": {"date": "2024", "score": 1}, "tags": ["a"]}
    assert from_record(tmp_path, record).metadata == {"date": "2024", "score": 0.5, "tags": ["a"]}


def test_surrogates_nuls_and_huge_ids_are_read(tmp_path: Path) -> None:
    huge = "i" * 1_000_000
    (tmp_path / "a.jsonl").write_text(
        f'{{"text": "a\\ud800\\u0000b", "id": "{huge}", "url": "http://\\udfff"}}'
    )
    (document,) = read_documents(tmp_path / "a.jsonl")
    assert document.text == "a\ud800\0b"
    assert document.id == huge
    assert document.text_sha256


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"text": 5}, "line 1: the text ('text') is not a string or a list of strings, but int"),
        ({"text": None}, "line 1: the text ('text') is null"),
        ({"lines": ["a", 1]}, "not a string or a list of strings, but list"),
        (
            {"title": "t", "x": 1},
            "no text column found; the columns are 'title', 'x'. Name the one with the text",
        ),
        ({f"c{i}": 1 for i in range(99)}, "'c29' and 69 more. Name"),
    ],
)
def test_records_without_text_are_named(tmp_path: Path, record: dict[str, Any], reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        from_record(tmp_path, record)
    assert str(caught.value).startswith(str(tmp_path / "a.jsonl"))
    assert reason in str(caught.value)


def test_a_named_column_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no column 'story'; the columns are 'text'"):
        from_record(tmp_path, {"text": "t"}, text_column="story")
