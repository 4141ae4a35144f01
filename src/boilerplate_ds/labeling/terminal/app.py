"""The labelling app for terminals, keyboard first, for people on a server over ssh."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from rich.markdown import Markdown
from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import App
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, Static, TextArea

from boilerplate_ds.document import CODES, LABEL_NAMES
from boilerplate_ds.errors import BoilerplateError
from boilerplate_ds.invisible import show_invisible
from boilerplate_ds.labeling.guidelines import guidelines_file
from boilerplate_ds.labeling.terminal.desk import Desk, describe
from boilerplate_ds.labeling.terminal.lines import COLOURS, Lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult

    from boilerplate_ds.labeling.drafts import Draft
    from boilerplate_ds.labeling.session import Session

KEYS = (
    ("1 2 3 4  c a n r", "label the line or the selection, then go on"),
    ("e", "the last label again, to the end of the block"),
    ("x", "the last run again: as many lines, same label"),
    ("space", "as suggested (in adjudication: as the first said)"),
    ("← →", "in adjudication: as the first, the second said"),
    ("backspace", "take the label away"),
    ("d", "unsure: mark as doubtful, or no more"),
    ("j k ↓ ↑", "next, previous line; with shift: select"),
    ("] [", "next, previous block; with shift: select"),
    ("v  b", "select while moving; select the block around the line"),
    ("tab  shift+tab", "next, previous spot with uncertain lines"),
    ("page  home end", "ten lines; first, last line"),
    ("/", "search; enter, ↓ and ↑ go on, esc ends it"),
    ("enter", "accept the page as it stands, open the next"),
    ("u ctrl+z  U ctrl+y", "undo, redo"),
    ("s  p", "skip: put the page aside; go back to the page before"),
    ("m f g ?", "note, figures, guidelines, keys"),
    ("> <", "scroll what is beside the page"),
    ("esc", "no selection; close what is beside the page"),
    ("q", "leave; everything is saved already"),
)
_STATES = {
    "new": "",
    "started": "",
    "done": " · accepted",
    "changed": " · changed since it was accepted",
    "skipped": " · put aside",
}


class LabelApp(App[None]):
    """Labels the pages of one annotator.

    Parameters
    ----------
    session : Session
    annotator : str
    """

    ENABLE_COMMAND_PALETTE = False
    TITLE = "boilerplate-ds"
    CSS = """
    Screen { background: #16191d; color: #c8ccd2; }
    #top, #bottom { height: 1; padding: 0 1; background: #242a31; }
    #told { height: 1; padding: 0 1; color: #f0d060; }
    #search { height: 1; border: none; padding: 0 1; background: #30363f; display: none; }
    #side { width: 50%; max-width: 72; padding: 0 1; border-left: solid #3a424c; display: none; }
    #note { display: none; height: 12; }
    """

    def __init__(self, session: Session, annotator: str) -> None:
        super().__init__()
        self.session = session
        self.annotator = annotator
        self.desk = Desk(session, annotator)
        self.lines = Lines(self.desk)
        self._panel = ""
        self._shown_note = ""
        self._guidelines = guidelines_file(session.folder).read_text(encoding="utf-8", errors="replace")

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Static(id="top")
        with Horizontal():
            yield self.lines
            with VerticalScroll(id="side"):
                yield TextArea(id="note")
                yield Static(id="beside")
        yield Input(id="search", placeholder="Search in this page")
        yield Static(id="told")
        yield Static(id="bottom")

    def on_mount(self) -> None:
        """Open the first page to do, or the first at all."""
        ids = self.session.queue(self.annotator)
        first = self.session.next(self.annotator) or next(iter(ids), None)
        if first is None:
            self._tell("There are no pages to label.")
        else:
            self.open_page(first)

    # Pages

    def open_page(self, doc_id: str) -> None:
        """Open a page; a model that suggests labels works in the background."""
        self.lines.is_ready = False
        self.lines.refresh()
        self._tell("Opening the page …")
        self.run_worker(lambda: self._fetch(doc_id), thread=True, exclusive=True)

    def _fetch(self, doc_id: str) -> None:
        try:
            draft = self.session.draft(self.annotator, doc_id)
        except BoilerplateError as error:
            self.call_from_thread(self._tell, f"{doc_id}: {error}")
            return
        self.call_from_thread(self._show, draft)
        with suppress(BoilerplateError, OSError):  # told when that page is opened
            following = self.session.next(self.annotator, doc_id)
            if following is not None:  # so that its suggestion is there when it is asked for
                self.session.draft(self.annotator, following)

    def _show(self, draft: Draft) -> None:
        self.desk.show(draft)
        panel, self._panel = self._panel, ""  # what stands in the note is of the page before
        self._open_panel(panel)
        self.lines.redraw(new_page=True)
        self._update()
        self.lines.focus()

    def _open_next(self) -> None:
        following = self.session.next(self.annotator, self.desk.draft.document.id)
        if following is not None:
            self.open_page(following)
            return
        self._open_panel("figures")
        self.desk.message = "No pages left. q leaves; p goes back."
        self._update()

    def _open_previous(self) -> None:
        if not self._save_note():
            return
        ids = self.session.queue(self.annotator)
        here = self.desk.draft.document.id
        place = ids.index(here) if here in ids else 0
        if place:
            self.open_page(ids[place - 1])

    # What is on the screen

    def _tell(self, message: str) -> None:
        self.query_one("#told", Static).update(
            Text(show_invisible(message), no_wrap=True, overflow="ellipsis")
        )

    def _update(self) -> None:
        if not self.lines.is_ready:
            return
        desk, draft = self.desk, self.desk.draft
        ids = self.session.queue(self.annotator)
        doc_id = draft.document.id
        place = f"Page {ids.index(doc_id) + 1:,} of {len(ids):,} · " if doc_id in ids else ""
        left = sum(desk.uncertain)
        top = Text(f"{place}{show_invisible(doc_id)}", "bold", no_wrap=True, overflow="ellipsis")
        top.append(
            f" · {desk.n_lines:,} lines · {left:,} uncertain{_STATES[draft.status]}", Style(bold=False)
        )
        self.query_one("#top", Static).update(top)
        self._tell(desk.message or describe(desk, desk.cursor))
        self.query_one("#bottom", Static).update(self._palette())
        self.lines.redraw()

    def _palette(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        for number, name in enumerate(LABEL_NAMES):
            count = self.desk.current.count(number)
            text.append(f" {CODES[number]} ", Style(color="#101010", bgcolor=COLOURS[number], bold=True))
            text.append(f" {number + 1} {name} {count:,}  ")
        return text.append(" enter accept  ? keys")

    def _save_note(self) -> bool:
        """Save the note if anything was typed; gives whether there is nothing to tell about it."""
        if self._panel != "note" or not self.lines.is_ready:
            return True
        note = self.query_one("#note", TextArea)
        if note.text == self._shown_note:
            return True
        if self.desk.write_note(note.text, self._shown_note):
            self._show_note()
        if self.desk.message:
            self._tell(self.desk.message)
        return not self.desk.message

    def _show_note(self) -> None:
        note, self._shown_note = self.query_one("#note", TextArea), self.desk.draft.note
        if note.text != self._shown_note:
            note.text = self._shown_note

    def on_descendant_blur(self) -> None:
        """Save the note when the focus leaves it."""
        self._save_note()

    async def action_quit(self) -> None:
        """Leave, by a key that works within the note, too."""
        self._save_note()
        self.exit()

    def _open_panel(self, name: str) -> None:
        """Show one panel beside the page, or with an empty name none; a note that is told of stays."""
        if not self._save_note():
            return
        self._panel = name
        self.query_one("#side").display = bool(name)
        note, beside = self.query_one("#note", TextArea), self.query_one("#beside", Static)
        note.display = name == "note"
        if name == "note":
            self._show_note()
            beside.update(Text("About this page, kept with its labels. Esc goes back to the lines."))
            note.focus()
        elif name == "guidelines":
            beside.update(Markdown(self._guidelines, hyperlinks=False))
        elif name == "keys":
            beside.update(_table("Keys", KEYS))
        elif name == "figures":
            beside.update(_table("So far", self._figures()))

    def _figures(self) -> tuple[tuple[str, str], ...]:
        done = self.session.progress(self.annotator)
        speed, agreement = done.lines_a_minute, done.agreement
        return (
            ("pages", f"{done.pages_done:,} of {done.pages:,}, {done.pages_skipped:,} put aside"),
            ("lines", f"{done.lines_done:,} of {done.lines:,}"),
            ("lines a minute", "–" if speed is None else f"{speed:.0f}"),
            (
                "agreement",
                "–" if agreement is None else f"{agreement:.1%} of {done.compared_lines:,} lines",
            ),
            *((name, f"{count / max(done.lines_done, 1):.0%}") for name, count in done.labels.items()),
        )

    def _toggle(self, name: str) -> None:
        self._open_panel("" if self._panel == name else name)

    # Keys and mouse

    def on_key(self, event: events.Key) -> None:
        """Do what a key stands for, wherever the focus is but in a text field."""
        if isinstance(self.focused, (Input, TextArea)):
            self._on_field_key(event)
            return
        if event.key == "q":
            self._save_note()
            self.exit()
        action = self._actions().get(event.key) if self.lines.is_ready else None
        if action is not None:
            event.stop()
            event.prevent_default()
            self.desk.message = ""
            self.desk.touch()
            action()
            if self.lines.is_ready:
                self._update()

    def _on_field_key(self, event: events.Key) -> None:
        search = self.query_one("#search", Input)
        if event.key == "escape":
            search.display = False
            if self._panel == "note":
                self._open_panel("")
            self.lines.focus()
            self._update()
        elif self.focused is search and event.key in ("up", "down"):
            self._find(search.value, 1 if event.key == "down" else -1)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next hit."""
        self._find(event.value)

    def _find(self, query: str, direction: int = 1) -> None:
        if self.lines.is_ready:
            self.desk.search(query, direction)
            self._update()

    def on_lines_moved(self, message: Lines.Moved) -> None:
        """Follow the mouse."""
        if self.lines.is_ready:
            self.desk.message = ""
            self.desk.touch()
            self.desk.move(message.line, extend=message.extend)
            self._update()

    def _search(self) -> None:
        search = self.query_one("#search", Input)
        search.display = True
        search.focus()

    def _escape(self) -> None:
        if not self.desk.drop_selection():
            self._open_panel("")

    def _accept(self) -> None:
        if self._save_note() and self.desk.accept():
            self._open_next()

    def _skip(self) -> None:
        if self._save_note() and self.desk.skip():
            self._open_next()

    def _actions(self) -> dict[str, Callable[[], None]]:
        """Give what each key does; names of keys are Textual's."""
        desk = self.desk
        settles = bool(desk.draft.votes)
        actions: dict[str, Callable[[], None]] = {
            "enter": self._accept,
            "s": self._skip,
            "p": self._open_previous,
            "slash": self._search,
            "escape": self._escape,
            "m": lambda: self._toggle("note"),
            "f": lambda: self._toggle("figures"),
            "g": lambda: self._toggle("guidelines"),
            "question_mark": lambda: self._toggle("keys"),
            "greater_than_sign": self.query_one("#side", VerticalScroll).action_page_down,
            "less_than_sign": self.query_one("#side", VerticalScroll).action_page_up,
            "e": desk.to_block_end,
            "x": desk.repeat_run,
            "space": desk.confirm,
            "backspace": desk.unlabel,
            "delete": desk.unlabel,
            "d": desk.mark_unsure,
            "v": desk.toggle_selecting,
            "b": desk.select_block,
            "u": desk.undo,
            "ctrl+z": desk.undo,
            "U": desk.redo,
            "ctrl+y": desk.redo,
            "tab": desk.to_uncertain,
            "shift+tab": lambda: desk.to_uncertain(-1),
            "right_square_bracket": lambda: desk.step_block(1),
            "left_square_bracket": lambda: desk.step_block(-1),
            "right_curly_bracket": lambda: desk.step_block(1, extend=True),
            "left_curly_bracket": lambda: desk.step_block(-1, extend=True),
        }
        for place, key in enumerate(("left", "right")):
            if settles:
                actions[key] = partial(desk.confirm, place)
        for label, code in enumerate(CODES):
            actions[str(label + 1)] = actions[code] = partial(desk.label, label)
        for keys, lines in _STEPS.items():
            for key in keys.split():
                extend = key.startswith("shift+") or key.isupper()
                actions[key] = partial(desk.step, lines, extend=extend)
        return actions


_ALL = 10**9
_STEPS = {
    "j down J shift+down": 1,
    "k up K shift+up": -1,
    "pagedown shift+pagedown": 10,
    "pageup shift+pageup": -10,
    "end shift+end": _ALL,
    "home shift+home": -_ALL,
}
"""How far each key goes."""


def _table(title: str, rows: tuple[tuple[str, str], ...]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in rows:
        table.add_row(Text(name, "bold"), Text(value))
    return table
