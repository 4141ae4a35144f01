"""The step of a datatrove pipeline: texts as ``Cleaner`` gives them, whoever runs it and whatever dies."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyarrow import parquet

from boilerplate_ds import Cleaner

pytest.importorskip("datatrove")
from datatrove.data import Document, Media
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.writers import JsonlWriter

from boilerplate_ds.cleaning.integrations.datatrove import BoilerplateCleaner

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "datatrove_clean.py"
SENTENCE = (
    "The ferry number {} between the harbour and the island will run every hour from the first of May, "
    "the operator said on Monday."
)
PAGE = f"Skip to content\nHome | News | Sport\n\n{SENTENCE}\n© 2024 Harbour Post. All rights reserved.\n"
MENU = "Skip to content\nHome | News | Sport"
HTML = f"<html><body><nav><a href='/'>Home</a></nav><article><p>{SENTENCE}</p></article></body></html>"


def document(text: str, number: int = 0) -> Document:
    media = [Media(id="m", type=0, url="https://a.example/m.jpg")]
    return Document(text, str(number), media, {"url": "https://a.example/1", "dump": "CC-1"})


def run(step: BoilerplateCleaner, *documents: Document) -> list[Document]:
    return list(step.run(iter(documents), rank=0, world_size=1))


# The step


def test_text_is_cleaned_and_all_else_stays():
    (cleaned,) = run(BoilerplateCleaner(), document(PAGE.format(1)))
    assert cleaned == document(Cleaner().clean(PAGE.format(1)))
    assert SENTENCE.format(1) in cleaned.text


def test_pages_of_html_are_cleaned_from_their_markup():
    (cleaned,) = run(BoilerplateCleaner(html=True), document(HTML.format(1)))
    assert cleaned.text == SENTENCE.format(1)


def test_labels_scores_and_removed_lines_go_to_the_metadata():
    extras = ("labels", "scores", "removed")
    (cleaned,) = run(BoilerplateCleaner(extras=extras), document(PAGE.format(1)))
    assert cleaned.metadata["line_labels"][0] == "navigation"
    assert len(cleaned.metadata["line_scores"]) == 4
    assert "Skip to content" in cleaned.metadata["removed_lines"]
    assert cleaned.metadata["dump"] == "CC-1"


def test_what_comes_out_empty_or_cannot_be_read_goes_to_the_exclusion_writer(tmp_path):
    step = BoilerplateCleaner(html=True, exclusion_writer=JsonlWriter(str(tmp_path), compression=None))
    large = "<" * 2_000_001
    kept = run(step, document(HTML.format(1)), document("<a>Home</a>", 1), document(large, 2))
    assert len(kept) == 1
    first, second = map(json.loads, (tmp_path / "00000.jsonl").open())
    assert (first["id"], first["text"], first["metadata"]["filter_reason"]) == ("1", "<a>Home</a>", "empty")
    assert (second["id"], second["metadata"]["filter_reason"]) == ("2", "unreadable")
    assert "HTML of more than" in second["metadata"]["error"]


def test_removed_lines_are_counted_by_label():
    step = BoilerplateCleaner(batch_size=2)
    run(step, *(document(PAGE.format(i)) for i in range(3)), document(MENU))
    stats = step.stats.stats
    assert stats["lines"].total == 3 * 4 + 2
    assert stats["removed_lines"].total == sum(
        stats[f"removed_{label}"].total for label in ("ad", "navigation", "recommendation")
    )
    assert (stats["forwarded"].total, stats["dropped_empty"].total, stats["batches"].total) == (3, 1, 2)


def test_the_step_travels_without_weights():
    assert len(pickle.dumps(BoilerplateCleaner())) < 5_000


def test_a_missing_datatrove_names_the_extra():
    code = (
        "import sys; sys.modules['datatrove'] = None; import boilerplate_ds.cleaning.integrations.datatrove"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'boilerplate-ds[scale]'" in done.stderr


# The example


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("datatrove_clean", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four Parquet files of 30 pages, two of them without content."""
    folder = tmp_path_factory.mktemp("pages")
    for file in range(4):
        numbers = range(file * 30, file * 30 + 30)
        texts = [MENU if n in (7, 70) else PAGE.format(n) for n in numbers]
        table = pa.table({"id": [str(n) for n in numbers], "url": ["https://a.example/"] * 30, "text": texts})
        parquet.write_table(table, folder / f"{file}.parquet")
    return folder


def contents(out: Path) -> dict[str, bytes]:
    """The output's files; the exclusion writer names files only for tasks that dropped something."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for part in ("data", "left_out")
        for path in sorted((out / part).iterdir())
    }


@pytest.fixture(scope="module")
def in_one_process(example: ModuleType, pages: Path, tmp_path_factory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("one")
    pipeline = example.pipeline(str(pages), str(out))
    LocalPipelineExecutor(pipeline, tasks=4, workers=1, logging_dir=str(out / "logs")).run()
    return contents(out)


def test_the_example_gives_what_the_cleaner_gives(in_one_process):
    rows = [
        json.loads(line)
        for name, data in in_one_process.items()
        if "data" in name
        for line in data.splitlines()
    ]
    assert {int(row["id"]): row["text"] for row in rows} == {
        n: Cleaner().clean(PAGE.format(n)) for n in range(120) if n not in (7, 70)
    }
    left_out = [name for name in in_one_process if "left_out" in name]
    assert left_out == ["left_out/00000.jsonl", "left_out/00002.jsonl"]


def test_the_example_reads_warc(example, tmp_path):
    pytest.importorskip("magic", exc_type=ImportError)
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    (tmp_path / "in").mkdir()
    with (tmp_path / "in" / "a.warc.gz").open("wb") as file:
        writer = WARCWriter(file)
        for number in range(3):
            body = HTML.format(number).encode()
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            record = writer.create_warc_record(
                f"https://a.example/{number}",
                "response",
                payload=io.BytesIO(body),
                http_headers=headers,
                warc_headers_dict={"WARC-Identified-Payload-Type": "text/html"},
            )
            writer.write_record(record)
    pipeline = example.pipeline(str(tmp_path / "in"), str(tmp_path / "out"), warc=True)
    LocalPipelineExecutor(pipeline, logging_dir=str(tmp_path / "logs")).run()
    rows = [json.loads(line) for line in (tmp_path / "out" / "data" / "00000.jsonl").open()]
    assert [row["text"] for row in rows] == [SENTENCE.format(number) for number in range(3)]


ON_RAY = """
import importlib.util, os, signal, sys
from pathlib import Path

import ray
from datatrove.executor import RayPipelineExecutor
from datatrove.pipeline.base import PipelineStep

spec = importlib.util.spec_from_file_location("datatrove_clean", sys.argv[1])
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)
pages, out = sys.argv[2:]
mark = Path(out) / "killed"


class KillsItsWorker(PipelineStep):
    type, name = "test", "kills its worker in the middle of the second file, once"

    def run(self, data, rank=0, world_size=1):
        for number, document in enumerate(data):
            if (rank, number) == (1, 15) and not mark.exists():
                mark.touch()
                os.kill(os.getppid(), signal.SIGKILL)  # the Ray actor
                os.kill(os.getpid(), signal.SIGKILL)  # its process that runs the task
            yield document


reader, cleaner, writer = example.pipeline(pages, out)
cleaner.batch_size = 10
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
pipeline = [reader, cleaner, KillsItsWorker(), writer]
RayPipelineExecutor(pipeline, tasks=4, workers=2, mem_per_cpu_gb=0.5, logging_dir=out + "/logs").run()
assert mark.exists()
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ray_gives_the_same_with_a_worker_killed_midway(in_one_process, pages, tmp_path):
    pytest.importorskip("ray")
    script, out = tmp_path / "on_ray.py", tmp_path / "out"
    script.write_text(ON_RAY)
    out.mkdir()
    settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_raylet_start_wait_time_s": "240"}  # a busy machine
    environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, script, EXAMPLE, pages, out],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "RayActorError" in done.stderr
    assert contents(out) == in_one_process
    assert len(list((out / "logs" / "completions").iterdir())) == 4
