"""A batch of documents as arrays: code points, character classes, words."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.compiled import kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document
    from boilerplate_ds.features.layout import Layout

    Positions = NDArray[np.int64]
    Characters = tuple[Positions, Positions, NDArray[np.uint8], NDArray[np.uint32]]
    Words = tuple[Positions, Positions, Positions, Positions, NDArray[np.uint64], NDArray[np.uint64]]

_KERNEL = kernel("boilerplate_ds.features.line_kernel")

# Character classes. Scripts written without spaces get a class of their own: each character is a word.
(
    SPACE,
    LOWER,
    UPPER,
    LETTER,
    SPACELESS,
    DIGIT,
    STOP,
    COMMA,
    SEPARATOR,
    QUOTE,
    BRACKET,
    CURRENCY,
    SYMBOL,
    BULLET,
) = range(14)
N_CLASSES = 16

_OF_CHARACTER = {
    **dict.fromkeys(".!?…。！？؟।॥．‽", STOP),
    **dict.fromkeys(",;:、，；：،؛", COMMA),
    **dict.fromkeys("|/\\>»›←→‹«·—–-~_+=&#@", SEPARATOR),
    **dict.fromkeys("•◦▪■►▸▶★☆✓✔*", BULLET),
    **dict.fromkeys("\"'`´", QUOTE),
}
_OF_CATEGORY = {
    "Ll": LOWER,
    "Lu": UPPER,
    "Lt": UPPER,
    "Nd": DIGIT,
    "Nl": DIGIT,
    "No": DIGIT,
    "Pi": QUOTE,
    "Pf": QUOTE,
    "Ps": BRACKET,
    "Pe": BRACKET,
    "Sc": CURRENCY,
}
_SPACELESS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # CJK ideographs
    (0xF900, 0xFAFF),
)
MAX_READ = 10_000
"""Characters of a line that are read; what comes after them says nothing new."""
_LAST = 0xFFFF  # every plane above the first is read as this one symbol


@cache
def _class_of(category: str) -> int:
    if category[0] in "ZC":
        return SPACE
    return _OF_CATEGORY.get(category, LETTER if category[0] in "LM" else SYMBOL)


@cache
def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """Character class and normal form (lower case, one digit, one space) of the first plane's code points."""
    categories = map(unicodedata.category, map(chr, range(_LAST + 1)))
    classes = np.fromiter(map(_class_of, categories), dtype=np.uint8, count=_LAST + 1)
    for low, high in _SPACELESS:
        part = classes[low : high + 1]
        part[np.isin(part, (LOWER, UPPER, LETTER))] = SPACELESS
    for character, kind in _OF_CHARACTER.items():
        classes[ord(character)] = kind
    classes[_LAST] = SYMBOL
    normal = np.arange(_LAST + 1, dtype=np.uint32)
    for code in np.flatnonzero(classes == UPPER).tolist():
        lower = chr(code).lower()
        normal[code] = ord(lower) if len(lower) == 1 else code
    normal[classes == DIGIT] = ord("0")
    normal[classes == SPACE] = ord(" ")
    return classes, normal


@dataclass(frozen=True)
class LineBatch:
    """Documents laid end to end as arrays.

    Every line is followed by one pad character, and one pad comes before the first, so that n-grams can
    mark where a line starts and ends.

    Parameters
    ----------
    documents : sequence of Document
    ends : ndarray of int64, shape (n_documents + 1,)
        Line ``ends[d]`` is the first of document ``d``.
    document : ndarray of int64, shape (n_lines,)
        The document that each line is of.
    start, length : ndarray of int64, shape (n_lines,)
        Where each line starts in ``normal``, and its code points.
    classes : ndarray of uint8, shape (n_characters,)
    normal : ndarray of uint32, shape (n_characters,)
        Lower case; every digit is ``0``, every space one space, every pad a newline.
    word_start, word_length, word_line : ndarray of int64, shape (n_words,)
    word_ends : ndarray of int64, shape (n_lines + 1,)
        Words ``word_ends[i]`` to ``word_ends[i + 1]`` are those of line ``i``.
    word_hash : ndarray of uint64, shape (n_words,)
    line_hash : ndarray of uint64, shape (n_lines,)
        Hash of a line's words, so of its text without spaces and punctuation.
    """

    documents: Sequence[Document]
    ends: NDArray[np.int64]
    document: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    classes: NDArray[np.uint8]
    normal: NDArray[np.uint32]
    word_start: NDArray[np.int64]
    word_length: NDArray[np.int64]
    word_line: NDArray[np.int64]
    word_ends: NDArray[np.int64]
    word_hash: NDArray[np.uint64]
    line_hash: NDArray[np.uint64]

    @classmethod
    def of(cls, documents: Sequence[Document]) -> LineBatch:
        """Lay ``documents`` out as arrays; time and memory are linear in their characters."""
        lines = list(chain.from_iterable(document.lines for document in documents))
        counts = np.fromiter((len(document.lines) for document in documents), np.int64, len(documents))
        ends = np.concatenate(([0], np.cumsum(counts)))
        characters, words = _laid_out(lines)
        start, length, classes, normal = characters
        word_start, word_length, word_line, word_ends, word_hash, line_hash = words
        return cls(
            documents=documents,
            ends=ends,
            document=np.repeat(np.arange(len(documents)), counts),
            start=start,
            length=length,
            classes=classes,
            normal=normal,
            word_start=word_start,
            word_length=word_length,
            word_line=word_line,
            word_ends=word_ends,
            word_hash=word_hash,
            line_hash=line_hash,
        )

    @cached_property
    def shape(self) -> NDArray[np.float32]:
        """How each line looks; see :func:`boilerplate_ds.features.shape.line_shape`."""
        from boilerplate_ds.features.shape import line_shape

        return line_shape(self)

    @cached_property
    def layout(self) -> Layout:
        """Blank lines and indentation; see :class:`boilerplate_ds.features.layout.Layout`."""
        from boilerplate_ds.features.layout import Layout

        return Layout.of(self)

    @property
    def n_lines(self) -> int:
        """Lines in the whole batch."""
        return len(self.length)

    @property
    def has_markup(self) -> NDArray[np.bool_]:
        """Whether each line's document has markup; shape (n_lines,)."""
        with_markup = (document.markup is not None for document in self.documents)
        return np.fromiter(with_markup, bool, len(self.documents))[self.document]


_WORD_KIND = np.zeros(N_CLASSES, dtype=np.uint8)
"""What a class is in words: 0 no part of one, 1 a letter or digit of one, 2 a word by itself."""
_WORD_KIND[[LOWER, UPPER, LETTER, DIGIT]] = 1
_WORD_KIND[SPACELESS] = 2


@cache
def _table() -> NDArray[np.uint32]:
    """Join the tables: normal form of each character, class in bits 16 to 23, what that is in words above."""
    classes, normal = _tables()
    kinds = _WORD_KIND[classes].astype(np.uint32)
    table: NDArray[np.uint32] = normal | classes.astype(np.uint32) << np.uint32(16) | kinds << np.uint32(24)
    return table


def _laid_out(lines: list[str]) -> tuple[Characters, Words]:
    if _KERNEL is None:
        start, length, classes, normal = _characters(lines)
        return (start, length, classes, normal), _words(start, classes, normal)
    laid_out: tuple[Characters, Words] = _KERNEL.lay_out(lines, MAX_READ, _table())
    return laid_out


def hash_words(lines: list[str]) -> tuple[NDArray[np.uint64], Positions]:
    """Hash the words of each line; gives the hashes and the ends of lines."""
    _, (_, _, _, ends, hashes, _) = _laid_out(lines)
    return hashes, ends


def _characters(lines: list[str]) -> Characters:
    """Lay out the characters: start and length of each line, their classes and normal form."""
    class_table, normal_table = _tables()
    length = np.fromiter(map(len, lines), np.int64, len(lines))
    if length.size and length.max() > MAX_READ:
        lines = [line[:MAX_READ] for line in lines]
        length = np.minimum(length, MAX_READ)
    start = np.cumsum(length + 1) - length
    raw = ("\n" + "\n".join(lines) + "\n").encode("utf-32-le", "surrogatepass")
    n_characters = int(length.sum()) + len(lines) + 1  # no lines have one pad, not two
    codes = np.minimum(np.frombuffer(raw, dtype="<u4")[:n_characters], _LAST)
    classes = class_table[codes]
    normal = normal_table[codes]
    pads = np.concatenate(([0], start + length))
    classes[pads] = SPACE
    normal[pads] = ord("\n")
    return start, length, classes, normal


def _words(start: Positions, classes: NDArray[np.uint8], normal: NDArray[np.uint32]) -> Words:
    """Start, length and line of every word, the ends of each line's words, their hashes and the lines'."""
    word_start, word_length = _word_bounds(classes)
    word_ends = np.append(np.searchsorted(word_start, start), len(word_start))
    word_line = np.repeat(np.arange(len(start)), np.diff(word_ends))
    word_hash = segment_hashes(normal, word_start, word_length)
    line_hash = _hash_of_words(word_hash, word_line, len(start))
    return word_start, word_length, word_line, word_ends, word_hash, line_hash


def _word_bounds(classes: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Start and length of every run of letters and digits; a spaceless script's characters stand alone."""
    kind = _WORD_KIND[classes]
    cut = np.flatnonzero((kind[1:] != kind[:-1]) | (kind[1:] == 2)) + 1
    bounds = np.concatenate(([0], cut, [len(kind)]))
    is_word = kind[bounds[:-1]] > 0
    return bounds[:-1][is_word], np.diff(bounds)[is_word]


SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""An odd number without pattern: base of the hash of a word, and what tells the hashes of documents apart."""
_INVERSE = np.uint64(pow(int(SPREAD), -1, 2**64))


@cache
def _powers(size: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Powers of the hash base and of its inverse modulo 2**64, up to ``size``."""
    ones = np.ones(size, dtype=np.uint64)
    base, inverse = ones * SPREAD, ones * _INVERSE
    base[0] = inverse[0] = 1
    return np.cumprod(base), np.cumprod(inverse)


def segment_hashes(
    normal: NDArray[np.uint32], start: NDArray[np.int64], length: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Polynomial hash (modulo 2**64) of every segment, from one running sum over the buffer."""
    size = 1 << max(16, len(normal).bit_length())
    powers, inverses = _powers(size)
    running = np.zeros(len(normal) + 1, dtype=np.uint64)
    np.cumsum(normal * powers[: len(normal)], out=running[1:])
    return mix((running[start + length] - running[start]) * inverses[start])


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit over all others (the finaliser of MurmurHash3, Austin Appleby)."""
    values = values ^ (values >> np.uint64(33))
    values = values * np.uint64(0xFF51AFD7ED558CCD)
    values = values ^ (values >> np.uint64(33))
    values = values * np.uint64(0xC4CEB9FE1A85EC53)
    mixed: NDArray[np.uint64] = values ^ (values >> np.uint64(33))
    return mixed


def _hash_of_words(
    word_hash: NDArray[np.uint64], word_line: NDArray[np.int64], n_lines: int
) -> NDArray[np.uint64]:
    """Hash of each line's sequence of words."""
    hashes = np.zeros(n_lines, dtype=np.uint64)
    if len(word_hash):
        first = np.flatnonzero(np.diff(word_line, prepend=-1))
        rank = np.arange(len(word_line)) - np.repeat(first, np.diff(np.append(first, len(word_line))))
        hashes[word_line[first]] = np.add.reduceat(mix(word_hash + rank.astype(np.uint64)), first)
    return hashes
