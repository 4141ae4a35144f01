"""Memory holds a record, not a file."""

from __future__ import annotations

import json
import random
import tracemalloc
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from boilerplate_ds.errors import Rejects
from boilerplate_ds.sources import jsonl, read_documents

from .archives import COMPRESSIONS

if TYPE_CHECKING:
    from pathlib import Path

MIB = 2**20
PAGE = ("Some words of a line that goes on and on. " * 20 + "\n") * 40


def read_counting(path: Path) -> tuple[int, float]:
    """Read a file; give the number of documents and the peak of memory in MiB."""
    tracemalloc.start()
    n_documents = sum(1 for _ in read_documents(path, rejects=Rejects()))
    peak = tracemalloc.get_traced_memory()[1] / MIB
    tracemalloc.stop()
    return n_documents, peak


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst", "a.json.gz", "a.csv.zst"])
def test_records_are_streamed(tmp_path: Path, name: str) -> None:
    n_records = 30 * MIB // len(PAGE)
    noise = random.Random(0)  # pages that are all the same would compress like a bomb
    pages = [PAGE + noise.randbytes(400).hex() for _ in range(n_records)]
    records = [json.dumps({"text": page}) for page in pages]
    content = {
        "a.jsonl": "\n".join(records),
        "a.json": "[" + ",\n".join(records) + "]",
        "a.csv": "text\n" + "".join(f'"{page}"\n' for page in pages),
    }[name.rpartition(".")[0]]
    (tmp_path / name).write_bytes(COMPRESSIONS["." + name.rpartition(".")[2]](content.encode()))
    del content, pages, records
    n_documents, peak = read_counting(tmp_path / name)
    assert n_documents == n_records
    assert peak < 12


def test_parquet_is_streamed(tmp_path: Path) -> None:
    texts = [f"{i} {PAGE}" for i in range(2000)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", write_batch_size=10)
    before = pa.total_allocated_bytes()
    most = 0
    for n_documents, _ in enumerate(read_documents(tmp_path / "a.parquet"), start=1):
        if n_documents % 100 == 0:
            most = max(most, pa.total_allocated_bytes() - before)
    assert n_documents == 2000
    assert most < 12 * MIB


def test_a_bomb_is_read_as_a_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "MAX_RECORD_BYTES", MIB)
    for suffix in (".gz", ".zst"):
        path = tmp_path / f"a.jsonl{suffix}"
        path.write_bytes(COMPRESSIONS[suffix](b'{"text": "' + b"t" * (200 * MIB)))
        n_documents, peak = read_counting(path)
        assert n_documents == 0
        assert peak < 20
