"""Labelled collections: ``ingest``, ``hydrate``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boilerplate_ds.cli.console import end, file, folder, json_option, progress_bars
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

    rejects = Rejects()
    done = ingest_pages(
        read_pages(pages, rejects), out, annotator=annotator, guidelines=guidelines_version(out)
    )
    if as_json:
        figures = {"pages": done.pages, "labeled": done.labeled, "rejected": rejects.count}
        click.echo(json.dumps(figures, indent=2))
    else:
        click.echo(f"{done.pages:,} pages read, {done.labeled:,} new or changed annotations in {out}")
    end(rejects)


@click.command()
@click.argument("collection", type=folder)
@click.option(
    "--from", "source", type=click.Path(path_type=Path), help="Folder or file with a copy of the corpus."
)
@json_option
def hydrate(collection: Path, source: Path | None, as_json: bool) -> None:
    """Join stand-off labels to the texts they were made for.

    Without --from the corpus is downloaded at its pinned revision. Every text is checked against its hash;
    what is missing or differs is reported and left out.

    \b
    Example:
      boilerplate-ds hydrate labels/standoff/lines-dev --from ~/corpora
    """
    from boilerplate_ds.labeling.hydrate import hydrate as run_hydrate

    rejects = Rejects()
    with progress_bars() as tell:
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
    labelled = report.matched + len(report.missing) + len(report.differing)
    click.echo(f"matched   {report.matched:,} of {labelled:,} labelled documents in {report.source}")
    if not report.is_pinned:
        click.echo(f"note      this is another copy than the pinned one ({report.corpus.revision})")
    if report.written is not None:
        click.echo(f"texts     {report.written}")
