"""A labelling session: the one object behind the web page and the terminal.

It knows the documents of a collection, who labels which, what is suggested, every draft, and how far
everybody is. Whatever it has taken is on disk when the call returns.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from hashlib import sha256
from itertools import takewhile
from math import isnan, nan
from pathlib import Path
from secrets import token_hex
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.document import LABEL_NAMES, Annotation, encode_runs
from boilerplate_ds.errors import BoilerplateError, LabelError, NotSavedError, reject_or_raise
from boilerplate_ds.labeling.agreement import kappas
from boilerplate_ds.labeling.assignment import assign
from boilerplate_ds.labeling.collection import load_documents, misfit
from boilerplate_ds.labeling.drafts import (
    UNLABELED,
    Change,
    Draft,
    DraftLog,
    apply_change,
    clashes,
    label_letters,
)
from boilerplate_ds.labeling.guidelines import guidelines_version
from boilerplate_ds.labeling.queue import encode_queue
from boilerplate_ds.labeling.store import ADJUDICATOR, LabelStore, StoredAnnotation, check_annotator
from boilerplate_ds.labeling.suggestions import Suggestion, append_suggestion, read_suggestions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document, Labels
    from boilerplate_ds.errors import Rejects
    from boilerplate_ds.labeling.queue import QueueItem

    Suggest = Callable[[Document], Suggestion]

_PREFERRED = ("llm", "model", "rules-", "rules")


class ChangeClashError(BoilerplateError):
    """Another window changed the same lines first; nothing was applied.

    Attributes
    ----------
    draft : Draft
        As it is now.
    """

    def __init__(
        self, draft: Draft, reason: str = "these lines were changed in another window; look at them again"
    ) -> None:
        super().__init__(reason)
        self.draft = draft


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one annotator is.

    Parameters
    ----------
    pages, pages_done, pages_skipped : int
        Of the annotator's queue.
    lines, lines_done : int
    seconds : float
        Time spent on pages that are done.
    labels : mapping of str to int
        Lines of each label on pages that are done.
    confusion : ndarray of int64, shape (n_labels, n_labels)
        Lines that somebody else has labelled, too, by the annotator's label and the other's; each pair of
        people counts.
    """

    pages: int
    pages_done: int
    pages_skipped: int
    lines: int
    lines_done: int
    seconds: float
    labels: Mapping[str, int]
    confusion: NDArray[np.int64]

    @property
    def lines_a_minute(self) -> float | None:
        """Speed on pages that are done; None before the first."""
        return 60 * self.lines_done / self.seconds if self.seconds and self.lines_done else None

    @property
    def agreement(self) -> float | None:
        """Share of compared lines with the same label, 0 to 1; None where nothing was labelled twice."""
        return float(np.trace(self.confusion)) / self.compared_lines if self.compared_lines else None

    @property
    def compared_lines(self) -> int:
        """How many lines somebody else has labelled, too."""
        return int(self.confusion.sum())

    @property
    def kappa(self) -> float | None:
        """Cohen's κ with the others, who count as one; None where it has no value."""
        kappa = float(kappas(self.confusion.astype(np.float64))) if self.compared_lines else nan
        return None if isnan(kappa) else kappa


class Session:
    """Labels a collection, or settles what its annotators disagree on.

    Methods may be called from several threads, and several sessions (processes, too) may work on one
    collection.

    Parameters
    ----------
    folder : path-like
        The collection.
    annotators : sequence of str
        The people; ``adjudicated`` is reserved.
    overlap : float
        The share of documents that two people label, 0 to 1.
    queue : iterable of QueueItem, optional
        Only these documents, in this order, with lines to look at first; default all documents.
    adjudicate : bool
        Settle instead of label: pages are those whose annotators disagree (with ``queue``: those of it that
        are labelled), everybody may open all of them, and what is accepted is stored for ``adjudicated``.
        Lines that an item of the queue names, or all if it names none, are settled anew, decided before or
        not, until that item has been.
    source : str, optional
        Whose suggestions to show; default of those there are an LLM's, then a model's, then those of rules,
        the shipped ones alone last.
    suggest : callable, optional
        Makes the :class:`Suggestion` for a document that has none; it is stored, if it can be.
    rejects : Rejects, optional
        Gets every bad record; without it the first raises.

    Raises
    ------
    DatasetError
        If there is no such collection, or it holds no documents.
    LabelError
        If annotators, overlap or, without ``rejects``, a record is not valid.
    """

    def __init__(
        self,
        folder: str | Path,
        annotators: Sequence[str],
        *,
        overlap: float = 0.0,
        queue: Iterable[QueueItem] | None = None,
        adjudicate: bool = False,
        source: str | None = None,
        suggest: Suggest | None = None,
        rejects: Rejects | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.annotators = tuple(map(check_annotator, annotators))
        if ADJUDICATOR in (name.lower() for name in annotators):
            raise LabelError(f"nobody may be called {ADJUDICATOR}; that is the annotator of decisions")
        self.adjudicates = adjudicate
        self.guidelines = guidelines_version(self.folder)
        self._lock = RLock()
        self._suggest = suggest
        self._rejects = rejects
        self.documents = {i: d for i, d in load_documents(self.folder, rejects).items() if d.lines}
        self._items: dict[str, QueueItem] = {}
        self._look = self._queued(queue)
        self._suggestions = self._read_suggestions(source)
        self._annotations = _Annotations(self.folder, rejects)
        self._logs = {name: DraftLog(self.folder, name, rejects) for name in self._stored_as()}
        self._drafts: dict[tuple[str, str], Draft] = {}
        self._changes: dict[str, dict[str, list[Change]]] = {}
        for name in self._logs:
            self._sort_changes(name)
        self._queues = self._disputes() if adjudicate else self._shares(overlap)

    @property
    def id(self) -> str:
        """What a change made elsewhere is for: it must reach no other collection, and no other mode."""
        mode = "adjudicate" if self.adjudicates else "label"
        return sha256(f"{mode} {self.folder.resolve()}".encode()).hexdigest()[:12]

    def queue(self, annotator: str) -> list[str]:
        """Give the ids of an annotator's documents, in the order to label them."""
        return self._queues[self._known(annotator)]

    def reason(self, doc_id: str) -> str:
        """Say why the queue file wants a document labelled; empty if it does not say."""
        return self._items[doc_id].reason if doc_id in self._items else ""

    def next(self, annotator: str, after: str | None = None) -> str | None:
        """Give the next document to do, after one and then from the start; those put aside come last."""
        ids = self.queue(annotator)
        start = ids.index(after) + 1 if after in ids else 0
        name = self._stored_as(annotator)[0]
        skipped = None
        with self._lock:
            self._catch_up(name)
            for doc_id in ids[start:] + ids[:start]:
                status = self._draft(name, doc_id).status
                if doc_id == after or status == "done":
                    continue
                if status != "skipped":
                    return doc_id
                skipped = skipped or doc_id
        return skipped

    def draft(self, annotator: str, doc_id: str, *, suggest: bool = True) -> Draft:
        """Give a document as the annotator has left it.

        Parameters
        ----------
        annotator : str
        doc_id : str
        suggest : bool
            Whether to make a suggestion where there is none, which takes a model's time.

        Raises
        ------
        LabelError
            If there is no such annotator or document.
        """
        name = self._stored_as(annotator)[0]
        if doc_id not in self.documents:
            raise LabelError(f"{self.folder}: there is no document {doc_id!r}")
        with self._lock:
            self._catch_up(name)
            if suggest:
                self._make_suggestion(doc_id)
            return self._draft(name, doc_id)

    def apply(self, annotator: str, change: Change) -> Draft:
        """Apply a change; when this returns, it is on disk. One that was applied before changes nothing.

        A change of kind ``accept`` stores the draft as the annotator's annotation of the document.

        Raises
        ------
        ChangeClashError
            If another client changed the same lines after ``change.base``, or what is suggested to whoever
            accepts it is no longer what was shown.
        LabelError
            If the change is not valid, or a page to accept has lines without a label.
        """
        name = self._stored_as(annotator)[0]
        with self._lock, self._logs[name].locked() as others_wrote:
            if others_wrote:
                self._sort_changes(name)
            draft = self.draft(annotator, change.doc_id)
            if change.id in self._logs[name] or change.id in self._annotations.changes_of(name):
                return draft
            if change.text_sha256 != draft.document.text_sha256:
                raise LabelError(f"document {change.doc_id!r} has another text now; load the page again")
            if clashes(draft, change):
                raise ChangeClashError(draft)
            if change.kind == "accept" and change.shown not in (None, label_letters(draft.current)):
                raise ChangeClashError(draft, "the suggested labels are others now; look at them again")
            by = annotator if self.adjudicates else ""
            change = replace(change, by=by, created_at=_now())
            after = (
                self._accept(name, draft, change)
                if change.kind == "accept"
                else self._log(name, draft, change)
            )
            self._drafts[name, change.doc_id] = after
            return after

    def change(self, draft: Draft, *, kind: Any = "edit", **what: Any) -> Change:
        """Make a change to a draft just as it is, for callers in the same process."""
        if kind == "accept":
            what.setdefault("shown", label_letters(draft.current))
        return Change(
            token_hex(8), draft.document.id, draft.document.text_sha256, "", draft.version, kind=kind, **what
        )

    def progress(self, annotator: str) -> Progress:
        """Count what an annotator has done so far."""
        name = self._stored_as(annotator)[0]
        with self._lock:
            self._catch_up(name)
            drafts = [self._draft(name, doc_id) for doc_id in self.queue(annotator)]
            done = [d for d in drafts if d.accepted is not None]
            stored = [self._annotations.of(d.document.id)[name].annotation for d in done]
            counts = Counter(int(label) for a in stored for label in a.labels)
            confusion = self._confusion(name, stored)
        return Progress(
            pages=len(drafts),
            pages_done=len(done),
            pages_skipped=sum(d.status == "skipped" for d in drafts),
            lines=sum(len(d.labels) for d in drafts),
            lines_done=sum(len(d.labels) for d in done),
            seconds=sum(a.seconds or 0.0 for a in stored),
            labels={label: counts[i] for i, label in enumerate(LABEL_NAMES)},
            confusion=confusion,
        )

    def _known(self, annotator: str) -> str:
        if annotator not in self.annotators:
            raise LabelError(f"{annotator!r} is not of this session ({', '.join(self.annotators)})")
        return annotator

    def _stored_as(self, annotator: str | None = None) -> tuple[str, ...]:
        """Names that drafts and annotations are kept under: of one person, or of all."""
        names = self.annotators if annotator is None else (self._known(annotator),)
        return (ADJUDICATOR,) if self.adjudicates else names

    def _queued(self, queue: Iterable[QueueItem] | None) -> dict[str, tuple[int, ...]]:
        if queue is None:
            return dict.fromkeys(self.documents, ())
        look = {}
        for place, item in enumerate(queue, 1):
            document = self.documents.get(item.doc_id)
            where = f"document {place}"
            if document is None:
                reason = f"{item.doc_id!r} is not in {self.folder}"
                reject_or_raise(self._rejects, "the queue", where, reason, LabelError)
            elif not all(0 <= line < len(document.lines) for line in item.lines):
                reason = f"{item.doc_id!r} has {len(document.lines)} lines; the queue names one past them"
                reject_or_raise(self._rejects, "the queue", where, reason, LabelError)
            else:
                whole = range(len(document.lines)) if self.adjudicates else ()
                look[item.doc_id] = tuple(item.lines or whole)
                self._items[item.doc_id] = item
        return look

    def _shares(self, overlap: float) -> dict[str, list[str]]:
        holders: dict[str, set[str]] = {}
        for name in self.annotators:
            for doc_id in self._changes[name]:
                holders.setdefault(doc_id, set()).add(name)
        for doc_id in self._look:
            holders.setdefault(doc_id, set()).update(self._annotations.of(doc_id))
        return assign(self._look, self.annotators, overlap, holders)

    def _disputes(self) -> dict[str, list[str]]:
        disputed = [i for i in self._look if self._disputed(i, self._votes(i)).size]
        return dict.fromkeys(self.annotators, disputed)

    def _votes(self, doc_id: str) -> dict[str, Labels]:
        """Labels to settle between; of a page that nobody else has labelled, the decision."""
        given = {
            name: stored.annotation.labels
            for name, stored in sorted(self._annotations.of(doc_id).items())
            if not misfit(stored.annotation, self.documents[doc_id])
        }
        return {name: labels for name, labels in given.items() if name != ADJUDICATOR} or given

    def _disputed(self, doc_id: str, votes: Mapping[str, Labels]) -> np.ndarray[Any, Any]:
        """Lines to settle: annotators differ, or the queue names them."""
        if not votes:
            return np.empty(0, dtype=np.int64)
        stacked = np.stack(list(votes.values()))
        differs = (stacked != stacked[0]).any(axis=0)
        differs[list(self._look.get(doc_id, ()))] = True
        return np.flatnonzero(differs)

    def _read_suggestions(self, source: str | None) -> dict[str, Suggestion]:
        chosen = {}
        for doc_id, by_source in read_suggestions(self.folder, self._rejects).items():
            document = self.documents.get(doc_id)
            fitting = {
                name: suggestion
                for name, suggestion in by_source.items()
                if document is not None
                and suggestion.text_sha256 == document.text_sha256
                and len(suggestion.labels) == len(document.lines)
                and source in (None, name)
            }
            if fitting:
                chosen[doc_id] = fitting[min(fitting, key=_preference)]
        return chosen

    def _make_suggestion(self, doc_id: str) -> None:
        if self._suggest is None or doc_id in self._suggestions:
            return
        suggestion = self._suggest(self.documents[doc_id])
        with suppress(NotSavedError):  # another session makes it again
            append_suggestion(self.folder, suggestion)
        self._suggestions[doc_id] = suggestion
        for key in [key for key in self._drafts if key[1] == doc_id]:
            self._drafts[key] = replace(self._drafts[key], suggestion=suggestion)

    def _catch_up(self, name: str) -> None:
        if self._logs[name].refresh():
            self._sort_changes(name)
        if self._annotations.refresh():
            self._drafts.clear()
            if self.adjudicates:
                self._queues = self._disputes()

    def _draft(self, name: str, doc_id: str) -> Draft:
        if (name, doc_id) not in self._drafts:
            self._drafts[name, doc_id] = self._replay(name, doc_id)
        return self._drafts[name, doc_id]

    def _sort_changes(self, name: str) -> None:
        self._logs[name].refresh()
        by_document: dict[str, list[Change]] = {}
        for change in self._logs[name].changes():
            by_document.setdefault(change.doc_id, []).append(change)
        self._changes[name] = by_document
        for key in [key for key in self._drafts if key[0] == name]:
            del self._drafts[key]

    def _replay(self, name: str, doc_id: str) -> Draft:
        draft = self._fresh(name, doc_id)
        changes = self._changes[name].get(doc_id, [])
        stored = self._annotations.of(doc_id).get(name)
        if stored is not None and misfit(stored.annotation, draft.document):
            stored = None
        accepted = _place(stored, changes)
        if accepted == 0:
            draft = self._settled(draft, stored)
        for change in changes:
            try:
                if change.text_sha256 != draft.document.text_sha256:
                    raise LabelError(f"a change to another text of document {doc_id!r}")
                draft = apply_change(draft, change)
            except LabelError as error:
                reject_or_raise(self._rejects, self._logs[name].path, change.id, str(error), LabelError)
            if draft.version == accepted:
                draft = self._settled(draft, stored)
        return draft

    def _settled(self, draft: Draft, stored: StoredAnnotation | None) -> Draft:
        """Give the draft as it was accepted, lines open that the queue wants settled since."""
        draft = _accepted(draft, stored)
        item = self._items.get(draft.document.id)
        if not self.adjudicates or item is None or self._annotations.has_settled(item):
            return draft
        look = tuple(sorted(set(self._look[item.doc_id])))
        labels = draft.labels.copy()
        labels[list(look)] = UNLABELED
        votes = {**draft.votes, ADJUDICATOR: draft.labels}
        return replace(draft, labels=labels, look=look, votes=votes, accepted=None, undo=None, redo=None)

    def _fresh(self, name: str, doc_id: str) -> Draft:
        document = self.documents[doc_id]
        labels: Labels = np.full(len(document.lines), UNLABELED, dtype=np.int8)
        look: tuple[int, ...] = self._look.get(doc_id, ())
        votes: dict[str, Labels] = {}
        if name == ADJUDICATOR:
            votes = self._votes(doc_id)
            disputed = self._disputed(doc_id, votes)
            look = tuple(disputed.tolist())
            if votes:
                labels = next(iter(votes.values())).copy()
                labels[disputed] = UNLABELED
        return Draft(
            document=document,
            labels=labels,
            unsure=np.zeros(len(labels), dtype=bool),
            suggestion=self._suggestions.get(doc_id),
            look=look,
            votes=votes,
        )

    def _log(self, name: str, draft: Draft, change: Change) -> Draft:
        after = apply_change(draft, change)
        self._logs[name].append(change)
        self._changes[name].setdefault(change.doc_id, []).append(change)
        return after

    def _accept(self, name: str, draft: Draft, change: Change) -> Draft:
        if draft.status == "done":
            return draft
        if draft.open_lines.size:
            raise LabelError(
                f"{draft.open_lines.size} lines have no label, the first is line {draft.open_lines[0] + 1}"
            )
        annotation = Annotation(
            doc_id=draft.document.id,
            text_sha256=draft.document.text_sha256,
            annotator=name,
            labels=draft.current,
            guidelines=self.guidelines,
            created_at=change.created_at,
            seconds=round(draft.seconds + change.seconds, 1),
            notes=draft.note,
        )
        stored = self._annotations.append(annotation, self._provenance(draft, change))
        return _accepted(draft, stored)

    def _provenance(self, draft: Draft, change: Change) -> dict[str, Any]:
        """Fields beside the labels: what was suggested and changed, and who decided between whom."""
        extra: dict[str, Any] = {"change": change.id, "draft": draft.version}
        if draft.votes:
            extra["decided_by"] = change.by
            extra["decided_lines"] = list(draft.look)
            extra["between"] = {
                name: stored.annotation.created_at
                for name, stored in self._annotations.of(draft.document.id).items()
                if name in draft.votes
            }
            if draft.document.id in self._items:
                extra["queue"] = _item_hash(self._items[draft.document.id])
        if draft.suggestion is not None:
            extra["suggested_by"] = draft.suggestion.source
            extra["suggested"] = encode_runs(draft.suggestion.labels.tolist())
            extra["changed"] = int((draft.current != draft.suggestion.labels).sum())
        if draft.unsure.any():
            extra["unsure"] = np.flatnonzero(draft.unsure).tolist()
        return extra

    def _confusion(self, name: str, own: Iterable[Annotation]) -> NDArray[np.int64]:
        counts = np.zeros((len(LABEL_NAMES), len(LABEL_NAMES)), dtype=np.int64)
        for mine in own:
            for other, stored in self._annotations.of(mine.doc_id).items():
                theirs = stored.annotation
                if other not in (name, ADJUDICATOR) and not misfit(theirs, self.documents.get(mine.doc_id)):
                    np.add.at(counts, (mine.labels, theirs.labels), 1)
        return counts


class _Annotations:
    """The last annotation of each annotator for each document, kept up with what others write."""

    def __init__(self, folder: Path, rejects: Rejects | None) -> None:
        self._store = LabelStore(folder)
        self._rejects = rejects
        self._sizes: dict[Path, int] = {}
        self._changes: dict[str, set[str]] = {}
        self._items: set[object] = set()
        self._latest: dict[str, dict[str, StoredAnnotation]] = {}
        self.refresh()

    def of(self, doc_id: str) -> Mapping[str, StoredAnnotation]:
        """Give the last annotation of each annotator of a document."""
        return self._latest.get(doc_id, {})

    def changes_of(self, name: str) -> set[str]:
        """Ids of the changes that became annotations."""
        return self._changes.get(name, set())

    def has_settled(self, item: QueueItem) -> bool:
        """Whether one of the decisions, not just the last, was made for an item of a queue."""
        return _item_hash(item) in self._items

    def refresh(self) -> bool:
        """Read the files again if one of them changed; gives whether one did."""
        sizes = self._file_sizes()
        if sizes == self._sizes:
            return False
        self._latest = {}
        for stored in self._store.records(self._rejects):
            self._add(stored)
        self._sizes = sizes
        return True

    def append(self, annotation: Annotation, extra: Mapping[str, Any]) -> StoredAnnotation:
        known = self._sizes == self._file_sizes()
        path = self._store.path_of(annotation.annotator)
        stored = StoredAnnotation(self._store.append(annotation, extra), path, 0, extra)
        self._add(stored)
        if known:
            self._sizes[path] = path.stat().st_size
        return stored

    def _add(self, stored: StoredAnnotation) -> None:
        annotation = stored.annotation
        self._latest.setdefault(annotation.doc_id, {})[annotation.annotator] = stored
        change = stored.extra.get("change")
        if isinstance(change, str):
            self._changes.setdefault(annotation.annotator, set()).add(change)
        if isinstance(stored.extra.get("queue"), str):
            self._items.add(stored.extra["queue"])

    def _file_sizes(self) -> dict[Path, int]:
        return {path: path.stat().st_size for path in (self._store.folder / "annotations").glob("*.jsonl")}


def _place(stored: StoredAnnotation | None, changes: Sequence[Change]) -> int | None:
    """After how many changes an annotation was accepted; one made elsewhere, after those that are older."""
    if stored is None:
        return None
    made = stored.annotation.created_at
    version = stored.extra.get("draft")
    older = sum(1 for _ in takewhile(lambda change: change.created_at <= made, changes))
    # A log begun anew after the acceptance has other changes under these numbers, and they are newer.
    return version if isinstance(version, int) and 0 <= version <= older else older


def _accepted(draft: Draft, stored: StoredAnnotation | None) -> Draft:
    if stored is None:
        return draft
    annotation = stored.annotation
    return replace(
        draft,
        labels=annotation.labels,
        accepted=draft.version,
        skipped=False,
        note=draft.note or annotation.notes,
        seconds=draft.seconds if annotation.seconds is None else annotation.seconds,
    )


def _item_hash(item: QueueItem) -> str:
    return sha256(encode_queue([item])).hexdigest()[:16]


def _preference(source: str) -> tuple[int, str]:
    places = [place for place, start in enumerate(_PREFERRED) if source.startswith(start)]
    return (places[0] if places else len(_PREFERRED), source)


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
