"""How many key presses a page takes that a model pre-labelled: replays gold labels through the real page.

    python benchmarks/key_presses.py CORPUS/lines-dev.jsonl

The model that suggests has seen no page of the sites that are replayed: it is trained here on four fifths
of the sites, and the pages come from the rest (``--model`` keeps it for the next run; ``--released`` takes
the released model instead, which has seen them). The one who labels is a program that works as an attentive
person does: from top to bottom, every spot of uncertain lines is visited (Tab), every wrong line is put
right with whatever keys do most, and the page is accepted. A chord counts as two presses. Each page is then
looked up in the store and must be gold, line by line.
"""

from __future__ import annotations

import argparse
import json
import sys
from hashlib import sha256
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from boilerplate_ds import Document, LineClassifier
from boilerplate_ds.document import Label
from boilerplate_ds.labeling.collection import write_document_file
from boilerplate_ds.labeling.drafts import SURE
from boilerplate_ds.labeling.store import LabelStore
from boilerplate_ds.labeling.suggestions import Suggestion, append_suggestion
from boilerplate_ds.shipped import shipped

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "labeling"))
from web_session import chromium, open_page, serving, wait_saved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labelled = tuple[Document, NDArray[np.int8]]

MOVES = ("Tab", "Shift+Tab", "j", "k", "]", "[", "PageDown", "PageUp", "Home", "End")
SELECTING = ("j", "]", "PageDown", "Tab")
"""Moves that are tried, up to three of them, after ``v``."""
NEAR = 3
"""As in ``draft.js``: uncertain lines so close together are one spot."""


class Page(NamedTuple):
    """A page with its gold labels and what the model says."""

    document: Document
    gold: NDArray[np.int8]
    suggestion: Suggestion


class Way(NamedTuple):
    """Keys that label the lines from ``start`` to before ``end``, and where the cursor is then."""

    keys: tuple[str, ...]
    label: int
    start: int
    end: int
    cursor: int


class Cost(NamedTuple):
    """What a page took."""

    doc_id: str
    lines: int
    wrong: int
    uncertain: int
    presses: int


class Labeller:
    """Plans the keys for one page; mirrors what the page's script does with each."""

    def __init__(self, page: Page) -> None:
        self.gold = page.gold
        self.labels = page.suggestion.labels.copy()
        self.is_set = np.zeros(len(self.gold), dtype=bool)
        self.doubt = page.suggestion.scores < SURE
        self.seen = np.zeros(len(self.gold), dtype=bool)
        self.cursor = 0
        self.last_label: int | None = None
        self.run: tuple[int, int, int] | None = None  # label, count, end
        self.keys: list[str] = []
        self._see()

    def plan(self) -> list[str]:
        """Give the keys from opening the page to accepting it."""
        while (target := self._next_target()) is not None:
            self._go(target)
            while self.labels[self.cursor] != self.gold[self.cursor]:
                self._fix()
        return [*self.keys, "Enter"]

    def _next_target(self) -> int | None:
        open_lines = (self.labels != self.gold) | (self._uncertain() & ~self.seen)
        below = np.flatnonzero(open_lines[self.cursor :])
        if below.size:
            return int(below[0]) + self.cursor
        return int(np.flatnonzero(open_lines)[0]) if open_lines.any() else None

    def _go(self, target: int) -> None:
        """Move by the fewest presses: breadth first over the keys that move."""
        reached: dict[int, tuple[str, ...]] = {self.cursor: ()}
        ring = [self.cursor]
        while target not in reached:
            following = []
            for line in ring:
                for key in MOVES:
                    to = self._moved(line, key)
                    if to not in reached:
                        reached[to] = (*reached[line], key)
                        following.append(to)
            ring = following
        for key in reached[target]:
            self.cursor = self._moved(self.cursor, key)
            self._see()
        self.keys += reached[target]

    def _moved(self, line: int, key: str) -> int:
        last = len(self.gold) - 1
        steps = {"j": 1, "k": -1, "PageDown": 10, "PageUp": -10}
        if key in steps:
            return min(max(line + steps[key], 0), last)
        if key in ("Home", "End"):
            return 0 if key == "Home" else last
        if key == "]":
            return min(self._block_end(line), last)
        if key == "[":
            start = self._block_start(line)
            return start if start < line or line == 0 else self._block_start(line - 1)
        return self._next_uncertain(line) if key == "Tab" else self._previous_uncertain(line)

    def _fix(self) -> None:
        """Press what puts most lines right a press."""
        ways = [way for way in self._ways() if self._gain(way) > 0]
        keys, label, start, end, cursor = max(ways, key=lambda way: self._gain(way) / presses(way[0]))
        assert self.labels[self.cursor] != self.gold[self.cursor]
        self.keys += keys
        count = end - start
        if self.run and self.run[0] == label and self.run[2] == start:
            count += self.run[1]
        if keys[-1] == "x" and self.run:
            count = self.run[1]
        self.run = (label, count, end)
        self.last_label = label
        self.labels[start:end] = label
        self.is_set[start:end] = self.seen[start:end] = True
        self.cursor = cursor
        self._see()

    def _ways(self) -> list[Way]:
        at, last = self.cursor, len(self.gold) - 1
        label = int(self.gold[at])
        digit = str(label + 1)

        def way(keys: tuple[str, ...], label: int, start: int, end: int) -> Way:
            return Way(keys, label, start, end, min(end, last))

        ways = [way((digit,), label, at, at + 1)]
        ways.append(way(("b", digit), label, self._block_start(at), self._block_end(at)))
        if self.last_label is not None:
            ways.append(way(("e",), self.last_label, at, self._block_end(at)))
        if self.run:
            ways.append(way(("x",), self.run[0], at, min(at + self.run[1], last + 1)))
        if at < last and self.labels[at + 1] == self.labels[at]:
            ways.append(way((digit, "e"), label, at, self._block_end(at)))
        for n_moves in (1, 2, 3):
            for moves in product(SELECTING, repeat=n_moves):
                end = at
                for key in moves:
                    end = self._extended(end, key)
                ways.append(way(("v", *moves, digit), label, min(at, end), max(at, end) + 1))
        return ways

    def _extended(self, line: int, key: str) -> int:
        if key != "]":
            return self._moved(line, key)
        last = len(self.gold) - 1
        end = self._block_end(line) - 1
        return end if end > line or line + 1 > last else self._block_end(line + 1) - 1

    def _gain(self, way: Way) -> int:
        _, label, start, end, _ = way
        gold, labels = self.gold[start:end], self.labels[start:end]
        return int((gold == label).sum() - (gold == labels).sum())

    def _uncertain(self) -> NDArray[np.bool_]:
        return self.doubt & ~self.is_set

    def _spots(self) -> list[tuple[int, int]]:
        spots: list[tuple[int, int]] = []
        for line in np.flatnonzero(self._uncertain()).tolist():
            if spots and line - spots[-1][1] <= NEAR + 1:
                spots[-1] = (spots[-1][0], line)
            else:
                spots.append((line, line))
        return spots

    def _see(self) -> None:
        for first, last in self._spots():
            if first <= self.cursor <= last:
                self.seen[first : last + 1] = True

    def _starts(self) -> NDArray[np.int64]:
        return np.array([first for first, _ in self._spots()], dtype=np.int64)

    def _next_uncertain(self, line: int) -> int:
        starts = self._starts()
        after = starts[starts > line]
        return int(after[0] if after.size else starts[0] if starts.size else line)

    def _previous_uncertain(self, line: int) -> int:
        starts = self._starts()
        before = starts[starts < line]
        return int(before[-1] if before.size else starts[-1] if starts.size else line)

    def _block_end(self, line: int) -> int:
        others = np.flatnonzero(self.labels[line:] != self.labels[line])
        return line + int(others[0]) if others.size else len(self.labels)

    def _block_start(self, line: int) -> int:
        others = np.flatnonzero(self.labels[:line] != self.labels[line])
        return int(others[-1]) + 1 if others.size else 0


def presses(keys: tuple[str, ...] | list[str]) -> int:
    """Count the presses; a chord is one a key."""
    return sum(1 + key.count("+") for key in keys)


def is_held_out(site: str) -> bool:
    """Whether a site is in the fifth that the model does not see."""
    return int(sha256(site.encode()).hexdigest(), 16) % 5 == 0


def read(corpus: Path) -> list[Labelled]:
    """Read the labelled pages."""
    pages = []
    for line in corpus.open(encoding="utf-8"):
        record = json.loads(line)
        labels = np.array([Label.parse(label).id for label in record["labels"]], dtype=np.int8)
        site = record["site"] or record["id"]
        document = Document(id=record["id"], lines=tuple(record["lines"]), site=site)
        pages.append((document, labels))
    return pages


def choose_model(arguments: argparse.Namespace, pages: list[Labelled]) -> LineClassifier:
    """Load the model that suggests, or train it on the sites that are not held out."""
    if arguments.released:
        return LineClassifier.load(shipped("models/web"))
    if arguments.model and arguments.model.exists():
        return LineClassifier.load(arguments.model)
    training = [(document, labels) for document, labels in pages if not is_held_out(document.site)]
    model = LineClassifier().fit([d for d, _ in training], [labels for _, labels in training])
    if arguments.model:
        model.save(arguments.model)
    return model


def replay(pages: list[Page], folder: Path) -> list[Cost]:
    """Label the pages in a browser by the planned keys, and look them up in the store."""
    write_document_file(folder / "documents" / "pages.jsonl", [page.document for page in pages])
    for page in pages:
        append_suggestion(folder, page.suggestion)
    costs = []
    with serving(folder, "--annotators", "replay", "--model", "none") as server, chromium() as browser:
        window = browser.new_page()
        for page in pages:
            open_page(window, server, "replay", page.document.id)
            keys = Labeller(page).plan()
            for key in keys:
                window.keyboard.press(key)
            if "not looked at" in window.inner_text("#live"):  # a spot that is longer than the window
                window.keyboard.press("Enter")
                keys.append("Enter")
            if page is pages[-1]:
                window.wait_for_url("**/a/replay/")
            else:
                another = "id => document.getElementById('title').textContent !== id"
                window.wait_for_function(another, arg=page.document.id)
                wait_saved(window)
            wrong = int((page.suggestion.labels != page.gold).sum())
            doubt = int((page.suggestion.scores < SURE).sum())
            costs.append(Cost(page.document.id, len(page.gold), wrong, doubt, presses(keys)))
    latest = LabelStore(folder).latest()
    for page in pages:
        stored = latest[page.document.id, "replay"].annotation.labels
        assert (stored == page.gold).all(), f"{page.document.id} is not gold in the store"
    return costs


def table(costs: list[Cost]) -> str:
    """Write the figures as a Markdown table."""
    rows = ["| page | lines | wrong | uncertain | key presses |", "|---|--:|--:|--:|--:|"]
    rows += [f"| {c.doc_id} | {c.lines} | {c.wrong} | {c.uncertain} | {c.presses} |" for c in costs]
    means = [np.mean(column) for column in list(zip(*costs, strict=True))[1:]]
    rows.append("| **mean** | " + " | ".join(f"**{mean:.1f}**" for mean in means) + " |")
    return "\n".join(rows)


def main() -> None:
    """Choose pages, replay them, print the table."""
    parser = argparse.ArgumentParser(description="Count key presses by replaying gold through the page.")
    parser.add_argument("corpus", type=Path, help="lines-dev.jsonl")
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--model", type=Path, help="Folder that keeps the model trained here.")
    parser.add_argument("--released", action="store_true", help="Suggest by the released model.")
    arguments = parser.parse_args()
    labelled = read(arguments.corpus)
    typical = [(d, g) for d, g in labelled if is_held_out(d.site) and 130 <= len(d.lines) <= 170]
    typical.sort(key=lambda page: sha256(page[0].id.encode()).digest())
    typical = typical[: arguments.pages]
    probabilities = choose_model(arguments, labelled).predict_proba([document for document, _ in typical])
    pages = []
    for (document, gold), p in zip(typical, probabilities, strict=True):
        labels = p.argmax(axis=1).astype(np.int8)
        scores = np.round(p.max(axis=1), 3).astype(np.float32)  # as suggestions are stored
        suggestion = Suggestion(document.id, document.text_sha256, "model", labels, scores)
        pages.append(Page(document, gold, suggestion))
    with TemporaryDirectory() as folder:
        print(table(replay(pages, Path(folder) / "pages")))


if __name__ == "__main__":
    main()
