"""The element trees of a batch of documents, laid end to end, and what each line's place in them says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.compiled import kernel
from boilerplate_ds.features.columns import block_of, exact, log, side_by_side, with_logarithms
from boilerplate_ds.features.lines import SPREAD, mix
from boilerplate_ds.features.link_tokens import N_KINDS, LinkTargets
from boilerplate_ds.sources.html_tags import TAG_IDS, TAGS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boilerplate_ds.document import Markup
    from boilerplate_ds.features.lines import LineBatch

_KERNEL = kernel("boilerplate_ds.features.tree_kernel")
_LINK_KERNEL = kernel("boilerplate_ds.features.link_kernel")

HEIGHTS = 8
"""How many elements are read above each line, its own included."""
N_SPANS = 6
_TAG_COLUMNS = (
    "p", "li", "a", "span", "div", "td", "button", "h1", "h2", "h3", "h4", "figcaption", "pre", "label",
    "time", "meta",
)  # fmt: skip
_LANDMARKS = (
    "nav", "header", "footer", "aside", "main", "article", "section", "form", "table", "ul", "noscript",
    "figure", "blockquote",
)  # fmt: skip
_HEADINGS = np.zeros(len(TAGS), dtype=np.float32)
for _level in range(1, 7):
    _HEADINGS[TAG_IDS[f"h{_level}"]] = 1 - _level / 8
_LIST = np.isin(np.arange(len(TAGS)), [TAG_IDS["ul"], TAG_IDS["ol"], TAG_IDS["dl"]])
_COLUMN_OF_TAG = np.full(len(TAGS), len(_TAG_COLUMNS))
_COLUMN_OF_TAG[[TAG_IDS[name] for name in _TAG_COLUMNS]] = np.arange(len(_TAG_COLUMNS))
_BIT_OF_TAG = np.zeros(len(TAGS), dtype=np.uint32)
_BIT_OF_TAG[[TAG_IDS[name] for name in _LANDMARKS]] = np.uint32(1) << np.arange(
    len(_LANDMARKS), dtype=np.uint32
)
_N_OPINIONS = 5
N_TREE = (
    2
    + len(_TAG_COLUMNS)
    + len(_LANDMARKS)
    + 4
    + (5 + _N_OPINIONS) * N_SPANS
    + 2 * (4 + _N_OPINIONS)
    + 8
    + N_KINDS
    + 5
)


@dataclass(frozen=True)
class Forest:
    """The trees of all documents of a batch that have markup; elements are numbered through.

    Parameters
    ----------
    rows : ndarray of int64, shape (n_marked,)
        Lines of the batch that have markup.
    document : ndarray of int64, shape (n_marked,)
    element, block : ndarray of int64, shape (n_marked,)
    above : ndarray of int64, shape (HEIGHTS, n_marked)
        Elements around each line, nearest first; the root repeated at the end.
    link_share : ndarray of float32, shape (n_marked,)
    link : ndarray of int64, shape (n_marked,)
        Index into ``targets``; those of no link are empty.
    targets : LinkTargets
    between : ndarray of int32, shape (n_marked, 4)
    parent, tag, depth, list_depth, subtree_end : ndarray of int64, shape (n_elements,)
    hidden : ndarray of bool, shape (n_elements,)
        Whether an element or one around it says that it is not shown.
    kind : ndarray of int64, shape (n_elements,)
        Elements of one document that have the same tag and attributes have the same number.
    kinds : list of (int, str)
        Tag and attributes of each kind.
    """

    rows: NDArray[np.int64]
    document: NDArray[np.int64]
    element: NDArray[np.int64]
    block: NDArray[np.int64]
    above: NDArray[np.int64]
    link_share: NDArray[np.float32]
    link: NDArray[np.int64]
    targets: LinkTargets
    between: NDArray[np.int32]
    parent: NDArray[np.int64]
    tag: NDArray[np.int64]
    depth: NDArray[np.int64]
    list_depth: NDArray[np.int64]
    subtree_end: NDArray[np.int64]
    hidden: NDArray[np.bool_]
    kind: NDArray[np.int64]
    kinds: list[tuple[int, str]]

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Marked lines in the order of their elements: as in the page, but for the misnested."""
        return np.argsort(self.element, kind="stable")

    @cached_property
    def spans(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Lines, by their place in :attr:`order`, of ever larger elements around each marked line.

        Elements that hold no more lines than the one inside them are passed by, so that wrappers don't
        count; the first is the block itself. Starts and ends, each of shape (N_SPANS, n_marked).
        """
        if _KERNEL is not None:
            spans: tuple[NDArray[np.int64], NDArray[np.int64]]
            spans = _KERNEL.spans(self.element, self.block, self.parent, self.subtree_end, N_SPANS)
            return spans
        count = np.bincount(self.element, minlength=len(self.parent))
        before = np.concatenate(([0], np.cumsum(count)))
        start, end = before[:-1], before[self.subtree_end]
        own = np.arange(len(self.parent))
        same = (start[self.parent] == start) & (end[self.parent] == end)
        top = np.where(same, self.parent, own)
        while not np.array_equal(further := top[top], top):
            top = further
        around = [self.parent[top[self.block]]]
        for _ in range(N_SPANS - 1):
            around.append(self.parent[top[around[-1]]])
        return start[np.stack(around)], end[np.stack(around)]

    @classmethod
    def of(cls, batch: LineBatch) -> Forest | None:
        """Lay out the trees of a batch; None if no line has markup."""
        marked = [
            (i, document.markup)
            for i, document in enumerate(batch.documents)
            if document.markup is not None and document.lines
        ]
        if not marked:
            return None
        index = np.array([i for i, _ in marked])
        trees = [markup for _, markup in marked]
        sizes = np.diff(batch.ends)[index]
        offsets = np.cumsum([0, *(len(tree.parent) for tree in trees)])
        shift = np.repeat(offsets[:-1], sizes)
        parent = np.concatenate(
            [tree.parent.astype(np.int64) + o for tree, o in zip(trees, offsets[:-1], strict=True)]
        )
        tag = np.concatenate([tree.tag for tree in trees]).astype(np.int64)
        depth, list_depth, hidden, subtree_end = _inherited(
            parent, tag, np.concatenate([tree.hidden for tree in trees])
        )
        element = np.concatenate([tree.element for tree in trees]) + shift
        kinds: list[tuple[int, str]] = []
        kind = [_kinds(tree, kinds) for tree in trees]
        links = np.cumsum([0, *(len(tree.links) for tree in trees)])
        return cls(
            rows=np.concatenate([np.arange(batch.ends[i], batch.ends[i + 1]) for i in index]),
            document=np.repeat(index, sizes),
            element=element,
            block=np.concatenate([tree.block for tree in trees]) + shift,
            above=_above(element, parent),
            link_share=np.concatenate([tree.link_share for tree in trees]),
            link=np.concatenate([tree.link for tree in trees]) + np.repeat(links[:-1], sizes),
            targets=LinkTargets.of([tree.links for tree in trees]),
            between=np.concatenate([tree.between for tree in trees]),
            parent=parent,
            tag=tag,
            depth=depth,
            list_depth=list_depth,
            subtree_end=subtree_end,
            hidden=hidden,
            kind=np.concatenate(kind),
            kinds=kinds,
        )


def _above(element: NDArray[np.int64], parent: NDArray[np.int64]) -> NDArray[np.int64]:
    if _KERNEL is not None:
        around: NDArray[np.int64] = _KERNEL.above(element, parent, HEIGHTS)
        return around
    above = [element]
    for _ in range(HEIGHTS - 1):
        above.append(parent[above[-1]])
    return np.stack(above)


def _kinds(tree: Markup, kinds: list[tuple[int, str]]) -> NDArray[np.int64]:
    """Add each pair of tag and attributes among one document's elements to ``kinds``; give their numbers."""
    if _KERNEL is not None:
        numbers: NDArray[np.int64] = _KERNEL.kinds(tree.tag, tree.attribute, tree.attributes, kinds)
        return numbers
    first_number = len(kinds)
    codes = tree.tag.astype(np.int64) + len(TAGS) * tree.attribute
    _, first, numbers = np.unique(codes, return_index=True, return_inverse=True)
    attributes = map(tree.attributes.__getitem__, tree.attribute[first].tolist())
    kinds += zip(tree.tag[first].tolist(), attributes, strict=True)
    numbers += first_number
    return numbers


def _inherited(
    parent: NDArray[np.int64], tag: NDArray[np.int64], hidden: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Depth, list depth, hiddenness and end of the subtree of every element, level by level."""
    if _KERNEL is not None:
        figures: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]
        figures = _KERNEL.inherited(parent, tag, hidden, _LIST)
        return figures
    n = len(parent)
    is_root = parent == np.arange(n)
    depth = np.where(is_root, 0, 1)
    list_depth = _LIST[tag].astype(np.int64)
    hidden = hidden.copy()
    up = parent
    while not is_root[up].all():  # pointer doubling
        depth = depth + depth[up]
        list_depth = list_depth + np.where(is_root[up], 0, list_depth[up])
        hidden |= hidden[up]
        up = up[up]
    hidden |= hidden[up]
    order = np.argsort(-depth, kind="stable")
    end = np.arange(1, n + 1)
    levels = np.flatnonzero(np.diff(depth[order])) + 1
    for level in np.split(order, levels)[:-1]:  # deepest first; the last child ends its parent
        end[parent[level]] = end[level]
    return depth, list_depth, hidden, end


def tree_features(
    forest: Forest, opinions: NDArray[np.float32], chars: NDArray[np.float64], repeated: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Features of each marked line's place in its tree.

    Parameters
    ----------
    forest : Forest
    opinions : ndarray of float32, shape (n_marked, 5)
        Stage one's probabilities.
    chars : ndarray of float64, shape (n_marked,)
    repeated : ndarray of float64, shape (n_marked,)
        Whether each line's words stood in the document before.

    Returns
    -------
    ndarray of float32, shape (n_marked, N_TREE)
    """
    tag = forest.tag[forest.above[:4]]
    values = _values(forest, opinions, chars, repeated)
    total = np.maximum(np.bincount(forest.document, chars)[forest.document], 1)
    return side_by_side(
        [
            _places(forest),
            _ancestor_sums(forest, values, total),
            _kind_sums(
                forest, forest.kind[forest.block], forest.kind[forest.parent[forest.block]], values, total
            ),
            _kind_sums(forest, tag[0] * len(TAGS) + tag[1], tag[2] * len(TAGS) + tag[3], values, total),
            _links(forest),
        ]
    )


def _places(forest: Forest) -> NDArray[np.float32]:
    """Read the tags around each line; shape (n_marked, 35)."""
    if _KERNEL is not None:
        places: NDArray[np.float32] = _KERNEL.places(
            forest.above,
            forest.block,
            forest.tag,
            forest.depth,
            forest.list_depth,
            forest.hidden,
            forest.link_share,
            _COLUMN_OF_TAG,
            _BIT_OF_TAG,
            _HEADINGS,
            len(_TAG_COLUMNS),
            len(_LANDMARKS),
        )
        return places
    n = len(forest.rows)
    tag = forest.tag[forest.above]
    block = forest.tag[forest.block]
    features = np.zeros((n, 2 + len(_TAG_COLUMNS) + len(_LANDMARKS) + 4), dtype=np.float32)
    lines = np.arange(n)
    features[:, 0] = 1
    features[:, 1] = forest.link_share
    at = 2 + len(_TAG_COLUMNS)
    named = np.zeros((n, len(_TAG_COLUMNS) + 1), dtype=np.float32)
    named[lines, _COLUMN_OF_TAG[tag[0]]] = 1
    named[lines, _COLUMN_OF_TAG[block]] = 1
    features[:, 2:at] = named[:, :-1]
    landmarks = np.bitwise_or.reduce(_BIT_OF_TAG[tag], axis=0)
    features[:, at : at + len(_LANDMARKS)] = (
        landmarks[:, None] >> np.arange(len(_LANDMARKS), dtype=np.uint32)
    ) & np.uint32(1)
    at += len(_LANDMARKS)
    features[:, at] = _HEADINGS[tag[:4]].max(axis=0)
    features[:, at + 1] = np.minimum(forest.list_depth[forest.element], 4) / 2
    features[:, at + 2] = forest.hidden[forest.element]
    features[:, at + 3] = np.minimum(forest.depth[forest.element], 30) / 10
    return features


def _values(
    forest: Forest, opinions: NDArray[np.float32], chars: NDArray[np.float64], repeated: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give what is summed over lines: one, characters, linked and repeated ones, opinions by characters."""
    if _KERNEL is not None:
        summed: NDArray[np.float64] = _KERNEL.values(chars, forest.link_share, repeated, opinions)
        return summed
    return np.column_stack(
        (
            np.ones(len(chars)),
            chars,
            exact(chars * forest.link_share),
            chars * repeated,
            opinions * chars[:, None],
        )
    )


def _ancestor_sums(
    forest: Forest, values: NDArray[np.float64], total: NDArray[np.float64]
) -> NDArray[np.float32]:
    """For the blocks around each line: size, share of the page, links, repeats and mean opinions inside."""
    start, end = forest.spans
    if _KERNEL is not None:
        width = 5 + _N_OPINIONS
        in_columns = [span * width + i for span in range(N_SPANS) for i in (0, 1)]
        return with_logarithms(
            _KERNEL.span_sums(forest.order, start, end, values, total), in_columns, (1 / 8, 1 / 4) * N_SPANS
        )
    running = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values[forest.order], axis=0, out=running[1:])
    columns = []
    for first, last in zip(start, end, strict=True):
        inside = (running[last] - running[first]).T
        columns += [
            log(1 + inside[1]) / 8,
            log(1 + inside[0]) / 4,
            inside[1] / total,
            *(inside[2:] * (1 / np.maximum(inside[1], 1))),
        ]
    return block_of(columns)


def _links(forest: Forest) -> NDArray[np.float32]:
    """Say what stands between lines, and what links have in common; shape (n_marked, 8 + N_KINDS + 5)."""
    targets = forest.targets
    if _LINK_KERNEL is not None:
        unfinished = _LINK_KERNEL.links(
            forest.link,
            forest.between,
            forest.document,
            targets.kind,
            targets.host_share,
            targets.batch.word_ends,
        )
        at = 8 + N_KINDS
        return with_logarithms(unfinished, (*range(8), at + 2, at + 4), (*(1 / 2,) * 8, 1, 1 / 2))
    kind = targets.kind[forest.link]
    between = log(1 + forest.between) / 2
    is_last = np.append(forest.document[1:] != forest.document[:-1], True)
    after = np.where(is_last[:, None], 0, np.roll(between, -1, axis=0))
    linked = kind > 0
    same = np.zeros(len(kind) + 1, dtype=bool)
    same[1:-1] = (forest.link[1:] == forest.link[:-1]) & linked[1:]
    lines_of_link = np.bincount(forest.link)[forest.link]
    return block_of(
        (
            *between.T,
            *after.T,
            *(kind == i for i in range(N_KINDS)),
            same[:-1],
            same[1:],
            np.where(linked, log(lines_of_link), 0),
            targets.host_share[forest.link],
            log(1 + targets.n_words[forest.link]) / 2,
        )
    )


def _kind_sums(
    forest: Forest,
    own: NDArray[np.int64],
    outer: NDArray[np.int64],
    values: NDArray[np.float64],
    total: NDArray[np.float64],
) -> NDArray[np.float32]:
    """For the lines of one document that stand in like elements: how many, how long, links, mean opinions."""
    if _KERNEL is not None:
        key = _KERNEL.place_keys(own, outer, forest.document)
        return with_logarithms(_KERNEL.kind_sums(key, np.argsort(key), values, total), (0, 1), (1 / 4, 1 / 4))
    key = mix(
        mix(own.astype(np.uint64) * SPREAD + outer.astype(np.uint64)) + forest.document.astype(np.uint64)
    )
    _, kind = np.unique(key, return_inverse=True)
    sums = np.stack([np.bincount(kind, column) for column in values.T])
    share = 1 / np.maximum(sums[1], 1)
    figures = np.stack(
        (
            log(1 + sums[0]) / 4,
            log(1 + sums[1] / sums[0]) / 4,
            sums[2] * share,
            *(sums[4:] * share),
        )
    )
    return block_of((*figures[:, kind], sums[1, kind] / total))
