"""The column of lines around the cursor: however long the page, only what the screen shows is laid out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from boilerplate_ds.document import CODES
from boilerplate_ds.invisible import show_invisible
from boilerplate_ds.labeling.drafts import UNLABELED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual import events

    from boilerplate_ds.labeling.terminal.desk import Desk

COLOURS = ("#2fbf94", "#f08a4b", "#7cc4f0", "#dd9cc0")
"""Okabe and Ito's palette, lightened so that each is readable on a dark ground (AA)."""
MAX_ROWS = 12
"""Rows that one line may take; of a longer one the start is shown."""
_WORD = re.compile(r"\s*\S+|\s+")
_DIM = Style(color="#8a8f98")
_PLAIN = Style(color="#c8ccd2")
_GROUND = Style(bgcolor="#16191d")
_CURSOR = Style(bgcolor="#30363f")
_SELECTED = Style(bgcolor="#232a36")
_MARK = Style(color="#ffffff", bold=True)
_DOUBT = Style(color="#f0d060", bold=True)


class Lines(Widget, can_focus=True):
    """The lines of the page on a desk, the cursor's in the middle."""

    DEFAULT_CSS = "Lines { width: 1fr; height: 1fr; }"

    class Moved(Message):
        """The mouse went to a line."""

        def __init__(self, line: int, *, extend: bool) -> None:
            super().__init__()
            self.line = line
            self.extend = extend

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.is_ready = False
        self._rows: list[tuple[int, int]] = []
        self._texts: dict[int, list[str]] = {}
        self._laid_out: object = None

    def redraw(self, *, new_page: bool = False) -> None:
        """Draw again after something changed on the desk."""
        self.is_ready = True
        if new_page:
            self._laid_out = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Give one row of the screen."""
        width = self.size.width
        if not self.is_ready:
            return Strip.blank(width, _GROUND)
        self._lay_out()
        line, row = self._rows[y] if y < len(self._rows) else (-1, 0)
        if line < 0 or row < 0:
            return Strip.blank(width, _GROUND)
        segments = [*self._gutter(line, row), Segment(self._texts[line][row], self._text_style(line))]
        first, last = self.desk.selection
        ground = _CURSOR if line == self.desk.cursor else _SELECTED if first <= line <= last else _GROUND
        return Strip(segments).adjust_cell_length(width).apply_style(ground)

    def line_at(self, y: int) -> int | None:
        """Give the line that a row of the screen shows, if it shows one."""
        if not 0 <= y < len(self._rows) or self._rows[y][0] < 0:
            return None
        return self._rows[y][0]

    def _lay_out(self) -> None:
        """Find what each row of the screen shows: line and row within it; -1 for nothing."""
        desk, (width, height) = self.desk, self.size
        key = (desk.draft.document.id, width)
        if self._laid_out is None or key != self._laid_out:
            self._texts, self._laid_out = {}, key
        middle = height // 2
        below = self._fill(range(desk.cursor, desk.n_lines), height - middle, skip_gap=True)
        above = self._fill(range(desk.cursor - 1, -1, -1), middle, upward=True)
        if desk.gaps[desk.cursor] and desk.cursor:
            above.insert(0, (desk.cursor, -1))
        above = above[:middle]
        self._rows = [*[(-1, 0)] * (middle - len(above)), *reversed(above), *below][:height]

    def _fill(
        self, lines: range, rows: int, *, upward: bool = False, skip_gap: bool = False
    ) -> list[tuple[int, int]]:
        filled: list[tuple[int, int]] = []
        for line in lines:
            own = [(line, row) for row in range(len(self._wrapped(line)))]
            if self.desk.gaps[line] and line and not (skip_gap and line == self.desk.cursor):
                own.insert(0, (line, -1))
            filled += reversed(own) if upward else own
            if len(filled) >= rows:
                break
        return filled[:rows]

    def _wrapped(self, line: int) -> list[str]:
        if line not in self._texts:
            room = max(self.size.width - self._gutter_width() - 1, 8)
            text = self.desk.draft.document.lines[line]
            self._texts[line] = list(_wrap(text, room))
        return self._texts[line]

    def _gutter_width(self) -> int:
        return 10 + 2 * len(self.desk.draft.votes)

    def _gutter(self, line: int, row: int) -> Iterator[Segment]:
        """Mark, number, letter, doubt; on further rows of a line only room."""
        desk = self.desk
        if row:
            yield Segment(" " * self._gutter_width())
            return
        first, last = desk.selection
        yield Segment("▌" if line == desk.cursor else "▎" if first <= line <= last else " ", _MARK)
        yield Segment(f"{line + 1:>5} ", _DIM)
        for labels in desk.draft.votes.values():
            yield Segment(f"{CODES[labels[line]]} ", Style(color=COLOURS[labels[line]]))
        yield self._letter(line)
        doubt = "!" if desk.draft.unsure[line] else "?" if desk.uncertain[line] else " "
        yield Segment(f"{doubt}", _DOUBT)
        yield Segment(" ")

    def _letter(self, line: int) -> Segment:
        """Give the letter: on colour where the annotator set it, plain where it is only suggested."""
        label = self.desk.current[line]
        if label == UNLABELED:
            return Segment("·", _DIM)
        if self.desk.labels[line] == UNLABELED:
            return Segment(CODES[label], Style(color=COLOURS[label]))
        return Segment(CODES[label], Style(color="#101010", bgcolor=COLOURS[label], bold=True))

    def _text_style(self, line: int) -> Style:
        label = self.desk.current[line]
        return _PLAIN if label == UNLABELED else Style(color=COLOURS[label])

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Go to the line that was clicked."""
        self.capture_mouse()
        self._follow(event, extend=event.shift)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Select while the button is held."""
        if event.button:
            self._follow(event, extend=True)

    def on_mouse_up(self) -> None:
        """Let the mouse go."""
        self.release_mouse()

    def on_mouse_scroll_down(self) -> None:
        """Go on three lines."""
        self.post_message(self.Moved(self.desk.cursor + 3, extend=False))

    def on_mouse_scroll_up(self) -> None:
        """Go back three lines."""
        self.post_message(self.Moved(self.desk.cursor - 3, extend=False))

    def _follow(self, event: events.MouseEvent, *, extend: bool) -> None:
        line = self.line_at(event.y)
        if line is not None and (line != self.desk.cursor or not extend):
            self.post_message(self.Moved(line, extend=extend))


def _wrap(text: str, width: int) -> Iterator[str]:
    """Break a stranger's line into rows of at most ``width`` cells, at spaces where there are any."""
    whole = len(text)
    shown = show_invisible(text[: MAX_ROWS * width]).replace("\t", "    ")
    rows = list(_rows(shown, width))
    if len(rows) > MAX_ROWS or whole > MAX_ROWS * width:
        rows = [*rows[: MAX_ROWS - 1], f"… {whole:,} characters in all"]
    yield from rows


def _rows(text: str, width: int) -> Iterator[str]:
    if cell_len(text) <= width:
        yield text
        return
    row, used = "", 0
    for word in _WORD.findall(text):
        size = cell_len(word)
        if used + size <= width:
            row, used = row + word, used + size
            continue
        if row.strip():
            yield row
        *full, row = chop_cells(word.lstrip() or " ", width)
        yield from full
        used = cell_len(row)
    if row:
        yield row
