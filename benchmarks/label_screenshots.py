"""Take the pictures of the labelling page that the documentation shows, from starter pages only.

python benchmarks/label_screenshots.py docs/images
"""

from __future__ import annotations

import shutil
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from boilerplate_ds.labeling.drafts import Edit
from boilerplate_ds.labeling.session import Session
from boilerplate_ds.labeling.store import LabelStore
from boilerplate_ds.shipped import shipped

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "labeling"))
from web_session import chromium, open_page, press, serving, wait_saved

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from boilerplate_ds.document import Labels

PAGE = "en-news-penmorrow-lido"
SIZE = {"width": 1120, "height": 720}
DONE = 9
"""Pages that both people have labelled."""


def main(out: Path) -> None:
    """Label some pages as two people, then take each view in light and dark."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as work, chromium() as browser:
        folder = Path(work) / "starter"
        (folder / "documents").mkdir(parents=True)
        shutil.copy(shipped("labels/starter") / "documents" / "en.jsonl", folder / "documents")
        disputed = label_as_a_team(folder)
        with serving(folder, "--annotators", "ana,ben", "--overlap", "0.5") as server:
            for scheme in ("light", "dark"):
                page = window(browser, scheme)
                page.goto(f"{server.root}/a/ana/")
                take(page, out / f"label-overview-{scheme}.png")
                show_labelling(page, server, out, scheme)
        with serving(folder, "--annotators", "eva", "--adjudicate") as server:
            for scheme in ("light", "dark"):
                page = window(browser, scheme)
                open_page(page, server, "eva", disputed)
                press(page, "ArrowLeft", "ArrowRight")
                wait_saved(page)
                take(page, out / f"label-adjudicate-{scheme}.png")
                press(page, "u", "u")
                wait_saved(page)


def show_labelling(page: Page, server: object, out: Path, scheme: str) -> None:
    """Label a part of a page, alone and with the guidelines and the keys beside it."""
    open_page(page, server, "ana", PAGE)
    press(page, "3", "e", "Tab", "j", "1", "1", "Tab", "d")
    wait_saved(page)
    take(page, out / f"label-page-{scheme}.png")
    page.keyboard.press("g")
    take(page, out / f"label-guidelines-{scheme}.png")
    page.click("#open-keys")
    take(page, out / f"label-keys-{scheme}.png")
    page.click("#close-side")
    press(page, *["u"] * 4)
    wait_saved(page)


def take(page: Page, path: Path) -> None:
    """Save what the window shows, in 256 colours: the pictures are kept in git."""
    picture = Image.open(BytesIO(page.screenshot(animations="disabled")))
    picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def window(browser: Browser, scheme: str) -> Page:
    """Open a window in a colour scheme."""
    return browser.new_context(viewport=SIZE, color_scheme=scheme).new_page()


def label_as_a_team(folder: Path) -> str:
    """Let two people label pages, the second with some doubts; gives a page they differ on."""
    gold = {a.doc_id: a.labels for a in LabelStore(shipped("labels/starter")).annotations()}
    session = Session(folder, ["ana", "ben"], overlap=0.5)
    twice = [doc_id for doc_id in session.queue("ana") if doc_id in session.queue("ben") and doc_id != PAGE]
    chance = np.random.default_rng(4)
    for doc_id in twice[:DONE]:
        for name in ("ana", "ben"):
            accept(session, name, doc_id, gold[doc_id] if name == "ana" else doubtful(gold[doc_id], chance))
    return twice[0]


def doubtful(labels: Labels, chance: np.random.Generator) -> Labels:
    """Give labels of which a few are different, most of them at the borders of blocks."""
    other = labels.copy()
    borders = np.flatnonzero(np.diff(labels)) + 1
    for line in chance.choice(borders, min(4, len(borders)), replace=False):
        other[line] = labels[line - 1]
    return other


def accept(session: Session, name: str, doc_id: str, labels: Labels) -> None:
    """Label and accept a page."""
    edits = tuple(Edit(i, i + 1, int(label)) for i, label in enumerate(labels))
    session.apply(name, session.change(session.draft(name, doc_id), edits=edits, seconds=0.9 * len(labels)))
    session.apply(name, session.change(session.draft(name, doc_id), kind="accept"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
