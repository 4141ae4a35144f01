"""Models: ``train``, ``evaluate``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from boilerplate_ds.cli.console import (
    end,
    epochs_option,
    file,
    folder,
    jobs_option,
    json_option,
    labelled,
    progress_bars,
    warn_of_missing_labels,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from boilerplate_ds.training.corpora import TrainingPage
    from boilerplate_ds.training.run import CrossValidation, LabelledSet


@click.command()
@click.argument("collections", nargs=-1, type=folder)
@click.option("--wcxb", type=file, help="Parquet file of WCXB pages with their main content.")
@click.option(
    "--html", type=file, multiple=True, help="Parquet file (id, html) with the HTML of labelled pages."
)
@click.option("-o", "--out", type=folder, required=True, help="Folder of the model.")
@click.option(
    "--folds",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Cross-validate by site first, with this many folds.",
)
@epochs_option
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="The same seed and pages give the same model.",
)
@jobs_option
@json_option
def train(
    *,
    collections: tuple[Path, ...],
    wcxb: Path | None,
    html: tuple[Path, ...],
    out: Path,
    folds: int,
    epochs: int | None,
    seed: int,
    jobs: int,
    as_json: bool,
) -> None:
    """Train a model on labelled collections, and on WCXB's pages if you have them.

    Without COLLECTIONS it learns from the starter pages, which were written for this project.

    \b
    Example:
      boilerplate-ds train labels/starter -o models/mine --folds 5
    """
    from boilerplate_ds.model import LineClassifier
    from boilerplate_ds.model.persistence import check_model_folder
    from boilerplate_ds.shipped import shipped
    from boilerplate_ds.training import card, run

    check_model_folder(out)
    labels = labelled(collections or [shipped("labels/starter")])
    classifier = LineClassifier(epochs=epochs, random_state=seed, n_jobs=jobs)
    with progress_bars() as tell:
        pages = _pages(labels, wcxb, html, tell, jobs)
        warn_of_missing_labels(page.labels for page in pages)
        figures = run.cross_validate_pages(classifier, pages, n_folds=folds, progress=tell) if folds else None
        run.train(classifier, pages, tell)
    card.save_with_card(classifier, out, pages, figures, n_folds=folds)
    if as_json:
        click.echo(
            json.dumps({"model": str(out), "figures": figures.as_json() if figures else None}, indent=2)
        )
    else:
        if figures is not None:
            _print_figures(figures)
        click.echo(f"model     {out}")
    end(labels.rejects)


def _pages(
    labels: LabelledSet,
    wcxb: Path | None,
    html: tuple[Path, ...],
    tell: Callable[[str, float], None],
    jobs: int,
    *,
    to_learn: bool = True,
) -> list[TrainingPage]:
    """Read all pages, and tell how many of the labelled ones have their HTML."""
    from boilerplate_ds.training import run

    pages = run.training_pages(
        labels,
        wcxb=wcxb,
        html=html,
        to_learn=to_learn,
        n_jobs=jobs,
        rejects=labels.rejects,
        progress=tell,
    )
    if html:
        found, labelled_pages = run.html_coverage(pages)
        click.echo(f"HTML for {found:,} of {labelled_pages:,} pages", err=True)
    return pages


def _print_figures(figures: CrossValidation) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from boilerplate_ds.training.evaluation import figure, interval
    from boilerplate_ds.training.report import evaluation_table

    console = Console()
    for name, evaluation in figures.four_class.items():
        console.print(evaluation_table(evaluation, name))
    if figures.wcxb:
        table = Table("WCXB, word F1", *figures.wcxb, title="WCXB development split")
        table.add_row(
            "all pages",
            *(
                figure(f.word_f1) + (f" ({interval(f.interval)})" if f.interval else "")
                for f in figures.wcxb.values()
            ),
        )
        for page_type in next(iter(figures.wcxb.values())).by_page_type:
            table.add_row(
                Text(page_type), *(f"{f.by_page_type[page_type][0]:.3f}" for f in figures.wcxb.values())
            )
        console.print(table)


@click.command()
@click.argument("model")
@click.option(
    "--labels", "collections", type=folder, multiple=True, help="Labelled collection to judge it on."
)
@click.option("--wcxb", type=file, help="Parquet file of WCXB pages: word F1 of what is kept.")
@click.option(
    "--html", type=file, multiple=True, help="Parquet file (id, html) with the HTML of labelled pages."
)
@jobs_option
@json_option
def evaluate(
    *,
    model: str,
    collections: tuple[Path, ...],
    wcxb: Path | None,
    html: tuple[Path, ...],
    jobs: int,
    as_json: bool,
) -> None:
    """Measure a model (a folder, user/repo on the Hub, or web) on pages it was not trained on.

    Pages of sites that it was trained on are measured, too, and counted in a warning.

    \b
    Example:
      boilerplate-ds evaluate models/mine --labels labels/others
    """
    from boilerplate_ds.model import LineClassifier
    from boilerplate_ds.training import run

    if not collections and wcxb is None:
        raise click.UsageError("nothing to judge it on; give --labels or --wcxb")
    classifier = LineClassifier.load(model)
    labels = labelled(collections)
    with progress_bars() as tell:
        pages = _pages(labels, wcxb, html, tell, jobs, to_learn=False)
    documents = [page.document for page in pages]
    figures = run.figures_of(pages, classifier.read(documents))
    known = int(classifier.has_learned_from(documents).sum()) if len(classifier.sites_) else None
    if known is None:
        click.echo(f"warning: {model} does not say which sites it was trained on", err=True)
    elif known:
        click.echo(
            f"warning: {known:,} of {len(documents):,} documents are of sites that {model} was trained on; "
            "figures on other sites are lower",
            err=True,
        )
    if as_json:
        click.echo(json.dumps(figures.as_json() | {"documents_of_trained_sites": known}, indent=2))
    else:
        _print_figures(figures)
    end(labels.rejects)
