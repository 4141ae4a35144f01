"""What HTTP's ``Content-Encoding`` names, undone in memory: gzip, deflate and Zstandard."""

from __future__ import annotations

import zlib
from typing import Any

import zstandard

from boilerplate_ds.errors import SourceError
from boilerplate_ds.sources.compression import compression_of

_SLICE = 2**10
"""Bytes given to a decoder at once: of so many, Zstandard makes 32 MiB at most."""


def undo_codings(body: bytes, codings: str, *, limit: int, is_cut: bool = False) -> bytes:
    """Decode a response's body; what is longer than ``limit`` bytes is given a little longer only.

    Parameters
    ----------
    body : bytes
    codings : str
        The value of ``Content-Encoding``, in the order of encoding.
    limit : int
    is_cut : bool
        Whether the body is known to lack its end, so that what there is of it is wanted.

    Raises
    ------
    SourceError
        If a coding is unknown, or its data is damaged or ends too early; with ``is_cut``, if it is nothing.
    """
    for coding in reversed(codings.lower().split(",")):
        name = coding.strip()
        if body and name not in ("", "identity"):
            body = _decoded(body, name, limit, is_cut=is_cut)
    return body


def _decoded(body: bytes, coding: str, limit: int, *, is_cut: bool) -> bytes:
    decoder = _decoder(coding, body)
    decoded = bytearray()
    position = 0
    try:
        while position < len(body) and len(decoded) <= limit:
            piece = body[position : position + _SLICE]
            decoded += decoder.decompress(piece)
            position += len(piece)
            if decoder.eof:
                position -= len(decoder.unused_data)
                if not compression_of(body[position : position + 4]):  # no further member: junk is let be
                    break
                decoder = _decoder(coding, body)
    except (zlib.error, zstandard.ZstdError) as error:
        raise SourceError(f"the {coding} data is damaged after {len(decoded):,} bytes ({error})") from error
    if not (decoder.eof or len(decoded) > limit or (is_cut and decoded)):
        raise SourceError(f"the {coding} data ends too early, after {len(decoded):,} bytes of content")
    return bytes(decoded)


def _decoder(coding: str, body: bytes) -> Any:
    if coding in ("gzip", "x-gzip"):
        return zlib.decompressobj(zlib.MAX_WBITS | 16)
    if coding == "deflate":  # in zlib's wrapper, as it should be, or without, as some servers send it
        has_wrapper = body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
        return zlib.decompressobj(zlib.MAX_WBITS if has_wrapper else -zlib.MAX_WBITS)
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj()
    raise SourceError(f"Content-Encoding {coding[:20]!r} is not known")
