"""Agreement of annotators: ``agree``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boilerplate_ds.cli.console import end, folder, json_option, output, told
from boilerplate_ds.errors import BoilerplateError, Rejects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boilerplate_ds.document import Annotation, Document


@click.command()
@click.argument("collections", nargs=-1, type=folder, required=True)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page that shows the disagreements in context.",
)
@json_option
def agree(collections: tuple[Path, ...], html: Path | None, as_json: bool) -> None:
    """Measure how far annotators agree, with Cohen's and Fleiss' kappa and Krippendorff's alpha.

    Texts are not needed, but for --html. Collections, those in folders below included, are read together:
    documents of the same id and text are one.

    \b
    Example:
      boilerplate-ds agree labels/standoff/lines-dev-passes
      boilerplate-ds agree labels/mine --html agreement.html
    """
    from rich.console import Console

    from boilerplate_ds.labeling.agreement import collect_ratings, measure_agreement
    from boilerplate_ds.labeling.agreement_report import agreement_page, agreement_tables

    rejects = told(Rejects())
    annotations, sites, documents = _read(collections, rejects)
    ratings = collect_ratings(annotations, sites)
    agreement = measure_agreement(ratings)
    if html is not None and documents:
        with output(html) as write:
            write(agreement_page(agreement, ratings, documents).encode())
    if as_json:
        click.echo(json.dumps(agreement.as_json() | {"rejected": rejects.count}, indent=2))
    else:
        console = Console()
        for table in agreement_tables(agreement):
            console.print(table)
        if html is not None and documents:
            click.echo(f"page      {html}")
    if html is not None and not documents:
        raise BoilerplateError(
            f"{collections[0]}: --html needs the texts; run: boilerplate-ds hydrate {collections[0]}"
        )
    end(rejects)


def _read(
    folders: Sequence[Path], rejects: Rejects
) -> tuple[list[Annotation], dict[tuple[str, str], str], dict[tuple[str, str], Document]]:
    """Annotations, and by id and text hash the sites of documents, and those whose texts are here."""
    from boilerplate_ds.labeling.collection import document_files, load_documents, misfit
    from boilerplate_ds.labeling.store import LabelStore
    from boilerplate_ds.training.run import find_collections

    annotations: list[Annotation] = []
    sites: dict[tuple[str, str], str] = {}
    documents: dict[tuple[str, str], Document] = {}
    for path in find_collections(*folders):
        here = load_documents(path, rejects) if document_files(path) else {}
        documents |= {(d.id, d.text_sha256): d for d in here.values()}
        for stored in LabelStore(path).latest(rejects).values():
            given = stored.annotation
            reason = misfit(given, here[given.doc_id]) if given.doc_id in here else ""
            if reason:
                rejects.add(stored.file, f"line {stored.line}", reason)
                continue
            annotations.append(given)
            site = stored.extra.get("site")
            if isinstance(site, str):
                sites[given.doc_id, given.text_sha256] = site
    return annotations, sites | {key: document.site for key, document in documents.items()}, documents
