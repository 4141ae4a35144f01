"""Who may talk to the labelling page: known hosts, pages of its own, and annotators with their link."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from hmac import compare_digest
from ipaddress import ip_address
from secrets import token_urlsafe
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

from boilerplate_ds.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Access:
    """What lets a request in.

    Parameters
    ----------
    names : frozenset of str
        Host names the page may be called by, besides ``localhost`` and IP addresses. A page on a name that
        is not here is another site whose name was pointed at this machine (DNS rebinding).
    tokens : mapping of str to str
        Each annotator's secret; empty: no sign-in, as on loopback.
    """

    names: frozenset[str] = frozenset()
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

    def knows_host(self, host: str) -> bool:
        """Whether a ``Host`` header names this server."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name == "localhost" or name in map(str.lower, self.names):
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True

    def admits(self, annotator: str, secret: str | None) -> bool:
        """Whether somebody with this secret may work as this annotator."""
        if not self.tokens:
            return True
        token = self.tokens.get(annotator)
        return token is not None and secret is not None and compare_digest(token.encode(), secret.encode())


def is_loopback(host: str) -> bool:
    """Whether a server bound to this host is reached from this machine only."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def annotator_tokens(folder: Path, annotators: Iterable[str]) -> dict[str, str]:
    """Give each annotator's secret, the same at every start: kept in ``<collection>/.session/tokens.json``.

    Only the owner can read that file, and git is told to leave it out. Links stay valid until it is
    deleted and the server started again.

    Raises
    ------
    LabelError
        If the file is damaged.
    """
    path = folder / ".session" / "tokens.json"
    try:
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        tokens = {str(name): str(token) for name, token in known.items()}
    except (ValueError, AttributeError) as error:
        raise LabelError(
            f"{path}: not readable as JSON ({error}); delete it, new links are made then"
        ) from error
    missing = [name for name in annotators if name not in tokens]
    if missing:
        tokens |= {name: token_urlsafe(24) for name in missing}
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        aside = path.with_suffix(".new")
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(tokens, file, indent=2)
        aside.replace(path)
    return {name: tokens[name] for name in annotators}


class Guard:
    """Refuses requests for unknown hosts and requests other sites make, and adds the security headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        reason = self._refusal(scope["method"], Headers(scope=scope))
        app = PlainTextResponse(reason + "\n", status_code=403) if reason else self.app

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_with_headers)

    def _refusal(self, method: str, headers: Headers) -> str:
        host = headers.get("host", "")
        if not self.access.knows_host(host):
            return (
                f"This server is not known as {host[:100]!r}. Start it with --host-name to allow that name."
            )
        origin = headers.get("origin")
        if method not in ("GET", "HEAD") or origin is not None:
            if origin is not None and _host_of(origin) != host:
                return "Requests from other sites are refused."
            if headers.get("sec-fetch-site", "same-origin") != "same-origin":
                return "Requests from other sites are refused."
        return ""


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
