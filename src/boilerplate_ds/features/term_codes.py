"""What a line's first words are called on pages of many languages: a menu's entry, an advertisement's mark.

Words of a language that few pages were learned from say nothing by themselves; that a line begins with what
pages of that language call their newsletter says the same in each (:mod:`boilerplate_ds.terms`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.compiled import kernel
from boilerplate_ds.features.lines import hash_words, mix
from boilerplate_ds.terms import KINDS, TERMS, fold, written_phrases

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boilerplate_ds.features.lines import LineBatch

MOST_WORDS = 16
"""Of a term; characters of scripts without spaces are words."""
SHORT = 3
"""A line with fewer words after the term is little more than the term."""
_NO_NEIGHBOUR = 31
_KERNEL = kernel("boilerplate_ds.features.line_kernel")


@cache
def _table() -> tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.uint8]]:
    """Hashes of all terms' words in order, the kind of each, and what a hash is by its last 16 bits.

    There 1 stands for a term, 2 for the beginning of one, 3 for either, 0 for neither.
    """
    if 3 * len(KINDS) >= _NO_NEIGHBOUR:
        raise ValueError(f"{len(KINDS)} kinds of terms are more than there are codes for")
    phrases: dict[str, int] = {}
    for kind, name in enumerate(KINDS):  # of a phrase of two kinds the first counts
        for language in TERMS:
            for phrase in written_phrases(language, name):
                for form in _forms(phrase):
                    phrases.setdefault(form, kind)
    hashes, ends = hash_words(list(phrases))
    n_words = np.diff(ends)
    rank = np.arange(len(hashes)) - np.repeat(ends[:-1], n_words)
    sums = np.concatenate((np.zeros(1, dtype=np.uint64), np.cumsum(mix(hashes + rank.astype(np.uint64)))))
    beginnings = sums[1:] - np.repeat(sums[ends[:-1]], n_words)
    keys = sums[ends[1:]] - sums[ends[:-1]]
    fits = (n_words > 0) & (n_words <= MOST_WORDS)
    known, first = np.unique(keys[fits], return_index=True)
    sieve = np.zeros(1 << 16, dtype=np.uint8)
    sieve[known & np.uint64(0xFFFF)] = 1
    sieve[beginnings[rank + 1 < np.repeat(n_words, n_words)] & np.uint64(0xFFFF)] |= 2
    return known, np.fromiter(phrases.values(), np.uint8, len(phrases))[fits][first], sieve


def _forms(phrase: str) -> set[str]:
    """Give a phrase as the letters of lines come out: their capitals are made small one by one.

    So a dotted capital ``İ`` stays, a Turkish ``I`` becomes ``i``, ``Σ`` never ``ς`` and ``SS`` not ``ß``.
    """
    dotted = phrase.replace("i", "İ").replace("ı", "i")
    return {phrase, fold(phrase), dotted, "İ" + phrase[1:] if phrase.startswith("i") else phrase}


def term_codes(batch: LineBatch) -> NDArray[np.int64]:
    """Give numbers to what each line begins with, by itself and with the lines before and after it.

    Of several terms, one within another, the longest counts.

    Returns
    -------
    ndarray of int64, shape (n_lines, 3)
        Below 1024.
    """
    if _KERNEL is not None:
        rule = MOST_WORDS, SHORT
        codes: NDArray[np.int64] = _KERNEL.term_codes(
            batch.word_hash, batch.word_ends, batch.ends, *_table(), *rule
        )
        return codes
    own = _own_codes(batch)
    line = np.arange(batch.n_lines)
    before = np.where(line > batch.ends[batch.document], np.roll(own, 1), _NO_NEIGHBOUR)
    after = np.where(line + 1 < batch.ends[batch.document + 1], np.roll(own, -1), _NO_NEIGHBOUR)
    return np.stack((own, before * 32 + own, after * 32 + own), axis=1)


def _own_codes(batch: LineBatch) -> NDArray[np.int64]:
    """0 for no term; for kind k, 1 + 3k for the whole line, one more for a little more, two for a lot."""
    known, kinds, _ = _table()
    first, n_words = batch.word_ends[:-1], np.diff(batch.word_ends)
    codes = np.zeros(batch.n_lines, dtype=np.int64)
    key = np.zeros(batch.n_lines, dtype=np.uint64)
    for rank in range(MOST_WORDS):
        lines = np.flatnonzero(n_words > rank)
        if not len(lines):
            break
        key[lines] += mix(batch.word_hash[first[lines] + rank] + np.uint64(rank))
        at = np.minimum(np.searchsorted(known, key[lines]), len(known) - 1)
        is_term = known[at] == key[lines]
        lines, at = lines[is_term], at[is_term]
        more = n_words[lines] - rank - 1
        codes[lines] = 1 + 3 * kinds[at].astype(np.int64) + (more > 0) + (more >= SHORT)
    return codes
