"""The queue: which documents to label or look at next, in which order, and why.

A queue is a file of JSON Lines, one document a record. ``boilerplate-ds queue`` and ``boilerplate-ds review``
write such files, a labelling session opens them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boilerplate_ds.document import MAX_RUN_LINES
from boilerplate_ds.errors import LabelError, Rejects, reject_or_raise
from boilerplate_ds.labeling.jsonl import encode_record, read_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A document to label, and why now.

    Parameters
    ----------
    doc_id : str
    reason : str
        For the annotator to read, such as ``uncertain`` or ``likely label errors``.
    score : float
        What it was ordered by; higher comes first. Scales differ from strategy to strategy; 0 where an order
        has no score.
    lines : tuple of int
        Lines to look at first, from 0, the most doubtful first; empty: the whole page.
    """

    doc_id: str
    reason: str = ""
    score: float = 0.0
    lines: tuple[int, ...] = ()


def encode_queue(items: Iterable[QueueItem]) -> bytes:
    """Give a whole queue file.

    Raises
    ------
    LabelError
        If an item is not valid.
    """
    return b"".join(encode_record(_record(item)) for item in items)


def read_queue(path: str | Path, rejects: Rejects | None = None) -> list[QueueItem]:
    """Read a queue file, in its order.

    Parameters
    ----------
    path : path-like
    rejects : Rejects, optional
        Gets every bad record and every document that comes again; without it the first raises.

    Raises
    ------
    LabelError
        At the first bad record, without ``rejects``.
    """
    items: dict[str, QueueItem] = {}
    for line, record in read_records(Path(path), rejects):
        try:
            item = parse_item(record)
            if item.doc_id in items:
                raise LabelError(f"document {item.doc_id!r} is in the queue already")
        except LabelError as error:
            reject_or_raise(rejects, path, f"line {line}", str(error), LabelError)
        else:
            items[item.doc_id] = item
    return list(items.values())


def parse_item(record: Mapping[str, Any]) -> QueueItem:
    """Read the JSON record of a queue item; fields it does not know are passed over.

    Raises
    ------
    LabelError
        If a field is missing, of a wrong type or out of range.
    """
    doc_id, reason = record.get("doc_id"), record.get("reason", "")
    score, lines = record.get("score", 0.0), record.get("lines", [])
    if not isinstance(doc_id, str) or not doc_id:
        raise LabelError("doc_id is missing, empty or no string")
    if not isinstance(reason, str):
        raise LabelError(f"reason is {type(reason).__name__}, not a string")
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not _is_finite(score):
        raise LabelError(f"score is {str(score)[:80]!r}, not a finite number")
    if not isinstance(lines, list) or not all(type(i) is int and 0 <= i < MAX_RUN_LINES for i in lines):
        raise LabelError("lines is not a list of line numbers from 0")
    return QueueItem(doc_id, reason, float(score), tuple(lines))


def _is_finite(score: float) -> bool:
    try:
        return math.isfinite(score)
    except OverflowError:  # an integer beyond what a float holds
        return False


def _record(item: QueueItem) -> dict[str, Any]:
    record: dict[str, Any] = {"doc_id": item.doc_id, "reason": item.reason, "score": float(item.score)}
    if item.lines:
        record["lines"] = [int(line) for line in item.lines]
    parse_item(record)
    return record
