"""A page of HTML cut into tags and texts by one regular expression, and what each distinct tag says.

The expression never fails once it has matched the start of a tag (every part after that may be empty or
runs to the end), and none of its repeats can match the same text in two ways, so it reads any page once.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from boilerplate_ds.sources.html_tags import (
    EMPTY_TAGS,
    IMPLIED,
    OPENING,
    SKIPPED_TAGS,
    TAG_IDS,
    TAGS,
    Closing,
    ending,
)
from boilerplate_ds.sources.html_text import plain

RAW_TAGS = tuple(name for name in SKIPPED_TAGS if name not in ("svg", "select"))
"""Elements that are passed over to their end tag, which is passed over too."""
ENDS_SVG = ("div", "p", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "section")
"""What ends a drawing: tags of text do too, as in browsers; some pages never close one."""
MAX_ATTRIBUTES = 1000
"""So many attributes of a tag are read as such, to bound the memory."""
_RAW = "|".join(RAW_TAGS)
_TO_END_OF = r"[^<]*(?:<(?!/(?ai:{}))[^<]*)*"
_END_TAG = r"(?:<[^>]*>?)?"
_REST = rf"""[^>=]*(?:=(?:"[^"]*"|\s*(?:"[^"]*"|'[^']*'))?[^>=]*){{0,{MAX_ATTRIBUTES}}}[^>]*"""
"""Of a tag. Quotes count behind ``=`` only."""
_AFTER_SVG = rf"/(?ai:svg)|/?(?ai:{'|'.join(ENDS_SVG)})[\s/>]"
_TOKEN = re.compile(
    rf"""<(?:
      ((?:/[a-zA-Z] | [abe-lnp-ru-zABE-LNP-RU-Z] | [dD](?![aA])){_REST}  # most tags, known by a glance
      |(?!(?ai:title|select|svg|{_RAW})[\s/>])[a-zA-Z]{_REST}
      |(?ai:title)(?=[\s/>])[^>]*>?{_TO_END_OF.format("title")}
      |(?ai:select)(?=[\s/>])[^>]*>?{_TO_END_OF.format("select")}
      |(?ai:svg)(?=[\s/>])[^>]*>?(?:(?<=/>)|[^<]*(?:<(?!{_AFTER_SVG})[^<]*)*(?:</(?ai:svg)[^>]*>?)?)
      )>?
    | ((?ai:{_RAW}))(?=[\s/>])[^>]*>?{_TO_END_OF.format(chr(92) + "2")}{_END_TAG}
    | !--[^>]*(?:(?<!--)(?<!--!)>[^>]*)*>?
    | [!?/][^>]*>?
    )""",
    re.VERBOSE,
)
_CLOSABLE = re.compile(
    rf"<((?ai:title|select|{_RAW}))(?=[\s/>])[^<>]*>(?:(?<=(/)>)|{_TO_END_OF.format(chr(92) + '1')})"
)
"""An element that is read to its end tag; the second group matches if its start tag ends it, as in XML."""
_NAME = re.compile(r"/?[^\s/>]+")
_VALUE = r"""\s*=\s*(?:"[^"]*"|'[^']*'|[^\s]*)"""
_ATTRIBUTE = re.compile(r"""([^\s/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s]*))?""")
TELLING = ("class", "id", "role", "itemprop", "rel", "aria-label")
HIDING = ("hidden", "aria-hidden", "style")
_NAMES = "|".join(f"{name}|{name.upper()}" for name in (*TELLING, *HIDING))
_TELLING = re.compile(rf"""((?:{_NAMES})(?![^\s=])(?:{_VALUE})?)|[^\s=]+(?:{_VALUE})?""")
"""Attributes that say what an element is for; the others match with an empty group."""
_HREF = re.compile(r"""\s(?:href|HREF)\s*=\s*("[^"]*"|'[^']*'|[^\s]*)""")
MAX_TARGET = 200
"""Characters of a link's target that are read."""

ACTIONS = NOTHING, HTML, BODY, END, START, CELL = tuple(range(6))
"""What a tag does to the tree. ``CELL``: a start that may need a row or a table body around it."""
_ACTIONS = {**{name: CELL for name, _ in IMPLIED}, "html": HTML, "body": BODY}


class Plan(NamedTuple):
    """A tag's action, its name, what it closes, and its number in ``TAGS`` (negated for end tags)."""

    action: int
    name: str
    closes: tuple[Closing, ...]
    tag: int


def _plan(tag: str) -> Plan:
    name = tag.removeprefix("/")
    number = TAG_IDS.get("option" if name == "select" else name, 0)  # a select ends a line as its options do
    action = _ACTIONS.get(name, START)
    if name in EMPTY_TAGS or (tag != name and action in (HTML, BODY)):
        return Plan(NOTHING, name, (), number)
    if tag != name:
        return Plan(END, name, ending(name), -number)
    return Plan(action, name, OPENING.get(name, ()), number)


PLANS = {tag: _plan(tag) for name in (*TAGS, *EMPTY_TAGS, *OPENING) for tag in (name, f"/{name}")}


def with_end_tags(xhtml: str) -> str:
    """Give elements that end with their start tag (``<script src="a.js"/>``) the end tag that HTML needs."""
    return _CLOSABLE.sub(lambda match: f"{match[0]}</{match[1]}>" if match[2] else match[0], xhtml)


def split_tags(html: str) -> tuple[list[str], list[str | None]]:
    """Cut a page into its texts and the tags between them.

    Returns
    -------
    texts : list of str
        One more than tags; not unescaped.
    tags : list of str or None
        Without angle brackets; None for comments, scripts and all else that is passed over.
    """
    parts = _TOKEN.split(html)
    return parts[::3], parts[1::3]


class Plans(dict["str | None", Plan]):
    """What each distinct tag of a page does; only its name is read."""

    def __init__(self) -> None:
        self[None] = _plan("script")

    def __missing__(self, tag: str) -> Plan:
        name = tag.partition(" ")[0]
        plan = PLANS.get(name)
        if plan is None:
            name = name_of(tag).lower()
            plan = PLANS.get(name) or _plan(name)
        if plan.name == "svg" and tag[0] != "/" and "<title" in tag:
            plan = PLANS["title"]  # the title of a drawing stands apart from the text around it
        self[tag] = plan
        return plan


def name_of(tag: str) -> str:
    """Give a tag's name as it is written, with the slash of an end tag."""
    match = _NAME.match(tag)
    return match[0] if match else tag


class Attributes(dict[str, int]):
    """What the attributes of each distinct tag say: twice their number, plus 1 if they hide it.

    Attributes
    ----------
    distinct : dict of str to int
        The joined values of ``class``, ``id``, ``role``, ``itemprop``, ``rel`` and ``aria-label``.
    """

    def __init__(self) -> None:
        self.distinct: dict[str, int] = {"": 0}

    def __missing__(self, tag: str) -> int:
        given: dict[str, str] = {}
        for telling in filter(None, reversed(_TELLING.findall(tag))):  # of doubles the first counts
            name, _, value = telling.partition("=")
            given[name.rstrip().lower()] = _unquoted(value.lstrip())
        joined = " ".join([given[name] for name in TELLING if given.get(name)]) if given else ""
        hidden = any(name in given for name in HIDING) and _is_hidden(given)
        said = self[tag] = 2 * self.distinct.setdefault(joined, len(self.distinct)) + hidden
        return said


class Hrefs(dict["str | None", int]):
    """The number of the target (``href``) of each distinct tag of a link.

    Attributes
    ----------
    distinct : dict of str to int
        The start of each target, and its number; 0 for none.
    """

    def __init__(self) -> None:
        self.distinct: dict[str, int] = {"": 0}

    def __missing__(self, tag: str) -> int:
        match = _HREF.search(tag)
        target = _unquoted(match[1])[:MAX_TARGET] if match else ""
        number = self[tag] = self.distinct.setdefault(target, len(self.distinct))
        return number


def _is_hidden(given: dict[str, str]) -> bool:
    style = given.get("style", "")
    return (
        "hidden" in given
        or given.get("aria-hidden") == "true"
        or "display:none" in style
        or "display: none" in style
    )


def attributes_of(written: str) -> dict[str, str]:
    """Read what stands behind a tag's name; of attributes given twice the first counts."""
    return {name.lower(): _unquoted(value) for name, value in reversed(_ATTRIBUTE.findall(written))}


def _unquoted(value: str) -> str:
    return plain(value[1:-1] if value[:1] in ('"', "'") else value)
