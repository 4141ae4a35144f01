"""Features of lines in their documents."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from boilerplate_ds import Document
from boilerplate_ds.features import LineBatch, context_features, markup_tokens
from boilerplate_ds.features.context import N_CONTEXT
from boilerplate_ds.model.runtime import batch_markup_tokens

PAGE = """<title>Ferry timetable</title><nav class="menu"><ul>\
<li><a href="/">Home</a><li><a href="/n">News</a></ul></nav>
<article><h1>Ferry timetable changes</h1>\
<p>The ferry to the island will run every hour from May, the operator said.</p>
<p>Tickets stay at twelve euros.</p></article><footer>Home</footer>"""


def features_of(documents: list[Document], seed: int = 0) -> np.ndarray:
    batch = LineBatch.of(documents)
    opinions = np.random.default_rng(seed).normal(size=(2, batch.n_lines, 4)).astype(np.float32)
    opinions[1, ~batch.has_markup] = 0
    return context_features(batch, opinions[0], opinions[1])


def test_every_line_gets_finite_features_of_the_promised_width():
    for document in (
        Document.from_html(PAGE),
        Document.from_text("One line only"),
        Document(id="x", lines=("a",) * 500),
    ):
        features = features_of([document])
        assert features.shape == (len(document.lines), N_CONTEXT)
        assert features.dtype == np.float32
        assert np.isfinite(features).all()


def test_a_document_reads_the_same_alone_and_in_company():
    first, page = Document.from_text("Other page\nwith two lines"), Document.from_html(PAGE)
    batch = LineBatch.of([first, page, first])
    opinions = np.random.default_rng(0).normal(size=(2, batch.n_lines, 4)).astype(np.float32)
    opinions[1, ~batch.has_markup] = 0
    rows = slice(2, 2 + len(page.lines))
    alone = context_features(LineBatch.of([page]), opinions[0][rows], opinions[1][rows])
    np.testing.assert_allclose(context_features(batch, *opinions)[rows], alone, atol=1e-4)


def test_repeated_lines_are_noticed():
    once = features_of([Document(id="a", lines=("One headline", "Another headline", "Text"))])
    twice = features_of([Document(id="a", lines=("One headline", "ONE headline!", "Text"))])
    assert (once[0] != twice[0]).any()
    assert not np.array_equal(twice[0], twice[2])


def test_markup_tokens_name_what_stands_around_a_line():
    document = Document.from_html(PAGE)
    buckets, ends = markup_tokens(document)
    sets = [set(buckets[a:b].tolist()) for a, b in pairwise(ends)]
    assert sets[0] == sets[1]  # two entries of one menu
    assert sets[0] != sets[2]


def test_text_has_no_markup_tokens():
    page, text = Document.from_html(PAGE), Document.from_text("a\nb")
    _, ends = batch_markup_tokens([text, page, text])
    counts = np.diff(ends)
    assert counts[:2].tolist() == [0, 0]
    assert (counts[2:-2] > 0).all()
    assert counts[-2:].tolist() == [0, 0]


def test_one_very_deep_page_is_read():
    document = Document.from_html("<div>" * 4_000 + "deep" + "<p>deeper")
    assert features_of([document]).shape == (2, N_CONTEXT)


@pytest.mark.parametrize("text", ["", "\n\n", "   \n"])
def test_documents_without_lines_have_no_features(text):
    assert LineBatch.of([Document.from_text(text)]).n_lines == 0
