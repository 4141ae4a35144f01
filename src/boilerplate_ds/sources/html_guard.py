r"""Pages that would hang or fill the parser, rewritten so that they can't.

HTML5 parsing as browsers specify it is not linear. Four things in a small page cost time or memory without
bound: nesting (each block looks up the stack for an open ``<p>``), formatting elements that are not closed
(``<font>`` is opened again in each block that follows), attributes (those of one tag are compared pairwise)
and options (each looks at its siblings). Lexbor has no limits of its own.

:func:`harmless` tells such pages by counts that no page can evade, since they count occurrences in the source
and not what a parser would make of them. Nearly all pages pass unchanged. The others are tokenized as the
standard says (https://html.spec.whatwg.org/multipage/parsing.html#tokenization) and written anew from the
tags that lines and markup need: well nested, at most :data:`MAX_DEPTH` deep, without formatting elements,
options and drawings. The parser then reads tags that were all counted here.
"""

from __future__ import annotations

import re
from collections import defaultdict

from boilerplate_ds.errors import SourceError
from boilerplate_ds.sources.html_tags import BLOCK_TAGS

MAX_DEPTH = 400
"""Elements below this depth are left out of a page that is rewritten, their text is not. Chromium: 512."""
MAX_TAGS = 1_000_000
"""Pages with more tags than this are refused."""
SAFE_TAGS = 20_000
"""With so few, even the deepest nesting is parsed in half a second."""
SAFE_OPTIONS = 2_000
SAFE_REOPENED = 400_000
"""How many elements a page may be able to make out of formatting elements that stay open."""
SAFE_ATTRIBUTES = 500
"""How many attributes one tag may have."""
SAFE_CHARACTERS = 128_000
"""In a page so small, the attributes of one tag are read in a second or so, however many."""

_FORMATTING = frozenset((
    "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
))  # fmt: skip
_VOID = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
))  # fmt: skip
_RAW = frozenset(("script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp"))
_UNREAD = frozenset(("svg", "math", "select", "datalist", "template"))
_ONCE = frozenset(("html", "head", "body"))
_LEFT_OUT = _FORMATTING | {"frameset", "frame", "option", "optgroup", "plaintext"}
_BARRIERS = frozenset(("table", "td", "th", "caption", "object", "applet", "marquee"))
"""An end tag outside of these closes nothing inside."""
_ENDS_UNREAD = BLOCK_TAGS - _LEFT_OUT
_TABLE = frozenset(("table", "caption", "colgroup", "tbody", "thead", "tfoot", "tr", "td", "th"))
_CELLS = frozenset(("td", "th"))
_ROWS = _CELLS | {"tr"}
_SECTIONS = _ROWS | {"tbody", "thead", "tfoot", "caption", "colgroup"}
_CLOSED_BY: dict[str, frozenset[str]] = {
    "li": frozenset(("li",)),
    **dict.fromkeys(("dd", "dt"), frozenset(("dd", "dt"))),
    **dict.fromkeys(("td", "th"), _CELLS),
    "tr": _ROWS,
    **dict.fromkeys(("tbody", "thead", "tfoot"), _SECTIONS),
    "a": frozenset(("a",)),
    "button": frozenset(("button",)),
}
"""Which open elements a start tag ends."""
_STOPS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("li", "dd", "dt"), frozenset(("ul", "ol", "menu", "dl", "table", "td", "th"))),
    **dict.fromkeys(("td", "th", "tr", "tbody", "thead", "tfoot"), frozenset(("table",))),
}
"""Where looking for them ends."""
_LOOKED_UP = 12

_KEPT_ATTRIBUTES = frozenset((
    "class", "id", "role", "itemprop", "rel", "aria-label", "hidden", "aria-hidden", "style",
    "name", "property", "content",
))  # fmt: skip

_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}")
_MARK = re.compile(r"<(?:(?P<comment>!--)|(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*)|(?P<bogus>[!?/]))")
_COMMENT = re.compile(r"-?>|.*?(?:--!?>|\Z)", re.DOTALL)
_ATTRIBUTE = re.compile(
    r"[\s/]*([^\s/>][^\s/>=]*)(?:\s*=\s*(?:\"([^\"]*)(?:\"|\Z)|'([^']*)(?:'|\Z)|([^\s\"'>][^\s>]*)|))?"
)
_TAG_END = re.compile(r"[\s/]*(>|\Z)")
# what a page could do at most, told by its source alone
_REOPENING = re.compile(rf"<(?:{'|'.join(sorted(_FORMATTING))})(?:[\s/][^>]*)?>", re.IGNORECASE)
_PLAIN_TAG = re.compile(r"<[a-zA-Z]+(?:\s+[\w-]+=\"[^\"<]*\")*\s*/?>")
_OPTION = re.compile(r"<option", re.IGNORECASE)
# The lookahead with its back reference takes an attribute whole or not at all: no backtracking into it.
_WHOLE_ATTRIBUTE = (
    r"(?:(?=([\s/]*[^\s/>][^\s/>=]{0,200}"
    r"(?:\s{0,9}=\s{0,9}(?:\"[^\"]*\"|'[^']*'|[^\s\"'>][^\s>]{0,2000}))?))\1)"
)
_CROWDED = re.compile(rf"<[a-zA-Z][^\s/>]{{0,200}}{_WHOLE_ATTRIBUTE}{{{SAFE_ATTRIBUTES}}}")
# The same from anywhere within a tag: a name, a value without quotes, one in either quotes, or before one.
_CROWDED_FROM_HERE = re.compile(
    r"(?:|[^\s>]*(?=\s)|[^\"]*\"|[^']*'|\s*\"[^\"]*\"|\s*'[^']*')"
    rf"{_WHOLE_ATTRIBUTE}{{{SAFE_ATTRIBUTES // 2}}}"
)
_SAMPLED_EVERY = 4096
_SAMPLE = 2**16


def harmless(html: str) -> str:
    """Give a page back as it is, or rewritten if it could make the parser hang or fill the memory.

    Raises
    ------
    SourceError
        If the page has more than :data:`MAX_TAGS` tags.
    """
    n_tags = html.count("<")
    if (
        n_tags > SAFE_TAGS
        or (n_tags > SAFE_OPTIONS and len(_OPTION.findall(html)) > SAFE_OPTIONS)
        or (n_tags**2 > SAFE_REOPENED and _most_open(html) * n_tags > SAFE_REOPENED)
        or _is_crowded(html)
    ):
        return _Rewriter(html).written()
    return html


def _most_open(html: str) -> int:
    """Count how many formatting elements could be open at once: of equal ones, no more than three."""
    starts = _REOPENING.findall(html)
    distinct = set(starts)
    plain = [start for start in distinct if _PLAIN_TAG.fullmatch(start)]
    if len(plain) == len(distinct):
        return min(len(starts), 3 * len(distinct))
    # Where a quoted ">" may have cut a tag short, equal sources may be different tags.
    return len(starts)


def _is_crowded(html: str) -> bool:
    """Whether a tag has too many attributes.

    Reading every tag takes longer than parsing the page. A crowded tag is long, so samples show where one may
    be; only then all are read.
    """
    return (
        len(html) > SAFE_CHARACTERS
        and any(
            _CROWDED_FROM_HERE.match(html, place, place + _SAMPLE)
            for place in range(0, len(html), _SAMPLED_EVERY)
        )
        and _CROWDED.search(html) is not None
    )


class _Rewriter:
    """Writes a page anew, well nested, tag by tag."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._out: list[str] = ["<!doctype html>"]
        self._stack: list[str] = []
        self._places: defaultdict[str, list[int]] = defaultdict(list)  # where in the stack a name stands
        self._blocks: list[int] = [-1]  # where in the stack blocks stand, and what bars end tags
        self._barriers: list[int] = [-1]
        self._unread: list[int] = []
        self._too_deep: defaultdict[str, int] = defaultdict(int)
        self._once: set[str] = set()

    def written(self) -> str:
        html = self._html
        position = n_tags = 0
        while mark := _MARK.search(html, position):
            self._write_text(html[position : mark.start()])
            position = mark.end()
            if mark["comment"]:
                position = _end_of(_COMMENT.match(html, position), len(html))
            elif mark["bogus"]:
                position = html.find(">", position) + 1 or len(html)
            else:
                n_tags += 1
                if n_tags > MAX_TAGS:
                    raise SourceError(f"HTML with more than {MAX_TAGS:,} tags")
                position = self._read_tag(mark["name"].lower(), bool(mark["end"]), position)
        self._write_text(html[position:])
        return "".join(self._out)

    def _write_text(self, text: str) -> None:
        if text and not self._unread:
            self._out.append(text.replace("<", "&lt;"))

    def _read_tag(self, name: str, is_end: bool, position: int) -> int:
        """Take the tag whose name ends at ``position``; gives where reading goes on."""
        html = self._html
        kept: dict[str, str] = {}
        while not (end := _TAG_END.match(html, position)):
            attribute = _ATTRIBUTE.match(html, position)
            if attribute is None:  # cannot be: what is not the end of a tag starts an attribute
                break
            position = attribute.end()
            key = attribute[1].lower()
            if key in _KEPT_ATTRIBUTES and key not in kept:
                kept[key] = attribute[2] or attribute[3] or attribute[4] or ""
        position = _end_of(end, len(html))
        if end is None or not end[1]:  # a tag that the page ends in is none
            return len(html)
        if is_end:
            self._read_end(name)
        elif name in _RAW:
            return self._read_raw(name, position)
        elif name == "plaintext":
            self._write_text(html[position:])
            return len(html)
        else:
            self._read_start(name, kept, is_empty=html[position - 2] == "/")
        return position

    def _read_raw(self, name: str, position: int) -> int:
        closing = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(self._html, position)
        end = closing.start() if closing else len(self._html)
        if name == "title" and not self._unread:
            self._out.append(f"<title>{self._html[position:end].replace('<', '&lt;')}</title>")
        return end

    def _read_start(self, name: str, attributes: dict[str, str], *, is_empty: bool) -> None:
        if self._unread:
            if name not in _ENDS_UNREAD or self._stack[self._unread[-1]] == "template":
                if not is_empty and name in _UNREAD:
                    self._push(name)
                return
            self._close(self._unread[0])  # a block ends a drawing; a list of options that is not closed, too
        if name in _LEFT_OUT or not _NAME.fullmatch(name):
            return
        if name in _ONCE:
            if name not in self._once:
                self._once.add(name)
                self._write_tag(name, attributes)
            return
        self._end_implied(name)
        if name in _VOID:
            self._write_tag(name, attributes)
        elif len(self._stack) >= MAX_DEPTH:
            self._too_deep[name] += 1
        else:
            if name not in _UNREAD:
                self._write_tag(name, attributes)
            self._push(name)

    def _end_implied(self, name: str) -> None:
        """Close what a start tag closes: a paragraph before a block, an item before the next one."""
        closed = _CLOSED_BY.get(name, frozenset())
        stops = _STOPS.get(name, _BARRIERS)
        if name in BLOCK_TAGS:
            closed |= {"p"}
        if not closed:
            return
        lowest = -1
        for place in range(len(self._stack) - 1, max(-1, len(self._stack) - 1 - _LOOKED_UP), -1):
            if self._stack[place] in stops:
                break
            if self._stack[place] in closed:
                lowest = place
        if lowest >= 0:
            self._close(lowest)

    def _read_end(self, name: str) -> None:
        if self._too_deep[name]:
            self._too_deep[name] -= 1
            return
        places = self._places[name]
        if not places:
            return
        within = self._barriers if name in BLOCK_TAGS else self._blocks
        if name in _TABLE or places[-1] > within[-1] or (name in BLOCK_TAGS and places[-1] == within[-1]):
            self._close(places[-1])

    def _push(self, name: str) -> None:
        place = len(self._stack)
        self._stack.append(name)
        self._places[name].append(place)
        if name in BLOCK_TAGS:
            self._blocks.append(place)
        if name in _BARRIERS:
            self._barriers.append(place)
        if name in _UNREAD:
            self._unread.append(place)

    def _close(self, place: int) -> None:
        """Close the open elements from the innermost to the one at ``place``."""
        while len(self._stack) > place:
            name = self._stack.pop()
            top = len(self._stack)
            self._places[name].pop()
            for places in (self._blocks, self._barriers, self._unread):
                if places and places[-1] == top:
                    places.pop()
            if name not in _UNREAD:
                self._out.append(f"</{name}>")

    def _write_tag(self, name: str, attributes: dict[str, str]) -> None:
        written = "".join(f' {key}="{value}"' for key, value in _quotable(attributes))
        self._out.append(f"<{name}{written}>")


def _quotable(attributes: dict[str, str]) -> list[tuple[str, str]]:
    return [(key, value.replace('"', "&quot;")) for key, value in attributes.items()]


def _end_of(match: re.Match[str] | None, otherwise: int) -> int:
    return match.end() if match else otherwise
