"""The command line: parses, calls one function of a room, prints.

Exit codes: 0 done; 1 done, but some input records were bad and are reported; 2 could not run.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import click

from boilerplate_ds import __version__
from boilerplate_ds.errors import BoilerplateError, Reject, Rejects
from boilerplate_ds.invisible import show_invisible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import Console

    from boilerplate_ds.cleaning import Cleaner
    from boilerplate_ds.document import Document, LabeledLine
    from boilerplate_ds.labeling.hydrate import HydrateReport
    from boilerplate_ds.training.build import BuildResult
    from boilerplate_ds.training.run import CrossValidation, LabelledSet

SHOWN_REJECTS = 20
COLOURS = {"content": "#009e73", "ad": "#d55e00", "navigation": "#56b4e9", "recommendation": "#cc79a7"}
"""Okabe and Ito's palette, which people of any colour vision tell apart."""


class _Commands(click.Group):
    """Commands that end with exit code 2 and one clear line when they can't run."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BoilerplateError as error:
            raise _CouldNotRun(show_invisible(str(error))) from error
        except BrokenPipeError:
            # Whoever read our output has gone; the interpreter must not fail on flushing the rest either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except OSError as error:
            raise _CouldNotRun(f"{error.filename or 'input/output'}: {error.strerror or error}") from error


class _CouldNotRun(click.ClickException):
    exit_code = 2


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="boilerplate-ds")
def main() -> None:
    """Label web-page lines, train a boilerplate classifier, publish the dataset, clean text."""


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
jobs_option = click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
model_option = click.option(
    "--model", default="web", show_default=True, help="Shipped model or folder of a model."
)
text_column_option = click.option(
    "--text-column", help="Column or field that holds the text of tables and JSON Lines."
)
format_option = click.option("--format", "format_", help="Read the input as this format instead of guessing.")
folder = click.Path(path_type=Path, file_okay=False)
file = click.Path(path_type=Path, dir_okay=False, exists=True)


def _console() -> Console:
    from rich.console import Console

    return Console(stderr=True)


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
    """Show a bar for each step of long work; silent where standard error is no terminal."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    console = _console()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def tell(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=1.0)
            bars.update(tasks[step], completed=done)

        yield tell


def _end(rejects: Rejects) -> None:
    """Report rejected records and end with exit code 1 if there were any."""
    if not rejects.count:
        return
    for item in rejects.items[:SHOWN_REJECTS]:
        click.echo(f"rejected: {show_invisible(str(item))}", err=True)
    if rejects.count > SHOWN_REJECTS:
        click.echo(f"… and {rejects.count - SHOWN_REJECTS:,} more", err=True)
    bad = "1 bad record was" if rejects.count == 1 else f"{rejects.count:,} bad records were"
    click.echo(f"{bad} left out", err=True)
    sys.exit(1)


@main.command()
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

    with _progress() as tell:
        result = run_build(_labels(labels), out, n_jobs=jobs, progress=tell)
    if as_json:
        click.echo(json.dumps(_build_json(result), indent=2))
    else:
        _print_build(result)
    _end(result.labels.rejects)


def _labels(given: Path | None) -> Path:
    from boilerplate_ds.shipped import shipped

    if given is not None:
        return given
    here = Path("labels")
    return here if here.is_dir() else shipped("labels")


def _labelled(folders: Sequence[Path]) -> LabelledSet:
    """Gold labels of the collections in ``folders``, whose texts must be there."""
    from boilerplate_ds.training import run

    found = dict.fromkeys(collection for folder in folders for collection in run.find_collections(folder))
    labels = run.read_labels(list(found))
    for name in labels.without_text:
        raise BoilerplateError(
            f"{name}: labels without text; run: boilerplate-ds hydrate {name} --from FOLDER"
        )
    for doc_id in labels.undecided:
        click.echo(f"left out  {show_invisible(doc_id)}: its annotators disagree", err=True)
    return labels


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
        click.echo(f"left out  {name}: labels without text (boilerplate-ds hydrate {name} --from FOLDER)")
    for doc_id in result.labels.undecided:
        click.echo(f"left out  {show_invisible(doc_id)}: its annotators disagree")
    click.echo(f"model     {result.model}\ndataset   {result.dataset}\nreport    {result.report}")


@main.command()
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
    _end(rejects)


@main.command()
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
    with _progress() as tell:
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
    _end(rejects)
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


@main.command()
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
@click.option(
    "--epochs",
    type=click.IntRange(1),
    default=8,
    show_default=True,
    help="Passes of the second stage over the data.",
)
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
    epochs: int,
    seed: int,
    jobs: int,
    as_json: bool,
) -> None:
    """Train a model on labelled collections, and on WCXB's pages if you have them.

    \b
    Example:
      boilerplate-ds train labels/starter -o models/mine --folds 5
    """
    from boilerplate_ds.model import LineClassifier
    from boilerplate_ds.shipped import shipped
    from boilerplate_ds.training import card, run

    labels = _labelled(collections or [shipped("labels/starter")])
    classifier = LineClassifier(epochs=epochs, random_state=seed, n_jobs=jobs)
    with _progress() as tell:
        pages = run.training_pages(labels, wcxb=wcxb, html=html, rejects=labels.rejects, progress=tell)
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
    _end(labels.rejects)


def _print_figures(figures: CrossValidation) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from boilerplate_ds.training.report import evaluation_table

    console = Console()
    for name, evaluation in figures.four_class.items():
        console.print(evaluation_table(evaluation, name))
    if figures.wcxb:
        table = Table("WCXB, word F1", *figures.wcxb, title="WCXB development split")
        table.add_row(
            "all pages",
            *(f"{f.word_f1:.3f} ({f.interval[0]:.3f}–{f.interval[1]:.3f})" for f in figures.wcxb.values()),
        )
        for page_type in next(iter(figures.wcxb.values())).by_page_type:
            table.add_row(
                Text(page_type), *(f"{f.by_page_type[page_type][0]:.3f}" for f in figures.wcxb.values())
            )
        console.print(table)


@main.command()
@click.argument("model", type=folder)
@click.option(
    "--labels", "collections", type=folder, multiple=True, help="Labelled collection to judge it on."
)
@click.option("--wcxb", type=file, help="Parquet file of WCXB pages: word F1 of what is kept.")
@click.option(
    "--html", type=file, multiple=True, help="Parquet file (id, html) with the HTML of labelled pages."
)
@json_option
def evaluate(
    model: Path, collections: tuple[Path, ...], wcxb: Path | None, html: tuple[Path, ...], as_json: bool
) -> None:
    """Measure a model on pages it was not trained on.

    \b
    Example:
      boilerplate-ds evaluate models/mine --labels labels/others
    """
    from boilerplate_ds.model import load_model
    from boilerplate_ds.training import run

    if not collections and wcxb is None:
        raise click.UsageError("nothing to judge it on; give --labels or --wcxb")
    loaded = load_model(model)
    labels = _labelled(collections)
    with _progress() as tell:
        pages = run.training_pages(labels, wcxb=wcxb, html=html, rejects=labels.rejects, progress=tell)
    figures = run.figures_of(pages, loaded.probabilities([page.document for page in pages]))
    if as_json:
        click.echo(json.dumps(figures.as_json(), indent=2))
    else:
        _print_figures(figures)
    _end(labels.rejects)


@main.command()
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

    labels = _labelled(collections)
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
    _end(labels.rejects)


@main.command()
@click.argument("pages", nargs=-1, required=True)
@model_option
@click.option(
    "--drop", default="ad,navigation,recommendation", show_default=True, help="Labels to drop, with commas."
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="How sure to be of dropping.",
)
@text_column_option
@format_option
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write [default: standard output].",
)
@click.option(
    "--json", "as_json", is_flag=True, help="JSON Lines: id, url, text, and how many lines were kept."
)
def clean(
    *,
    pages: tuple[str, ...],
    model: str,
    drop: str,
    threshold: float,
    text_column: str | None,
    format_: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Clean pages: files of any format, folders, globs, or - for standard input.

    \b
    Example:
      boilerplate-ds clean page.html
      cat page.txt | boilerplate-ds clean -
      boilerplate-ds clean crawl/*.warc.gz --json -o clean.jsonl
    """
    from boilerplate_ds.sources import read_documents

    cleaner = _cleaner(model, drop, threshold)
    _require_input(pages)
    rejects = Rejects()
    documents = read_documents(list(pages), format=format_, text_column=text_column, rejects=rejects)
    with _output(out) as write:
        first = True
        for document in documents:
            keep = cleaner.keep([document])[0]
            if as_json:
                write(_record(document, document.select(keep), int(keep.sum())))
            else:
                write(b"" if first else b"\n")
                write(_encoded(document, document.select(keep)))
            first = False
    _end(rejects)


def _cleaner(model: str, drop: str, threshold: float) -> Cleaner:
    from boilerplate_ds.cleaning import Cleaner

    labels = [label for name in drop.split(",") if (label := name.strip())]
    try:
        return Cleaner(model, drop=labels, threshold=threshold)
    except ValueError as error:  # NaN passes click's range
        raise click.UsageError(str(error)) from error


def _require_input(pages: Sequence[str]) -> None:
    """Refuse to run if none of ``pages`` is there; if only some are missing, those are rejects."""
    from boilerplate_ds.sources.paths import find_files
    from boilerplate_ds.sources.stream import STDIN

    missing = []
    for found in find_files(pages):
        if isinstance(found, Reject):
            missing.append(str(found))
        elif found.path == STDIN or os.path.lexists(found.path):
            return
        else:
            missing.append(f"{found.path}: no such file")
    raise BoilerplateError("; ".join(missing))


@contextmanager
def _output(path: Path | None) -> Iterator[Callable[[bytes], Any]]:
    """Open standard output, or a file that appears whole or not at all."""
    if path is None or str(path) == "-":
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    if path.exists() and not path.is_file():  # a device or a pipe: nothing can be renamed into its place
        with path.open("wb") as handle:
            yield handle.write
        return
    path = path.resolve()  # a link stays one
    if not path.parent.is_dir():
        raise BoilerplateError(f"{path.parent}: no such folder to write {path.name} to; make it first")
    aside = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        with aside.open("xb") as handle:
            yield handle.write
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _record(document: Document, text: str, kept: int) -> bytes:
    return _json_line(
        {
            "id": document.id,
            "url": document.url,
            "text": text,
            "lines": len(document.lines),
            "kept": kept,
        }
    )


def _json_line(record: Mapping[str, Any]) -> bytes:
    """One line of UTF-8; half a character becomes its escape, which JSON knows and UTF-8 does not."""
    return (json.dumps(record, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _encoded(document: Document, text: str) -> bytes:
    """Text in the encoding it was read in, so that kept lines keep their bytes; all else becomes UTF-8."""
    is_file = document.metadata.keys() == {"encoding"}  # in a record, such a field would be one of many
    try:
        data = text.encode(document.metadata["encoding"] if is_file else "utf-8")
    except (UnicodeError, LookupError, TypeError):
        data = text.encode("utf-8", "surrogatepass")
    ends = data.endswith((b"\n", b"\r")) or document.separators or not data
    return data if ends else data + b"\n"


@main.command()
@click.argument("page")
@model_option
@text_column_option
@format_option
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: id, line, label, score and text.")
def inspect(page: str, model: str, text_column: str | None, format_: str | None, as_json: bool) -> None:
    """Show the lines of a page in colour, each with the letter of its label and the score.

    \b
    Green c content, orange a ad, blue n navigation, purple r recommendation.
    Example:
      boilerplate-ds inspect page.html
      boilerplate-ds inspect page.txt --json | jq 'select(.label == "ad")'
    """
    from boilerplate_ds.cleaning import Cleaner
    from boilerplate_ds.sources import read_documents

    cleaner = Cleaner(model)
    _require_input([page])
    rejects = Rejects()
    for document in read_documents(page, format=format_, text_column=text_column, rejects=rejects):
        lines = cleaner.label(document)
        if as_json:
            _write_lines(document, lines)
        else:
            _print_lines(document, lines)
    _end(rejects)


def _write_lines(document: Document, lines: Sequence[LabeledLine]) -> None:
    for number, line in enumerate(lines, 1):
        record = {
            "id": document.id,
            "line": number,
            "label": str(line.label),
            "score": round(line.score, 4),
            "text": line.text,
        }
        sys.stdout.buffer.write(_json_line(record))


def _print_lines(document: Document, lines: Sequence[LabeledLine]) -> None:
    """Print the lines of a stranger's page as text: neither markup nor control characters take effect."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(f"{show_invisible(document.id)} ({len(lines):,} lines)", "bold"), soft_wrap=True)
    for line in lines:
        shown = f"{line.label.code} {line.score:.2f}  {show_invisible(line.text)}"
        console.print(Text(shown, COLOURS[line.label.value]), soft_wrap=True)


if __name__ == "__main__":
    main()
