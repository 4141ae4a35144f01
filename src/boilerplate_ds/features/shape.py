"""How each line looks: what can be told of it without reading it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.compiled import kernel
from boilerplate_ds.features import lines as c

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boilerplate_ds.features.lines import LineBatch

N_SHAPE = 29
_KERNEL = kernel("boilerplate_ds.features.line_kernel")


@cache
def _log1p() -> NDArray[np.float32]:
    """Logarithms of one more than whatever may be counted in a line."""
    return np.log1p(np.arange(c.MAX_READ + 1, dtype=np.float32))


def line_shape(batch: LineBatch) -> NDArray[np.float32]:
    """How each line looks: lengths, shares of character classes, first and last character; (n_lines, 29)."""
    log1p = _log1p()
    if _KERNEL is not None:
        looks: NDArray[np.float32] = _KERNEL.line_shape(
            batch.classes,
            batch.start,
            batch.length,
            batch.word_start,
            batch.word_length,
            batch.word_ends,
            log1p,
        )
        return looks
    n = batch.n_lines
    length = batch.length
    line_of = np.repeat(np.arange(0, n * c.N_CLASSES, c.N_CLASSES), length + 1)
    counts = np.bincount(line_of + batch.classes[1:], minlength=n * c.N_CLASSES).reshape(n, c.N_CLASSES)
    words = np.diff(batch.word_ends)
    starts_upper = np.bincount(batch.word_line, batch.classes[batch.word_start] == c.UPPER, minlength=n)
    word_length = np.bincount(batch.word_line, batch.word_length, minlength=n)
    longest = np.zeros(n)
    if len(batch.word_line):
        with_words = np.flatnonzero(words)
        longest[with_words] = np.maximum.reduceat(batch.word_length, batch.word_ends[with_words])
    first = batch.classes[batch.start]
    last = batch.classes[np.maximum(batch.start + length - 1, batch.start)]
    some = np.maximum(words, 1)
    size = np.maximum(length, 1).astype(np.float32)
    share = counts.astype(np.float32) / size[:, None]
    columns = [
        log1p[length],
        log1p[words],
        word_length / some,
        np.minimum(longest, 40) / 10,
        starts_upper / some,
        share[:, c.UPPER],
        share[:, c.DIGIT],
        share[:, c.SPACELESS],
        share[:, c.LETTER],
        (counts[:, c.STOP] + counts[:, c.COMMA]).astype(np.float32) / size * 10,
        (counts[:, c.SEPARATOR] + counts[:, c.SYMBOL]).astype(np.float32) / size * 4,
        *log1p[counts.T[[c.STOP, c.COMMA, c.SEPARATOR, c.BULLET, c.QUOTE, c.BRACKET, c.DIGIT]]],
        np.minimum(counts[:, c.CURRENCY], 3),
        first == c.BULLET,
        first == c.UPPER,
        first == c.DIGIT,
        first == c.SEPARATOR,
        last == c.STOP,
        last == c.COMMA,
        last == c.DIGIT,
        last == c.SEPARATOR,
        words <= 1,
        length > 120,
    ]
    shape = np.empty((n, N_SHAPE), dtype=np.float32)
    for i, column in enumerate(columns):
        shape[:, i] = column
    return shape
