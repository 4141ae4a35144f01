"""A chat completions server on loopback that answers well, or badly in every way such servers do."""

from __future__ import annotations

import json
import re
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "sk-a-very-secret-key"
ASKED = re.compile(r"Label lines (\d+) to (\d+)")


@dataclass
class Say:
    """One reply of the server.

    ``content`` is the message's text; or ``raw`` the whole body. ``cut`` drops the connection after so many
    bytes of the body, ``hang`` holds the reply back until the client has gone.
    """

    content: Any = None
    status: int = 200
    finish: str = "stop"
    headers: dict[str, str] = field(default_factory=dict)
    message: dict[str, Any] = field(default_factory=dict)
    usage: dict[str, Any] | None = field(
        default_factory=lambda: {"prompt_tokens": 100, "completion_tokens": 10}
    )
    raw: bytes | None = None
    cut: int | None = None
    hang: bool = False

    def body(self) -> bytes:
        if self.raw is not None:
            return self.raw
        message = {"role": "assistant", "content": self.content, **self.message}
        reply = {"id": "1", "choices": [{"index": 0, "message": message, "finish_reason": self.finish}]}
        return json.dumps(reply | ({"usage": self.usage} if self.usage is not None else {})).encode()


@dataclass
class ChatServer:
    """What the server does: the replies of ``script`` in turn, then what ``otherwise`` makes of a request."""

    url: str = ""
    script: list[Say | Callable[[dict[str, Any]], Say]] = field(default_factory=list)
    otherwise: Callable[[dict[str, Any]], Say] = field(default_factory=lambda: good)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)


def runs(*parts: tuple[int, int, str], **extra: Any) -> str:
    """Write an answer."""
    return json.dumps(
        {"runs": [{"first": a, "last": b, "label": label, "sure": True} | extra for a, b, label in parts]}
    )


def asked_for(request: dict[str, Any]) -> tuple[int, int]:
    """First and last line that a request asks for."""
    match = ASKED.search(request["messages"][1]["content"])
    assert match
    return int(match[1]), int(match[2])


def good(request: dict[str, Any]) -> Say:
    """Answer as a model would that takes the first line for navigation and the rest for content."""
    first, last = asked_for(request)
    if first == last or first > 1:
        return Say(runs((first, last, "content")))
    return Say(runs((first, first, "navigation"), (first + 1, last, "content")))


class Handler(BaseHTTPRequestHandler):
    behaviour: ChatServer

    def do_POST(self) -> None:
        server = self.behaviour
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.requests.append(request)
        server.keys.append(self.headers["Authorization"])
        reply = server.script.pop(0) if server.script else server.otherwise
        say = reply if isinstance(reply, Say) else reply(request)
        if say.hang:
            server.gone.wait(30)
            return
        body = say.body()
        with suppress(ConnectionError):
            self.send_response(say.status)
            for name, value in {"Content-Type": "application/json", **say.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: say.cut])

    def log_message(self, *args: object) -> None:
        """Keep the test output clean."""
