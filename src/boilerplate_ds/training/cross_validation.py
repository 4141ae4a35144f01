"""Cross-validation by site: every document is judged by a model that has seen nothing of its site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone

from boilerplate_ds.dataset.splits import group_of, site_folds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document, Labels
    from boilerplate_ds.model import LineClassifier
    from boilerplate_ds.model.runtime import Reading

    Progress = Callable[[str, float], None]

STEP = "Cross-validating"
SIDE_BY_SIDE = 200_000
"""Lines of a set up to which folds are trained side by side; those of a larger one take gigabytes each."""


def cross_validate(
    classifier: LineClassifier,
    documents: Sequence[Document],
    labels: Sequence[Labels],
    *,
    n_folds: int = 5,
    progress: Progress | None = None,
) -> list[NDArray[np.float32]]:
    """Probabilities of every line's labels by a model trained on the other folds; see :func:`cross_read`.

    Returns
    -------
    list of ndarray of float32, each (n_lines, 4)
    """
    readings = cross_read(classifier, documents, labels, n_folds=n_folds, progress=progress)
    return [reading.labels for reading in readings]


def cross_read(
    classifier: LineClassifier,
    documents: Sequence[Document],
    labels: Sequence[Labels],
    *,
    n_folds: int = 5,
    progress: Progress | None = None,
) -> list[Reading]:
    """Read every document by a model trained on the other folds.

    Parameters
    ----------
    classifier : LineClassifier
        Cloned for each fold.
    documents, labels : sequences
        As :meth:`LineClassifier.fit` takes them; folds are made by ``site`` (else that of ``url``, else
        ``id``).
    n_folds : int
    progress : callable, optional

    Returns
    -------
    list of Reading
        In the order of ``documents``.
    """
    sites = [group_of(document) for document in documents]
    sizes = [len(document.lines) for document in documents]
    folds = site_folds(sites, n_folds, sizes)
    n_jobs = classifier.n_jobs if sum(sizes) <= SIDE_BY_SIDE else 1
    by_fold = n_jobs != 1
    each = clone(classifier).set_params(n_jobs=1) if by_fold else classifier
    tell = progress if by_fold and progress else lambda _step, _done: None
    jobs = (
        delayed(_read_fold)(
            each,
            documents,
            labels,
            sites,
            folds == fold,
            progress=None if by_fold else _within(progress, fold, n_folds),
        )
        for fold in range(n_folds)
    )
    results: dict[int, Reading] = {}
    tell(STEP, 0)
    for fold, readings in enumerate(Parallel(n_jobs=n_jobs, return_as="generator")(jobs)):
        results |= zip(np.flatnonzero(folds == fold).tolist(), readings, strict=True)
        tell(STEP, (fold + 1) / n_folds)
    return [results[i] for i in range(len(documents))]


def _read_fold(
    classifier: LineClassifier,
    documents: Sequence[Document],
    labels: Sequence[Labels],
    sites: Sequence[str],
    held_out: NDArray[np.bool_],
    *,
    progress: Progress | None,
) -> list[Reading]:
    inside, outside = np.flatnonzero(~held_out).tolist(), np.flatnonzero(held_out).tolist()
    model: LineClassifier = clone(classifier).fit(
        [documents[i] for i in inside],
        [labels[i] for i in inside],
        groups=[sites[i] for i in inside],
        progress=progress,
    )
    return model.read([documents[i] for i in outside])


def _within(progress: Progress | None, fold: int, n_folds: int) -> Progress | None:
    if progress is None:
        return None
    return lambda step, done: progress(f"Fold {fold + 1} of {n_folds}: {step[0].lower()}{step[1:]}", done)
