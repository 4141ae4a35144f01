"""Writes the files that the tests of the readers read."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDS: list[dict[str, Any]] = [
    {
        "id": "a",
        "url": "https://www.Example.org/a",
        "text": "Home\n\nFirst text.",
        "language": "en",
        "rank": 1,
    },
    {
        "id": "b",
        "url": "https://shop.example.com:80/b",
        "text": "Zweiter Text: ä, ö\n",
        "language": "de",
        "rank": 2,
    },
]
HTML = "<!doctype html><html><title>T</title><body><nav><a href=/>Home</a></nav><p>A paragraph.</body></html>"

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": partial(gzip.compress, mtime=0),  # the same bytes whenever
    ".zst": zstandard.ZstdCompressor().compress,
}


def as_jsonl(records: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def as_json(records: list[dict[str, Any]]) -> bytes:
    return json.dumps(records, indent=1).encode()


def as_csv(records: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def as_tsv(records: list[dict[str, Any]]) -> bytes:
    return as_csv(records, "\t")


def as_parquet(records: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), out)
    return out.getvalue()


def as_arrow(records: list[dict[str, Any]]) -> bytes:
    table = pa.Table.from_pylist(records)
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def as_arrow_file(records: list[dict[str, Any]]) -> bytes:
    table = pa.Table.from_pylist(records)
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def warc_record(
    kind: str, block: bytes, number: int = 1, url: str = "https://www.example.org/a", **headers: str
) -> bytes:
    fields = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:00000000-0000-0000-0000-{number:012}>",
        "WARC-Date": "2024-05-06T07:08:09Z",
        "WARC-Target-URI": url,
        "Content-Length": str(len(block)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "WARC/1.0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode() + b"\r\n" + block + b"\r\n\r\n"


def http_response(body: bytes, content_type: str = "text/html", more: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{more}\r\n".encode() + body


def encoded(page: str, coding: str) -> bytes:
    """Encode as a server does; ``raw deflate`` is deflate without zlib's wrapper."""
    if coding == "br":
        return pytest.importorskip("brotli").compress(page.encode())
    encode = {
        "gzip": gzip.compress,
        "x-gzip": gzip.compress,
        "deflate": zlib.compress,
        "raw deflate": lambda body: zlib.compress(body)[2:-4],
        "zstd": zstandard.ZstdCompressor().compress,
    }
    return encode[coding](page.encode())


def as_warc() -> bytes:
    return (
        warc_record("warcinfo", b"software: none\r\n", 1)
        + warc_record(
            "request", b"GET / HTTP/1.1\r\n\r\n", 2, Content_Type="application/http; msgtype=request"
        )
        + warc_record(
            "response", http_response(HTML.encode()), 3, Content_Type="application/http; msgtype=response"
        )
        + warc_record("response", http_response(b"\x89PNG", "image/png"), 4, Content_Type="application/http")
    )


def as_wet() -> bytes:
    text = "Startseite\nEin Absatz über Käse.\n".encode()
    return warc_record("warcinfo", b"x: y\r\n", 1) + warc_record(
        "conversion", text, 2, Content_Type="text/plain", WARC_Identified_Content_Language="deu"
    )
