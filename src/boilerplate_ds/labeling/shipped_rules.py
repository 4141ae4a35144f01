"""The rules that come with the package: few, and each says one thing in the page's own language.

How often each is right on real pages is in ``docs/automatic-labelling.md``.
"""

from __future__ import annotations

import re

import numpy as np

from boilerplate_ds.document import Label
from boilerplate_ds.labeling.rules import Line, Rule, rule

_COPYRIGHT = re.compile(
    r"^\W{0,3}©|(?:©|\(c\)|copyright)\W{0,3}(?:19|20)\d\d|(?:19|20)\d\d\W{0,3}(?:©|\(c\))"
)


@rule
def copyright_notice(line: Line) -> Label | None:
    """Find ``©`` with a year, or "all rights reserved"."""
    found = line.words < 60 and (_COPYRIGHT.search(line.folded) or line.has_term("rights"))
    return Label.NAVIGATION if found else None


@rule
def legal_link(line: Line) -> Label | None:
    """Find a short line that names privacy, terms, imprint or cookies."""
    return Label.NAVIGATION if line.words <= 15 and line.has_term("legal") else None


@rule
def menu_item(line: Line) -> Label | None:
    """Find a line that is "home", "search", "log in", "share" or the bare name of a social network."""
    return Label.NAVIGATION if line.is_term("menu", "share") else None


@rule
def comment_control(line: Line) -> Label | None:
    """Find "reply", "report", "3 comments"."""
    return Label.NAVIGATION if line.is_term("comment") else None


@rule
def short_at_top(line: Line) -> Label | None:
    """Find up to three words, well before any running text."""
    found = line.words <= 3 and line.since_prose == np.inf and line.until_prose > 5
    return Label.NAVIGATION if found else None


@rule
def short_at_end(line: Line) -> Label | None:
    """Find up to four words, well after the last running text."""
    found = line.words <= 4 and line.until_prose == np.inf and line.since_prose > 5
    return Label.NAVIGATION if found else None


@rule
def among_short(line: Line) -> Label | None:
    """Find up to four words, as all of the four lines before and after it."""
    found = line.words <= 4 and all(near.words <= 4 for near in line.before(4) + line.after(4))
    return Label.NAVIGATION if found else None


@rule
def short_and_repeated(line: Line) -> Label | None:
    """Find up to three words that stand on the page twice or more."""
    return Label.NAVIGATION if line.words <= 3 and line.page.counts[line.folded] > 1 else None


@rule
def ad_marker(line: Line) -> Label | None:
    """Find a line that is "advertisement" or "sponsored"."""
    return Label.AD if line.is_term("ad") else None


@rule
def pitch(line: Line) -> Label | None:
    """Find three to 25 words with "subscribe", "newsletter", "donate", "discount"."""
    return Label.AD if 3 <= line.words <= 25 and line.has_term("pitch") else None


@rule
def related_heading(line: Line) -> Label | None:
    """Find up to twelve words that begin with "related articles", "read more", "most read"."""
    return Label.RECOMMENDATION if line.words <= 12 and line.starts_with_term("related") else None


@rule
def below_related_heading(line: Line) -> Label | None:
    """Find four words or more up to twelve lines below such a heading, with no running text between."""
    if line.words < 4 or line.is_prose:
        return None
    for above in line.before(12):
        if above.is_prose:
            return None
        if above.is_term("related"):
            return Label.RECOMMENDATION
    return None


@rule
def among_titles(line: Line) -> Label | None:
    """Find a title-like line (5 to 20 words, no sentence end) among others, past the running text."""

    def is_title(some: Line) -> bool:
        return 5 <= some.words <= 20 and not some.ends_sentence

    if not is_title(line) or line.since_prose <= 3 or line.until_prose <= 10 or len(line.page.prose) <= 3:
        return None
    near = sum(map(is_title, line.before(3) + line.after(3)))
    return Label.RECOMMENDATION if near >= 3 else None


@rule
def prose(line: Line) -> Label | None:
    """Find 18 words or more, and a sentence ends in it."""
    return Label.CONTENT if line.is_prose else None


@rule
def long_prose(line: Line) -> Label | None:
    """Find 40 words or more."""
    return Label.CONTENT if line.words >= 40 else None


@rule
def between_prose(line: Line) -> Label | None:
    """Find three words or more with running text close before and after."""
    found = line.words >= 3 and not line.is_prose and line.since_prose + line.until_prose <= 4
    return Label.CONTENT if found else None


@rule
def sentence_by_prose(line: Line) -> Label | None:
    """Find a short sentence within two lines of running text."""
    near = min(line.since_prose, line.until_prose) <= 2
    return Label.CONTENT if near and line.words >= 5 and line.ends_sentence and not line.is_prose else None


@rule
def headline(line: Line) -> Label | None:
    """Find four words or more, right before the first running text."""
    found = line.words >= 4 and not line.is_prose and line.since_prose == np.inf and line.until_prose <= 3
    return Label.CONTENT if found else None


@rule
def byline(line: Line) -> Label | None:
    """Find "by …", "published …", "photo …" near running text."""
    near = min(line.since_prose, line.until_prose) <= 6
    return Label.CONTENT if near and line.words <= 12 and line.starts_with_term("byline") else None


SHIPPED: tuple[Rule, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
"""All of them, in the order above."""
