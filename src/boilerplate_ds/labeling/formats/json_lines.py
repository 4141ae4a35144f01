"""What doccano's and Prodigy's files have in common: JSON Lines, one record a text with its spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boilerplate_ds.errors import LabelError, Rejects, reject_or_raise
from boilerplate_ds.labeling.formats.labelled import LabelledDocument, annotation_fields, document_fields
from boilerplate_ds.labeling.jsonl import encode_record, read_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from boilerplate_ds.document import Document
    from boilerplate_ds.labeling.formats.labelled import AnnotationRecord

    ReadRecord = Callable[[dict[str, Any], str], LabelledDocument]
    WriteRecord = Callable[[Document, AnnotationRecord | None], Mapping[str, Any]]


def encode_json_lines(item: LabelledDocument, write_record: WriteRecord) -> bytes:
    """Give one line for each annotation; one, without labels, for a document that has none."""
    lines = []
    for record in item.annotations or (None,):
        carried = {"document": document_fields(item.document)}
        if record:
            carried["annotation"] = annotation_fields(record)
        lines.append(encode_record({**write_record(item.document, record), **carried}))
    return b"".join(lines)


def read_json_lines(
    path: Path, rejects: Rejects | None, read_record: ReadRecord
) -> Iterator[LabelledDocument]:
    """Give what ``read_record`` makes of each line; what it refuses is rejected."""
    for number, record in read_records(path, rejects):
        where = f"line {number}"
        try:
            item = read_record(record, where)
        except LabelError as error:
            reject_or_raise(rejects, path, where, str(error), LabelError)
        else:
            yield item


def spans_field(record: Mapping[str, Any], *names: str) -> list[Any]:
    """Give the first of the fields that is there.

    Raises
    ------
    LabelError
        If it is no list.
    """
    for name in names:
        value = record.get(name)
        if value is not None:
            if not isinstance(value, list):
                raise LabelError(f"{name} is {type(value).__name__}, not a list")
            return value
    return []
