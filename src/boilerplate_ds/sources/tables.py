"""CSV and TSV: one record a row, named by the header."""

from __future__ import annotations

import csv
import io
import re
from itertools import dropwhile
from typing import TYPE_CHECKING

from boilerplate_ds.errors import Reject, SourceError
from boilerplate_ds.sources.encoding import decode_text, encoding_of_bom
from boilerplate_ds.sources.records import (
    check_text_column,
    has_text_column,
    read_record,
    with_one_name_each,
)
from boilerplate_ds.sources.stream import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boilerplate_ds.sources.page import Page
    from boilerplate_ds.sources.stream import PageFile, PageStream

_DELIMITERS = ",;\t|"
_TOLD = re.compile(r'"?sep=([^"\s]|\t)"?', re.IGNORECASE)
"""A first line that tells Excel the delimiter, and is no header."""


def read_csv(file: PageFile) -> Iterator[Page | Reject]:
    """Read a CSV file; its header tells which of ``, ; | tab`` stands between fields, or Excel's ``sep=;``.

    A row's number is its place below the header. Fields that a short row leaves out are absent, and of
    columns with one name the second is called ``name_2``. Quotes are those of RFC 4180, in tables with tabs,
    too: a field that holds more after its closing quote is ambiguous, so its row is rejected.
    """
    yield from _read_table(file, delimiter=None)


def read_tsv(file: PageFile) -> Iterator[Page | Reject]:
    """Read a table whose fields have tabs between them; see :func:`read_csv`."""
    yield from _read_table(file, delimiter="\t")


def _read_table(file: PageFile, delimiter: str | None) -> Iterator[Page | Reject]:
    rows = table_rows(file.stream, delimiter)
    header = next(rows, None)
    if isinstance(header, SourceError):
        raise header
    if header is None:
        return
    header = with_one_name_each(header)
    check_text_column(header, file.text_column)
    for number, row in enumerate(rows, start=1):
        record = row_record(header, row)
        if not isinstance(record, SourceError) and not has_text_column(record, file.text_column):
            count = f"{len(record)} fields under a header of {len(header)}"
            record = SourceError(f"{count}; the one with the text is not among them")
        yield read_record(record, file, "row", number)


def table_rows(stream: PageStream, delimiter: str | None = None) -> Iterator[list[str] | SourceError]:
    """Give the rows of a table that are not blank, the header first; the header tells the delimiter.

    What Excel may write above the header, a line ``sep=;`` or empty fields, is passed over. A row that
    cannot be told into fields comes as an error that names its lines.

    Raises
    ------
    SourceError
        Where the table cannot be read on: after that, rows can no longer be told apart.
    """
    lines = _RowLines(stream)
    csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD_BYTES))  # one limit for the whole process
    return dropwhile(_precedes_header, _rows(lines, delimiter or _delimiter_of(stream.head())))


def _precedes_header(row: list[str] | SourceError) -> bool:
    if isinstance(row, SourceError):
        return False
    written = "".join(row).strip()
    return not written or re.fullmatch("sep=.?", written, re.IGNORECASE) is not None


def _rows(lines: _RowLines, delimiter: str) -> Iterator[list[str] | SourceError]:
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        first = rows.line_num + 1
        lines.start_row()
        try:
            if row := next(rows):
                yield row
        except StopIteration:
            return
        except csv.Error as error:
            place = f"line {first}" if first == rows.line_num else f"lines {first} to {rows.line_num}"
            fault = "a quote is not closed" if "unexpected end" in str(error) else str(error)
            yield SourceError(f"{place}: {fault}")
        except UnicodeError as error:
            raise SourceError(f"near line {rows.line_num + 1}: {error}; what follows is not read") from error


def row_record(header: list[str], row: list[str] | SourceError) -> dict[str, str] | SourceError:
    """Name the fields of a row; what is wrong with it comes as a :class:`SourceError`."""
    if isinstance(row, SourceError):
        return row
    if len(row) > len(header):
        return SourceError(
            f"{len(row)} fields under a header of {len(header)}; is a field with a delimiter not quoted?"
        )
    if any(_has_escapes(field) for field in row):
        return SourceError("not UTF-8, though the start of the file is")
    return dict(zip(header, row, strict=False))


def _has_escapes(field: str) -> bool:
    if field.isascii():
        return False
    try:
        field.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


class _RowLines:
    """Decoded lines for :func:`csv.reader`, bounded: a row may not take more than the limit."""

    def __init__(self, stream: PageStream) -> None:
        encoding = _encoding_of(stream.head())
        errors = "replace" if encoding in ("utf-16", "utf-32") else "surrogateescape"
        self._stream = stream
        self._text = io.TextIOWrapper(stream, encoding, errors, newline="")
        self._size = 0

    def start_row(self) -> None:
        self._size = 0

    def __iter__(self) -> _RowLines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_RECORD_BYTES + 1 - self._size)
        self._size += len(line)
        if self._size > MAX_RECORD_BYTES:
            raise SourceError(f"a row of more than {MAX_RECORD_BYTES:,} characters; is a quote not closed?")
        if not line.endswith(("\n", "\r")):
            self._stream.finish()  # a row that broken compression cuts is not a row
        if not line:
            raise StopIteration
        return line


def _encoding_of(head: bytes) -> str:
    if bom := encoding_of_bom(head):
        return "utf-8-sig" if bom == "utf-8" else bom.removesuffix("-le").removesuffix("-be")
    whole_lines = head[: head.rfind(b"\n") + 1] or head
    return decode_text(whole_lines)[1]


def _delimiter_of(head: bytes) -> str:
    header = ""
    for line in head.decode(_encoding_of(head), "replace").split("\n"):
        if told := _TOLD.fullmatch(line.rstrip("\r")):
            return told[1]
        header = line
        if line.strip(f'{_DELIMITERS}" \r'):
            break
    return max(_DELIMITERS, key=header.count)
