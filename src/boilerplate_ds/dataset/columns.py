"""The columns of a published set: what each is called, means and holds.

Rows are documents in the configuration ``documents``, and lines in ``lines``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.dataset.licences import licence_of
from boilerplate_ds.dataset.splits import known_site
from boilerplate_ds.document import LABEL_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datasets import Features

    from boilerplate_ds.dataset.gold import GoldDocument
    from boilerplate_ds.document import Document

    Columns = dict[str, list[Any]]

DOCUMENT_COLUMNS = {
    "id": "identifier of the document",
    "url": "its address; empty if not known",
    "site": "the site it is from, by which the splits are made; empty if not known",
    "language": "its language; empty if not known",
    "page_type": "kind of page; empty if not known",
    "variant": "whether its text is whole or what an extractor left; empty if not known",
    "source": "the collection it is from",
    "licence": "licence of its text; empty if its source states none",
    "lines": "its lines that are not blank, in order, unaltered; null where the text is not part of the set",
    "labels": "one label a line",
    "annotators": "who labelled it",
    "agreement": "share of the lines on which all annotators agree, 0 to 1; 1 for a single one",
    "decided": "how the labels came about: single, agreed, majority, weighted or adjudicated",
    "text_sha256": r"SHA-256 of the lines, joined by `\n`",
}
"""What each column of ``documents`` means."""

LINE_COLUMNS = {
    "id": "id of the document, `#`, index of the line",
    "doc_id": "the document",
    "index": "place of the line in the document, from 0",
    "n_lines": "how many lines the document has",
    "text": "the line; null where the text is not part of the set",
    "label": "its label",
    "score": "share of the annotators that gave it this label, or its probability where the document is "
    "decided as weighted, 0 to 1; null where there was one annotator",
    "previous_id": "id of the line before; null for the first of the document",
    "next_id": "id of the line after; null for the last of the document",
    "position": "0 for the first line of the document, 1 for the last",
    "site": "as in `documents`",
    "language": "as in `documents`",
    "page_type": "as in `documents`",
    "document_sha256": "as `text_sha256` in `documents`",
}
"""What each column of ``lines`` means."""


def document_features() -> Features:
    """Give the columns of ``documents`` with their types."""
    from datasets import ClassLabel, Features, Value

    types = {
        "lines": [Value("string")],
        "labels": [ClassLabel(names=list(LABEL_NAMES))],
        "annotators": [Value("string")],
        "agreement": Value("float64"),
    }
    return Features({name: types.get(name, Value("string")) for name in DOCUMENT_COLUMNS})


def line_features() -> Features:
    """Give the columns of ``lines`` with their types."""
    from datasets import ClassLabel, Features, Value

    types = {
        "index": Value("int32"),
        "n_lines": Value("int32"),
        "label": ClassLabel(names=list(LABEL_NAMES)),
        "score": Value("float32"),
        "position": Value("float64"),
    }
    return Features({name: types.get(name, Value("string")) for name in LINE_COLUMNS})


def document_columns(items: Sequence[GoldDocument], without_text: Mapping[str, str]) -> Columns:
    """Give documents as rows of ``documents``, column by column.

    Parameters
    ----------
    items : sequence of GoldDocument
    without_text : mapping of str to str
        SHA-256 of the lines by id of each document whose text is left out.
    """
    documents = [item.document for item in items]
    return {
        **{name: [getattr(d, name) for d in documents] for name in ("id", "url", "language", "source")},
        "site": [known_site(d) for d in documents],
        **{name: [metadata_text(d, name) for d in documents] for name in ("page_type", "variant")},
        "licence": [licence_of(d) for d in documents],
        "lines": [None if d.id in without_text else d.lines for d in documents],
        "labels": [item.labels.tolist() for item in items],
        "annotators": [item.annotators for item in items],
        "agreement": [item.agreement for item in items],
        "decided": [item.decided for item in items],
        "text_sha256": [without_text.get(d.id) or d.text_sha256 for d in documents],
    }


def line_columns(items: Sequence[GoldDocument], without_text: Mapping[str, str]) -> Columns:
    """Give the lines of documents as rows of ``lines``, column by column; see :func:`document_columns`."""
    columns: Columns = {name: [] for name in LINE_COLUMNS}
    for item in items:
        document = item.document
        n_lines = len(item.labels)
        ids = [f"{document.id}#{index}" for index in range(n_lines)]
        rows = {
            "id": ids,
            "index": range(n_lines),
            "text": [None] * n_lines if document.id in without_text else document.lines,
            "label": item.labels.tolist(),
            "score": [None] * n_lines if item.scores is None else item.scores.tolist(),
            "previous_id": [None, *ids][:n_lines],
            "next_id": [*ids[1:], None][:n_lines],
            "position": np.linspace(0, 1, n_lines).tolist(),
        }
        same = {
            "doc_id": document.id,
            "n_lines": n_lines,
            "site": known_site(document),
            "language": document.language,
            "page_type": metadata_text(document, "page_type"),
            "document_sha256": without_text.get(document.id) or document.text_sha256,
        }
        for name, column in columns.items():
            column.extend(rows[name] if name in rows else [same[name]] * n_lines)
    return columns


def metadata_text(document: Document, key: str) -> str:
    """Give one of a document's metadata as text; empty if it is missing."""
    value = document.metadata.get(key)
    return "" if value is None else str(value)
