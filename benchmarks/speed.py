"""Pages and megabytes a second on one core, start-up, growth with lines, beside peers in the same run.

Times are processor time, so that other work on the machine matters less, but for several processes, whose
work is timed by the clock; each figure is the median of several rounds, and contestants take turns within a
round.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from joblib import cpu_count
from pyarrow import parquet
from threadpoolctl import threadpool_limits

from benchmarks.peers import peers
from boilerplate_ds import Cleaner, Document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUNDS = 5
LINES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
_START = "from boilerplate_ds import Cleaner; Cleaner({model!r}).clean('Home\\nSome text of a page.\\n')"


def run(corpus: Path, model: str, n_pages: int, out: Path) -> None:
    """Measure and write the results."""
    html = parquet.read_table(corpus / "wcxb-dev.parquet", columns=["html"])["html"].to_pylist()
    html = html[:: max(1, len(html) // n_pages)][:n_pages]
    texts = [_all_text(page) for page in html]
    cleaner = Cleaner(model)
    with threadpool_limits(1):  # the figures are for one core
        results = {
            "pages": len(html),
            "html": _pages_a_second(html, cleaner),
            "text": _text(texts, cleaner),
            "start_seconds": _start(model),
            "growth": _growth(cleaner),
            "processes": _processes(texts, cleaner),
        }
    _write(out, results)


def _all_text(html: str) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    return str(extract_plain_text(html, main_content=False, preserve_formatting=True))


def _median(call: Callable[[], object]) -> float:
    """Median processor time of a call, in seconds."""
    return _rounds({"": call})[""]


def _rounds(contestants: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median processor time of each contestant, in seconds."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, call in contestants.items():
            start = time.process_time()
            call()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def _pages_a_second(html: list[str], cleaner: Cleaner) -> dict[str, float]:
    contestants: dict[str, Callable[[], object]] = {
        "boilerplate-ds, clean_html": lambda: [cleaner.clean_html(page) for page in html],
        "boilerplate-ds, clean_documents": lambda: cleaner.clean_documents(
            [Document.from_html(page, id="") for page in html]
        ),
        "resiliparse, all text": lambda: [_all_text(page) for page in html],
    }
    for name, extract in peers().items():
        contestants[name] = lambda extract=extract: [extract(page) for page in html]
    return {name: round(len(html) / seconds, 1) for name, seconds in _rounds(contestants).items()}


def _text(texts: list[str], cleaner: Cleaner) -> dict[str, float]:
    """Megabytes a second of plain text, and milliseconds for one page of 5 kB."""
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    page = max(texts, key=len)[:5_000]
    seconds = _rounds(
        {
            "batch": lambda: cleaner.clean_batch(texts),
            "page": lambda: [cleaner.clean(page) for _ in range(20)],
        }
    )
    return {
        "clean_batch_mb_a_second": round(size / seconds["batch"] / 1e6, 2),
        "clean_5_kb_ms": round(seconds["page"] / 20 * 1000, 3),
    }


def _processes(texts: list[str], cleaner: Cleaner) -> dict[str, float]:
    """How many times as fast, by the clock, as many processes as there are cores clean as one does."""
    texts = texts * max(1, 2_000 // len(texts))
    cores = cpu_count()
    cleaner.clean_batch(texts[: 4 * cores], n_jobs=cores)  # processes start and load the model
    times: dict[int, list[float]] = {1: [], cores: []}
    for _ in range(ROUNDS):
        for n, taken in times.items():
            start = time.perf_counter()
            cleaner.clean_batch(texts, n_jobs=n)
            taken.append(time.perf_counter() - start)
    ratio = statistics.median(times[1]) / statistics.median(times[cores])
    return {"number": cores, "times_as_fast": round(ratio, 2)}


def _start(model: str) -> float:
    """Seconds from a new process to the first cleaned page."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", _START.format(model=model)], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return round(statistics.median(times), 3)


def _growth(cleaner: Cleaner) -> dict[int, float]:
    """Seconds for one document of so many lines."""
    sentence = "The ferry to the island number {} will run every hour from the first of May."
    growth = {}
    for n in LINES:
        text = "\n".join(sentence.format(i) if i % 3 else f"News {i}" for i in range(n))
        calls = max(1, 10_000 // n)  # one call of a few lines is over before the clock can tell
        seconds = _median(lambda text=text, calls=calls: [cleaner.clean(text) for _ in range(calls)])
        growth[n] = round(seconds / calls, 7)
    return growth


def _write(out: Path, results: dict[str, Any]) -> None:
    (out / "speed.json").write_text(json.dumps(results, indent=2) + "\n")
    base = results["html"]["trafilatura"]
    lines = [
        "# Speed",
        "",
        f"One core, processor time, median of {ROUNDS} rounds over {results['pages']} pages of WCXB's",
        "development split, contestants in turn: `python -m benchmarks speed`.",
        "",
        "| from HTML | pages a second | × trafilatura |",
        "|---|--:|--:|",
    ]
    for name, rate in sorted(results["html"].items(), key=lambda item: -item[1]):
        lines.append(f"| {name} | {rate:.0f} | {rate / base:.1f} |")
    text, processes = results["text"], results["processes"]
    lines += [
        "",
        "| | |",
        "|---|--:|",
        f"| plain text, `clean_batch` | {text['clean_batch_mb_a_second']:.1f} MB/s |",
        f"| {processes['number']} processes, by the clock | {processes['times_as_fast']:.2f} × one |",
        f"| one page of 5 kB, `clean` | {text['clean_5_kb_ms']:.2f} ms |",
        f"| import, load and first clean, a new process | {results['start_seconds']:.2f} s |",
        "",
        "![Time by lines in one document](growth.png)",
    ]
    (out / "speed.md").write_text("\n".join(lines) + "\n")
    _plot(out / "growth.png", results["growth"])
    print("\n".join(lines))


def _plot(path: Path, growth: dict[int, float]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), dpi=100)
    axes.loglog(list(growth), list(growth.values()), "o-", color="#0072b2", label="clean")
    last = max(growth)
    axes.loglog(
        [last / 1000, last], [growth[last] / 1000, growth[last]], "--", color="#999999", label="linear"
    )
    axes.set_xlabel("lines in one document")
    axes.set_ylabel("seconds")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)
