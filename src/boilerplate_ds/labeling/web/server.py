"""Starts the labelling page and tells where it is."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn

from boilerplate_ds.errors import BoilerplateError
from boilerplate_ds.labeling.web.app import make_app

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from boilerplate_ds.labeling.session import Session
    from boilerplate_ds.labeling.web.access import Access


def serve(
    session: Session,
    access: Access,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[Mapping[str, str]], None],
) -> None:
    """Serve a session until the process is told to end.

    Parameters
    ----------
    session : Session
    access : Access
    host : str
        Address to bind to.
    port : int
        0: any free one.
    ready : callable
        Called with each annotator's address once connections are taken.

    Raises
    ------
    BoilerplateError
        If the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        reason = f"cannot serve on {host}, port {port}: {error.strerror or error}"
        raise BoilerplateError(f"{reason}; choose another --port, or 0 for any free one") from error
    config = uvicorn.Config(
        make_app(session, access),
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    with listener, suppress(KeyboardInterrupt):  # how a session ends
        ready(addresses(session, access, host, listener.getsockname()[1]))
        uvicorn.Server(config).run(sockets=[listener])


def addresses(session: Session, access: Access, host: str, port: int) -> dict[str, str]:
    """Give the address each annotator opens; the secret is in it where there is sign-in."""
    shown = socket.gethostname() if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104
    return {
        name: f"http://{shown}:{port}/a/{name}/" + (f"?token={access.tokens[name]}" if access.tokens else "")
        for name in session.annotators
    }
