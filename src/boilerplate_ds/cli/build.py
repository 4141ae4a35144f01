"""The whole main job: ``build``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from boilerplate_ds.cli.console import (
    end,
    ending_as_interrupted,
    folder,
    jobs_option,
    json_option,
    progress_bars,
    warn_of_missing_labels,
    without_text,
)
from boilerplate_ds.invisible import show_invisible

if TYPE_CHECKING:
    from boilerplate_ds.training.build import BuildResult


@click.command()
@click.option(
    "--labels", type=folder, help="Folder of labelled collections [default: ./labels, else the shipped one]."
)
@click.option(
    "-o", "--out", type=folder, default=Path("build"), show_default=True, help="Where the results go."
)
@jobs_option
@json_option
def build(labels: Path | None, out: Path, jobs: int, as_json: bool) -> None:
    """Do the whole main job: labels in; a model, a dataset and a report out.

    \b
    Example:
      boilerplate-ds build
      boilerplate-ds build --labels labels/starter -o /tmp/build
    """
    from boilerplate_ds.training.build import build as run_build

    with ending_as_interrupted(), progress_bars() as tell:
        result = run_build(labels_folder(labels), out, n_jobs=jobs, progress=tell)
    warn_of_missing_labels(item.labels for item in result.labels.documents)
    if as_json:
        click.echo(json.dumps(_build_json(result), indent=2))
    else:
        _print_build(result)
    end(result.labels.rejects)


def labels_folder(given: Path | None) -> Path:
    """Give the folder of labels: the one asked for, ``./labels``, or the shipped one."""
    from boilerplate_ds.shipped import shipped

    if given is not None:
        return given
    here = Path("labels")
    return here if here.is_dir() else shipped("labels")


def _build_json(result: BuildResult) -> dict[str, Any]:
    return {
        "held_out": result.held_out.as_json(),
        "cross_validation": result.cross_validation.as_json(),
        "without_text": list(result.labels.without_text),
        "undecided": list(result.labels.undecided),
        "rejected": result.labels.rejects.count,
        "model": str(result.model),
        "dataset": str(result.dataset),
        "report": str(result.report),
    }


def _print_build(result: BuildResult) -> None:
    from rich.console import Console

    from boilerplate_ds.training.report import evaluation_table

    console = Console()
    console.print(evaluation_table(result.held_out, "Held-out test sites"))
    console.print(evaluation_table(result.cross_validation, "Cross-validation by site"))
    for name in result.labels.without_text:
        click.echo(f"left out  {name}: {without_text(name)}")
    for doc_id in result.labels.undecided:
        click.echo(f"left out  {show_invisible(doc_id)}: its annotators disagree")
    click.echo(f"model     {result.model}\ndataset   {result.dataset}\nreport    {result.report}")
