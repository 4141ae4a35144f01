"""Clean text out of messy text: the cleaner, from one string to a corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boilerplate_ds.cleaning.cleaner import Cleaner

if TYPE_CHECKING:
    from boilerplate_ds.cleaning.corpus import clean_corpus

__all__ = ["Cleaner", "clean_corpus"]


def __getattr__(name: str) -> Any:
    if name == "clean_corpus":  # loaded when asked for: one string takes none of it
        from boilerplate_ds.cleaning.corpus import clean_corpus

        return clean_corpus
    raise AttributeError(f"module 'boilerplate_ds.cleaning' has no attribute {name!r}")
