"""doccano's JSON Lines for sequence labelling.

A record is ``{"text": …, "label": [[start, end, name], …]}``; further fields are what doccano calls metadata,
and it hands them back. Its exports have ``Comments``, and ``entities`` instead of ``label`` in projects with
relations. They do not say who labelled: doccano writes one file a person, named after them.

Source: doccano 1.8, ``data_import`` and ``data_export``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.errors import LabelError
from boilerplate_ds.labeling.formats.json_lines import encode_json_lines, read_json_lines, spans_field
from boilerplate_ds.labeling.formats.labelled import LabelledDocument, annotation_of, document_of
from boilerplate_ds.labeling.formats.spans import Span, labels_of_spans, line_spans

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from boilerplate_ds.document import Document
    from boilerplate_ds.errors import Rejects
    from boilerplate_ds.labeling.formats.labelled import AnnotationRecord

_OWN = (
    "id",
    "text",
    "data",
    "label",
    "labels",
    "entities",
    "relations",
    "Comments",
    "document",
    "annotation",
)


START = BETWEEN = END = b""
HOLDS_SUGGESTIONS = False


def encode(item: LabelledDocument) -> bytes:
    """Give one line an annotation."""
    return encode_json_lines(item, _record)


def read(path: Path, annotator: str, rejects: Rejects | None) -> Iterator[LabelledDocument]:
    """Give the documents of a file; a record without spans is a document nobody labelled."""
    return read_json_lines(path, rejects, partial(_labelled, annotator=annotator))


def _record(document: Document, record: AnnotationRecord | None) -> dict[str, Any]:
    spans = line_spans(document, record.annotation.labels) if record else []
    return {
        "text": document.text,
        "label": [[span.start, span.end, LABEL_NAMES[span.label]] for span in spans],
    }


def _labelled(record: dict[str, Any], where: str, annotator: str) -> LabelledDocument:
    foreign = {key: value for key, value in record.items() if key not in _OWN}
    text = record.get("text", record.get("data"))
    document, is_named = document_of(text, record.get("document"), foreign)
    spans = [_span(item) for item in spans_field(record, "label", "labels", "entities")]
    annotations = []
    if spans:
        fields = record.get("annotation")
        notes = _notes(None if annotator else fields, spans_field(record, "Comments"))
        labels = labels_of_spans(document, spans)
        annotations.append(annotation_of(document, labels, fields, annotator, notes=notes))
    return LabelledDocument(document, tuple(annotations), where=where, is_named=is_named)


def _span(item: object) -> Span:
    if isinstance(item, dict):
        return Span.parse(item.get("start_offset"), item.get("end_offset"), item.get("label"))
    if isinstance(item, list) and len(item) == 3:
        return Span.parse(*item)
    raise LabelError(f"{str(item)[:60]} is not a span [start, end, label]")


def _notes(fields: object, comments: list[Any]) -> str:
    """Join the note that the labels came with and the comments that people wrote in doccano."""
    carried = fields.get("notes") if isinstance(fields, dict) else None
    notes = [note for note in (carried, *comments) if note and isinstance(note, str)]
    return "\n".join(dict.fromkeys(notes))
