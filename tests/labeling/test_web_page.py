"""The labelling page in a real browser: every label that was given ends up in the store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from web_session import chromium, open_page, press, serving, shown_labels, wait_saved

from boilerplate_ds.document import Annotation, Document, decode_runs, encode_runs
from boilerplate_ds.labeling.collection import write_document_file
from boilerplate_ds.labeling.drafts import Edit
from boilerplate_ds.labeling.session import Session
from boilerplate_ds.labeling.store import LabelStore
from boilerplate_ds.labeling.suggestions import Suggestion, append_suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytest.importorskip("starlette", reason="the extra 'label' is not installed")
LINES = (
    "Home",
    "News",
    "The ferry is late.",
    "It left at nine.",
    "Nobody knew why.",
    "Subscribe",
    "Most read",
)
HOSTILE = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</script><svg onload=document.title='owned'>",
    "{{ 7 * 7 }} ${7 * 7} &lt;b&gt;",
    "javascript:document.title='owned'",
    "\u202eright to left \u2066 override",
    "half a character \ud83d and \x00\x1b[31m",
    "<!-- ]]> --> \"'><iframe srcdoc='<script>parent.document.title=1</script>'>",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window in which no script error goes unnoticed."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console", lambda message: errors.append(message.text) if "Content Security" in message.text else None
    )
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return collection(tmp_path / "ferry", [LINES, LINES, LINES])


def collection(folder: Path, pages: list[tuple[str, ...]]) -> Path:
    documents = [Document(id=f"page-{i}", lines=lines) for i, lines in enumerate(pages)]
    write_document_file(folder / "documents" / "pages.jsonl", documents)
    return folder


def suggest(folder: Path, doc_id: str, lines: tuple[str, ...], runs: str, scores: list[float]) -> None:
    sha = Document(id=doc_id, lines=lines).text_sha256
    suggestion = Suggestion(doc_id, sha, "model-web", decode_runs(runs), np.array(scores, np.float32))
    append_suggestion(folder, suggestion)


def stored(folder: Path, annotator: str = "ana") -> dict[str, str]:
    """The label runs of each document in the store."""
    latest = LabelStore(folder).latest()
    return {doc: encode_runs(s.annotation.labels) for (doc, name), s in latest.items() if name == annotator}


def wait_stored(page: Page, folder: Path, doc_id: str, annotator: str = "ana") -> str:
    for _ in range(400):
        if doc_id in (found := stored(folder, annotator)):
            return found[doc_id]
        page.wait_for_timeout(25)
    raise AssertionError(f"{doc_id} is not in the store")


def test_a_session_from_the_first_key_to_the_settled_page(page, folder):
    """Keyboard alone: label, reload, lose the server, go on, come back, settle a disagreement."""
    team = (folder, "--annotators", "ana,ben", "--overlap", 1, "--model", "none")
    with serving(*team) as server:
        page.goto(f"{server.root}/a/ana/")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # Start
        page.wait_for_selector("body[data-ready]")
        press(page, "3", "n", "1", "Shift+J", "c")
        wait_saved(page)
        page.reload()
        page.wait_for_selector("body[data-ready]")
        assert shown_labels(page) == "nnccc··"

        server.kill()
        press(page, "End", "k", "2")
        page.wait_for_selector("#state[data-state=offline]")
        press(page, "4", "m")
        page.keyboard.type("A note from the ferry")
        press(page, "Escape", "Enter")
        page.wait_for_function("() => document.getElementById('title').textContent === 'page-1'")
        press(page, "3", "e", "Enter")
        page.wait_for_function("() => document.getElementById('state').textContent.includes('wait')")
        assert stored(folder) == {}

        server.start()
        assert wait_stored(page, folder, "page-0") == "2n 3c 1a 1r"
        assert wait_stored(page, folder, "page-1") == "7n"
        [first] = [s for s in LabelStore(folder).records() if s.annotation.doc_id == "page-0"]
        assert first.annotation.notes == "A note from the ferry"

        open_page(page, server, "ben", "page-0")
        press(page, "3", "x", "3", "1", "1", "2", "4", "Enter")
        assert wait_stored(page, folder, "page-0", "ben") == "3n 2c 1a 1r"

    with serving(folder, "--annotators", "eva", "--adjudicate", "--model", "none") as server:
        page.goto(f"{server.root}/a/eva/")
        page.click("#continue")
        page.wait_for_selector("body[data-ready]")
        assert page.inner_text("#lines .line.settle .text") == LINES[2]
        assert page.locator("#lines .line.settle .vote").all_inner_texts() == ["c", "n"]
        page.keyboard.press("Enter")  # nothing is decided yet
        press(page, "ArrowLeft", "Enter")
        assert wait_stored(page, folder, "page-0", "adjudicated") == "2n 3c 1a 1r"
        decision = LabelStore(folder).latest()["page-0", "adjudicated"]
        assert decision.extra["decided_by"] == "eva"
        assert set(decision.extra["between"]) == {"ana", "ben"}


def test_every_way_to_label(page, folder):
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        steps = {
            ("1",): "c······",
            ("e",): "ccccccc",
            ("u",): "c······",
            ("Control+z",): "·······",
            ("Shift+U", "Control+y"): "ccccccc",
            ("Home", "Shift+ArrowDown", "3"): "nnccccc",
            ("x",): "nnnnccc",
            ("]", "["): "nnnnccc",
            ("b", "4"): "nnnnrrr",
            ("End", "2"): "nnnnrra",
            ("Backspace",): "nnnnrr·",
            ("u", "/"): "nnnnrra",
        }
        for keys, labels in steps.items():
            press(page, *keys)
            assert shown_labels(page) == labels, keys
        page.keyboard.type("LATE")
        press(page, "Enter", "Escape", "2")
        assert shown_labels(page) == "nnanrra"
        page.keyboard.press("Home")
        page.click(".pick[data-label=n]")
        rows = page.locator("#lines .line")
        page.mouse.move(*centre(rows.nth(0)))
        page.mouse.down()
        page.mouse.move(*centre(rows.nth(2)), steps=4)
        page.mouse.up()
        assert shown_labels(page) == "nnnnrra"
        wait_saved(page)
        page.reload()
        page.wait_for_selector("body[data-ready]")
        for _ in range(12):
            page.keyboard.press("u")
        assert shown_labels(page) == "·······"


def centre(locator: object) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("width", [320, 360])
def test_every_button_is_in_reach_on_a_narrow_screen(page, folder, width):
    page.set_viewport_size({"width": width, "height": 640})
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        server.kill()
        page.keyboard.press("1")  # the longest of what stands in the bar
        page.wait_for_selector("#state[data-state=offline]")
        sides = "all => all.map((e) => e.getBoundingClientRect()).flatMap((box) => [box.left, box.right])"
        edges = page.locator(".bar button, .palette button, #state").evaluate_all(sides)
        assert min(edges) >= 0
        assert max(edges) <= width


def test_a_finger_picks_a_label_and_touches_lines(browser, folder):
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        context = browser.new_context(viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
        phone = context.new_page()
        open_page(phone, server, "ana", "page-0")
        phone.tap(".pick[data-label=n]")
        phone.tap("#line-1 .text")
        phone.tap("#line-3 .letter")
        assert shown_labels(phone) == "·n·n···"
        wait_saved(phone)
        context.close()


def test_suggestions_are_taken_over_only_when_the_page_is_accepted(page, folder):
    suggest(folder, "page-0", LINES, "2n 5c", [0.99, 0.6, 0.99, 0.99, 0.99, 0.99, 0.5])
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        assert shown_labels(page) == "nnccccc"
        assert page.locator("#lines .line.set").count() == 0
        assert page.locator("#lines .line.uncertain .sure").all_inner_texts() == ["60%", "50%"]
        press(page, "Enter")  # leads to the first uncertain line
        assert page.get_attribute("#lines", "aria-activedescendant") == "line-1"
        press(page, "Tab", "k", "2", "4", "Enter")
        assert wait_stored(page, folder, "page-0") == "2n 3c 1a 1r"
        extra = LabelStore(folder).latest()["page-0", "ana"].extra
        assert (extra["suggested_by"], extra["suggested"], extra["changed"]) == ("model-web", "2n 5c", 2)


def test_lines_out_of_view_do_not_count_as_looked_at(page, tmp_path):
    texts = tuple(f"Line {i}" for i in range(200))
    folder = collection(tmp_path / "long", [texts])
    suggest(folder, "page-0", texts, "200c", [0.5] * 200)
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        page.keyboard.press("Enter")
        assert page.inner_text("#live").startswith("200 uncertain lines were not looked at")
        press(page, "j", "Enter")
        assert page.get_attribute("#lines", "aria-activedescendant") not in ("line-0", "line-1")
        page.keyboard.press("Enter")
        assert wait_stored(page, folder, "page-0") == "200c"


def test_work_with_the_mouse_alone_takes_time(page, folder):
    suggest(folder, "page-0", LINES, "7c", [0.9] * 7)
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        page.clock.install()
        open_page(page, server, "ana", "page-0")
        page.mouse.move(500, 500)
        for _ in range(3):
            page.clock.run_for(20_000)
            page.mouse.wheel(0, 10)
        page.click("#accept")
        wait_stored(page, folder, "page-0")
    [record] = LabelStore(folder).records()
    assert record.annotation.seconds >= 30


def test_skipped_and_unsure_are_kept(page, folder):
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        press(page, "j", "d", "s")
        page.wait_for_function("() => document.getElementById('title').textContent === 'page-1'")
        wait_saved(page)
        page.goto(f"{server.root}/a/ana/")
        assert page.locator(".status").all_inner_texts() == ["put aside", "to do", "to do"]
        open_page(page, server, "ana", "page-0")
        assert page.locator("#lines .line.unsure").count() == 1


def test_two_windows_see_each_other_and_overwrite_nothing(browser, folder):
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        context = browser.new_context()
        left, right = context.new_page(), context.new_page()
        open_page(left, server, "ana", "page-0")
        open_page(right, server, "ana", "page-0")
        press(left, "3", "3")
        right.wait_for_function("() => document.querySelectorAll('#lines .line.set').length === 2")
        assert shown_labels(right) == "nn·····"
        press(right, "End", "4")
        left.wait_for_function("() => document.querySelectorAll('#lines .line.set').length === 3")

        # What a window did while it was offline does not replace what another did meanwhile.
        other = browser.new_context()
        apart = other.new_page()
        open_page(apart, server, "ana", "page-0")
        other.set_offline(True)
        press(apart, "Home", "1", "j", "1")  # lines 1 and 3
        apart.wait_for_selector("#state[data-state=offline]")
        press(left, "Home", "2")  # line 1
        wait_saved(left)
        other.set_offline(False)
        apart.wait_for_selector("#notices p")
        assert "line 1" in apart.inner_text("#notices")
        wait_saved(apart)
        apart.wait_for_function("() => document.querySelector('#line-0 > .letter').textContent === 'a'")
        assert shown_labels(apart) == "anc···r"
        context.close()
        other.close()


@pytest.mark.parametrize("broken", ["Storage.prototype.setItem", "window.localStorage"])
def test_leaving_a_page_warns_while_changes_are_in_memory_only(page, folder, broken):
    owner, name = broken.rsplit(".", 1)
    fails = "() => { throw new DOMException('forbidden', 'SecurityError') }"
    how = "get" if name == "localStorage" else "value"
    page.add_init_script(
        f"Object.defineProperty({owner}, '{name}', {{ {how}: {fails}, configurable: true }})"
    )
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.type), dialog.dismiss()))
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        server.kill()
        press(page, "1")
        page.wait_for_selector("#state[data-state=offline]")
        assert "in memory only" in page.inner_text("#state")
        page.close(run_before_unload=True)
        for _ in range(200):
            if dialogs:
                break
            page.wait_for_timeout(25)
        server.start()
        wait_saved(page)
        assert shown_labels(page) == "c······"
    assert dialogs == ["beforeunload"]


def test_many_large_changes_are_delivered_in_parts(page, tmp_path):
    folder = collection(tmp_path / "long", [tuple(f"Line {i}" for i in range(5000))])
    session = Session(folder, ["ana"])
    each = tuple(Edit(i, i + 1, i % 2) for i in range(5000))  # as many edits to undo what covers them
    session.apply("ana", session.change(session.draft("ana", "page-0"), edits=each))
    sizes = []
    page.on("request", lambda request: request.method == "POST" and sizes.append(len(request.post_data)))
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        server.kill()
        press(page, "Shift+End", "1", *["u", "Shift+U"] * 7)
        server.start()
        wait_saved(page)
        assert max(sizes) < 2**20 < sum(sizes)


def test_a_correction_of_what_still_waits_is_taken_after_a_reload(page, folder):
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        page.route("**/changes", lambda route: route.fulfill(status=503, json={"error": "The disk is full."}))
        press(page, "2", "Home", "3")
        page.wait_for_selector("#state[data-state=refused]")
        assert "The disk is full: 2 changes wait" in page.inner_text("#state")
        page.reload()
        page.wait_for_selector("body[data-ready]")
        press(page, "Home", "1")
        page.unroute("**/changes")
        wait_saved(page)
        page.reload()
        page.wait_for_selector("body[data-ready]")
        assert shown_labels(page) == "c······"


def test_a_note_being_typed_is_kept_whatever_another_window_does(page, folder):
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        other = page.context.new_page()
        open_page(other, server, "ana", "page-0")
        page.keyboard.press("m")
        page.keyboard.type("Ask Ben")
        press(other, "1")
        page.wait_for_selector("#line-0.set")
        assert page.input_value("#note") == "Ask Ben"
        wait_saved(page)  # with the cursor still in the field
        assert Session(folder, ["ana"]).draft("ana", "page-0").note == "Ask Ben"


def test_each_refusal_stays_until_it_is_closed_on_the_last_page_too(page, tmp_path):
    folder = collection(tmp_path / "ferry", [LINES])
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        session = Session(folder, ["ana"])
        session.apply("ana", session.change(session.draft("ana", "page-0"), edits=(Edit(0, 7, 2),)))
        page.route("**/changes", lambda route: route.abort())
        press(page, "1", "e", "Enter")
        page.unroute("**/changes")
        page.wait_for_function("() => document.querySelectorAll('#notices p').length === 3")
        wait_saved(page)
        for _ in range(3):
            page.click("#notices .close >> nth=0")
        assert page.inner_text("#title") == "page-0"


def test_pages_are_opened_by_keys_only_however_often_enter_was_pressed(page, tmp_path):
    folder = collection(tmp_path / "ferry", [LINES] * 6)
    title = "id => document.getElementById('title').textContent === id"
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        press(page, "1", "e")
        page.wait_for_load_state("networkidle")
        page.route("**/document?*", lambda route: route.abort())
        page.keyboard.press("Enter")
        for i in (1, 2, 3):  # these are here already
            page.wait_for_function(title, arg=f"page-{i}")
            press(page, "p", "1", "e", "Enter")
        for _ in range(2):
            page.wait_for_timeout(700)  # as people press again when nothing happens
            page.keyboard.press("Enter")
        page.evaluate(
            """() => {
              const title = document.getElementById("title");
              window.opened = new Set();
              new MutationObserver(() => opened.add(title.textContent)).observe(title, { childList: true });
            }"""
        )
        page.unroute("**/document?*")
        page.wait_for_function(title, arg="page-4")
        page.wait_for_timeout(3000)  # another timer would have gone off
        assert page.evaluate("[...opened]") == ["page-4"]


def test_an_open_tab_delivers_nothing_to_an_adjudication(page, folder):
    label = ("--annotators", "ana", "--model", "none")
    with serving(folder, *label) as server:
        open_page(page, server, "ana", "page-0")
        server.kill()
        press(page, "1", "e", "Enter")
        server.start("--adjudicate")
        page.wait_for_selector("#state[data-state=refused]")
        assert "Another session is served here now: 3 changes wait" in page.inner_text("#state")
        assert stored(folder, "adjudicated") == {}
        server.kill()
        server.start()
        assert wait_stored(page, folder, "page-0") == "7c"


def test_a_page_that_got_another_text_is_loaded_again(page, folder):
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        server.kill()
        collection(folder, [("Storm", *LINES[:-1])])
        server.start()
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # back in this window
        page.wait_for_selector("#notices p")
        assert page.locator("#lines .text").all_inner_texts() == ["Storm", *LINES[:-1]]


def test_a_hostile_page_stays_text(page, tmp_path):
    folder = collection(tmp_path / "<b>", [HOSTILE])
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        texts = page.locator("#lines .text").evaluate_all("cells => cells.map(cell => cell.textContent)")
        assert [t.replace("\ufffd", "\ud83d") for t in texts] == list(HOSTILE)
        assert page.locator("#lines :is(script, img, svg, iframe, b)").count() == 0
        press(page, "/")
        page.keyboard.type("<script>")
        press(page, "Enter", "Escape", "Home", "1", "e", "Enter")
        assert wait_stored(page, folder, "page-0") == "8c"
        assert "owned" not in page.title()


def test_a_page_of_five_thousand_lines_keeps_the_cursor_in_the_middle(page, tmp_path):
    folder = collection(tmp_path / "long", [tuple(f"Line {i} " + "word " * (i % 40) for i in range(5000))])
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        for keys in (["End"], ["k"] * 3, ["Home"], ["PageDown"] * 5):
            press(page, *keys)
            page.wait_for_function(
                """() => {
                  const row = document.querySelector('.cursor').getBoundingClientRect();
                  const box = document.getElementById('scroller').getBoundingClientRect();
                  return Math.abs((row.top + row.bottom) / 2 - (box.top + box.bottom) / 2) < 30;
                }"""
            )
        page.keyboard.press("Shift+End")
        page.keyboard.press("3")
        wait_saved(page)
        assert page.locator("#lines .line.set").count() == 4950


def test_a_review_queue_opens_with_the_lines_to_look_at(page, folder, tmp_path):
    queue = tmp_path / "review.jsonl"
    queue.write_text(
        json.dumps({"doc_id": "page-1", "reason": "likely error", "score": 1, "lines": [4]}) + "\n"
    )
    with serving(folder, "--annotators", "ana", "--queue", queue, "--model", "none") as server:
        open_page(page, server, "ana", "page-1")
        press(page, "1", "e", "Enter")
        assert wait_stored(page, folder, "page-1") == "7c"
        page.wait_for_url("**/a/ana/")
    review = (folder, "--annotators", "eva", "--queue", queue, "--adjudicate", "--model", "none")
    with serving(*review) as server:
        page.goto(f"{server.root}/a/eva/page")
        page.wait_for_selector("body[data-ready]")
        assert page.get_attribute("#lines", "aria-activedescendant") == "line-4"
        assert "likely error" in page.inner_text("#intro-reason")
        press(page, "2", "Enter")
        assert wait_stored(page, folder, "page-1", "adjudicated") == "4c 1a 2c"


def test_folded_lines_are_changed_only_once_they_are_open(page, tmp_path):
    texts = tuple(f"Line {i}" for i in range(20))
    folder = collection(tmp_path / "long", [texts])
    sha = Document(id="page-0", lines=texts).text_sha256
    for name, runs in (("ana", "20c"), ("ben", "4c 1n 10c 1n 4c")):
        LabelStore(folder).append(Annotation("page-0", sha, name, decode_runs(runs)))
    shown = "#lines .line:not([hidden])"
    with serving(folder, "--annotators", "eva", "--adjudicate", "--model", "none") as server:
        open_page(page, server, "eva", "page-0")  # lines 3 to 7 and 14 to 18 are shown
        press(page, *["Shift+ArrowDown"] * 5, "2")
        assert page.locator("#lines .line[data-label=a]").count() == 6
        assert page.locator(f"{shown}[data-label=a]").count() == 6
        page.keyboard.press("o")
        page.wait_for_selector("#line-18", state="visible")
        page.keyboard.press("Home")
        page.wait_for_selector("#line-0", state="visible")
        page.keyboard.press("Control+z")
        assert page.locator("#lines .line[data-label=a]").count() == 0


CONTRASTS = """() => {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const pixel = () => context.getImageData(0, 0, 1, 1).data;
  const luminance = ([r, g, b]) =>
    [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const paint = (colour) => { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const shown = element.checkVisibility({ visibilityProperty: true }) && !element.closest(".unseen");
    if (!own || !shown) continue;
    paint("white");
    const around = [];
    for (let at = element; at; at = at.parentElement) around.unshift(getComputedStyle(at).backgroundColor);
    around.forEach(paint);
    const behind = luminance(pixel());
    paint(getComputedStyle(element).color);
    const [light, dark] = [luminance(pixel()), behind].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) low.push([element.className || element.tagName, element.textContent.trim(), ratio]);
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_the_contrast_that_aa_asks_for(page, folder, scheme):
    page.emulate_media(color_scheme=scheme)
    suggest(folder, "page-0", LINES, "2n 3c 1a 1r", [0.99, 0.6, 0.99, 0.99, 0.99, 0.5, 0.5])
    with serving(folder, "--annotators", "ana,ben", "--overlap", 1, "--model", "none") as server:
        for name, keys in (("ana", "3313"), ("ben", "33")):
            open_page(page, server, name, "page-0")
            press(page, *keys, "d", "Home", "Shift+J")
            assert page.evaluate(CONTRASTS) == []
            for panel in ("guidelines", "keys", "figures"):
                page.click(f"#open-{panel}")
                assert page.evaluate(CONTRASTS) == []
            page.click("#close-side")
            press(page, "Escape", "Enter", "Enter")
            wait_stored(page, folder, "page-0", name)
        page.goto(f"{server.root}/a/ana/")
        assert page.evaluate(CONTRASTS) == []
    with serving(folder, "--annotators", "eva", "--adjudicate", "--model", "none") as server:
        open_page(page, server, "eva", "page-0")
        assert page.locator("#lines .vote").count()
        assert page.evaluate(CONTRASTS) == []


def test_a_screen_reader_hears_lines_labels_and_changes(page, folder):
    suggest(folder, "page-0", LINES, "2n 5c", [0.99, 0.6, 0.99, 0.99, 0.99, 0.5, 0.5])
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        open_page(page, server, "ana", "page-0")
        page.get_by_role("listbox", name="Lines of the page").wait_for()
        page.get_by_role("option", name="navigation, suggested, 60%, uncertain News").wait_for()
        press(page, "4")
        assert page.inner_text("#live") == "recommendation, line 1"
        page.get_by_role("option", name="recommendation Home").wait_for()
        press(page, "Escape")
        assert page.evaluate("document.activeElement.id") == "open-search"  # no trap for the keyboard
