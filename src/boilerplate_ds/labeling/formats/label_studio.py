"""Label Studio's JSON: tasks with annotations and predictions, and the labelling interface for them.

A task's ``data`` holds the text; an annotation's ``result`` holds one region a line. Label Studio keeps of an
imported annotation its result and ``lead_time`` and little else, so what it has no place for stands in the
``meta`` of the first region, and notes in the text area of the interface.

Source: Label Studio 1.23 (``tasks/serializers.py``) and "Label Studio JSON format of annotated tasks".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.document import LABEL_NAMES, Label
from boilerplate_ds.errors import LabelError, Rejects, SourceError, reject_or_raise
from boilerplate_ds.labeling.formats.labelled import (
    LabelledDocument,
    annotation_fields,
    annotation_of,
    document_fields,
    document_of,
)
from boilerplate_ds.labeling.formats.spans import Span, line_spans, spans_of_lines
from boilerplate_ds.labeling.jsonl import encode_record
from boilerplate_ds.labeling.store import check_annotator
from boilerplate_ds.labeling.suggestions import Suggestion
from boilerplate_ds.sources.json_values import json_values
from boilerplate_ds.sources.reader import open_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from boilerplate_ds.document import Document, Labels
    from boilerplate_ds.labeling.formats.labelled import AnnotationRecord

    Region = dict[str, Any]

COLOURS = ("#009e73", "#d55e00", "#56b4e9", "#cc79a7")
_LABELS, _NOTES, _TEXT = "label", "notes", "text"
_OTHER_RESULTS = "label_studio_results"
"""Field of an annotation that keeps what other controls of a project recorded."""


def label_config() -> str:
    """Give the labelling interface (XML) that the tasks are made for."""
    labels = "\n".join(
        f'    <Label value="{label.value}" background="{colour}" hotkey="{label.id + 1}"/>'
        for label, colour in zip(Label, COLOURS, strict=True)
    )
    return f"""\
<View>
  <Labels name="{_LABELS}" toName="{_TEXT}" showInline="true">
{labels}
  </Labels>
  <Text name="{_TEXT}" value="${_TEXT}" granularity="paragraph"/>
  <TextArea name="{_NOTES}" toName="{_TEXT}" placeholder="Notes" rows="2" maxSubmissions="1" editable="true"/>
</View>
"""


START, BETWEEN, END = b"[\n", b",\n", b"\n]\n"
HOLDS_SUGGESTIONS = True


def encode(item: LabelledDocument) -> bytes:
    """Give one task."""
    return encode_record(_task(item)).rstrip()


def read(path: Path, annotator: str, rejects: Rejects | None) -> Iterator[LabelledDocument]:
    """Give the documents of an export (JSON, not JSON-MIN).

    Annotations that were cancelled or have no result are none. A bad annotation or prediction is rejected by
    itself, a task without a readable text as a whole.
    """
    with open_stream(str(path)) as stream:
        number = 0
        try:
            for number, task in enumerate(json_values(stream), start=1):
                where = f"task {number}"
                reject = partial(_reject, rejects, path, where)
                try:
                    item = _labelled(task, where, annotator, reject)
                except LabelError as error:
                    reject("", str(error))
                else:
                    yield item
        except SourceError as error:
            reject_or_raise(rejects, path, f"after task {number}" if number else "", str(error), LabelError)


def _reject(rejects: Rejects | None, path: Path, task: str, part: str, reason: str) -> None:
    reject_or_raise(rejects, path, f"{task}, {part}" if part else task, reason, LabelError)


def _task(item: LabelledDocument) -> dict[str, Any]:
    document = item.document
    return {
        "data": {_TEXT: document.text, "document": document_fields(document)},
        "annotations": [_annotation(document, record) for record in item.annotations],
        "predictions": [_prediction(document, suggestion) for suggestion in item.suggestions],
    }


def _annotation(document: Document, record: AnnotationRecord) -> dict[str, Any]:
    fields = annotation_fields(record)
    seconds, notes = fields.pop("seconds", None), fields.pop("notes", "")
    others = fields.pop(_OTHER_RESULTS, [])
    if not isinstance(others, list) or not all(isinstance(item, dict) for item in others):
        raise LabelError(f"{record.annotation.annotator}: {_OTHER_RESULTS} is not a list of results")
    result = [_region(n, span) for n, span in enumerate(line_spans(document, record.annotation.labels), 1)]
    result[0]["meta"] = {"annotation": fields}
    if notes:
        result.append(
            {
                "id": "notes",
                "from_name": _NOTES,
                "to_name": _TEXT,
                "type": "textarea",
                "value": {"text": [notes]},
            }
        )
    annotation = {"result": result + others, "ground_truth": False, "was_cancelled": False}
    return annotation if seconds is None else annotation | {"lead_time": seconds}


def _prediction(document: Document, suggestion: Suggestion) -> dict[str, Any]:
    scores = [round(float(score), 3) for score in suggestion.scores]
    result = [_region(n, span) for n, span in enumerate(line_spans(document, suggestion.labels), 1)]
    for region, score in zip(result, scores, strict=True):
        region["score"] = score
    mean = round(sum(scores) / len(scores), 4)
    return {"model_version": suggestion.source, "score": mean, "result": result}


def _region(number: int, span: Span) -> Region:
    return {
        "id": f"line-{number}",
        "from_name": _LABELS,
        "to_name": _TEXT,
        "type": "labels",
        "value": {"start": span.start, "end": span.end, "labels": [LABEL_NAMES[span.label]]},
    }


def _labelled(
    task: object, where: str, annotator: str, reject: Callable[[str, str], None]
) -> LabelledDocument:
    if isinstance(task, SourceError):
        raise LabelError(str(task))
    if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
        raise LabelError("not a task: it has no data; export the project as JSON, not as JSON-MIN")
    data = task["data"]
    foreign = {key: value for key, value in data.items() if key not in (_TEXT, "document")}
    document, is_named = document_of(data.get(_TEXT), data.get("document"), foreign)
    return LabelledDocument(
        document,
        tuple(_each(task, "annotation", reject, partial(_read_annotation, document, annotator))),
        tuple(_each(task, "prediction", reject, partial(_read_prediction, document))),
        where,
        is_named,
    )


def _each(
    task: Mapping[str, Any],
    kind: str,
    reject: Callable[[str, str], None],
    read_one: Callable[[dict[str, Any]], Any],
) -> Iterator[Any]:
    """Read the annotations or predictions of a task one by one; those that hold no labels give nothing."""
    items = task.get(f"{kind}s") or []
    if not isinstance(items, list):
        raise LabelError(f"{kind}s is {type(items).__name__}, not a list")
    for number, item in enumerate(items, start=1):
        if isinstance(item, int):  # exports may refer to predictions by number
            continue
        try:
            if not isinstance(item, dict) or not isinstance(item.get("result", []), list):
                raise LabelError("it has no list of results")
            found = read_one(item) if item.get("result") and not item.get("was_cancelled") else None
        except LabelError as error:
            reject(f"{kind} {number}", str(error))
        else:
            if found is not None:
                yield found


def _read_annotation(document: Document, annotator: str, item: dict[str, Any]) -> AnnotationRecord | None:
    regions, notes, others = _sorted_results(item["result"])
    if not regions:
        return None
    labels, _ = _labels_of_lines(document, regions)
    carried = _carried(regions)
    maker, editor = item.get("completed_by"), _user(item.get("updated_by"))
    if editor and isinstance(maker, dict) and editor == _user(maker.get("id")):
        editor = _user(maker)  # the same user, by address
    by = annotator or editor or ("" if "annotator" in carried else _user(maker))
    return annotation_of(
        document,
        labels,
        carried,
        by,
        item.get("updated_at" if editor else "created_at"),
        seconds=item.get("lead_time"),
        notes=notes,
        **{_OTHER_RESULTS: others},
    )


def _read_prediction(document: Document, item: dict[str, Any]) -> Suggestion | None:
    regions, _, _ = _sorted_results(item["result"])
    if not regions:
        return None
    labels, owner = _labels_of_lines(document, regions)
    scores = [_score(region.get("score"), item.get("score")) for region in regions]
    return Suggestion(
        doc_id=document.id,
        text_sha256=document.text_sha256,
        source=check_annotator(str(item.get("model_version") or "label-studio")),
        labels=labels,
        scores=np.array([scores[i] for i in owner], dtype=np.float32),
    )


def _sorted_results(result: list[Any]) -> tuple[list[Region], str, list[Any]]:
    """Part the results of an annotation: labels of the text, notes, and those of other controls.

    Labels of other controls are told by their names if one has the name that ours has.
    """
    labels = [item for item in result if isinstance(item, dict) and item.get("type") == "labels"]
    has_ours = any(item.get("from_name") == _LABELS for item in labels)
    regions: list[Region] = []
    notes: list[str] = []
    others: list[Any] = []
    for item in result:
        if not isinstance(item, dict):
            raise LabelError(f"{str(item)[:60]} is not a result")
        is_region = item.get("type") == "labels" and (item.get("from_name") == _LABELS or not has_ours)
        is_note = item.get("type") == "textarea" and item.get("from_name") == _NOTES
        value: Any = item.get("value")
        if (is_region or is_note) and not isinstance(value, dict):
            raise LabelError(f"{str(item)[:60]} is not a result with a value")
        if is_region:
            regions.append(item)
        elif is_note:
            texts = value.get("text")
            notes += [
                text for text in (texts if isinstance(texts, list) else [texts]) if isinstance(text, str)
            ]
        else:
            others.append(item)
    return regions, "\n".join(notes), others


def _labels_of_lines(document: Document, regions: list[Region]) -> tuple[Labels, list[int]]:
    """Give each line's label, and which of the regions gives it."""
    spans = [_span(region["value"]) for region in regions]
    owner = spans_of_lines(document, spans)
    text = document.text
    for region, span in zip(regions, spans, strict=True):  # they do not overlap, so this is linear
        shown, here = region["value"].get("text"), text[span.start : span.end]
        if isinstance(shown, str) and _letters(shown) != _letters(here):
            raise LabelError(
                f"the region {span.start}-{span.end} was {shown[:40]!r} and is {here[:40]!r} here"
            )
    return np.array([spans[i].label for i in owner], dtype=np.int8), owner


def _span(value: dict[str, Any]) -> Span:
    names = value.get("labels")
    if not isinstance(names, list) or len(names) != 1:
        raise LabelError(f"the region {value.get('start')}-{value.get('end')} has not exactly one label")
    return Span.parse(value.get("start"), value.get("end"), names[0])


def _letters(text: str) -> str:
    r"""Leave out white space, and ``\n`` as Label Studio writes line ends within a region."""
    return "".join(text.replace("\\n", "").split())


def _carried(regions: Iterable[Region]) -> dict[str, Any]:
    """Find the fields that :func:`_annotation` put beside a region."""
    for region in regions:
        meta = region.get("meta")
        if isinstance(meta, dict) and isinstance(meta.get("annotation"), dict):
            return dict(meta["annotation"])
    return {}


def _user(value: object) -> str:
    """Name a user of Label Studio: by e-mail address where the export has it, else by number."""
    if isinstance(value, dict):
        email = value.get("email")
        return email if email and isinstance(email, str) else _user(value.get("id"))
    return "" if value is None or isinstance(value, bool) else f"user-{value}"


def _score(region: object, prediction: object) -> float:
    """Give the score of a region, else of the prediction; 1 where neither has one."""
    for value in (region, prediction):
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
    return 1.0
