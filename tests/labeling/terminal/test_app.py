"""The terminal app, driven by keys as a person would: what it did is in the store."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from textual.widgets import Input, Static, TextArea

from boilerplate_ds.cli import main
from boilerplate_ds.document import Annotation, Document, decode_runs
from boilerplate_ds.errors import ModelError
from boilerplate_ds.labeling.collect import add_documents
from boilerplate_ds.labeling.queue import QueueItem
from boilerplate_ds.labeling.session import Session
from boilerplate_ds.labeling.store import LabelStore
from boilerplate_ds.labeling.suggestions import Suggestion, append_suggestion
from boilerplate_ds.labeling.terminal import LabelApp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    Scenario = Callable[[LabelApp, Pilot[None]], Awaitable[None]]

TEXT = (
    "Home\nNews\n\nThe ferry is late.\nIt left at nine.\n\nSubscribe\nMost read\nWind closes pier\nImprint\n"
)
GOLD = "2n 2c 1a 2r 1n"
SUGGESTED = "2n 2c 2a 1r 1n"
SCORES = [0.9, 0.9, 0.9, 0.9, 0.9, 0.5, 0.9, 0.9]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pages = [Document.from_text(TEXT.replace("nine", f"{n} o'clock"), id=f"page-{n}") for n in range(3)]
    add_documents(tmp_path / "ferry", pages)
    return tmp_path / "ferry"


def suggest(folder: Path, doc_id: str = "page-0") -> None:
    document = Session(folder, ["ana"]).documents[doc_id]
    labels, scores = decode_runs(SUGGESTED), np.float32(SCORES)
    append_suggestion(folder, Suggestion(doc_id, document.text_sha256, "model-web", labels, scores))


def annotate(folder: Path, annotator: str, runs: str, doc_id: str = "page-0") -> None:
    sha = Session(folder, ["ana"]).documents[doc_id].text_sha256
    LabelStore(folder).append(Annotation(doc_id, sha, annotator, decode_runs(runs)))


def use(session: Session, scenario: Scenario, size: tuple[int, int] = (100, 30)) -> None:
    """Run the app without a screen and do what the scenario says."""

    async def run() -> None:
        app = LabelApp(session, session.annotators[0])
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            await scenario(app, pilot)

    asyncio.run(run())


async def settle(pilot: Pilot[None]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settle(pilot)


def stored(folder: Path, annotator: str = "ana", doc_id: str = "page-0") -> str:
    found = LabelStore(folder).latest().get((doc_id, annotator))
    return "" if found is None else "".join("canr"[label] for label in found.annotation.labels)


def draft(folder: Path, doc_id: str = "page-0") -> str:
    return "".join("canr·"[label] for label in Session(folder, ["ana"]).draft("ana", doc_id).labels)


def told(app: LabelApp) -> str:
    return str(app.query_one("#told", Static).render())


def beside(app: LabelApp) -> str:
    static = app.query_one("#beside", Static)
    return "\n".join(static.render_line(y).text for y in range(static.size.height))


def screen(app: LabelApp) -> list[str]:
    return [app.lines.render_line(y).text.rstrip() for y in range(app.lines.size.height)]


def test_a_page_is_labelled_from_the_keyboard_alone(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "n", "1", "c", "2", "4", "r", "3", "enter")
        assert app.desk.draft.document.id == "page-1"

    use(Session(folder, ["ana"]), scenario)
    assert stored(folder) == "nnccarrn"


def test_each_key_is_on_disk_before_the_next(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3")
        assert draft(folder) == "n·······"
        await press(pilot, "3")
        assert draft(folder) == "nn······"

    use(Session(folder, ["ana"]), scenario)


@pytest.mark.parametrize("leave", [("tab", "enter"), ("tab", "s"), ("tab", "q"), ("ctrl+q",)])
def test_a_note_is_saved_with_its_page_however_it_is_left(folder, leave):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        await press(pilot, "v", "G", "n", "m", "s", "p", "a", "m", *leave)
        if leave[-1] in ("enter", "s"):
            await press(pilot, "escape")

    use(Session(folder, ["ana"]), scenario)
    session = Session(folder, ["ana"])
    assert session.draft("ana", "page-0").note == "spam"
    assert session.draft("ana", "page-1").note == ""


def test_a_page_that_cannot_be_prepared_does_not_end_the_work_on_another(folder):
    def fails(document: Document) -> Suggestion:
        raise ModelError(f"cannot read {document.id}")

    suggest(folder)

    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3")
        assert app.desk.draft.document.id == "page-0"

    use(Session(folder, ["ana"], suggest=fails), scenario)
    assert draft(folder).startswith("n")


def test_accepting_a_suggestion_is_deliberate_and_recorded(folder):
    suggest(folder)

    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        await press(pilot, "enter")
        assert "1 line is uncertain and not looked at" in told(app)
        assert (stored(folder), app.desk.cursor) == ("", 5)
        await press(pilot, "r", "enter")

    use(Session(folder, ["ana"]), scenario)
    assert stored(folder) == "nnccarrn"
    extra = LabelStore(folder).latest()["page-0", "ana"].extra
    assert (extra["suggested_by"], extra["suggested"], extra["changed"]) == ("model-web", SUGGESTED, 1)


def test_a_page_with_open_lines_is_not_accepted(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "3", "enter")
        assert "6 lines are still without a label" in told(app)
        assert (app.desk.cursor, stored(folder)) == (2, "")

    use(Session(folder, ["ana"]), scenario)


def test_tab_goes_round_the_uncertain_spots(folder):
    suggest(folder)
    queue = [QueueItem("page-0", lines=(0,))]

    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        places = []
        for key in ("tab", "tab", "tab", "shift+tab"):
            await press(pilot, key)
            places.append(app.desk.cursor)
        assert places == [5, 0, 5, 0]

    use(Session(folder, ["ana"], queue=queue), scenario)


def test_steps_are_taken_back_and_done_again_without_limit(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        await press(pilot, *"31234123")
        await press(pilot, *["u"] * 4, *["ctrl+z"] * 4)
        assert draft(folder) == "········"
        await press(pilot, "u")
        assert "Nothing to undo" in told(app)
        await press(pilot, *["U"] * 4, *["ctrl+y"] * 4)
        assert draft(folder) == "ncanrcan"

    use(Session(folder, ["ana"]), scenario)


def test_runs_blocks_and_selections(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        await press(pilot, "J", "n")  # shift selects
        assert draft(folder) == "nn······"
        await press(pilot, "c", "e")  # to the end of the paragraph
        assert draft(folder) == "nncc····"
        await press(pilot, "v", "j", "a", "x")  # v: select while moving; x: as many again
        assert draft(folder) == "nnccaaaa"
        await press(pilot, "b", "r")
        assert draft(folder) == "nnccrrrr"
        await press(pilot, "home", "shift+end", "backspace")
        assert draft(folder) == "········"

    use(Session(folder, ["ana"]), scenario)


def test_space_takes_what_is_suggested_and_d_marks_doubt(folder):
    suggest(folder)

    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        await press(pilot, "space", "d")
        assert draft(folder) == "n·······"
        assert app.desk.draft.unsure.tolist() == [False, True, *[False] * 6]

    use(Session(folder, ["ana"]), scenario)


def test_search_finds_lines_and_goes_on(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        await press(pilot, "slash", *"is", "enter")
        assert (app.desk.cursor, isinstance(app.focused, Input)) == (2, True)
        await press(pilot, "backspace", "backspace", *"EWS", "enter", "up", "escape", "2")
        assert draft(folder) == "·a······"

    use(Session(folder, ["ana"]), scenario)


def test_a_note_stays_with_the_page(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m", *"odd", "escape", "home", "shift+end", "1", "enter")

    use(Session(folder, ["ana"]), scenario)
    assert LabelStore(folder).latest()["page-0", "ana"].annotation.notes == "odd"


def test_skipped_pages_come_last_and_p_goes_back(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        opened = []
        for key in ("s", "p", "s", "s"):
            await press(pilot, key)
            opened.append(app.desk.draft.document.id)
        assert opened == ["page-1", "page-0", "page-1", "page-2"]

    use(Session(folder, ["ana"]), scenario)


def test_the_end_of_the_queue_is_told_with_figures(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        for _ in range(3):
            await press(pilot, "home", "shift+end", "1", "enter")
        assert "No pages left" in told(app)
        assert "3 of 3, 0 put aside" in beside(app)

    use(Session(folder, ["ana"]), scenario)
    assert len(LabelStore(folder).latest()) == 3


def test_panels_open_and_close_beside_the_page(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        side = app.query_one("#side")
        for key, shown in (
            ("question_mark", "Keys"),
            ("f", "So far"),
            ("m", "About this page"),
            ("g", "Labelling"),
        ):
            await press(pilot, key)
            assert side.display
            assert shown in beside(app)
            await press(pilot, "escape")
            assert not side.display

    use(Session(folder, ["ana"]), scenario)


def test_a_settled_page_says_who_decided_and_both_votes_are_shown(folder):
    annotate(folder, "ana", GOLD)
    annotate(folder, "ben", SUGGESTED)
    suggest(folder)

    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        assert app.desk.cursor == 5
        assert "model-web: ad 50% · ana: recommendation · ben: ad" in told(app)
        row = next(text for text in screen(app) if "Most read" in text)
        assert row.split()[1:5] == ["6", "r", "a", "·?"]
        await press(pilot, "right", "enter")

    use(Session(folder, ["cleo"], adjudicate=True), scenario)
    assert stored(folder, "adjudicated") == "nnccaarn"
    extra = LabelStore(folder).latest()["page-0", "adjudicated"].extra
    assert (extra["decided_by"], extra["decided_lines"]) == ("cleo", [5])


def test_another_window_is_never_overwritten(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        other = LabelApp(Session(folder, ["ana"]), "ana").desk
        other.show(other.session.draft("ana", "page-0"))
        other.label(3)
        await press(pilot, "1")
        assert "another window" in told(app)
        assert draft(folder) == "r·······"
        await press(pilot, "1")  # having seen it
        assert draft(folder) == "c·······"

    use(Session(folder, ["ana"]), scenario)


@pytest.mark.parametrize("leave", ["escape", "tab"])
def test_a_note_that_two_windows_wrote_holds_both(folder, leave):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        other = LabelApp(Session(folder, ["ana"]), "ana").desk
        other.show(other.session.draft("ana", "page-0"))
        await press(pilot, "m", *"two")
        assert other.write_note("one", "")
        await press(pilot, leave)
        assert "note was changed in another window" in told(app)
        assert app.query_one("#note", TextArea).text == "one\ntwo"
        await press(pilot, "escape")
        assert not app.query_one("#side").display

    use(Session(folder, ["ana"]), scenario)
    assert Session(folder, ["ana"]).draft("ana", "page-0").note == "one\ntwo"


def test_a_note_that_was_only_looked_at_does_not_undo_another_windows(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        other = LabelApp(Session(folder, ["ana"]), "ana").desk
        other.show(other.session.draft("ana", "page-0"))
        await press(pilot, "m", "tab")
        assert other.write_note("one", "")
        await press(pilot, "1", "escape")

    use(Session(folder, ["ana"]), scenario)
    assert Session(folder, ["ana"]).draft("ana", "page-0").note == "one"


def test_a_note_that_cannot_be_stored_stays_where_it_was_typed(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        drafts = folder / "drafts" / "ana.jsonl"
        drafts.mkdir(parents=True)
        await press(pilot, "m", *"odd", "escape")
        assert "Not saved" in told(app)
        await press(pilot, "s")
        assert app.query_one("#note", TextArea).text == "odd"
        drafts.rmdir()
        await press(pilot, "s")

    use(Session(folder, ["ana"]), scenario)
    assert Session(folder, ["ana"]).draft("ana", "page-0").note == "odd"


def test_keys_before_the_first_page_do_nothing(folder):
    opened = Event()

    def slow(document: Document) -> Suggestion:
        opened.wait(60)
        raise ModelError("none")

    async def run() -> None:
        app = LabelApp(Session(folder, ["ana"], suggest=slow), "ana")
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.press("escape", "tab", "escape", "down", "enter", "x", "escape")
            await pilot.pause()
            assert not app.lines.is_ready
            opened.set()
            await settle(pilot)

    asyncio.run(run())


def test_what_could_not_be_stored_is_told_and_undone(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        await press(pilot, "1")
        drafts = folder / "drafts" / "ana.jsonl"
        kept = drafts.read_bytes()
        drafts.unlink()
        drafts.mkdir()
        await press(pilot, "1")
        assert "Not saved" in told(app)
        assert app.desk.labels[1] == -1
        drafts.rmdir()
        drafts.write_bytes(kept)
        await press(pilot, "2")

    use(Session(folder, ["ana"]), scenario)
    assert draft(folder) == "ca······"


def test_the_mouse_moves_and_selects(folder):
    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        rows = {app.lines.line_at(y): y for y in range(app.lines.size.height)}
        await pilot.click(app.lines, offset=(20, rows[3]))
        assert app.desk.selection == (3, 3)
        rows = {app.lines.line_at(y): y for y in range(app.lines.size.height)}
        await pilot.click(app.lines, offset=(20, rows[5]), shift=True)
        assert app.desk.selection == (3, 5)

    use(Session(folder, ["ana"]), scenario)


# What is drawn


def test_hostile_text_is_shown_as_text(tmp_path):
    lines = (
        "\x1b[31mred\x1b]0;owned\x07\x9b2J",
        "[bold red]markup[/] [@click=app.bell]x[/]",
        "safe \u202egnp.exe",
        "half \ud800 tab\there",
        "\u200b",
        "<script>alert(1)</script>",
    )
    add_documents(tmp_path / "evil", [Document(id="[red]\x1b[2Jid[/]", lines=lines)])

    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        shown = "\n".join(screen(app))
        for forbidden in ("\x1b", "\x07", "\x9b", "\u202e", "\ud800", "\u200b", "\t"):
            assert forbidden not in shown
        assert "⟨U+001B⟩[31mred⟨U+001B⟩]0;owned⟨U+0007⟩⟨U+009B⟩2J" in shown
        assert "[bold red]markup[/] [@click=app.bell]x[/]" in shown
        assert "<script>alert(1)</script>" in shown
        assert "[red]⟨U+001B⟩[2Jid[/]" in str(app.query_one("#top", Static).render())
        await press(pilot, "home", "shift+end", "1", "enter")

    use(Session(tmp_path / "evil", ["ana"]), scenario)
    [annotation] = LabelStore(tmp_path / "evil").annotations()
    assert annotation.labels.tolist() == [0] * 6


def test_the_cursor_is_in_the_middle_and_only_the_screen_is_laid_out(tmp_path):
    lines = tuple(f"Line {n} " + "with more to say " * (n % 7) for n in range(5000))
    add_documents(tmp_path / "long", [Document(id="long", lines=lines)])

    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        for keys in (["end"], ["home"], *[["pagedown"]] * 5, ["3"] * 5):
            await press(pilot, *keys)
            middle = app.lines.size.height // 2
            assert app.lines.line_at(middle) == app.desk.cursor
            assert screen(app)[middle].startswith("▌")
        assert app.desk.cursor == 55
        assert len(app.lines._texts) < 200

    use(Session(tmp_path / "long", ["ana"]), scenario)


def test_long_lines_wrap_at_words_and_endless_ones_are_cut(tmp_path):
    lines = ("word " * 40, "日本" * 60, "x" * 5_000_000)
    add_documents(tmp_path / "wide", [Document(id="wide", lines=lines)])

    async def scenario(app: LabelApp, pilot: Pilot[None]) -> None:
        await press(pilot, "j")
        shown = [app.lines.render_line(y) for y in range(app.lines.size.height)]
        assert {strip.cell_length for strip in shown} == {60}
        assert any("… 5,000,000 characters in all" in strip.text for strip in shown)
        assert not any(strip.text.rstrip().endswith("wor") for strip in shown)

    use(Session(tmp_path / "wide", ["ana"]), scenario, size=(60, 60))


# The command


def test_the_command_needs_a_terminal_and_a_known_annotator(folder):
    for options, reason in (([], "needs a terminal"), (["--as", "cleo"], "'cleo' is none of the annotators")):
        arguments = ["label", str(folder), "--terminal", "--annotators", "ana,ben", *options]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 2
        assert reason in done.stderr


def test_the_command_checks_the_terminal_before_it_adds_pages(tmp_path):
    (tmp_path / "a.txt").write_text("A page.\n")
    arguments = ["label", str(tmp_path / "a.txt"), "-o", str(tmp_path / "mine"), "--terminal"]
    for options in ([], ["--as", "cleo"]):
        assert CliRunner().invoke(main, [*arguments, *options]).exit_code == 2
        assert not (tmp_path / "mine").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no pty")
def test_the_command_labels_in_a_real_terminal(folder):
    import pty

    command = [sys.executable, "-m", "boilerplate_ds.cli", "label", str(folder), "--terminal"]
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(command[0], [*command, "--annotators", "ben,ana", "--as", "ana", "--model", "none"])
    try:
        read_until(terminal, b"ferry")
        os.write(terminal, b"31")
        read_until(terminal, b"line 3 of 8")
        os.write(terminal, b"q")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        os.close(terminal)
    assert draft(folder) == "nc······"


def read_until(terminal: int, wanted: bytes) -> None:
    """Read what the app draws; it must draw this within four minutes."""
    import select

    seen = b""
    end = time.monotonic() + 240
    while wanted not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 1.0)[0]:
            seen += os.read(terminal, 65536)
    assert wanted in seen, seen[-2000:]
