"""Features of lines in their documents."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import pairwise

import numpy as np
import pytest

from boilerplate_ds import Document
from boilerplate_ds.features import Forest, LineBatch, context_features, markup_tokens
from boilerplate_ds.features.context import N_CONTEXT, N_OPINIONS, N_TEXT
from kernels import in_python, long_documents

PAGE = """<title>Ferry timetable</title><nav class="menu"><ul>\
<li><a href="/">Home</a><li><a href="/n">News</a></ul></nav>
<article><h1>Ferry timetable changes</h1>\
<p>The ferry to the island will run every hour from May, the operator said.</p>
<p>Tickets stay at twelve euros.</p></article><footer>Home</footer>"""


def opinions_of(batch: LineBatch, seed: int = 0) -> np.ndarray:
    opinions = np.random.default_rng(seed).normal(size=(2, batch.n_lines, N_OPINIONS)).astype(np.float32)
    opinions[1, ~batch.has_markup] = 0
    return opinions


def features_of(documents: list[Document]) -> np.ndarray:
    batch = LineBatch.of(documents)
    return context_features(batch, Forest.of(batch), *opinions_of(batch))


@pytest.mark.parametrize(
    ("document", "width"),
    [
        (Document.from_html(PAGE), N_CONTEXT),
        (Document.from_text("One line only"), N_TEXT),
        (Document(id="x", lines=("a",) * 500), N_TEXT),
    ],
)
def test_every_line_gets_finite_features_of_the_promised_width(document, width):
    features = features_of([document])
    assert features.shape == (len(document.lines), width)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert np.abs(features).max() < 20


def test_a_document_reads_the_same_alone_and_in_company():
    first, page = Document.from_text("Other page\nwith two lines"), Document.from_html(PAGE)
    batch = LineBatch.of([first, page, first, page])
    opinions = opinions_of(batch)
    rows = slice(2, 2 + len(page.lines))
    alone = LineBatch.of([page])
    expected = context_features(alone, Forest.of(alone), *opinions[:, rows])
    together = context_features(batch, Forest.of(batch), *opinions)
    np.testing.assert_array_equal(together[rows], expected)
    np.testing.assert_array_equal(together[:2, N_TEXT:], 0)


@pytest.mark.parametrize("in_kernels", [True, False])
def test_no_sum_depends_on_what_was_summed_before(in_kernels):
    rng = np.random.default_rng(0)
    long = Document(id="long", lines=(" ".join(["A story of some length, told in the evening."] * 9),) * 3000)
    documents = [*long_documents(), Document.from_html(f"<ul>{'<li>A <a>link</a> and more' * 60}</ul>")]
    with nullcontext() if in_kernels else in_python():
        for document in documents:
            batch, alone = LineBatch.of([long, document]), LineBatch.of([document])
            opinions = 5 * rng.normal(size=(2, batch.n_lines, 5)).astype(np.float32)
            own = np.ascontiguousarray(opinions[:, 3000:])
            together = context_features(batch, Forest.of(batch), *opinions)
            np.testing.assert_array_equal(
                together[3000:], context_features(alone, Forest.of(alone), *own), err_msg=document.id
            )


def test_repeated_lines_are_noticed():
    once = features_of([Document(id="a", lines=("One headline", "Another headline", "Text"))])
    twice = features_of([Document(id="a", lines=("One headline", "ONE headline!", "Text"))])
    assert (once[0] != twice[0]).any()
    assert not np.array_equal(twice[0], twice[2])


def test_markup_tokens_name_what_stands_around_a_line():
    batch = LineBatch.of([Document.from_html(PAGE)])
    buckets, ends = next(markup_tokens(Forest.of(batch), batch))
    sets = [set(buckets[a:b].tolist()) for a, b in pairwise(ends)]
    assert sets[0] == sets[1]  # two entries of one menu
    assert sets[0] != sets[2]


def test_markup_tokens_are_the_same_in_company():
    page = Document.from_html(PAGE)
    alone, company = LineBatch.of([page]), LineBatch.of([page, Document.from_text("a"), page])
    kinds = zip(
        markup_tokens(Forest.of(alone), alone), markup_tokens(Forest.of(company), company), strict=True
    )
    for (own, own_ends), (all_, all_ends) in kinds:
        assert all_[all_ends[len(page.lines)] :].tolist() == own.tolist()
        assert np.diff(all_ends)[: len(page.lines)].tolist() == np.diff(own_ends).tolist()


def test_subtrees_are_ranges_of_elements_and_depth_counts_parents():
    forest = Forest.of(LineBatch.of([Document.from_html(PAGE), Document.from_html(PAGE)]))
    for element, parent in enumerate(forest.parent.tolist()):
        inside = {element}
        for other in range(element + 1, len(forest.parent)):
            if forest.parent[other] in inside:
                inside.add(other)
        assert inside == set(range(element, forest.subtree_end[element]))
        assert forest.depth[element] == (0 if parent == element else forest.depth[parent] + 1)


def test_text_has_no_forest():
    assert Forest.of(LineBatch.of([Document.from_text("a\nb")])) is None


def test_one_very_deep_page_is_read():
    document = Document.from_html("<div>" * 4_000 + "deep" + "<p>deeper")
    assert features_of([document]).shape == (2, N_CONTEXT)


@pytest.mark.parametrize("text", ["", "\n\n", "   \n"])
def test_documents_without_lines_have_no_features(text):
    assert LineBatch.of([Document.from_text(text)]).n_lines == 0
