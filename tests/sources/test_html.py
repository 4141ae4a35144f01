"""HTML becomes lines and markup in one pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate_ds import Document
from boilerplate_ds.errors import SourceError
from boilerplate_ds.sources import html as html_module
from boilerplate_ds.sources.html_tags import TAG_IDS


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


def test_scripts_styles_and_form_fields_say_nothing():
    page = (
        "<p>Text</p><script>var a = '<p>no</p>'</script><style>p{}</style>"
        "<select><option>no</select><textarea>no</textarea>"
    )
    assert lines(page) == ("Text",)


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
    assert markup.link_share.tolist() == [1.0, pytest.approx(4 / 9)]
    nav = markup.parent[markup.parent[markup.block[0]]]
    assert markup.attributes[nav] == "top-menu m"


def test_parents_come_before_children_and_subtrees_are_ranges():
    markup = Document.from_html("<div><ul><li>a<li>b</ul><p>c</p></div><div>d</div>").markup
    assert markup is not None
    assert (markup.parent[1:] < np.arange(1, len(markup.parent))).all()
    for element in range(len(markup.parent)):
        inside = {element}
        for other in range(element + 1, len(markup.parent)):
            if markup.parent[other] in inside:
                inside.add(other)
        assert inside == set(range(element, markup.subtree_end[element]))


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


@pytest.mark.parametrize("tag", ["div", "b", "DIV class=x", "span"])
def test_a_page_of_hundreds_of_thousands_of_nested_tags_is_refused(tag):
    with pytest.raises(SourceError, match="nested deeper"):
        Document.from_html(f"<{tag}>" * 200_000 + "deep")


def test_a_long_flat_page_is_not_taken_for_a_deep_one():
    assert len(lines("<div><p>word<br>word<li>item</div>" * 10_000)) == 30_000


def test_thousands_of_nested_tags_are_read():
    assert lines("<div>" * 4_000 + "deep") == ("deep",)


def test_a_page_over_the_size_limit_is_refused(monkeypatch):
    monkeypatch.setattr(html_module, "MAX_HTML_BYTES", 100)
    with pytest.raises(SourceError, match="limit is 100"):
        Document.from_html("x" * 101)


def test_a_page_of_too_many_elements_is_refused(monkeypatch):
    monkeypatch.setattr(html_module, "MAX_ELEMENTS", 50)
    with pytest.raises(SourceError, match="more than 50 elements"):
        Document.from_html("<p>a" * 60)


@given(st.text())
def test_any_string_is_read(text):
    document = Document.from_html(text)
    assert all(line.strip() for line in document.lines)
    assert document.markup is not None
    assert len(document.markup.element) == len(document.lines)


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
