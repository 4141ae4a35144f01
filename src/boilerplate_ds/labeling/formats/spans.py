"""Labels of lines as character spans of the text, and back.

Offsets count Unicode code points of :attr:`Document.text`, from 0; the end is not part of the span.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.document import LABEL_NAMES, Label
from boilerplate_ds.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boilerplate_ds.document import Document, Labels


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled piece of a text.

    Parameters
    ----------
    start, end : int
        Code points.
    label : int
        Class id.
    """

    start: int
    end: int
    label: int

    @classmethod
    def parse(cls, start: object, end: object, label: object) -> Span:
        """Read a span from untrusted values.

        Raises
        ------
        LabelError
            If an offset is no whole number, the span is empty or the label unknown.
        """
        first, last = _offset(start), _offset(end)
        if not 0 <= first < last:
            raise LabelError(f"a span runs from {first} to {last}")
        if not isinstance(label, str):
            raise LabelError(f"the span {first}-{last} has no label")
        return cls(first, last, Label.parse(label[:40]).id)


def _offset(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise LabelError(f"a span has the offset {str(value)[:40]!r}, which is not a whole number")
    return value


def line_starts(document: Document) -> list[int]:
    """Give the offset of each line in the document's text."""
    gaps = document.separators or ("", *["\n"] * (len(document.lines) - 1), "")
    lengths = chain.from_iterable(
        (len(gap), len(line)) for gap, line in zip(gaps, document.lines, strict=False)
    )
    return list(accumulate(lengths))[::2]


def line_spans(document: Document, labels: Labels) -> list[Span]:
    """Give one span a line, so that each can be corrected by itself."""
    starts = line_starts(document)
    return [
        Span(start, start + len(line), int(label))
        for start, line, label in zip(starts, document.lines, labels, strict=True)
    ]


def spans_of_lines(document: Document, spans: Sequence[Span]) -> list[int]:
    """Find the span that labels each line.

    A line has the label of the span that covers more than half of it, spaces at its ends aside. People
    who drag over a text miss a character here and there; two labels on one line, or less than half, is
    a mistake that only they can settle.

    Parameters
    ----------
    document : Document
    spans : sequence of Span

    Returns
    -------
    list of int, length n_lines
        Index into ``spans``.

    Raises
    ------
    LabelError
        If spans overlap or leave the text, or a line has no label or two.
    """
    order = sorted(range(len(spans)), key=lambda i: (spans[i].start, spans[i].end))
    _check_order([spans[i] for i in order], len(document.text))
    extents = _extents(document)
    starts = [first for first, _ in extents]
    covered = [0] * len(extents)
    owner = [-1] * len(extents)
    for i in order:
        span = spans[i]
        line = max(bisect_right(starts, span.start) - 1, 0)
        while line < len(extents) and starts[line] < span.end:
            size = min(span.end, extents[line][1]) - max(span.start, starts[line])
            if size > 0:
                _check_one_label(line, spans[owner[line]] if covered[line] else span, span)
                owner[line] = i
                covered[line] += size
            line += 1
    for line, (first, last) in enumerate(extents):
        if 2 * covered[line] <= last - first:
            how = "is labelled by less than half" if covered[line] else "has no label"
            raise LabelError(f"line {line + 1} {how}: {document.lines[line].strip()[:40]!r}")
    return owner


def labels_of_spans(document: Document, spans: Sequence[Span]) -> Labels:
    """Give the class id of each line; see :func:`spans_of_lines`.

    Returns
    -------
    ndarray of int8, shape (n_lines,)
    """
    return np.array([spans[i].label for i in spans_of_lines(document, spans)], dtype=np.int8)


def _extents(document: Document) -> list[tuple[int, int]]:
    """Give where each line starts and ends, spaces at its ends aside."""
    return [
        (start + len(line) - len(line.lstrip()), start + len(line.rstrip()))
        for start, line in zip(line_starts(document), document.lines, strict=True)
    ]


def _check_one_label(line: int, before: Span, span: Span) -> None:
    if before.label != span.label:
        both = f"{LABEL_NAMES[before.label]} and {LABEL_NAMES[span.label]}"
        raise LabelError(f"line {line + 1} has two labels, {both}")


def _check_order(spans: Sequence[Span], length: int) -> None:
    for before, span in pairwise(spans):
        if span.start < before.end:
            raise LabelError(f"the spans {before.start}-{before.end} and {span.start}-{span.end} overlap")
    if spans and spans[-1].end > length:
        raise LabelError(
            f"the span {spans[-1].start}-{spans[-1].end} leaves the text, which ends at {length}"
        )
