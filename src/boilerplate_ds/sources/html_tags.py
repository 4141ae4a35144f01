"""The HTML tags that are told apart, and which of them end a line."""

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
