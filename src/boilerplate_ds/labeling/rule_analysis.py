"""How much rules say, how often they contradict one another, and how often they are right."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.labeling.rules import ABSTAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boilerplate_ds.document import Labels
    from boilerplate_ds.labeling.rules import Rule, Votes

NOT_KNOWN = -1
"""In gold labels given to the analysis: nobody has labelled this line."""


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """Figures of one rule, as in Snorkel's ``LFAnalysis`` (Ratner et al., VLDB 2018).

    Parameters
    ----------
    rule : str
    labels : tuple of str
        What it votes for.
    coverage : float
        Share of all lines that it votes on, 0 to 1.
    overlaps, conflicts : float
        Share of all lines where it votes and another rule does, too; and where another votes otherwise.
    correct, incorrect : int
        Votes on lines with gold labels.
    """

    rule: str
    labels: tuple[str, ...]
    coverage: float
    overlaps: float
    conflicts: float
    correct: int
    incorrect: int

    @property
    def accuracy(self) -> float | None:
        """Share of its votes on gold lines that are right; None if there are none."""
        votes = self.correct + self.incorrect
        return self.correct / votes if votes else None

    def as_json(self) -> dict[str, Any]:
        """Plain values, shares rounded to four digits."""
        plain = {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}
        accuracy = self.accuracy
        return plain | {
            "labels": list(self.labels),
            "accuracy": None if accuracy is None else round(accuracy, 4),
        }


def analyse_rules(
    rules: Sequence[Rule], votes: Sequence[Votes], labels: Sequence[Labels]
) -> list[RuleFigures]:
    """Measure rules on documents.

    Parameters
    ----------
    rules : sequence of Rule
    votes : sequence of ndarray of int8, each (n_lines, n_rules)
        One array a document.
    labels : sequence of ndarray of int8, each (n_lines,)
        Gold class ids, :data:`NOT_KNOWN` where there is none.
    """
    all_votes = np.concatenate([np.zeros((0, len(rules)), np.int8), *votes])
    gold = np.concatenate([np.zeros(0, np.int8), *labels])
    n_votes = (all_votes != ABSTAIN).sum(axis=1)
    same = [(all_votes == label).sum(axis=1) for label in range(len(LABEL_NAMES))]
    n_lines = max(len(gold), 1)
    figures = []
    for column, rule in enumerate(rules):
        lines = np.flatnonzero(all_votes[:, column] != ABSTAIN)
        vote = all_votes[lines, column]
        agreeing = np.stack(same)[vote, lines]
        known = gold[lines] != NOT_KNOWN
        right = int((vote == gold[lines])[known].sum())
        figures.append(
            RuleFigures(
                rule=rule.name,
                labels=tuple(LABEL_NAMES[label] for label in np.unique(vote)),
                coverage=len(lines) / n_lines,
                overlaps=int((n_votes[lines] > 1).sum()) / n_lines,
                conflicts=int((n_votes[lines] > agreeing).sum()) / n_lines,
                correct=right,
                incorrect=int(known.sum()) - right,
            )
        )
    return figures
