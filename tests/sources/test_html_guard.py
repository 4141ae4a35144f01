"""Pages that would hang or fill the parser are rewritten; all others come back as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from boilerplate_ds import Document
from boilerplate_ds.errors import SourceError
from boilerplate_ds.sources import html_guard
from boilerplate_ds.sources.html_guard import MAX_DEPTH, harmless


def fonts(n: int) -> str:
    return "".join(f"<font a={i}>" for i in range(n))


def names(n: int) -> str:
    return " ".join(f"a{i}" for i in range(n))


ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"

BOMBS = {
    "formatting opened again in each block": "<p>" + fonts(2_000) + "</p>" + "<p>x</p>" * 2_000,
    "formatting with many attributes": "".join(f"<b {names(30)} z={i}>" for i in range(3_000)),
    "formatting behind a quoted end": "".join(f"<b c='>' a={i}>" for i in range(3_000)) + "<p>x" * 3_000,
    "formatting in capitals": "<p>" + fonts(2_000).upper() + "<p>x" * 2_000,
    "attributes": f"<div {names(100_000)}>",
    "attributes after a long value": f"<div a='{'x' * 200_000}' {names(60_000)}>",
    "attributes with quoted ends": "<div " + " ".join(f"a{i}='>'" for i in range(40_000)) + ">",
    "attributes with quoted tags": "<div " + " ".join(f"a{i}='<b>'" for i in range(19_000)) + ">",
    "attributes after a quote in a name": f'<div q"q {names(60_000)}>',
    "attributes of the body, tag by tag": "".join(f"<body a{i}>" for i in range(25_000)),
    "nested blocks": "<div>" * 40_000,
    "nested tables": "<table><tr><td>" * 15_000,
    "blocks closed by tags that close nothing": "<div></x>" * 20_000,
    "blocks after comments that end in --!>": "<!--x--!><div>" * 20_000,
    "blocks that <object> shields": "<div><span><object></span></div></object>" * 8_000,
    "end tags that search the stack": "<span>" * 15_000 + "</x>" * 15_000,
    "options": "<select>" + "<option>x" * 10_000,
    "options closed": "<select>" + "<option>x</option>" * 9_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_parsed_to_no_more_than_it_says(name: str) -> None:
    page = BOMBS[name]
    written = harmless(page)
    assert written is not page
    assert len(written) < 2 * len(page) + 100
    root = LexborHTMLParser(written.encode()).root
    assert root is not None
    assert sum(1 for _ in root.traverse()) <= page.count("<") + 10


@pytest.mark.parametrize("name", ["nested blocks", "blocks that <object> shields", "nested tables"])
def test_a_page_that_is_rewritten_is_not_deeper_than_the_limit(name: str) -> None:
    root = LexborHTMLParser(harmless(BOMBS[name]).encode()).root
    depth = 0
    node = root
    while node is not None:
        depth, node = depth + 1, node.first_child
    assert depth <= 2 * MAX_DEPTH  # tables get their <tbody>


def test_a_page_of_more_tags_than_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_guard, "MAX_TAGS", 30_000)
    with pytest.raises(SourceError, match="more than 30,000 tags"):
        harmless("<p>x" * 30_001)


def test_what_the_guard_reads_cannot_hang_the_guard() -> None:
    for page in (
        "<a b='x' " * 20_000 + "y" * 100_000,
        "<a/x=y" * 20_000 + "a" * 500_000,
        "<a x=\"<a x='" * 10_000 + " " * 100_000,
        "<a" + " = " * 200_000,
        "<a" + " " * 500_000,
        "<!-- " * 30_000,
        "<title>" * 30_000,
        "<" * 500_000,
    ):
        harmless(page)


@pytest.fixture
def every_page_is_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_guard, "SAFE_TAGS", -1)


@pytest.mark.usefixtures("every_page_is_rewritten")
@pytest.mark.parametrize(
    "page",
    [
        "<p>one<p>two <b>bold</b> words<div>three</div>",
        "<ul><li>one<li>two<ul><li>in</ul><li>three</ul>",
        "<table><tr><td>1<td>2<tr><td><table><td>in</table><td>4</table>",
        "<dl><dt>a<dd>b<dt>c</dl>",
        "one<br>two<hr>three &amp; &lt;four&gt; &eacute;",
        "<script>if (a<b) {'<p>'}</script><style>p{}</style><p>shown<!-- <p>not --><p>too",
        "<svg><path d='M0 1'/><text>drawn</text></svg><p>shown",
        "<select><option>a<option>b</select>after<div>block</div>",
        "<pre>  two\n  lines</pre>",
        "<a href=x>one</a><a href=y>two</a> <a>three",
        "<title>T &amp; U</title><h1>x</h1>",
        "<div class='a &quot; b' id=c hidden>x</div>",
        "1 < 2 <3 < p>",
        "<p title='>'>quoted</p>",
        "<!doctype html><html lang=en><body class=home><p>x",
        "<textarea><p>no</textarea>yes",
        "cut <p",
        "<p>cut <!-- here",
    ],
)
def test_a_rewritten_page_has_the_same_lines_and_markup(page: str) -> None:
    before = Document.from_html(page)
    written = harmless(page)
    assert written is not page
    after = Document.from_html(written)
    assert after.lines == before.lines
    assert after.markup is not None
    assert before.markup is not None
    assert after.markup.link_share.tolist() == before.markup.link_share.tolist()
    shown = [attributes for attributes in before.markup.attributes if attributes]
    assert [attributes for attributes in after.markup.attributes if attributes] == shown


@pytest.mark.usefixtures("every_page_is_rewritten")
@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ("<p>", "</p>", "<td", "<a x='", '"', ">", "<!--", "-->", "<svg>", "x", " ", "=", "/")
        )
    )
)
def test_any_tag_soup_is_rewritten_to_what_parses(pieces: list[str]) -> None:
    page = "".join(pieces)
    assert LexborHTMLParser(harmless(page).encode()).root is not None


def test_ordinary_pages_come_back_as_they_are() -> None:
    page = (ROOT / "examples" / "page.html").read_text(encoding="utf-8")
    assert harmless(page) is page
    long = "<p class='a'>Word <b>bold</b> and <i>more</i>.</p>\n" * 2_000
    assert harmless(long) is long


@pytest.mark.skipif(not (CORPUS / "lines-dev-html.parquet").exists(), reason="the corpus is not here")
@pytest.mark.usefixtures("every_page_is_rewritten")
def test_rewriting_keeps_the_lines_of_real_pages() -> None:
    import pyarrow.parquet as pq

    n_lines = n_lost = 0
    for row in pq.read_table(CORPUS / "lines-dev-html.parquet").slice(0, 20).to_pylist():
        before = set(Document.from_html(row["html"]).lines)
        html = row["html"] if isinstance(row["html"], str) else row["html"].decode("utf-8", "replace")
        n_lines += len(before)
        n_lost += len(before - set(Document.from_html(harmless(html)).lines))
    assert n_lost <= n_lines / 500
