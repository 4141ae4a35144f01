"""Show that memory does not grow with the input: peak memory of ``clean`` at two sizes of input.

    python benchmarks/big_input.py --sizes 0.25 2 --kind html --folder /tmp/big

Writes one JSON Lines file of each size (gigabytes) from the starter pages: as text, or as pages of HTML that
are mostly script and style, as on the web (which takes a third of the time). Cleans it into a folder of
shards with the command line, and prints the peak resident memory of the command and of its largest worker.
The files are deleted afterwards. Runs on Linux, which tells the peak of a process in ``/proc``.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from html import escape
from pathlib import Path

GIB = 2**30
MIB = 2**20


def main() -> None:
    """Measure each size in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.25, 2], help="gigabytes of input")
    parser.add_argument("--folder", type=Path, required=True, help="where the files go, for a while")
    parser.add_argument("--kind", choices=["text", "html"], default="text", help="what the records hold")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print("| kind | input | records | shards | time | input/s | peak memory, command | peak memory, worker |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for size in options.sizes:
        source, out = options.folder / "input.jsonl", options.folder / "out"
        try:
            write_input(source, int(size * GIB), options.kind)
            print(measure(source, out, options), flush=True)
        finally:
            source.unlink(missing_ok=True)
            shutil.rmtree(out, ignore_errors=True)


def write_input(path: Path, size: int, kind: str) -> None:
    """Write records of four starter pages each, drawn at random, over 200,000 sites."""
    from boilerplate_ds.shipped import shipped
    from boilerplate_ds.training.run import read_labels

    gold = read_labels([shipped("labels/starter")]).gold["starter"]
    pages = [list(item.document.lines) for item in gold]
    rng = random.Random(0)
    written = number = 0
    with path.open("wb") as file:
        while written < size:
            lines = [line for _ in range(4) for line in rng.choice(pages)]
            number += 1
            row = {
                "id": number,
                "url": f"https://site{rng.randrange(200_000)}.example/{number}",
                "language": rng.choice(["en", "de", "fr"]),
                kind: "\n".join(lines) if kind == "text" else as_html(lines, rng),
            }
            written += file.write((json.dumps(row, ensure_ascii=False) + "\n").encode())


def as_html(lines: list[str], rng: random.Random) -> str:
    """Put lines into a page of about 200 kB, most of it script and style."""
    script = f"var state = {{id: {rng.random()}}};" * 5_000
    body = "".join(f'<div class="block"><p>{escape(line)}</p></div>' for line in lines)
    return (
        f"<html><head><style>{'p {margin: 0}' * 1_000}</style><script>{script}</script></head>{body}</html>"
    )


def measure(source: Path, out: Path, options: argparse.Namespace) -> str:
    """Clean one file and watch the memory of the command's processes."""
    command = [sys.executable, "-m", "boilerplate_ds.cli", "clean", str(source), "-o", str(out), "--json"]
    begun = time.monotonic()
    with subprocess.Popen([*command, "--workers", str(options.workers)], stdout=subprocess.PIPE) as process:
        peaks: dict[int, int] = {}
        while process.poll() is None:
            for pid in [process.pid, *children(process.pid)]:
                peaks[pid] = max(peaks.get(pid, 0), peak_of(pid))
            time.sleep(0.5)
        assert process.stdout is not None
        report = json.loads(process.stdout.read())
    seconds = time.monotonic() - begun
    size = source.stat().st_size
    own, largest = peaks.pop(process.pid), max(peaks.values())
    records = report["records"]
    assert records["in"] == records["out"] + records["empty"] + records["rejected"]
    return (
        f"| {options.kind} | {size / GIB:.2f} GB | {records['in']:,} | {report['shards']} | {seconds:,.0f} s "
        f"| {size / MIB / seconds:.1f} MB | {own / MIB:,.0f} MB | {largest / MIB:,.0f} MB |"
    )


def children(pid: int) -> list[int]:
    """Give the processes that a process started."""
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []


def peak_of(pid: int) -> int:
    """Most resident bytes that a process has had so far."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    peak = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM 0")
    return int(peak.split()[1]) * 1024


if __name__ == "__main__":
    main()
