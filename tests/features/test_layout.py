"""How plain text is laid out: blocks between blank lines, and indentation."""

from __future__ import annotations

import numpy as np
import pytest

from boilerplate_ds import Document
from boilerplate_ds.features import LineBatch
from boilerplate_ds.features.layout import N_LAYOUT, as_laid_out, layout_features

INDENT, SPACED, BEGINS, ENDS, N_LINES, N_CHARS, FROM_START, TO_END, ALONE, _, BEFORE, AFTER = range(12)
MEAN = 12


def layout_of(*documents: Document, content: list[float] | None = None) -> np.ndarray:
    batch = LineBatch.of(documents)
    opinions = np.zeros((batch.n_lines, 5), dtype=np.float32)
    if content is not None:
        opinions[:, 0] = content
    return layout_features(batch, opinions, batch.length.astype(np.float64))


def test_blank_lines_set_blocks_apart():
    text = "Home\nNews\n\n\nTen chars.\n \t\nSee also\n  The weather\nLast\n"
    layout = layout_of(Document.from_text(text))
    assert layout[:, SPACED].tolist() == [1] * 6
    assert layout[:, BEGINS].tolist() == [1, 0, 1, 1, 0, 0]
    assert layout[:, ENDS].tolist() == [0, 1, 1, 0, 0, 1]
    assert np.exp(2 * layout[:, N_LINES]).round().tolist() == [2, 2, 1, 3, 3, 3]
    assert (np.exp(8 * layout[:, N_CHARS]) - 1).round().tolist() == [8, 8, 10, 25, 25, 25]
    assert np.exp(2 * layout[:, FROM_START]).round().tolist() == [1, 2, 1, 1, 2, 3]
    assert np.exp(2 * layout[:, TO_END]).round().tolist() == [2, 1, 1, 3, 2, 1]
    assert layout[:, ALONE].tolist() == pytest.approx([1 / 6] * 6)
    assert layout[:, INDENT].tolist() == [0, 0, 0, 0, 2 / 8, 0]


def test_opinions_of_a_block_and_of_those_around_it_are_means_over_characters():
    document = Document.from_text("abcd\nab\n\nabc\n\na\na")
    layout = layout_of(document, content=[0.9, 0.3, 0.5, 0.2, 0.4])
    own, before, after = layout[:, MEAN], layout[:, BEFORE], layout[:, AFTER]
    np.testing.assert_allclose(own, [0.7, 0.7, 0.5, 0.3, 0.3], atol=1e-6)
    np.testing.assert_allclose(before, [0, 0, 0.7, 0.5, 0.5], atol=1e-6)
    np.testing.assert_allclose(after, [0.5, 0.5, 0.3, 0, 0], atol=1e-6)


@pytest.mark.parametrize("text", ["a\nb\n\n", "\n\n\na\nb", "a\r\nb\r\n", "a\rb"])
def test_a_text_without_blank_lines_between_its_own_is_one_of_unknown_layout(text):
    assert not layout_of(Document.from_text(text)).any()
    assert not layout_of(Document(id="", lines=("a", "b"))).any()


def test_a_page_with_markup_has_no_layout_but_its_tree():
    page = Document.from_html("<p>One</p>\n\n<p>Two</p><pre>\n\n    three</pre>")
    text = Document.from_text("One\n\n  Two")
    together = layout_of(page, text, page)
    n = len(page.lines)
    assert not together[:n].any()
    assert not together[n + 2 :].any()
    np.testing.assert_array_equal(together[n : n + 2], layout_of(text))


def test_documents_without_lines_begin_no_block():
    text = Document.from_text("a\n\nb")
    for documents in ([Document.from_text("\n \n"), text], [text, Document(id="", lines=())]):
        np.testing.assert_array_equal(layout_of(*documents), layout_of(text))
    assert layout_of(Document.from_text("")).shape == (0, N_LAYOUT)


def test_blank_lines_that_are_chance_are_not_read():
    lines = [f"Line {i} of a page" for i in range(60)]
    one = Document.from_text("Title\n\n" + "\n".join(lines))
    two = Document.from_text("Title\n\n" + "\n".join(lines) + "\n\nThe end")
    for document in (one, two, Document.from_text("\n".join("  " + line for line in lines))):
        read = as_laid_out(document)
        assert read.lines == tuple(line.strip() for line in document.lines)
        assert not read.separators
    some = Document.from_text("\n\n".join("\n  ".join(lines[i : i + 15]) for i in range(0, 60, 15)))
    page = Document.from_html("<p>One</p><p>Two</p>")
    assert as_laid_out(some) is some
    assert as_laid_out(page) is page


def test_separators_may_be_any_strings_in_any_sequence():
    class Text(str):
        __slots__ = ()

    lines = ("a", "b", "c")
    expected = layout_of(Document(id="", lines=lines, separators=("", "\n\n", "\n", "")))
    for separators in (["", "\n\n", "\n", ""], ("", Text("\n\n"), np.str_("\n"), "")):
        np.testing.assert_array_equal(
            layout_of(Document(id="", lines=lines, separators=separators)), expected
        )


@pytest.mark.parametrize("after", [" ", "  ", "\t", "\u00a0"])
def test_white_space_after_every_line_is_not_read(after):
    text = "Home\nNews\n\nA sentence of the page.\n  Another one.\n\nSee also\nThe weather"
    document = Document.from_text(text)
    open_ended = Document.from_text("\n".join(line + after for line in text.split("\n")))
    assert as_laid_out(open_ended).lines == document.lines
    assert as_laid_out(open_ended).blank_before.tolist() == document.blank_before.tolist()
    one_of_many = Document.from_text(text.replace("News", "News" + after))
    assert as_laid_out(one_of_many).lines == one_of_many.lines
