"""A corpus comes out whole: every record once, the same bytes however often the run was interrupted."""

from __future__ import annotations

import errno
import gzip
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from boilerplate_ds import Cleaner, read_documents
from boilerplate_ds.cleaning import batches, positions
from boilerplate_ds.cleaning.batches import BatchCleaner
from boilerplate_ds.cleaning.corpus import CorpusReport, checked_extras, clean_corpus, sample_corpus
from boilerplate_ds.cleaning.positions import Batch, Position
from boilerplate_ds.cleaning.processes import Processes
from boilerplate_ds.cleaning.rows import json_row
from boilerplate_ds.cleaning.shards import MANIFEST, SITES_A_SHARD
from boilerplate_ds.errors import CorpusError, SourceError
from boilerplate_ds.sources.page import Page

SENTENCE = (
    "The ferry number {} between the harbour and the island will run every hour from the first of May, "
    "the operator said on Monday."
)
PAGE = f"Skip to content\nHome | News | Sport\n\n{SENTENCE}\n© 2024 Harbour Post. All rights reserved.\n"
N_RECORDS = 60
BATCH, SHARD = 5, 2_500


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "BATCH_ITEMS", BATCH)


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    """Two files of records of eight sites, with three bad records and one empty page among them."""
    folder = tmp_path / "crawl"
    folder.mkdir()
    lines = [
        json.dumps(
            {
                "url": f"https://site{i % 8}.example/{i}",
                "lang": ("en", "de")[i % 2],
                "n": i,
                "raw_content": PAGE.format(i),
            }
        )
        for i in range(N_RECORDS)
    ]
    lines[7] = "not JSON"
    lines[8] = json.dumps({"raw_content": None})
    lines[9] = json.dumps({"raw_content": "Home | News | Sport\nSkip to content"})
    (folder / "a.jsonl").write_text("\n".join(lines[:40]))
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(("\n".join(lines[40:]) + "\n").encode()) + b"torn")
    return folder


def clean(crawl: Path, out: Path, **options) -> CorpusReport:
    return clean_corpus(crawl, out, **{"workers": 1, "shard_bytes": SHARD, **options})


def contents(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
    }


def rows(out: Path) -> list[dict]:
    return [json.loads(line) for path in sorted(out.glob("data/*.jsonl")) for line in path.open("rb")]


def left_out(out: Path) -> list[dict]:
    return [json.loads(line) for path in sorted(out.glob("left_out/*")) for line in path.open("rb")]


# What comes out


def test_every_record_keeps_its_fields_and_its_place_and_its_text_is_cleaned(crawl, tmp_path):
    report = clean(crawl, tmp_path / "out")
    found = rows(tmp_path / "out")
    assert [row["n"] for row in found] == [i for i in range(N_RECORDS) if i not in (7, 8, 9)]
    first = found[0]
    assert list(first) == ["url", "lang", "n", "raw_content"]
    assert first["raw_content"] == Cleaner().clean(PAGE.format(0))
    assert SENTENCE.format(0) in first["raw_content"]
    assert report.shards == len(list((tmp_path / "out" / "data").iterdir())) > 3


def test_the_counts_add_up_and_what_is_left_out_is_named(crawl, tmp_path):
    report = clean(crawl, tmp_path / "out")
    records = report.tally.records
    assert report.tally.adds_up
    assert dict(records) == {"in": N_RECORDS + 1, "out": N_RECORDS - 3, "empty": 1, "rejected": 3}
    assert [(Path(r["file"]).name, r["record"]) for r in left_out(tmp_path / "out")] == [
        ("a.jsonl", "line 8"),
        ("a.jsonl", "line 9"),
        ("a.jsonl", "line 10"),
        ("b.jsonl.gz", ""),  # the torn end of the file
    ]
    assert all(r["reason"] for r in left_out(tmp_path / "out"))


def test_what_was_removed_is_counted_by_label_language_and_site(crawl, tmp_path):
    by = clean(crawl, tmp_path / "out").tally.groups
    assert by["label"]["navigation"]["removed_lines"] > 2 * N_RECORDS
    assert by["label"]["content"]["removed_lines"] == 0
    assert set(by["language"]) == {"en", "de", ""}
    assert {f"site{i}.example" for i in range(8)} <= set(by["site"])
    documents = [sum(counts["documents"] for counts in by[name].values()) for name in ("language", "site")]
    assert documents == [N_RECORDS - 2] * 2
    removed = {name: sum(c["removed_lines"] for c in of.values()) for name, of in by.items()}
    assert len(set(removed.values())) == 1


def test_labels_scores_and_removed_lines_stand_beside_the_text(crawl, tmp_path):
    clean(crawl, tmp_path / "out", extras=["labels", "scores", "removed"])
    row = rows(tmp_path / "out")[0]
    lines = [line for line in PAGE.format(0).splitlines() if line]
    assert row["line_labels"] == [str(line.label) for line in Cleaner().label(PAGE.format(0))]
    assert len(row["line_scores"]) == len(lines)
    kept = row["raw_content"].splitlines()
    assert row["removed_lines"] == [line for line in lines if line not in kept]


def test_a_field_named_like_an_extra_is_kept_beside_it(tmp_path):
    record = {"text": PAGE.format(0), "removed_lines": ["mine"]}
    (tmp_path / "in.jsonl").write_text(json.dumps(record))
    clean(tmp_path / "in.jsonl", tmp_path / "out", extras=["removed"])
    clean(tmp_path / "out" / "data", tmp_path / "again", extras=["removed"])
    (once,), (twice,) = rows(tmp_path / "out"), rows(tmp_path / "again")
    assert once["original_removed_lines"] == ["mine"]
    assert twice["original_removed_lines"] == ["mine"]
    assert twice["original_original_removed_lines"] == once["removed_lines"]


def test_parquet_holds_the_same_rows(crawl, tmp_path):
    clean(crawl, tmp_path / "jsonl", extras=["removed"])
    clean(crawl, tmp_path / "parquet", extras=["removed"], to="parquet")
    files = sorted((tmp_path / "parquet" / "data").iterdir())
    found = [row for path in files for row in parquet.read_table(path).to_pylist()]
    assert [{k: v for k, v in row.items() if k != "other_fields"} for row in found] == rows(
        tmp_path / "jsonl"
    )
    assert {row["other_fields"] for row in found} == {None}
    assert len({parquet.read_schema(path).to_string() for path in files}) == 1


def test_a_column_of_removed_lines_is_one_though_the_first_records_have_none(tmp_path):
    texts = [SENTENCE] * BATCH * 5 + [PAGE.format(1)]
    lines = [json.dumps({"id": i, "text": text}) for i, text in enumerate(texts)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    clean(tmp_path / "in.jsonl", tmp_path / "out", extras=["labels", "scores", "removed"], to="parquet")
    files = sorted((tmp_path / "out" / "data").iterdir())
    found = [row for path in files for row in parquet.read_table(path).to_pylist()]
    assert [row["removed_lines"] for row in found[:-1]] == [[]] * BATCH * 5
    assert "Skip to content" in found[-1]["removed_lines"]
    assert {row["other_fields"] for row in found} == {None}


def test_the_output_is_input_again_and_opens_as_a_dataset(crawl, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    from datasets import load_dataset

    clean(crawl, tmp_path / "out", to="parquet")
    data = tmp_path / "out" / "data"
    assert len(list(read_documents(data))) == N_RECORDS - 3
    assert len(load_dataset(str(data), split="train")) == N_RECORDS - 3


def test_pages_of_every_kind_become_rows(tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    html = f"<html><body><nav><a href='/'>Home</a></nav><p>{SENTENCE}</p></body></html>"
    (pages / "a.txt").write_text(PAGE)
    (pages / "b.html").write_text(html)
    (pages / "c.jsonl").write_text(
        json.dumps({"id": 7, "html": html}) + "\n" + json.dumps({"lines": PAGE.splitlines(), "id": 8})
    )
    clean(pages, tmp_path / "out")
    text, page, from_html, from_lines = rows(tmp_path / "out")
    assert list(text) == ["id", "url", "site", "language", "text", "encoding"]
    assert (text["id"], page["id"]) == ("a.txt", "b.html")
    assert from_html == {"id": 7, "text": SENTENCE}
    assert from_lines["lines"] == [SENTENCE]


def test_a_link_that_leads_in_a_circle_is_one_reject(crawl, tmp_path):
    (crawl / "loop.txt").symlink_to("loop.txt")
    report = clean(crawl, tmp_path / "out")
    assert report.tally.records["in"] == N_RECORDS + 2
    reason = left_out(tmp_path / "out")[-1]["reason"]
    assert reason == f"cannot be read: {os.strerror(errno.ELOOP)}"
    with pytest.raises(OSError, match="File exists"):
        clean(crawl / "a.jsonl", crawl / "loop.txt")


# Interruptions


class StopError(Exception):
    pass


def stopping_after(n: int):
    """A progress callback that stops the run in the middle of its ``n``-th batch."""
    seen = []

    def tell(_step: str, _done: float) -> None:
        seen.append(1)
        if len(seen) == n:
            raise StopError

    return tell


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_columns_of_parquet_and_arrow_keep_their_types(tmp_path, name):
    columns = {
        "text": pa.array([PAGE.format(i) for i in range(3)], pa.string()),
        "unsigned": pa.array([1, None, 2**64 - 1], pa.uint64()),
        "small": pa.array([1, 2, 3], pa.int8()),
        "vector": pa.array([[0.1, 0.2]] * 3, pa.list_(pa.float32(), 2)),
        "attributes": pa.array([[("k", "v")], [], None], pa.map_(pa.string(), pa.string())),
        "unknown": pa.array([None] * 3, pa.int32()),
    }
    table = pa.table(columns)
    if name == "a.parquet":
        parquet.write_table(table, tmp_path / name)
    else:
        with pa.ipc.new_stream(tmp_path / name, table.schema) as stream:
            stream.write_table(table)
    clean(tmp_path / name, tmp_path / "out", to="parquet")
    (path,) = (tmp_path / "out" / "data").iterdir()
    written = parquet.read_table(path)
    for column in table.column_names[1:]:
        assert written.schema.field(column).type == table.schema.field(column).type
        assert written[column].to_pylist() == table[column].to_pylist()
    assert written["other_fields"].to_pylist() == [None] * 3


def test_a_column_that_another_file_has_otherwise_holds_both(tmp_path):
    parquet.write_table(pa.table({"text": [SENTENCE], "n": pa.array([1], pa.int8())}), tmp_path / "a.parquet")
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": SENTENCE, "n": 300}))
    clean([tmp_path / "a.parquet", tmp_path / "b.jsonl"], tmp_path / "out", to="parquet")
    (path,) = (tmp_path / "out" / "data").iterdir()
    assert [(row["n"], row["other_fields"]) for row in parquet.read_table(path).to_pylist()] == [
        (1, None),
        (300, None),
    ]


@pytest.mark.parametrize("to", ["jsonl", "parquet"])
def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(crawl, tmp_path, to):
    clean(crawl, tmp_path / "whole", to=to)
    for stop in (2, 6):
        with pytest.raises(StopError):
            clean(crawl, tmp_path / "out", to=to, progress=stopping_after(stop))
        assert not list((tmp_path / "out").rglob("*.unfinished"))
    report = clean(crawl, tmp_path / "out", to=to, workers=2)
    assert 0 < report.resumed < report.shards
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_finished_run_is_not_done_again(crawl, tmp_path):
    first = clean(crawl, tmp_path / "out")
    before = contents(tmp_path / "out")
    again = clean(crawl, tmp_path / "out")
    assert (again.shards, again.resumed) == (first.shards, first.shards)
    assert again.tally == first.tally
    assert contents(tmp_path / "out") == before


KILLED_RUN = """
import os, signal, sys
from boilerplate_ds.cleaning import positions, clean_corpus
positions.BATCH_ITEMS = {batch}
seen = []
def tell(step, done):
    seen.append(done)
    if len(seen) == {after}:
        os.kill(os.getpid(), signal.{signal})
if __name__ == "__main__":
    clean_corpus({crawl!r}, {out!r}, workers=2, shard_bytes={shard}, progress=tell)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_a_killed_run_leaves_nothing_half_written_under_a_final_name(crawl, tmp_path, name):
    clean(crawl, tmp_path / "whole")
    out = tmp_path / "out"
    script = tmp_path / "run.py"
    script.write_text(
        KILLED_RUN.format(batch=BATCH, shard=SHARD, after=7, signal=name, crawl=str(crawl), out=str(out))
    )
    done = subprocess.run([sys.executable, script], capture_output=True, check=False)
    assert done.returncode == -getattr(signal, name), done.stderr
    vouched = [file for line in (out / MANIFEST).open() for file in json.loads(line).get("files", ())]
    for file in vouched:
        assert (out / file["name"]).stat().st_size == file["bytes"]
    clean(crawl, out)
    assert contents(out) == contents(tmp_path / "whole")


class KillsProcess(Cleaner):
    """Dies of the pages it is given: of one that says DEADLY always, of one that says ONCE the first time."""

    @property
    def model(self):
        model, mark = super().model, self.model_path / "killed"

        class Killing:
            def read(self, documents):
                text = "".join(document.text for document in documents)
                if "DEADLY" in text or ("ONCE" in text and not mark.exists()):
                    mark.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                return model.read(documents)

        return Killing()


@pytest.fixture
def killer(tmp_path: Path) -> KillsProcess:
    for file in Cleaner().model_path.iterdir():
        (tmp_path / "model").mkdir(exist_ok=True)
        (tmp_path / "model" / file.name).write_bytes(file.read_bytes())
    return KillsProcess(tmp_path / "model")


class TakesLong(KillsProcess):
    """Says that it has begun, then takes a minute."""

    @property
    def model(self):
        (self.model_path / "begun").touch()
        time.sleep(60)


def test_work_that_takes_long_is_ended_with_the_run(killer):
    begun = killer.model_path / "begun"

    def interrupted():
        yield Batch([Page(PAGE, {"id": "1"}, "a.txt")], 1, Position(), 1)
        while not begun.exists():
            time.sleep(0.01)
        raise KeyboardInterrupt

    before = set(multiprocessing.active_children())
    with pytest.raises(KeyboardInterrupt):
        list(Processes(BatchCleaner(TakesLong(killer.model_path)), 1).map(interrupted()))
    started = set(multiprocessing.active_children()) - before
    for process in started:
        process.join(5)
    assert not any(process.is_alive() for process in started)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_killed_worker_costs_nothing(crawl, tmp_path, killer):
    path = crawl / "a.jsonl"
    path.write_text(path.read_text().replace("number 21", "number ONCE"))
    whole = clean(crawl, tmp_path / "whole", workers=2)
    report = clean(crawl, tmp_path / "out", workers=2, cleaner=killer)
    assert (killer.model_path / "killed").exists()
    assert report.tally == whole.tally
    assert rows(tmp_path / "out") == rows(tmp_path / "whole")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_page_that_kills_its_process_is_rejected_and_no_other(crawl, tmp_path, killer):
    path = crawl / "a.jsonl"
    path.write_text(path.read_text().replace("number 21", "number DEADLY"))
    report = clean(crawl, tmp_path / "out", cleaner=killer)
    assert report.tally.adds_up
    assert report.tally.records["rejected"] == 4
    assert 21 not in [row["n"] for row in rows(tmp_path / "out")]
    assert [r["record"] for r in left_out(tmp_path / "out") if "killed" in r["reason"]] == ["line 22"]


def test_processes_that_cannot_start_end_the_run_and_no_record_is_blamed(crawl, tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from boilerplate_ds.cleaning.corpus import clean_corpus\n"
        f"clean_corpus({str(crawl)!r}, {str(tmp_path / 'out')!r}, workers=1)\n"
    )
    result = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert "CorpusError: the processes that clean cannot start" in result.stderr
    assert left_out(tmp_path / "out") == []
    assert clean(crawl, tmp_path / "out", shard_bytes=64 * 2**20).tally.records["out"] == N_RECORDS - 3


def test_a_row_that_cannot_be_written_is_rejected_and_no_other(monkeypatch):
    def refuse(row):
        if row["n"] == 1:
            raise ValueError("no")
        return json_row(row)

    monkeypatch.setattr(batches, "json_row", refuse)
    records = [{"n": i, "text": PAGE.format(i)} for i in range(3)]
    pages = [Page(r["text"], {"id": str(r["n"])}, "a.jsonl", f"line {r['n']}", original=r) for r in records]
    batch = BatchCleaner(Cleaner())(pages)
    assert [json.loads(row)["n"] for row in batch.blocks] == [0, 2]
    assert dict(batch.tally.records) == {"in": 3, "out": 2, "rejected": 1}
    assert [(reject.record, reject.reason) for reject in batch.left_out] == [
        ("line 1", "cannot be cleaned: ValueError: no")
    ]


def test_a_batch_is_as_large_as_its_records_not_only_their_texts(tmp_path, monkeypatch):
    monkeypatch.setattr(positions, "BATCH_CHARACTERS", 1_000)
    with (tmp_path / "a.jsonl").open("w") as lines:
        for i in range(4):
            lines.write(json.dumps({"text": "t", "raw": ["x" * 300, {"more": "x" * 300}]}) + f"{' ' * i}\n")
    found = positions.Input((str(tmp_path / "a.jsonl"),)).batches(positions.Position())
    assert [len(batch.items) for batch in found] == [2, 2]


def test_a_resumed_run_counts_as_one_that_was_not_interrupted(tmp_path):
    with (tmp_path / "a.jsonl").open("w") as lines:
        for i in range(2 * SITES_A_SHARD):
            site = f"https://site{i % (SITES_A_SHARD + 50)}.example/"
            lines.write(json.dumps({"url": site, "text": SENTENCE.format(i)}) + "\n")
    whole = clean(tmp_path / "a.jsonl", tmp_path / "whole", shard_bytes=10**6)
    again = clean(tmp_path / "a.jsonl", tmp_path / "whole", shard_bytes=10**6)
    assert again.tally == whole.tally
    assert whole.tally.adds_up


def test_a_damaged_or_missing_shard_is_made_again(crawl, tmp_path):
    clean(crawl, tmp_path / "out")
    whole = contents(tmp_path / "out")
    (tmp_path / "out" / "data" / "shard-00002.jsonl").write_bytes(b"x")
    report = clean(crawl, tmp_path / "out")
    assert report.resumed == 2
    assert contents(tmp_path / "out") == whole


def test_a_manifest_that_a_crash_cut_short_is_read_up_to_there(crawl, tmp_path):
    clean(crawl, tmp_path / "out")
    whole = contents(tmp_path / "out")
    data = whole[MANIFEST]
    for cut in (len(data) - 5, len(data) // 2, 30, 0):
        (tmp_path / "out" / MANIFEST).write_bytes(data[:cut])
        clean(crawl, tmp_path / "out")
        assert contents(tmp_path / "out") == whole


# Refusals


def test_a_run_goes_on_only_with_the_same_input_and_settings(crawl, tmp_path):
    clean(crawl, tmp_path / "out")
    with pytest.raises(CorpusError, match=r"other settings \(to: jsonl then, parquet now\)"):
        clean(crawl, tmp_path / "out", to="parquet")
    with pytest.raises(CorpusError, match=r"other settings \(threshold: None then, 0.7 now\)"):
        clean(crawl, tmp_path / "out", cleaner=Cleaner(threshold=0.7))
    other = shutil.copytree(Cleaner().model_path, tmp_path / "model")
    (other / "config.json").write_text((other / "config.json").read_text() + "\n")
    with pytest.raises(CorpusError, match=r"other settings \(another model\)"):
        clean(crawl, tmp_path / "out", cleaner=Cleaner(other))
    (crawl / "c.jsonl").write_text('{"text": "more"}')
    with pytest.raises(CorpusError, match=r"other input files \(files: 2 then, 3 now.*--restart"):
        clean(crawl, tmp_path / "out")
    assert clean(crawl, tmp_path / "out", restart=True).tally.records["in"] == N_RECORDS + 2


def test_a_folder_with_other_things_is_left_alone(crawl, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / MANIFEST).write_text("mine")
    for restart in (False, True):
        with pytest.raises(CorpusError, match=r"damaged|not a manifest"):
            clean(crawl, other, restart=restart)
    assert contents(other) == {MANIFEST: b"mine"}
    (other / MANIFEST).rename(other / "thesis.txt")
    with pytest.raises(CorpusError, match="holds other files"):
        clean(crawl, other, restart=True)


def test_a_manifest_of_a_stranger_names_no_files_outside_its_folder(crawl, tmp_path):
    clean(crawl, tmp_path / "out")
    path = tmp_path / "out" / MANIFEST
    path.write_text(path.read_text().replace("data/shard-00001", "../crawl/shard-00001"))
    with pytest.raises(CorpusError, match="damaged"):
        clean(crawl, tmp_path / "out")


def test_the_output_is_never_its_own_input(crawl, tmp_path):
    (crawl / "out" / "data").mkdir(parents=True)
    (crawl / "out" / "data" / "x.jsonl").write_text("{}")
    with pytest.raises(SourceError, match="part of the input"):
        clean(crawl, crawl / "out")


@pytest.mark.parametrize("pattern", ["{}", "{}/**/*.jsonl"])
def test_the_output_is_not_in_a_folder_that_is_read(crawl, pattern):
    with pytest.raises(SourceError, match="part of the input"):
        clean(pattern.format(crawl), crawl / "cleaned")  # not there yet: it would be found when it is
    assert not (crawl / "cleaned").exists()
    assert clean(f"{crawl}/*.jsonl", crawl / "cleaned").tally.records["in"] == 40


def test_two_runs_do_not_write_to_one_folder(crawl, tmp_path):
    def second(_step: str, _done: float) -> None:
        with pytest.raises(CorpusError, match="another run"):
            clean(crawl, tmp_path / "out")
        raise StopError

    with pytest.raises(StopError):
        clean(crawl, tmp_path / "out", progress=second)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"extras": ["colour"]}, "unknown extra 'colour'; known are labels, scores, removed"),
        ({"to": "csv"}, "unknown output 'csv'; known are jsonl, parquet"),
        ({"workers": -1}, "-1 workers; there must be 1 or more"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_written(crawl, tmp_path, options, said):
    with pytest.raises(CorpusError, match=said):
        clean_corpus([crawl], tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_one_extra_may_stand_alone():
    assert checked_extras("removed") == checked_extras(["removed", "removed"]) == ("removed",)


# Samples


def test_a_sample_counts_as_the_run_would_and_is_the_same_each_time(crawl, tmp_path):
    pages, tally, rejects = sample_corpus([str(crawl)], cleaner=Cleaner())
    assert tally == clean(crawl, tmp_path / "out").tally
    assert len(rejects) == 3
    again, _, _ = sample_corpus([str(crawl)], cleaner=Cleaner())
    assert [page.document.id for page in again] == [page.document.id for page in pages]
    assert len(pages) == 5
