"""The WCXB measure: mean word F1 between what is kept of a page and its human-reviewed main content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.training.alignment import word_f1

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.training.corpora import TrainingPage


@dataclass(frozen=True, slots=True)
class WcxbFigures:
    """Mean word F1 over pages (0 to 1), with a 95% bootstrap interval over pages, and by page type.

    One page has no interval.
    """

    n_pages: int
    word_f1: float
    interval: tuple[float, float] | None
    by_page_type: dict[str, tuple[float, int]]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers, rounded to four digits."""
        return {
            "pages": self.n_pages,
            "word_f1": round(self.word_f1, 4),
            "interval_95": self.interval and [round(end, 4) for end in self.interval],
            "by_page_type": {
                name: {"word_f1": round(f1, 4), "pages": n} for name, (f1, n) in self.by_page_type.items()
            },
        }


def evaluate_wcxb(
    pages: Sequence[TrainingPage], texts: Sequence[str], *, n_bootstrap: int = 1000
) -> WcxbFigures:
    """Score what was kept of each page.

    Parameters
    ----------
    pages : sequence of TrainingPage
        With their references.
    texts : sequence of str
        What is left of each page after cleaning.
    n_bootstrap : int
        Resamples of the pages for the interval.
    """
    scores = np.array([word_f1(text, page.reference or "") for page, text in zip(pages, texts, strict=True)])
    types = np.array([str(page.document.metadata.get("page_type", "")) for page in pages])
    return WcxbFigures(
        n_pages=len(scores),
        word_f1=float(scores.mean()),
        interval=_interval(scores, n_bootstrap) if len(scores) > 1 else None,
        by_page_type={
            name: (float(scores[types == name].mean()), int((types == name).sum()))
            for name in sorted(set(types))
        },
    )


def _interval(scores: NDArray[np.float64], n_bootstrap: int) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    resampled = scores[rng.integers(0, len(scores), (n_bootstrap, len(scores)))].mean(axis=1)
    low, high = np.percentile(resampled, [2.5, 97.5])
    return float(low), float(high)
