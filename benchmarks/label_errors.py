"""How many corrupted labels ``boilerplate-ds review`` finds.

    python benchmarks/label_errors.py --labels labels/standoff/lines-dev

Gives 5% of the lines of a collection (hydrated: ``boilerplate-ds hydrate``) another label, drawn evenly
from the other three, cross-validates by site on what results, and counts how many of the corrupted lines
are among the 5% of all lines that ``find_suspects`` lists. The lines that were wrong before count as right
ones here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from boilerplate_ds.labeling.label_errors import find_suspects
from boilerplate_ds.model import LineClassifier
from boilerplate_ds.training.cross_validation import cross_validate
from boilerplate_ds.training.run import read_labels

CORRUPTED = LISTED = 0.05


def main() -> None:
    """Corrupt, review, count."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", type=Path, default=Path("labels/standoff/lines-dev"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    pages = read_labels([options.labels]).documents
    documents = [page.document for page in pages]
    true = np.concatenate([page.labels for page in pages])
    ends = np.cumsum([len(page.labels) for page in pages])[:-1]
    print("| seed | corrupted lines | listed lines | found | found among listed |\n|--:|--:|--:|--:|--:|")
    shares = []
    for seed in options.seeds:
        rng = np.random.default_rng(seed)
        is_wrong = rng.random(len(true)) < CORRUPTED
        given = true.copy()
        given[is_wrong] = (true[is_wrong] + rng.integers(1, 4, is_wrong.sum())) % 4
        labels = np.split(given, ends)
        classifier = LineClassifier(n_folds=3, epochs=options.epochs)
        probabilities = cross_validate(classifier, documents, labels, n_folds=options.folds)
        suspects = find_suspects(labels, probabilities, LISTED)
        starts = np.concatenate(([0], ends))
        found = is_wrong[starts[suspects.document] + suspects.line].sum()
        shares.append(found / is_wrong.sum())
        listed = len(suspects.line)
        cells = (f"{is_wrong.sum():,}", f"{listed:,}", f"{shares[-1]:.1%}", f"{found / listed:.1%}")
        print(f"| {seed} | {' | '.join(cells)} |", flush=True)
    print(f"\nmean {np.mean(shares):.1%}")


if __name__ == "__main__":
    main()
