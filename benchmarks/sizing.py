"""Pages and megabytes a second on one core, beside trafilatura in the same run, and what a crawl would cost.

    python benchmarks/sizing.py --corpus ../shared/corpus
    python benchmarks/sizing.py --corpus ../shared/corpus --docs

Measured on pages of WCXB's development split: HTML to clean text, and plain text (all that the page shows)
to clean text. Extrapolated to one Common Crawl snapshot. ``--docs`` also puts the table into
``docs/cleaning-at-scale.md``. Each figure is the best of ``--repeat`` runs of processor time, so that other
work on the machine matters little.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from doc_tables import fill
from pyarrow import parquet
from threadpoolctl import threadpool_limits

from boilerplate_ds import Cleaner, Document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DOCS = Path("docs/cleaning-at-scale.md")
SNAPSHOT_PAGES = 2_500_000_000
DOLLARS_A_CORE_HOUR = 0.01
"""What a core of a spot or preemptible machine costs at large providers, about; scale it to yours."""
BATCH = 50


def main() -> None:
    """Measure, extrapolate, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder with wcxb-dev.parquet")
    parser.add_argument("--model", default="web", help="model to clean with")
    parser.add_argument("--pages", type=int, default=300, help="pages to measure on")
    parser.add_argument("--repeat", type=int, default=3, help="runs, the best of which counts")
    parser.add_argument("--docs", action="store_true", help=f"put the table into {DOCS}")
    options = parser.parse_args()
    html = read_html(options.corpus / "wcxb-dev.parquet", options.pages)
    with threadpool_limits(1):  # the figures are for one core
        results = [measure(*each, options.repeat) for each in contestants(html, options.model)]
    table = as_table(results, len(html))
    print(table)
    if options.docs:
        fill(DOCS, "sizing", table)


def read_html(path: Path, pages: int) -> list[str]:
    """Give pages spread evenly over the file."""
    html: list[str] = parquet.read_table(path, columns=["html"])["html"].to_pylist()
    return html[:: max(1, len(html) // pages)][:pages]


def contestants(
    html: list[str], model: str
) -> list[tuple[str, list[str], Callable[[Sequence[str]], object]]]:
    """Name, input and function of everything that is measured."""
    import trafilatura
    from resiliparse.extract.html2text import extract_plain_text

    cleaner = Cleaner(model)
    text = [str(extract_plain_text(page, main_content=False, preserve_formatting=True)) for page in html]

    def from_html(pages: Sequence[str]) -> object:
        return cleaner.clean_documents([Document.from_html(page, id="") for page in pages])

    return [
        ("boilerplate-ds, from HTML", html, from_html),
        ("boilerplate-ds, from plain text", text, cleaner.clean_batch),
        ("trafilatura, from HTML", html, lambda pages: [trafilatura.extract(page) for page in pages]),
        (
            "trafilatura `fast`, from HTML",
            html,
            lambda pages: [trafilatura.extract(page, fast=True) for page in pages],
        ),
        (
            "resiliparse main content, from HTML",
            html,
            lambda pages: [extract_plain_text(page, main_content=True) for page in pages],
        ),
    ]


@dataclass(frozen=True, slots=True)
class Speed:
    """Processor seconds that one core took for some pages of some bytes."""

    name: str
    pages: int
    bytes: int
    seconds: float


def measure(name: str, pages: list[str], function: Callable[[Sequence[str]], object], repeat: int) -> Speed:
    """Time a function over all pages, in batches; one batch first to load what it needs."""
    function(pages[:BATCH])
    seconds = min(timed(pages, function) for _ in range(repeat))
    size = sum(len(page.encode("utf-8", "replace")) for page in pages)
    speed = Speed(name, len(pages), size, seconds)
    print(json.dumps({"name": name, "pages_a_second": round(len(pages) / seconds, 1)}), flush=True)
    return speed


def timed(pages: list[str], function: Callable[[Sequence[str]], object]) -> float:
    """Processor time of this process for all pages."""
    begun = time.process_time()
    for start in range(0, len(pages), BATCH):
        function(pages[start : start + BATCH])
    return time.process_time() - begun


def as_table(results: list[Speed], n_pages: int) -> str:
    """Write speeds and what they come to for a snapshot, as a Markdown table."""
    where = f"{processor()}, Python {platform.python_version()}"
    rows = [
        f"Measured on {n_pages} pages of WCXB's development split, one core ({where}), processor time.",
        "",
        "| | pages/s | MB/s | core-hours for 2.5 billion pages | at $0.01 each | days on 1,000 cores |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for result in results:
        rate = result.pages / result.seconds
        hours = SNAPSHOT_PAGES / rate / 3600
        rows.append(
            f"| {result.name} | {rate:,.0f} | {result.bytes / 1e6 / result.seconds:.1f} | {hours:,.0f} "
            f"| ${hours * DOLLARS_A_CORE_HOUR:,.0f} | {hours / 1000 / 24:.1f} |"
        )
    return "\n".join(rows)


def processor() -> str:
    """Name the processor, as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


if __name__ == "__main__":
    main()
