"""Labels weighted by how reliable each annotator is: the model of Dawid and Skene.

A. P. Dawid and A. M. Skene, *Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm*,
Applied Statistics 28(1), 1979. Each line has one true label; each annotator has a confusion matrix, and errs
on each line independently. Left out: priors on the matrices beyond the one count that keeps them off zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.document import LABEL_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boilerplate_ds.document import Labels

_N_LABELS = len(LABEL_NAMES)
_SMOOTHING = 1.0
"""Lines added to each row of a confusion matrix, spread evenly: no cell is zero after few lines."""


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the labels of all annotators say together.

    Parameters
    ----------
    posterior : ndarray of float64, shape (n_lines, 4)
        Probability of each label.
    confusion : ndarray of float64, shape (n_annotators, 4, 4)
        Row: true label, column: given label; rows add up to 1.
    prior : ndarray of float64, shape (4,)
    """

    posterior: NDArray[np.float64] = field(repr=False)
    confusion: NDArray[np.float64] = field(repr=False)
    prior: NDArray[np.float64]


def dawid_skene(labels: Labels, *, max_iterations: int = 200, tolerance: float = 1e-6) -> Consensus:
    """Estimate the true labels and every annotator's confusion matrix by expectation maximisation.

    Parameters
    ----------
    labels : ndarray of int8, shape (n_annotators, n_lines)
        Class ids; negative where an annotator has not labelled the line.
    max_iterations : int
    tolerance : float
        Stop when no posterior moves by more.
    """
    given = np.stack([labels == label for label in range(_N_LABELS)], axis=2).astype(np.float64)
    votes = given.sum(axis=0)
    posterior = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1)
    for _ in range(max_iterations):
        prior = (posterior.sum(axis=0) + _SMOOTHING) / (len(posterior) + _SMOOTHING * _N_LABELS)
        confusion = np.einsum("lt,alg->atg", posterior, given) + _SMOOTHING / _N_LABELS
        confusion /= confusion.sum(axis=2, keepdims=True)
        before, posterior = posterior, _posterior(given, confusion, prior)
        if np.abs(posterior - before).max(initial=0) <= tolerance:
            break
    return Consensus(posterior, confusion, prior)


def _posterior(
    given: NDArray[np.float64], confusion: NDArray[np.float64], prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    logits = np.log(prior) + np.einsum("alg,atg->lt", given, np.log(confusion))
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    normalised: NDArray[np.float64] = p / p.sum(axis=1, keepdims=True)
    return normalised
