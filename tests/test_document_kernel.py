"""The compiled cutting of text into lines gives what its definition in Python gives, on any text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate_ds import Document
from boilerplate_ds import document as definition

needs_kernel = pytest.mark.skipif(definition._KERNEL is None, reason="there is no compiled kernel")
texts = st.text() | st.text(alphabet="a \n\r\t\x0b\x1c\x85\u00a0\u2028\ufeff\0é\ud800\U0001f600")


@needs_kernel
@given(texts)
def test_any_text_is_cut_alike(text: str) -> None:
    assert definition._KERNEL.split_lines(text) == definition._split_lines(text)


@needs_kernel
@given(texts, st.randoms(use_true_random=False))
def test_any_lines_are_kept_alike(text: str, random) -> None:
    lines, separators = definition._split_lines(text)
    keep = [random.random() < 0.5 for _ in lines]
    joined = definition._KERNEL.join_kept(tuple(lines), tuple(separators), keep)
    assert joined == definition._join_kept(lines, separators, keep)


@needs_kernel
@given(texts)
def test_blank_lines_are_found_alike(text: str) -> None:
    separators = tuple(definition._split_lines(text)[1])
    assert definition._KERNEL.blank_before(separators) == definition._blank_before(separators)


@needs_kernel
@given(texts)
def test_indentation_is_found_alike(text: str) -> None:
    lines = definition._split_lines(text)[0]
    assert definition._KERNEL.is_indented(lines) == any(line != line.lstrip() for line in lines)


@needs_kernel
@given(texts)
def test_open_ends_are_counted_alike(text: str) -> None:
    for lines in (text.split("a"), definition._split_lines(text)[0], [np.str_(text)]):
        assert definition._KERNEL.n_open_ended(lines) == sum(line != line.rstrip() for line in lines)


def test_any_kind_of_str_is_read() -> None:
    assert Document.from_text(np.str_("one\ntwo")).lines == ("one", "two")
    assert Document.from_html(np.str_("<p>one<p>two")).lines == ("one", "two")


def test_as_many_choices_as_lines_are_asked_for() -> None:
    with pytest.raises(ValueError, match="2 lines"):
        Document.from_text("one\ntwo").select(np.array([False]))
