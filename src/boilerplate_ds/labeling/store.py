"""The label store: one append-only JSON Lines file an annotator.

``<collection>/annotations/<annotator>.jsonl`` holds one record for each annotation. Nothing is ever changed
in it; who labels a document again adds a record, and the last one counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.document import LABEL_NAMES, Annotation, decode_runs, encode_runs
from boilerplate_ds.errors import LabelError, Rejects, reject_or_raise
from boilerplate_ds.labeling.jsonl import append_line, encode_record, read_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from boilerplate_ds.document import Labels

_ANNOTATOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}[A-Za-z0-9]|[A-Za-z0-9]")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REQUIRED = ("doc_id", "annotator", "labels", "text_sha256")
_OPTIONAL = ("guidelines", "created_at", "notes")
_KNOWN = frozenset((*_REQUIRED, *_OPTIONAL, "seconds"))
_MAX_SECONDS = 1e9
ADJUDICATOR = "adjudicated"
"""Name of the annotator whose labels settle a document: a decision made after seeing those of the others."""


@dataclass(frozen=True, slots=True)
class StoredAnnotation:
    """An annotation and where it stands.

    Parameters
    ----------
    annotation : Annotation
    file : Path
    line : int
        From 1.
    extra : mapping
        Further fields of the record, such as ``site`` or ``url``.
    """

    annotation: Annotation
    file: Path
    line: int
    extra: Mapping[str, Any] = field(default_factory=dict)


class LabelStore:
    """The annotations of one collection.

    Parameters
    ----------
    folder : path-like
        The collection's folder; made on the first :meth:`append`.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def path_of(self, annotator: str) -> Path:
        """Give the file of an annotator, which need not exist.

        Raises
        ------
        LabelError
            If the name is no safe file name.
        """
        return self.folder / "annotations" / f"{check_annotator(annotator)}.jsonl"

    def append(self, annotation: Annotation, extra: Mapping[str, Any] | None = None) -> Annotation:
        """Add an annotation; when this returns, it is on disk.

        Parameters
        ----------
        annotation : Annotation
            Gets the present time if it has no ``created_at``.
        extra : mapping, optional
            Further fields to keep in the record.

        Returns
        -------
        Annotation
            As stored.

        Raises
        ------
        LabelError
            If it is not valid or could not be written; nothing is stored then.
        """
        annotation = replace(annotation, created_at=annotation.created_at or _now())
        record = annotation_record(annotation, extra)
        append_line(self.path_of(annotation.annotator), encode_record(record))
        return parse_annotation(record)

    def records(self, rejects: Rejects | None = None) -> Iterator[StoredAnnotation]:
        """Yield every annotation, history included, with its file, line and further fields."""
        for path in sorted((self.folder / "annotations").glob("*.jsonl")):
            for line, record in read_records(path, rejects):
                where = f"line {line}"
                try:
                    annotation = parse_annotation(record)
                    _check_file(annotation.annotator, path)
                except LabelError as error:
                    reject_or_raise(rejects, path, where, str(error), LabelError)
                else:
                    yield StoredAnnotation(annotation, path, line, extra_fields(record))

    def annotations(self, rejects: Rejects | None = None) -> Iterator[Annotation]:
        """Yield every annotation, history included, annotator by annotator, oldest first."""
        for stored in self.records(rejects):
            yield stored.annotation

    def latest(self, rejects: Rejects | None = None) -> dict[tuple[str, str], StoredAnnotation]:
        """Map (document id, annotator) to the last annotation that annotator gave that document."""
        return {(s.annotation.doc_id, s.annotation.annotator): s for s in self.records(rejects)}


def check_annotator(name: str) -> str:
    """Give the name back if it can name a file on any system.

    Raises
    ------
    LabelError
        If it cannot.
    """
    if not _ANNOTATOR.fullmatch(name):
        raise LabelError(
            f"annotator name {name!r} is not usable: 1 to 64 ASCII letters and digits, with . _ @ + - inside"
        )
    return name


def annotation_record(annotation: Annotation, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give the JSON record of an annotation, after checking that it reads back.

    Raises
    ------
    LabelError
        If a field is not valid, or ``extra`` names a field that the record has anyway.
    """
    clash = _KNOWN.intersection(extra or ())
    if clash:
        raise LabelError(f"extra fields {', '.join(sorted(clash))} are fields of the annotation itself")
    record: dict[str, Any] = {
        "doc_id": annotation.doc_id,
        "annotator": annotation.annotator,
        "labels": encode_runs(_checked(annotation.labels).tolist()),
        "text_sha256": annotation.text_sha256,
        **{name: getattr(annotation, name) for name in _OPTIONAL if getattr(annotation, name)},
    }
    if annotation.seconds is not None:
        record["seconds"] = annotation.seconds
    parse_annotation(record)
    return record | dict(extra or {})


def parse_annotation(record: Mapping[str, Any]) -> Annotation:
    """Read the JSON record of an annotation; fields it does not know are left to the caller.

    Raises
    ------
    LabelError
        If a field is missing, of a wrong type or out of range.
    """
    missing = [name for name in _REQUIRED if name not in record]
    if missing:
        raise LabelError(f"lacks {', '.join(missing)}")
    for name in (*_REQUIRED, *_OPTIONAL):
        if not isinstance(record.get(name, ""), str):
            raise LabelError(f"{name} is {type(record[name]).__name__}, not a string")
    if not record["doc_id"]:
        raise LabelError("doc_id is empty")
    if not _SHA256.fullmatch(record["text_sha256"]):
        raise LabelError(
            f"text_sha256 {record['text_sha256'][:80]!r} is not 64 lower-case hexadecimal digits"
        )
    return Annotation(
        doc_id=record["doc_id"],
        text_sha256=record["text_sha256"],
        annotator=check_annotator(record["annotator"]),
        labels=decode_runs(record["labels"].strip()),
        guidelines=record.get("guidelines", ""),
        created_at=record.get("created_at", ""),
        seconds=_seconds(record.get("seconds")),
        notes=record.get("notes", ""),
    )


def extra_fields(record: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields of an annotation's record that are not the annotation's own."""
    return {key: value for key, value in record.items() if key not in _KNOWN}


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MAX_SECONDS:
        raise LabelError(f"seconds is {value!r}, not a number from 0 to {_MAX_SECONDS:g}")
    return float(value)


def _checked(labels: Labels) -> Labels:
    array = np.asarray(labels)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise LabelError(f"labels are {array.dtype} of shape {array.shape}, not class ids, one a line")
    if array.size and not (array.min() >= 0 and array.max() < len(LABEL_NAMES)):
        raise LabelError(
            f"labels run from {array.min()} to {array.max()}; class ids are 0 to {len(LABEL_NAMES) - 1}"
        )
    return array.astype(np.int8)


def _check_file(annotator: str, path: Path) -> None:
    # Case aside: two spellings of a name share one file where the file system does not tell them apart.
    if annotator.lower() != path.stem.lower():
        raise LabelError(
            f"annotator {annotator!r} in the file of {path.stem!r}; one file holds one annotator"
        )


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
