"""The answer: runs of labels that cover each line exactly once, or a list of what is wrong with them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.errors import LabelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boilerplate_ds.document import Labels

_UNSET = -1
_SHOWN_PROBLEMS = 8
_THOUGHT = re.compile(r"^\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)


class AnswerError(LabelError):
    """An answer cannot be used; the message lists what is wrong, for people and for the repair turn."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Labels of the lines of one window.

    Parameters
    ----------
    labels : ndarray of int8, shape (n_lines,)
        Class ids.
    sure : ndarray of bool, shape (n_lines,)
        False where the model said that another annotator might decide otherwise.
    """

    labels: Labels = field(repr=False)
    sure: NDArray[np.bool_] = field(repr=False)


def parse_answer(text: str, first: int, last: int) -> Answer:
    """Read and check the answer for the lines ``first`` to ``last``, numbered from 1, both included.

    Fields that were not asked for are passed over, and so are a code fence around the JSON and a leading
    ``<think>`` block, which servers without structured output let through.

    Raises
    ------
    AnswerError
        If it is not JSON, names lines or labels that there are not, or leaves or doubles a line.
    """
    runs = _runs(text)
    labels = np.full(last - first + 1, _UNSET, dtype=np.int8)
    sure = np.ones(last - first + 1, dtype=bool)
    problems: list[str] = []
    for number, run in enumerate(runs, 1):
        problem = _place(run, labels, sure, first, last)
        if problem:
            problems.append(f"run {number} {problem}")
    problems += _gaps(labels, first)
    if problems:
        more = len(problems) - _SHOWN_PROBLEMS
        shown = "; ".join(problems[:_SHOWN_PROBLEMS])
        raise AnswerError(shown + (f"; and {more} more" if more > 0 else ""))
    return Answer(labels, sure)


def _runs(text: str) -> list[Any]:
    text = _THOUGHT.sub("", text, count=1).strip()
    if text.startswith("```"):
        text = text.partition("\n")[2].removesuffix("```")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AnswerError(f"it is not JSON: {error}") from error
    runs = data.get("runs") if isinstance(data, dict) else None
    if not isinstance(runs, list):
        raise AnswerError('it is not an object with a list "runs"')
    return runs


def _place(run: Any, labels: Labels, sure: NDArray[np.bool_], first: int, last: int) -> str:
    """Write a run into the arrays; gives what is wrong with it, nothing if it is right."""
    if not isinstance(run, dict):
        return "is not an object"
    start, end, label = run.get("first"), run.get("last"), run.get("label")
    if type(start) is not int or type(end) is not int:
        return 'has no whole numbers "first" and "last"'
    if label not in LABEL_NAMES:
        return f"has the label {str(label)[:40]!r}, which is none of {', '.join(LABEL_NAMES)}"
    if not first <= start <= end <= last:
        return f"goes from {start} to {end}, but the lines asked for are {first} to {last}"[:200]
    stretch = slice(start - first, end - first + 1)
    taken = np.flatnonzero(labels[stretch] != _UNSET)
    if taken.size:
        return f"labels line {start + int(taken[0])} a second time"
    labels[stretch] = LABEL_NAMES.index(label)
    sure[stretch] = run.get("sure") is not False
    return ""


def _gaps(labels: Labels, first: int) -> list[str]:
    missing = np.flatnonzero(labels == _UNSET)
    if not missing.size:
        return []
    stretches = np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1)
    return [
        f"line {s[0] + first} has no label"
        if len(s) == 1
        else f"lines {s[0] + first} to {s[-1] + first} have no label"
        for s in stretches
    ]
