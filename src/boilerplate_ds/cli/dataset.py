"""The published dataset: ``export``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from boilerplate_ds.cli.console import end, folder, json_option, labelled

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("collections", nargs=-1, type=folder, required=True)
@click.option("-o", "--out", type=folder, required=True, help="Folder of the dataset.")
@click.option("--name", default="boilerplate-lines", show_default=True, help="Its name, for its card.")
@click.option("--description", default="", help="What it is, for its card.")
@click.option("--licence", default="other", show_default=True, help="Its licence, for its card.")
@json_option
def export(
    *, collections: tuple[Path, ...], out: Path, name: str, description: str, licence: str, as_json: bool
) -> None:
    """Write labelled collections as a dataset folder that `datasets.load_dataset` opens.

    \b
    Example:
      boilerplate-ds export labels/starter -o build/dataset
    """
    from boilerplate_ds.dataset.export import export_dataset
    from boilerplate_ds.labeling.guidelines import guidelines_version

    labels = labelled(collections)
    report = export_dataset(
        labels.documents,
        out,
        name=name,
        guidelines=guidelines_version(collections[0]),
        description=description,
        licence=licence,
        rejects=labels.rejects,
    )
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        for split, counts in report.splits.items():
            click.echo(f"{split:<10}  {counts.documents:,} documents, {counts.lines:,} lines")
        click.echo(f"dataset     {report.folder}")
    end(labels.rejects)
