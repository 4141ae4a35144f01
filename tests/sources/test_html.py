"""HTML becomes lines and markup in one pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate_ds import Document
from boilerplate_ds.errors import SourceError
from boilerplate_ds.sources import html as html_module
from boilerplate_ds.sources.html_tags import TAG_IDS, TAGS


def lines(html: str | bytes) -> tuple[str, ...]:
    return Document.from_html(html).lines


def test_block_elements_and_breaks_end_lines():
    page = "<h1>Ferry news</h1><p>First <b>bold</b> words.<br>Second line.</p><ul><li>One<li>Two</ul>"
    assert lines(page) == ("Ferry news", "First bold words.", "Second line.", "One", "Two")


def test_text_around_a_block_is_not_joined_across_it():
    assert lines("<div>before<p>inside</p>after</div>") == ("before", "inside", "after")


def test_an_empty_block_still_ends_a_line():
    assert lines("<div>one<div></div>two</div>") == ("one", "two")


def test_spaces_fold_and_neighbouring_links_stay_apart():
    assert lines("<nav><a>Home</a><a>News</a> <a>Sport</a></nav>") == ("Home News Sport",)
    assert lines("<p>  many\n\t spaces&nbsp;here </p>") == ("many spaces here",)


def test_preformatted_text_keeps_its_indentation():
    assert lines("<pre>def f():\n    return 1\n\nf()</pre>") == ("def f():", "    return 1", "f()")


def test_a_carriage_return_ends_a_line_and_never_stands_in_one():
    assert lines("<pre>a\r\n  b\r  c&#13;\n d&#x0D;e</pre>") == ("a", "  b", "  c", " d e")


def test_scripts_styles_and_form_fields_say_nothing():
    page = (
        "<p>Text</p><script>var a = '<p>no</p>'</script><style>p{}</style>"
        "<select><option>no</select><textarea>no</textarea>"
    )
    assert lines(page) == ("Text",)


def test_elements_that_end_with_their_start_tag_hide_nothing_in_xhtml():
    page = (
        '<?xml version="1.0"?><html><head><title/><script src="a.js"/><SCRIPT>b("<script/>c")</SCRIPT></head>'
        "<body><p>One</p><textarea rows='2' /><p>Two</p><iframe></iframe><script/></body></html>"
    )
    assert lines(page) == ("One", "Two")


def test_noscript_is_read():
    assert lines("<body><noscript><div>A whole thread.</div></noscript></body>") == ("A whole thread.",)


def test_the_title_is_kept_apart_from_the_lines():
    document = Document.from_html("<title>Ferry &amp; tide</title><p>Text</p>")
    assert document.lines == ("Text",)
    assert document.markup is not None
    assert document.markup.title == "Ferry & tide"


def test_markup_names_element_block_link_share_and_attributes():
    page = (
        '<nav class="top-menu" id="m"><ul><li><a href="/">Home</a></li></ul></nav>'
        '<p>Read <a href="/x">more</a></p>'
    )
    document = Document.from_html(page)
    markup = document.markup
    assert markup is not None
    assert document.lines == ("Home", "Read more")
    assert [markup.tag[e] for e in markup.element] == [TAG_IDS["a"], TAG_IDS["p"]]
    assert [markup.tag[e] for e in markup.block] == [TAG_IDS["li"], TAG_IDS["p"]]
    assert markup.link_share.tolist() == [1.0, 0.5]
    nav = markup.parent[markup.parent[markup.block[0]]]
    assert markup.attributes[markup.attribute[nav]] == "top-menu m"


def test_parents_come_before_children_and_only_elements_around_lines_are_kept():
    markup = Document.from_html("<div><ul><li>a<li>b</ul><p>c</p><p></p></div><img><div>d</div>").markup
    assert markup is not None
    assert (markup.parent[1:] < np.arange(1, len(markup.parent))).all()
    names = ["html", "body", "div", "ul", "li", "li", "p", "div"]
    assert markup.tag.tolist() == [TAG_IDS[name] for name in names]
    assert markup.parent.tolist() == [0, 0, 1, 2, 3, 3, 2, 1]


def test_attributes_of_html_and_body_are_read_wherever_they_stand():
    markup = Document.from_html("<html class=a><head><title>t</title></head><body id=b><p>x</body>").markup
    assert markup is not None
    assert [markup.attributes[number] for number in markup.attribute] == ["a", "b", ""]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>one<div>two</div>three", [["body", "p"], ["body", "div"], ["body"]]),
        ("<ul><li>a<ul><li>b</ul><li>c</ul>", [["ul", "li"], ["ul", "li"], ["ul", "li"]]),
        ("<table><td>a<td>b<tr><td>c</table>d", [["tr", "td"], ["tr", "td"], ["tr", "td"], ["body"]]),
        ("<dl><dt>a<dd>b<dt>c</dl>", [["dl", "dt"], ["dl", "dd"], ["dl", "dt"]]),
        ("<div><span>a</div>b", [["div", "span"], ["body"]]),
        ("<div><table><td>a</div>b</table>c</div>", [["tr", "td"], ["tr", "td"], ["body", "div"]]),
        ("a</b></nav>b", [["body"], ["body"]]),
        ("<a>x<p>y</a>z", [["body", "a"], ["a", "p"]]),
    ],
)
def test_end_tags_that_were_left_out_are_understood(page, expected):
    markup = Document.from_html(page).markup
    assert markup is not None
    paths = [[TAGS[markup.tag[markup.parent[own]]], TAGS[markup.tag[own]]] for own in markup.element]
    assert [path[-len(tail) :] for path, tail in zip(paths, expected, strict=True)] == expected


def test_quoted_angle_brackets_do_not_end_a_tag():
    assert lines("""<p title="a > b" class='<p>'>text</p>""") == ("text",)
    assert lines('<p title=5" class=x>text</p><p>more') == ("text", "more")


@pytest.mark.parametrize(
    "name", ["script", "SCRIPT", "Style", "svg", "Select", "textarea", "template", "math"]
)
def test_skipped_elements_are_passed_over_in_any_spelling(name):
    assert lines(f"<p>a</p><{name} x='1'><b>no</b> a < b </{name.lower()}><p>z</p>") == ("a", "z")


def test_a_drawing_that_is_never_closed_ends_at_the_next_block():
    assert lines("<p>a<svg/>b<svg><path></p><p>c<svg><title>no</title></svg>d</p>") == ("ab", "c", "d")


def test_comments_end_as_in_browsers():
    assert lines("a<!-- <p> > -->b<!-->c<!--->d<!-- x --!>e<![CDATA[x]]>f<?php x ?>g") == ("abcdefg",)


def test_short_names_and_stray_brackets_are_no_trap():
    assert lines("<d>a</d> 1 < 2 <3 </> b<dAta>c") == ("a 1 < 2 <3 bc",)


@pytest.mark.parametrize(
    "attribute", ["hidden", 'aria-hidden="true"', 'style="display:none"', 'style="color:red; display: none"']
)
def test_hidden_elements_are_marked_not_dropped(attribute):
    document = Document.from_html(f"<div {attribute}>unseen</div><div>seen</div>")
    assert document.lines == ("unseen", "seen")
    assert document.markup is not None
    assert [bool(document.markup.hidden[b]) for b in document.markup.block] == [True, False]


def test_a_shell_page_falls_back_to_its_description():
    page = (
        '<head><meta property="og:description" content="What the page is about, told in one sentence.">'
        "</head><body><p>Loading</p>"
    )
    assert lines(page) == ("Loading", "What the page is about, told in one sentence.")


def test_an_article_body_in_json_ld_beats_the_description():
    body = "The whole article stands here. " * 5
    page = (
        '<meta name="description" content="Short."><script type="application/ld+json">'
        f'{{"@graph": [{{"@type": "NewsArticle", "articleBody": "{body}"}}]}}</script>'
        "<p>Enable JavaScript</p>"
    )
    assert lines(page) == ("Enable JavaScript", body.strip())


def test_a_page_with_text_keeps_its_description_to_itself():
    page = '<meta name="description" content="Not shown.">' + "<p>" + "Long enough text. " * 30 + "</p>"
    assert len(lines(page)) == 1


@pytest.mark.parametrize(
    "broken", ["", "   ", "<", "<!-- never closed", "<p", "\x00", "<script>", "<title>only", "&#xD800;"]
)
def test_fragments_of_html_are_read_without_complaint(broken):
    assert isinstance(lines(broken), tuple)


def test_bytes_are_decoded_by_their_meta_charset():
    page = '<meta charset="windows-1251"><p>Паром опоздал</p>'
    assert lines(page.encode("cp1251")) == ("Паром опоздал",)


def distinct_fonts(n: int) -> str:
    return "".join(f"<font a={i}>" for i in range(n))


@pytest.mark.parametrize(
    "page",
    [
        *(f"<{tag}>" * 200_000 + "x" for tag in ("div", "b", "DIV class=x", "span")),
        "<p>" + distinct_fonts(5_000) + "</p>" + "<p>x" * 14_000,
        "<div " + " ".join(f"a{i}" for i in range(100_000)) + ">x",
        "<div " + " ".join(f'a{i}="{i}"' for i in range(300_000)) + ">x",
        "".join(f"<body a{i}>" for i in range(100_000)) + "x",
        "<div></x>" * 100_000 + "x",
        "<div></span>" * 100_000 + "x",
        "<!--x--!><div>" * 100_000 + "x",
        "<select>" + "<option>x" * 100_000 + "</select>x",
        '<a title="<script>" class="<!--">x</a>' * 10_000,
        "<table><td><table>" + "<span>" * 400 + "<td></td>" * 20_000 + "x",
        "x" + "<" * 1_000_000,
        "x" + "<a " * 300_000,
        "x" + '<a b="' * 300_001,
        "x" + '"' * 1_000_000,
        "x<a " + "=" * 1_000_000,
        "x<!--" * 100_000,
        "x<script>" * 100_000,
        "x<script " * 100_000,
        "x<svg>" * 100_000,
        "x" + "\0" * 1_000_000,
        "x<p>&#" + "1" * 1_000_000 + ";",
    ],
    ids=lambda page: page[:24],
)
def test_hostile_pages_are_read_in_bounded_work(page):
    document = Document.from_html(page)
    assert document.lines
    assert document.markup is not None
    assert len(document.markup.parent) <= 512 + 2 * len(document.lines)


def test_a_million_line_breaks_are_read():
    assert lines("a" + "<br>" * 500_000 + "b") == ("a", "b")


def test_a_page_of_millions_of_brackets_is_refused():
    with pytest.raises(SourceError, match="elements"):
        Document.from_html("<" * 5_000_000)


def test_a_long_flat_page_is_read():
    assert len(lines("<div><p>word<br>word<li>item</div>" * 10_000)) == 30_000


def test_elements_nested_too_deep_become_neighbours():
    markup = Document.from_html("<div>a" * 1_000).markup
    assert markup is not None
    depth = [0]
    for parent in markup.parent[1:].tolist():
        depth.append(depth[parent] + 1)
    assert max(depth) == 511


def test_a_page_over_the_size_limit_is_refused(monkeypatch):
    monkeypatch.setattr(html_module, "MAX_HTML_BYTES", 100)
    with pytest.raises(SourceError, match="limit is 100"):
        Document.from_html("x" * 101)


def test_a_page_of_too_many_elements_is_refused(monkeypatch):
    monkeypatch.setattr(html_module, "MAX_ELEMENTS", 50)
    with pytest.raises(SourceError, match="more than 50 elements"):
        Document.from_html("<p>a" * 60)


@given(st.text() | st.text(alphabet="<>/=\"'!-& apscriptdv\n"))
def test_any_string_is_read(text):
    document = Document.from_html(text)
    assert all(line.strip() for line in document.lines)
    assert document.markup is not None
    assert len(document.markup.element) == len(document.lines)
    assert (document.markup.parent[1:] < np.arange(1, len(document.markup.parent))).all()


@given(
    st.lists(
        st.sampled_from(
            [
                "<div>",
                "</div>",
                "<p>",
                "</p>",
                "<a href=x>",
                "</a>",
                "<br>",
                "text ",
                "<li>",
                "<table>",
                "<td>",
                "<pre>",
                "\n",
                "<noscript>",
                "</noscript>",
            ]
        ),
        max_size=40,
    )
)
def test_any_soup_of_tags_keeps_every_word(parts):
    page = "".join(parts)
    assert sum(line.count("text") for line in lines(page)) == page.count("text")


BLOCKS = st.sampled_from(["div", "p", "li", "h2", "section", "article"])
INLINES = st.sampled_from(["b", "span", "a href='x'", "x-y", "EM"])
WORDS = st.lists(st.text(alphabet="abcdefgh", min_size=1), min_size=1, max_size=4).map(" ".join)


@given(st.lists(st.tuples(BLOCKS, INLINES, WORDS, WORDS), max_size=20))
def test_every_block_of_a_simple_page_is_one_line(blocks):
    page = "".join(
        f"<{block}>{before} <{inline}>{inside}</{inline.split()[0]}></{block}>\n"
        for block, inline, before, inside in blocks
    )
    assert lines(page) == tuple(f"{before} {inside}" for _, _, before, inside in blocks)


def test_a_line_has_the_target_of_the_first_link_that_it_has_text_in() -> None:
    page = (
        "<p><a href='/one'>One</a> and <a href='/two'>two</a></p><p>no link</p>"
        "<p>See <a href='/one'>one</a></p>"
        "<p><a href='/empty'> </a><a HREF=/three>three</a></p><a name=x>no target</a><td><a href='&amp;'>cell"
    )
    document = Document.from_html(page + "<p>" + "x" * 300)
    markup = document.markup
    assert markup is not None
    of_line = [markup.links[i] for i in markup.link.tolist()]
    assert of_line[:6] == ["/one", "", "/one", "/three", "", "&"]


def test_what_stands_between_lines_is_counted() -> None:
    page = (
        "<p>one</p><img><iframe></iframe><p>two</p><input><button>three</button><!-- c --><script>1</script>x"
    )
    markup = Document.from_html(page + "<p>" + "x" * 300).markup
    assert markup is not None
    pictures, controls, passed = markup.between[:4, 1:].T.tolist()
    assert pictures == [0, 2, 0, 0]
    assert controls == [0, 0, 2, 0]
    assert passed == [0, 0, 0, 2]


def test_a_byte_order_mark_is_no_line():
    page = "\ufeff<p>The ferry is late.</p>"
    assert lines(page) == lines(page.encode()) == ("The ferry is late.",)
