"""Decompression by streams: gzip and Zstandard, told by their first bytes, never by the file's name."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Protocol

import zstandard

from boilerplate_ds.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

GZIP_MAGIC = b"\x1f\x8b\x08"
ZSTD_MAGICS = (b"\x28\xb5\x2f\xfd", *(bytes((0x50 + i, 0x2A, 0x4D, 0x18)) for i in range(16)))
"""A Zstandard frame, and the sixteen kinds of skippable frame that may stand before one."""

MAX_GROWTH = 300
"""Data that grows more than so many times when decompressed is a bomb: text grows three to ten times."""
_GROWTH_CHECKED_FROM = 32 * 2**20

_CHUNK = 256 * 2**10
# Zstandard gives all that a piece of input holds at once, up to 128 KiB for 4 bytes: 256 bytes make 8 MiB.
_ZSTD_SLICE = 2**8


class ByteSource(Protocol):
    """Anything bytes can be read from: a file, standard input, a socket."""

    def read(self, size: int = ..., /) -> bytes:
        """Give up to ``size`` bytes, none at the end."""


def compression_of(head: bytes) -> str:
    """Name the compression that a file's first bytes show: ``"gzip"``, ``"zstd"`` or ``""``."""
    if head.startswith(GZIP_MAGIC):
        return "gzip"
    return "zstd" if head.startswith(ZSTD_MAGICS) else ""


def chunks_of(source: ByteSource) -> Iterator[bytes]:
    """Give the bytes of ``source`` piece by piece, decompressed if they are compressed.

    Raises
    ------
    SourceError
        Where compressed data is damaged, ends too early or grows more than :data:`MAX_GROWTH` times; what
        came before has been given by then.
    """
    head = source.read(4)
    while 0 < len(head) < 4 and (more := source.read(4 - len(head))):
        head += more
    compression = compression_of(head)
    resumed = _Resumed(head, source)
    if compression == "gzip":
        yield from _gunzip(resumed)
    elif compression == "zstd":
        yield from _unzstd(resumed)
    else:
        while chunk := resumed.read(_CHUNK):
            yield chunk


class _Resumed:
    """A source whose first bytes were read already, put back in front."""

    def __init__(self, head: bytes, source: ByteSource) -> None:
        self._head = head
        self._source = source
        self._size = 0

    def read(self, size: int = _CHUNK, /) -> bytes:
        if self._head:
            given, self._head = self._head[:size], self._head[size:]
        else:
            given = self._source.read(size)
        self._size += len(given)
        return given

    def check_growth(self, size: int) -> None:
        """Refuse to go on if what was read so far has become far too many bytes, ``size``."""
        if size > _GROWTH_CHECKED_FROM and size > MAX_GROWTH * self._size:
            raise SourceError(
                f"grows more than {MAX_GROWTH} times when decompressed (to over {size:,} bytes), as bombs "
                "do; if it is meant to, decompress it first"
            )


def _gunzip(source: _Resumed) -> Iterator[bytes]:
    size = 0
    with gzip.GzipFile(fileobj=source, mode="rb") as members:  # type: ignore[call-overload]
        try:
            while chunk := members.read1(_CHUNK):
                size += len(chunk)
                source.check_growth(size)
                yield chunk
        except EOFError as error:
            raise SourceError(f"the gzip data ends too early, after {size:,} bytes of content") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise SourceError(
                f"the gzip data is damaged after {size:,} bytes of content ({error})"
            ) from error


def _unzstd(source: _Resumed) -> Iterator[bytes]:
    size = 0
    rest = b""
    frame = zstandard.ZstdDecompressor().decompressobj()
    try:
        while piece := rest or source.read(_ZSTD_SLICE):
            if frame.eof:
                frame = zstandard.ZstdDecompressor().decompressobj()
            chunk = frame.decompress(piece)
            rest = frame.unused_data if frame.eof else b""
            size += len(chunk)
            source.check_growth(size)
            if chunk:
                yield chunk
    except zstandard.ZstdError as error:
        raise SourceError(f"the zstd data is damaged after {size:,} bytes of content ({error})") from error
    if not frame.eof:
        raise SourceError(f"the zstd data ends too early, after {size:,} bytes of content")
