"""Learning curves: what each strategy of ``boilerplate-ds queue`` gains over random pages.

    python benchmarks/learning_curves.py --labels labels/standoff/lines-dev --out build/learning-curves

The collection (hydrated: ``boilerplate-ds hydrate``) is the oracle. A quarter of its sites is held out, the
same for every run. From the same random pages each strategy chooses the next ones by the model trained so
far, text alone. ``disagreement`` is between that model and one trained on the starter pages. On
``lines-dev`` every page is of another site, so spreading over sites is the same as random. Finished runs
are kept in ``runs.jsonl`` and not run again.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.dataset.splits import site_folds
from boilerplate_ds.labeling import ordering
from boilerplate_ds.model import LineClassifier
from boilerplate_ds.training.evaluation import Predictions, evaluate_predictions
from boilerplate_ds.training.run import read_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.dataset.gold import GoldDocument

STRATEGIES = ("random", "entropy", "margin", "disagreement", "diversity", "mix")
NAMES = {"mix": "mix of diversity and margin"}
STEPS = (40, 80, 160, 320)


@dataclass(frozen=True, slots=True)
class Oracle:
    """Pages to choose from, pages to be judged on, and a model that has seen neither."""

    pool: list[GoldDocument]
    held_out: list[GoldDocument]
    vectors: NDArray[np.float64]
    outsider: LineClassifier


def main() -> None:
    """Run what has not been run yet, then plot."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", type=Path, default=Path("labels/standoff/lines-dev"))
    parser.add_argument("--starter", type=Path, default=Path("labels/starter"))
    parser.add_argument("--out", type=Path, default=Path("build/learning-curves"))
    parser.add_argument("--plot", type=Path, help="PNG to draw; default: <out>/learning-curves.png")
    parser.add_argument("--seeds", type=int, default=4)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "runs.jsonl"
    runs = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    missing = [seed for seed in range(options.seeds) if seed not in {run["seed"] for run in runs}]
    if missing:
        oracle = read_oracle(options.labels, options.starter)
        for seed in missing:
            new = run_seed(oracle, seed)
            with path.open("a") as file:
                file.writelines(json.dumps(run) + "\n" for run in new)
            runs += new
    print(table(runs))
    plot(runs, options.plot or options.out / "learning-curves.png")


def read_oracle(labels: Path, starter: Path) -> Oracle:
    """Hold out a fold of four, whatever the seed, and train the outsider."""
    pages = read_labels([labels]).documents
    folds = site_folds([p.document.site or p.document.id for p in pages], 4, [len(p.labels) for p in pages])
    pool = [page for page, fold in zip(pages, folds, strict=True) if fold]
    held_out = [page for page, fold in zip(pages, folds, strict=True) if not fold]
    vectors = ordering.document_vectors([page.document.text for page in pool])
    return Oracle(pool, held_out, vectors, fit(read_labels([starter]).documents))


def fit(pages: Sequence[GoldDocument]) -> LineClassifier:
    """Train a small model, quickly."""
    return LineClassifier(n_folds=2, epochs=6).fit([p.document for p in pages], [p.labels for p in pages])


def run_seed(oracle: Oracle, seed: int) -> list[dict[str, Any]]:
    """Follow every strategy from the same random pages."""
    start = ordering.random_order(len(oracle.pool), STEPS[0], seed)
    first = fit([oracle.pool[i] for i in start])
    runs = []
    for strategy in STRATEGIES:
        chosen, model = start, first
        curve = [measure(oracle, model, chosen)]
        for before, after in pairwise(STEPS):
            rest = np.setdiff1d(np.arange(len(oracle.pool)), chosen)
            further = choose(strategy, oracle, model, rest, size=after - before, seed=seed)
            chosen = np.concatenate([chosen, rest[further]])
            model = fit([oracle.pool[i] for i in chosen])
            curve.append(measure(oracle, model, chosen))
        runs.append({"seed": seed, "strategy": strategy, "curve": curve})
        print(seed, strategy, [round(point["macro_f1"], 3) for point in curve], flush=True)
    return runs


def choose(
    strategy: str, oracle: Oracle, model: LineClassifier, rest: NDArray[np.int64], *, size: int, seed: int
) -> NDArray[np.int64]:
    """Choose ``size`` of the pages in ``rest``."""
    if strategy == "random":
        return ordering.random_order(len(rest), size, seed + 1000)
    if strategy == "diversity":
        return ordering.diverse(oracle.vectors[rest], size, seed)
    documents = [oracle.pool[i].document for i in rest]
    probabilities = model.predict_proba(documents)
    if strategy == "disagreement":
        votes = zip(probabilities, oracle.outsider.predict(documents), strict=True)
        lines = [ordering.line_disagreement(np.stack([p.argmax(axis=1), other])) for p, other in votes]
    else:
        measured = ordering.line_entropy if strategy == "entropy" else ordering.line_margin
        lines = [measured(p) for p in probabilities]
    order = ordering.highest_first(ordering.page_scores(lines), size)
    if strategy == "mix":
        orders = [ordering.diverse(oracle.vectors[rest], size, seed).tolist(), order.tolist()]
        return np.array(ordering.interleave(orders, size))
    return order


def measure(oracle: Oracle, model: LineClassifier, chosen: NDArray[np.int64]) -> dict[str, float]:
    """Judge a model on the held-out pages."""
    documents = [page.document for page in oracle.held_out]
    labels = [page.labels for page in oracle.held_out]
    figures = evaluate_predictions(
        Predictions(documents, labels, model.predict_proba(documents)), n_bootstrap=0
    )
    return {
        "pages": len(chosen),
        "lines": sum(len(oracle.pool[i].labels) for i in chosen),
        "macro_f1": figures.macro_f1,
        "accuracy": figures.accuracy,
    }


def table(runs: Sequence[dict[str, Any]]) -> str:
    """Macro F1 by number of pages, with its difference from random pages of the same seed."""
    rows = ["| strategy | " + " | ".join(f"{n} pages" for n in STEPS) + f" | lines of {STEPS[-1]} pages |"]
    rows.append("|---|" + "--:|" * (len(STEPS) + 1))
    for strategy in STRATEGIES:
        cells = [cell(runs, strategy, step) for step in range(len(STEPS))]
        lines = mean(points(runs, strategy, len(STEPS) - 1, "lines"))
        rows.append(f"| {NAMES.get(strategy, strategy)} | {' | '.join(cells)} | {lines:,.0f} |")
    return "\n".join(rows)


def cell(runs: Sequence[dict[str, Any]], strategy: str, step: int) -> str:
    """Mean over seeds, and the mean difference from random with its standard error."""
    values = points(runs, strategy, step, "macro_f1")
    if strategy == "random" or step == 0:
        return f"{mean(values):.3f}"
    gains = [a - b for a, b in zip(values, points(runs, "random", step, "macro_f1"), strict=True)]
    error = stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else 0.0
    return f"{mean(values):.3f} ({mean(gains):+.3f} ± {error:.3f})"


def points(runs: Sequence[dict[str, Any]], strategy: str, step: int, name: str) -> list[float]:
    """One figure of each seed's run, in order of seeds."""
    chosen = sorted((run for run in runs if run["strategy"] == strategy), key=lambda run: run["seed"])
    return [run["curve"][step][name] for run in chosen]


def plot(runs: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw macro F1 against pages and against lines, the mean over seeds."""
    from matplotlib import pyplot as plt

    colours = ("#333333", "#d55e00", "#e69f00", "#cc79a7", "#0072b2", "#009e73")
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True, layout="constrained")
    for axis, by in zip(axes, ("pages", "lines"), strict=True):
        for strategy, colour in zip(STRATEGIES, colours, strict=True):
            steps = range(len(STEPS))
            x = [mean(points(runs, strategy, step, by)) for step in steps]
            y = [mean(points(runs, strategy, step, "macro_f1")) for step in steps]
            style = "--" if strategy == "random" else "-"
            name = NAMES.get(strategy, strategy)
            axis.plot(x, y, style, color=colour, marker="o", markersize=4, label=name)
        axis.set_xscale("log")
        axis.set_xlabel(f"labelled {by}")
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_xticks(STEPS, [str(step) for step in STEPS], minor=False)
    axes[0].minorticks_off()
    axes[1].set_xticks([5_000, 10_000, 20_000, 40_000], ["5,000", "10,000", "20,000", "40,000"])
    axes[1].minorticks_off()
    axes[0].set_ylabel("macro F1 on held-out sites")
    axes[0].legend(frameon=False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
