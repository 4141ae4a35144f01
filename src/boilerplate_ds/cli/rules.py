"""Labelling rules: ``rules``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from boilerplate_ds.cli.console import end, file, folder, json_option, progress_bars, told
from boilerplate_ds.document import Label
from boilerplate_ds.errors import LabelError, Rejects

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.table import Table

    from boilerplate_ds.document import Document, Labels
    from boilerplate_ds.labeling.collection import Collection
    from boilerplate_ds.labeling.label_model import LabelModel
    from boilerplate_ds.labeling.rule_analysis import RuleFigures
    from boilerplate_ds.labeling.rules import Rule, Votes
    from boilerplate_ds.training.evaluation import Evaluation

_STYLE: dict[str, Any] = {"box": None, "padding": (0, 2, 0, 0), "pad_edge": False}  # fits 80 characters

rules_option = click.option(
    "--rules", "rules_file", type=file, help="Python file with rules of your own, to add to the shipped ones."
)


@click.command()
@click.argument("collection", type=folder)
@rules_option
@json_option
def rules(collection: Path, rules_file: Path | None, as_json: bool) -> None:
    """Show how much labelling rules say about a collection, and how often they are right.

    Accuracy is counted on lines with gold labels; "estimated" is what the label model takes it to be, from
    the starter pages.

    \b
    Example:
      boilerplate-ds rules labels/starter
      boilerplate-ds rules labels/mine --rules my_rules.py --json
    """
    from boilerplate_ds.labeling.collection import load_collection
    from boilerplate_ds.labeling.rule_analysis import analyse_rules

    rejects = told(Rejects())
    asked = chosen_rules(rules_file)
    pages = load_collection(collection, rejects)
    known = gold_labels(pages)
    labels = [known.get(d.id, np.full(len(d.lines), -1, np.int8)) for d in pages.documents.values()]
    with progress_bars() as tell:
        votes = votes_on(asked, list(pages.documents.values()), tell)
        model = fitted_model(asked, None)
    figures = analyse_rules(asked, votes, labels)
    combined = _combined(pages, known, votes, model) if known else {}
    if as_json:
        click.echo(json.dumps(_as_json(pages, figures, model, combined), indent=2))
    else:
        _print(pages, figures, model, combined)
    end(rejects)


def chosen_rules(path: Path | None) -> list[Rule]:
    """Give the shipped rules and those of a file; one of the same name takes the place of a shipped one."""
    from boilerplate_ds.labeling.rules import read_rules
    from boilerplate_ds.labeling.shipped_rules import SHIPPED

    own = read_rules(path) if path else []
    return list({rule.name: rule for rule in (*SHIPPED, *own)}.values())


def gold_labels(collection: Collection) -> dict[str, Labels]:
    """Gold labels of a collection by document id; documents without a decision are left out."""
    from boilerplate_ds.dataset.gold import gold

    settled = gold(collection.documents, collection.annotations).documents
    return {item.document.id: item.labels for item in settled if len(item.labels)}


def votes_on(
    rules: Sequence[Rule], documents: Sequence[Document], tell: Callable[[str, float], None]
) -> list[Votes]:
    """Ask rules about documents, with progress."""
    from boilerplate_ds.labeling.rules import apply_rules

    votes = []
    for done, document in enumerate(documents, 1):
        votes.append(apply_rules(rules, document))
        tell("Asking the rules", done / len(documents))
    return votes


def fitted_model(rules: Sequence[Rule], collection: Collection | None) -> LabelModel:
    """Fit the label model to the starter pages, and to the gold of a collection."""
    from boilerplate_ds.labeling.collection import load_collection
    from boilerplate_ds.labeling.label_model import LabelModel
    from boilerplate_ds.labeling.rules import apply_rules
    from boilerplate_ds.shipped import shipped

    votes, labels = [], []
    for pages in filter(None, (load_collection(shipped("labels/starter")), collection)):
        for doc_id, gold in gold_labels(pages).items():
            try:
                votes.append(apply_rules(rules, pages.documents[doc_id]))
            except LabelError:
                if pages is not collection:
                    raise
                continue  # the page is reported when it is labelled
            labels.append(gold)
    return LabelModel.fit(votes, labels, len(rules))


def _combined(
    collection: Collection, known: dict[str, Labels], votes: Sequence[Votes], model: LabelModel
) -> dict[str, Evaluation]:
    """Measure two ways of combining the votes, on the documents with gold labels."""
    from boilerplate_ds.labeling.label_model import majority
    from boilerplate_ds.training.evaluation import Predictions, evaluate_predictions

    documents = list(collection.documents.values())
    chosen = [i for i, document in enumerate(documents) if document.id in known]
    labels = [known[documents[i].id] for i in chosen]
    # without a vote, or between labels with as many, the commoner one wins
    rarity = (model.balance * 1e-3).astype(np.float32)
    ways = {
        "majority vote": [majority(votes[i]) + rarity for i in chosen],
        "label model": [model.probabilities(votes[i]) for i in chosen],
    }
    return {
        name: evaluate_predictions(Predictions([documents[i] for i in chosen], labels, p))
        for name, p in ways.items()
    }


def _as_json(
    collection: Collection,
    figures: Sequence[RuleFigures],
    model: LabelModel,
    combined: dict[str, Evaluation],
) -> dict[str, Any]:
    estimated = [round(float(accuracy), 4) for accuracy in model.accuracy]
    return {
        "documents": len(collection.documents),
        "lines": sum(len(document.lines) for document in collection.documents.values()),
        "rules": [
            one.as_json() | {"estimated": guess} for one, guess in zip(figures, estimated, strict=True)
        ],
        "combined": {name: evaluation.as_json() for name, evaluation in combined.items()},
    }


def _print(
    collection: Collection,
    figures: Sequence[RuleFigures],
    model: LabelModel,
    combined: dict[str, Evaluation],
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    lines = sum(len(document.lines) for document in collection.documents.values())
    table = Table(title=f"{len(collection.documents):,} documents, {lines:,} lines", **_STYLE)
    for name in ("rule", "votes"):
        table.add_column(name, no_wrap=True)
    for name in ("coverage", "overlaps", "conflicts", "accuracy", "estimated"):
        table.add_column(name, justify="right")
    for one, estimated in zip(figures, model.accuracy, strict=True):
        table.add_row(
            Text(one.rule),
            " ".join(label[0] for label in one.labels),
            *(f"{share:.1%}" for share in (one.coverage, one.overlaps, one.conflicts)),
            "" if one.accuracy is None else f"{one.accuracy:.3f}",
            f"{estimated:.3f}",
        )
    console = Console()
    console.print(table)
    if combined:
        console.print("", _combined_table(combined))


def _combined_table(combined: dict[str, Evaluation]) -> Table:
    from rich.table import Table

    from boilerplate_ds.training.evaluation import figure, interval

    table = Table(**_STYLE)
    table.add_column("all rules", no_wrap=True)
    for name in ("accuracy", "macro F1", "95%", *(f"F1 {label.code}" for label in Label)):
        table.add_column(name, justify="right")
    for name, figures in combined.items():
        table.add_row(
            name,
            f"{figures.accuracy:.3f}",
            f"{figures.macro_f1:.3f}",
            interval(figures.intervals.get("macro_f1")),
            *(figure(figures.per_class[label.value].f1) for label in Label),
        )
    return table
