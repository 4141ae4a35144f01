"""Labelled collections: ``ingest``, ``hydrate``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boilerplate_ds.cli.console import (
    end,
    ending_as_interrupted,
    file,
    folder,
    json_option,
    progress_bars,
    require_input,
    told,
)
from boilerplate_ds.errors import Rejects
from boilerplate_ds.invisible import show_invisible

if TYPE_CHECKING:
    from boilerplate_ds.labeling.hydrate import HydrateReport


@click.command()
@click.argument("pages", nargs=-1, required=True, type=file)
@click.option("-o", "--out", type=folder, required=True, help="Collection that the pages join.")
@click.option("--annotator", default="authors", show_default=True, help="Who labelled them.")
@json_option
def ingest(pages: tuple[Path, ...], out: Path, annotator: str, as_json: bool) -> None:
    """Add hand-written labelled pages (a letter, a space, the line) to a collection.

    \b
    Example:
      boilerplate-ds ingest my-pages.txt -o labels/mine
    """
    from boilerplate_ds.labeling.guidelines import guidelines_version
    from boilerplate_ds.labeling.pages import ingest_pages, read_pages

    rejects = told(Rejects())
    done = ingest_pages(
        read_pages(pages, rejects),
        out,
        annotator=annotator,
        guidelines=guidelines_version(out),
        rejects=rejects,
    )
    if as_json:
        figures = {"pages": done.pages, "labeled": done.labeled, "rejected": rejects.count}
        click.echo(json.dumps(figures, indent=2))
    else:
        click.echo(f"{done.pages:,} pages read, {done.labeled:,} new or changed annotations in {out}")
    end(rejects)


@click.command()
@click.argument("labels", type=folder)
@click.option(
    "--from", "source", type=click.Path(path_type=Path), help="Folder or file with a copy of the corpus."
)
@click.option("-o", "--out", type=folder, help="Where a dataset goes with its texts.")
@json_option
def hydrate(labels: Path, source: Path | None, out: Path | None, as_json: bool) -> None:
    """Join stand-off labels to the texts they were made for.

    LABELS is a collection, or a dataset that export wrote; the texts of a dataset are found by their hashes
    in files of any format. Without --from the corpus of a collection is downloaded at its pinned revision.
    Every text is checked against its hash; what is missing or differs is reported and left out. Texts of a
    collection that an earlier copy gave stay.

    \b
    Example:
      boilerplate-ds hydrate labels/standoff/lines-dev --from ~/corpora
      boilerplate-ds hydrate my-dataset --from ~/corpora -o with-text
    """
    from boilerplate_ds.dataset.standoff import is_export

    if is_export(labels):
        if source is None or out is None:
            raise click.UsageError("a dataset needs --from (the pages) and -o (where it goes with them)")
        _hydrate_export(labels, source, out, as_json)
    elif out is not None:
        raise click.UsageError("-o is for datasets; the texts of a collection go into its documents/")
    else:
        _hydrate_collection(labels, source, as_json)


def _hydrate_export(dataset: Path, source: Path, out: Path, as_json: bool) -> None:
    from boilerplate_ds.cli.dataset import print_export
    from boilerplate_ds.dataset.standoff import hydrate_export

    require_input([str(source)])
    rejects = told(Rejects())
    with ending_as_interrupted():
        report = hydrate_export(dataset, [source], out, rejects=rejects)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        print_export(report)
    end(rejects)


def _hydrate_collection(collection: Path, source: Path | None, as_json: bool) -> None:
    from boilerplate_ds.labeling.hydrate import hydrate as run_hydrate

    rejects = told(Rejects())
    with ending_as_interrupted(), progress_bars() as tell:
        report = run_hydrate(
            collection,
            source,
            progress=lambda done, size: tell("Downloading", done / max(size, 1)),
            rejects=rejects,
        )
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        _print_hydrated(report)
    end(rejects)
    if not report.is_complete:
        sys.exit(1)


def _print_hydrated(report: HydrateReport) -> None:
    for doc_id in report.missing:
        click.echo(f"missing   {show_invisible(doc_id)}: not in {report.source}")
    for item in report.differing:
        click.echo(f"differs   {show_invisible(item.id)}: {item.reason}")
    click.echo(f"matched   {report.matched:,} of {report.labelled:,} labelled documents in {report.source}")
    if report.kept:
        click.echo(f"kept      {report.kept:,} documents of an earlier copy")
    if not report.is_pinned:
        click.echo(f"note      this is another copy than the pinned one ({report.corpus.revision})")
    if report.written is not None:
        click.echo(f"texts     {report.written}")
