"""How plain text is laid out: blank lines, what stands between them, and indentation.

What the element tree is to a page, blank lines are to its text, where it has any: they set blocks apart. The
layout of a document with markup is its tree, so it has none here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.compiled import kernel
from boilerplate_ds.document import is_indented, n_open_ended
from boilerplate_ds.features.columns import block_of, log, with_logarithms
from boilerplate_ds.features.lines import SPACE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boilerplate_ds.document import Document
    from boilerplate_ds.features.lines import LineBatch

N_OPINIONS = 5
N_LAYOUT = 12 + N_OPINIONS
MOST_INDENT = 16
NEAR = (6, 20)
"""Half widths, in lines, of the windows in which lines that stand alone are counted."""
LEAST_BLOCKS, LEAST_SHARE = 3, 1 / 20
"""Blocks, and their share of the lines, below which blank lines are chance: a title set apart, say."""
MOST_OPEN = 1 / 4
"""Share of the lines that end in white space above which it was put there by whatever wrote all lines."""
_LINES = np.array([2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256], dtype=np.int64)
_CHARACTERS = np.array(
    [10, 20, 40, 70, 120, 200, 350, 600, 1000, 1700, 3000, 5000, 9000, 16000, 30000], dtype=np.int64
)
"""Steps at which blocks count as larger."""
_LINE_KERNEL = kernel("boilerplate_ds.features.line_kernel")
_CONTEXT_KERNEL = kernel("boilerplate_ds.features.context_kernel")


def as_laid_out(document: Document) -> Document:
    """Give a document as it is to be read: without its layout where that says nothing."""
    if document.markup is not None:
        return document
    document = trimmed(document)
    n_blocks = 1
    if document.separators:
        n_blocks += int(np.count_nonzero(document.blank_before[1:]))
        if n_blocks >= max(LEAST_BLOCKS, LEAST_SHARE * len(document.lines)):
            return document
    return flat(document) if n_blocks > 1 or is_indented(document.lines) else document


def trimmed(document: Document) -> Document:
    """Give a text without white space at the ends of its lines, where so many have some that it says nothing.

    Where few do, it is what an extractor left of an inline element.
    """
    if document.markup is not None:
        return document
    if n_open_ended(document.lines) <= MOST_OPEN * len(document.lines):
        return document
    return replace(document, lines=tuple(line.rstrip() for line in document.lines))


def flat(document: Document) -> Document:
    """Give the lines as they are where a text has lost its layout: blank lines and indentation."""
    return replace(document, lines=tuple(line.lstrip() for line in document.lines), separators=())


@dataclass(frozen=True)
class Layout:
    """Blocks of a batch's lines, and their indentation.

    Parameters
    ----------
    rows : ndarray of int64, shape (n_rows,)
        Lines of plain text that has blank lines between its own.
    first, last : ndarray of int64, shape (n_rows,)
        Of each of them, the first line of its block, and the line after the last.
    indent : ndarray of int64, shape (n_lines,)
        Spaces that a line of plain text begins with, 16 at most.
    """

    rows: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    indent: NDArray[np.int64]

    @classmethod
    def of(cls, batch: LineBatch) -> Layout:
        """Find blocks and indentation; time is linear in the lines."""
        plain = np.fromiter((d.markup is None for d in batch.documents), bool, len(batch.documents))
        if not plain.any():
            none = np.zeros(0, dtype=np.int64)
            return cls(none, none, none, np.zeros(batch.n_lines, dtype=np.int64))
        begins, spaced = _blocks(batch, plain)
        if _LINE_KERNEL is not None:
            looks = batch.classes, batch.start, batch.length, batch.ends
            return cls(*_LINE_KERNEL.layout(*looks, plain, begins, spaced, MOST_INDENT))
        rows = np.flatnonzero(spaced[batch.document])
        bounds = np.append(np.flatnonzero(begins), batch.n_lines)
        block = np.cumsum(begins)[rows]
        indent = np.where(plain[batch.document], np.minimum(_leading_spaces(batch), MOST_INDENT), 0)
        return cls(rows, bounds[block - 1], bounds[block], indent)


def _blocks(batch: LineBatch, plain: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which lines begin a block, and which documents have blank lines between theirs."""
    begins = np.zeros(batch.n_lines, dtype=bool)
    spaced = np.zeros(len(batch.documents), dtype=bool)
    first = batch.ends.tolist()
    for number, document in enumerate(batch.documents):
        if plain[number] and document.separators and document.lines:
            blank = document.blank_before
            begins[first[number] : first[number + 1]] = blank
            spaced[number] = blank[1:].any()
    begins[batch.ends[:-1][np.diff(batch.ends) > 0]] = True
    return begins, spaced


def _leading_spaces(batch: LineBatch) -> NDArray[np.int64]:
    marks = np.flatnonzero(batch.classes != SPACE)
    first = np.append(marks, len(batch.classes))[np.searchsorted(marks, batch.start)]
    spaces: NDArray[np.int64] = np.minimum(first - batch.start, batch.length)
    return spaces


def layout_codes(batch: LineBatch) -> NDArray[np.int64]:
    """Give numbers below 1024 to what a line's block is and where it stands there; shape (n_rows, 5)."""
    layout = batch.layout
    rows, first, last = layout.rows, layout.first, layout.last
    if _LINE_KERNEL is not None:
        looks = batch.shape, batch.classes, batch.start, batch.length
        codes: NDArray[np.int64]
        codes = _LINE_KERNEL.layout_codes(rows, first, last, layout.indent, *looks, _LINES, _CHARACTERS)
        return codes
    start, length = batch.start[rows], batch.length[rows]
    indent = np.minimum(layout.indent[rows], 15)
    edges = 2 * (first == rows) + (last == rows + 1)
    size = np.minimum(2 * batch.shape[rows, 0], 15).astype(np.int64)
    ends_in = batch.classes[start + np.maximum(length, 1) - 1].astype(np.int64)
    begins_in = batch.classes[start + np.minimum(indent, np.maximum(length - 1, 0))].astype(np.int64)
    running = np.concatenate(([0], np.cumsum(batch.length)))
    n_lines = np.searchsorted(_LINES, last - first, side="right")
    n_characters = np.searchsorted(_CHARACTERS, running[last] - running[first], side="right")
    columns = (
        edges * 256 + size * 16 + ends_in,
        n_lines * 16 + np.minimum(rows - first, 3) * 4 + np.minimum(last - 1 - rows, 3),
        n_lines * 16 + n_characters,
        indent * 16 + begins_in,
        edges * 256 + size * 16 + n_characters,
    )
    return np.stack(columns, axis=1)


def layout_features(
    batch: LineBatch, opinions: NDArray[np.float32], chars: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Indentation of each line, and what its block is.

    Parameters
    ----------
    batch : LineBatch
    opinions : ndarray of float32, shape (n_lines, 5)
        Probabilities, by the first stage.
    chars : ndarray of float64, shape (n_lines,)

    Returns
    -------
    ndarray of float32, shape (n_lines, N_LAYOUT)
        All but indentation are zero where a document has no blank lines, all where it has markup.
    """
    layout = batch.layout
    features = np.zeros((batch.n_lines, N_LAYOUT), dtype=np.float32)
    features[:, 0] = layout.indent / 8
    if len(layout.rows):
        features[layout.rows, 1:] = _of_blocks(batch, opinions, chars)
    return features


def _of_blocks(
    batch: LineBatch, opinions: NDArray[np.float32], chars: NDArray[np.float64]
) -> NDArray[np.float32]:
    layout = batch.layout
    rows, first, last = layout.rows, layout.first, layout.last
    if _CONTEXT_KERNEL is not None:
        unfinished = _CONTEXT_KERNEL.blocks(
            rows, first, last, batch.ends, batch.document, opinions, chars, NEAR
        )
        return with_logarithms(unfinished, (3, 4, 5, 6), (1 / 2, 1 / 8, 1 / 2, 1 / 2))
    document = batch.document[rows]
    starts, ends = batch.ends[document], batch.ends[document + 1]
    weight = np.minimum(chars, 600.0)
    sums = np.zeros((batch.n_lines + 1, 2 + N_OPINIONS))
    np.cumsum(np.column_stack((weight, opinions * weight[:, None], chars)), axis=0, out=sums[1:])
    of_block = sums[last] - sums[first]
    means = of_block[:, 1 : 1 + N_OPINIONS] * (1 / np.maximum(of_block[:, :1], 1))
    is_alone = np.zeros(batch.n_lines + 1, dtype=np.int64)
    is_alone[1 + rows] = last - first == 1
    alone = np.cumsum(is_alone)
    shares = []
    for width in NEAR:
        low, high = np.maximum(rows - width, starts), np.minimum(rows + width + 1, ends)
        shares.append((alone[high] - alone[low]) / (high - low))
    # rows of the block before and after, where there is one in the document
    back = np.searchsorted(rows, np.maximum(first - 1, starts))
    ahead = np.searchsorted(rows, np.minimum(last, ends - 1))
    columns = (
        np.ones(len(rows)),
        first == rows,
        last == rows + 1,
        log(last - first) / 2,
        log(1 + of_block[:, -1]) / 8,
        log(1 + rows - first) / 2,
        log(last - rows) / 2,
        *shares,
        np.where(first > starts, means[back, 0], 0),
        np.where(last < ends, means[ahead, 0], 0),
        *means.T,
    )
    return block_of(columns)
