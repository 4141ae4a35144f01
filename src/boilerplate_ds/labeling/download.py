"""One file over HTTP, once: pinned by checksum, bounded in size, resumed where it broke off.

What has arrived is kept as ``<file>.part``, with the server's ``ETag`` beside it, and only becomes ``<file>``
when its checksum is right. It is resumed only if the server vouches, by that ``ETag``, for the same file
(RFC 9110, sections 13.1.5 and 14.2); any other answer starts it over.
"""

from __future__ import annotations

import http.client
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from boilerplate_ds.checksums import sha256_of_file
from boilerplate_ds.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    Progress = Callable[[int, int], None]

CACHE_VARIABLE = "BOILERPLATE_DS_CACHE"
_CHUNK = 2**18
_RANGE = re.compile(r"bytes (\d+)-\d+/")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file at an address, pinned.

    Parameters
    ----------
    url : str
        ``http`` or ``https``.
    sha256 : str
    size : int
        In bytes; not one more is read.
    """

    url: str
    sha256: str
    size: int


def cache_folder() -> Path:
    """Give the folder for downloads: ``$BOILERPLATE_DS_CACHE``, or ``~/.cache/boilerplate-ds``."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path.home() / ".cache" / "boilerplate-ds"


def download(
    remote: RemoteFile,
    target: Path,
    *,
    progress: Progress | None = None,
    timeout: float = 30,
    attempts: int = 4,
    pause: float = 1,
) -> Path:
    """Fetch a file unless it is there already.

    Parameters
    ----------
    remote : RemoteFile
    target : Path
        Where it goes; its folder is made.
    progress : callable, optional
        Called with bytes so far and bytes in all.
    timeout : float
        Seconds without a byte before an attempt is given up.
    attempts : int
        How often to try when the connection fails; each goes on from where the last one ended.
    pause : float
        Seconds before the second attempt; doubles with each.

    Returns
    -------
    Path
        ``target``.

    Raises
    ------
    SourceError
        If the address is not HTTP, the server refuses, the file is too large or not the pinned one, or
        every attempt failed. What has arrived stays for the next call, unless it is wrong.
    """
    _check_scheme(remote.url)
    if target.exists() and sha256_of_file(target) == remote.sha256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    for attempt in range(1, attempts + 1):
        try:
            _fetch(remote, part, progress, timeout)
            break
        except (OSError, http.client.HTTPException) as error:
            if attempt == attempts or not _is_passing(error):
                raise SourceError(_failure(remote, part, error)) from error
            time.sleep(pause * 2 ** (attempt - 1))
    _check_sum(remote, part)
    part.replace(target)
    _etag_file(part).unlink(missing_ok=True)
    return target


def _fetch(remote: RemoteFile, part: Path, progress: Progress | None, timeout: float) -> None:
    """Bring ``part`` to its full size, in one request."""
    have = part.stat().st_size if part.exists() else 0
    if have == remote.size:
        return
    headers = {"Accept-Encoding": "identity", "User-Agent": "boilerplate-ds"}
    etag = _etag_file(part).read_text("ascii") if _etag_file(part).exists() else ""
    if etag and 0 < have < remote.size:
        headers |= {"Range": f"bytes={have}-", "If-Range": etag}
    try:
        response = _opener().open(urllib.request.Request(remote.url, headers=headers), timeout=timeout)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            _remove(part)
        raise
    with response, part.open("r+b" if part.exists() else "wb") as handle:
        start = _start_of(response, have, part)
        handle.truncate(start)
        handle.seek(start)
        _copy(response, handle, remote, start, progress)


def _start_of(response: Any, have: int, part: Path) -> int:
    """Give the offset in the file at which the body of a response begins."""
    if response.status != http.client.PARTIAL_CONTENT:
        return 0
    answer = response.headers.get("Content-Range", "")
    match = _RANGE.match(answer)
    if match is None or int(match[1]) != have:
        _remove(part)
        raise ConnectionError(f"the server sent the range {answer!r} where bytes from {have} were asked for")
    return have


def _copy(response: Any, handle: IO[bytes], remote: RemoteFile, done: int, progress: Progress | None) -> None:
    _remember_etag(response, Path(handle.name))
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and done + int(announced) > remote.size:
        raise SourceError(_too_large(remote, done + int(announced)))
    # One byte more than is wanted shows a body that is too large.
    while chunk := response.read(min(_CHUNK, remote.size - done + 1)):
        done += len(chunk)
        if done > remote.size:
            handle.truncate(0)
            raise SourceError(_too_large(remote, done))
        handle.write(chunk)
        if progress is not None:
            progress(done, remote.size)
    if done < remote.size:
        if announced.isdecimal() and response.length == 0:
            raise SourceError(f"{remote.url}: {done:,} bytes in all; the pinned file has {remote.size:,}")
        raise ConnectionError(f"the connection ended after {done:,} of {remote.size:,} bytes")


def _check_sum(remote: RemoteFile, part: Path) -> None:
    found = sha256_of_file(part)
    if found != remote.sha256:
        _remove(part)
        raise SourceError(
            f"{remote.url}: SHA-256 is {found}, not the pinned {remote.sha256}; the download was removed"
        )


def _remember_etag(response: Any, part: Path) -> None:
    etag = response.headers.get("ETag", "")
    if etag.startswith('"') and etag.isascii():  # a weak one (W/"…") does not promise equal bytes
        _etag_file(part).write_text(etag, "ascii")
    else:
        _etag_file(part).unlink(missing_ok=True)


def _remove(part: Path) -> None:
    part.unlink(missing_ok=True)
    _etag_file(part).unlink(missing_ok=True)


def _etag_file(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _is_passing(error: Exception) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code in (408, 416, 429) or error.code >= 500
    network = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)
    return isinstance(error, network)


def _failure(remote: RemoteFile, part: Path, error: Exception) -> str:
    kept = part.stat().st_size if part.exists() else 0
    rest = f"; {kept:,} of {remote.size:,} bytes are kept in {part}, run it again to go on" if kept else ""
    return f"{remote.url}: {error}{rest}"


def _too_large(remote: RemoteFile, size: int) -> str:
    return f"{remote.url}: at least {size:,} bytes; the pinned file has {remote.size:,}"


def _check_scheme(url: str) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise SourceError(f"{url}: only http and https addresses are downloaded")


class _HttpRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https alone, and never from https to http."""

    def redirect_request(  # noqa: PLR0917 (the signature is the standard library's)
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        _check_scheme(newurl)
        if req.type == "https" and urlsplit(newurl).scheme == "http":
            raise SourceError(f"{req.full_url}: redirects from https to http ({newurl})")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Give an opener without the handlers for files, FTP and data addresses."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _HttpRedirects(),
    ):
        opener.add_handler(handler)
    return opener
