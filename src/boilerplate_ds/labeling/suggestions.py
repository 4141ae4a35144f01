"""Suggested labels: what rules, a model or an LLM say of a document before a person looks.

``<collection>/suggestions/<source>.jsonl`` holds one record a document; the last one of a source counts.
They are no annotations: gold never reads them, and a labelling session shows them until somebody accepts or
changes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.document import decode_runs, encode_runs
from boilerplate_ds.errors import LabelError, reject_or_raise
from boilerplate_ds.labeling.jsonl import append_line, encode_record, read_records
from boilerplate_ds.labeling.store import check_annotator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document, Labels
    from boilerplate_ds.errors import Rejects

_TEXT_FIELDS = ("doc_id", "text_sha256", "source", "labels")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Labels suggested for one document.

    Parameters
    ----------
    doc_id : str
    text_sha256 : str
        Of the lines the suggestion was made for (:attr:`Document.text_sha256`).
    source : str
        Who suggests, such as ``rules``, ``model-web`` or ``llm-qwen3``; a safe file name.
    labels : ndarray of int8, shape (n_lines,)
        Class ids.
    scores : ndarray of float32, shape (n_lines,)
        How sure the source is of each label, 0 to 1.
    """

    doc_id: str
    text_sha256: str
    source: str
    labels: Labels = field(repr=False)
    scores: NDArray[np.float32] = field(repr=False)


def append_suggestion(folder: str | Path, suggestion: Suggestion) -> None:
    """Add a suggestion to a collection; when this returns, it is on disk.

    Raises
    ------
    LabelError
        If it is not valid or could not be written.
    """
    record = {
        "doc_id": suggestion.doc_id,
        "text_sha256": suggestion.text_sha256,
        "source": suggestion.source,
        "labels": encode_runs(suggestion.labels.tolist()),
        "scores": [round(float(score), 3) for score in suggestion.scores],
    }
    parsed = parse_suggestion(record)
    path = Path(folder) / "suggestions" / f"{check_annotator(parsed.source)}.jsonl"
    append_line(path, encode_record(record))


def from_probabilities(document: Document, source: str, probabilities: NDArray[np.float32]) -> Suggestion:
    """Suggest the likeliest label of each line; probabilities have the shape (n_lines, n_labels)."""
    return Suggestion(
        doc_id=document.id,
        text_sha256=document.text_sha256,
        source=source,
        labels=probabilities.argmax(axis=1).astype(np.int8),
        scores=probabilities.max(axis=1).clip(0, 1),
    )


def read_suggestions(folder: str | Path, rejects: Rejects | None = None) -> dict[str, dict[str, Suggestion]]:
    """Map each document id to the last suggestion of each source; without ``rejects`` a bad one raises."""
    found: dict[str, dict[str, Suggestion]] = {}
    for path in sorted((Path(folder) / "suggestions").glob("*.jsonl")):
        for line, record in read_records(path, rejects):
            try:
                suggestion = parse_suggestion(record)
            except LabelError as error:
                reject_or_raise(rejects, path, f"line {line}", str(error), LabelError)
            else:
                found.setdefault(suggestion.doc_id, {})[suggestion.source] = suggestion
    return found


def parse_suggestion(record: Mapping[str, Any]) -> Suggestion:
    """Read the JSON record of a suggestion.

    Raises
    ------
    LabelError
        If a field is missing, of a wrong type or out of range.
    """
    for name in _TEXT_FIELDS:
        if not isinstance(record.get(name), str) or not record[name]:
            raise LabelError(f"{name} is missing, empty or no string")
    labels = decode_runs(record["labels"])
    scores = record.get("scores")
    if (
        not isinstance(scores, list)
        or len(scores) != len(labels)
        or not all(isinstance(s, (int, float)) and 0 <= s <= 1 for s in scores)
    ):
        raise LabelError(f"scores are not {len(labels)} numbers from 0 to 1, one a line")
    return Suggestion(
        doc_id=record["doc_id"],
        text_sha256=record["text_sha256"],
        source=check_annotator(record["source"]),
        labels=labels,
        scores=np.array(scores, dtype=np.float32),
    )
