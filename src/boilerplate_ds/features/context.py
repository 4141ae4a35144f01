"""Features of each line in its document: what the second stage reads.

The layout of plain text, shape, position, repetition, what the page is about, the first stage's opinions
around the line, and, where there is markup, the element tree. Sums run over windows, over the document from
both ends, over blocks and ancestors and over lines of the same signature.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.compiled import kernel
from boilerplate_ds.features.columns import block_of, clipped, exact, log, side_by_side, with_logarithms
from boilerplate_ds.features.layout import N_LAYOUT, N_OPINIONS, layout_features
from boilerplate_ds.features.lines import SPREAD, hash_words, mix
from boilerplate_ds.features.tree import N_TREE, tree_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boilerplate_ds.features.lines import LineBatch
    from boilerplate_ds.features.tree import Forest

WINDOWS = (2, 6, 20)
"""Half widths, in lines, of the windows that opinions are averaged over."""
_ROUNDING = np.float32(12)
"""Next to this number, single precision has nothing finer than 2**-20."""
_KERNEL = kernel("boilerplate_ds.features.context_kernel")


def probabilities(opinions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn the answers to stage one's questions into probabilities, in multiples of 2**-20.

    Their sums over whole numbers of characters are exact then, and do not depend on what else is summed.

    Returns
    -------
    ndarray of float32, shape (n_lines, 5)
        Of main content; then of the four labels, which sum to one.
    """
    odds: NDArray[np.float32] = np.exp(clipped(opinions, 15))
    if _KERNEL is not None:
        shares: NDArray[np.float32] = _KERNEL.probabilities(odds)
        return shares
    odds[:, :2] /= 1 + odds[:, :2]
    odds[:, 2:] *= ((1 - odds[:, 1]) / (odds[:, 2] + odds[:, 3] + odds[:, 4]))[:, None]
    odds += _ROUNDING
    odds -= _ROUNDING
    return odds


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
        The first ``N_LAYOUT`` columns come from the layout of plain text: zero for lines with markup. The
        last ``N_CONTEXT - N_TEXT`` come from markup: left out where ``forest`` is None, zero for lines
        without it.
    """
    by_document = _Segments(batch)
    shape = batch.shape
    chars = batch.length.astype(np.float64)
    opinions = probabilities(text_opinions + markup_opinions)
    repetition, repeated = _repetition(batch, by_document, chars)
    parts: list[NDArray[np.float32]] = [
        layout_features(batch, opinions, chars),
        shape,
        _halved(text_opinions),
        opinions,
        _position(by_document, chars),
        repetition,
        _aboutness(batch, by_document, opinions[:, 0], chars),
        _around(by_document, opinions, chars, shape),
    ]
    if forest is not None:
        parts += [
            _halved(markup_opinions),
            _in_trees(batch, forest, opinions, chars, repeated),
        ]
    return side_by_side(parts)


def _halved(opinions: NDArray[np.float32]) -> NDArray[np.float32]:
    halved = clipped(opinions, 6)
    halved /= 2
    return halved


def _in_trees(
    batch: LineBatch,
    forest: Forest,
    opinions: NDArray[np.float32],
    chars: NDArray[np.float64],
    repeated: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Features of each line's place in its tree; zeros for a line that has no markup."""
    rows = forest.rows
    if len(rows) == batch.n_lines:
        return tree_features(forest, opinions, chars, repeated)
    features = np.zeros((batch.n_lines, N_TREE), dtype=np.float32)
    features[rows] = tree_features(forest, opinions[rows], chars[rows], repeated[rows])
    return features


class _Segments:
    """Running sums that stop at the ends of documents."""

    def __init__(self, batch: LineBatch) -> None:
        self.ends = batch.ends
        self.document = batch.document

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """The first line of each line's document."""
        return self.ends[self.document]

    @cached_property
    def last(self) -> NDArray[np.int64]:
        """The line after the last of each line's document."""
        return self.ends[self.document + 1]

    @cached_property
    def line(self) -> NDArray[np.int64]:
        """Each line."""
        return np.arange(len(self.document))

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
    if _KERNEL is not None:
        return with_logarithms(
            _KERNEL.position(chars, by.ends), (2, 3, 4, 5, 6), (1 / 4, 1 / 4, 1 / 4, 1 / 8, 1 / 4)
        )
    size = (by.last - by.first).astype(np.float64)
    before = by.running(chars)
    total = by.total(chars)
    done = before[:-1] - before[by.first]
    index = by.line - by.first
    columns = (
        index / size,
        done / np.maximum(total, 1),
        log(1 + index) / 4,
        log(size - index) / 4,
        log(1 + size) / 4,
        log(1 + total) / 8,
        log(1 + total / size) / 4,
    )
    return block_of(columns)


@cache
def _log_of_repeats() -> NDArray[np.float32]:
    """Of how often a line stands there; more often than 50 says nothing new."""
    return log(np.maximum(np.arange(51), 1))


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
    if _KERNEL is not None:
        key = _KERNEL.line_keys(batch.line_hash, batch.document)
        order = np.argsort(key, kind="stable")
        read: tuple[NDArray[np.float32], NDArray[np.float64]]
        read = _KERNEL.repetition(key, order, by.ends, chars, _log_of_repeats())
        return read
    key = mix(batch.line_hash + batch.document.astype(np.uint64) * SPREAD)
    order = np.argsort(key, kind="stable")
    same = np.zeros(n, dtype=bool)
    same[1:] = key[order][1:] == key[order][:-1]
    group = np.cumsum(~same) - 1
    count = np.bincount(group)[group]
    gap_back = np.full(n, np.inf)
    gap_back[order[1:]] = np.where(same[1:], order[1:] - order[:-1], np.inf)
    gap_next = np.full(n, np.inf)
    gap_next[order[:-1]] = np.where(same[1:], order[1:] - order[:-1], np.inf)
    repeats = np.zeros(n, dtype=np.int64)
    repeats[order] = count
    before, again = np.isfinite(gap_back).astype(np.float64), np.isfinite(gap_next).astype(np.float64)
    weight = np.minimum(chars, 400.0)
    sums = by.running(np.column_stack((np.ones(n), repeats > 1, weight, weight * before, weight * again)))
    near = by.window(sums, 4, 4)
    wide = by.window(sums, 12, 12)
    whole = sums[by.last] - sums[by.first]
    columns = (
        _log_of_repeats()[np.minimum(repeats, 50)],
        before,
        again,
        1 / gap_back,
        1 / gap_next,
        near[:, 1] / near[:, 0],
        wide[:, 3] / np.maximum(wide[:, 2], 1),
        wide[:, 4] / np.maximum(wide[:, 2], 1),
        whole[:, 3] / np.maximum(whole[:, 2], 1),
        before * np.minimum(chars, 200) / 100,
    )
    return block_of(columns), before


@cache
def _rare_of_length() -> NDArray[np.float64]:
    """How much a word of each length counts: long ones tell more."""
    rare: NDArray[np.float64] = np.log1p(np.arange(61.0))
    return rare


def _aboutness(
    batch: LineBatch, by: _Segments, content: NDArray[np.float32], chars: NDArray[np.float64]
) -> NDArray[np.float32]:
    """How far a line's words are those of the page's likely content elsewhere, and of its title."""
    mass = content * np.minimum(chars, 400) / 100
    if _KERNEL is not None:
        logs = _KERNEL.word_mass(batch.word_hash, batch.word_ends, by.ends, mass)
        block: NDArray[np.float32] = _KERNEL.aboutness(
            batch.word_length,
            batch.word_ends,
            by.ends,
            np.log(logs, out=logs),
            _in_titles(batch),
            _rare_of_length(),
            chars,
        )
        return block
    n = batch.n_lines
    line = batch.word_line
    rare = _rare_of_length()[np.minimum(batch.word_length, 60)]
    slot, n_slots = _word_slots(batch)
    mass = mass[line]
    table = np.bincount(slot, mass, minlength=n_slots)
    seen = np.bincount(slot, minlength=n_slots)
    weight = np.maximum(np.bincount(line, rare, minlength=n), 1e-6)
    elsewhere = np.bincount(line, rare * log(1 + np.maximum(table[slot] - mass, 0)), minlength=n) / weight
    often = np.bincount(line, rare * log(seen[slot]), minlength=n) / weight
    in_title = np.bincount(line, rare * _in_titles(batch), minlength=n) / weight
    page = by.total(exact(elsewhere * chars)) / np.maximum(by.total(chars), 1)
    return block_of((elsewhere, elsewhere - page, often, in_title, in_title > 0.8))


def _word_slots(batch: LineBatch) -> tuple[NDArray[np.int64], int]:
    """Give each word a slot in its document's own hash table, four times as large as the document has words.

    A table of its own, so that a document is read the same in any company.
    """
    document = batch.document[batch.word_line]
    n_words = np.diff(batch.word_ends[batch.ends])
    bits = np.ceil(np.log2(np.maximum(n_words, 16))).astype(np.int64) + 2
    offset = np.concatenate(([0], np.cumsum(1 << bits)))
    inside = batch.word_hash >> (64 - bits).astype(np.uint64)[document]
    return offset[document] + inside.view(np.int64), int(offset[-1])


def _in_titles(batch: LineBatch) -> NDArray[np.float64]:
    """Whether each word stands in its page's title; zeros where there is none."""
    titles = [
        document.markup.title[:500] if document.markup is not None else "" for document in batch.documents
    ]
    if not any(titles):
        return np.zeros(len(batch.word_line))
    hashes, ends = hash_words(titles)
    if _KERNEL is not None:
        found: NDArray[np.float64] = _KERNEL.in_titles(
            batch.word_hash, batch.word_ends, batch.ends, hashes, ends
        )
        return found
    known = hashes + np.repeat(np.arange(len(titles)), np.diff(ends)).astype(np.uint64) * SPREAD
    asked = batch.word_hash + batch.document[batch.word_line].astype(np.uint64) * SPREAD
    return np.isin(asked, known).astype(np.float64)


def _around(
    by: _Segments, opinions: NDArray[np.float32], chars: NDArray[np.float64], shape: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Opinions of the lines before and after, in windows and as running sums from both ends."""
    if _KERNEL is not None:
        at = 2 * len(WINDOWS) * (N_OPINIONS + 1)
        in_columns = (*range(N_OPINIONS, at, N_OPINIONS + 1), at + 1, at + 2, at + 4)
        return with_logarithms(
            _KERNEL.around(by.ends, opinions, chars, shape, WINDOWS), in_columns, (1 / 8,) * len(in_columns)
        )
    weight: NDArray[np.float64] = np.minimum(chars, 600.0)
    content: NDArray[np.float64] = opinions[:, 0] * weight
    sums = by.running(np.column_stack((weight, opinions * weight[:, None], content * (shape[:, 28] > 0))))
    columns = []
    for width in WINDOWS:
        for before, after in ((width, -1), (-1, width)):
            part = by.window(sums, before, after)
            columns += list(part.T[1 : 1 + N_OPINIONS] * (1 / np.maximum(part[:, 0], 1)))
            columns.append(log(1 + part[:, 0]) / 8)
    first, last = sums[by.first], sums[by.last]
    done = sums[:-1] - first
    whole = last - first
    total = np.maximum(whole[:, 1], 1e-6)
    prose = np.maximum(whole[:, -1], 1e-6)
    columns += [
        done[:, 1] / total,
        log(1 + done[:, 1]) / 8,
        log(1 + np.maximum(total - done[:, 1] - content, 0)) / 8,
        done[:, -1] / prose,
        log(1 + prose) / 8,
        *(whole.T[1 : 1 + N_OPINIONS] * (1 / np.maximum(whole[:, 0], 1))),
        opinions[:, 0] - columns[0],
        opinions[:, 0] - columns[N_OPINIONS + 1],
    ]
    return block_of(columns)


N_TEXT = N_LAYOUT + 29 + 2 * N_OPINIONS + 7 + 10 + 5 + 2 * len(WINDOWS) * (N_OPINIONS + 1) + 7 + N_OPINIONS
N_CONTEXT = N_TEXT + N_OPINIONS + N_TREE
"""Features of a line: ``N_TEXT`` from text, ``N_LAYOUT`` of them from its layout; the rest from markup."""
READ_OF = {"markup": slice(N_LAYOUT, N_CONTEXT), "text": slice(0, N_TEXT)}
"""Columns that say something of a line with markup, and of one without."""
