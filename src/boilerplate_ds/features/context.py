"""Features of each line in its document: what the second stage reads.

Shape, position, repetition, what the page is about, the first stage's opinions around the line, and, where
there is markup, the element tree. Sums run over windows, over the document from both ends, over ancestors
and over lines of the same signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.features import lines as c
from boilerplate_ds.features.lines import mix
from boilerplate_ds.features.markup_tokens import ancestors
from boilerplate_ds.sources.html_tags import TAG_IDS, TAGS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boilerplate_ds.document import Markup
    from boilerplate_ds.features.lines import LineBatch

    Block = NDArray[np.floating[Any]]

WINDOWS = (2, 6, 20)
"""Half widths, in lines, of the windows that opinions are averaged over."""
ANCESTOR_HEIGHTS = (1, 2, 3, 4, 6)
_TAG_COLUMNS = (
    "p",
    "li",
    "a",
    "span",
    "div",
    "td",
    "button",
    "h1",
    "h2",
    "h3",
    "h4",
    "figcaption",
    "pre",
    "label",
    "time",
    "meta",
)
_LANDMARKS = (
    "nav",
    "header",
    "footer",
    "aside",
    "main",
    "article",
    "section",
    "form",
    "table",
    "ul",
    "noscript",
    "figure",
    "blockquote",
)
_HEADINGS = np.zeros(len(TAGS), dtype=np.float32)
for _level in range(1, 7):
    _HEADINGS[TAG_IDS[f"h{_level}"]] = 1 - _level / 8
_LIST = np.isin(np.arange(len(TAGS)), [TAG_IDS["ul"], TAG_IDS["ol"], TAG_IDS["dl"]])


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


def probabilities(opinions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Four class probabilities from the answers to stage one's two questions; shape (n_lines, 4)."""
    content = 1 / (1 + np.exp(-np.clip(opinions[:, :1], -15, 15)))
    kinds = np.exp(np.clip(opinions[:, 1:], -15, 15))
    return np.concatenate((content, (1 - content) * kinds / kinds.sum(axis=1, keepdims=True)), axis=1)


def context_features(
    batch: LineBatch, text_opinions: NDArray[np.float32], markup_opinions: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Everything the second stage reads of each line.

    Parameters
    ----------
    batch : LineBatch
    text_opinions, markup_opinions : ndarray of float32, shape (n_lines, 4)
        Of the two linear models; rows of the second are zero where a document has no markup.

    Returns
    -------
    ndarray of float32, shape (n_lines, N_CONTEXT)
    """
    by_document = _Segments(batch.ends)
    with_markup = batch.has_markup
    shape = line_shape(batch)
    chars = batch.length.astype(np.float64)
    text = probabilities(text_opinions)
    both = np.where(with_markup[:, None], probabilities(text_opinions + markup_opinions), text)
    blocks: list[Block] = [
        shape,
        np.clip(text_opinions, -6, 6) / 2,
        np.clip(markup_opinions, -6, 6) / 2,
        both,
        _position(by_document, chars),
        _repetition(batch, by_document),
        _aboutness(batch, by_document, both[:, 0], chars),
        _around(by_document, both, chars, shape),
        _tree_features(batch, both, chars),
    ]
    return np.concatenate(blocks, axis=1, dtype=np.float32)


class _Segments:
    """Running sums that stop at the ends of documents."""

    def __init__(self, ends: NDArray[np.int64]) -> None:
        self.ends = ends
        sizes = np.diff(ends)
        self.document = np.repeat(np.arange(len(sizes)), sizes)
        self.first = np.repeat(ends[:-1], sizes)
        self.last = np.repeat(ends[1:], sizes)
        self.line = np.arange(len(self.first))

    def running(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum all rows before each, from the start of the batch; one row longer than ``values``."""
        sums = np.zeros((len(values) + 1, *values.shape[1:]))
        np.cumsum(values, axis=0, out=sums[1:])
        return sums

    def total(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each line's document's sum."""
        sums = self.running(values)
        return sums[self.last] - sums[self.first]

    def window(self, sums: NDArray[np.float64], before: int, after: int) -> NDArray[np.float64]:
        """Sum a window around each line, cut at the document's ends; ``sums`` are from :meth:`running`."""
        return (
            sums[np.minimum(self.line + after + 1, self.last)]
            - sums[np.maximum(self.line - before, self.first)]
        )


def _position(by: _Segments, chars: NDArray[np.float64]) -> NDArray[np.float32]:
    size = (by.last - by.first).astype(np.float64)
    before = by.running(chars)
    total = by.total(chars)
    done = before[:-1] - before[by.first]
    index = by.line - by.first
    columns = (
        index / size,
        done / np.maximum(total, 1),
        np.log1p(index) / 4,
        np.log1p(size - 1 - index) / 4,
        np.log1p(size) / 4,
        np.log1p(total) / 8,
        np.log1p(total / size) / 4,
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _repetition(batch: LineBatch, by: _Segments) -> NDArray[np.float32]:
    """How often a line's words stand in its document as a line, whether before and how near."""
    n = batch.n_lines
    key = mix(batch.line_hash + batch.document.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    order = np.argsort(key, kind="stable")
    same = np.zeros(n, dtype=bool)
    same[1:] = key[order][1:] == key[order][:-1]
    group = np.cumsum(~same) - 1
    count = np.bincount(group)[group] if n else np.zeros(0)
    gap_back = np.full(n, np.inf)
    gap_back[order[1:]] = np.where(same[1:], order[1:] - order[:-1], np.inf)
    gap_next = np.full(n, np.inf)
    gap_next[order[:-1]] = np.where(same[1:], order[1:] - order[:-1], np.inf)
    repeats = np.zeros(n)
    repeats[order] = count
    is_repeated = (repeats > 1).astype(np.float64)
    sums = by.running(is_repeated)
    near = by.window(sums, 4, 4) / by.window(by.running(np.ones(n)), 4, 4)
    columns = (
        np.log(np.maximum(repeats, 1)),
        np.isfinite(gap_back),
        np.isfinite(gap_next),
        1 / gap_back,
        1 / gap_next,
        near,
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _aboutness(
    batch: LineBatch, by: _Segments, content: NDArray[np.float32], chars: NDArray[np.float64]
) -> NDArray[np.float32]:
    """How far a line's words are those of the page's likely content elsewhere, and of its title."""
    n = batch.n_lines
    line = batch.word_line
    rare = np.log1p(batch.word_length)  # long words tell more
    slot, n_slots = _word_slots(batch)
    mass = (content * np.minimum(chars, 400) / 100)[line]
    table = np.bincount(slot, mass, minlength=n_slots)
    seen = np.bincount(slot, minlength=n_slots)
    weight = np.maximum(np.bincount(line, rare, minlength=n), 1e-6)
    elsewhere = np.bincount(line, rare * np.log1p(np.maximum(table[slot] - mass, 0)), minlength=n) / weight
    often = np.bincount(line, rare * np.log1p(seen[slot] - 1), minlength=n) / weight
    in_title = np.bincount(line, rare * _in_titles(batch), minlength=n) / weight
    page = by.total(elsewhere * chars) / np.maximum(by.total(chars), 1)
    columns = (elsewhere, elsewhere - page, often, in_title, in_title > 0.8)
    return np.stack(columns, axis=1).astype(np.float32)


def _word_slots(batch: LineBatch) -> tuple[NDArray[np.int64], int]:
    """Give each word a slot in its document's own hash table, four times as large as the document has words.

    A table of its own, so that a document is read the same in any company.
    """
    document = batch.document[batch.word_line]
    n_words = np.bincount(document, minlength=len(batch.documents))
    bits = np.ceil(np.log2(np.maximum(n_words, 16))).astype(np.int64) + 2
    offset = np.concatenate(([0], np.cumsum(1 << bits)))
    inside = batch.word_hash >> (64 - bits).astype(np.uint64)[document]
    return offset[document] + inside.view(np.int64), int(offset[-1])


def _in_titles(batch: LineBatch) -> NDArray[np.float64]:
    """Whether each word stands in its page's title; zeros where there is none."""
    from boilerplate_ds.document import Document

    titles = [
        document.markup.title[:500] if document.markup is not None else "" for document in batch.documents
    ]
    if not any(titles):
        return np.zeros(len(batch.word_line))
    words = type(batch).of([Document(id="", lines=(title,)) for title in titles])
    spread = np.uint64(0x9E3779B97F4A7C15)
    known = words.word_hash + words.document[words.word_line].astype(np.uint64) * spread
    asked = batch.word_hash + batch.document[batch.word_line].astype(np.uint64) * spread
    return np.isin(asked, known).astype(np.float64)


def _around(
    by: _Segments, opinions: NDArray[np.float32], chars: NDArray[np.float64], shape: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Opinions of the lines before and after, in windows and as running sums from both ends."""
    weight: NDArray[np.float64] = np.minimum(chars, 600.0)
    content: NDArray[np.float64] = opinions[:, 0] * weight
    weighted = np.column_stack((weight, opinions * weight[:, None]))
    sums = by.running(weighted)
    columns = []
    for width in WINDOWS:
        for before, after in ((width, -1), (-1, width)):
            part = by.window(sums, before, after)
            columns.append(part[:, 1:] / np.maximum(part[:, :1], 1))
            columns.append(np.log1p(part[:, :1]) / 8)
    running = by.running(content)
    total = np.maximum(running[by.last] - running[by.first], 1e-6)
    done = running[:-1] - running[by.first]
    long_text = by.running(content * (shape[:, 28] > 0))
    prose = np.maximum(long_text[by.last] - long_text[by.first], 1e-6)
    prose_done = long_text[:-1] - long_text[by.first]
    expected = running[by.last] - running[by.first]
    columns.append(
        np.column_stack(
            (
                done / total,
                np.log1p(done) / 8,
                np.log1p(np.maximum(total - done - content, 0)) / 8,
                prose_done / prose,
                np.log1p(prose) / 8,
                expected / np.maximum(by.total(weight), 1),
                opinions[:, 0] - columns[0][:, 0],
                opinions[:, 0] - columns[2][:, 0],
            )
        )
    )
    return np.concatenate(columns, axis=1).astype(np.float32)


N_CONTEXT = 180
_N_TREE = 2 + len(_TAG_COLUMNS) + len(_LANDMARKS) + 4 + 8 * len(ANCESTOR_HEIGHTS) + 8


def _tree_features(
    batch: LineBatch, opinions: NDArray[np.float32], chars: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Features of the element tree, zero for documents without markup."""
    features = np.zeros((batch.n_lines, _N_TREE), dtype=np.float32)
    for index, document in enumerate(batch.documents):
        rows = slice(batch.ends[index], batch.ends[index + 1])
        if document.markup is not None and rows.stop > rows.start:
            features[rows] = _tree(document.markup, opinions[rows], chars[rows])
    return features


def _tree(markup: Markup, opinions: NDArray[np.float32], chars: NDArray[np.float64]) -> NDArray[np.float32]:
    """Tree features of one document; shape (n_lines, _N_TREE)."""
    n = len(chars)
    above = ancestors(markup)
    tag = markup.tag[above]
    present = np.zeros((n, len(TAGS)), dtype=bool)
    depth, list_depth, hidden = _inherited(markup)
    for row in range(len(above)):
        present[np.arange(n), tag[row]] = True
    nearest = tag[0]
    block = markup.tag[markup.block]
    columns = [
        np.ones(n),
        markup.link_share,
        *((nearest == TAG_IDS[name]) | (block == TAG_IDS[name]) for name in _TAG_COLUMNS),
        *(present[:, TAG_IDS[name]] for name in _LANDMARKS),
        _HEADINGS[tag[:4]].max(axis=0),
        np.minimum(list_depth[markup.element], 4) / 2,
        hidden[markup.element],
        np.minimum(depth[markup.element], 30) / 10,
        *_ancestor_sums(markup, opinions, chars),
        *_signature_sums(markup, opinions, chars),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _inherited(markup: Markup) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Depth, list depth and hiddenness of every element, its ancestors counted; by pointer doubling."""
    parent = markup.parent.astype(np.int64)
    depth = (np.arange(len(parent)) > 0).astype(np.int64)
    list_depth = _LIST[markup.tag].astype(np.int64)
    hidden = markup.hidden.copy()
    while parent.any():
        depth += depth[parent]
        list_depth += np.where(parent > 0, list_depth[parent], 0)
        hidden |= hidden[parent]
        parent = parent[parent]
    return depth, list_depth, hidden


def _ancestor_sums(
    markup: Markup, opinions: NDArray[np.float32], chars: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """For the blocks around each line: size, share of the page, link share and mean opinion inside."""
    total = max(chars.sum(), 1)
    values = np.column_stack(
        (np.ones(len(chars)), chars, chars * markup.link_share, opinions * chars[:, None])
    )
    columns: list[NDArray[np.float64]] = []
    element = markup.block
    height = 0
    for wanted in ANCESTOR_HEIGHTS:
        while height < wanted:
            element = markup.parent[element]
            height += 1
        inside = _subtree_sums(markup, element, values)
        size = np.maximum(inside[:, 1], 1)
        columns += [
            np.log1p(inside[:, 1]) / 8,
            np.log1p(inside[:, 0]) / 4,
            inside[:, 1] / total,
            inside[:, 2] / size,
        ]
        columns += list((inside[:, 3:] / size[:, None]).T)
    return columns


def _subtree_sums(
    markup: Markup, element: NDArray[np.int32], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum all lines inside ``element``: elements are in document order, so a subtree is a range."""
    order = np.argsort(markup.element, kind="stable")
    of_line = markup.element[order]
    running = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values[order], axis=0, out=running[1:])
    first = np.searchsorted(of_line, element, side="left")
    end = np.searchsorted(of_line, markup.subtree_end[element], side="left")
    return running[end] - running[first]


def _signature_sums(
    markup: Markup, opinions: NDArray[np.float32], chars: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """For lines in elements of the same tag and attributes: how many, how long, how linked, mean opinion."""
    names: dict[tuple[int, str, int, str], int] = {}
    tags, attributes = markup.tag.tolist(), markup.attributes
    parents = markup.parent.tolist()
    kind = np.fromiter(
        (
            names.setdefault((tags[e], attributes[e], tags[parents[e]], attributes[parents[e]]), len(names))
            for e in markup.block.tolist()
        ),
        np.int64,
        len(chars),
    )
    count = np.bincount(kind)
    size = np.maximum(np.bincount(kind, chars), 1)
    columns = [
        np.log1p(count[kind]) / 4,
        (np.bincount(kind, chars) / count)[kind] / 100,
        (np.bincount(kind, chars) / max(chars.sum(), 1))[kind],
        (np.bincount(kind, chars * markup.link_share) / size)[kind],
    ]
    columns += [
        (np.bincount(kind, chars * opinions[:, label]) / size)[kind] for label in range(opinions.shape[1])
    ]
    return columns
