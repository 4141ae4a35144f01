"""Labelling rules: ``rules``."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from boilerplate_ds.cli.console import end, file, folder, json_option, progress_bars, told
from boilerplate_ds.document import Label
from boilerplate_ds.errors import LabelError, Rejects
from boilerplate_ds.invisible import show_invisible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from rich.table import Table

    from boilerplate_ds.document import Labels
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
    with progress_bars() as tell:
        votes = votes_on(asked, pages, rejects, tell)
        model = fitted_model(asked, None)
    pages = replace(pages, documents={doc_id: pages.documents[doc_id] for doc_id in votes})
    labels = [known.get(d.id, np.full(len(d.lines), -1, np.int8)) for d in pages.documents.values()]
    figures = analyse_rules(asked, list(votes.values()), labels)
    combined = _combined(pages, known, votes, model) if known.keys() & votes else {}
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
    rules: Sequence[Rule], collection: Collection, rejects: Rejects, tell: Callable[[str, float], None]
) -> dict[str, Votes]:
    """Ask rules about the documents of a collection, with progress; gives the votes by document id."""
    from boilerplate_ds.labeling.rules import apply_rules

    votes = {}
    for done, document in enumerate(collection.documents.values(), 1):
        try:
            votes[document.id] = apply_rules(rules, document)
        except LabelError as error:
            rejects.add(collection.folder, f"document {document.id}", str(error))
        tell("Asking the rules", done / len(collection.documents))
    return votes


def fitted_model(rules: Sequence[Rule], collection: Collection | None) -> LabelModel:
    """Fit the label model to the starter pages, and to the gold of a collection."""
    from boilerplate_ds.labeling.collection import load_collection
    from boilerplate_ds.labeling.label_model import LabelModel
    from boilerplate_ds.labeling.rules import apply_rules
    from boilerplate_ds.shipped import shipped

    votes, labels, failed = [], [], []
    for pages in filter(None, (load_collection(shipped("labels/starter")), collection)):
        for doc_id, gold in gold_labels(pages).items():
            try:
                votes.append(apply_rules(rules, pages.documents[doc_id]))
            except LabelError as error:
                if pages is not collection:  # whose pages are reported when they are labelled
                    failed.append(str(error))
            else:
                labels.append(gold)
    if failed:
        left_out = "1 starter page" if len(failed) == 1 else f"{len(failed):,} starter pages"
        click.echo(f"accuracies are estimated without {left_out}: {show_invisible(failed[0])}", err=True)
    return LabelModel.fit(votes, labels, len(rules))


def _combined(
    collection: Collection, known: dict[str, Labels], votes: Mapping[str, Votes], model: LabelModel
) -> dict[str, Evaluation]:
    """Measure two ways of combining the votes, on the documents with gold labels."""
    from boilerplate_ds.labeling.label_model import majority
    from boilerplate_ds.training.evaluation import Predictions, evaluate_predictions

    chosen = [document for document in collection.documents.values() if document.id in known]
    labels = [known[document.id] for document in chosen]
    # without a vote, or between labels with as many, the commoner one wins
    rarity = (model.balance * 1e-3).astype(np.float32)
    ways = {
        "majority vote": [majority(votes[document.id]) + rarity for document in chosen],
        "label model": [model.probabilities(votes[document.id]) for document in chosen],
    }
    return {name: evaluate_predictions(Predictions(chosen, labels, p)) for name, p in ways.items()}


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
