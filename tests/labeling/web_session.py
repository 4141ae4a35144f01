"""A labelling page as people meet it: the real command in its own process, and a real browser."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
)


class Server:
    """``boilerplate-ds label`` on a port of its own, which it keeps when started again."""

    def __init__(self, *arguments: object, host: str = "127.0.0.1") -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.root = f"http://127.0.0.1:{self.port}"
        options = ("--port", self.port, "--host", host, "--no-browser", "--json")
        self._command = [
            sys.executable,
            "-m",
            "boilerplate_ds.cli",
            "label",
            *map(str, (*arguments, *options)),
        ]
        self.addresses: dict[str, str] = {}

    def start(self, *more: str) -> Server:
        """Start it, with more arguments this time, and wait until it takes requests."""
        self._process = subprocess.Popen(
            [*self._command, *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ,
        )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        assert first, "the server did not start"
        self.addresses = json.loads(first)["addresses"]
        return self

    def interrupt(self) -> int:
        """End it as Ctrl+C does; gives the exit code."""
        self._process.send_signal(signal.SIGINT)
        self._process.communicate()
        return self._process.returncode

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()


@contextmanager
def serving(*arguments: object, host: str = "127.0.0.1") -> Iterator[Server]:
    """Serve while the block runs."""
    server = Server(*arguments, host=host).start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser; the test is skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def press(page: Page, *keys: str) -> None:
    """Press keys one after another."""
    for key in keys:
        page.keyboard.press(key)


def open_page(page: Page, server: Server, annotator: str, doc_id: str) -> None:
    """Open a document and wait until it takes keys."""
    page.goto(f"{server.root}/a/{annotator}/page?id={doc_id}")
    page.wait_for_selector("body[data-ready]")


def wait_saved(page: Page) -> None:
    """Wait until the page says that everything is on disk."""
    page.wait_for_selector("#state[data-state=saved]")


def shown_labels(page: Page) -> str:
    """The letters beside the lines; ``·`` where there is none."""
    return "".join(page.locator("#lines .line > .letter").all_inner_texts())
