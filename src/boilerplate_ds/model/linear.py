"""Stage one: a linear model over hashed tokens reads each line by itself.

Three questions, so that two kinds of supervision teach one model: is the line part of the page's main
content, as reviewers chose it; is it content under the guidelines; and if not, which of ad, navigation and
recommendation is it. A line that was reviewed for one of the first two questions answers the other with a
smaller weight. Weights are fitted with scipy and applied with numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.compiled import kernel
from boilerplate_ds.document import MAIN
from boilerplate_ds.features.lines import mix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from boilerplate_ds.document import Labels

    Tokens = tuple[NDArray[np.int64], NDArray[np.int64]]

N_OPINIONS = 5
"""Numbers a line gets from a linear model: logits of main content and of content, then of the other three."""
CONTENT_STRENGTH = 0.3
KIND_STRENGTH = 1.0
"""Inverse strengths of the L2 penalty, scikit-learn's ``C``: of the first two questions, and of the third."""
BORROWED = 0.1
"""Weight of lines that answer a question that they were not reviewed for."""
ITERATIONS = 30
"""Later ones change the opinions little."""
CURVATURE = 0.1
"""Of the logistic loss, about: ``p * (1 - p)``, which is a quarter at most."""
NEVER = -6.0
"""Logit of a label that no training line has."""
_AT_ONCE = 100_000
"""Lines whose tokens are hashed together."""
_KERNEL = kernel("boilerplate_ds.features.line_kernel")


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Weights of hashed tokens.

    Parameters
    ----------
    weights : ndarray of float32, shape (n_buckets, 5)
    bias : ndarray of float32, shape (5,)
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def __call__(self, kinds: Iterable[Tokens], n_lines: int) -> NDArray[np.float32]:
        """Opinions of every line, shape (n_lines, 5).

        Parameters
        ----------
        kinds : iterable of (buckets, ends)
            One pair for each kind of token, as :func:`boilerplate_ds.features.text_tokens` gives them.
        n_lines : int
        """
        opinions: NDArray[np.float32] = np.repeat(self.bias[None, :], n_lines, axis=0)
        add = _add_opinions if _KERNEL is None else _KERNEL.add_opinions
        for buckets, ends in kinds:
            add(opinions, self.weights, buckets, ends)
        return opinions


def _add_opinions(
    opinions: NDArray[np.float32],
    weights: NDArray[np.float32],
    buckets: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> None:
    """Add to each line's opinions the sum of its tokens' weights, over the root of how many there are."""
    from scipy.sparse import csr_matrix

    ones = np.ones(len(buckets), dtype=np.float32)
    sums = csr_matrix((ones, buckets, ends), shape=(len(opinions), len(weights))) @ weights
    sums *= 1 / np.sqrt(np.maximum(np.diff(ends), 1), dtype=np.float32)[:, None]
    opinions += sums


def token_matrix(kinds: Iterable[Tokens], n_buckets: int) -> Any:
    """Make a sparse matrix of tokens, for fitting: each counts one over the root of how many there are."""
    from scipy.sparse import csr_matrix

    total = None
    for buckets, ends in kinds:
        count = np.diff(ends)
        values = np.repeat((1 / np.sqrt(np.maximum(count, 1))).astype(np.float32), count)
        values[buckets == 0] = 0
        part = csr_matrix(
            (values, buckets.astype(np.int32), ends.astype(np.int32)), shape=(len(count), n_buckets)
        )
        part.sum_duplicates()
        part.eliminate_zeros()
        total = part if total is None else total + part
    return total


def fit_linear(matrix: Any, labels: Labels, main: Labels, weight: NDArray[np.float64]) -> LinearModel:
    """Fit all three questions by L-BFGS on the logistic loss.

    Parameters
    ----------
    matrix : sparse matrix of float32, shape (n_lines, n_buckets)
    labels : ndarray of int8, shape (n_lines,)
        Class ids, ``MAIN`` or ``NOT_MAIN``.
    main : ndarray of int8, shape (n_lines,)
        1 and 0: of the main content or not, as a reviewer chose it; -1: not reviewed.
    weight : ndarray of float64, shape (n_lines,)
        Mean one.
    """
    weights = np.zeros((matrix.shape[1], N_OPINIONS), dtype=np.float32)
    bias = np.full(N_OPINIONS, NEVER, dtype=np.float32)
    four, reviewed = labels >= 0, main >= 0
    is_content = ((labels == 0) | (labels == MAIN)).astype(np.int8)
    is_main = np.where(reviewed, main, is_content)
    hashes = _line_hashes(matrix)
    both = four.any() and reviewed.any()
    for question, (asked, own) in enumerate(((is_main, reviewed), (is_content, four))):
        if question and not both:  # one kind of supervision: one question, which nothing is lent to
            weights[:, 1], bias[1] = weights[:, 0], bias[0]
            break
        lent = np.where(own, 1.0, BORROWED if both else 1.0)
        answers, used, coefficients, intercepts = _logistic(
            matrix, hashes, asked, weight * lent, CONTENT_STRENGTH
        )
        if len(answers) == 2:
            weights[used, question], bias[question] = coefficients[0], intercepts[0]
        else:
            bias[question] = -NEVER if answers[0] else NEVER
    known = np.flatnonzero(labels > 0)
    if len(known):
        kinds, used, coefficients, intercepts = _logistic(
            matrix[known], hashes[known], labels[known], weight[known], KIND_STRENGTH
        )
        if len(kinds) == 2:  # scikit-learn gives one column for two classes
            coefficients, intercepts = (
                np.stack((-coefficients[0], coefficients[0])) / 2,
                np.array([-1, 1]) * intercepts / 2,
            )
        bias[kinds + 1] = intercepts
        weights[np.ix_(used, kinds + 1)] = coefficients.T
    weights[0] = 0
    return LinearModel(weights, bias)


def _line_hashes(matrix: Any) -> NDArray[np.uint64]:
    """Hash each line's tokens, in whatever order; shape (n_lines,)."""
    hashes = np.zeros(matrix.shape[0], dtype=np.uint64)
    for first in range(0, len(hashes), _AT_ONCE):
        ends = matrix.indptr[first : first + _AT_ONCE + 1]
        tokens = slice(ends[0], ends[-1])
        token = matrix.indices[tokens].astype(np.uint64) << np.uint64(32)
        sums = np.zeros(len(token) + 1, dtype=np.uint64)
        np.cumsum(mix(token | matrix.data[tokens].view(np.uint32)), out=sums[1:])
        hashes[first : first + _AT_ONCE] = np.diff(sums[ends - ends[0]])
    return hashes


def _logistic(
    matrix: Any,
    hashes: NDArray[np.uint64],
    classes: Labels,
    weight: NDArray[np.float64],
    strength: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Classes that occur, buckets that two lines or more have, and the weights and biases of each.

    Lines with the same tokens and the same answer, as menus have, are fitted as one with all their weight.
    """
    used = np.flatnonzero(np.bincount(matrix.indices, minlength=matrix.shape[1]) > 1)
    present = np.unique(classes).astype(np.int64)
    if len(present) < 2 or not len(used):
        return present[:1], used[:0], np.zeros((1, 0)), np.zeros(1)
    answered = hashes << np.uint64(3) | classes.astype(np.uint64)
    _, first, line = np.unique(answered, return_index=True, return_inverse=True)
    answers = np.searchsorted(present, classes[first])
    summed = np.bincount(line, weight).astype(np.float64)
    fitted = _minimum(matrix[first][:, used], answers, summed, strength)
    return present, used, fitted[:-1].T, fitted[-1]


def _minimum(
    matrix: Any, answers: NDArray[np.int64], weight: NDArray[np.float64], strength: float
) -> NDArray[np.float64]:
    """Fit the logistic loss with an L2 penalty by scipy's L-BFGS: weights, and biases as the last row.

    One column for two answers, else one for each, as scikit-learn fits them. It is preconditioned: each
    weight is searched for in steps of one over the root of its second derivative, or about that. Rare tokens
    bend the loss little, and steps alike for all take four times the iterations (docs/experiments.md).
    """
    from scipy.optimize import minimize

    share = (weight / weight.sum()).astype(np.float32)
    penalty = 1 / (strength * weight.sum())
    squares = matrix.copy()
    squares.data **= 2
    second = CURVATURE * np.append(squares.T @ share, 1) + penalty
    step = (1 / np.sqrt(second))[:, None]
    n_answers = int(answers.max()) + 1
    n_columns = n_answers if n_answers > 2 else 1
    line, exact_share = np.arange(len(answers)), share.astype(np.float64)

    def loss_and_gradient(place: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        fitted = place.reshape(-1, n_columns) * step
        logits = (matrix @ fitted[:-1].astype(np.float32)).T + fitted[-1:].T.astype(np.float32)
        if n_columns == 1:
            logits = np.concatenate((np.zeros_like(logits), logits))
        logits -= logits.max(axis=0)
        odds = np.exp(logits)
        total = odds.sum(axis=0)
        loss = np.dot(exact_share, np.log(total) - logits[answers, line])
        odds /= total
        odds[answers, line] -= 1
        odds *= share
        odds = odds[-n_columns:]
        penalised = fitted[:-1] * penalty
        loss += 0.5 * np.vdot(penalised, fitted[:-1])
        gradient = np.vstack((matrix.T @ np.ascontiguousarray(odds.T) + penalised, odds.sum(axis=1)))
        gradient *= step
        return float(loss), gradient.ravel()

    start = np.zeros(len(second) * n_columns)
    options = {"maxiter": ITERATIONS, "ftol": 1e-7, "gtol": 0}
    found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", options=options)
    fitted: NDArray[np.float64] = found.x.reshape(-1, n_columns) * step
    return fitted
