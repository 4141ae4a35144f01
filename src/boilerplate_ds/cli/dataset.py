"""The published dataset: ``export``, ``diff``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from boilerplate_ds.cli.console import end, ending_as_interrupted, folder, json_option, labelled
from boilerplate_ds.dataset.gold import Strategy
from boilerplate_ds.dataset.licences import TEXT_POLICIES
from boilerplate_ds.invisible import show_invisible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from boilerplate_ds.dataset.diff import DatasetDiff
    from boilerplate_ds.dataset.export import ExportReport
    from boilerplate_ds.dataset.licences import TextPolicy

SHOWN_DOCUMENTS = 20
exported = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command()
@click.argument("collections", nargs=-1, type=folder, required=True)
@click.option("-o", "--out", type=folder, required=True, help="Folder of the dataset.")
@click.option("--name", default="boilerplate-lines", show_default=True, help="Its name, for its card.")
@click.option("--description", default="", help="What it is, for its card.")
@click.option("--licence", help="Its licence, for its card [default: the one all texts share, else other].")
@click.option(
    "--strategy",
    type=click.Choice(get_args(Strategy)),
    default="majority",
    show_default=True,
    help="What settles a line on which annotators differ.",
)
@click.option("--gold-only", is_flag=True, help="Leave out documents that one annotator alone labelled.")
@click.option(
    "--only-licence",
    "licences",
    multiple=True,
    help="Leave out texts under any other licence; may be repeated.",
)
@click.option(
    "--text",
    "policy",
    type=click.Choice(TEXT_POLICIES),
    default="licensed",
    show_default=True,
    help="Whose text goes in: pages that may be passed on, all of them, or none.",
)
@json_option
def export(
    *,
    collections: tuple[Path, ...],
    out: Path,
    name: str,
    description: str,
    licence: str | None,
    strategy: Strategy,
    gold_only: bool,
    licences: tuple[str, ...],
    policy: TextPolicy,
    as_json: bool,
) -> None:
    """Write labelled collections as a dataset folder that `datasets.load_dataset` opens.

    Text that may not be passed on (of stand-off collections, or under a licence that forbids it) is left out;
    its labels and its hash stay, and hydrate brings it back.

    \b
    Example:
      boilerplate-ds export labels/starter -o build/dataset
      boilerplate-ds export labels/mine -o build/dataset --gold-only --only-licence cc-by-4.0
    """
    from boilerplate_ds.dataset import licences as texts
    from boilerplate_ds.dataset.card import agreement_text
    from boilerplate_ds.dataset.export import export_dataset
    from boilerplate_ds.labeling.guidelines import guidelines_version, versions_followed

    stated = texts.normal_licence(licence or "")
    labels = labelled(collections, strategy)
    gold = [item for item in labels.documents if not gold_only or len(item.annotators) > 1]
    gold = texts.with_licence(gold, licences)
    with ending_as_interrupted():
        report = export_dataset(
            gold,
            out,
            name=name,
            guidelines=versions_followed(labels.annotations, gold) or guidelines_version(collections[0]),
            without_text=texts.without_text(gold, labels.standoff, policy),
            description=description,
            licence=stated or texts.common_licence(gold),
            licence_text=texts.licence_text(gold, labels.corpora, stated),
            agreement=agreement_text(labels.annotations, [item.document.id for item in gold]),
            rejects=labels.rejects,
        )
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        print_export(report)
    end(labels.rejects)


def print_export(report: ExportReport) -> None:
    """Print what an export wrote."""
    for split, counts in report.splits.items():
        click.echo(f"{split:<10}  {counts.documents:,} documents, {counts.lines:,} lines")
    for split in report.empty_splits:
        click.echo(f"{split:<10}  no documents")
    if report.without_text:
        click.echo(f"no text     {report.without_text:,} documents have labels and hashes only")
    click.echo(f"dataset     {report.folder}")


@click.command()
@click.argument("old", type=exported)
@click.argument("new", type=exported)
@json_option
def diff(old: Path, new: Path, as_json: bool) -> None:
    """Say what changed between two exports: documents, texts, labels, splits, sites.

    \b
    Example:
      boilerplate-ds diff published build/dataset
    """
    from boilerplate_ds.dataset.diff import diff_datasets

    found = diff_datasets(old, new)
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2))
    elif found.is_same:
        click.echo("same      documents, texts, labels and splits")
    else:
        _print_diff(found)


def _print_diff(found: DatasetDiff) -> None:
    from boilerplate_ds.dataset.diff import moves

    _print_ids("added", found.added)
    _print_ids("removed", found.removed)
    _print_ids("new text", found.text_changed)
    _print_ids("relabelled", found.relabelled)
    for before, after, n in moves(found):
        click.echo(f"{'moved':<12}{n:,} sites from {before} to {after}")
    _print_ids("other split", found.moved_documents)
    _print_ids("renamed", [f"{site.old} → {site.new}" for site in found.renamed], "sites")
    click.echo(
        f"{'lines':<12}{found.changed_lines:,} of {found.flow.sum():,} with the same text are relabelled"
    )
    if found.changed_lines:
        _print_flow(found)


def _print_ids(what: str, ids: Iterable[str], kind: str = "documents") -> None:
    ids = list(ids)
    if not ids:
        return
    click.echo(f"{what:<12}{len(ids):,} {kind}")
    for doc_id in ids[:SHOWN_DOCUMENTS]:
        click.echo(f"{'':<12}{show_invisible(doc_id)}")
    if len(ids) > SHOWN_DOCUMENTS:
        click.echo(f"{'':<12}… and {len(ids) - SHOWN_DOCUMENTS:,} more (--json lists them all)")


def _print_flow(found: DatasetDiff) -> None:
    from rich.console import Console
    from rich.table import Table

    from boilerplate_ds.document import LABEL_NAMES

    table = Table("old label", *(f"→ {name}" for name in LABEL_NAMES), title="Where labels went")
    for name, row in zip(LABEL_NAMES, found.flow.tolist(), strict=True):
        table.add_row(name, *(f"{n:,}" for n in row))
    Console().print(table)
