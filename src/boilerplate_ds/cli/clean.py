"""Cleaning: ``clean``."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from boilerplate_ds.cli.console import (
    FiniteRange,
    end,
    format_option,
    is_input,
    json_line,
    model_option,
    named,
    output,
    require_input,
    text_column_option,
    told,
)
from boilerplate_ds.errors import Rejects
from boilerplate_ds.invisible import show_invisible

if TYPE_CHECKING:
    from boilerplate_ds.cleaning import Cleaner
    from boilerplate_ds.document import Document

FILE_SUFFIXES = (".txt", ".text", ".md", ".jsonl", ".ndjson", ".parquet")
"""What the name of an output *file* ends in; any other name that is not there yet is a folder."""
_BOM = "\ufeff"
_FOLDER_OPTIONS = {
    "to": "--to",
    "extras": "--with",
    "workers": "--workers",
    "shard_size": "--shard-size",
    "restart": "--restart",
}


@click.command()
@click.argument("pages", nargs=-1, required=True)
@model_option
@click.option(
    "--drop", default="ad,navigation,recommendation", show_default=True, help="Labels to drop, with commas."
)
@click.option(
    "--threshold",
    type=FiniteRange(0, 1),
    help="How sure to be of dropping [default: each page sets its own, 0.5 or higher].",
)
@text_column_option
@format_option
@click.option(
    "-o",
    "--out",
    type=click.Path(),
    help="A file (named .txt, .jsonl …, or one that is there), or a folder for shards [default: standard "
    "output].",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="JSON Lines, as a file named .jsonl gets: id, url, text, how many lines were kept. With a folder: "
    "print the counts as JSON.",
)
@click.option(
    "--dry-run", is_flag=True, help="Clean a few hundred records, show some of them, write nothing."
)
@click.option("--to", type=click.Choice(["jsonl", "parquet"]), help="Folder: format of the shards.")
@click.option(
    "--with", "extras", help="Folder: what to write beside the text: labels, scores, removed; with commas."
)
@click.option("--workers", type=click.IntRange(1), help="Folder: processes that clean [default: all cores].")
@click.option(
    "--shard-size",
    type=FiniteRange(0, 1_000_000, min_open=True),
    help="Folder: megabytes of rows a shard [default: 64].",
)
@click.option("--restart", is_flag=True, help="Folder: begin anew and delete what an earlier run wrote.")
def clean(
    *,
    pages: tuple[str, ...],
    model: str,
    drop: str,
    threshold: float | None,
    text_column: str | None,
    format_: str | None,
    out: str | None,
    as_json: bool,
    dry_run: bool,
    **folder_options: Any,
) -> None:
    """Clean pages: files of any format, folders, globs, or - for standard input.

    With a folder as output, every record keeps its fields, processes share the work, and a run that was
    interrupted goes on where it stopped when the same command is given again.

    \b
    Example:
      boilerplate-ds clean page.html
      cat page.txt | boilerplate-ds clean -
      boilerplate-ds clean crawl/*.warc.gz --json -o clean.jsonl
      boilerplate-ds clean crawl/ --dry-run
      boilerplate-ds clean crawl/ -o cleaned --to parquet --with removed --workers 8
    """
    from boilerplate_ds.cleaning import Cleaner
    from boilerplate_ds.cleaning.corpus import checked_extras
    from boilerplate_ds.cli import clean_corpus

    if out is not None and not names_folder(out):
        as_json = as_json or out.lower().endswith((".jsonl", ".ndjson"))
    cleaner = Cleaner(model, drop=named(drop), threshold=threshold)
    require_input(pages)
    reading = {"format": format_, "text_column": text_column}
    extras = checked_extras(named(folder_options.pop("extras") or ""))
    if dry_run:
        clean_corpus.show_sample(pages, cleaner, reading, as_json=as_json)
    elif out is not None and names_folder(out):
        clean_corpus.to_folder(pages, out, cleaner, reading, as_json=as_json, extras=extras, **folder_options)
    else:
        _refuse(folder_options | {"extras": extras}, out)
        _to_file(pages, cleaner, reading, Path(out) if out is not None else None, as_json=as_json)


def names_folder(out: str) -> bool:
    """Whether ``-o`` names a folder: one that is there, a name ending in /, a new name without a suffix."""
    from boilerplate_ds.sources.detect import is_page_name

    if out == "-" or Path(out).is_dir() or out.endswith("/"):
        return out != "-"
    if out.lower().endswith(FILE_SUFFIXES):
        return False
    if is_page_name(out):
        raise click.UsageError(f"{out}: a file is .txt or .jsonl (for a folder of that name, end it with /)")
    return not Path(out).exists()


def _refuse(folder_options: dict[str, Any], out: str | None) -> None:
    """Refuse options that a single file has no use for."""
    given = [_FOLDER_OPTIONS[name] for name, value in folder_options.items() if value]
    if given:
        raise click.UsageError(f"{given[0]} needs a folder to write to, such as -o cleaned/")
    if out is not None and out.lower().endswith(".parquet"):
        raise click.UsageError("Parquet is written to a folder: -o cleaned/ --to parquet")


def _to_file(
    pages: tuple[str, ...], cleaner: Cleaner, reading: dict[str, Any], out: Path | None, *, as_json: bool
) -> None:
    from boilerplate_ds.sources import read_documents
    from boilerplate_ds.sources.paths import check_splits, find_files

    for found in find_files(pages):
        check_splits(found)
    if out is not None and is_input(out, pages) and (as_json or not _is_one_page(pages, reading)):
        raise click.UsageError(f"{out} is part of the input; write to another file, or to a folder")
    rejects = told(Rejects())
    documents = read_documents(list(pages), **reading, rejects=rejects)
    with output(out) as write:
        n_emptied, last = 0, ""
        first = next(documents, None)
        second = next(documents, None)
        for number, document in enumerate(chain(filter(None, (first, second)), documents)):
            keep = cleaner.keep([document])[0]
            text = document.select(keep)
            if len(keep) and not keep.any():
                n_emptied, last = n_emptied + 1, document.id
            if as_json:
                write(_record(document, text, int(keep.sum())))
            elif second is None:
                write(_encoded(document, text))
            else:
                write((b"\n" if number else b"") + _ended(document, text, "utf-8"))
    if n_emptied and not as_json:
        which = show_invisible(last) if n_emptied == 1 else f"{n_emptied:,} pages"
        click.echo(f"nothing is left of {which}; boilerplate-ds inspect shows the lines", err=True)
    end(rejects)


def _is_one_page(pages: tuple[str, ...], reading: dict[str, Any]) -> bool:
    """Whether the input is one page, a file of its own: nothing else is lost if it is cleaned in place."""
    from boilerplate_ds.sources.page import Page
    from boilerplate_ds.sources.paths import find_files
    from boilerplate_ds.sources.reader import read_pages

    files = list(find_files(pages))
    if len(files) > 1:
        return False
    first = next(read_pages(files[0], reading["format"], reading["text_column"]), None)
    return isinstance(first, Page) and not first.record


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
    encoding = document.metadata["encoding"] if is_file else "utf-8"
    if str(encoding).startswith(("utf-16", "utf-32")) and not text.startswith(_BOM):
        text = _BOM + text  # it was the start of a line that is gone
    try:
        return _ended(document, text, encoding)
    except (UnicodeError, LookupError, TypeError):
        return _ended(document, text, "utf-8")


def _ended(document: Document, text: str, encoding: str) -> bytes:
    ends = text.endswith(("\n", "\r")) or document.separators or not text
    return (text if ends else text + "\n").encode(
        encoding, "surrogatepass" if encoding == "utf-8" else "strict"
    )
