"""Any format in, documents out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boilerplate_ds.sources.detect import FORMATS
    from boilerplate_ds.sources.reader import read_documents
    from boilerplate_ds.sources.site import site_of

_HOME = {"FORMATS": "detect", "read_documents": "reader", "site_of": "site"}

__all__ = ["FORMATS", "read_documents", "site_of"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:  # loaded when asked for: a string that is cleaned takes no reader of files
        raise AttributeError(f"module 'boilerplate_ds.sources' has no attribute {name!r}")
    return getattr(import_module(f"boilerplate_ds.sources.{_HOME[name]}"), name)
