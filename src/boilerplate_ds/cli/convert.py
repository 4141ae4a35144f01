"""Labels to and from the files of other tools: ``convert``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boilerplate_ds.cli.console import end, json_option, output, told
from boilerplate_ds.errors import Rejects
from boilerplate_ds.labeling.formats import FORMATS

if TYPE_CHECKING:
    from boilerplate_ds.labeling.exchange import ExchangeReport

_format = click.Choice(sorted(FORMATS))
_path = click.Path(path_type=Path)


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--to", "to_format", type=_format, help="Write the collection SOURCE as such a file.")
@click.option("--from", "from_format", type=_format, help="Read the file SOURCE into the collection OUT.")
@click.option(
    "-o", "--out", type=_path, required=True, help="File to write (- for standard output), or collection."
)
@click.option("--annotator", default="", help="Who made the labels, whatever the file says (with --from).")
@json_option
def convert(  # noqa: PLR0917 - click passes them by name
    source: Path, to_format: str | None, from_format: str | None, out: Path, annotator: str, as_json: bool
) -> None:
    """Take labels to Label Studio, doccano, Prodigy or a spreadsheet, and back.

    Nothing is lost on the way: annotators, notes, times, metadata and blank lines come back as they were.
    A record that does not fit its text is rejected with its place, and the others are read. With label-studio
    the labelling interface is written beside the tasks (tasks.json: tasks.xml), and suggestions go as
    predictions; the other formats have no place for suggestions.

    \b
    Example:
      boilerplate-ds convert labels/starter --to label-studio -o tasks.json
      boilerplate-ds convert export.json --from label-studio -o labels/mine
      boilerplate-ds convert ana.jsonl --from doccano -o labels/mine --annotator ana
    """
    if (to_format is None) == (from_format is None):
        raise click.UsageError("give either --to FORMAT or --from FORMAT")
    if to_format and annotator:
        raise click.UsageError("--annotator names whose labels a file holds; it goes with --from")
    rejects = told(Rejects())
    if to_format:
        report = _write(source, to_format, out, rejects)
    else:
        from boilerplate_ds.labeling.exchange import import_labels

        report = import_labels(source, str(from_format), out, annotator=annotator, rejects=rejects)
    if as_json:
        click.echo(json.dumps(report.as_json() | {"rejected": rejects.count}, indent=2), err=str(out) == "-")
    else:
        click.echo(_told(report, out, is_import=bool(from_format)), err=str(out) == "-")
    end(rejects)


def _write(folder: Path, format_name: str, out: Path, rejects: Rejects) -> ExchangeReport:
    if format_name == "label-studio" and out.suffix == ".xml":
        raise click.UsageError("tasks are JSON: name them .json; the interface goes beside them as .xml")
    from boilerplate_ds.labeling.exchange import ExchangeReport, export_labels
    from boilerplate_ds.labeling.formats.label_studio import label_config

    report = ExchangeReport()
    with output(out) as write:
        for part in export_labels(folder, format_name, report, rejects):
            write(part)
    if format_name == "label-studio" and str(out) != "-":
        with output(out.with_suffix(".xml")) as write:
            write(label_config().encode())
    return report


def _told(report: ExchangeReport, out: Path, *, is_import: bool) -> str:
    if is_import:
        return (
            f"{report.documents:,} documents read, {report.new_documents:,} of them new, "
            f"{report.unlabelled:,} without labels; {report.annotations:,} annotations and "
            f"{report.suggestions:,} suggestions added to {out}, {report.unchanged:,} were there already"
        )
    left_out = report.suggestions_left_out
    return (
        f"{report.documents:,} documents ({report.unlabelled:,} without labels), {report.annotations:,} "
        f"annotations and {report.suggestions:,} suggestions in {out}"
        + (f"; {left_out:,} suggestions left out: this format has no place for them" if left_out else "")
    )
