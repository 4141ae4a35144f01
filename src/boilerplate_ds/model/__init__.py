"""The line model: the estimator that trains it, the arrays it runs on, and how it rests on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boilerplate_ds.model.persistence import load_model, save_model
from boilerplate_ds.model.runtime import LineModel

if TYPE_CHECKING:
    from boilerplate_ds.model.classifier import LineClassifier

__all__ = ["LineClassifier", "LineModel", "load_model", "save_model"]


def __getattr__(name: str) -> Any:
    if name == "LineClassifier":  # brings scikit-learn along, which cleaning does not need
        from boilerplate_ds.model.classifier import LineClassifier

        return LineClassifier
    raise AttributeError(f"module 'boilerplate_ds.model' has no attribute {name!r}")
