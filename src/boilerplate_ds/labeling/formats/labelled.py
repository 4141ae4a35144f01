"""What every format carries: a document, and who said what of its lines.

Other tools know texts and character spans. What they have no place for travels beside the text in two JSON
objects that they hand back untouched: ``document`` (id, url, site, metadata …) and ``annotation`` (annotator,
guidelines, time, notes …).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boilerplate_ds.document import Document, encode_runs
from boilerplate_ds.errors import LabelError
from boilerplate_ds.labeling.collection import document_record, parse_document
from boilerplate_ds.labeling.store import annotation_record, extra_fields, parse_annotation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boilerplate_ds.document import Annotation, Labels
    from boilerplate_ds.labeling.suggestions import Suggestion

_TEXT_FIELDS = ("id", "url", "site", "language", "source")
_ELSEWHERE = ("lines", "separators")


@dataclass(frozen=True, slots=True)
class AnnotationRecord:
    """An annotation and the further fields of its record."""

    annotation: Annotation
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelledDocument:
    """A document with what was said of its lines.

    Parameters
    ----------
    document : Document
    annotations : tuple of AnnotationRecord
    suggestions : tuple of Suggestion
    where : str
        The place in the file it was read from: ``line 12``, ``task 3``.
    is_named : bool
        Whether the file gave the document's id; otherwise the id is made from its text.
    """

    document: Document
    annotations: tuple[AnnotationRecord, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    where: str = ""
    is_named: bool = True


def document_fields(document: Document) -> dict[str, Any]:
    """Give what is to travel beside the document's text.

    Raises
    ------
    LabelError
        If the text would not split back into the document's lines.
    """
    if not document.lines:
        raise LabelError(f"document {document.id!r} has no lines")
    if Document.from_text(document.text).lines != document.lines:
        raise LabelError(f"document {document.id!r}: its text does not split into its lines again")
    record = document_record(document)
    return {key: value for key, value in record.items() if key not in _ELSEWHERE}


def document_of(
    text: object, fields: object, foreign: Mapping[str, Any] | None = None
) -> tuple[Document, bool]:
    """Join a text with the fields that travelled beside it; tells, too, whether they name the document.

    Parameters
    ----------
    text : str
    fields : mapping
        What :func:`document_fields` gave. Anything else is not ours, and ``foreign`` is read instead.
    foreign : mapping, optional
        What stands beside the text in a record of somebody else's; becomes metadata. An id, url and the like
        may be a number.

    Raises
    ------
    LabelError
        If the text is missing, or a field is not valid.
    """
    if not isinstance(text, str):
        raise LabelError("it has no text")
    split = Document.from_text(text)
    if not split.lines:
        raise LabelError("its text has no lines")
    if not isinstance(fields, dict):
        fields = {key: value for key, value in (foreign or {}).items() if value not in (None, "")}
        fields |= {key: str(fields[key]) for key in _TEXT_FIELDS if type(fields.get(key)) in (int, float)}
    record = {"id": split.id} | fields | {"lines": list(split.lines)}
    if not _are_plain(split.separators):
        record["separators"] = list(split.separators)
    else:
        record.pop("separators", None)
    return parse_document(record), "id" in fields


def annotation_fields(record: AnnotationRecord) -> dict[str, Any]:
    """Give what is to travel beside the labels."""
    whole = annotation_record(record.annotation, record.extra)
    return {key: value for key, value in whole.items() if key not in ("doc_id", "labels")}


def annotation_of(
    document: Document,
    labels: Labels,
    fields: object,
    annotator: str = "",
    created_at: object = None,
    **own: Any,
) -> AnnotationRecord:
    """Join labels with the fields that travelled beside them.

    Parameters
    ----------
    document : Document
    labels : ndarray of int8, shape (n_lines,)
    fields : mapping
        What :func:`annotation_fields` gave; anything else is not ours.
    annotator : str
        Who made these labels; if that is not whom ``fields`` name, their time and notes are not theirs.
    created_at : str
        The tool's time, where ``fields`` hold none.
    **own
        What the tool itself recorded; empty ones are left out, the others overrule ``fields``.

    Raises
    ------
    LabelError
        If nobody is named, a field is not valid, or the labels were made for another text.
    """
    carried = dict(fields) if isinstance(fields, dict) else {}
    if annotator and annotator != carried.get("annotator"):
        carried = {key: carried[key] for key in ("guidelines", "text_sha256") if key in carried}
        carried["annotator"] = annotator
    record = {"created_at": created_at} if isinstance(created_at, str) else {}
    record |= carried | {key: value for key, value in own.items() if value not in (None, "", [])}
    if not record.get("annotator"):
        raise LabelError("it does not say who labelled it; name the annotator (--annotator NAME)")
    if record.setdefault("text_sha256", document.text_sha256) != document.text_sha256:
        raise LabelError(f"the text of document {document.id!r} is not the one that was labelled")
    record |= {"doc_id": document.id, "labels": encode_runs(labels.tolist())}
    return AnnotationRecord(parse_annotation(record), extra_fields(record))


def _are_plain(separators: tuple[str, ...]) -> bool:
    """Tell whether the lines are joined by newlines, which is what no separators stand for."""
    return not separators[0] and not separators[-1] and all(s == "\n" for s in separators[1:-1])
