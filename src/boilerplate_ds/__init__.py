"""Label web-page lines, train a boilerplate classifier, publish the dataset, clean text.

The public API; importing it loads neither scikit-learn nor datasets.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boilerplate_ds.cleaning import Cleaner
    from boilerplate_ds.document import Annotation, Document, Label, LabeledLine, Markup
    from boilerplate_ds.errors import BoilerplateError, Rejects
    from boilerplate_ds.model import LineClassifier
    from boilerplate_ds.sources import read_documents

__version__ = "0.1.0"

_HOME = {
    "Annotation": "document",
    "BoilerplateError": "errors",
    "Cleaner": "cleaning",
    "Document": "document",
    "Label": "document",
    "LabeledLine": "document",
    "LineClassifier": "model",
    "Markup": "document",
    "Rejects": "errors",
    "read_documents": "sources",
}

__all__ = [
    "Annotation",
    "BoilerplateError",
    "Cleaner",
    "Document",
    "Label",
    "LabeledLine",
    "LineClassifier",
    "Markup",
    "Rejects",
    "read_documents",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'boilerplate_ds' has no attribute {name!r}")
    return getattr(import_module(f"boilerplate_ds.{_HOME[name]}"), name)
