"""Drafts: a page while somebody works on it, kept as the changes that made it.

``<collection>/drafts/<annotator>.jsonl`` is an append-only log of changes; a draft is what they add up to.
Each change bears an id made by whoever made it, so that one sent twice is applied once, and the version it
was based on, so that work of another window on the same lines is never overwritten.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from boilerplate_ds.document import CODES, MAX_RUN_LINES
from boilerplate_ds.errors import LabelError, Rejects, reject_or_raise
from boilerplate_ds.labeling.jsonl import append_line, encode_record, lock_file, read_records
from boilerplate_ds.labeling.store import check_annotator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document, Labels
    from boilerplate_ds.labeling.suggestions import Suggestion

UNLABELED = -1
"""In a draft: nobody has given this line a label yet."""
SURE = 0.8
"""A suggested label less sure than this is marked as uncertain."""
MAX_NOTE = 10_000
MAX_EDITS = 10_000
MAX_SECONDS = 86_400.0
Kind = Literal["edit", "undo", "redo", "accept"]
KINDS: tuple[Kind, ...] = ("edit", "undo", "redo", "accept")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Edit:
    """New labels or marks for the lines ``start`` to ``end - 1``.

    Parameters
    ----------
    start, end : int
    label : int, optional
        Class id, or ``UNLABELED`` to take the label away; None leaves labels as they are.
    unsure : bool, optional
        Sets or takes away the annotator's mark of doubt; None leaves it.
    """

    start: int
    end: int
    label: int | None = None
    unsure: bool | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing an annotator did to a page.

    Parameters
    ----------
    id : str
        Made by the client, unique; a change with a known id is not applied again.
    doc_id, text_sha256 : str
        The document, and the hash of the lines the client saw.
    client : str
        The window or program it came from, so that a client's own changes never clash with each other.
    base : int
        The draft's version that the client saw.
    edits : tuple of Edit
        Applied in order.
    kind : {"edit", "undo", "redo", "accept"}
        ``undo`` and ``redo`` carry the edits that bring it about; ``accept`` makes the draft an annotation.
    note : str, optional
        New text of the page's note.
    skipped : bool, optional
        Whether the page is put aside.
    seconds : float
        Time the annotator worked on the page since the change before.
    shown : str, optional
        With ``accept``: the labels that the annotator saw, as letters.
    by : str
        The person, where that is not the annotator it is stored for.
    created_at : str
    """

    id: str
    doc_id: str
    text_sha256: str
    client: str = ""
    base: int = 0
    edits: tuple[Edit, ...] = ()
    kind: Kind = "edit"
    note: str | None = None
    skipped: bool | None = None
    seconds: float = 0.0
    shown: str | None = None
    by: str = ""
    created_at: str = ""


class Step(NamedTuple):
    """An undoable step: the edits, what takes them back, and the steps before."""

    edits: tuple[Edit, ...]
    inverse: tuple[Edit, ...]
    before: Step | None


class Touched(NamedTuple):
    """Who last changed something, and in which version of the draft."""

    version: int
    client: str


UNTOUCHED = Touched(0, "")


@dataclass(frozen=True, slots=True)
class Draft:
    """A page as one annotator has left it so far. A change gives a new draft; none is ever altered.

    Parameters
    ----------
    document : Document
    labels : ndarray of int8, shape (n_lines,)
        Class ids; ``UNLABELED`` where the annotator has said nothing.
    unsure : ndarray of bool, shape (n_lines,)
        Lines the annotator marked as doubtful.
    suggestion : Suggestion, optional
    look : tuple of int
        Lines to look at first, from 0.
    votes : mapping of str to ndarray of int8
        In adjudication, what each annotator said; empty otherwise.
    note : str
    skipped : bool
    seconds : float
        Time spent on the page, in all.
    version : int
        Number of changes so far.
    accepted : int, optional
        The version that was accepted last.
    undo, redo : Step, optional
        The last step that can be undone, and the one that can be redone.
    """

    document: Document
    labels: Labels = field(repr=False)
    unsure: NDArray[np.bool_] = field(repr=False)
    suggestion: Suggestion | None = field(default=None, repr=False)
    look: tuple[int, ...] = ()
    votes: Mapping[str, Labels] = field(default_factory=dict, repr=False)
    note: str = ""
    skipped: bool = False
    seconds: float = 0.0
    version: int = 0
    accepted: int | None = None
    undo: Step | None = field(default=None, repr=False)
    redo: Step | None = field(default=None, repr=False)
    touched: tuple[Touched, ...] = field(default=(), repr=False)
    touched_page: Touched = UNTOUCHED

    @property
    def current(self) -> Labels:
        """The labels accepting would store: the annotator's, else the suggested ones; shape (n_lines,).

        In adjudication nothing is taken over from a suggestion.
        """
        if self.suggestion is None or self.votes:
            return self.labels
        return np.where(self.labels == UNLABELED, self.suggestion.labels, self.labels).astype(np.int8)

    @property
    def open_lines(self) -> NDArray[np.int64]:
        """Lines that still need a label before the page can be accepted."""
        return np.flatnonzero(self.current == UNLABELED)

    @property
    def uncertain(self) -> NDArray[np.bool_]:
        """Lines worth a look that have no label of the annotator's yet; shape (n_lines,)."""
        marked = np.zeros(len(self.labels), dtype=bool)
        marked[list(self.look)] = True
        if self.suggestion is not None and not self.votes:
            marked |= self.suggestion.scores < SURE
        result: NDArray[np.bool_] = (marked | (self.current == UNLABELED)) & (self.labels == UNLABELED)
        return result

    @property
    def status(self) -> Literal["new", "started", "skipped", "done", "changed"]:
        """How far the page is; ``changed`` is accepted, then worked on again."""
        if self.skipped:
            return "skipped"
        if self.accepted is None:
            return "started" if self.version else "new"
        return "done" if self.accepted == self.version else "changed"


def apply_change(draft: Draft, change: Change) -> Draft:
    """Give the draft after a change that is no acceptance.

    Raises
    ------
    LabelError
        If an edit reaches past the page.
    """
    n_lines = len(draft.labels)
    for edit in change.edits:
        if not 0 <= edit.start < edit.end <= n_lines:
            raise LabelError(f"lines {edit.start} to {edit.end} of a page of {n_lines} lines")
    version = draft.version + 1
    labels, unsure, inverse = _edited(draft, change.edits)
    undo, redo = _stacks(draft, change, inverse)
    mark = Touched(version, change.client)
    touched = list(draft.touched or (UNTOUCHED,) * n_lines)
    for edit in change.edits:
        touched[edit.start : edit.end] = [mark] * (edit.end - edit.start)
    on_page = change.note is not None or change.skipped is not None
    skipped = change.skipped if change.skipped is not None else draft.skipped and not change.edits
    return replace(
        draft,
        labels=labels,
        unsure=unsure,
        note=draft.note if change.note is None else change.note,
        skipped=skipped,
        seconds=draft.seconds + change.seconds,
        version=version,
        undo=undo,
        redo=redo,
        touched=tuple(touched),
        touched_page=mark if on_page else draft.touched_page,
    )


def clashes(draft: Draft, change: Change) -> bool:
    """Whether another client changed, after ``change.base``, what ``change`` is about."""

    def is_news(touched: Touched) -> bool:
        return touched.version > change.base and touched.client != change.client

    if change.kind == "accept":
        return is_news(draft.touched_page) or any(map(is_news, draft.touched))
    on_page = change.note is not None or change.skipped is not None
    lines = (line for edit in change.edits for line in draft.touched[edit.start : edit.end])
    return (on_page and is_news(draft.touched_page)) or any(map(is_news, lines))


def undo_edits(draft: Draft) -> tuple[Edit, ...]:
    """Edits that take back the last step; empty if there is none. Send them as a change of kind ``undo``."""
    return draft.undo.inverse if draft.undo else ()


def redo_edits(draft: Draft) -> tuple[Edit, ...]:
    """Edits that bring back the last step undone; empty if there is none. The change's kind is ``redo``."""
    return draft.redo.edits if draft.redo else ()


def _edited(draft: Draft, edits: tuple[Edit, ...]) -> tuple[Labels, NDArray[np.bool_], tuple[Edit, ...]]:
    labels, unsure = draft.labels.copy(), draft.unsure.copy()
    inverse: list[Edit] = []
    for edit in edits:
        lines = slice(edit.start, edit.end)
        was = zip(labels[lines].tolist(), unsure[lines].tolist(), strict=True)
        back, start = [], edit.start
        for (label, doubt), run in groupby(was):
            end = start + sum(1 for _ in run)
            back.append(
                Edit(
                    start, end, None if edit.label is None else label, None if edit.unsure is None else doubt
                )
            )
            start = end
        inverse += reversed(back)
        if edit.label is not None:
            labels[lines] = edit.label
        if edit.unsure is not None:
            unsure[lines] = edit.unsure
    return labels, unsure, tuple(reversed(inverse))


def _stacks(draft: Draft, change: Change, inverse: tuple[Edit, ...]) -> tuple[Step | None, Step | None]:
    if not change.edits:
        return draft.undo, draft.redo
    if change.kind == "undo" and draft.undo:
        step = draft.undo
        return step.before, Step(step.edits, step.inverse, draft.redo)
    if change.kind == "redo" and draft.redo:
        step = draft.redo
        return Step(step.edits, inverse, draft.undo), step.before
    return Step(change.edits, inverse, draft.undo), None


class DraftLog:
    """The changes one annotator made to the pages of a collection.

    Several processes may write to it: each reads what the others wrote before it adds anything.

    Parameters
    ----------
    folder : path-like
        The collection's folder.
    annotator : str
    rejects : Rejects, optional
        Gets every bad record; without it the first raises.
    """

    def __init__(self, folder: str | Path, annotator: str, rejects: Rejects | None = None) -> None:
        self.path = Path(folder) / "drafts" / f"{check_annotator(annotator)}.jsonl"
        self._rejects = rejects
        self._size = 0
        self._seen: dict[str, Change] = {}

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Keep other writers out and catch up with them first; gives whether there was anything new."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with lock_file(self.path.with_suffix(".lock")):
            yield self.refresh()

    def refresh(self) -> bool:
        """Read what another process wrote since; gives whether there was anything."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size == self._size:
            return False
        self._seen = {}
        for line, record in read_records(self.path, self._rejects) if size else ():
            try:
                change = parse_change(record)
            except LabelError as error:
                reject_or_raise(self._rejects, self.path, f"line {line}", str(error), LabelError)
            else:
                self._seen.setdefault(change.id, change)
        self._size = size
        return True

    def append(self, change: Change) -> None:
        """Add a change; when this returns, it is on disk. Call it inside :meth:`locked`.

        Raises
        ------
        LabelError
            If the change is one that could not be read again; nothing is written then.
        """
        record = change_record(change)
        parse_change(record)
        append_line(self.path, encode_record(record))
        self._seen[change.id] = change
        self._size = self.path.stat().st_size

    def __contains__(self, change_id: str) -> bool:
        return change_id in self._seen

    def changes(self) -> list[Change]:
        """All changes, oldest first."""
        return list(self._seen.values())


def change_record(change: Change) -> dict[str, Any]:
    """Give the JSON record of a change; what is empty is left out."""
    record = {f.name: getattr(change, f.name) for f in fields(Change)}
    unset = {"client": "", "base": 0, "edits": (), "kind": "edit", "seconds": 0.0, "by": "", "created_at": ""}
    for name, value in list(record.items()):
        if value is None or (name in unset and value == unset[name]):
            del record[name]
    if change.edits:
        record["edits"] = [edit_record(edit) for edit in change.edits]
    return record


def label_letters(labels: Labels) -> str:
    """Give a letter for each label, ``-`` where there is none."""
    return "".join(CODES[label] if label != UNLABELED else "-" for label in labels.tolist())


def edit_record(edit: Edit) -> dict[str, Any]:
    """Give the JSON record of an edit: the label as its letter, ``-`` for none."""
    record: dict[str, Any] = {"start": edit.start, "end": edit.end}
    if edit.label is not None:
        record["label"] = CODES[edit.label] if edit.label != UNLABELED else "-"
    if edit.unsure is not None:
        record["unsure"] = edit.unsure
    return record


def parse_change(record: Mapping[str, Any]) -> Change:
    """Read the JSON record of a change.

    Raises
    ------
    LabelError
        If a field is missing, of a wrong type or out of range.
    """
    if not isinstance(record.get("id"), str) or not _ID.fullmatch(record["id"]):
        raise LabelError("id is not 1 to 64 letters, digits, _ or -")
    for name in ("doc_id", "text_sha256"):
        if not isinstance(record.get(name), str) or not record[name]:
            raise LabelError(f"{name} is missing, empty or no string")
    kind = record.get("kind", "edit")
    if kind not in KINDS:
        raise LabelError(f"kind {kind!r} is none of {', '.join(KINDS)}")
    edits = record.get("edits", [])
    # one edit of a page may take one for each of its lines to undo
    if not isinstance(edits, list) or (len(edits) > MAX_EDITS and kind not in ("undo", "redo")):
        raise LabelError(f"edits are not a list of at most {MAX_EDITS:,}")
    parsed = tuple(map(_parse_edit, edits))
    if sum(max(edit.end - edit.start, 0) for edit in parsed[MAX_EDITS:]) > MAX_RUN_LINES:
        raise LabelError(f"edits of more than {MAX_RUN_LINES:,} lines")
    note = _typed(record, "note", str, None)
    if note is not None and len(note) > MAX_NOTE:
        raise LabelError(f"the note has {len(note):,} characters; the limit is {MAX_NOTE:,}")
    seconds = _typed(record, "seconds", (int, float), 0.0)
    if not 0 <= seconds <= MAX_SECONDS:
        raise LabelError(f"seconds is {seconds!r}, not a number from 0 to {MAX_SECONDS:g}")
    return Change(
        id=record["id"],
        doc_id=record["doc_id"],
        text_sha256=record["text_sha256"],
        client=_typed(record, "client", str, "")[:64],
        base=_typed(record, "base", int, 0),
        edits=parsed,
        kind=kind,
        note=note,
        skipped=_typed(record, "skipped", bool, None),
        seconds=float(seconds),
        shown=_typed(record, "shown", str, None),
        by=_typed(record, "by", str, ""),
        created_at=_typed(record, "created_at", str, ""),
    )


def _parse_edit(record: object) -> Edit:
    if not isinstance(record, dict):
        raise LabelError("an edit is not an object")
    label = record.get("label")
    if label is not None and (not isinstance(label, str) or len(label) != 1 or label not in CODES + "-"):
        raise LabelError(f"label {label!r} is not one of the letters {', '.join(CODES)} or -")
    return Edit(
        _typed(record, "start", int, -1),
        _typed(record, "end", int, -1),
        None if label is None else CODES.find(label),
        _typed(record, "unsure", bool, None),
    )


def _typed(record: Mapping[str, Any], name: str, kind: Any, default: Any) -> Any:
    value = record.get(name, default)
    if value is not default and (
        not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
    ):
        raise LabelError(f"{name} is {type(value).__name__}")
    return value
