"""Likely label errors: confident learning on probabilities from models that have not seen the labels.

Northcutt, Jiang and Chuang, *Confident Learning: Estimating Uncertainty in Dataset Labels*, Journal of
Artificial Intelligence Research 70, 2021. Kept: the confident joint, calibrated to the number of lines of
each label, and the ranking by self-confidence, the probability of the label that was given. Left out:
training again without the errors.

The joint also counts the model's own mistakes, so where the model is weak it overstates how many labels are
wrong; the ranking stands. Measured with ``benchmarks/label_errors.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.document import LABEL_NAMES, Label
from boilerplate_ds.labeling.queue import QueueItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Labels

_N_LABELS = len(LABEL_NAMES)


@dataclass(frozen=True, slots=True)
class Suspects:
    """Lines whose labels are likely wrong, the likeliest first.

    Parameters
    ----------
    document, line : ndarray of int64, shape (n_suspects,)
        Index of the document, and of the line in it.
    given, likely : ndarray of int8, shape (n_suspects,)
        The label it has, and the one the model would give.
    self_confidence : ndarray of float64, shape (n_suspects,)
        Probability of the given label.
    """

    document: NDArray[np.int64] = field(repr=False)
    line: NDArray[np.int64] = field(repr=False)
    given: Labels = field(repr=False)
    likely: Labels = field(repr=False)
    self_confidence: NDArray[np.float64] = field(repr=False)


def find_suspects(
    labels: Sequence[Labels], probabilities: Sequence[NDArray[np.float32]], share: float = 0.05
) -> Suspects:
    """Find the lines whose given label the models believe least.

    Parameters
    ----------
    labels : sequence of ndarray of int8, each (n_lines,)
        Given labels, one array a document; negative ones are not known and never suspect.
    probabilities : sequence of ndarray of float32, each (n_lines, 4)
        Out of fold: from models that were not trained on the document.
    share : float
        Share of all lines to give at most. A line to which the model gives its own label is never suspect.
    """
    given, p = _joined(labels, probabilities)
    own = p[np.arange(len(p)), np.maximum(given, 0)]
    suspect = (given >= 0) & (p.argmax(axis=1) != given)
    order = np.argsort(np.where(suspect, own, np.inf), kind="stable")
    order = order[: min(int(share * len(given)), int(suspect.sum()))]
    sizes = np.array([len(given) for given in labels], dtype=np.int64)
    document = np.repeat(np.arange(len(sizes)), sizes)
    starts = np.cumsum(sizes) - sizes
    return Suspects(
        document=document[order],
        line=order - starts[document[order]],
        given=given[order].astype(np.int8),
        likely=p[order].argmax(axis=1).astype(np.int8),
        self_confidence=own[order],
    )


def confident_joint(
    labels: Sequence[Labels], probabilities: Sequence[NDArray[np.float32]]
) -> NDArray[np.float64]:
    """Estimate how many lines of each given label (row) truly have each label (column); shape (4, 4).

    A line counts as truly of a label if its probability is at least the mean that lines given it have.
    """
    given, p = _joined(labels, probabilities)
    p, given = p[given >= 0], given[given >= 0]
    n_given = np.bincount(given, minlength=_N_LABELS)
    threshold = np.array([p[given == k, k].mean() if n_given[k] else np.inf for k in range(_N_LABELS)])
    confident = np.where(p >= threshold, p, -1)
    counted = confident.max(axis=1, initial=-1) >= 0
    cells = given[counted] * _N_LABELS + confident[counted].argmax(axis=1)
    joint = np.bincount(cells, minlength=_N_LABELS**2).reshape(_N_LABELS, _N_LABELS).astype(np.float64)
    empty = np.flatnonzero(joint.sum(axis=1) == 0)
    joint[empty, empty] = 1  # nothing speaks against these labels
    calibrated: NDArray[np.float64] = joint / joint.sum(axis=1, keepdims=True) * n_given[:, None]
    return calibrated


def review_queue(suspects: Suspects, doc_ids: Sequence[str]) -> list[QueueItem]:
    """Queue the documents with suspects, those where most errors are to be expected first.

    The score is the expected number of errors among a document's suspects: one less self-confidence, summed.
    """
    items = []
    for document in np.unique(suspects.document).tolist():
        chosen = np.flatnonzero(suspects.document == document)
        score = float((1 - suspects.self_confidence[chosen]).sum())
        lines = tuple(suspects.line[chosen].tolist())
        items.append(QueueItem(doc_ids[document], _reason(suspects, chosen), score, lines))
    return sorted(items, key=lambda item: (-item.score, item.doc_id))


def _reason(suspects: Suspects, chosen: NDArray[np.int64]) -> str:
    """Say how many, and which change the first of them would be."""
    first = chosen[0]
    given, likely = Label.parse(int(suspects.given[first])), Label.parse(int(suspects.likely[first]))
    count = "1 likely label error" if len(chosen) == 1 else f"{len(chosen)} likely label errors"
    return f"{count}, first: {given} that looks like {likely}"


def _joined(
    labels: Sequence[Labels], probabilities: Sequence[NDArray[np.float32]]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    for given, p in zip(labels, probabilities, strict=True):
        if p.shape != (len(given), _N_LABELS):
            raise ValueError(f"probabilities of shape {p.shape} for {len(given)} labels")
    joined = np.concatenate([*labels, np.zeros(0, dtype=np.int8)]).astype(np.int64)
    return joined, np.concatenate([*probabilities, np.zeros((0, _N_LABELS))]).astype(np.float64)
