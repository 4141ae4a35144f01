"""HTML in, lines and :class:`~boilerplate_ds.document.Markup` out.

A block element or ``<br>`` ends a line. ``<noscript>`` is read (forums put whole threads there); scripts,
styles, drawings and form fields are not. Pages that show next to no text fall back to their description
(``docs/decisions/0003-html-walk.md``).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import chain, compress, count
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.compiled import kernel
from boilerplate_ds.document import Document, Markup, sha256_of_lines
from boilerplate_ds.errors import SourceError
from boilerplate_ds.sources.html_tags import BLOCK_TAGS, CONTROLS, LINE_ENDS, PICTURES, TAG_IDS, TAGS
from boilerplate_ds.sources.html_text import LINE_END, PRE_BREAK, UNPRINTABLE, plain, printable, split_pre
from boilerplate_ds.sources.html_tokens import (
    Attributes,
    Hrefs,
    Plan,
    Plans,
    attributes_of,
    name_of,
    split_tags,
    with_end_tags,
)
from boilerplate_ds.sources.html_tree import build_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

MAX_HTML_BYTES = 32 * 2**20
"""Pages over this size are refused: reading one takes some ten times its size in memory."""
MAX_ELEMENTS = 1_000_000
"""Pages with more elements than this are refused."""
SHELL_CHARACTERS = 300
"""A page that shows fewer characters than this is a shell; its description stands in."""

_DESCRIPTIONS = frozenset(("description", "og:description", "twitter:description"))
_SCRIPT = re.compile(r"<script\b([^>]*)>?([^<]*(?:<(?!/script)[^<]*)*)", re.IGNORECASE)
_IS_BLOCK = np.array([name in BLOCK_TAGS for name in TAGS])
_LINK, _PRE = TAG_IDS["a"], TAG_IDS["pre"]
_ENDS_LINE = np.array([name in LINE_ENDS for name in TAGS])
_ENDS_LINK = np.array([name in ("a", "td", "th") for name in TAGS])
_IS_PICTURE = np.zeros(2 * len(TAGS), dtype=bool)  # end tags are negative, and so index the second half
_IS_PICTURE[[TAG_IDS[name] for name in PICTURES]] = True
_IS_CONTROL = np.zeros(2 * len(TAGS), dtype=bool)
_IS_CONTROL[[TAG_IDS[name] for name in CONTROLS]] = True
_KERNEL = kernel("boilerplate_ds.sources.html_kernel")


@dataclass(frozen=True, slots=True)
class _Texts:
    """The texts of a page that may show, in order.

    Parameters
    ----------
    text : list of str
    holder : ndarray of int64, shape (n_texts,)
        The element that holds each text.
    before : ndarray of int64, shape (n_texts, 4)
        How many line ends, pictures, form controls and parts passed over stand before each text.
    n_links : ndarray of int64, shape (n_texts,)
        How many links start before each text.
    link : ndarray of int64, shape (n_texts,)
        The tag that starts the link around each text; -1 for none.
    in_pre : ndarray of bool, shape (n_texts,)
    """

    text: list[str]
    holder: NDArray[np.int64]
    before: NDArray[np.int64]
    n_links: NDArray[np.int64]
    link: NDArray[np.int64]
    in_pre: NDArray[np.bool_]


def _shown_texts(texts: list[str], tags: list[str | None], plans: list[Plan], holder: list[int]) -> _Texts:
    """Leave out texts between two line ends that are white space altogether."""
    signed = np.array([plan[3] for plan in plans], dtype=np.int64)  # end tags are negative
    tag = np.abs(signed)
    n_breaks = _running(_ENDS_LINE[tag])
    passed_over = np.fromiter((tag is None for tag in tags), bool, len(tags))
    counts = [n_breaks, *(_running(seen) for seen in (_IS_PICTURE[signed], _IS_CONTROL[signed], passed_over))]
    used = np.array(list(compress(count(), texts)), dtype=np.int64)
    blank = np.fromiter(map(str.isspace, filter(None, texts)), bool, len(used))
    shown = np.zeros(n_breaks[-1] + 1, dtype=bool)
    shown[n_breaks[used[~blank]]] = True
    used = used[shown[n_breaks[used]]]
    starts_link = signed == _LINK
    return _Texts(
        text=_plain_texts([texts[i] for i in used.tolist()]),
        holder=np.array(holder)[used],
        before=np.stack(counts, axis=1)[used],
        n_links=_running(starts_link)[used],
        link=_opened_by(starts_link, _ENDS_LINK[tag])[used],
        in_pre=_opened_by(signed == _PRE, tag == _PRE)[used] >= 0,
    )


def _plain_texts(texts: list[str]) -> list[str]:
    """Resolve character references and drop what cannot stand in a line."""
    whole = "".join(texts)
    if not whole.isascii() or any(mark in whole for mark in "\0\x1e\x1f"):
        texts = [printable(text) for text in texts] if UNPRINTABLE.search(whole) else texts
    return [plain(text) if "&" in text else text for text in texts] if "&" in whole else texts


def _running(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the flags before each text; there is one text more than tags."""
    counts = np.zeros(len(flags) + 1, dtype=np.int64)
    np.cumsum(flags, out=counts[1:])
    return counts


def _opened_by(opens: NDArray[np.bool_], changes: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give for each text the last of the tags before it that change a state, -1 if that does not open it."""
    last = np.full(len(opens) + 1, -1)
    np.maximum.accumulate(np.where(changes, np.arange(len(opens)), -1), out=last[1:])
    return np.where(np.append(opens, False)[last], last, -1)


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a page.

    Parameters
    ----------
    text : list of str
    holder : ndarray of int64, shape (n_lines,)
        The element that holds the first text of each line.
    link_share : ndarray of float32, shape (n_lines,)
    link : ndarray of int64, shape (n_lines,)
        The tag that starts the first link with text of each line; -1 for none.
    between : ndarray of int32, shape (n_lines, 4)
        As in :class:`~boilerplate_ds.document.Markup`.
    """

    text: list[str]
    holder: NDArray[np.int64]
    link_share: NDArray[np.float32]
    link: NDArray[np.int64]
    between: NDArray[np.int32]


def _lines(texts: _Texts) -> _Lines:
    """Join texts to lines."""
    n = len(texts.text)
    if not n:
        none = np.zeros(0, dtype=np.int64)
        return _Lines([], none, np.zeros(0, np.float32), none, np.zeros((0, 4), np.int32))
    starts = np.ones(n, dtype=bool)
    starts[1:] = texts.before[1:, 0] != texts.before[:-1, 0]
    # two links without a space between them are two words
    apart = np.zeros(n, dtype=bool)
    apart[1:] = (texts.link[:-1] >= 0) & (texts.n_links[1:] != texts.n_links[:-1])
    text = texts.text
    for i in np.flatnonzero(texts.in_pre).tolist():
        text[i] = text[i].replace("\n", PRE_BREAK)
    mark = [
        LINE_END if start else " " if gap else ""
        for start, gap in zip(starts.tolist(), apart.tolist(), strict=True)
    ]
    size = np.array([len(part.strip()) for part in text])
    line_of = np.cumsum(starts) - 1
    total = np.bincount(line_of, size)
    share = np.bincount(line_of, size * (texts.link >= 0)) / np.maximum(total, 1)
    raw = "".join(chain.from_iterable(zip(mark, text, strict=True))).split(LINE_END)[1:]
    lines: list[str] = []
    rows: list[int] = []
    for row in np.flatnonzero(total).tolist():
        parts = split_pre(raw[row]) if PRE_BREAK in raw[row] else [" ".join(raw[row].split())]
        lines += parts
        rows += [row] * len(parts)
    chosen = np.array(rows, dtype=np.int64)
    return _Lines(
        text=lines,
        holder=texts.holder[starts][chosen],
        link_share=share[chosen].astype(np.float32),
        link=_first_links(texts.link, line_of, size)[chosen],
        between=np.diff(texts.before[starts][chosen], axis=0, prepend=0).astype(np.int32),
    )


def _first_links(
    link: NDArray[np.int64], line_of: NDArray[np.int64], size: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Give for each line the link of its first text that stands in one; -1 if none does."""
    first = np.full(int(line_of[-1]) + 1, -1)
    linked = np.flatnonzero((link >= 0) & (size > 0))[::-1]
    first[line_of[linked]] = link[linked]  # of several the last assigned stays: the first in the page
    return first


def _nearest_blocks(
    element: NDArray[np.int32], parent: NDArray[np.int32], tag: NDArray[np.int16]
) -> NDArray[np.int32]:
    block = element
    while not (found := _IS_BLOCK[tag[block]]).all():  # the root is a block
        block = np.where(found, block, parent[block])
    return block


def document_from_html(html: str | bytes | bytearray | memoryview, **fields: Any) -> Document:
    """Turn one page of HTML into a :class:`~boilerplate_ds.document.Document` with markup.

    Parameters
    ----------
    html : str or bytes-like
        The page; bytes are decoded by their BOM, their ``<meta>`` charset, or detection. A BOM is no text.
    **fields
        Further fields of the document; ``id`` defaults to the start of the text's SHA-256.

    Raises
    ------
    SourceError
        If the page is over :data:`MAX_HTML_BYTES` or has more than :data:`MAX_ELEMENTS` elements.
    TypeError
        If ``html`` is neither text nor bytes; a file has to be read first.
    """
    if isinstance(html, bytearray | memoryview):
        html = bytes(html)
    if not isinstance(html, str | bytes):
        raise TypeError(f"a page of HTML is str or bytes, not {type(html).__name__}")
    if len(html) > MAX_HTML_BYTES:
        raise SourceError(f"HTML of {len(html):,} bytes; the limit is {MAX_HTML_BYTES:,}")
    if isinstance(html, bytes):
        from boilerplate_ds.sources.encoding import decode_html

        html = decode_html(html)
    else:
        html = html.removeprefix("\ufeff")
    if "\r" in html:  # a line end, as the HTML standard has it
        html = html.replace("\r\n", "\n").replace("\r", "\n")
    if html[:100].lstrip().startswith("<?xml"):
        html = with_end_tags(html)
    if len(html) > 2 * MAX_ELEMENTS and max(html.count("<"), html.count(">")) > 2 * MAX_ELEMENTS:
        raise SourceError(f"HTML of more than {MAX_ELEMENTS:,} elements")
    lines, markup, tags = _read(html)
    if sum(map(len, lines)) < SHELL_CHARACTERS:
        lines, markup = _with_description(_descriptions(tags, html), lines, markup)
    if "id" not in fields:
        fields["id"] = sha256_of_lines(lines)[:16]
    return Document(lines=tuple(lines), markup=markup, **fields)


def _read(html: str) -> tuple[list[str], Markup, Sequence[str | None]]:
    """Give the lines of a page, their markup, and the tags that tell of it (or all of them)."""
    if _KERNEL is None:
        return _read_purely(html)
    lines, columns, told = _KERNEL.read(str.__str__(html), MAX_ELEMENTS)
    return lines, Markup(**columns, title=_title(told)), told


def _read_purely(html: str) -> tuple[list[str], Markup, Sequence[str | None]]:
    texts, tags = split_tags(html)
    plan_of = Plans()
    plans = [plan_of[tag] for tag in tags]
    tree = build_tree(tags, plans)
    if len(tree.parent) > MAX_ELEMENTS:
        raise SourceError(f"HTML of more than {MAX_ELEMENTS:,} elements")
    lines = _lines(_shown_texts(texts, tags, plans, tree.holder))
    kept = _with_ancestors(lines.holder.tolist(), tree.parent)
    written = [tree.written[own] for own in kept]
    attributes = Attributes()
    said = np.array([attributes[start] for start in written], dtype=np.int64)
    rows = np.array(kept)
    parent = np.searchsorted(rows, np.array(tree.parent)[rows]).astype(np.int32)
    tag = np.array([plan_of[start].tag for start in written], dtype=np.int16)
    own = np.searchsorted(rows, lines.holder).astype(np.int32)
    hrefs = Hrefs()
    link = [hrefs[tags[start]] if start >= 0 else 0 for start in lines.link.tolist()]
    markup = Markup(
        element=own,
        block=_nearest_blocks(own, parent, tag),
        link_share=lines.link_share,
        parent=parent,
        tag=tag,
        attribute=(said >> 1).astype(np.int32),
        attributes=tuple(attributes.distinct),
        hidden=(said & 1).astype(bool),
        link=np.array(link, dtype=np.int32),
        links=tuple(hrefs.distinct),
        between=lines.between,
        title=_title(tags),
    )
    return lines.text, markup, tags


def _title(tags: Iterable[str | None]) -> str:
    for tag in tags:
        if tag is not None and tag[:5].lower() == "title" and len(name_of(tag)) == 5:
            return " ".join(printable(plain(tag.partition(">")[2])).split())
    return ""


def _with_ancestors(elements: Iterable[int], parent: list[int]) -> list[int]:
    """List the root, ``elements`` and all around them in document order: the others hold no line."""
    kept = {0}
    for element in elements:
        own = element
        while own not in kept:
            kept.add(own)
            own = parent[own]
    return sorted(kept)


def _with_description(described: Iterable[str], lines: list[str], markup: Markup) -> tuple[list[str], Markup]:
    """Add what a shell page says of itself: JSON-LD ``articleBody``, else its longest description."""
    longest = printable(max(described, key=len, default=""))
    added = [line for raw in longest.splitlines() if (line := " ".join(raw.split())) and line not in lines]
    if not added:
        return lines, markup
    element = np.full(len(added), len(markup.parent), dtype=np.int32)
    return [*lines, *added], Markup(
        element=np.append(markup.element, element),
        block=np.append(markup.block, element),
        link_share=np.pad(markup.link_share, (0, len(added))),
        parent=np.append(markup.parent, 0).astype(np.int32),
        tag=np.append(markup.tag, TAG_IDS["meta"]).astype(np.int16),
        attribute=np.append(markup.attribute, len(markup.attributes)).astype(np.int32),
        attributes=(*markup.attributes, "description"),
        hidden=np.append(markup.hidden, False),
        link=np.pad(markup.link, (0, len(added))),
        links=markup.links,
        between=np.pad(markup.between, ((0, len(added)), (0, 0))),
        title=markup.title,
    )


def _descriptions(tags: Iterable[str | None], html: str) -> Iterator[str]:
    for tag in tags:
        if tag and tag[:4].lower() == "meta" and len(name_of(tag)) == 4:
            given = attributes_of(tag[4:])
            if (given.get("name") or given.get("property") or "").lower() in _DESCRIPTIONS:
                yield given.get("content", "")
    for script in _SCRIPT.finditer(html):
        if "ld+json" in script[1]:
            try:
                yield from _article_bodies(json.loads(script[2]))
            except (ValueError, RecursionError):
                continue  # other people's broken JSON-LD is not an error of the page's text


def _article_bodies(data: object, depth: int = 0) -> Iterator[str]:
    """Every ``articleBody`` in JSON-LD, however it is wrapped."""
    if depth > 8:
        return
    if isinstance(data, dict):
        if isinstance(body := data.get("articleBody"), str):
            yield body
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            yield from _article_bodies(item, depth + 1)
