"""Features of each line in its document: what the second stage reads.

Shape, position, repetition, what the page is about, the first stage's opinions around the line, and, where
there is markup, the element tree. Sums run over windows, over the document from both ends, over ancestors
and over lines of the same signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.features.lines import mix
from boilerplate_ds.features.tree import N_TREE, tree_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boilerplate_ds.features.lines import LineBatch
    from boilerplate_ds.features.tree import Forest

    Block = NDArray[np.floating[Any]]

WINDOWS = (2, 6, 20)
"""Half widths, in lines, of the windows that opinions are averaged over."""


def probabilities(opinions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn the answers to stage one's questions into probabilities.

    Returns
    -------
    ndarray of float32, shape (n_lines, 5)
        Of main content; then of the four labels, which sum to one.
    """
    first = 1 / (1 + np.exp(-np.clip(opinions[:, :2], -15, 15)))
    kinds = np.exp(np.clip(opinions[:, 2:], -15, 15))
    rest = (1 - first[:, 1:]) * kinds / kinds.sum(axis=1, keepdims=True)
    return np.concatenate((first, rest), axis=1)


def context_features(
    batch: LineBatch,
    forest: Forest | None,
    text_opinions: NDArray[np.float32],
    markup_opinions: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Everything the second stage reads of each line.

    Parameters
    ----------
    batch : LineBatch
    forest : Forest or None
        The batch's element trees.
    text_opinions, markup_opinions : ndarray of float32, shape (n_lines, 5)
        Of the two linear models; rows of the second are zero where a document has no markup.

    Returns
    -------
    ndarray of float32, shape (n_lines, N_CONTEXT) or (n_lines, N_TEXT)
        The last ``N_CONTEXT - N_TEXT`` columns come from markup: left out where ``forest`` is None, zero
        for lines without it.
    """
    by_document = _Segments(batch.ends)
    shape = batch.shape
    chars = batch.length.astype(np.float64)
    opinions = probabilities(text_opinions + markup_opinions)
    repetition, repeated = _repetition(batch, by_document, chars)
    parts: list[Block] = [
        shape,
        np.clip(text_opinions, -6, 6) / 2,
        opinions,
        _position(by_document, chars),
        repetition,
        _aboutness(batch, by_document, opinions[:, 0], chars),
        _around(by_document, opinions, chars, shape),
    ]
    text = np.concatenate(parts, axis=1, dtype=np.float32)
    if forest is None:
        return text
    features = np.zeros((batch.n_lines, N_CONTEXT), dtype=np.float32)
    features[:, :N_TEXT] = text
    features[:, N_TEXT : N_TEXT + N_OPINIONS] = np.clip(markup_opinions, -6, 6) / 2
    rows = forest.rows
    features[rows, N_TEXT + N_OPINIONS :] = tree_features(forest, opinions[rows], chars[rows], repeated[rows])
    return features


class _Segments:
    """Running sums that stop at the ends of documents."""

    def __init__(self, ends: NDArray[np.int64]) -> None:
        self.ends = ends
        sizes = np.diff(ends)
        self.document = np.repeat(np.arange(len(sizes)), sizes)
        self.first = np.repeat(ends[:-1], sizes)
        self.last = np.repeat(ends[1:], sizes)
        self.line = np.arange(len(self.first))

    def running(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum all rows before each, from the start of the batch; one row longer than ``values``."""
        sums = np.zeros((len(values) + 1, *values.shape[1:]))
        np.cumsum(values, axis=0, out=sums[1:])
        return sums

    def total(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each line's document's sum."""
        sums = self.running(values)
        return sums[self.last] - sums[self.first]

    def window(self, sums: NDArray[np.float64], before: int, after: int) -> NDArray[np.float64]:
        """Sum a window around each line, cut at the document's ends; ``sums`` are from :meth:`running`."""
        end = sums[np.minimum(self.line + after + 1, self.last)]
        around: NDArray[np.float64] = end - sums[np.maximum(self.line - before, self.first)]
        return around


def _position(by: _Segments, chars: NDArray[np.float64]) -> NDArray[np.float32]:
    size = (by.last - by.first).astype(np.float64)
    before = by.running(chars)
    total = by.total(chars)
    done = before[:-1] - before[by.first]
    index = by.line - by.first
    columns = (
        index / size,
        done / np.maximum(total, 1),
        np.log1p(index) / 4,
        np.log1p(size - 1 - index) / 4,
        np.log1p(size) / 4,
        np.log1p(total) / 8,
        np.log1p(total / size) / 4,
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _repetition(
    batch: LineBatch, by: _Segments, chars: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """How often a line's words stand in its document as a line, whether before and how near.

    A page may hold its text twice; so also the share of the characters around that stood before, or come
    again.

    Returns
    -------
    columns : ndarray of float32, shape (n_lines, 10)
    before : ndarray of float64, shape (n_lines,)
        1 where the line's words stood in the document before.
    """
    n = batch.n_lines
    key = mix(batch.line_hash + batch.document.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    order = np.argsort(key, kind="stable")
    same = np.zeros(n, dtype=bool)
    same[1:] = key[order][1:] == key[order][:-1]
    group = np.cumsum(~same) - 1
    count = np.bincount(group)[group] if n else np.zeros(0)
    gap_back = np.full(n, np.inf)
    gap_back[order[1:]] = np.where(same[1:], order[1:] - order[:-1], np.inf)
    gap_next = np.full(n, np.inf)
    gap_next[order[:-1]] = np.where(same[1:], order[1:] - order[:-1], np.inf)
    repeats = np.zeros(n)
    repeats[order] = count
    before, again = np.isfinite(gap_back).astype(np.float64), np.isfinite(gap_next).astype(np.float64)
    weight = np.minimum(chars, 400.0)
    sums = by.running(np.column_stack((np.ones(n), repeats > 1, weight, weight * before, weight * again)))
    near = by.window(sums, 4, 4)
    wide = by.window(sums, 12, 12)
    whole = sums[by.last] - sums[by.first]
    columns = (
        np.log(np.maximum(np.minimum(repeats, 50), 1)),
        before,
        again,
        1 / gap_back,
        1 / gap_next,
        near[:, 1] / near[:, 0],
        wide[:, 3] / wide[:, 2],
        wide[:, 4] / wide[:, 2],
        whole[:, 3] / whole[:, 2],
        before * np.minimum(chars, 200) / 100,
    )
    return np.stack(columns, axis=1).astype(np.float32), before


def _aboutness(
    batch: LineBatch, by: _Segments, content: NDArray[np.float32], chars: NDArray[np.float64]
) -> NDArray[np.float32]:
    """How far a line's words are those of the page's likely content elsewhere, and of its title."""
    n = batch.n_lines
    line = batch.word_line
    rare = np.log1p(np.minimum(batch.word_length, 60))  # long words tell more
    slot, n_slots = _word_slots(batch)
    mass = (content * np.minimum(chars, 400) / 100)[line]
    table = np.bincount(slot, mass, minlength=n_slots)
    seen = np.bincount(slot, minlength=n_slots)
    weight = np.maximum(np.bincount(line, rare, minlength=n), 1e-6)
    elsewhere = np.bincount(line, rare * np.log1p(np.maximum(table[slot] - mass, 0)), minlength=n) / weight
    often = np.bincount(line, rare * np.log1p(seen[slot] - 1), minlength=n) / weight
    in_title = np.bincount(line, rare * _in_titles(batch), minlength=n) / weight
    page = by.total(elsewhere * chars) / np.maximum(by.total(chars), 1)
    columns = (elsewhere, elsewhere - page, often, in_title, in_title > 0.8)
    return np.stack(columns, axis=1).astype(np.float32)


def _word_slots(batch: LineBatch) -> tuple[NDArray[np.int64], int]:
    """Give each word a slot in its document's own hash table, four times as large as the document has words.

    A table of its own, so that a document is read the same in any company.
    """
    document = batch.document[batch.word_line]
    n_words = np.bincount(document, minlength=len(batch.documents))
    bits = np.ceil(np.log2(np.maximum(n_words, 16))).astype(np.int64) + 2
    offset = np.concatenate(([0], np.cumsum(1 << bits)))
    inside = batch.word_hash >> (64 - bits).astype(np.uint64)[document]
    return offset[document] + inside.view(np.int64), int(offset[-1])


def _in_titles(batch: LineBatch) -> NDArray[np.float64]:
    """Whether each word stands in its page's title; zeros where there is none."""
    from boilerplate_ds.document import Document

    titles = [
        document.markup.title[:500] if document.markup is not None else "" for document in batch.documents
    ]
    if not any(titles):
        return np.zeros(len(batch.word_line))
    words = type(batch).of([Document(id="", lines=(title,)) for title in titles])
    spread = np.uint64(0x9E3779B97F4A7C15)
    known = words.word_hash + words.document[words.word_line].astype(np.uint64) * spread
    asked = batch.word_hash + batch.document[batch.word_line].astype(np.uint64) * spread
    return np.isin(asked, known).astype(np.float64)


def _around(
    by: _Segments, opinions: NDArray[np.float32], chars: NDArray[np.float64], shape: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Opinions of the lines before and after, in windows and as running sums from both ends."""
    weight: NDArray[np.float64] = np.minimum(chars, 600.0)
    content: NDArray[np.float64] = opinions[:, 0] * weight
    sums = by.running(np.column_stack((weight, opinions * weight[:, None], content * (shape[:, 28] > 0))))
    columns = []
    for width in WINDOWS:
        for before, after in ((width, -1), (-1, width)):
            part = by.window(sums, before, after)
            columns.append(part[:, 1 : 1 + N_OPINIONS] / np.maximum(part[:, :1], 1))
            columns.append(np.log1p(part[:, :1]) / 8)
    first, last = sums[by.first], sums[by.last]
    done = sums[:-1] - first
    whole = last - first
    total = np.maximum(whole[:, 1], 1e-6)
    prose = np.maximum(whole[:, -1], 1e-6)
    columns.append(
        np.column_stack(
            (
                done[:, 1] / total,
                np.log1p(done[:, 1]) / 8,
                np.log1p(np.maximum(total - done[:, 1] - content, 0)) / 8,
                done[:, -1] / prose,
                np.log1p(prose) / 8,
                whole[:, 1 : 1 + N_OPINIONS] / np.maximum(whole[:, :1], 1),
                opinions[:, 0] - columns[0][:, 0],
                opinions[:, 0] - columns[2][:, 0],
            )
        )
    )
    around: NDArray[np.float32] = np.concatenate(columns, axis=1).astype(np.float32)
    return around


N_OPINIONS = 5
N_TEXT = 29 + 2 * N_OPINIONS + 7 + 10 + 5 + 2 * len(WINDOWS) * (N_OPINIONS + 1) + 7 + N_OPINIONS
N_CONTEXT = N_TEXT + N_OPINIONS + N_TREE
"""Features of a line: ``N_TEXT`` from text, the rest from markup."""
