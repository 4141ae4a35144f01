"""The server on loopback, and a client of it that does not wait long."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from boilerplate_ds.labeling.llm.endpoint import Endpoint

from .chat_server import KEY, ChatServer, Handler

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    behaviour = ChatServer()
    handler = type("Handler", (Handler,), {"behaviour": behaviour})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        behaviour.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield behaviour
        behaviour.gone.set()
        http.shutdown()
        thread.join()


@pytest.fixture
def endpoint(server: ChatServer) -> Endpoint:
    return Endpoint("tiny", base_url=server.url, timeout=10, retries=2, backoff=0.001)
