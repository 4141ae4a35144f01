"""The HTML tags that are told apart, which of them end a line, and which close one another."""

from __future__ import annotations

_BLOCK = (
    "address", "article", "aside", "blockquote", "body", "button", "caption", "center", "dd", "details",
    "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form",
    "frameset", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hgroup", "hr", "html", "iframe",
    "legend", "li", "main", "menu", "nav", "noscript", "ol", "optgroup", "option", "p", "pre", "search",
    "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul", "video",
    "audio",
)  # fmt: skip
_INLINE = (
    "a", "abbr", "b", "bdi", "big", "br", "cite", "code", "del", "dfn", "em", "font", "i", "img",
    "input", "ins", "kbd", "label", "mark", "meta", "picture", "q", "rp", "rt", "ruby", "s", "samp",
    "small", "source", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
)  # fmt: skip
TAGS: tuple[str, ...] = ("other", *_BLOCK, *_INLINE)
"""Names of the tags that features tell apart; ``Markup.tag`` is an index into this."""
TAG_IDS: dict[str, int] = {name: i for i, name in enumerate(TAGS)}
BLOCK_TAGS = frozenset(_BLOCK)
LINE_ENDS = BLOCK_TAGS | {"br"}
"""Tags that end a line, where they start and where they end."""
PICTURES = ("img", "video", "audio", "iframe")
CONTROLS = ("input", "button", "option", "label")
"""Pictures and frames, and form controls, are counted between lines."""
SKIPPED_TAGS = (
    "script", "style", "svg", "select", "textarea", "template", "object", "canvas", "math", "datalist", "map",
)  # fmt: skip
"""Elements that are passed over with all they hold."""
EMPTY_TAGS = frozenset((
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen",
    "link", "meta", "param", "source", "track", "wbr", "head", "title", *SKIPPED_TAGS,
))  # fmt: skip
"""Elements that hold no text of a line: they are not part of the tree."""

Closing = tuple[frozenset[str], frozenset[str]]
"""Which open elements a tag closes (the nearest, with all in it), and which it does not look past."""
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_SECTIONS = frozenset(("tbody", "thead", "tfoot", "caption", "colgroup"))
_CELLS = frozenset(("td", "th"))
_TABLE = frozenset(("table",))
_SCOPE = frozenset(("table", "td", "th", "caption"))
_P = (frozenset(("p",)), BLOCK_TAGS - {"p"})
_LOOSE = frozenset(("address", "div", "p"))
_NO_P = (
    "address", "article", "aside", "blockquote", "center", "details", "dialog", "dir", "div", "dl",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "main", "menu", "nav",
    "ol", "p", "pre", "search", "section", "summary", "table", "ul", *sorted(_HEADINGS),
)  # fmt: skip


def _items(*names: str) -> tuple[Closing, ...]:
    items = frozenset(names)
    return (items, BLOCK_TAGS - _LOOSE - items), _P


OPENING: dict[str, tuple[Closing, ...]] = {
    **dict.fromkeys(_NO_P, (_P,)),
    **dict.fromkeys(_HEADINGS, (_P, (_HEADINGS, BLOCK_TAGS - _HEADINGS))),
    "li": _items("li"),
    **dict.fromkeys(("dd", "dt"), _items("dd", "dt")),
    "a": ((frozenset(("a",)), BLOCK_TAGS),),
    "button": ((frozenset(("button",)), _SCOPE),),
    "option": ((frozenset(("option",)), BLOCK_TAGS - {"option"}),),
    **dict.fromkeys(_SECTIONS, ((_SECTIONS, _TABLE),)),
    "tr": ((frozenset(("tr", "caption", "colgroup")), _TABLE),),
    **dict.fromkeys(_CELLS, ((_CELLS | {"caption"}, frozenset(("table", "tr"))),)),
}
"""What a start tag closes before its element opens."""
_TABLE_PARTS = _SECTIONS | _CELLS | {"tr"}


def ending(name: str) -> tuple[Closing, ...]:
    """Say what an end tag closes."""
    if name in _HEADINGS:
        return ((_HEADINGS, _SCOPE),)
    closes = frozenset((name,))
    if name == "table":
        return ((closes, frozenset()),)
    if name in _TABLE_PARTS:
        return ((closes, _TABLE),)
    if name == "li":
        return ((closes, _SCOPE | {"ul", "ol"}),)
    return ((closes, _SCOPE if name in BLOCK_TAGS else BLOCK_TAGS),)


IMPLIED: dict[tuple[str, str], str] = {
    **{(name, "table"): "tbody" for name in ("tr", "td", "th")},
    **{(name, section): "tr" for name in ("td", "th") for section in ("tbody", "thead", "tfoot")},
}
"""The element that opens by itself between a tag and the element it stands in."""
