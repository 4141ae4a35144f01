"""Compare ways to combine the votes of the shipped rules, on a labelled collection.

    boilerplate-ds hydrate labels/standoff/lines-dev --from FOLDER
    python benchmarks/label_model.py labels/standoff/lines-dev

What needs labelled pages gets the starter pages only; the pages it is judged on are of other sites.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.labeling.label_model import N_LABELS, LabelModel, majority
from boilerplate_ds.labeling.rules import ABSTAIN, apply_rules
from boilerplate_ds.labeling.shipped_rules import SHIPPED
from boilerplate_ds.shipped import shipped
from boilerplate_ds.training.evaluation import Predictions, evaluate_predictions
from boilerplate_ds.training.run import read_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.labeling.rules import Votes

PRIOR_VOTES, PRIOR_ACCURACY = 20.0, 0.8


def em(votes: Sequence[Votes], rounds: int) -> list[NDArray[np.float32]]:
    """Dawid & Skene (1979) with one accuracy a rule, estimated from agreement alone, abstentions left out."""
    seen = np.concatenate(votes)
    accuracy = np.full(seen.shape[1], PRIOR_ACCURACY)
    balance = np.full(N_LABELS, 1 / N_LABELS)
    voted = (seen != ABSTAIN).any(axis=1)
    for _ in range(rounds + 1):
        logs = np.tile(np.log(balance), (len(seen), 1))
        for rule, a in enumerate(accuracy):
            on = np.flatnonzero(seen[:, rule] != ABSTAIN)
            logs[on] += np.log((1 - a) / (N_LABELS - 1))
            logs[on, seen[on, rule]] += np.log(a) - np.log((1 - a) / (N_LABELS - 1))
        belief = np.exp(logs - logs.max(axis=1, keepdims=True))
        belief /= belief.sum(axis=1, keepdims=True)
        balance = (belief[voted].sum(axis=0) + 1) / (voted.sum() + N_LABELS)
        for rule in range(len(accuracy)):
            on = np.flatnonzero(seen[:, rule] != ABSTAIN)
            right = belief[on, seen[on, rule]].sum()
            accuracy[rule] = (right + PRIOR_VOTES * PRIOR_ACCURACY) / (len(on) + PRIOR_VOTES)
        accuracy = accuracy.clip(0.02, 0.98)
    return np.split(belief.astype(np.float32), np.cumsum([len(v) for v in votes])[:-1])


def lonely(model: LabelModel) -> LabelModel:
    """Make a label model for which each line stands alone."""
    steps = np.tile(model.balance, (N_LABELS, 1))
    return LabelModel(model.precision, model.accuracy, model.balance, model.balance, steps)


def main() -> None:
    """Print a row a way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("collection", type=Path)
    starter = read_labels([shipped("labels/starter")]).documents
    pages = read_labels([parser.parse_args().collection]).documents
    model = LabelModel.fit(
        [apply_rules(SHIPPED, item.document) for item in starter],
        [item.labels for item in starter],
        len(SHIPPED),
    )
    votes = [apply_rules(SHIPPED, item.document) for item in pages]
    common = (model.balance * 1e-3).astype(np.float32)
    ways = {
        "majority vote": [majority(v) + common for v in votes],
        "EM, no round": em(votes, 0),
        "EM, 3 rounds": em(votes, 3),
        "EM, 50 rounds": em(votes, 50),
        "accuracies from starter, each line alone": [lonely(model).probabilities(v) for v in votes],
        "label model (shipped)": [model.probabilities(v) for v in votes],
    }
    for name, probabilities in ways.items():
        figures = evaluate_predictions(
            Predictions([item.document for item in pages], [item.labels for item in pages], probabilities)
        )
        low, high = figures.intervals["macro_f1"]
        f1 = "  ".join(f"{label[0]} {c.f1:.3f}" for label, c in figures.per_class.items())
        print(f"{name:<42} {figures.accuracy:.3f}  {figures.macro_f1:.3f} ({low:.3f}–{high:.3f})  {f1}")


if __name__ == "__main__":
    main()
