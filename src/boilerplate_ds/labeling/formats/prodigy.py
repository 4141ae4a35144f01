"""Prodigy's JSON Lines for the interfaces ``spans_manual`` and ``ner_manual``.

A task is ``{"text": …, "tokens": […], "spans": [{"start", "end", "label", "token_start", "token_end"}, …]}``.
Lines are the tokens here, so that one click takes a line; what stands between them is a token that can't be
taken.
``db-out`` adds ``answer``, ``_annotator_id`` and ``_timestamp``; answers other than "accept" are no labels.

Source: Prodigy's documentation, "Annotation interfaces".
"""

from __future__ import annotations

from datetime import datetime, timezone
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

_OWN = ("text", "tokens", "spans", "answer", "document", "annotation", "meta")
_LAST_SECOND = 253402300799
"""Of the year 9999, the last that ISO 8601 writes with four digits."""


START = BETWEEN = END = b""
HOLDS_SUGGESTIONS = False


def encode(item: LabelledDocument) -> bytes:
    """Give one line an annotation."""
    return encode_json_lines(item, _task)


def read(path: Path, annotator: str, rejects: Rejects | None) -> Iterator[LabelledDocument]:
    """Give the documents of a file; a task without spans, or not accepted, is one nobody labelled."""
    return read_json_lines(path, rejects, partial(_labelled, annotator=annotator))


def _task(document: Document, record: AnnotationRecord | None) -> dict[str, Any]:
    tokens = _tokens(document)
    if record is None:
        return {"text": document.text, "tokens": tokens, "spans": []}
    annotation = record.annotation
    places = [token["id"] for token in tokens if "disabled" not in token]
    spans = [
        {
            "start": span.start,
            "end": span.end,
            "token_start": place,
            "token_end": place,
            "label": LABEL_NAMES[span.label],
        }
        for span, place in zip(line_spans(document, annotation.labels), places, strict=True)
    ]
    return {
        "text": document.text,
        "tokens": tokens,
        "spans": spans,
        "answer": "accept",
        "_annotator_id": annotation.annotator,
        "_session_id": annotation.annotator,
    }


def _tokens(document: Document) -> list[dict[str, Any]]:
    gaps = document.separators or ("", *["\n"] * (len(document.lines) - 1), "")
    tokens: list[dict[str, Any]] = []
    start = 0
    for gap, line in zip(gaps, (*document.lines, ""), strict=True):
        for text, is_gap in ((gap, True), (line, False)):
            if text:
                token = {
                    "text": text,
                    "start": start,
                    "end": start + len(text),
                    "id": len(tokens),
                    "ws": False,
                }
                tokens.append(token | {"disabled": True} if is_gap else token)
                start += len(text)
    return tokens


def _labelled(record: dict[str, Any], where: str, annotator: str) -> LabelledDocument:
    meta = record.get("meta")
    foreign = {key: value for key, value in record.items() if key not in _OWN and not key.startswith("_")}
    foreign |= meta if isinstance(meta, dict) else {}
    document, is_named = document_of(record.get("text"), record.get("document"), foreign)
    answer = record.get("answer", "accept")
    if answer not in ("accept", "reject", "ignore"):
        raise LabelError(f"the answer {str(answer)[:40]!r} is none of accept, reject and ignore")
    spans = [_span(item) for item in spans_field(record, "spans")]
    annotations = []
    if spans and answer == "accept":
        labels = labels_of_spans(document, spans)
        by = annotator or _text(record.get("_annotator_id")) or _text(record.get("_session_id"))
        made = _time(record.get("_timestamp"))
        annotations.append(annotation_of(document, labels, record.get("annotation"), by, made))
    return LabelledDocument(document, tuple(annotations), where=where, is_named=is_named)


def _span(item: object) -> Span:
    if not isinstance(item, dict):
        raise LabelError(f"{str(item)[:60]} is not a span with start, end and label")
    return Span.parse(item.get("start"), item.get("end"), item.get("label"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _time(value: object) -> str:
    """Seconds since 1970 as ISO 8601; empty if it is no such time."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _LAST_SECOND:
        return ""
    return datetime.fromtimestamp(value, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
