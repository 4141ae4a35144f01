"""A web server on loopback that serves one file, well or badly."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class FileServer:
    """What the server does; a test changes it between or before requests."""

    body: bytes = b""
    etag: str = '"v1"'
    url: str = ""
    honours_ranges: bool = True
    announces_length: bool = True
    status: int = 200
    wrong_range: bool = False
    location: str = ""
    cut_after: list[int] = field(default_factory=list)
    """For each coming request, the number of body bytes after which the connection is dropped."""
    ranges: list[str | None] = field(default_factory=list)
    """The Range header of each request so far."""


class _Handler(BaseHTTPRequestHandler):
    behaviour: FileServer

    def do_GET(self) -> None:
        server = self.behaviour
        asked = self.headers["Range"]
        server.ranges.append(asked)
        if server.status != 200:
            self.send_response(server.status)
            if server.location:
                self.send_header("Location", server.location)
            self.end_headers()
            return
        start = 0
        if asked and server.honours_ranges and self.headers["If-Range"] in (None, server.etag):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(server.body):
                self.send_error(416)
                return
        self._send(server, start)

    def _send(self, server: FileServer, start: int) -> None:
        body = server.body[start:]
        if start:
            self.send_response(206)
            first = start + 1 if server.wrong_range else start
            self.send_header("Content-Range", f"bytes {first}-{len(server.body) - 1}/{len(server.body)}")
        else:
            self.send_response(200)
        if server.announces_length:
            self.send_header("Content-Length", str(len(body)))
        if server.etag:
            self.send_header("ETag", server.etag)
        self.end_headers()
        with suppress(ConnectionError):  # the client may hang up
            self.wfile.write(body[: server.cut_after.pop(0)] if server.cut_after else body)

    def log_message(self, *args: object) -> None:
        """Keep the test output clean."""


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    behaviour = FileServer()
    handler = type("Handler", (_Handler,), {"behaviour": behaviour})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        behaviour.url = f"http://127.0.0.1:{server.server_address[1]}/pages.jsonl"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield behaviour
        server.shutdown()
        thread.join()
