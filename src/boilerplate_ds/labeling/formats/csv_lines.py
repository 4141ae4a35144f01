"""Plain CSV, one row a line: for spreadsheets, and for whatever else reads tables.

Columns: ``doc_id``, ``line`` (from 1), ``label``, ``text``, ``annotator``; the first row of each document has
in ``document`` and ``annotation``, as JSON, what else there is to know. Only ``doc_id``, ``label`` and
``text`` are needed, and rows may stand in any order if they have their ``line``.

A page is a stranger's text, and a spreadsheet runs a cell that starts with ``=``. Cells that start with
``= + - @``, a tab, or ``'`` before one of these get a ``'`` in front, which reading takes away again.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.document import Label
from boilerplate_ds.errors import LabelError, Rejects, SourceError, reject_or_raise
from boilerplate_ds.labeling.formats.labelled import (
    LabelledDocument,
    annotation_fields,
    annotation_of,
    document_fields,
    document_of,
)
from boilerplate_ds.labeling.jsonl import decode_record, encode_record
from boilerplate_ds.sources.reader import open_stream
from boilerplate_ds.sources.tables import row_record, table_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from boilerplate_ds.labeling.formats.labelled import AnnotationRecord

_COLUMNS = ("doc_id", "line", "label", "text", "annotator", "document", "annotation")
_REQUIRED = ("doc_id", "label", "text")
_FORMULA = re.compile(r"'*[=+\-@\t]")
_ESCAPED = re.compile(r"'+[=+\-@\t]")

START = (",".join(_COLUMNS) + "\n").encode()
HOLDS_SUGGESTIONS = False
BETWEEN = END = b""


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    fields: dict[str, str]
    problem: str


def encode(item: LabelledDocument) -> bytes:
    """Give the rows of a document, once for each annotator; without labels, if nobody labelled it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for record in item.annotations or (None,):
        writer.writerows(_rows(item, record))
    text = buffer.getvalue()
    if "\0" in text or not _is_unicode(text):
        raise LabelError(
            f"document {item.document.id!r} holds a NUL or half a character; CSV can't carry that"
        )
    return text.encode()


def _rows(item: LabelledDocument, record: AnnotationRecord | None) -> Iterator[list[str]]:
    document = item.document
    beside = document_fields(document)
    if document.separators:
        beside["separators"] = list(document.separators)
    more = [_json(beside), _json(annotation_fields(record)) if record else ""]
    names = tuple(Label)
    for number, line in enumerate(document.lines, start=1):
        label = names[record.annotation.labels[number - 1]].value if record else ""
        cells = [document.id, str(number), label, line, record.annotation.annotator if record else "", *more]
        yield [f"'{cell}" if _FORMULA.match(cell) else cell for cell in cells]
        more = ["", ""]


def _json(record: Mapping[str, Any]) -> str:
    encode_record(record)  # refuses what would not read back
    return json.dumps(record)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read(path: Path, annotator: str, rejects: Rejects | None) -> Iterator[LabelledDocument]:
    """Give the documents of a file once for each annotator; one whose rows have no labels is unlabelled.

    A document with a bad row is rejected whole, since its lines would no longer be its page.
    """
    for doc_id, by_annotator in _grouped(path, rejects).items():
        numbers = [row.number for rows in by_annotator.values() for row in rows]
        where = f"rows {min(numbers)} to {max(numbers)}, document {doc_id!r}"
        try:
            items = _labelled_by_each(by_annotator, where, annotator)
        except LabelError as error:
            reject_or_raise(rejects, path, where, str(error), LabelError)
            continue
        first: list[list[int]] = []
        for name, item in zip(by_annotator, items, strict=True):
            labels = [record.annotation.labels.tolist() for record in item.annotations]
            if annotator and first and labels not in ([], first):
                reason = f"the labels of {name} differ from those before, and all are to be {annotator}'s"
                reject_or_raise(rejects, path, where, reason, LabelError)
                continue
            first = first or labels
            yield item


def _grouped(path: Path, rejects: Rejects | None) -> dict[str, dict[str, list[_Row]]]:
    """Gather the rows of each document, by annotator."""
    groups: dict[str, dict[str, list[_Row]]] = {}
    with open_stream(str(path)) as stream:
        try:
            rows = table_rows(stream)
            header = next(rows, [])
            if isinstance(header, SourceError):
                raise header
            _check_header(header)
            for number, row in enumerate(rows, start=1):
                if isinstance(row, SourceError):  # of which document, nobody knows
                    raise row
                record = row_record(header, row)
                problem = str(record) if isinstance(record, SourceError) else ""
                fields = _unescaped(dict(zip(header, row, strict=False)))
                by_annotator = groups.setdefault(fields.get("doc_id", ""), {})
                by_annotator.setdefault(fields.get("annotator", ""), []).append(_Row(number, fields, problem))
        except SourceError as error:  # whose rows are missing, nobody knows: none of the file is taken
            reject_or_raise(rejects, path, "", str(error), LabelError)
            return {}
    return groups


def _check_header(header: Sequence[str]) -> None:
    missing = [name for name in _REQUIRED if name not in header]
    if missing:
        raise SourceError(f"its header lacks {', '.join(missing)}")
    twice = [name for name, count in Counter(header).items() if name and count > 1]
    if twice:
        raise SourceError(f"its header has {', '.join(twice)} more than once")


def _labelled_by_each(
    by_annotator: Mapping[str, list[_Row]], where: str, annotator: str
) -> list[LabelledDocument]:
    """Read a document once for each annotator; rows that miss theirs would be cut out of the page."""
    if "" in by_annotator and len(by_annotator) > 1:
        raise LabelError(f"row {by_annotator[''][0].number} names no annotator, though others do")
    items = [
        _labelled([row.fields for row in _in_order(rows)], where, annotator) for rows in by_annotator.values()
    ]
    if len({item.document.text_sha256 for item in items}) > 1:
        raise LabelError(f"its text differs between its annotators {', '.join(by_annotator)}")
    return items


def _unescaped(record: Mapping[str, str]) -> dict[str, str]:
    return {key: cell[1:] if _ESCAPED.match(cell) else cell for key, cell in record.items()}


def _in_order(rows: list[_Row]) -> Sequence[_Row]:
    """Sort the rows by their line numbers, which must be 1, 2, 3 and so on if there are any."""
    for row in rows:
        if row.problem:
            raise LabelError(f"row {row.number}: {row.problem}")
    numbers = [row.fields.get("line", "") for row in rows]
    if not any(numbers):
        return rows
    placed = dict(zip(numbers, rows, strict=True))
    try:
        return [placed[str(number)] for number in range(1, len(rows) + 1)]
    except KeyError as error:
        raise LabelError(f"its {len(rows)} rows lack line {error.args[0]}") from None


def _labelled(rows: Sequence[Mapping[str, str]], where: str, annotator: str) -> LabelledDocument:
    lines = [row.get("text", "") for row in rows]
    for number, line in enumerate(lines, start=1):
        if not line.strip() or "\n" in line or "\r" in line:
            raise LabelError(f"line {number} is blank or more than one line")
    first = next((row for row in rows if row.get("document") or row.get("annotation")), rows[0])
    beside = _object(first, "document")
    separators = beside.pop("separators", None) if beside else None
    text = _joined(lines, separators)
    named = {"id": rows[0]["doc_id"]} if rows[0]["doc_id"] else {}
    document, is_named = document_of(text, (beside or _further(rows)) | named)
    if list(document.lines) != lines:
        raise LabelError("its separators are not what can stand between lines")
    labels = [row.get("label", "").strip() for row in rows]
    if not any(labels):
        return LabelledDocument(document, where=where, is_named=is_named)
    by = annotator or first.get("annotator", "")
    record = annotation_of(document, _class_ids(labels), _object(first, "annotation"), by)
    return LabelledDocument(document, (record,), where=where, is_named=is_named)


def _class_ids(labels: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int8]]:
    for number, label in enumerate(labels, start=1):
        if not label:
            raise LabelError(f"line {number} has no label")
    return np.array([Label.parse(label[:40]).id for label in labels], dtype=np.int8)


def _object(row: Mapping[str, str], column: str) -> dict[str, Any] | None:
    cell = row.get(column, "")
    if not cell:
        return None
    try:
        return decode_record(cell.encode("utf-8", "surrogatepass"))
    except LabelError as error:
        raise LabelError(f"column {column}: {error}") from error


def _joined(lines: Sequence[str], separators: object) -> str:
    if separators is None:
        return "\n".join(lines)
    if (
        not isinstance(separators, list)
        or len(separators) != len(lines) + 1
        or not all(isinstance(gap, str) for gap in separators)
    ):
        raise LabelError(f"its separators are not the {len(lines) + 1} texts around {len(lines)} lines")
    return "".join(part for pair in zip(separators, [*lines, ""], strict=True) for part in pair)


def _further(rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Take columns of somebody else's, each with one value for the whole document, as its fields."""
    further: dict[str, str] = {}
    for column in (name for name in rows[0] if name not in _COLUMNS):
        values = {row.get(column, "") for row in rows} - {""}
        if len(values) > 1:
            raise LabelError(f"column {column} differs between its lines; leave that column out")
        if values:
            further[column] = values.pop()
    return further
