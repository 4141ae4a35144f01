"""Hashed tokens of each line: what the first stage reads of the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.compiled import kernel
from boilerplate_ds.features.layout import layout_codes
from boilerplate_ds.features.lines import mix, segment_hashes
from boilerplate_ds.features.term_codes import term_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from boilerplate_ds.features.lines import LineBatch

    Tokens = tuple[NDArray[np.int64], NDArray[np.int64]]

TEXT_BITS = 18
"""Buckets of the text model's weights, as a power of two. Bucket 0 stands for no token."""
_NO_LINE = 1023
_SHAPE, _STEM, _LAYOUT, _TERM = (np.uint64(salt) for salt in (977, 104729, 1299709, 15485863))
STEM = 4
"""Letters of a stem."""
_KERNEL = kernel("boilerplate_ds.features.line_kernel")


def text_tokens(batch: LineBatch) -> Iterator[Tokens]:
    """Hash words, word pairs, shapes, terms and the layout of plain text, one kind after another.

    Character n-grams beside these gained 0.003 in line accuracy for three times the cost, the words of the
    lines around 0.002, which the second stage sees anyway.

    Parameters
    ----------
    batch : LineBatch

    Yields
    ------
    buckets : ndarray of int64, shape (n_tokens,)
        Bucket of each token, grouped by line.
    ends : ndarray of int64, shape (n_lines + 1,)
        Tokens ``ends[i]`` to ``ends[i + 1]`` are those of line ``i``.
    """
    yield _bucket(batch.word_hash), batch.word_ends
    yield _pairs(batch), batch.word_ends
    yield _stems(batch), batch.word_ends
    yield code_tokens(_shape_codes(batch))
    yield code_tokens(term_codes(batch), salt=_TERM)
    rows = batch.layout.rows
    if len(rows):
        codes = layout_codes(batch)
        n_tokens = np.zeros(batch.n_lines + 1, dtype=np.int64)
        n_tokens[1 + rows] = codes.shape[1]
        yield code_tokens(codes, salt=_LAYOUT)[0], np.cumsum(n_tokens)


def _stems(batch: LineBatch) -> NDArray[np.int64]:
    """Bucket of the first letters of each longer word: what its forms, and compounds, have in common."""
    if _KERNEL is not None:
        stems: NDArray[np.int64] = _KERNEL.stems(
            batch.normal, batch.word_start, batch.word_length, STEM, _STEM, TEXT_BITS
        )
        return stems
    length = np.minimum(batch.word_length, STEM)
    hashes = segment_hashes(batch.normal, batch.word_start, length)
    buckets = _bucket(mix(hashes + _STEM))
    buckets[batch.word_length <= STEM] = 0
    return buckets


def _bucket(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    buckets: NDArray[np.int64] = (hashes >> np.uint64(64 - TEXT_BITS)).view(np.int64)
    return buckets


def _pairs(batch: LineBatch) -> NDArray[np.int64]:
    """Bucket of each word with the one before it."""
    words = batch.word_ends
    if _KERNEL is not None:
        buckets: NDArray[np.int64] = _KERNEL.pairs(batch.word_hash, words, TEXT_BITS)
        return buckets
    pairs = np.zeros(len(batch.word_hash), dtype=np.uint64)
    pairs[1:] = batch.word_hash[:-1] * np.uint64(3) + batch.word_hash[1:]
    buckets = _bucket(mix(pairs))
    buckets[words[:-1][np.diff(words) > 0]] = 0  # a line's first word ends no pair
    return buckets


def _shape_codes(batch: LineBatch) -> NDArray[np.int64]:
    """Give numbers to what lines look like and to the lengths around them; shape (n_lines, 9)."""
    shape = batch.shape
    if _KERNEL is not None:
        numbers: NDArray[np.int64] = _KERNEL.shape_codes(
            shape, batch.classes, batch.start, batch.length, batch.ends
        )
        return numbers
    length = np.minimum(2 * shape[:, 0], 15).astype(np.int64)
    words = np.minimum(2 * shape[:, 1], 15).astype(np.int64)
    capitals = np.minimum(4 * shape[:, 4], 3).astype(np.int64)
    digits = np.minimum(4 * shape[:, 6], 3).astype(np.int64)
    first = batch.classes[batch.start].astype(np.int64)
    last = batch.classes[batch.start + np.maximum(batch.length, 1) - 1].astype(np.int64)
    codes = [
        length * 16 + last,
        first * 16 + words,
        length * 16 + digits * 4 + capitals,
        last * 16 + first,
        length,
    ]
    line = np.arange(batch.n_lines)
    document_start, document_end = batch.ends[batch.document], batch.ends[batch.document + 1]
    for step in (-2, -1, 1, 2):
        is_there = (line + step >= document_start) & (line + step < document_end)
        codes.append(np.where(is_there, np.roll(length, -step) * 16 + length, _NO_LINE))
    return np.stack(codes, axis=1)


def code_tokens(codes: NDArray[np.int64], bits: int = TEXT_BITS, salt: np.uint64 = _SHAPE) -> Tokens:
    """Hash each column of codes below 1024, shape (n_lines, n_codes), to tokens of its own."""
    n, n_codes = codes.shape
    ends = np.arange(0, (n + 1) * n_codes, n_codes)
    if _KERNEL is not None:
        return _KERNEL.hashed_codes(codes, salt, bits), ends
    keys = (codes + (np.arange(n_codes) << 10)).astype(np.uint64)
    buckets = (mix(keys + salt) >> np.uint64(64 - bits)).view(np.int64)
    return buckets.ravel(), ends
