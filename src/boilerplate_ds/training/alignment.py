"""Labels carried from one text of a page to another, by the words that both share.

Two extractors cut a page into different lines. The longest common subsequence of their word tokens says
which words of one are which of the other, and each line takes the label that most of its matched words bring.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.document import LABEL_NAMES, MAIN, NOT_MAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Labels

UNKNOWN = MAIN - 1
"""Label of a line that is context only: nothing says what it is."""
_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """Lower-case word tokens, as the WCXB measure counts them."""
    return _WORD.findall(text.lower())


def _tokens(lines: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """All word tokens of ``lines``, and the line of each."""
    by_line = [words(line) for line in lines]
    owner = np.repeat(np.arange(len(lines)), np.fromiter(map(len, by_line), np.int64, len(lines)))
    return [token for tokens in by_line for token in tokens], owner


def _matches(ours: list[str], theirs: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions, in both token lists, of their longest common subsequence."""
    from rapidfuzz.distance import LCSseq

    blocks = [op for op in LCSseq.opcodes(ours, theirs) if op.tag == "equal"] if ours and theirs else []
    none = np.zeros(0, dtype=np.int64)
    left = np.concatenate([none, *(np.arange(op.src_start, op.src_end) for op in blocks)])
    right = np.concatenate([none, *(np.arange(op.dest_start, op.dest_end) for op in blocks)])
    return left, right


def align_with_content(lines: Sequence[str], main_content: str) -> Labels:
    """Say which lines a page's main content holds.

    Returns
    -------
    ndarray of int8, shape (n_lines,)
        ``MAIN`` where half or more of a line's words are matched, ``NOT_MAIN`` where fewer are, ``UNKNOWN``
        for lines without words. Of lines with the same words the first ones are the matched ones: a page
        that holds its text twice (for small screens, say) is always read from the first copy.
    """
    tokens, owner = _tokens(lines)
    left, _ = _matches(tokens, words(main_content))
    size = np.bincount(owner, minlength=len(lines))
    matched = np.bincount(owner[left], minlength=len(lines))
    is_main = _first_copies(tokens, np.concatenate(([0], np.cumsum(size))), 2 * matched >= size)
    return np.where(size == 0, UNKNOWN, np.where(is_main, MAIN, NOT_MAIN)).astype(np.int8)


def _first_copies(
    tokens: list[str], ends: NDArray[np.int64], is_main: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Move the matches of lines with the same words to the first of them."""
    copies: dict[tuple[str, ...], list[int]] = {}
    for line in range(len(is_main)):
        if ends[line + 1] > ends[line]:
            copies.setdefault(tuple(tokens[ends[line] : ends[line + 1]]), []).append(line)
    moved: NDArray[np.bool_] = is_main.copy()
    for same in copies.values():
        if len(same) > 1:
            n_matched = int(is_main[same].sum())
            moved[same] = np.arange(len(same)) < n_matched
    return moved


def carry_labels(lines: Sequence[str], labels: Labels, others: Sequence[str]) -> Labels:
    """Give the lines ``others`` the labels of ``lines``, another text of the same page.

    Returns
    -------
    ndarray of int8, shape (len(others),)
        Class ids; ``UNKNOWN`` where fewer than half of a line's words find their like.
    """
    tokens, owner = _tokens(others)
    known, known_owner = _tokens(lines)
    left, right = _matches(tokens, known)
    n = len(LABEL_NAMES)
    cells = owner[left] * n + np.asarray(labels, dtype=np.int64)[known_owner[right]]
    votes = np.bincount(cells, minlength=len(others) * n).reshape(len(others), n)
    size = np.bincount(owner, minlength=len(others))
    carried = np.where((2 * votes.sum(axis=1) >= size) & (size > 0), votes.argmax(axis=1), UNKNOWN)
    return carried.astype(np.int8)


def word_f1(predicted: str, reference: str) -> float:
    r"""Word F1 of two texts, 0 to 1, as WCXB defines it: multisets of lower-case ``\w+`` tokens.

    An empty reference is met by an empty prediction (1) and by nothing else (0).
    """
    ours, theirs = Counter(words(predicted)), Counter(words(reference))
    if not theirs:
        return 0.0 if ours else 1.0
    return 2 * sum((ours & theirs).values()) / (sum(ours.values()) + sum(theirs.values()))
