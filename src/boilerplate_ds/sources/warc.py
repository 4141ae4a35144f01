"""WARC and WET archives: responses that are HTML, resources that are HTML, and extracted text."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

from boilerplate_ds.errors import Reject, SourceError
from boilerplate_ds.sources.content_coding import undo_codings
from boilerplate_ds.sources.detect import looks_like_html
from boilerplate_ds.sources.encoding import decode_text
from boilerplate_ds.sources.html import MAX_HTML_BYTES
from boilerplate_ds.sources.page import Page
from boilerplate_ds.sources.site import site_of
from boilerplate_ds.sources.stream import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastwarc.warc import WarcRecord

    from boilerplate_ds.sources.stream import PageFile, PageStream

_SKIPPED_AT_ONCE = 2**20
_HTML_TYPES = frozenset(("text/html", "application/xhtml+xml"))


def read_warc(file: PageFile) -> Iterator[Page | Reject]:
    """Read the pages of a WARC or WET file.

    ``response`` and ``resource`` records with an HTML content type become documents with markup,
    ``conversion`` records become text; requests, images and the like are passed over.
    """
    from fastwarc.warc import ArchiveIterator

    number = 0
    try:
        for number, record in enumerate(ArchiveIterator(_Forward(file.stream), parse_http=False), start=1):
            item = _read_record(record, file, number)
            if item is not None:
                yield item
    except (OSError, ValueError) as error:
        file.stream.finish()  # broken compression is the better reason
        raise SourceError(f"the archive is damaged after record {number}: {error}") from error
    file.stream.finish()


class _Forward:
    """A stream as FastWARC asks for it: forward only, with a position."""

    def __init__(self, stream: PageStream) -> None:
        self._stream = stream
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._position += len(data)
        return data

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go forward; what lies between is read and dropped."""
        target = offset + (self._position if whence == os.SEEK_CUR else 0)
        while self._position < target and self.read(min(_SKIPPED_AT_ONCE, target - self._position)):
            pass
        return self._position

    def close(self) -> None:
        """Leave the stream open; who opened the file closes it."""


def _read_record(record: WarcRecord, file: PageFile, number: int) -> Page | Reject | None:
    name = f"record {record.record_id or number}"
    try:
        length = record.headers.get("Content-Length")
        if length is None:
            raise SourceError("not a whole WARC header")
        if not (length.isascii() and length.isdigit()):
            raise SourceError(f"Content-Length is {length[:20]!r}, not a number of bytes")
        kind = record.headers.get("WARC-Type", "")
        if kind == "conversion":
            text = decode_text(_block(record))[0]
            return Page(content=text, fields=_fields(record, file, number), file=file.path, record=name)
        if kind in ("response", "resource"):
            return _html_page(record, file, number, name)
    except (SourceError, OSError, ValueError) as error:
        return file.reject(name, str(error))
    return None


def _html_page(record: WarcRecord, file: PageFile, number: int, name: str) -> Page | None:
    block = _block(record)
    fields = _fields(record, file, number)
    content_type = record.headers.get("Content-Type", "")
    charset = ""
    if block.startswith(b"HTTP/"):
        response, body = _parsed(block, "none")
        content_type = response.http_content_type or ""
        charset = response.http_charset or ""
        fields["metadata"]["status"] = response.http_headers.status_code if response.http_headers else None
        if content_type and not _is_html(content_type):
            return None
        block = _decoded(response, body, block, is_cut="truncated" in fields["metadata"])
    if not (_is_html(content_type) if content_type else looks_like_html(block)):
        return None
    if len(block) > MAX_HTML_BYTES:
        raise SourceError(f"a page of more than {MAX_HTML_BYTES:,} bytes")
    return Page(content=block, fields=fields, file=file.path, record=name, is_html=True, charset=charset)


def _decoded(response: WarcRecord, body: bytes, block: bytes, *, is_cut: bool) -> bytes:
    """Decode the body of a response as its header says.

    Some crawlers keep the server's header with a body that they have decoded already: HTML that cannot be
    decoded as the header says is taken as it is.
    """
    headers: Any = response.http_headers or {}
    coding = headers.get("Content-Encoding") or ""
    try:
        sent = _parsed(block, "transfer")[1] if headers.get("Transfer-Encoding") else body
        if sent and coding.strip().lower() == "br":
            return _parsed(block, "all")[1]
        return undo_codings(sent, coding, limit=MAX_HTML_BYTES, is_cut=is_cut)
    except (SourceError, OSError, ValueError) as error:
        if not looks_like_html(body):
            raise SourceError(f"the HTTP body cannot be decoded: {error}") from error
        return body


def _parsed(block: bytes, auto_decode: Literal["none", "transfer", "all"]) -> tuple[WarcRecord, bytes]:
    """Parse a response in a record of its own: where that fails, the archive can be read on."""
    from fastwarc.warc import WarcRecord, WarcRecordType

    response: WarcRecord = WarcRecord()
    response.init_headers(record_type=WarcRecordType.response)
    response.is_http = True
    response.set_bytes_content(block)
    response.parse_http(auto_decode=auto_decode)
    return response, response.reader.read(MAX_HTML_BYTES + 1)


def _is_html(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in _HTML_TYPES


def _block(record: WarcRecord) -> bytes:
    """Read a record's content, all of it or none."""
    if record.content_length > MAX_RECORD_BYTES:
        raise SourceError(f"{record.content_length:,} bytes; the limit is {MAX_RECORD_BYTES:,}")
    block = record.reader.read(record.content_length)
    if len(block) < record.content_length:
        raise SourceError(f"cut short: {len(block):,} of {record.content_length:,} bytes")
    return bytes(block)


def _fields(record: WarcRecord, file: PageFile, number: int) -> dict[str, Any]:
    headers = record.headers
    url = (headers.get("WARC-Target-URI") or "").strip("<> ")
    metadata = {"date": headers.get("WARC-Date") or ""}
    if (why := headers.get("WARC-Truncated")) is not None:
        metadata["truncated"] = why or "unspecified"
    return {
        "id": record.record_id or f"{file.name}#{number}",
        "url": url,
        "site": site_of(url),
        "language": headers.get("WARC-Identified-Content-Language") or "",
        "source": file.path,
        "metadata": metadata,
    }
