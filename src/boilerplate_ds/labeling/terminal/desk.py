"""What a person does at a page: moving, selecting, labelling. Nothing here knows of a screen."""

from __future__ import annotations

import time
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.errors import LabelError
from boilerplate_ds.labeling.drafts import MAX_NOTE, UNLABELED, Edit, redo_edits, undo_edits
from boilerplate_ds.labeling.session import ChangeClashError

if TYPE_CHECKING:
    from boilerplate_ds.labeling.drafts import Draft
    from boilerplate_ds.labeling.session import Session

NEAR = 3
"""Uncertain lines with no more than this many others between them are one spot to look at."""
LONGEST_IDLE = 30.0
"""Seconds without a key that still count as work."""


class Desk:
    """One annotator's place in a session: the open page, the cursor, the selection.

    Every change is on disk when the method returns. What there is to tell is in :attr:`message`.

    Parameters
    ----------
    session : Session
    annotator : str
    """

    def __init__(self, session: Session, annotator: str) -> None:
        self.session = session
        self.annotator = annotator
        self.cursor = self.anchor = 0
        self.message = ""
        self._client = f"terminal-{token_hex(4)}"
        self._last_label: int | None = None
        self._run: tuple[int, int, int] | None = None  # label, lines, one past the last of them
        self._seen: set[int] = set()
        self._selects = False
        self._warned = False
        self._active = 0.0
        self._last_key = time.monotonic()

    # Pages

    def show(self, draft: Draft) -> None:
        """Open a page."""
        self.take(draft)
        self._seen, self._run, self._active = set(), None, 0.0
        self._selects = False
        self.message = ""
        self.move((self._next_spot(-1) or 0) if draft.votes else 0)

    def take(self, draft: Draft) -> None:
        """Take over a page as it is on disk; the cursor stays."""
        self.draft = draft
        self.labels: list[int] = draft.labels.tolist()
        self.current: list[int] = draft.current.tolist()
        self.uncertain: list[bool] = draft.uncertain.tolist()
        self.gaps: list[bool] = draft.document.blank_before.tolist()

    @property
    def n_lines(self) -> int:
        """How many lines the page has."""
        return len(self.labels)

    @property
    def selection(self) -> tuple[int, int]:
        """The first and the last line that are selected, or the cursor's."""
        return min(self.anchor, self.cursor), max(self.anchor, self.cursor)

    def accept(self) -> bool:
        """Store the page's labels as they stand; gives whether that was done.

        Not while lines have no label; and once not, if uncertain lines were not looked at.
        """
        open_lines = self.draft.open_lines
        if open_lines.size:
            self.move(int(open_lines[0]))
            self.message = f"{_lines(open_lines.size)} still without a label; here is the first."
            return False
        unseen = [line for line in np.flatnonzero(self.uncertain).tolist() if line not in self._seen]
        if unseen and not self._warned:
            self.move(unseen[0])
            self._warned = True
            self.message = (
                f"{_lines(len(unseen))} uncertain and not looked at; here is the first. "
                "Enter again accepts them as suggested."
            )
            return False
        return self.draft.status == "done" or self._send(kind="accept")

    def skip(self) -> bool:
        """Put the page aside; gives whether that was done."""
        return self._send(skipped=True)

    def write_note(self, typed: str, shown: str) -> bool:
        """Set the page's note to what was typed over the one that was shown; gives whether that is stored.

        What another window made of the note meanwhile is kept, above what was typed.
        """
        self.message = ""
        if typed == shown:
            return True
        version, theirs = self.draft.version, self.draft.note
        note = (typed if theirs == shown else _with_both(theirs, typed))[:MAX_NOTE]
        if note != theirs and not self._send(note=note):
            # A newer version is another window's, which was first.
            return self.draft.version > version and self.write_note(typed, shown)
        if theirs != shown:
            self.message = "The note was changed in another window, too; both texts are in it now."
        return True

    def touch(self) -> None:
        """Count the time since the last key as work."""
        now = time.monotonic()
        self._active += min(now - self._last_key, LONGEST_IDLE)
        self._last_key = now

    # Moving

    def move(self, line: int, *, extend: bool = False) -> None:
        """Go to a line; ``extend`` keeps the other end of the selection, as does :meth:`toggle_selecting`."""
        self.cursor = max(0, min(line, self.n_lines - 1))
        if not (extend or self._selects):
            self.anchor = self.cursor
        self._warned = False
        self._see(self.cursor)

    def step(self, lines: int, *, extend: bool = False) -> None:
        """Go some lines on, or back if negative."""
        self.move(self.cursor + lines, extend=extend)

    def step_block(self, direction: int, *, extend: bool = False) -> None:
        """Go to the next (1) or previous (-1) block of lines with one label."""
        line = self.cursor
        if direction > 0:
            end = self._block_end(line)
            if extend or self._selects:
                end = end - 1 if end - 1 > line or end >= self.n_lines else self._block_end(line + 1) - 1
            self.move(end, extend=extend)
        else:
            start = self._block_start(line)
            self.move(start if start < line or line == 0 else self._block_start(line - 1), extend=extend)

    def toggle_selecting(self) -> None:
        """Select while moving, or no more."""
        self._selects = not self._selects
        self.move(self.cursor)

    def drop_selection(self) -> bool:
        """Select nothing but the cursor's line; gives whether there was more."""
        dropped = self._selects or self.anchor != self.cursor
        self._selects = False
        self.move(self.cursor)
        return dropped

    def select_block(self) -> None:
        """Select the block around the cursor."""
        self.anchor = self._block_start(self.cursor)
        self.move(self._block_end(self.cursor) - 1, extend=True)

    def to_uncertain(self, direction: int = 1) -> None:
        """Go to the next (1) or previous (-1) spot of uncertain lines, round the page's end."""
        starts = [first for first, _ in self.spots()]
        if direction > 0:
            found = self._next_spot(self.cursor)
        else:
            found = max((line for line in starts if line < self.cursor), default=max(starts, default=None))
        if found is None:
            self.message = "No uncertain lines left. Enter accepts the page."
        else:
            self.move(found)

    def search(self, query: str, direction: int = 1) -> None:
        """Go to the next (1) or previous (-1) line that holds a text; capitals do not matter."""
        lines = self.draft.document.lines
        wanted = query.casefold()
        hits = [line for line, text in enumerate(lines) if wanted in text.casefold()] if wanted else []
        if not hits:
            self.message = "Not on this page." if wanted else ""
            return
        later = [line for line in hits if (line - self.cursor) * direction > 0]
        ordered = later or hits
        self.move(ordered[0] if direction > 0 else ordered[-1])
        self.message = f"{hits.index(self.cursor) + 1} of {len(hits)}"

    # Labelling

    def label(self, label: int) -> None:
        """Label the selection and go on."""
        first, last = self.selection
        self._label(label, first, last)

    def to_block_end(self) -> None:
        """Give the last label to every line up to the end of the block."""
        if self._last_label is None:
            self.message = "Label a line first; e then goes on with that label."
        else:
            self._label(self._last_label, self.cursor, self._block_end(self.cursor) - 1)

    def repeat_run(self) -> None:
        """Give as many lines as the last run had its label."""
        if self._run is None:
            self.message = "Label a line first; x then repeats the run."
            return
        label, count, _ = self._run
        self._label(label, self.cursor, min(self.cursor + count, self.n_lines) - 1)
        self._run = (label, count, self.cursor)

    def confirm(self, place: int = 0) -> None:
        """Take what is suggested for the selection, in adjudication what the annotator at ``place`` said."""
        votes = list(self.draft.votes.values())
        said = votes[min(place, len(votes) - 1)].tolist() if votes else self.current
        first, last = self.selection
        edits = [Edit(i, i + 1, said[i]) for i in range(first, last + 1) if said[i] != UNLABELED]
        if not edits:
            self.message = "Nothing is suggested here."
        elif self._edit(_joined(edits)):
            self._last_label = edits[-1].label
            self._go_on(last)

    def unlabel(self) -> None:
        """Take the labels of the selection away."""
        first, last = self.selection
        if self._edit((Edit(first, last + 1, UNLABELED),)):
            self.move(self.cursor)

    def mark_unsure(self) -> None:
        """Mark the selection as doubtful, or no more."""
        first, last = self.selection
        self._edit((Edit(first, last + 1, unsure=not self.draft.unsure[self.cursor]),))

    def undo(self) -> None:
        """Take back the last step."""
        self._take_back(undo_edits(self.draft), "undo")

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._take_back(redo_edits(self.draft), "redo")

    def _take_back(self, edits: tuple[Edit, ...], kind: str) -> None:
        if not edits:
            self.message = f"Nothing to {kind}."
        elif self._edit(edits, kind):
            self.move(edits[0].start)

    def _label(self, label: int, first: int, last: int) -> None:
        if not self._edit((Edit(first, last + 1, label),)):
            return
        goes_on = self._run is not None and self._run[0] == label and self._run[2] == first
        count = last - first + 1 + (self._run[1] if self._run and goes_on else 0)
        self._run = (label, count, last + 1)
        self._last_label = label
        self._seen.update(range(first, last + 1))
        self._go_on(last)

    def _go_on(self, last: int) -> None:
        following = self._next_spot(last) if self.draft.votes else min(last + 1, self.n_lines - 1)
        self.move(last if following is None else following)

    def _edit(self, edits: tuple[Edit, ...], kind: str = "edit") -> bool:
        self._selects = False
        return self._send(kind=kind, edits=edits)

    def _send(self, **what: Any) -> bool:
        """Have a change stored; gives whether it was. If another window was first, take over what it did."""
        seconds, self._active = round(self._active, 1), 0.0
        change = replace(self.session.change(self.draft, seconds=seconds, **what), client=self._client)
        self.message = ""
        try:
            self.take(self.session.apply(self.annotator, change))
        except ChangeClashError as clash:
            self.take(clash.draft)
            self.message = f"{str(clash).capitalize()}."
            return False
        except (LabelError, OSError) as error:
            self.message = f"Not saved: {error}"
            return False
        return True

    # Blocks and uncertain lines

    def _block_end(self, line: int) -> int:
        """Give one past the block's last line: a block has one label, or is a paragraph without any."""
        label = self.current[line]
        end = line + 1
        while end < self.n_lines and self.current[end] == label and not self._is_break(end):
            end += 1
        return end

    def _block_start(self, line: int) -> int:
        label = self.current[line]
        start = line
        while start > 0 and self.current[start - 1] == label and not self._is_break(start):
            start -= 1
        return start

    def _is_break(self, line: int) -> bool:
        return self.current[line] == UNLABELED and self.gaps[line]

    def spots(self) -> list[tuple[int, int]]:
        """Give the spots to look at, each as its first and last line; in adjudication each line is one."""
        near = 0 if self.draft.votes else NEAR + 1
        spots: list[tuple[int, int]] = []
        for line in np.flatnonzero(self.uncertain).tolist():
            if spots and line - spots[-1][1] <= near:
                spots[-1] = (spots[-1][0], line)
            else:
                spots.append((line, line))
        return spots

    def _see(self, line: int) -> None:
        """Count the spot around the cursor as looked at."""
        for first, last in self.spots():
            if first <= line <= last:
                self._seen.update(range(first, last + 1))

    def _next_spot(self, after: int) -> int | None:
        """Give the first line of the next spot; after the last one, of the first."""
        starts = [first for first, _ in self.spots()]
        return next((line for line in starts if line > after), starts[0] if starts else None)


def describe(desk: Desk, line: int) -> str:
    """Say what is known of a line in words."""
    label = desk.current[line]
    parts = [f"line {line + 1} of {desk.n_lines}", LABEL_NAMES[label] if label != UNLABELED else "no label"]
    suggestion = desk.draft.suggestion
    if suggestion is not None:
        sure = f"{LABEL_NAMES[suggestion.labels[line]]} {suggestion.scores[line]:.0%}"
        parts.append(f"{suggestion.source}: {sure}")
    parts += [f"{name}: {LABEL_NAMES[labels[line]]}" for name, labels in desk.draft.votes.items()]
    if desk.draft.unsure[line]:
        parts.append("unsure")
    return " · ".join(parts)


def _with_both(theirs: str, typed: str) -> str:
    """Join two versions of a note, if not one holds the other already."""
    if not typed:
        return theirs
    return typed if theirs in typed else f"{theirs}\n{typed}"


def _joined(edits: list[Edit]) -> tuple[Edit, ...]:
    """Join edits of neighbouring lines to the same label."""
    joined: list[Edit] = []
    for edit in edits:
        if joined and joined[-1].end == edit.start and joined[-1].label == edit.label:
            joined[-1] = replace(joined[-1], end=edit.end)
        else:
            joined.append(edit)
    return tuple(joined)


def _lines(count: int) -> str:
    return "1 line is" if count == 1 else f"{count:,} lines are"
