"""Labels to and from the files of other tools: whole collections out, checked record by record in."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.errors import DatasetError, LabelError, Rejects, reject_or_raise
from boilerplate_ds.labeling.collect import add_documents
from boilerplate_ds.labeling.collection import (
    document_files,
    document_record,
    load_collection,
    read_document_file,
)
from boilerplate_ds.labeling.formats import format_named
from boilerplate_ds.labeling.formats.labelled import AnnotationRecord, LabelledDocument
from boilerplate_ds.labeling.jsonl import encode_record
from boilerplate_ds.labeling.store import LabelStore, annotation_record
from boilerplate_ds.labeling.suggestions import append_suggestion, read_suggestions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boilerplate_ds.document import Annotation, Document
    from boilerplate_ds.labeling.suggestions import Suggestion

    Key = tuple[object, ...]


@dataclass(slots=True)
class ExchangeReport:
    """What went out or came in.

    Parameters
    ----------
    documents : int
        Documents written, or found in the file.
    unlabelled : int
        Those of them without labels.
    annotations, suggestions : int
        Written to the file, or added to the collection.
    suggestions_left_out : int
        Those that the format has no place for.
    new_documents : int
        Documents that the collection did not have.
    unchanged : int
        Annotations and suggestions that the collection had already.
    """

    documents: int = 0
    unlabelled: int = 0
    annotations: int = 0
    suggestions: int = 0
    suggestions_left_out: int = 0
    new_documents: int = 0
    unchanged: int = 0

    def as_json(self) -> dict[str, int]:
        """Give the figures by name."""
        return asdict(self)


def export_labels(
    folder: str | Path, format_name: str, report: ExchangeReport, rejects: Rejects | None = None
) -> Iterator[bytes]:
    """Give a collection as a file of another tool, part by part.

    Every document goes out, labelled or not, with the last annotation of each annotator.

    Parameters
    ----------
    folder : path-like
    format_name : str
        One of :data:`boilerplate_ds.labeling.formats.FORMATS`.
    report : ExchangeReport
        Counts what was given.
    rejects : Rejects, optional
        Gets every bad record of the collection, and each document that the format can't carry.
    """
    written = format_named(format_name)
    yield written.START
    between = b""
    for item in labelled_documents(Path(folder), rejects):
        try:
            part = written.encode(item)
        except LabelError as error:
            where = f"document {item.document.id!r}"
            reject_or_raise(rejects, str(folder), where, str(error), LabelError)
            continue
        yield between + part
        between = written.BETWEEN
        report.documents += 1
        report.unlabelled += not item.annotations
        report.annotations += len(item.annotations)
        if written.HOLDS_SUGGESTIONS:
            report.suggestions += len(item.suggestions)
        else:
            report.suggestions_left_out += len(item.suggestions)
    yield written.END


def labelled_documents(folder: Path, rejects: Rejects | None) -> Iterator[LabelledDocument]:
    """Give each document of a collection with the annotations and suggestions that fit it."""
    collection = load_collection(folder, rejects)
    extra = {key: stored.extra for key, stored in LabelStore(folder).latest(Rejects()).items()}
    by_document: dict[str, list[AnnotationRecord]] = {}
    for annotation in collection.annotations:
        record = AnnotationRecord(annotation, extra[annotation.doc_id, annotation.annotator])
        by_document.setdefault(annotation.doc_id, []).append(record)
    suggested = read_suggestions(folder, rejects)
    for document in _documents(folder, Rejects()):  # as stored: without the source that loading fills in
        fitting = [s for s in suggested.get(document.id, {}).values() if _fits(s, document)]
        yield LabelledDocument(document, tuple(by_document.get(document.id, ())), tuple(fitting))


def import_labels(
    path: str | Path,
    format_name: str,
    folder: str | Path,
    *,
    annotator: str = "",
    rejects: Rejects | None = None,
) -> ExchangeReport:
    """Add the labels of a file to a collection, and the documents that the collection lacks.

    Documents are found by their id, or by their text where the file has no ids. What the collection has
    already is not added again, so that reading a file twice changes nothing.

    Parameters
    ----------
    path : path-like
    format_name : str
        One of :data:`boilerplate_ds.labeling.formats.FORMATS`.
    folder : path-like
        The collection; made if it is not there.
    annotator : str
        Who made the labels, whatever the file says; empty: whom the file names.
    rejects : Rejects, optional
        Gets each record that is bad or whose text is not the collection's; without it the first raises.

    Raises
    ------
    DatasetError
        If the collection's texts are elsewhere (hydrate it first).
    LabelError
        If labels could not be stored; without ``rejects``, at the first bad record.
    """
    path, folder = Path(path), Path(folder)
    target = _Target(_documents(folder, rejects))
    report = ExchangeReport()
    found = []
    for item in format_named(format_name).read(path, annotator, rejects):
        try:
            found.append(target.settle(item))
        except LabelError as error:
            reject_or_raise(rejects, path, item.where, str(error), LabelError)
    if target.new:
        add_documents(folder, target.new)
    report.new_documents = len(target.new)
    report.documents = len({item.document.id for item in found})
    report.unlabelled = report.documents - len({i.document.id for i in found if i.annotations})
    _store_annotations(folder, found, report)
    _store_suggestions(folder, found, report)
    return report


class _Target:
    """The documents of a collection while labels are read into it."""

    def __init__(self, documents: list[Document]) -> None:
        self.new: list[Document] = []
        self._by_id = {document.id: document for document in documents}
        self._by_text: dict[str, list[Document]] = {}
        for document in documents:
            self._by_text.setdefault(document.text_sha256, []).append(document)
        self._unnamed: dict[tuple[str, str], tuple[str, bytes]] = {}

    def settle(self, item: LabelledDocument) -> LabelledDocument:
        """Give the item with the collection's document; a document that it lacks is taken up.

        Raises
        ------
        LabelError
            If the collection's text is another one, or an annotation could not be stored.
        """
        document = item.document
        for record in item.annotations:  # refuses what could not be stored
            encode_record(annotation_record(record.annotation, record.extra))
        known = self._by_id.get(document.id)
        if not item.is_named:
            known = self._only_page(item) or known
        if known is not None:
            if known.text_sha256 != document.text_sha256:
                raise LabelError(f"its text is not that of document {document.id!r} of the collection")
            return _moved(item, known)
        encode_record(document_record(document))  # refuses what could not be stored
        self.new.append(document)
        self._by_id[document.id] = document
        self._by_text.setdefault(document.text_sha256, []).append(document)
        return item

    def _only_page(self, item: LabelledDocument) -> Document | None:
        """Find the document of an item's text, which must not be one of several."""
        text = item.document.text_sha256
        pages = self._by_text.get(text, [])
        if len(pages) > 1:
            names = " and ".join(repr(page.id) for page in pages[:2])
            raise LabelError(f"it has no id, and its text is that of documents {names}")
        for record in item.annotations:
            labels = record.annotation.labels.tobytes()
            where, others = self._unnamed.setdefault(
                (text, record.annotation.annotator), (item.where, labels)
            )
            if where != item.where and others != labels:
                raise LabelError(f"it has no id, and {where} labels the same text otherwise")
        return pages[0] if pages else None


def _moved(item: LabelledDocument, document: Document) -> LabelledDocument:
    return replace(
        item,
        document=document,
        annotations=tuple(
            replace(record, annotation=replace(record.annotation, doc_id=document.id))
            for record in item.annotations
        ),
        suggestions=tuple(replace(suggestion, doc_id=document.id) for suggestion in item.suggestions),
    )


def _documents(folder: Path, rejects: Rejects | None) -> list[Document]:
    files = document_files(folder)
    if not files and (folder / "corpus.json").exists():
        raise DatasetError(f"{folder}: holds no documents; run: boilerplate-ds hydrate {folder}")
    seen: dict[str, Document] = {}
    return [document for path in files for document in read_document_file(path, rejects, seen)]


def _store_annotations(folder: Path, found: list[LabelledDocument], report: ExchangeReport) -> None:
    store = LabelStore(folder)
    history = {_key(annotation) for annotation in store.annotations(Rejects())}
    latest = {key: stored.annotation for key, stored in store.latest(Rejects()).items()}
    given: dict[tuple[str, str], list[AnnotationRecord]] = {}
    for record in (record for item in found for record in item.annotations):
        given.setdefault((record.annotation.doc_id, record.annotation.annotator), []).append(record)
    for key, records in given.items():
        last = latest.get(key)
        if last is not None and _is_settled(records[-1].annotation, last, history):
            report.unchanged += len(records)
            continue
        for record in records:
            if last is not None and _is_settled(record.annotation, last, history):
                report.unchanged += 1
            else:
                last = store.append(record.annotation, record.extra)
                report.annotations += 1


def _is_settled(annotation: Annotation, last: Annotation, history: set[Key]) -> bool:
    """Whether the collection has an annotation as its last one, or as one that was labelled again later."""
    if annotation.created_at and annotation.created_at < last.created_at:
        return _key(annotation) in history
    # what a file without times leaves out is not taken back by it
    notes = annotation.notes or ("" if annotation.created_at else last.notes)
    time = annotation.created_at or last.created_at
    return _key(replace(annotation, notes=notes, created_at=time)) == _key(last)


def _key(annotation: Annotation) -> Key:
    return (
        annotation.doc_id,
        annotation.annotator,
        annotation.text_sha256,
        annotation.labels.astype(np.int8).tobytes(),
        annotation.notes,
        annotation.created_at,
    )


def _store_suggestions(folder: Path, found: list[LabelledDocument], report: ExchangeReport) -> None:
    known = read_suggestions(folder, Rejects())
    for item in found:
        for suggestion in item.suggestions:
            old = known.get(item.document.id, {}).get(suggestion.source)
            if old is not None and _are_equal(old, suggestion):
                report.unchanged += 1
            else:
                append_suggestion(folder, suggestion)
                report.suggestions += 1


def _are_equal(one: Suggestion, other: Suggestion) -> bool:
    return (
        one.text_sha256 == other.text_sha256
        and np.array_equal(one.labels, other.labels)
        and np.array_equal(one.scores.round(3), other.scores.round(3))
    )


def _fits(suggestion: Suggestion, document: Document) -> bool:
    return suggestion.text_sha256 == document.text_sha256 and len(suggestion.labels) == len(document.lines)
