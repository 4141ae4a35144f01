"""An OpenAI-compatible endpoint, local or hosted, that may be slow, busy, old or broken.

The ``openai`` client speaks to it (extra ``llm``). Its own retries are off: they end before a reply is read,
and after that a connection may still break, or the reply turn out to be garbage.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeGuard
from urllib.parse import urlsplit

from boilerplate_ds.errors import EndpointError, LabelError
from boilerplate_ds.labeling.llm.prompt import answer_schema, estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from boilerplate_ds.labeling.llm.prompt import Messages

KEY_VARIABLE = "OPENAI_API_KEY"
URL_VARIABLE = "OPENAI_BASE_URL"
MAX_REPLY_BYTES = 8 * 2**20
MAX_ERROR_BYTES = 2**16
"""Of an error's reply that are read."""
MAX_WAIT = 120.0
"""Seconds; no server is waited for longer between two attempts, whatever it asks for."""

_MAX_MESSAGE = 300
_MAX_TOKENS = 10**9
"""No reply takes more; a server that counts more has miscounted."""
_LOOPBACK = ("all://localhost", "all://127.0.0.1", "all://[::1]")
_JSON_SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "runs", "strict": True, "schema": answer_schema()},
}
_JSON_OBJECT = {"type": "json_object"}
_FORMAT_COMPLAINT = re.compile("response_format|json_schema|json_object|schema|grammar|guided")


class RequestError(LabelError):
    """The endpoint gave no usable reply about one page; others may go well."""


class _PassingError(Exception):
    """Something that may be gone on the next attempt."""


@dataclass(slots=True)
class Usage:
    """What was sent and received so far.

    Parameters
    ----------
    requests, retries : int
        Questions that were answered, and attempts that were not.
    cached : int
        Questions that the cache answered.
    prompt_tokens, completion_tokens : int
    estimated : bool
        Whether the server left a reply's tokens uncounted, so that they are guessed.
    """

    requests: int = 0
    retries: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: bool = False

    def cost(self, prompt_price: float, completion_price: float) -> float:
        """Price of the tokens, from prices of a million."""
        return (self.prompt_tokens * prompt_price + self.completion_tokens * completion_price) / 1e6


class Endpoint:
    """A model behind an OpenAI-compatible address; use it as an asynchronous context manager.

    Parameters
    ----------
    model : str
        Its name there.
    base_url : str, optional
        Address, such as ``http://localhost:8000/v1``; default: ``$OPENAI_BASE_URL``, else OpenAI's.
    key_variable : str
        Environment variable that holds the key. Servers of your own need none.
    timeout : float
        Seconds for one attempt, from the first byte sent to the last one received.
    retries : int
        Further attempts where the last one failed in a way that may pass.
    backoff : float
        Seconds before the first of them, doubled for each further one, unless the server names a time.

    Raises
    ------
    EndpointError
        If the ``openai`` package, a usable key, address or proxy is missing.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        key_variable: str = KEY_VARIABLE,
        timeout: float = 180.0,
        retries: int = 6,
        backoff: float = 1.0,
    ) -> None:
        try:
            import openai
        except ImportError as error:
            raise EndpointError("the LLM labeller needs: pip install 'boilerplate-ds[llm]'") from error
        self.model = model
        self.usage = Usage()
        self._openai = openai
        self._timeout = timeout
        self._retries = retries
        self._backoff = backoff
        self._options: dict[str, Any] = {"temperature": 0.0, "response_format": _JSON_SCHEMA}
        base_url = _checked_url(base_url or os.environ.get(URL_VARIABLE) or None)
        self._key = _checked_key(key_variable)
        if not self._key and base_url is None:
            raise EndpointError(f"no key: set ${key_variable}, or name a server of your own with --base-url")
        self.host = urlsplit(base_url).netloc if base_url else "api.openai.com"
        self._client = self._connected(base_url)

    async def __aenter__(self) -> Endpoint:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def ask(self, messages: Messages) -> str:
        """Ask, and give the text of the answer.

        Raises
        ------
        RequestError
            If there is none to this question: refused, cut off, or no attempt went well.
        EndpointError
            If no other question would fare better.
        """
        for attempt in range(self._retries + 1):
            try:
                reply = await asyncio.wait_for(self._negotiate(messages), self._timeout)
            except self._passing as error:
                self.usage.retries += 1
                if attempt == self._retries:
                    raise self._given_up(error) from None
                await asyncio.sleep(retry_delay(_headers(error), attempt, self._backoff))
            else:
                return self._text(reply, messages)
        raise AssertionError("unreachable")

    def _connected(self, base_url: str | None) -> Any:
        try:
            http_client = self._openai.DefaultAsyncHttpxClient(
                event_hooks={"response": [_shorten_error]},
                follow_redirects=False,  # pages and key go to the address that was named
                mounts=dict.fromkeys(_LOOPBACK),  # past any proxy
            )
            return self._openai.AsyncOpenAI(
                api_key=self._key or "none",
                base_url=base_url,
                max_retries=0,
                timeout=self._timeout,
                default_headers={"Accept-Encoding": "identity"},  # a few packed bytes may unpack to gigabytes
                http_client=http_client,
            )
        except (ImportError, ValueError) as error:  # of a proxy in the environment
            raise EndpointError(self._clean(f"{self.host} cannot be reached as set up: {error}")) from None

    async def _negotiate(self, messages: Messages) -> dict[str, Any]:
        """Ask with every option, and with fewer and fewer if the server turns the request down."""
        options: dict[str, Any] | None = self._options
        while options is not None:
            try:
                reply = await self._send(messages, options)
            except self._openai.APIStatusError as error:
                self._raise_if_hopeless(error)
                milder = _milder(options, f"{error} {error.body}".lower(), error.status_code)
                if milder is None:
                    if error.status_code >= 500 or error.status_code in (408, 409, 429):
                        raise
                    raise RequestError(self._told(error)) from None
                options = milder
            else:
                self._options = options
                return reply
        raise AssertionError("unreachable")

    async def _send(self, messages: Messages, options: Mapping[str, Any]) -> dict[str, Any]:
        create: Any = self._client.chat.completions.with_streaming_response.create
        body = bytearray()
        async with create(model=self.model, messages=messages, **options) as response:
            if _is_packed(response.headers):
                raise EndpointError(f"{self.host}: the reply is compressed, which was not asked for")
            async for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_REPLY_BYTES:
                    raise _PassingError(f"the reply is longer than {MAX_REPLY_BYTES:,} bytes")
        try:
            reply = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise _PassingError(f"the reply is not JSON: {error}") from error
        if not isinstance(reply, dict):
            raise _PassingError("the reply is not a JSON object")
        if not isinstance(reply.get("choices"), list) or not reply["choices"]:
            raise _PassingError(f"the reply holds no choice: {json.dumps(reply.get('error', ''))}")
        return reply

    def _text(self, reply: Mapping[str, Any], messages: Messages) -> str:
        choice = reply["choices"][0]
        choice = choice if isinstance(choice, dict) else {}
        message = choice.get("message")
        message = message if isinstance(message, dict) else {}
        text = message.get("content")
        text = text.encode("utf-8", "replace").decode() if isinstance(text, str) else ""
        self._count(reply.get("usage"), messages, text)
        if message.get("refusal") or choice.get("finish_reason") == "content_filter":
            raise RequestError(
                self._clean(f"the model refused: {message.get('refusal') or 'content filter'}")
            )
        if choice.get("finish_reason") == "length":
            raise RequestError("the answer was cut off at the model's limit; try a smaller --window")
        return text

    def _count(self, usage: object, messages: Messages, text: str) -> None:
        counts = usage if isinstance(usage, dict) else {}
        sent, received = counts.get("prompt_tokens"), counts.get("completion_tokens")
        self.usage.requests += 1
        if not (_is_count(sent) and _is_count(received)):
            sent = sum(estimate_tokens(message["content"]) for message in messages)
            received = estimate_tokens(text)
            self.usage.estimated = True
        self.usage.prompt_tokens += sent
        self.usage.completion_tokens += received

    @cached_property
    def _passing(self) -> tuple[type[Exception], ...]:
        """Errors that may be gone next time; the client reads by httpx2 since version 3, by httpx before."""
        found: list[type[Exception]] = [
            _PassingError,
            asyncio.TimeoutError,
            self._openai.APIConnectionError,
            self._openai.APIStatusError,
        ]
        for name in ("httpx2", "httpx"):
            try:
                found.append(import_module(name).HTTPError)
            except ImportError:
                continue
        return tuple(found)

    def _raise_if_hopeless(self, error: Any) -> None:
        if 300 <= error.status_code < 400:
            place = _headers(error).get("location", "an address it does not name")
            told = f"{self.host}: status {error.status_code}: redirects to {place}, which is not followed"
            raise EndpointError(self._clean(told)) from None
        no_money = error.status_code == 402 or getattr(error, "code", None) == "insufficient_quota"
        refused = error.status_code == 401 or (error.status_code in (403, 404) and not self.usage.requests)
        if no_money or refused:
            raise EndpointError(self._told(error)) from None

    def _given_up(self, error: Exception) -> Exception:
        told = f"{self._told(error)} ({self._retries + 1} attempts)"
        unreachable = isinstance(error, self._openai.APIConnectionError) and not isinstance(
            error, self._openai.APITimeoutError
        )
        is_busy = getattr(error, "status_code", None) == 429
        return EndpointError(told) if unreachable or is_busy else RequestError(told)

    def _told(self, error: Exception) -> str:
        if isinstance(error, (asyncio.TimeoutError, self._openai.APITimeoutError)):
            return f"{self.host}: no whole reply within {self._timeout:g} seconds"
        if isinstance(error, self._openai.APIStatusError):
            return self._clean(f"{self.host}: status {error.status_code}: {_message(error.body)}")
        cause = f" ({error.__cause__})" if isinstance(error, self._openai.APIConnectionError) else ""
        return self._clean(f"{self.host}: {str(error) or type(error).__name__}{cause}")

    def _clean(self, text: str) -> str:
        """Shorten what a server said, and blot out the key if it says it back."""
        return (text.replace(self._key, "[key]") if self._key else text)[:_MAX_MESSAGE]


async def _shorten_error(response: Any) -> None:
    """Keep the first bytes of an error's reply, which the client would read to its end and unpack."""
    if response.is_success:
        return
    first = bytearray()
    if _is_packed(response.headers):
        del response.headers["content-encoding"]
        first += b"(a compressed message)"
    else:
        async for chunk in response.stream:
            first += chunk
            if len(first) >= MAX_ERROR_BYTES:
                break
    await response.stream.aclose()
    library = import_module(type(response).__module__.partition(".")[0])
    response.stream = library.ByteStream(bytes(first[:MAX_ERROR_BYTES]))


def _is_packed(headers: Mapping[str, str]) -> bool:
    return headers.get("content-encoding", "identity") != "identity"


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= _MAX_TOKENS


def retry_delay(headers: Mapping[str, str], attempt: int, backoff: float) -> float:
    """Seconds to wait: what ``Retry-After`` names, else ``backoff`` doubled each time, shortened by chance.

    Parameters
    ----------
    headers : mapping of str to str
        Of the reply, with lower-case names.
    attempt : int
        From 0.
    backoff : float
        Seconds.
    """
    named = _seconds(headers.get("retry-after", ""))
    if named is None:
        named = backoff * 2**attempt * random.uniform(0.5, 1)  # noqa: S311 - spreads requests, hides nothing
    return min(max(named, 0.0), MAX_WAIT)


def _seconds(retry_after: str) -> float | None:
    try:
        return float(retry_after) if retry_after.replace(".", "", 1).isdecimal() else _until(retry_after)
    except (ValueError, TypeError, OverflowError):
        return None


def _until(date: str) -> float:
    when = parsedate_to_datetime(date)
    when = when if when.tzinfo else when.replace(tzinfo=timezone.utc)
    return (when - datetime.now(timezone.utc)).total_seconds()


def _message(body: object) -> str:
    """Find what the body of an error says, however it is wrapped."""
    while isinstance(body, dict) and ("error" in body or "message" in body):
        body = body["error"] if "error" in body else body["message"]
    return str(body)


def _headers(error: Exception) -> Mapping[str, str]:
    response = getattr(error, "response", None)
    return {} if response is None else response.headers


def _milder(options: Mapping[str, Any], complaint: str, status: int) -> dict[str, Any] | None:
    """Leave out what a server complains of: old ones know no schema, some models no temperature."""
    about_format = _FORMAT_COMPLAINT.search(complaint) is not None
    if status not in (400, 422) and not (status >= 500 and about_format):
        return None
    rest = dict(options)
    if "temperature" in complaint and "temperature" in rest:
        del rest["temperature"]
    elif options.get("response_format") == _JSON_SCHEMA:
        rest["response_format"] = _JSON_OBJECT
    elif "response_format" in rest:
        del rest["response_format"]
    else:
        return None
    return rest


def _checked_key(variable: str) -> str:
    """Read the key; spaces and line ends around it are left over from a file or a copy."""
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise EndpointError(f"the key in ${variable} is not usable: it must be printable ASCII")
    return key


def _checked_url(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise EndpointError(
            "the endpoint's address is no http or https address such as http://localhost:8000/v1"
        )
    if parts.username or parts.password:
        raise EndpointError("the endpoint's address holds a password; a key belongs into the environment")
    return url
