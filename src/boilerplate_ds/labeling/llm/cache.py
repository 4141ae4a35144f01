"""Answers that were paid for, on disk: the same question to the same model is asked once.

One JSON Lines file a model, only ever appended to; no text of a page is in it, only hashes and labels.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.document import decode_runs, encode_runs
from boilerplate_ds.errors import LabelError, Rejects
from boilerplate_ds.labeling.jsonl import append_line, encode_record, read_records
from boilerplate_ds.labeling.llm.answer import Answer

if TYPE_CHECKING:
    from pathlib import Path

    from boilerplate_ds.labeling.llm.prompt import Messages


class AnswerCache:
    """Answers of one file, by the hash of question and model.

    Parameters
    ----------
    path : Path
        Made with the first answer. Records that cannot be read are passed over: they are asked for again.
    anew : bool
        Start without the answers that are there, so that everything is asked again.
    """

    def __init__(self, path: Path, *, anew: bool = False) -> None:
        self.path = path
        self._answers: dict[str, dict[str, Any]] = {}
        if path.is_file() and not anew:
            self._answers = {str(r.get("key")): r for _, r in read_records(path, Rejects())}

    def get(self, key: str, n_lines: int) -> Answer | None:
        """Give the answer to a question about so many lines, if it is there and whole."""
        record = self._answers.get(key)
        if record is None:
            return None
        try:
            labels = decode_runs(record["labels"])
            sure = np.ones(len(labels), dtype=bool)
            sure[np.array(record["unsure"], dtype=np.int64)] = False
        except (LabelError, KeyError, AttributeError, IndexError, TypeError, ValueError, OverflowError):
            return None
        return Answer(labels, sure) if len(labels) == n_lines else None

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer; when this returns, it is on disk."""
        record = {
            "key": key,
            "labels": encode_runs(answer.labels.tolist()),
            "unsure": np.flatnonzero(~answer.sure).tolist(),
        }
        append_line(self.path, encode_record(record))
        self._answers[key] = record


def cache_key(model: str, messages: Messages) -> str:
    """SHA-256 of a question and the model it is for."""
    return hashlib.sha256(json.dumps([model, messages]).encode()).hexdigest()
