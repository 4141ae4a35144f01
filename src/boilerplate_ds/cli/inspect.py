"""A page in colour: ``inspect``."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boilerplate_ds.cli.console import (
    COLOURS,
    end,
    format_option,
    is_input,
    json_line,
    model_option,
    output,
    require_input,
    text_column_option,
    told,
)
from boilerplate_ds.errors import Rejects
from boilerplate_ds.invisible import show_invisible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from boilerplate_ds.cleaning import Cleaner
    from boilerplate_ds.document import Document, LabeledLine


@click.command()
@click.argument("page")
@model_option
@text_column_option
@format_option
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: id, line, label, score, kept and text.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one HTML file to share instead (the first 100 pages).",
)
def inspect(
    *, page: str, model: str, text_column: str | None, format_: str | None, as_json: bool, html: Path | None
) -> None:
    """Show the lines of a page in colour, each with the letter of its label and the score.

    \b
    Green c content, orange a ad, blue n navigation, purple r recommendation; - is a line that goes.
    Example:
      boilerplate-ds inspect page.html
      boilerplate-ds inspect page.txt --json | jq 'select(.label == "ad")'
      boilerplate-ds inspect page.html --html labelled.html
    """
    from boilerplate_ds.cleaning import Cleaner
    from boilerplate_ds.sources import read_documents

    if as_json and html is not None:
        raise click.UsageError("give --json or --html, not both")
    if html is not None and is_input(html, [page]):
        raise click.UsageError(f"{html} is part of the input; write to another file")
    cleaner = Cleaner(model)
    require_input([page])
    rejects = told(Rejects())
    documents = read_documents(page, format=format_, text_column=text_column, rejects=rejects)
    if html is not None:
        _write_html(html, cleaner, documents, model)
        end(rejects)
        return
    for document in documents:
        lines = cleaner.label(document)
        if as_json:
            _write_lines(document, lines)
        else:
            _print_lines(document, lines)
    end(rejects)


def _write_html(path: Path, cleaner: Cleaner, documents: Iterator[Document], model: str) -> None:
    from boilerplate_ds.cleaning.page_report import MAX_SHOWN_PAGES, ShownPage, page_report

    pages = [ShownPage.of(d, cleaner.label(d)) for d in islice(documents, MAX_SHOWN_PAGES)]
    with output(path) as write:
        write(page_report(pages, model).encode("utf-8", "replace"))


def _write_lines(document: Document, lines: Sequence[LabeledLine]) -> None:
    for number, line in enumerate(lines, 1):
        record = {
            "id": document.id,
            "line": number,
            "label": str(line.label),
            "score": round(line.score, 4),
            "kept": line.kept,
            "text": line.text,
        }
        sys.stdout.buffer.write(json_line(record))


def _print_lines(document: Document, lines: Sequence[LabeledLine]) -> None:
    """Print the lines of a stranger's page as text: neither markup nor control characters take effect."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(f"{show_invisible(document.id)} ({len(lines):,} lines)", "bold"), soft_wrap=True)
    for line in lines:
        goes = " " if line.kept else "-"
        shown = f"{goes} {line.label.code} {line.score:.2f}  {show_invisible(line.text)}"
        console.print(Text(shown, COLOURS[line.label.value]), soft_wrap=True)
