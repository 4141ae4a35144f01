"""Text of strangers made safe to show: what is invisible in it is named, and can't move a cursor or hide."""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f"  # controls, but for the tab
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi: could show a line in another order than it is read
    "\u200b\u2028\u2029\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
    "\ud800-\udfff]"  # lone surrogates, which UTF-8 can't write
)


def show_invisible(text: str) -> str:
    """Name control characters, bidi controls and lone surrogates: a line end becomes ``⟨U+000A⟩``."""
    return _INVISIBLE.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)
