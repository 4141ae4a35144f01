"""What a text of a page says: character references resolved, and nothing that cannot stand in a line."""

from __future__ import annotations

import re
from html import unescape

LINE_END, PRE_BREAK = "\x1e", "\x1f"
"""Marks put between texts; both are white space to ``str.split``, so no line can hold them."""
_UNMARKED = {ord("\0"): None, ord(LINE_END): " ", ord(PRE_BREAK): " "}
UNPRINTABLE = re.compile("[\0\x1e\x1f\ud800-\udfff]")
_LONG_NUMBER = re.compile(r"&#[0-9]{20,};?")


def plain(text: str) -> str:
    """Resolve character references."""
    if "&" not in text:
        return text
    return unescape(_LONG_NUMBER.sub("\ufffd", text) if "&#" in text else text)


def printable(text: str) -> str:
    """Drop NUL as browsers do, blank our marks, and replace lone surrogates, which no encoding can write."""
    if not UNPRINTABLE.search(text):
        return text
    return text.translate(_UNMARKED).encode("utf-8", "replace").decode()


def shown(text: str) -> str:
    """Give a text as a line shows it."""
    return plain(printable(text))


def split_pre(raw: str) -> list[str]:
    """Lines of preformatted text: leading spaces stay, and ``&#13;`` is a space as in CSS."""
    spaced = raw.replace("\n", " ").replace("\r", " ")
    return [line for part in spaced.split(PRE_BREAK) if (line := part.rstrip()).strip()]
