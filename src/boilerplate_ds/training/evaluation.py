"""How good predictions are: per class, calibrated or not, and how sure one can be of the figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.dataset.splits import group_of
from boilerplate_ds.document import LABEL_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document, Labels

N_LABELS = len(LABEL_NAMES)
N_BINS = 15


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model said of documents whose gold labels are known, by a model that was not trained on them.

    Parameters
    ----------
    documents : sequence of Document
    labels : sequence of ndarray of int8, each (n_lines,)
        Gold class ids; negative where a line's label is not known (such lines are not counted).
    probabilities : sequence of ndarray of float32, each (n_lines, 4)
    """

    documents: Sequence[Document]
    labels: Sequence[Labels] = field(repr=False)
    probabilities: Sequence[NDArray[np.float32]] = field(repr=False)

    def __post_init__(self) -> None:
        for document, gold, p in zip(self.documents, self.labels, self.probabilities, strict=True):
            if not len(document.lines) == len(gold) == len(p):
                raise ValueError(
                    f"{document.id}: {len(document.lines)} lines, {len(gold)} labels, {len(p)} predictions"
                )


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Precision, recall and F1 of one label (0 to 1), and how many gold lines have it.

    The figures are NaN for a label that is in neither gold nor predictions.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """Probability of content against how often it was right, in bins of equal width.

    Parameters
    ----------
    predicted, observed : ndarray of float64, shape (n_filled_bins,)
        Mean probability, and share of lines that are content.
    count : ndarray of int64, shape (n_filled_bins,)
    error : float
        Expected calibration error (Naeini et al., AAAI 2015): mean distance of the two, weighted by count.
    """

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    count: NDArray[np.int64]
    error: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of a labelled set.

    Parameters
    ----------
    n_documents, n_sites, n_lines : int
    accuracy, macro_f1 : float
        Over lines; the macro average is over the labels that occur in gold or in predictions.
    content_f1 : float
        F1 of content with every line counted by its characters, over the whole set.
    per_class : dict of str to ClassFigures
        In the order of the labels.
    confusion : ndarray of int64, shape (4, 4)
        Row: gold, column: predicted.
    reliability : Reliability
    intervals : dict of str to (float, float)
        95% percentile bootstrap over documents (Efron, 1979) of ``accuracy``, ``macro_f1``, ``content_f1``;
        empty for fewer than two documents.
    """

    n_documents: int
    n_sites: int
    n_lines: int
    accuracy: float
    macro_f1: float
    content_f1: float
    per_class: dict[str, ClassFigures]
    confusion: NDArray[np.int64] = field(repr=False)
    reliability: Reliability = field(repr=False)
    intervals: dict[str, tuple[float, float]]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and lists, rounded to four digits, for a file or a terminal; None for NaN."""

        def short(value: float) -> float | None:
            return None if isnan(value) else round(float(value), 4)

        named = {"content_f1": "content_f1_by_characters"}
        return {
            "documents": self.n_documents,
            "sites": self.n_sites,
            "lines": self.n_lines,
            "accuracy": short(self.accuracy),
            "macro_f1": short(self.macro_f1),
            "content_f1_by_characters": short(self.content_f1),
            "calibration_error": short(self.reliability.error),
            "intervals_95": {
                named.get(name, name): [short(low), short(high)]
                for name, (low, high) in self.intervals.items()
            },
            "per_class": {
                name: {
                    "precision": short(c.precision),
                    "recall": short(c.recall),
                    "f1": short(c.f1),
                    "lines": c.support,
                }
                for name, c in self.per_class.items()
            },
            "confusion": self.confusion.tolist(),
        }


def figure(value: float) -> str:
    """Write a figure with three digits; a dash where there is none."""
    return "–" if isnan(value) else f"{value:.3f}"


def interval(ends: tuple[float, float] | None) -> str:
    """Write the ends of an interval; nothing where there is none."""
    return f"{ends[0]:.3f}–{ends[1]:.3f}" if ends else ""


def evaluate_predictions(predictions: Predictions, *, n_bootstrap: int = 1000, seed: int = 0) -> Evaluation:
    """Measure predictions against gold.

    Parameters
    ----------
    predictions : Predictions
    n_bootstrap : int
        How many resamples of the documents the intervals come from; 0 gives no intervals.
    seed : int
    """
    confusions, by_characters = [], []
    for document, gold, p in zip(
        predictions.documents, predictions.labels, predictions.probabilities, strict=True
    ):
        known = gold >= 0
        predicted = p.argmax(axis=1) if len(p) else np.zeros(0, dtype=np.int64)
        size = np.fromiter(map(len, document.lines), dtype=np.int64)
        confusions.append(_confusion(gold[known], predicted[known]))
        by_characters.append(_confusion(gold[known], predicted[known], size[known]))
    lines = np.array(confusions, dtype=np.int64).reshape(-1, N_LABELS, N_LABELS)
    characters = np.array(by_characters, dtype=np.int64).reshape(-1, N_LABELS, N_LABELS)
    confusion = lines.sum(axis=0)
    accuracy, macro, content = _figures(confusion, characters.sum(axis=0))
    return Evaluation(
        n_documents=len(predictions.documents),
        n_sites=len({group_of(document) for document in predictions.documents}),
        n_lines=int(confusion.sum()),
        accuracy=accuracy,
        macro_f1=macro,
        content_f1=content,
        per_class=_per_class(confusion),
        confusion=confusion,
        reliability=_reliability(predictions),
        intervals=_intervals(lines, characters, n_bootstrap, seed),
    )


def _confusion(
    gold: Labels, predicted: NDArray[np.int64], weight: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    cells = np.bincount(gold.astype(np.int64) * N_LABELS + predicted, weight, minlength=N_LABELS**2)
    return cells.astype(np.int64).reshape(N_LABELS, N_LABELS)


def _f1(confusion: NDArray[Any]) -> NDArray[np.float64]:
    """F1 of each label; NaN for one that occurs neither in gold nor in predictions."""
    hit = np.diagonal(confusion).astype(np.float64)
    size = confusion.sum(axis=0) + confusion.sum(axis=1)
    f1 = np.full(N_LABELS, np.nan)
    np.divide(2 * hit, size, out=f1, where=size > 0)
    return f1


def _figures(lines: NDArray[Any], characters: NDArray[Any]) -> tuple[float, float, float]:
    f1 = _f1(lines)
    accuracy = float(np.trace(lines) / max(lines.sum(), 1))
    macro = float(np.nanmean(f1)) if np.isfinite(f1).any() else 0.0
    return accuracy, macro, float(np.nan_to_num(_f1(characters)[0]))


def _per_class(confusion: NDArray[np.int64]) -> dict[str, ClassFigures]:
    f1 = _f1(confusion)
    hit = np.where(np.isnan(f1), np.nan, np.diagonal(confusion))
    precision = hit / np.maximum(confusion.sum(axis=0), 1)
    recall = hit / np.maximum(confusion.sum(axis=1), 1)
    support = confusion.sum(axis=1)
    return {
        name: ClassFigures(float(precision[i]), float(recall[i]), float(f1[i]), int(support[i]))
        for i, name in enumerate(LABEL_NAMES)
    }


def _reliability(predictions: Predictions) -> Reliability:
    gold = np.concatenate([*predictions.labels, np.zeros(0, dtype=np.int8)])
    p = np.concatenate([*(p[:, 0].astype(np.float64) for p in predictions.probabilities), np.zeros(0)])
    p, is_content = p[gold >= 0], gold[gold >= 0] == 0
    bins = np.minimum((p * N_BINS).astype(np.int64), N_BINS - 1)
    count = np.bincount(bins, minlength=N_BINS)
    filled = count > 0
    predicted = np.bincount(bins, p, N_BINS)[filled] / count[filled]
    observed = np.bincount(bins, is_content, N_BINS)[filled] / count[filled]
    error = float((np.abs(predicted - observed) * count[filled]).sum() / max(count.sum(), 1))
    return Reliability(predicted, observed, count[filled], error)


def _intervals(
    lines: NDArray[np.int64], characters: NDArray[np.int64], n_bootstrap: int, seed: int
) -> dict[str, tuple[float, float]]:
    if n_bootstrap <= 0 or len(lines) < 2:
        return {}
    rng = np.random.default_rng(seed)
    times_drawn = rng.multinomial(len(lines), np.full(len(lines), 1 / len(lines)), size=n_bootstrap)
    resampled = np.tensordot(times_drawn, lines, 1), np.tensordot(times_drawn, characters, 1)
    figures = np.array([_figures(a, b) for a, b in zip(*resampled, strict=True)])
    low, high = np.percentile(figures, [2.5, 97.5], axis=0)
    names = ("accuracy", "macro_f1", "content_f1")
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(names)}
