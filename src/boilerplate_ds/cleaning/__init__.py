"""Clean text out of messy text: the cleaner, from one string to a corpus."""

from __future__ import annotations

from boilerplate_ds.cleaning.cleaner import Cleaner

__all__ = ["Cleaner"]
