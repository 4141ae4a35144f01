"""From the votes of rules to one label a line, with how sure it is.

A hidden Markov model over the lines of a page: the label is hidden, and each vote is evidence for it, as
strong as the rule was found to be right. Votes are taken as independent given the label (Dawid & Skene,
*Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm*, 1979), labels of neighbouring
lines are not (Lison, Barnes & Hubin, *skweak: Weak Supervision Made Easy for NLP*, 2021). Abstaining is no
evidence.

Accuracies are counted on labelled lines, with a prior of votes presumed mostly right, so that a rule that is
silent on them counts, too. Estimating them by EM from unlabelled lines was measured and left out:
``docs/decisions/0005-accuracies-from-gold.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.labeling.rules import ABSTAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Labels
    from boilerplate_ds.labeling.rules import Votes

N_LABELS = len(LABEL_NAMES)
PRESUMED_ACCURACY = 0.7
PRESUMED_VOTES = 10.0
_PRESUMED_STEPS = 1.0
_SOFTENING = 0.5
"""Rules that see the same thing are not independent, so the product of their votes is too sure of itself; its
root is not. On lines-dev the calibration error falls from 0.15 to 0.04, and no label changes."""


@dataclass(frozen=True, slots=True)
class LabelModel:
    """What votes are worth, and which label follows which.

    Parameters
    ----------
    precision : ndarray of float64, shape (n_rules, n_labels, n_labels)
        ``precision[rule, vote, label]``: how often a line has ``label`` where ``rule`` votes ``vote``.
    accuracy : ndarray of float64, shape (n_rules,)
        How often a vote of each rule is right.
    balance : ndarray of float64, shape (n_labels,)
        Share of the labels among all lines.
    first : ndarray of float64, shape (n_labels,)
        Share of the labels among first lines of pages.
    steps : ndarray of float64, shape (n_labels, n_labels)
        ``steps[label, next]``: how often a label is followed by another.
    """

    precision: NDArray[np.float64] = field(repr=False)
    accuracy: NDArray[np.float64]
    balance: NDArray[np.float64]
    first: NDArray[np.float64]
    steps: NDArray[np.float64]

    @classmethod
    def fit(cls, votes: Sequence[Votes], labels: Sequence[Labels], n_rules: int) -> LabelModel:
        """Count on labelled documents how often votes are right and which label follows which.

        Parameters
        ----------
        votes : sequence of ndarray of int8, each (n_lines, n_rules)
        labels : sequence of ndarray of int8, each (n_lines,)
            Gold class ids.
        n_rules : int
        """
        pairs = [(v, y) for v, y in zip(votes, labels, strict=True) if len(y)]
        seen = np.concatenate([v for v, _ in pairs]) if pairs else np.zeros((0, n_rules), np.int8)
        gold = np.concatenate([y for _, y in pairs]) if pairs else np.zeros(0, np.int8)
        counts = np.stack([_confusion(seen[:, j], gold) for j in range(n_rules)])
        right, all_ = np.trace(counts, axis1=1, axis2=2), counts.sum((1, 2))
        balance = _shares(np.bincount(gold, minlength=N_LABELS) + 1.0)
        presumed = PRESUMED_ACCURACY * np.eye(N_LABELS) + (1 - PRESUMED_ACCURACY) * balance
        steps = np.full((N_LABELS, N_LABELS), _PRESUMED_STEPS) + np.eye(N_LABELS) * 10
        for _, y in pairs:
            np.add.at(steps, (y[:-1], y[1:]), 1.0)
        return cls(
            precision=_shares(counts + PRESUMED_VOTES * presumed),
            accuracy=(right + PRESUMED_VOTES * PRESUMED_ACCURACY) / (all_ + PRESUMED_VOTES),
            balance=balance,
            first=_shares(np.bincount([int(y[0]) for _, y in pairs], minlength=N_LABELS) + 1.0),
            steps=_shares(steps),
        )

    def probabilities(self, votes: Votes) -> NDArray[np.float32]:
        """Probability of each label for each line of a document; shape (n_lines, n_labels).

        The forward-backward algorithm (Rabiner, 1989).
        """
        evidence = self._evidence(votes)
        forward = np.empty_like(evidence)
        backward = np.ones_like(evidence)
        belief = self.first
        for line, seen in enumerate(evidence):
            belief = (belief @ self.steps if line else belief) * seen
            forward[line] = belief = belief / belief.sum()
        for line in range(len(evidence) - 2, -1, -1):
            ahead = self.steps @ (evidence[line + 1] * backward[line + 1])
            backward[line] = ahead / ahead.sum()
        return _shares((forward * backward) ** _SOFTENING).astype(np.float32)

    def _evidence(self, votes: Votes) -> NDArray[np.float64]:
        """How much likelier the votes on each line are under each label, the likeliest being 1."""
        logs = np.zeros((len(votes), N_LABELS))
        for rule, weights in enumerate(np.log(self.precision / self.balance)):
            on = votes[:, rule] != ABSTAIN
            logs[on] += weights[votes[on, rule]]
        strong: NDArray[np.float64] = np.exp(np.maximum(logs - logs.max(1, keepdims=True), -50))
        return strong


def majority(votes: Votes) -> NDArray[np.float32]:
    """Share of the votes on each line that each label got; shape (n_lines, n_labels), zero without votes."""
    counts = np.stack([(votes == label).sum(axis=1) for label in range(N_LABELS)], axis=1)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), dtype=np.float32)


def _confusion(votes: NDArray[np.int8], gold: Labels) -> NDArray[np.float64]:
    counts = np.zeros((N_LABELS, N_LABELS))
    on = votes != ABSTAIN
    np.add.at(counts, (votes[on], gold[on]), 1.0)
    return counts


def _shares(counts: NDArray[Any]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = counts / counts.sum(axis=-1, keepdims=True)
    return shares
