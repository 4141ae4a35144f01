"""Hashed tokens of the elements around each line: what the first stage reads of the markup."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from boilerplate_ds.compiled import kernel
from boilerplate_ds.features.lines import mix
from boilerplate_ds.features.text_tokens import code_tokens
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
_LINK = np.uint64(0xD6E8FEB86659FD93)
_LINK_CODES = 16 << 10  # apart from those of shapes
_MAX_WORDS = 16  # of a link's target
_CODE_OF_COUNT = np.minimum(2 * np.log1p(np.arange(40)), 7).astype(np.int64)  # more counts like the last
_READ, _WHOLE = 512, 64  # characters of an element's attributes that are read, and that make one token
_MAX_TOKENS = 16  # of one element; utility-class frameworks write dozens
_KERNEL = kernel("boilerplate_ds.features.tree_kernel")
_LINK_KERNEL = kernel("boilerplate_ds.features.link_kernel")
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
    (length, links, last character) in its tags, and the tags of the lines before and after; then the words of
    its link's target, and what that looks like.

    Yields
    ------
    buckets : ndarray of int64, shape (n_tokens,)
    ends : ndarray of int64, shape (n_marked + 1,)
        Tokens ``ends[i]`` to ``ends[i + 1]`` are those of marked line ``i``.
    """
    yield _element_tokens_of_lines(forest)
    yield code_tokens(_shape_codes(forest, batch), MARKUP_BITS)
    yield _words_of_links(forest)
    yield code_tokens(_link_codes(forest, batch), MARKUP_BITS)


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


def _link_codes(forest: Forest, batch: LineBatch) -> NDArray[np.int64]:
    """Give numbers to what a line's link looks like, and to what stands around it; shape (n_marked, 10)."""
    targets = forest.targets
    if _LINK_KERNEL is not None:
        numbers: NDArray[np.int64] = _LINK_KERNEL.link_codes(
            targets.codes,
            targets.kind,
            forest.link,
            forest.between,
            batch.shape,
            forest.rows,
            forest.document,
            _CODE_OF_COUNT,
            _LINK_CODES,
        )
        return numbers
    own = targets.codes[forest.link]
    kind = targets.kind[forest.link]
    length = np.minimum(2 * batch.shape[forest.rows, 0], 15).astype(np.int64)
    same_before = (_beside(forest, forest.link, -1) == forest.link) & (kind > 0)
    same_after = (_beside(forest, forest.link, -1, step=1) == forest.link) & (kind > 0)
    kind_before, kind_after = _beside(forest, kind, 5), _beside(forest, kind, 5, step=1)
    between = _CODE_OF_COUNT[np.minimum(forest.between, len(_CODE_OF_COUNT) - 1)]
    after = np.stack([_beside(forest, between[:, k], 8, step=1) for k in range(4)], axis=1)
    more = np.stack(
        (
            kind * 64 + length * 4 + same_before * 2 + same_after,
            (kind * 6 + kind_before) * 6 + kind_after,
            between[:, 0] * 9 + after[:, 0],
            (np.minimum(between[:, 1], 3) * 5 + np.minimum(after[:, 1], 4)) * 16 + length,
            np.minimum(between[:, 2], 3) * 5 + np.minimum(after[:, 2], 4),
            between[:, 3] * 9 + after[:, 3],
        ),
        axis=1,
    )
    codes: NDArray[np.int64] = np.concatenate((own, more), axis=1) + _LINK_CODES
    return codes


def _words_of_links(forest: Forest) -> Tokens:
    """Words of each line's link target, told apart by whether they are of its host, path or query."""
    batch = forest.targets.batch
    if _LINK_KERNEL is not None:
        tokens: Tokens = _LINK_KERNEL.words_of_links(
            forest.link,
            batch.word_ends,
            batch.word_hash,
            forest.targets.word_part,
            _MAX_WORDS,
            _LINK,
            MARKUP_BITS,
        )
        return tokens
    salted = mix(batch.word_hash + (forest.targets.word_part + 1).astype(np.uint64) * _LINK)
    buckets = (salted >> np.uint64(64 - MARKUP_BITS)).view(np.int64)
    size = np.minimum(np.diff(batch.word_ends), _MAX_WORDS)[forest.link]
    ends = np.concatenate(([0], np.cumsum(size)))
    within = np.arange(ends[-1]) - np.repeat(ends[:-1], size)
    return buckets[np.repeat(batch.word_ends[:-1][forest.link], size) + within], ends


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
