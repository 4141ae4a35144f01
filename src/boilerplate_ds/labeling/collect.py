"""Pages become a collection that can be labelled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from boilerplate_ds.errors import LabelError, Rejects, reject_or_raise
from boilerplate_ds.labeling.collection import (
    document_files,
    document_record,
    parse_document,
    read_document_file,
)
from boilerplate_ds.labeling.jsonl import append_line, encode_record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from boilerplate_ds.document import Document


def is_collection(folder: str | Path) -> bool:
    """Whether a folder is a collection: it holds documents, or says which corpus they come from."""
    folder = Path(folder)
    return (folder / "documents").is_dir() or (folder / "corpus.json").is_file()


def add_documents(folder: str | Path, documents: Iterable[Document], rejects: Rejects | None = None) -> int:
    """Add documents to a collection, in their order; gives the number of new ones.

    One that is there already is left as it is; one with a known id but another text, or without lines, is
    rejected.

    Parameters
    ----------
    folder : path-like
        Made if it is not there.
    documents : iterable of Document
        Markup is not kept.
    rejects : Rejects, optional
        Without it the first bad document raises.

    Raises
    ------
    LabelError
        At the first bad document, without ``rejects``.
    """
    folder = Path(folder)
    known = {
        document.id: document.text_sha256
        for path in document_files(folder)
        for document in read_document_file(path, rejects)
    }
    added = 0
    for document in documents:
        text = document.text_sha256
        if known.get(document.id) == text:
            continue
        try:
            if document.id in known:
                raise LabelError(f"another page has the id {document.id!r} already")
            if not document.lines:
                raise LabelError("it has no lines")
            line = encode_record(_checked_record(document))
        except LabelError as error:
            reject_or_raise(rejects, document.source or str(folder), document.id, str(error), LabelError)
            continue
        append_line(folder / "documents" / "pages.jsonl", line)
        known[document.id] = text
        added += 1
    return added


def _checked_record(document: Document) -> dict[str, object]:
    record = document_record(document)
    parse_document(record)
    return record
