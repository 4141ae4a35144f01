"""HTML in, lines and :class:`~boilerplate_ds.document.Markup` out, in one pass over the tree.

The tree is lexbor's (through selectolax): a conforming HTML5 parser in C, so unclosed and misnested tags
come out as a browser would read them. A block element or ``<br>`` ends a line. ``<noscript>`` is read
(forums put whole threads there); scripts, styles, drawings and form fields are not. Pages that show next
to no text fall back to their description (``docs/decisions/0003-html-walk.md``).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from selectolax.lexbor import LexborHTMLParser

from boilerplate_ds.document import Document, Markup, sha256_of_lines
from boilerplate_ds.errors import SourceError
from boilerplate_ds.sources.html_tags import BLOCK_TAGS, TAG_IDS

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_PRE, _LINK, _SKIP = 1, 2, 4  # what text inherits from the elements around it
_BLOCK_STATES = {"pre": _PRE, "title": _SKIP}


class _Walk:
    """Collects lines and elements while the tree is walked in document order."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._line_element: list[int] = []
        self._line_block: list[int] = []
        self._link_share: list[float] = []
        # of the line that is being read
        self._parts: list[str] = []
        self._first = 0
        self._linked = 0
        self._block = 0
        self._was_linked = False  # whether the last text stood in a link
        # of each element
        self._index: dict[int, int] = {}
        self._parent: list[int] = []
        self._tag: list[int] = []
        self._attributes: list[str] = []
        self._hidden: list[bool] = []
        self._inherited: list[int] = []
        self._block_of: list[int] = []
        self._title = ""

    def read(self, node: LexborNode) -> None:
        """Take the next node of the tree; comments and the doctype say nothing."""
        tag = node.tag or ("other" if node.is_element_node else "-")
        up = node.parent
        parent = self._index.get(up.mem_id, 0) if up is not None else 0
        if tag == "-text":
            self._read_text(node, parent)
        elif tag[0] not in "-!#":
            self._read_element(node, tag, parent)

    def _read_text(self, node: LexborNode, parent: int) -> None:
        state = self._inherited[parent]
        if state & _SKIP:
            if self._tag[parent] == TAG_IDS["title"] and not self._title:
                self._title = " ".join((node.text_content or "").split())
            return
        text = node.text_content or ""
        if self._block_of[parent] != self._block:
            self.end_line()
            self._block = self._block_of[parent]
        is_linked = bool(state & _LINK)
        if state & _PRE:
            *ended, text = text.split("\n")
            for part in ended:
                self._add(part, parent, is_linked)
                self.end_line(keep_spaces=True)
        self._was_linked = is_linked
        self._add(text, parent, is_linked)

    def _read_element(self, node: LexborNode, tag: str, parent: int) -> None:
        own = len(self._parent)
        if own >= MAX_ELEMENTS:
            raise SourceError(f"HTML of more than {MAX_ELEMENTS:,} elements")
        self._index[node.mem_id] = own
        self._parent.append(parent)
        self._tag.append(TAG_IDS.get(tag, 0))
        state = self._inherited[parent] if own else 0
        if tag in BLOCK_TAGS:
            self.end_line()
            self._block = own
            self._block_of.append(own)
            state |= _BLOCK_STATES.get(tag, 0)
        else:
            self._block_of.append(self._block_of[parent] if own else 0)
            state |= self._begin_inline(tag, own, state)
        self._inherited.append(state)
        attributes, is_hidden = ("", False) if state & _SKIP else _attributes(node.attributes)
        self._attributes.append(attributes)
        self._hidden.append(is_hidden)

    def _begin_inline(self, tag: str, own: int, state: int) -> int:
        """Do what an inline element's start does to the line; gives what its text inherits from it."""
        if tag == "a":
            if self._was_linked:  # two links without a space between them are two words
                self._add(" ", own, False)
            return _LINK
        if tag == "br":
            self.end_line(keep_spaces=bool(state & _PRE))
        return _SKIP if tag in _SKIPPED else 0

    def _add(self, text: str, element: int, is_linked: bool) -> None:
        if not self._parts:
            self._first = element
        self._parts.append(text)
        if is_linked:
            self._linked += len(text)

    def end_line(self, *, keep_spaces: bool = False) -> None:
        """Close the line that is being read, if there is one."""
        if not self._parts:
            return
        raw = "".join(self._parts)
        line = raw.rstrip() if keep_spaces else " ".join(raw.split())
        if line.strip():
            self.lines.append(line)
            self._line_element.append(self._first)
            self._line_block.append(self._block)
            self._link_share.append(min(1.0, self._linked / len(raw)))
        self._parts.clear()
        self._linked = 0

    def markup(self) -> Markup:
        """Give the elements that were walked, and where in them the lines stand."""
        return Markup(
            element=np.array(self._line_element, dtype=np.int32),
            block=np.array(self._line_block, dtype=np.int32),
            link_share=np.array(self._link_share, dtype=np.float32),
            parent=np.array(self._parent, dtype=np.int32),
            tag=np.array(self._tag, dtype=np.int16),
            attributes=tuple(self._attributes),
            hidden=np.array(self._hidden, dtype=bool),
            title=self._title,
        )


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
    tree = LexborHTMLParser(html.encode("utf-8", "replace"))
    root = tree.root
    walk, markup = _read(root) if root is not None else (_Walk(), None)
    if tree.root is not None and sum(map(len, walk.lines)) < SHELL_CHARACTERS and markup is not None:
        markup = _append_description(tree, walk, markup)
    fields.setdefault("id", sha256_of_lines(walk.lines)[:16])
    return Document(lines=tuple(walk.lines), markup=markup, **fields)


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


def _read(root: LexborNode) -> tuple[_Walk, Markup]:
    walk = _Walk()
    for node in root.traverse(include_text=True):
        walk.read(node)
    walk.end_line()
    return walk, walk.markup()


def _attributes(attributes: dict[str, str | None]) -> tuple[str, bool]:
    """Join the attributes that tell what an element is for, and say whether it is hidden."""
    if not attributes:
        return "", False
    joined = " ".join(value for name in _ATTRIBUTES if (value := attributes.get(name)))
    style = attributes.get("style")
    is_hidden = (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or (style is not None and ("display:none" in style or "display: none" in style))
    )
    return joined, is_hidden


def _append_description(tree: LexborHTMLParser, walk: _Walk, markup: Markup) -> Markup:
    """Add what a shell page says of itself: JSON-LD ``articleBody``, else its longest description."""
    described = max(_descriptions(tree), key=len, default="")
    added = [
        line for raw in described.splitlines() if (line := " ".join(raw.split())) and line not in walk.lines
    ]
    if not added:
        return markup
    walk.lines += added
    element = len(markup.parent)
    n_lines = len(walk.lines)
    return Markup(
        element=np.append(markup.element, [element] * len(added)).astype(np.int32),
        block=np.append(markup.block, [element] * len(added)).astype(np.int32),
        link_share=np.pad(markup.link_share, (0, n_lines - len(markup.link_share))),
        parent=np.append(markup.parent, 0).astype(np.int32),
        tag=np.append(markup.tag, TAG_IDS["meta"]).astype(np.int16),
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
