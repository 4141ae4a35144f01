"""``read_documents``: any format in, documents out; ``read_pages``: the same before it is cut into lines."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from boilerplate_ds.errors import Reject, Rejects, SourceError, reject_or_raise
from boilerplate_ds.sources.arrow import read_arrow, read_parquet
from boilerplate_ds.sources.detect import FORMATS, format_of
from boilerplate_ds.sources.json_values import read_json
from boilerplate_ds.sources.jsonl import read_jsonl
from boilerplate_ds.sources.paths import FoundFile, PathLike, find_files
from boilerplate_ds.sources.stream import STDIN, PageFile, PageStream
from boilerplate_ds.sources.tables import read_csv, read_tsv
from boilerplate_ds.sources.text import read_html, read_text
from boilerplate_ds.sources.warc import read_warc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from boilerplate_ds.document import Document
    from boilerplate_ds.sources.page import Page

_READERS: dict[str, Callable[[PageFile], Iterator[Page | Reject]]] = {
    "text": read_text,
    "html": read_html,
    "jsonl": read_jsonl,
    "json": read_json,
    "csv": read_csv,
    "tsv": read_tsv,
    "parquet": read_parquet,
    "arrow": read_arrow,
    "warc": read_warc,
}


def read_documents(
    path: PathLike | Iterable[PathLike],
    *,
    format: str | None = None,  # noqa: A002  the word users know from pandas and datasets
    text_column: str | None = None,
    rejects: Rejects | None = None,
) -> Iterator[Document]:
    """Read documents from files of any known format, one after the other.

    Memory holds one record at a time, however large the file. Compression (gzip, Zstandard) and format are
    told by content, then by suffix; ``docs/file-formats.md`` says how fields of records are read.

    Parameters
    ----------
    path : str, Path or iterable of them
        A file, a folder (with all below it), a pattern (``pages/**/*.html``), ``-`` for standard input.
    format : str, optional
        One of :data:`FORMATS`, for all files; None: tell by each file.
    text_column : str, optional
        The field that holds the text of a record; None: the first of
        :data:`boilerplate_ds.sources.records.TEXT_COLUMNS` that there is.
    rejects : Rejects, optional
        Takes note of each file or record that cannot be read, and reading goes on.

    Yields
    ------
    Document

    Raises
    ------
    SourceError
        If ``format`` is unknown; without ``rejects``, also at the first file or record that cannot be read.
    """
    check_format(format)
    return _documents(path, format, text_column, rejects)


def _documents(
    path: PathLike | Iterable[PathLike],
    format_name: str | None,
    text_column: str | None,
    rejects: Rejects | None,
) -> Iterator[Document]:
    for found in find_files(path):
        for page in read_pages(found, format_name, text_column):
            item = page if isinstance(page, Reject) else page.document()
            if isinstance(item, Reject):
                reject_or_raise(rejects, item.file, item.record, item.reason)
            else:
                yield item


def check_format(name: str | None) -> None:
    """Refuse a format that is not known.

    Raises
    ------
    SourceError
    """
    if name is not None and name not in FORMATS:
        raise SourceError(f"unknown format {name!r}; known are {', '.join(FORMATS)}")


def read_pages(
    found: FoundFile | Reject, format_name: str | None = None, text_column: str | None = None
) -> Iterator[Page | Reject]:
    """Read one file; whatever is wrong with it comes out as a :class:`Reject`.

    The same file gives the same pages and rejects in the same order.
    """
    if isinstance(found, Reject):
        yield found
        return
    try:
        with open_stream(found.path) as stream:
            file = PageFile(found.path, found.name, stream, text_column)
            head = stream.head()
            if not head:
                stream.finish()
            yield from _READERS[format_name or format_of(head, found.name)](file)
    except SourceError as error:
        yield Reject(found.path, "", str(error))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        yield Reject(found.path, "", f"cannot be read: {getattr(error, 'strerror', None) or error}")


@contextmanager
def open_stream(path: str) -> Iterator[PageStream]:
    """Open a file, or ``-`` for standard input; its bytes come decompressed."""
    if path == STDIN:
        yield PageStream(sys.stdin.buffer)
        return
    with Path(path).open("rb") as file:
        if stat.S_ISDIR(os.fstat(file.fileno()).st_mode):
            raise IsADirectoryError(path)
        yield PageStream(file)
