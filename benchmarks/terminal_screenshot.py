"""Take the picture of the terminal app for the docs: a starter page, some lines labelled, the keys beside it.

Usage: python benchmarks/terminal_screenshot.py docs/images
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from boilerplate_ds.cli.label import _suggester
from boilerplate_ds.labeling.queue import QueueItem
from boilerplate_ds.labeling.session import Session
from boilerplate_ds.labeling.terminal import LabelApp
from boilerplate_ds.shipped import shipped

PAGE = "en-biz-tradewire-halvorsen"


async def draw(folder: Path) -> str:
    """Use the app for a few keys; gives its screen as SVG."""
    session = Session(folder, ["ana"], queue=[QueueItem(PAGE)], suggest=_suggester("web"))
    app = LabelApp(session, "ana")
    async with app.run_test(size=(124, 34)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.press("home", "n", "e", "tab", "c", "c", "d", "j", "J", "J", "question_mark")
        await pilot.pause()
        return app.export_screenshot(title="boilerplate-ds label --terminal")


def main(images: Path) -> None:
    """Write ``label-terminal.png``."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(shipped("labels/starter") / "documents", Path(folder) / "pages" / "documents")
        svg = asyncio.run(draw(Path(folder) / "pages"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 700})
        page.set_content(f"<style>body {{ margin: 0 }} svg {{ width: 1200px }}</style>{svg}")
        page.locator("svg").screenshot(path=str(images / "label-terminal.png"))
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
