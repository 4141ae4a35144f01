"""Bombs, cut archives and rows of the wrong type: refused with file, place and reason; others are read."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boilerplate_ds.errors import Rejects
from boilerplate_ds.sources import arrow, compression, read_documents

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMPRESS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstandard.compress}
STARTS = {
    "txt": b"",
    "html": b"<p>",
    "jsonl": b'{"text": "',
    "json": b'["',
    "csv": b'text\n"',
    "warc": b"WARC/1.0\r\nA: ",
}


def read(path: Path) -> tuple[int, list[str]]:
    """Give the number of documents, and the rejects without the file's path."""
    rejects = Rejects()
    n_documents = sum(1 for _ in read_documents(path, rejects=rejects))
    return n_documents, [str(reject).removeprefix(str(path)).lstrip(",: ") for reject in rejects.items]


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("name", STARTS)
def test_a_bomb_is_refused_in_every_format(name: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"bomb.{name}{suffix}"
    path.write_bytes(COMPRESS[suffix](STARTS[name] + b"a" * 70_000_000))
    assert path.stat().st_size < 200_000
    n_documents, rejects = read(path)
    assert n_documents == 0
    assert len(rejects) == 1
    assert (
        "grows more than 300 times" in rejects[0]
        or "limit" in rejects[0]
        or "header length" in rejects[0]
        or "most" in rejects[0]
    )


def test_records_before_a_bomb_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "_GROWTH_CHECKED_FROM", 2**20)
    good = b'{"text": "a page"}\n' * 100
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(good + b"\n" * 3_000_000))
    n_documents, rejects = read(tmp_path / "a.jsonl.gz")
    assert n_documents == 100
    assert len(rejects) == 1
    assert rejects[0].endswith("as bombs do; if it is meant to, decompress it first")


def test_text_that_repeats_itself_as_logs_do_is_no_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "_GROWTH_CHECKED_FROM", 2**20)
    lines = b"".join(b'{"text": "request %d served", "n": %d}\n' % (i, i * i) for i in range(40_000))
    for suffix, compress in COMPRESS.items():
        (tmp_path / f"a.jsonl{suffix}").write_bytes(compress(lines))
        assert read(tmp_path / f"a.jsonl{suffix}") == (40_000, [])


def test_a_parquet_dictionary_of_one_long_text_is_read_a_few_rows_at_a_time(tmp_path: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 64, pa.int32()), pa.array(["x" * 20_000_000]))
    table = pa.table({"id": range(64), "meta": texts, "text": ["t"] * 64})
    pq.write_table(table, tmp_path / "a.parquet", store_schema=False)
    assert (tmp_path / "a.parquet").stat().st_size < 2_000_000
    n_rows = arrow.batch_rows(pq.read_metadata(tmp_path / "a.parquet"))
    assert 1 <= n_rows <= 2**28 // 20_000_000  # not 64 times 20 MB at once


def test_a_warc_record_of_absurd_length_is_named(tmp_path: Path) -> None:
    head = "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <urn:{0}>\r\nContent-Length: {0}\r\n\r\nabc"
    for length in ("1000000000000000000", "-5", "1e3", "\u0663"):
        (tmp_path / "a.warc").write_text(head.format(length), encoding="utf-8")
        n_documents, rejects = read(tmp_path / "a.warc")
        assert n_documents == 0
        assert rejects


ROWS: list[tuple[Any, bool]] = [
    ({"text": "good"}, True),
    ({"text": 5}, False),
    ({"text": None}, False),
    ({"text": {"nested": "x"}}, False),
    ({"text": ["a", 1]}, False),
    ({"text": ["a", "b"], "id": {"odd": 1}, "url": 7, "site": [], "metadata": "odd"}, True),
    ({"body": "other name"}, True),
    ({}, False),
    ([], False),
    (7, False),
    ("text", False),
    (None, False),
    ({"text": ""}, True),
]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(ROWS), min_size=1, max_size=30))
def test_the_counts_add_up(tmp_path: Path, rows: list[tuple[Any, bool]]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row, _ in rows))
    n_documents, rejects = read(path)
    assert n_documents == sum(is_good for _, is_good in rows)
    assert n_documents + len(rejects) == len(rows)
    bad = [number for number, (_, is_good) in enumerate(rows, 1) if not is_good]
    assert [reject.partition(":")[0] for reject in rejects] == [f"line {number}" for number in bad]
