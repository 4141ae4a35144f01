"""Cleaning: ``clean``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from boilerplate_ds.cli.console import (
    end,
    format_option,
    json_line,
    model_option,
    output,
    require_input,
    text_column_option,
)
from boilerplate_ds.errors import Rejects

if TYPE_CHECKING:
    from boilerplate_ds.cleaning import Cleaner
    from boilerplate_ds.document import Document


@click.command()
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
    require_input(pages)
    rejects = Rejects()
    documents = read_documents(list(pages), format=format_, text_column=text_column, rejects=rejects)
    with output(out) as write:
        first = True
        for document in documents:
            keep = cleaner.keep([document])[0]
            if as_json:
                write(_record(document, document.select(keep), int(keep.sum())))
            else:
                write(b"" if first else b"\n")
                write(_encoded(document, document.select(keep)))
            first = False
    end(rejects)


def _cleaner(model: str, drop: str, threshold: float) -> Cleaner:
    from boilerplate_ds.cleaning import Cleaner

    labels = [label for name in drop.split(",") if (label := name.strip())]
    try:
        return Cleaner(model, drop=labels, threshold=threshold)
    except ValueError as error:  # NaN passes click's range
        raise click.UsageError(str(error)) from error


def _record(document: Document, text: str, kept: int) -> bytes:
    return json_line(
        {
            "id": document.id,
            "url": document.url,
            "text": text,
            "lines": len(document.lines),
            "kept": kept,
        }
    )


def _encoded(document: Document, text: str) -> bytes:
    """Text in the encoding it was read in, so that kept lines keep their bytes; all else becomes UTF-8."""
    is_file = document.metadata.keys() == {"encoding"}  # in a record, such a field would be one of many
    try:
        data = text.encode(document.metadata["encoding"] if is_file else "utf-8")
    except (UnicodeError, LookupError, TypeError):
        data = text.encode("utf-8", "surrogatepass")
    ends = data.endswith((b"\n", b"\r")) or document.separators or not data
    return data if ends else data + b"\n"
