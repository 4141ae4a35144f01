"""A collection on disk: documents (``documents/*.jsonl``) joined with their annotations.

A collection may be *stand-off*: its texts cannot be shipped, so ``documents/`` is empty until
:func:`boilerplate_ds.labeling.hydrate.hydrate` has joined it to a copy of its corpus.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boilerplate_ds.document import Annotation, Document
from boilerplate_ds.errors import DatasetError, LabelError, Rejects, reject_or_raise
from boilerplate_ds.labeling.jsonl import read_records, write_records
from boilerplate_ds.labeling.store import LabelStore
from boilerplate_ds.sources.site import stated_site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TEXT_FIELDS = ("url", "site", "language", "source")
_FIELDS = frozenset(("id", "lines", "separators", *_TEXT_FIELDS))


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents and the annotations that fit them.

    Parameters
    ----------
    folder : Path
    documents : mapping of str to Document
        By id, in the order of their files; one that names no source has the collection's name.
    annotations : tuple of Annotation
        The last one of each annotator for each document; text hash and number of lines are verified.
    """

    folder: Path
    documents: Mapping[str, Document]
    annotations: tuple[Annotation, ...]

    @property
    def name(self) -> str:
        """Name of the collection: that of its folder."""
        return self.folder.name


def load_collection(folder: str | Path, rejects: Rejects | None = None) -> Collection:
    """Read a collection and join its annotations to its documents.

    Parameters
    ----------
    folder : path-like
    rejects : Rejects, optional
        Gets every record that is bad, lacks its document or does not fit it; without it the first raises.

    Raises
    ------
    DatasetError
        If the folder is missing or holds no documents.
    LabelError
        At the first bad record, without ``rejects``.
    """
    folder = Path(folder)
    documents = load_documents(folder, rejects)
    latest: dict[tuple[str, str], tuple[Path, int, str, Annotation | None]] = {}
    for stored in LabelStore(folder).records(rejects):
        given = stored.annotation
        reason = misfit(given, documents.get(given.doc_id))
        # a few letters may name millions of labels: those of no text here are not kept
        latest[given.doc_id, given.annotator] = stored.file, stored.line, reason, None if reason else given
    for file, line, reason, _ in latest.values():
        if reason:
            reject_or_raise(rejects, file, f"line {line}", reason, LabelError)
    fitting = tuple(annotation for *_, annotation in latest.values() if annotation is not None)
    return Collection(folder, documents, fitting)


def load_documents(folder: str | Path, rejects: Rejects | None = None) -> dict[str, Document]:
    """Read the documents of a collection, by id, in the order of their files.

    Raises
    ------
    DatasetError
        If the folder is missing or holds no documents.
    LabelError
        At the first bad record, without ``rejects``.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such collection")
    documents: dict[str, Document] = {}
    for path in document_files(folder):
        for document in read_document_file(path, rejects, documents):
            documents[document.id] = document if document.source else replace(document, source=folder.name)
    if not documents:
        hint = f"; run: boilerplate-ds hydrate {folder}" if is_standoff(folder) else ""
        raise DatasetError(f"{folder}: holds no documents{hint}")
    return documents


def is_standoff(folder: Path) -> bool:
    """Whether a collection labels pages whose texts cannot be shipped: it says where to find them."""
    return (folder / "corpus.json").exists()


def misfit(annotation: Annotation, document: Document | None) -> str:
    """Say why an annotation does not fit a document; empty if it fits."""
    if document is None:
        return f"labels document {annotation.doc_id!r}, whose text is not here"
    if len(annotation.labels) != len(document.lines):
        return (
            f"{len(annotation.labels)} labels for the {len(document.lines)} lines of document {document.id!r}"
        )
    if annotation.text_sha256 != document.text_sha256:
        return (
            f"the text of document {document.id!r} is not the one that was labelled "
            f"(SHA-256 {document.text_sha256[:12]}…, labels are for {annotation.text_sha256[:12]}…)"
        )
    return ""


def document_files(folder: Path) -> list[Path]:
    """Give the document files of a collection, in order of their names."""
    return sorted((folder / "documents").glob("*.jsonl"))


def read_document_file(
    path: Path, rejects: Rejects | None = None, seen: dict[str, Document] | None = None
) -> Iterator[Document]:
    """Yield the documents of one file, and take them down in ``seen`` by id.

    Of an id that is there already another text is rejected; the same text is the same page, in two files
    where moving it from one to the other was cut short, and passed over.
    """
    seen = {} if seen is None else seen
    for line, record in read_records(path, rejects):
        where = f"line {line}"
        try:
            document = parse_document(record)
            known = seen.get(document.id)
            if known is not None and known.lines != document.lines:
                raise LabelError(f"document {document.id!r} is in the collection already, with another text")
        except LabelError as error:
            reject_or_raise(rejects, path, where, str(error), LabelError)
        else:
            if known is None:
                seen[document.id] = document
                yield document


def write_document_file(path: Path, documents: Iterable[Document]) -> int:
    """Write documents to a file, all at once; gives their number. Markup is not stored."""
    return write_records(path, map(document_record, documents))


def document_record(document: Document) -> dict[str, Any]:
    """Give the JSON record of a document: metadata stand beside the other fields, empty ones are left out.

    A record that a document was read from may have fields of the same names: those that are null go, and
    ``original_`` comes before the names of others.

    Raises
    ------
    LabelError
        If there is metadata of that name already.
    """
    record: dict[str, Any] = {"id": document.id}
    record |= {name: getattr(document, name) for name in _TEXT_FIELDS if getattr(document, name)}
    for name, value in document.metadata.items():
        if name not in _FIELDS:
            record[name] = value
        elif value is not None:
            if f"original_{name}" in document.metadata:
                raise LabelError(f"document {document.id!r}: metadata may not be called {name}")
            record[f"original_{name}"] = value
    record["lines"] = list(document.lines)
    if document.separators:
        record["separators"] = list(document.separators)
    return record


def parse_document(record: Mapping[str, Any]) -> Document:
    """Read the JSON record of a document.

    Its site is named by :func:`~boilerplate_ds.sources.site.stated_site`.

    Raises
    ------
    LabelError
        If a field is missing or of a wrong type, or a line is blank or holds a line end.
    """
    for name in ("id", *_TEXT_FIELDS):
        if not isinstance(record.get(name, ""), str):
            raise LabelError(f"{name} is {type(record[name]).__name__}, not a string")
    if not record.get("id"):
        raise LabelError("id is missing or empty")
    lines = _strings(record, "lines")
    for number, line in enumerate(lines, 1):
        if not line.strip() or "\n" in line or "\r" in line:
            raise LabelError(
                f"document {record['id']!r}: entry {number} of lines is blank or more than one line"
            )
    try:
        return Document(
            id=record["id"],
            lines=lines,
            separators=_strings(record, "separators") if "separators" in record else (),
            metadata={key: value for key, value in record.items() if key not in _FIELDS},
            **{name: record.get(name, "") for name in _TEXT_FIELDS}
            | {"site": stated_site(record.get("site", ""), record.get("url", ""))},
        )
    except ValueError as error:
        raise LabelError(f"document {record['id']!r}: {error}") from error


def _strings(record: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = record.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise LabelError(f"document {record['id']!r}: {name} is not a list of strings")
    return tuple(value)
