"""Kernels give what the Python definitions give, bit by bit."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate_ds import Document
from boilerplate_ds.features import Forest, LineBatch, context_features, lines, markup_tokens, text_tokens
from boilerplate_ds.features.context import N_OPINIONS
from boilerplate_ds.features.markup_tokens import _tokens_of_kinds
from boilerplate_ds.features.text_tokens import TEXT_BITS
from boilerplate_ds.model.linear import LinearModel
from boilerplate_ds.sources.html_tags import TAGS
from kernels import ATTRIBUTES, TEXTS, in_python, long_documents, pages, same

pytestmark = pytest.mark.skipif(lines._KERNEL is None, reason="the kernels are not compiled here")

DOCUMENTS = st.lists(TEXTS | pages(), max_size=4)
WEIGHTS = np.random.default_rng(0).normal(size=(2, 1 << TEXT_BITS, N_OPINIONS)).astype(np.float32)
TEXT, MARKUP = (LinearModel(weights, weights[0]) for weights in WEIGHTS)


def features_of(documents: list[Document]) -> dict[str, np.ndarray]:
    """Every array on the way to the features of ``documents``, by name."""
    batch = LineBatch.of(documents)
    arrays = {f"batch {name}": values for name, values in _arrays(batch)} | {"shape": batch.shape}
    text = TEXT(text_tokens(batch), batch.n_lines)
    arrays["text opinions"] = text
    arrays |= _numbered("text tokens", text_tokens(batch))
    forest = Forest.of(batch)
    markup = np.zeros_like(text)
    if forest is not None:
        arrays |= {f"forest {name}": values for name, values in _arrays(forest) if name != "kind"}
        arrays |= _numbered("markup tokens", markup_tokens(forest, batch))
        markup[forest.rows] = MARKUP(markup_tokens(forest, batch), len(forest.rows))
        arrays["markup opinions"] = markup
    arrays["features"] = context_features(batch, forest, text, markup)
    return arrays


def _arrays(record: Any) -> list[tuple[str, np.ndarray]]:
    values = [(field.name, getattr(record, field.name)) for field in fields(record)]
    return [(name, value) for name, value in values if isinstance(value, np.ndarray)]


def _numbered(name: str, kinds: Any) -> dict[str, np.ndarray]:
    return {f"{name} {i} {j}": part for i, kind in enumerate(kinds) for j, part in enumerate(kind)}


def assert_same_in_python(documents: list[Document]) -> None:
    if not any(document.lines for document in documents):
        return
    compiled = features_of(documents)
    with in_python():
        python = features_of(documents)
    assert compiled.keys() == python.keys()
    for name, values in compiled.items():
        try:
            same(values, python[name])
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


@given(DOCUMENTS)
def test_any_documents_have_the_same_features(documents):
    assert_same_in_python(documents)


def test_long_documents_have_the_same_features():
    assert_same_in_python(long_documents())


def test_documents_with_markup_among_others_have_the_same_features():
    page = Document.from_html(
        "<title>Ferry</title><nav class=menu><a>Home</a><a>Home</a></nav><p>The ferry." * 9
    )
    assert_same_in_python(
        [*long_documents()[:3], page, Document(id="e", lines=()), page, page.without_markup()]
    )


def test_starter_pages_have_the_same_features(starter):
    assert_same_in_python([item.document for item in starter])


@given(
    st.lists(st.tuples(st.integers(0, len(TAGS) - 1), ATTRIBUTES.map(lambda text: text * 40) | ATTRIBUTES))
)
def test_attributes_have_the_same_tokens(kinds):
    compiled = _tokens_of_kinds(kinds)
    with in_python():
        python = _tokens_of_kinds(kinds)
    for own, defined in zip(compiled, python, strict=True):
        same(own, defined)


def test_strings_of_other_types_are_read_and_other_values_refused():
    class Text(str):
        __slots__ = ()

    batch = LineBatch.of([Document(id="", lines=(Text("Ferry"), np.str_("Ferry")))])
    assert batch.line_hash[0] == batch.line_hash[1]
    with pytest.raises(TypeError):
        LineBatch.of([Document(id="", lines=(b"Ferry",))])


def test_a_tree_that_breaks_its_promises_is_refused_and_nothing_beyond_it_is_read():
    page = Document.from_html("<p>One</p><p>Two</p>")
    for broken in (
        replace(page.markup, parent=page.markup.parent[::-1].copy()),
        replace(page.markup, element=page.markup.element + 1_000),
        replace(page.markup, attribute=page.markup.attribute - 1_000),
        replace(page.markup, tag=page.markup.tag + 1_000),
    ):
        batch = LineBatch.of([replace(page, markup=broken)])
        with pytest.raises((ValueError, IndexError)):
            for _ in markup_tokens(Forest.of(batch), batch):
                pass
