"""Servers fail in many ways; each ends in an answer, a reason for this page, or a reason to stop."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from boilerplate_ds.errors import EndpointError
from boilerplate_ds.labeling.llm import endpoint as module
from boilerplate_ds.labeling.llm.endpoint import Endpoint, RequestError, retry_delay

from .chat_server import KEY, ChatServer, Say

if TYPE_CHECKING:
    from collections.abc import Callable

QUESTION = [{"role": "system", "content": "Label."}, {"role": "user", "content": "Label lines 1 to 1"}]
FINE = Say("fine")


def ask(endpoint: Endpoint, times: int = 1) -> str:
    async def run() -> str:
        async with endpoint:
            for _ in range(times):
                answer = await endpoint.ask(QUESTION)
            return answer

    return asyncio.run(run())


def error(status: int, message: str, **fields: Any) -> Say:
    return Say(status=status, raw=json.dumps({"error": {"message": message, **fields}}).encode())


def test_a_question_is_asked_with_model_schema_and_key(server: ChatServer, endpoint: Endpoint) -> None:
    server.script = [FINE]
    assert ask(endpoint) == "fine"
    assert server.requests[0]["model"] == "tiny"
    assert server.requests[0]["response_format"]["type"] == "json_schema"
    assert server.keys == [f"Bearer {KEY}"]
    assert (endpoint.usage.prompt_tokens, endpoint.usage.completion_tokens) == (100, 10)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(Say(status=429, raw=b"slow down", headers={"Retry-After": "0"}), id="429"),
        pytest.param(Say(status=500, raw=b"<html>oops"), id="500"),
        pytest.param(Say(status=503, raw=b"{}"), id="503"),
        pytest.param(Say("fine", cut=40), id="connection closed in the body"),
        pytest.param(Say(raw=b""), id="empty body"),
        pytest.param(Say(raw=b'{"choices": [{"mess'), id="torn JSON"),
        pytest.param(Say(raw=b"[" * 200_000), id="deep JSON"),
        pytest.param(Say(raw=b'"text"'), id="JSON but no object"),
        pytest.param(Say(raw=b'{"choices": []}'), id="no choice"),
        pytest.param(Say(raw=b'{"error": {"message": "overloaded"}}'), id="an error called 200"),
        pytest.param(Say(raw=b'{"choices": "none"}'), id="choices of another type"),
    ],
)
def test_what_may_pass_is_tried_again(bad: Say, server: ChatServer, endpoint: Endpoint) -> None:
    server.script = [bad, FINE]
    assert ask(endpoint) == "fine"
    assert endpoint.usage.retries == 1


def test_a_reset_connection_is_tried_again(server: ChatServer, endpoint: Endpoint) -> None:
    server.script = [Say(raw=b"", headers={"Transfer-Encoding": "chunked"}), FINE]
    assert ask(endpoint) == "fine"


def test_a_server_that_never_answers_is_given_up(server: ChatServer) -> None:
    server.otherwise = lambda _: Say(hang=True)
    endpoint = Endpoint("tiny", base_url=server.url, timeout=0.2, retries=1, backoff=0.001)
    with pytest.raises(RequestError, match=r"no whole reply within 0.2 seconds \(2 attempts\)"):
        ask(endpoint)


def test_a_server_that_always_fails_fails_this_page(server: ChatServer, endpoint: Endpoint) -> None:
    server.otherwise = lambda _: Say(status=500, raw=b"oops")
    with pytest.raises(RequestError, match=r"oops.*3 attempts"):
        ask(endpoint)
    assert len(server.requests) == 3


def test_a_reply_without_end_is_not_read_to_the_end(
    server: ChatServer, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_REPLY_BYTES", 10_000)
    server.otherwise = lambda _: Say(raw=b" " * 1_000_000)
    with pytest.raises(RequestError, match="longer than 10,000 bytes"):
        ask(endpoint)


BOMB = {"raw": gzip.compress(gzip.compress(bytes(50_000_000))), "headers": {"Content-Encoding": "gzip, gzip"}}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (200, "the reply is compressed"),
        (307, "redirects to"),
        (400, "compressed message"),
        (503, "compressed"),
    ],
)
def test_what_a_server_compressed_unasked_is_not_unpacked(
    status: int, reason: str, server: ChatServer, endpoint: Endpoint
) -> None:
    server.otherwise = lambda _: Say(status=status, **BOMB)
    tracemalloc.start()
    with pytest.raises((EndpointError, RequestError), match=reason):
        ask(endpoint)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize("status", [300, 307, 503])
def test_an_error_without_end_is_not_read_to_the_end(
    status: int, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_ERROR_BYTES", 1_000)
    raw = b"The model tiny is too busy. " + bytes(range(256)) * 40_000
    server.otherwise = lambda _: Say(status=status, raw=raw)
    read: list[int] = []
    shorten = module._shorten_error

    async def watch(response: Any) -> None:
        await shorten(response)
        read.append(len(await response.aread()))

    monkeypatch.setattr(module, "_shorten_error", watch)
    watched = Endpoint("tiny", base_url=server.url, timeout=10, retries=2, backoff=0.001)
    with pytest.raises((EndpointError, RequestError), match=f"status {status}"):
        ask(watched)
    assert 28 <= read[0] <= 1_000


def test_the_start_of_a_long_error_is_told(server: ChatServer, endpoint: Endpoint) -> None:
    server.otherwise = lambda _: Say(status=503, raw=b"The model tiny is too busy. " + b"x" * 10_000_000)
    with pytest.raises(RequestError, match="status 503: The model tiny is too busy"):
        ask(endpoint)


def test_a_redirect_is_named_and_not_followed(server: ChatServer, endpoint: Endpoint) -> None:
    elsewhere = server.url + "/elsewhere"
    server.otherwise = lambda _: Say(status=307, raw=b"", headers={"Location": elsewhere})
    with pytest.raises(EndpointError, match=f"status 307: redirects to {elsewhere}"):
        ask(endpoint)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("say", "reason"),
    [
        (Say(None, message={"refusal": "I can't label this."}), "refused: I can't label this"),
        (Say("", finish="content_filter"), "refused: content filter"),
        (Say('{"runs": [', finish="length"), "cut off.*--window"),
        (error(400, "maximum context length is 8192 tokens"), "maximum context length"),
        (error(413, "too large"), "too large"),
    ],
)
def test_what_will_not_pass_fails_this_page_at_once(
    say: Say, reason: str, server: ChatServer, endpoint: Endpoint
) -> None:
    server.otherwise = lambda _: say
    with pytest.raises(RequestError, match=reason):
        ask(endpoint)
    assert endpoint.usage.retries == 0


@pytest.mark.parametrize(
    "say",
    [
        error(401, "Incorrect API key provided: " + KEY),
        error(402, "Insufficient credits"),
        error(403, "not allowed"),
        error(404, "model 'tiny' not found, try pulling it first"),
        error(429, "You exceeded your current quota", code="insufficient_quota"),
        Say(status=429, raw=b"{}", headers={"Retry-After": "0"}),
    ],
)
def test_what_no_page_will_survive_ends_the_run(say: Say, server: ChatServer, endpoint: Endpoint) -> None:
    server.otherwise = lambda _: say
    with pytest.raises(EndpointError) as caught:
        ask(endpoint)
    assert KEY not in str(caught.value)


def test_a_server_that_is_not_there_ends_the_run(server: ChatServer) -> None:
    endpoint = Endpoint("tiny", base_url="http://127.0.0.1:9/v1", retries=1, backoff=0.001)
    with pytest.raises(EndpointError, match=r"127\.0\.0\.1:9"):
        ask(endpoint)


def needs(*unknown: str) -> Callable[[dict[str, Any]], Say]:
    """Make a server that turns requests with these words in them down."""

    def reply(request: dict[str, Any]) -> Say:
        asked = json.dumps(request)
        found = [word for word in unknown if f'"{word}"' in asked]
        return error(400, f"unsupported: {found[0]}") if found else FINE

    return reply


@pytest.mark.parametrize(
    ("unknown", "format_", "temperature"),
    [
        (["json_schema"], {"type": "json_object"}, True),
        (["response_format"], None, True),
        (["temperature"], "json_schema", False),
        (["temperature", "response_format"], None, False),
    ],
)
def test_an_option_that_a_server_does_not_know_is_left_out_from_then_on(
    unknown: list[str], format_: Any, temperature: bool, server: ChatServer, endpoint: Endpoint
) -> None:
    server.otherwise = needs(*unknown)
    assert ask(endpoint, times=2) == "fine"
    last = server.requests[-1]
    found = last.get("response_format")
    assert (found["type"] if format_ == "json_schema" else found) == format_
    assert ("temperature" in last) is temperature
    assert server.requests[-2] == last  # the second question was asked once
    assert endpoint.usage.retries == 0


def test_a_server_that_fails_on_the_schema_is_asked_without(server: ChatServer, endpoint: Endpoint) -> None:
    server.script = [error(500, "failed to parse grammar"), FINE]
    assert ask(endpoint) == "fine"
    assert server.requests[-1]["response_format"] == {"type": "json_object"}


def test_one_question_turned_down_for_its_length_keeps_the_schema(
    server: ChatServer, endpoint: Endpoint
) -> None:
    server.script = [error(400, "maximum context length")] * 3
    with pytest.raises(RequestError):
        asyncio.run(endpoint.ask(QUESTION))
    assert ask(endpoint) == "fine" if not (server.script.append(FINE)) else None
    assert server.requests[-1]["response_format"]["type"] == "json_schema"


def test_tokens_are_guessed_where_a_server_counts_none(server: ChatServer, endpoint: Endpoint) -> None:
    server.script = [Say("fine", usage={"prompt_tokens": "many"})]
    ask(endpoint)
    assert endpoint.usage.estimated
    assert endpoint.usage.prompt_tokens > 0


@pytest.mark.parametrize("count", [pytest.param(10**400, id="huge"), -100, 10**9 + 1, True, 1.5])
def test_token_counts_that_cannot_be_are_not_taken(
    count: object, server: ChatServer, endpoint: Endpoint
) -> None:
    server.script = [Say("fine", usage={"prompt_tokens": count, "completion_tokens": 10})]
    ask(endpoint)
    assert endpoint.usage.estimated
    assert 0 < endpoint.usage.prompt_tokens < 100


def test_half_a_character_in_an_answer_is_replaced(server: ChatServer, endpoint: Endpoint) -> None:
    server.script = [Say("fi\ud800ne")]
    assert ask(endpoint) == "fi?ne"


def test_what_a_server_asks_for_is_waited_but_not_forever() -> None:
    assert retry_delay({"retry-after": "7"}, 0, 1.0) == 7
    assert retry_delay({"retry-after": "86400"}, 0, 1.0) == module.MAX_WAIT
    assert retry_delay({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0, 1.0) == 0
    assert 2 <= retry_delay({"retry-after": "soon"}, 2, 1.0) <= 4
    assert retry_delay({}, 60, 1.0) == module.MAX_WAIT


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host/v1", "http://", "http://[x/v1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(EndpointError, match="no http or https address"):
        Endpoint("tiny", base_url=url)


def test_a_password_in_the_address_is_refused_unshown() -> None:
    with pytest.raises(EndpointError) as caught:
        Endpoint("tiny", base_url="https://me:hush@host/v1")
    assert "hush" not in str(caught.value)


def test_a_hosted_service_needs_a_key_and_a_server_of_ones_own_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(EndpointError, match=r"set \$OPENAI_API_KEY"):
        Endpoint("tiny")
    assert Endpoint("tiny", base_url="http://localhost:11434/v1").host == "localhost:11434"


def test_line_ends_around_a_key_are_no_part_of_it(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\r\n")
    server.script = [FINE]
    assert ask(Endpoint("tiny", base_url=server.url)) == "fine"
    assert server.keys == [f"Bearer {KEY}"]


@pytest.mark.parametrize("key", ["sk-hush\nsk-other", "sk-hushä", "sk-hush\x7f"])
def test_a_key_that_no_header_can_carry_is_refused_unshown(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(EndpointError, match=r"key in \$OPENAI_API_KEY") as caught:
        Endpoint("tiny")
    assert "hush" not in str(caught.value)


def test_a_server_on_this_machine_is_reached_past_a_proxy(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.script = [FINE]
    assert ask(Endpoint("tiny", base_url=server.url, retries=0)) == "fine"


def test_a_proxy_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "foo://bar")
    with pytest.raises(EndpointError, match="foo"):
        Endpoint("tiny", base_url="http://host.example/v1")
