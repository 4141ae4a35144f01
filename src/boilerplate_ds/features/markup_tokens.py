"""Hashed tokens of the elements around each line: what the first stage reads of the markup."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from boilerplate_ds.compiled import kernel
from boilerplate_ds.features.text_tokens import shape_tokens
from boilerplate_ds.features.tree import HEIGHTS
from boilerplate_ds.sources.html_tags import TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from boilerplate_ds.features.lines import LineBatch
    from boilerplate_ds.features.text_tokens import Tokens
    from boilerplate_ds.features.tree import Forest

MARKUP_BITS = 17
"""Buckets of the markup model's weights, as a power of two."""
_NEARNESS = np.array((0, 1, 2, 3, 4, 4, 5, 5), dtype=np.uint32)  # heights that share a bucket
_READ, _WHOLE = 512, 64  # characters of an element's attributes that are read, and that make one token
_MAX_TOKENS = 16  # of one element; utility-class frameworks write dozens
_KERNEL = kernel("boilerplate_ds.features.tree_kernel")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W_A-Za-z\d]+")


@lru_cache(maxsize=1 << 16)
def _element_tokens(tag: int, attributes: str) -> tuple[int, ...]:
    """Hashes of an element's tag and of the words in its attributes."""
    words = (_hash(match[0].lower()) for match in _WORD.finditer(attributes[:_READ]))
    distinct = list(dict.fromkeys(words))[:_MAX_TOKENS]
    whole = [_hash(f"={attributes[:_WHOLE]}")] if attributes else []
    return (_TAG_HASHES[tag], *distinct, *whole)


def _hash(name: str) -> int:
    return crc32(name.encode("utf-8", "replace"))


_TAG_HASHES = tuple(_hash(f"<{tag}") for tag in TAGS)


def _tokens_of_kinds(kinds: list[tuple[int, str]]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Hashes of the tokens of each kind of element, and the ends of each kind's."""
    if _KERNEL is not None:
        flat, ends = _KERNEL.tokens_of_kinds(kinds, _TAG_HASHES, _READ, _WHOLE, _MAX_TOKENS, _element_tokens)
        return flat, ends
    tokens = [_element_tokens(tag, attributes) for tag, attributes in kinds]
    sizes = np.fromiter(map(len, tokens), np.int64, len(tokens))
    flat = np.fromiter(chain.from_iterable(tokens), np.uint32, int(sizes.sum()))
    return flat, np.concatenate(([0], np.cumsum(sizes)))


def markup_tokens(forest: Forest, batch: LineBatch) -> Iterator[Tokens]:
    """Hash what surrounds each marked line, one kind of token after another.

    The tokens of the nearest elements, marked by nearness, and the tag path; then what the line looks like
    (length, links, last character) in its tags, and the tags of the lines before and after.

    Yields
    ------
    buckets : ndarray of int64, shape (n_tokens,)
    ends : ndarray of int64, shape (n_marked + 1,)
        Tokens ``ends[i]`` to ``ends[i + 1]`` are those of marked line ``i``.
    """
    yield _element_tokens_of_lines(forest)
    yield shape_tokens(_shape_codes(forest, batch), MARKUP_BITS)


def _shape_codes(forest: Forest, batch: LineBatch) -> NDArray[np.int64]:
    """Give numbers to what marked lines look like in their tags; shape (n_marked, 7)."""
    if _KERNEL is not None:
        numbers: NDArray[np.int64] = _KERNEL.shape_codes(
            batch.shape,
            forest.rows,
            forest.link_share,
            forest.above,
            forest.block,
            forest.tag,
            forest.document,
            len(TAGS),
        )
        return numbers
    shape = batch.shape[forest.rows]
    length = np.minimum(shape[:, 0], 7).astype(np.int64)
    linked = np.minimum(forest.link_share * 4, 3).astype(np.int64)
    ends = shape[:, 23].astype(np.int64)
    tag = forest.tag[forest.above[:2]]
    block = forest.tag[forest.block]
    # three tags do not fit into one code: a hash of them does
    before, after = _beside(forest, block, len(TAGS)), _beside(forest, block, len(TAGS), step=1)
    return np.stack(
        (
            tag[0] * 8 + length,
            block * 8 + length,
            block * 8 + linked * 2 + ends,
            tag[1] * 8 + linked * 2 + ends,
            length * 8 + linked * 2 + ends,
            (before * 31 + block * 7 + after) % 1024,
            _beside(forest, length, 0) * 64 + length * 8 + _beside(forest, length, 0, step=1),
        ),
        axis=1,
    )


def _beside(forest: Forest, values: NDArray[np.int64], outside: int, *, step: int = -1) -> NDArray[np.int64]:
    """Values of the line before (or after) in the document; ``outside`` where there is none."""
    is_there = np.roll(forest.document, -step) == forest.document
    is_there[0 if step < 0 else -1] = False
    return np.where(is_there, np.roll(values, -step), outside)


def _element_tokens_of_lines(forest: Forest) -> Tokens:
    flat, offsets = _tokens_of_kinds(forest.kinds)
    if _KERNEL is not None:
        buckets, ends = _KERNEL.element_tokens(
            forest.above, forest.kind, forest.tag, flat, offsets, _NEARNESS, MARKUP_BITS
        )
        return buckets, ends
    above = forest.above
    n_lines = above.shape[1]
    # one row a line, one column a height: the element's tokens, mixed with how near it is
    kind = forest.kind[above].T.ravel()
    nearness = np.tile(_NEARNESS, n_lines)
    repeated = np.zeros(above.shape, dtype=bool)
    repeated[1:] = above[1:] == above[:-1]
    size = np.where(repeated.T.ravel(), 0, np.diff(offsets)[kind])
    total = int(size.sum())
    within = np.arange(total) - np.repeat(np.cumsum(size) - size, size)
    hashed = flat[np.repeat(offsets[:-1][kind], size) + within]
    hashed = (hashed ^ (np.repeat(nearness, size) * np.uint32(0x9E3779B1))) * np.uint32(0x85EBCA6B)
    tag = forest.tag[above[:3]].astype(np.uint32)
    path = (tag[0] * np.uint32(64) + tag[1]) * np.uint32(64) + tag[2]
    path = (path ^ np.uint32(0x5BD1E995)) * np.uint32(0xC2B2AE35)
    ends = np.concatenate(([0], np.cumsum(size.reshape(n_lines, HEIGHTS).sum(axis=1))))
    buckets = np.insert(hashed, ends[1:], path) >> np.uint32(32 - MARKUP_BITS)
    return buckets.astype(np.int64), ends + np.arange(n_lines + 1)
