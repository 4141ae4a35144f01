"""Full disks, read-only places, SIGTERM and kill -9: nothing half-written looks whole, a rerun completes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from boilerplate_ds.labeling.store import LabelStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX systems")

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "examples" / "page.txt"
LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit fails, as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
sys.argv = ["boilerplate-ds", *sys.argv[1:]]
from boilerplate_ds.cli import main
main()
"""

SLOW_EXPORT = """
import time
from boilerplate_ds.cli import main
from boilerplate_ds.dataset import export
export._write_shard = lambda *_: time.sleep(60)  # while it writes
main()
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "boilerplate_ds.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def run_with_room(limit: int, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command that can write files of at most ``limit`` bytes."""
    code = LIMITED.format(limit=limit)
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_a_full_disk_leaves_the_earlier_output_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("earlier")
    done = run_with_room(50, "clean", PAGE, "-o", tmp_path / "out.txt")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]
    assert (tmp_path / "out.txt").read_text() == "earlier"
    assert run("clean", PAGE, "-o", tmp_path / "out.txt").returncode == 0
    assert "Kelp Island" in (tmp_path / "out.txt").read_text()


def test_a_full_disk_leaves_the_earlier_dataset(collection: Path, tmp_path: Path) -> None:
    assert run("export", collection, "-o", tmp_path / "set").returncode == 0
    before = {path: path.read_bytes() for path in (tmp_path / "set").rglob("*.parquet")}
    done = run_with_room(1000, "export", collection, "-o", tmp_path / "set")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert {path: path.read_bytes() for path in (tmp_path / "set").rglob("*.parquet")} == before


def test_output_that_may_not_be_written_is_one_clear_line(tmp_path: Path) -> None:
    done = run("clean", PAGE, "-o", "/proc/no-such-place/out.txt")
    assert done.returncode == 2
    assert "no such folder" in done.stderr
    if os.geteuid() == 0:
        if not can_mount(tmp_path, "ro"):
            return  # root may write everywhere else
    else:
        tmp_path.chmod(0o500)
    done = run("clean", PAGE, "-o", tmp_path / "out.txt")
    if os.geteuid() == 0:
        subprocess.run(["umount", str(tmp_path)], check=True)
    assert done.returncode == 2
    assert "Read-only file system" in done.stderr or "Permission denied" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "kill -9"])
def test_a_run_that_is_ended_leaves_no_output_that_looks_whole(number: int, tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("earlier")
    command = [sys.executable, "-m", "boilerplate_ds.cli", "clean", "-", "-o", str(tmp_path / "out.jsonl")]
    command += ["--json", "--format", "jsonl"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    process.stdin.write(b'{"text": "Some text of a page"}\n' * 200)  # more follows, as far as it knows
    process.stdin.flush()
    wait_for(lambda: any(path.name.startswith(".out.jsonl") for path in tmp_path.iterdir()))
    process.send_signal(number)
    assert process.wait(60) != 0
    assert not (tmp_path / "out.jsonl").exists()
    assert (tmp_path / "out.txt").read_text() == "earlier"
    if number == signal.SIGTERM:
        assert process.returncode == 130
        assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


def test_an_export_that_is_ended_leaves_nothing_half_done(collection: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SLOW_EXPORT, "export", str(collection), "-o", str(tmp_path / "set")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wait_for(lambda: any(path.name.startswith(".set") for path in tmp_path.iterdir()))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    assert list(tmp_path.iterdir()) == []


def wait_for(condition: object, seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < ends
        time.sleep(0.01)


APPEND = """
import sys
from boilerplate_ds.document import Annotation
from boilerplate_ds.labeling.store import LabelStore
import numpy as np
store = LabelStore(sys.argv[1])
for i in range(10**6):
    store.append(Annotation(f"page-{i}", "0" * 64, "ann", np.zeros(3, dtype=np.int8)))
    print(i, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "kill -9"])
def test_every_acknowledged_label_outlives_its_writer(number: int, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", APPEND, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(20)]
    process.send_signal(number)
    told += process.stdout.read().splitlines()
    process.wait(60)
    acknowledged = [int(line) for line in told if line.strip().isdigit()]
    found = [annotation.doc_id for annotation in LabelStore(tmp_path).annotations()]
    assert [f"page-{i}" for i in acknowledged] == found[: len(acknowledged)]
    assert len(found) - len(acknowledged) <= 1  # on disk, but not yet told


def can_mount(folder: Path, options: str = "size=64k") -> bool:
    if shutil.which("mount") is None or os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_disk_that_fills_up_loses_no_acknowledged_label(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if not can_mount(disk):
        pytest.skip("mounting a small disk needs root")
    try:
        process = subprocess.run(
            [sys.executable, "-c", APPEND, str(disk)], capture_output=True, text=True, check=False
        )
        assert "No space left" in process.stderr or "only" in process.stderr
        acknowledged = [f"page-{line}" for line in process.stdout.split()]
        assert len(acknowledged) > 50
        assert [annotation.doc_id for annotation in LabelStore(disk).annotations()] == acknowledged
    finally:
        subprocess.run(["umount", str(disk)], check=True)
