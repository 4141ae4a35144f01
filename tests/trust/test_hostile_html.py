"""Hostile pages of HTML: read in time and memory in proportion, or refused, one by one."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boilerplate_ds import Document
from boilerplate_ds.errors import Rejects, SourceError
from boilerplate_ds.sources import html as reader
from boilerplate_ds.sources import read_documents

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    hasattr(reader, "LexborHTMLParser"), reason="a conforming parser takes these pages' time squared"
)


def fonts(n: int) -> str:
    return "".join(f"<font a={i}>" for i in range(n))


def names(n: int) -> str:
    return " ".join(f"a{i}" for i in range(n))


ATTACKS = {
    "200,000 nested blocks": "<div>" * 200_000,
    "nested tables": "<table><tr><td>" * 60_000,
    "nested links": "<a href=x><div>" * 50_000,
    "a long link around many lines": "<a href='" + "x" * 500_000 + "'>" + "<p>y" * 50_000,
    "nested lists": "<ul><li>" * 50_000,
    "unclosed everything": "<b><i><p><li><td><div><span><a><form><select><svg>" * 10_000,
    "end tags that close nothing": "<div></x>" * 100_000,
    "end tags that search the stack": "<span>" * 50_000 + "</x>" * 50_000,
    "only end tags": "</div></p></b>" * 50_000,
    "formatting opened again in each block": "<p>" + fonts(2_000) + "</p>" + "<p>x</p>" * 20_000,
    "formatting with many attributes": "".join(f"<b {names(50)} z={i}>" for i in range(3_000)),
    "100,000 attributes": f"<div {names(100_000)}>",
    "attributes of the body, tag by tag": "".join(f"<body a{i}>" for i in range(50_000)),
    "attributes with quoted ends": "<div " + " ".join(f"a{i}='>'" for i in range(50_000)) + ">",
    "an attribute that never ends": "<p class='" + "a " * 500_000,
    "attributes that never end": "<p class='" * 50_000,
    "script in every attribute": "<p class='<script>x</script>' id=\"</p><script>\" title=<script>>line</p>\n"
    * 20_000,
    "scripts that never end": "<script>" * 50_000,
    "scripts in scripts": "<script><!--<script></script>" * 30_000,
    "comments that never end": "<!--" * 100_000,
    "comments that end with --!>": "<!--x--!><div>" * 50_000,
    "a comment of dashes": "<!--" + "-" * 500_000,
    "drawings": "<svg><g>" * 50_000,
    "drawings that never end": "<svg><title>" * 50_000,
    "options": "<select>" + "<option>x" * 100_000,
    "entities": "&amp;&CounterClockwiseContourIntegral;&#x110000;&bogus;&#0;" * 30_000,
    "an endless number": "&#" + "9" * 500_000 + ";",
    "opening brackets": "<" * 500_000,
    "names that never end": "<a" * 200_000,
    "slashes": "<div" + "/" * 500_000,
    "equal signs": "<div" + " = " * 200_000,
    "quotes": "<div " + "\"'" * 200_000,
    "spaces": "<div" + " " * 500_000,
    "NUL": "<div>\0" * 50_000,
    "JSON-LD": "<script type='application/ld+json'>" + "[" * 100_000 + "]" * 100_000 + "</script>",
    "descriptions": "".join(f"<meta name=description content='{i}'>" for i in range(20_000)),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_read_or_refused(name: str) -> None:
    page = ATTACKS[name]
    try:
        document = Document.from_html(page)
    except SourceError:
        return
    assert document.markup is not None
    assert len(document.markup.parent) <= 2 * page.count("<") + 10
    assert sum(map(len, document.lines)) <= 2 * len(page)


@pytest.mark.parametrize(
    "page", [b"\xff\xfe<\0p\0>\0\xd8", b"<meta charset=utf-7><p>+ADw-", b"<meta charset=x><p>\xff\x81"]
)
def test_a_wrong_charset_is_read_as_well_as_may_be(page: bytes) -> None:
    Document.from_html(page)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            (
                "<p>",
                "</p>",
                "<td",
                "<a x='",
                '"',
                ">",
                "<!--",
                "-->",
                "<svg>",
                "<title>",
                "x",
                " ",
                "=",
                "/",
                "\0",
                "&lt",
            )
        )
    )
)
def test_any_tag_soup_is_read(pieces: list[str]) -> None:
    document = Document.from_html("".join(pieces))
    assert all(line.strip() and "\n" not in line for line in document.lines)


def test_only_the_hostile_page_of_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_HTML_BYTES", 100_000)
    bomb = "<html>" + "&amp;" * 1_000_000
    records = [{"html": "<p>one"}, {"html": bomb}, {"html": "<p>three"}]
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, records)).encode()))
    rejects = Rejects()
    documents = list(read_documents(tmp_path / "a.jsonl.gz", rejects=rejects))
    assert [document.text for document in documents] == ["one", "three"]
    assert [(reject.record, "100,000" in reject.reason) for reject in rejects.items] == [("line 2", True)]
