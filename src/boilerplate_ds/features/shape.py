"""How each line looks: what can be told of it without reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.features import lines as c

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boilerplate_ds.features.lines import LineBatch

N_SHAPE = 29


def line_shape(batch: LineBatch) -> NDArray[np.float32]:
    """How each line looks: lengths, shares of character classes, first and last character; (n_lines, 29)."""
    n = batch.n_lines
    length = batch.length.astype(np.float32)
    line_of = np.repeat(np.arange(n, dtype=np.int64), batch.length + 1)
    counts = np.bincount(line_of * c.N_CLASSES + batch.classes[1:], minlength=n * c.N_CLASSES)
    counts = counts.reshape(n, c.N_CLASSES).astype(np.float32)
    counts[:, c.SPACE] -= 1  # the pad
    words = np.bincount(batch.word_line, minlength=n).astype(np.float32)
    starts_upper = np.bincount(batch.word_line, batch.classes[batch.word_start] == c.UPPER, minlength=n)
    word_length = np.bincount(batch.word_line, batch.word_length, minlength=n)
    longest = np.zeros(n)
    if len(batch.word_line):
        line_starts = np.flatnonzero(np.diff(batch.word_line, prepend=-1))
        longest[batch.word_line[line_starts]] = np.maximum.reduceat(batch.word_length, line_starts)
    first = batch.classes[batch.start]
    last = batch.classes[np.maximum(batch.start + batch.length - 1, batch.start)]
    some = np.maximum(words, 1)
    size = np.maximum(length, 1)
    columns = [
        np.log1p(length),
        np.log1p(words),
        word_length / some,
        np.minimum(longest, 40) / 10,
        starts_upper / some,
        counts[:, c.UPPER] / size,
        counts[:, c.DIGIT] / size,
        counts[:, c.SPACELESS] / size,
        counts[:, c.LETTER] / size,
        (counts[:, c.STOP] + counts[:, c.COMMA]) / size * 10,
        (counts[:, c.SEPARATOR] + counts[:, c.SYMBOL]) / size * 4,
        np.log1p(counts[:, c.STOP]),
        np.log1p(counts[:, c.COMMA]),
        np.log1p(counts[:, c.SEPARATOR]),
        np.log1p(counts[:, c.BULLET]),
        np.log1p(counts[:, c.QUOTE]),
        np.log1p(counts[:, c.BRACKET]),
        np.log1p(counts[:, c.DIGIT]),
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
    return np.stack(columns, axis=1).astype(np.float32)
