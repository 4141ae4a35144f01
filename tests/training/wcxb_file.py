"""A small Parquet file in the shape of WCXB's, of pages written for these tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet

if TYPE_CHECKING:
    from pathlib import Path

STORY = (
    "The ferry between the harbour and the island will run every hour from May. "
    "The operator said so on Monday, after a wait of three years for the permit of the council. "
    "Until now passengers had to wait up to three hours between two boats."
)
HTML = (
    "<html><head><title>{0}</title></head><body>"
    "<nav><ul><li><a href='/'>Home</a></li><li><a href='/n'>News</a></li></ul></nav>"
    "<article><h1>{0}</h1><p>{1}</p></article><footer>All rights reserved</footer></body></html>"
)
TOO_LARGE = "<" * 2_000_001


def row(number: int, **changes: Any) -> dict[str, Any]:
    title = f"Ferry number {number} to run"
    return {
        "id": f"{number:04}",
        "url": f"https://site{number}.example/ferry",
        "domain": f"site{number}.example",
        "page_type": ("article", "forum")[number % 2],
        "main_content": f"{title}\n{STORY}",
        "html": HTML.format(title, STORY),
    } | changes


def write_wcxb(path: Path, rows: list[dict[str, Any]]) -> Path:
    parquet.write_table(pa.Table.from_pylist(rows), path)
    return path
