"""Lines in, arrays out: the vectorised features that training and cleaning share.

Everything is computed for many documents at once, in whole-array passes over one buffer of code points;
no Python loop runs over lines or characters.
"""

from __future__ import annotations

from boilerplate_ds.features.context import context_features
from boilerplate_ds.features.lines import LineBatch
from boilerplate_ds.features.markup_tokens import markup_tokens
from boilerplate_ds.features.text_tokens import text_tokens
from boilerplate_ds.features.tree import Forest

__all__ = ["Forest", "LineBatch", "context_features", "markup_tokens", "text_tokens"]
