"""HTML in, lines and :class:`~boilerplate_ds.document.Markup` out, in one pass over the tree.

The tree is lexbor's (through selectolax): a conforming HTML5 parser in C, so unclosed and misnested tags
come out as a browser would read them. A block element or ``<br>`` ends a line. ``<noscript>`` is read
(forums put whole threads there); scripts, styles, drawings and form fields are not. Pages that show next
to no text fall back to their description (``docs/decisions/0003-html-walk.md``).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from selectolax.lexbor import LexborHTMLParser

from boilerplate_ds.document import Document, Markup, sha256_of_lines
from boilerplate_ds.errors import SourceError
from boilerplate_ds.sources.html_tags import BLOCK_TAGS, TAG_IDS, TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from selectolax.lexbor import LexborNode

MAX_HTML_BYTES = 32 * 2**20
"""Pages over this size are refused: the tree of a page takes some ten times its size in memory."""
MAX_ELEMENTS = 1_000_000
"""Pages with more elements than this are refused."""
MAX_DEPTH = 5_000
"""Pages nested deeper than this are refused: parsing time grows with its square. Chromium stops at 512."""
SHELL_CHARACTERS = 300
"""A page that shows fewer characters than this is a shell; its description stands in."""

_SKIPPED = frozenset((
    "script", "style", "svg", "math", "template", "object", "embed", "canvas", "select", "textarea",
    "datalist", "map", "head", "link", "base", "param",
))  # fmt: skip
_ATTRIBUTES = ("class", "id", "role", "itemprop", "rel", "aria-label")
_HIDING = frozenset(("hidden", "aria-hidden", "style"))
_READ = _HIDING.union(_ATTRIBUTES)
_DESCRIPTIONS = frozenset(("description", "og:description", "twitter:description"))
_TAG = re.compile(r"<(?:!--|(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9-]*)[^<>]*?(?P<empty>/?)(?:>|(?=<)|\Z))")
_RAW = {
    name: re.compile(f"</{name}", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "iframe")
}
_RAW["!--"] = re.compile("-->")
# elements that have no end tag or are closed by their next sibling
_UNNESTED = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr", "a", "p", "li", "dt", "dd", "td", "th", "tr", "option",
))  # fmt: skip
_N_TAGS = len(TAGS)
_IS_BLOCK = np.array([name in BLOCK_TAGS for name in TAGS])
_TITLE, _PRE, _LINK, _BREAK = (TAG_IDS[name] for name in ("title", "pre", "a", "br"))
_TEXT, _OTHER, _SKIP = _N_TAGS, _N_TAGS + 1, _N_TAGS + 2
_CODES: dict[str | None, int] = {
    "-text": _TEXT,
    **dict.fromkeys(("-comment", "-doctype", "!doctype", "-document", "#document", "-undef", None), _OTHER),
    **TAG_IDS,
    **dict.fromkeys(_SKIPPED, _SKIP),
}
_BARE = frozenset((  # hold no text of a line, so what they are for says nothing
    "img", "br", "hr", "wbr", "input", "source", "meta", "link", "script", "style", "path", "g", "rect",
    "circle", "use", "polygon", "line", "stop", "defs", "svg", "track", "ellipse", "polyline", "template",
))  # fmt: skip
_LINE_END, _PRE_BREAK = "\x1e", "\x1f"
"""Marks put between texts; both are white space to ``str.split``, so no line can hold them."""


@dataclass(frozen=True, slots=True)
class _Tree:
    """A tree in document order: its elements, and its texts between them.

    Parameters
    ----------
    tag, parent, attribute, hidden : ndarray, shape (n_elements,)
        As in :class:`~boilerplate_ds.document.Markup`.
    attributes : tuple of str
    block : ndarray of int64, shape (n_elements,)
        The nearest block around each element, itself included.
    skipped, in_link, in_pre : ndarray of bool, shape (n_elements,)
        What an element and all inside it are.
    texts : list of str
    holder : ndarray of int64, shape (n_texts,)
        The element that holds each text.
    before : ndarray of int64, shape (n_texts,)
        How many elements start before each text.
    """

    tag: NDArray[np.int16]
    parent: NDArray[np.int32]
    attribute: NDArray[np.int32]
    hidden: NDArray[np.bool_]
    attributes: tuple[str, ...]
    block: NDArray[np.int64]
    skipped: NDArray[np.bool_]
    in_link: NDArray[np.bool_]
    in_pre: NDArray[np.bool_]
    texts: list[str]
    holder: NDArray[np.int64]
    before: NDArray[np.int64]


def _read_tree(root: LexborNode) -> _Tree:
    """Read a tree into arrays: the only pass that handles one node at a time."""
    index: dict[int, int] = {}
    codes: list[int] = []
    parents: list[int] = []
    distinct: dict[str, int] = {"": 0}
    attribute: list[int] = []
    hiding: list[int] = []
    texts: list[str] = []
    holder: list[int] = []
    before: list[int] = []
    for node in root.traverse(include_text=True):
        tag = node.tag
        code = _CODES.get(tag, 0)
        if code == _TEXT:
            texts.append(node.text_content or "")
            holder.append(index.get(node.parent.mem_id, 0))  # type: ignore[union-attr]
            before.append(len(codes))
        elif code != _OTHER:
            own = len(codes)
            index[node.mem_id] = own
            parents.append(index.get(node.parent.mem_id, 0) if own else 0)  # type: ignore[union-attr]
            codes.append(code)
            number = 0
            if tag not in _BARE and (given := node.attributes):
                wanted = _READ & given.keys()
                if wanted:
                    joined = " ".join([value for name in _ATTRIBUTES if (value := given.get(name))])
                    number = distinct.setdefault(joined, len(distinct))
                    if wanted & _HIDING and _is_hidden(given):
                        hiding.append(own)
            attribute.append(number)
    if len(codes) > MAX_ELEMENTS:
        raise SourceError(f"HTML of more than {MAX_ELEMENTS:,} elements")
    code = np.array(codes, dtype=np.int16)
    parent = np.array(parents, dtype=np.int32)
    tag = np.where(code == _SKIP, 0, code).astype(np.int16)
    hidden = np.zeros(len(code), dtype=bool)
    hidden[hiding] = True
    is_block = _IS_BLOCK[tag]
    nearest = np.where(is_block, np.arange(len(tag)), parent)
    flags = np.stack((code == _SKIP, tag == _TITLE, tag == _LINK, tag == _PRE))
    up = parent
    while up.any():  # pointer doubling: in each round all know of twice as many ancestors
        nearest = np.where(is_block, nearest, nearest[nearest])
        flags |= flags[:, up]
        up = up[up]
    return _Tree(
        tag=tag,
        parent=parent,
        attribute=np.array(attribute, dtype=np.int32),
        hidden=hidden,
        attributes=tuple(distinct),
        block=nearest,
        skipped=flags[0] | flags[1],
        in_link=flags[2],
        in_pre=flags[3],
        texts=texts,
        holder=np.array(holder, dtype=np.int64),
        before=np.array(before, dtype=np.int64),
    )


def _is_hidden(given: dict[str, str | None]) -> bool:
    style = given.get("style")
    return (
        "hidden" in given
        or given.get("aria-hidden") == "true"
        or (style is not None and ("display:none" in style or "display: none" in style))
    )


def _lines(tree: _Tree) -> tuple[list[str], NDArray[np.int64], NDArray[np.float32]]:
    """Join texts to lines.

    A line ends where a block or ``<br>`` starts between two texts, and where the block around the text is
    another one than before.

    Returns
    -------
    lines : list of str
    holder : ndarray of int64, shape (n_lines,)
        The element that holds the first text of each line.
    link_share : ndarray of float32, shape (n_lines,)
    """
    read = np.flatnonzero(~tree.skipped[tree.holder])
    if not len(read):
        return [], read, np.zeros(0, dtype=np.float32)
    holder = tree.holder[read]
    texts = [tree.texts[i] for i in read.tolist()]
    linked = tree.in_link[holder]
    breaks = np.concatenate(([0], np.cumsum(_IS_BLOCK[tree.tag] | (tree.tag == _BREAK))))[tree.before[read]]
    links = np.concatenate(([0], np.cumsum(tree.tag == _LINK)))[tree.before[read]]
    block = tree.block[holder]
    starts = np.ones(len(read), dtype=bool)
    starts[1:] = (breaks[1:] != breaks[:-1]) | (block[1:] != block[:-1])
    # two links without a space between them are two words
    apart = np.zeros(len(read), dtype=bool)
    apart[1:] = linked[:-1] & (links[1:] != links[:-1])
    for i in np.flatnonzero(tree.in_pre[holder]).tolist():
        texts[i] = texts[i].replace("\n", _PRE_BREAK)
    mark = [
        _LINE_END if s else " " if a else "" for s, a in zip(starts.tolist(), apart.tolist(), strict=True)
    ]
    size = np.fromiter((len(text.strip()) for text in texts), np.int64, len(texts))
    line_of = np.cumsum(starts) - 1
    total = np.bincount(line_of, size)
    share = np.bincount(line_of, size * linked) / np.maximum(total, 1)
    raw = "".join(chain.from_iterable(zip(mark, texts, strict=True))).split(_LINE_END)[1:]
    first = holder[starts]
    lines: list[str] = []
    rows: list[int] = []
    for row in np.flatnonzero(total).tolist():
        parts = _split_pre(raw[row]) if _PRE_BREAK in raw[row] else [" ".join(raw[row].split())]
        lines += parts
        rows += [row] * len(parts)
    chosen = np.array(rows, dtype=np.int64)
    return lines, first[chosen], share[chosen].astype(np.float32)


def _split_pre(raw: str) -> list[str]:
    """Lines of preformatted text: leading spaces stay."""
    return [line for part in raw.split(_PRE_BREAK) if (line := part.replace("\n", " ").rstrip()).strip()]


def document_from_html(html: str | bytes, **fields: Any) -> Document:
    """Turn one page of HTML into a :class:`~boilerplate_ds.document.Document` with markup.

    Parameters
    ----------
    html : str or bytes
        The page; bytes are decoded by their BOM, their ``<meta>`` charset, or detection.
    **fields
        Further fields of the document; ``id`` defaults to the start of the text's SHA-256.

    Raises
    ------
    SourceError
        If the page is over :data:`MAX_HTML_BYTES`, has more than :data:`MAX_ELEMENTS` elements or nests them
        deeper than :data:`MAX_DEPTH`.
    """
    if len(html) > MAX_HTML_BYTES:
        raise SourceError(f"HTML of {len(html):,} bytes; the limit is {MAX_HTML_BYTES:,}")
    if isinstance(html, bytes):
        from boilerplate_ds.sources.encoding import decode_html

        html = decode_html(html)
    _check_depth(html)
    parser = LexborHTMLParser(
        html.replace(_LINE_END, " ").replace(_PRE_BREAK, " ").encode("utf-8", "replace")
    )
    if parser.root is None:
        return Document(lines=(), **{"id": sha256_of_lines(())[:16], **fields})
    tree = _read_tree(parser.root)
    lines, element, link_share = _lines(tree)
    markup = Markup(
        element=element.astype(np.int32),
        block=tree.block[element].astype(np.int32),
        link_share=link_share,
        parent=tree.parent,
        tag=tree.tag,
        attribute=tree.attribute,
        attributes=tree.attributes,
        hidden=tree.hidden,
        title=_title(tree),
    )
    if sum(map(len, lines)) < SHELL_CHARACTERS:
        lines, markup = _with_description(parser, lines, markup)
    fields.setdefault("id", sha256_of_lines(lines)[:16])
    return Document(lines=tuple(lines), markup=markup, **fields)


def _title(tree: _Tree) -> str:
    in_title = np.flatnonzero(tree.tag[tree.holder] == _TITLE)
    return " ".join(tree.texts[in_title[0]].split()) if len(in_title) else ""


def _check_depth(html: str) -> None:
    """Refuse a page that opens far more elements than it closes, before the parser has to read it."""
    if html.count("<") <= 4 * MAX_DEPTH:  # the parser's worst on so few tags is a fraction of a second
        return
    depth = position = 0
    in_drawing = False
    while tag := _TAG.search(html, position):
        position = tag.end()
        name = tag["name"].lower() if tag["name"] else "!--"
        if name in _RAW and not tag["end"]:
            closing = _RAW[name].search(html, position)
            if closing is None:
                return
            position = closing.end()
        elif name in ("svg", "math"):
            in_drawing = not tag["end"]
        elif name not in _UNNESTED and not (in_drawing and tag["empty"] and name not in TAG_IDS):
            depth = max(0, depth - 1) if tag["end"] else depth + 1
            if depth > MAX_DEPTH:
                raise SourceError(f"HTML nested deeper than {MAX_DEPTH:,} elements")


def _with_description(parser: LexborHTMLParser, lines: list[str], markup: Markup) -> tuple[list[str], Markup]:
    """Add what a shell page says of itself: JSON-LD ``articleBody``, else its longest description."""
    described = max(_descriptions(parser), key=len, default="")
    added = [line for raw in described.splitlines() if (line := " ".join(raw.split())) and line not in lines]
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
        title=markup.title,
    )


def _descriptions(tree: LexborHTMLParser) -> Iterator[str]:
    for meta in tree.css("meta[content]"):
        given = meta.attributes
        if (given.get("name") or given.get("property") or "").lower() in _DESCRIPTIONS:
            yield given.get("content") or ""
    for script in tree.css('script[type="application/ld+json"]'):
        try:
            yield from _article_bodies(json.loads(script.text()))
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
