"""The command line: what goes in comes out, and what is bad is named, with an exit code that says so."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa
import pytest
import yaml
from click.testing import CliRunner
from pyarrow import parquet

from boilerplate_ds import Cleaner, __version__
from boilerplate_ds.checksums import sha256_of_file
from boilerplate_ds.cli import main
from boilerplate_ds.cli.console import COLOURS
from boilerplate_ds.labeling.collection import load_collection
from boilerplate_ds.shipped import shipped

if TYPE_CHECKING:
    from click.testing import Result

DONE, BAD_RECORDS, COULD_NOT_RUN = 0, 1, 2
STORY = "will run every hour from the first of May"
SENTENCE = f"The ferry between the harbour and the island {STORY}, the operator said on Monday."
PAGE = f"""Skip to content
Home | News | Sport | Weather

{SENTENCE}
ADVERTISEMENT
Until now, passengers had to wait up to three hours between two boats, which kept many from going at all.
Sign up for our newsletter and never miss a story
© 2024 Harbour Post. All rights reserved. Privacy policy | Terms of use
"""
HTML = f"<nav><a href='/'>Home</a></nav><article><h1>Ferry</h1><p>{SENTENCE}</p></article>"
HTML = f"<html><body>{HTML}</body></html>"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64)


def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
    """Run the command in this process; an exception that is no exit fails the test."""
    result = CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def script(*arguments: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the installed command in a process of its own."""
    command = Path(sys.executable).with_name("boilerplate-ds")
    start = [str(command)] if command.exists() else [sys.executable, "-m", "boilerplate_ds.cli"]
    return subprocess.run([*start, *map(str, arguments)], capture_output=True, check=False, **options)


def one_message(result: Result) -> str:
    """The only line that says what was wrong; click's usage lines aside."""
    lines = [line for line in result.stderr.splitlines() if line and not line.startswith(("Usage", "Try"))]
    assert len(lines) == 1, lines
    return lines[0]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.txt"
    path.write_text(PAGE, encoding="utf-8")
    return path


# Every command


def test_the_version_is_told() -> None:
    assert run("--version").stdout == f"boilerplate-ds, version {__version__}\n"


@pytest.mark.parametrize("name", main.list_commands(None))
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == DONE
    lines = [line.strip() for line in result.stdout.splitlines()]
    example = lines[lines.index("Example:") + 1]
    assert example.startswith(f"boilerplate-ds {name}") or f"| boilerplate-ds {name}" in example


@pytest.mark.parametrize("name", main.list_commands(None))
def test_every_option_of_every_command_is_explained(name: str) -> None:
    command = main.get_command(None, name)
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert [p.name for p in options if not p.help] == []


def test_starting_loads_nothing_heavy() -> None:
    code = (
        "import sys, boilerplate_ds.cli; "
        "print([m for m in ('sklearn', 'datasets', 'torch', 'numpy', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_module_and_the_installed_script_are_one_command() -> None:
    module = subprocess.run(
        [sys.executable, "-m", "boilerplate_ds.cli", "--version"], capture_output=True, check=True
    )
    assert script("--version").stdout == module.stdout


# clean


def test_a_text_page_loses_its_boilerplate(page: Path) -> None:
    result = run("clean", page)
    assert result.exit_code == DONE
    assert STORY in result.stdout
    assert "Skip to content" not in result.stdout
    assert result.stdout == Cleaner().clean(PAGE)
    assert result.stderr == ""


def test_a_page_of_html_becomes_its_content(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(HTML)
    result = run("clean", page)
    assert STORY in result.stdout
    assert "Home" not in result.stdout
    assert "<" not in result.stdout
    assert result.stdout.endswith("\n")


def test_standard_input_is_read() -> None:
    assert run("clean", "-", stdin=PAGE).stdout == Cleaner().clean(PAGE)
    assert run("clean", "-", stdin=HTML).stdout == Cleaner().clean_html(HTML) + "\n"


def test_several_pages_stand_apart(page: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(PAGE.replace("ferry", "train"))
    result = run("clean", page, other)
    assert result.stdout == Cleaner().clean(PAGE) + "\n" + Cleaner().clean(other.read_text())
    assert run("clean", tmp_path).stdout.count(STORY) == 2
    assert run("clean", tmp_path / "*.txt").stdout.count(STORY) == 2


def test_json_lines_name_the_page_and_count_its_lines(page: Path, tmp_path: Path) -> None:
    records = tmp_path / "crawl.jsonl"
    records.write_text(json.dumps({"id": "r1", "url": "https://a.example/1", "text": PAGE}) + "\n")
    result = run("clean", page, records, "--json")
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["id"], first["url"], second["id"], second["url"]) == (
        "page.txt",
        "",
        "r1",
        "https://a.example/1",
    )
    for record in (first, second):
        assert record["text"] == Cleaner().clean(PAGE)
        assert record["lines"] == 7
        assert record["kept"] == len([line for line in record["text"].splitlines() if line])


def test_half_a_character_in_a_record_makes_valid_json(tmp_path: Path) -> None:
    records = tmp_path / "crawl.jsonl"
    records.write_text('{"text": "half \\ud83d of a face"}\n')
    result = run("clean", records, "--json", "--drop", "")
    assert json.loads(result.stdout_bytes.decode("utf-8"))["text"] == "half \ud83d of a face"


@pytest.mark.parametrize(
    "data",
    [
        b"Home\r\n\r\nThe ferry sails.\r\n \r\nMenu",
        b"Home\rThe ferry\r\rsails\r",
        "Caf\xe9 Z\xfcrich: gr\xf6\xdfte F\xe4hre f\xe4hrt\r\nHome\r\n".encode("latin-1"),
        b"\xef\xbb\xbfHome\nferry\n",
        "Home\r\nFähre\r\n".encode("utf-16"),
        bytes(range(128, 256)) + b"\nHome\n",
        b"\n\n  \n",
        b"",
    ],
)
def test_dropping_nothing_gives_every_byte_back(tmp_path: Path, data: bytes) -> None:
    page = tmp_path / "page.txt"
    page.write_bytes(data)
    assert run("clean", page, "--drop", "").stdout_bytes == data
    assert script("clean", "-", "--drop", "", input=data).stdout == data


def test_what_is_left_of_utf_16_is_utf_16_and_several_files_are_utf_8(tmp_path: Path) -> None:
    page, other = tmp_path / "page.txt", tmp_path / "other.txt"
    page.write_bytes(PAGE.encode("utf-16"))
    other.write_text(PAGE, encoding="utf-8")
    alone = run("clean", other).stdout_bytes
    kept = run("clean", page).stdout_bytes
    assert kept.decode("utf-16").encode() == alone
    assert run("clean", page, other).stdout_bytes == alone + b"\n" + alone


def test_kept_lines_keep_their_bytes(tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    data = PAGE.replace("Monday", "caf\xe9 Z\xfcrich").replace("\n", "\r\n").encode("cp1252")
    page.write_bytes(data)
    kept = run("clean", page).stdout_bytes
    assert b"caf\xe9 Z\xfcrich" in kept
    assert all(line in data.split(b"\r\n") for line in kept.split(b"\r\n"))


@pytest.mark.parametrize("options", [("inspect",), ("clean", "--dry-run")])
@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_tables_are_printed_where_output_is_not_utf_8(
    page: Path, options: tuple[str, ...], environment: dict[str, str]
) -> None:
    page.write_text(PAGE + "Fähre → Insel\n", encoding="utf-8")
    done = script(*options, page, env=os.environ | environment)
    assert done.returncode == DONE, done.stderr
    assert b"\\u2192" in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "rot13", "no-such-codec", "latin-1", 5])
def test_a_field_named_encoding_in_a_record_is_only_a_field(tmp_path: Path, encoding: object) -> None:
    records = tmp_path / "crawl.jsonl"
    records.write_text(json.dumps({"id": "1", "text": "Fähre → Insel", "encoding": encoding}))
    assert run("clean", records, "--drop", "").stdout == "Fähre → Insel"


def test_only_the_named_labels_go(page: Path) -> None:
    assert "Skip to content" in run("clean", page, "--drop", "ad").stdout
    both = run("clean", page, "--drop", " navigation , ad ").stdout
    assert both == Cleaner(drop=["navigation", "ad"]).clean(PAGE)


def test_a_higher_threshold_keeps_more(page: Path) -> None:
    kept = [len(run("clean", page, "--threshold", t).stdout) for t in ("0", "0.5", "1")]
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (0, len(PAGE))


def test_a_model_is_named_by_its_folder(page: Path, tmp_path: Path) -> None:
    shutil.copytree(shipped("models/web"), tmp_path / "mine")
    assert run("clean", page, "--model", tmp_path / "mine").stdout == Cleaner().clean(PAGE)


def test_format_and_text_column_can_be_given(tmp_path: Path) -> None:
    table = tmp_path / "pages.data"
    table.write_text("id,story\n7,The ferry sails\n")
    result = run("clean", table, "--format", "csv", "--text-column", "story", "--drop", "", "--json")
    record = json.loads(result.stdout)
    assert (record["id"], record["text"]) == ("7", "The ferry sails")


# clean -o


def test_output_goes_to_the_file_alone(page: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    result = run("clean", page, "-o", out)
    assert result.output == ""
    assert out.read_text("utf-8") == Cleaner().clean(PAGE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.txt", "page.txt"]


def test_a_page_can_be_cleaned_in_place_also_through_a_link(page: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(page)
    run("clean", page, "-o", link)
    assert link.is_symlink()
    assert page.read_text("utf-8") == Cleaner().clean(PAGE)


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.txt", PAGE, ["b.txt"]),
        ("s.md", json.dumps({"id": 1, "text": PAGE, "more": "kept"}), ["--format", "jsonl"]),
        ("s", f"text,more\n{SENTENCE},kept\n", ["--format", "csv"]),
        ("image.txt", PNG, []),
    ],
    ids=["several", "records", "table", "unreadable"],
)
def test_what_is_read_is_not_written_over(
    page: Path, name: str, content: str | bytes, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(page.parent)
    page.rename("b.txt")
    data = content if isinstance(content, bytes) else content.encode()
    Path(name).write_bytes(data)
    Path("link.txt").symlink_to(name)
    for out in (name, "link.txt"):
        result = run("clean", name, *options, "-o", out)
        assert result.exit_code == COULD_NOT_RUN
        assert f"{out} is part of the input; write to another file" in one_message(result)
        assert Path(name).read_bytes() == data


def test_a_run_that_fails_leaves_the_earlier_output(page: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    out.write_text("earlier")
    model = shutil.copytree(shipped("models/web"), tmp_path / "model")
    (model / "model.safetensors").write_bytes(b"x")
    assert run("clean", page, "-o", out, "--model", model).exit_code == COULD_NOT_RUN
    assert run("clean", tmp_path / "missing.txt", "-o", out).exit_code == COULD_NOT_RUN
    assert out.read_text() == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "out.txt", "page.txt"]


def test_a_file_beside_the_output_is_never_touched(page: Path, tmp_path: Path) -> None:
    (tmp_path / "out.txt.tmp").write_text("mine")
    run("clean", page, "-o", tmp_path / "out.txt")
    assert (tmp_path / "out.txt.tmp").read_text() == "mine"


def test_a_device_stays_a_device(page: Path) -> None:
    assert run("clean", page, "-o", os.devnull).exit_code == DONE
    assert not Path(os.devnull).is_file()


def test_a_missing_folder_for_the_output_is_named(page: Path, tmp_path: Path) -> None:
    result = run("clean", page, "-o", tmp_path / "no" / "out.txt")
    assert result.exit_code == COULD_NOT_RUN
    assert f"{tmp_path / 'no'}: no such folder" in one_message(result)


# clean -o FOLDER


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    """Records of two sites, one of them bad."""
    records = tmp_path / "crawl.jsonl"
    rows = [{"id": i, "url": f"https://s{i % 2}.example/", "content": PAGE} for i in range(4)]
    records.write_text("".join(json.dumps(row) + "\n" for row in rows) + "bad\n")
    return records


def shard_rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted(out.glob("data/*.jsonl")) for line in file.open("rb")]


def test_a_folder_gets_shards_and_the_tables_say_what_was_removed(crawl: Path, tmp_path: Path) -> None:
    out = tmp_path / "cleaned"
    result = run("clean", crawl, "-o", out, "--workers", 1)
    assert result.exit_code == BAD_RECORDS
    assert [row["content"] for row in shard_rows(out)] == [Cleaner().clean(PAGE)] * 4
    for shown in ("Label", "Language", "Site", "navigation", "s0.example", "(unknown)"):
        assert shown in result.stdout
    assert "5 in = 4 out + 0 empty + 1 rejected" in result.stdout
    assert result.stderr.endswith(f"1 bad record was left out; reasons in {out}/left_out\n")


def test_a_folder_can_be_named_in_three_ways_and_anything_else_is_a_file(page: Path, tmp_path: Path) -> None:
    (tmp_path / "there.txt").mkdir()
    for name in ("there.txt", "new", "new.v2/", "deep/new"):
        assert run("clean", page, "-o", f"{tmp_path}/{name}", "--workers", 1).exit_code == DONE
        assert (tmp_path / name / "data" / "shard-00000.jsonl").is_file()
    (tmp_path / "file").touch()
    for name in ("file", "new.txt", "new.MD"):
        assert run("clean", page, "-o", tmp_path / name).exit_code == DONE
        assert (tmp_path / name).read_text("utf-8") == Cleaner().clean(PAGE)
    assert run("clean", page, "-o", tmp_path / "new.jsonl").exit_code == DONE
    assert json.loads((tmp_path / "new.jsonl").read_text("utf-8"))["text"] == Cleaner().clean(PAGE)
    for name in ("new.csv", "new.txt.gz"):
        result = run("clean", page, "-o", tmp_path / name)
        assert (result.exit_code, "a file is .txt or .jsonl" in result.stderr) == (COULD_NOT_RUN, True)


def test_figures_are_not_cut_where_nobody_looks_on(tmp_path: Path) -> None:
    site = f"https://{'a-long-name.' * 4}example/"
    (tmp_path / "a.jsonl").write_text(json.dumps({"url": site, "text": f"{SENTENCE}\n" * 30_000}))
    result = script("clean", tmp_path / "a.jsonl", "-o", tmp_path / "out", "--drop", "", "--workers", 1)
    assert result.returncode == DONE, result.stderr
    assert f"{30_000 * len(SENTENCE):,}" in result.stdout.decode()
    assert "a-long-name.example" in result.stdout.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
def test_a_closed_standard_output_is_an_error_in_one_line(page: Path) -> None:
    command = [sys.executable, "-m", "boilerplate_ds.cli", "clean", str(page)]
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *command], capture_output=True, check=False)
    assert done.returncode == COULD_NOT_RUN
    assert done.stderr == b"Error: standard output is closed; name a file: -o FILE\n"


def test_the_options_of_a_folder_reach_it(crawl: Path, tmp_path: Path) -> None:
    out = tmp_path / "cleaned"
    options = ["--to", "parquet", "--with", "labels, removed", "--workers", 1, "--shard-size", "0.001"]
    result = run("clean", crawl, "-o", out, *options, "--json")
    report = json.loads(result.stdout)
    assert report["records"] == {"in": 5, "out": 4, "empty": 0, "rejected": 1}
    assert report["by"]["site"]["s0.example"]["documents"] == 2
    row = parquet.read_table(out / "data" / "shard-00000.parquet").to_pylist()[0]
    assert row["line_labels"][0] == "navigation"
    assert "Skip to content" in row["removed_lines"]
    result = run("clean", crawl, "-o", out, "--workers", 1)
    assert result.exit_code == COULD_NOT_RUN
    assert "was begun with other settings (to: parquet then, jsonl now" in one_message(result)
    assert run("clean", crawl, "-o", out, "--workers", 1, "--restart").exit_code == BAD_RECORDS
    assert [path.name for path in (out / "data").iterdir()] == ["shard-00000.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "parquet"], "--to needs a folder to write to"),
        (["--workers", "2", "-o", "out.txt"], "--workers needs a folder to write to"),
        (["-o", "out.parquet"], "Parquet is written to a folder: -o cleaned/ --to parquet"),
        (["--with", "colour", "-o", "out"], "unknown extra 'colour'; known are labels, scores, removed"),
        (["-o", "."], "is part of the input"),
        (["-o", "page.txt", "--json"], "page.txt is part of the input"),
        (["-o", "out.json"], "a file is .txt or .jsonl"),
        (["-o", "out.html"], "a file is .txt or .jsonl"),
        (["--shard-size", "nan", "-o", "out"], "nan is not a finite number"),
        (["--shard-size", "1e400", "-o", "out"], "inf is not in the range"),
        (["--shard-size", "1e308", "-o", "out"], "1e+308 is not in the range"),
        (["--dry-run", "--with", "colour"], "unknown extra 'colour'"),
        (["--format", "docx", "-o", "out"], "unknown format 'docx'"),
    ],
)
def test_a_wrong_output_cannot_be_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("clean", page, *arguments)
    assert result.exit_code == COULD_NOT_RUN
    assert message in one_message(result)


def test_standard_input_goes_to_a_folder_once(tmp_path: Path) -> None:
    out = tmp_path / "cleaned"
    assert run("clean", "-", "-o", out, "--workers", 1, stdin=PAGE).exit_code == DONE
    assert shard_rows(out)[0]["id"] == "stdin"
    again = run("clean", "-", "-o", out, "--workers", 1, stdin="Other text.")
    assert again.exit_code == COULD_NOT_RUN
    assert "standard input can't be compared" in one_message(again)


def test_splits_of_a_saved_dataset_are_not_mixed(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    saved, out = tmp_path / "all" / "saved", tmp_path / "out"
    half = datasets.Dataset.from_list([{"text": PAGE}])
    datasets.DatasetDict({"train": half, "test": half}).save_to_disk(saved)
    for folder in (saved, saved.parent):
        for options in (["-o", out], ["--json"], ["--dry-run"]):
            result = run("clean", folder, *options)
            assert result.exit_code == COULD_NOT_RUN
            assert f"name one split, such as {saved / 'train'}" in one_message(result)
            assert result.stdout == ""
    assert not out.exists()
    assert run("clean", saved / "train", "-o", out, "--workers", 1).exit_code == DONE
    assert len(shard_rows(out)) == 1
    assert len(run("clean", saved / "train", saved / "test", "--json").stdout.splitlines()) == 2


def test_a_dry_run_shows_both_sides_and_writes_nothing(crawl: Path, tmp_path: Path) -> None:
    result = run("clean", crawl, "-o", tmp_path / "cleaned", "--dry-run")
    assert result.exit_code == BAD_RECORDS
    assert "n Skip to content" in result.stdout
    assert f"  {SENTENCE[:40]}" in result.stdout
    assert "5 in = 4 out" in result.stdout
    assert "rejected: " in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["crawl.jsonl"]
    assert json.loads(run("clean", crawl, "--dry-run", "--json").stdout)["records"]["in"] == 5


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_stopped_run_says_so_and_the_same_command_goes_on(tmp_path: Path) -> None:
    records, out = tmp_path / "crawl.jsonl", tmp_path / "cleaned"
    records.write_text("".join(json.dumps({"id": i, "text": PAGE * 10}) + "\n" for i in range(2_000)))
    command = [sys.executable, "-m", "boilerplate_ds.cli", "clean", str(records), "-o", str(out), "--json"]
    options = ["--workers", "1", "--shard-size", "0.1"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while (
            process.poll() is None and len(list(out.glob("data/shard-*"))) < 2
        ):  # the first one is vouched for
            time.sleep(0.02)
        process.terminate()
        _, message = process.communicate()
    assert process.returncode == 130, message
    assert (
        message.decode() == f"stopped; finished shards stay in {out}, the same command goes on from there\n"
    )
    assert not list(out.rglob("*.unfinished"))
    report = json.loads(run(*command[3:], *options).stdout)
    assert report["resumed"] > 0
    assert [row["id"] for row in shard_rows(out)] == list(range(2_000))


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_full_disk_ends_the_run_and_the_same_command_goes_on(tmp_path: Path) -> None:
    import resource

    records, out = tmp_path / "crawl.jsonl", tmp_path / "cleaned"
    records.write_text("".join(json.dumps({"id": i, "text": PAGE * 5}) + "\n" for i in range(600)))
    command = [sys.executable, "-m", "boilerplate_ds.cli", "clean", str(records), "-o", str(out)]
    done = subprocess.run(
        [*command, "--workers", "1"],
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.returncode == COULD_NOT_RUN
    assert f"Error: {out}: File too large; finished shards stay in {out}".encode() in done.stderr
    assert b"Traceback" not in done.stderr
    assert list((out / "data").iterdir()) == []
    assert run("clean", records, "-o", out, "--workers", 1).exit_code == DONE
    assert [row["id"] for row in shard_rows(out)] == list(range(600))


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize(
    ("name", "options", "goes_on"),
    [
        ("crawl.jsonl", ["--restart"], ", the same command without --restart goes on from there"),
        ("-", [], ", but a run on standard input cannot go on"),
    ],
)
def test_a_run_that_ends_early_says_whether_it_can_go_on(
    tmp_path: Path, name: str, options: list[str], goes_on: str
) -> None:
    import resource

    records = "".join(json.dumps({"id": i, "text": PAGE * 5}) + "\n" for i in range(600)).encode()
    (tmp_path / "crawl.jsonl").write_bytes(records)
    done = script(
        *["clean", name, "-o", "cleaned", "--workers", "1", *options],
        cwd=tmp_path,
        input=records,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.returncode == COULD_NOT_RUN
    assert done.stderr.decode() == (
        f"Error: cleaned: File too large; finished shards stay in cleaned{goes_on}\n"
    )


def test_a_run_that_never_began_has_nothing_to_go_on_from(page: Path) -> None:
    result = run("clean", page, "-o", page / "cleaned", "--workers", 1)
    assert result.exit_code == COULD_NOT_RUN
    assert one_message(result) == f"Error: {page / 'cleaned'}: Not a directory"


# inspect --html


def test_a_page_becomes_one_file_to_share(page: Path, tmp_path: Path) -> None:
    out = tmp_path / "labelled.html"
    result = run("inspect", page, "--html", out)
    assert (result.exit_code, result.output) == (DONE, "")
    report = out.read_text("utf-8")
    assert report.count("<tr class=") == len([line for line in PAGE.splitlines() if line])
    assert "Skip to content" in report


def test_a_page_is_not_written_over_by_its_own_report(page: Path) -> None:
    result = run("inspect", page, "--html", page)
    assert result.exit_code == COULD_NOT_RUN
    assert f"{page} is part of the input" in one_message(result)
    assert page.read_text("utf-8") == PAGE


# Bad input to clean


def test_a_page_of_which_nothing_is_left_is_named(page: Path, tmp_path: Path) -> None:
    menu = tmp_path / "menu.txt"
    menu.write_text("Skip to content\nHome | News | Sport\n")
    result = run("clean", menu)
    assert (result.exit_code, result.stdout) == (DONE, "")
    assert one_message(result).startswith("nothing is left of menu.txt; boilerplate-ds inspect")
    other = tmp_path / "other.txt"
    other.write_bytes(menu.read_bytes())
    assert one_message(run("clean", menu, page, other)).startswith("nothing is left of 2 pages")
    assert not run("clean", menu, "--json").stderr
    assert not run("clean", page).stderr


@pytest.mark.parametrize("command", [["clean"], ["clean", "--json"], ["inspect"], ["inspect", "--json"]])
def test_a_missing_file_alone_cannot_be_run_on(command: list[str], tmp_path: Path) -> None:
    result = run(*command, tmp_path / "nope.txt")
    assert result.exit_code == COULD_NOT_RUN
    assert one_message(result) == f"Error: {tmp_path / 'nope.txt'}: no such file"
    assert result.stdout == ""


def test_a_folder_or_a_pattern_without_pages_cannot_be_run_on(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(PNG)
    result = run("clean", tmp_path)
    assert result.exit_code == COULD_NOT_RUN
    assert f"{tmp_path}: holds no pages" in one_message(result)
    result = run("clean", tmp_path / "*.txt")
    assert result.exit_code == COULD_NOT_RUN
    assert "*.txt: no file matches" in one_message(result)


def bad_files(folder: Path) -> dict[str, str]:
    """Write bad files; gives by name what the message about each says."""
    (folder / "image.txt").write_bytes(PNG)
    (folder / "cut.txt.gz").write_bytes(gzip.compress(PAGE.encode() * 9)[:-20])
    packed = gzip.compress(PAGE.encode())
    (folder / "damaged.txt.gz").write_bytes(packed[:-8] + bytes(4) + packed[-4:])  # a wrong checksum
    (folder / "torn.jsonl").write_text('{"text": "Home"}\n{"text": "Fer\n')
    (folder / "list.jsonl").write_text('{"text": "Home"}\n[1]\n')
    (folder / "table.csv").write_text("number,other\n1,2\n")
    (folder / "large.html").write_text("<" * 2_000_001)
    return {
        "image.txt": "image.txt: not a file of pages: this is a PNG image",
        "cut.txt.gz": "cut.txt.gz: the gzip data ends too early",
        "damaged.txt.gz": "damaged.txt.gz: the gzip data is damaged",
        "torn.jsonl": "torn.jsonl, line 2: not JSON",
        "list.jsonl": "list.jsonl, line 2: a JSON list, not an object",
        "table.csv": "table.csv: no text column found; the columns are 'number', 'other'",
        "large.html": "large.html: HTML of more than",
        "missing.txt": "missing.txt: cannot be read: No such file",
    }


@pytest.mark.parametrize(
    "name",
    [
        "image.txt",
        "cut.txt.gz",
        "damaged.txt.gz",
        "torn.jsonl",
        "list.jsonl",
        "table.csv",
        "large.html",
        "missing.txt",
    ],
)
def test_a_bad_file_is_named_and_the_others_are_cleaned(name: str, page: Path, tmp_path: Path) -> None:
    message = bad_files(tmp_path)[name]
    last = tmp_path / "last.txt"
    last.write_text(PAGE)
    result = run("clean", page, tmp_path / name, last, "--json")
    assert result.exit_code == BAD_RECORDS
    rejected, summary = result.stderr.splitlines()
    assert rejected.startswith(f"rejected: {tmp_path / message}")
    assert summary == "1 bad record was left out"
    records = {r["id"]: r for r in map(json.loads, result.stdout.splitlines())}
    assert records["page.txt"]["text"] == records["last.txt"]["text"] == Cleaner().clean(PAGE)
    assert len(records) == 2 + (name in ("torn.jsonl", "list.jsonl"))


def test_a_bad_file_ends_the_real_command_without_a_traceback(tmp_path: Path) -> None:
    bad_files(tmp_path)
    done = script("clean", tmp_path, "-", input=PAGE.encode())
    assert done.returncode == BAD_RECORDS
    assert STORY.encode() in done.stdout
    assert b"Traceback" not in done.stderr
    assert b"7 bad records were left out" in done.stderr


def test_bad_bytes_on_standard_input_are_named() -> None:
    result = run("clean", "-", stdin=PNG)
    assert result.exit_code == BAD_RECORDS
    assert "rejected: -: not a file of pages: this is a PNG image" in result.stderr


def test_of_many_bad_records_the_first_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    records = tmp_path / "crawl.jsonl"
    records.write_text('{"text": "good"}\n' + "bad\n" * 1500)
    result = run("clean", records, "--drop", "")
    assert result.stdout == "good"
    assert len(result.stderr.splitlines()) == 22
    assert result.stderr.endswith("… and 1,480 more\n1,500 bad records were left out\n")


def test_what_a_name_hides_is_shown_and_not_done(tmp_path: Path) -> None:
    bad = tmp_path / "\x1b[2Jgone.txt"
    bad.write_bytes(PNG)
    result = run("clean", bad)
    assert result.exit_code == BAD_RECORDS
    assert "⟨U+001B⟩[2Jgone.txt: not a file of pages" in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize("name", ["empty.txt", "empty.html", "empty.jsonl", "blank.txt"])
def test_an_empty_page_is_a_page_without_lines(name: str, tmp_path: Path) -> None:
    page = tmp_path / name
    page.write_text("\n \n" if name.startswith("blank") else "")
    result = run("clean", page)
    assert result.exit_code == DONE
    assert result.stdout.strip() == result.stderr == ""
    if name != "empty.jsonl":
        record = json.loads(run("clean", page, "--json").stdout)
        assert (record["id"], record["lines"], record["kept"]) == (name, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--drop", "spam"], "unknown label 'spam'; labels are content, ad, navigation, recommendation"),
        (["--threshold", "2"], "2.0 is not in the range 0<=x<=1"),
        (["--threshold", "nan"], "nan is not a finite number"),
        (["--threshold", "much"], "'much' is not a valid float"),
        (["--model", "no/such/model"], "no/such/model: no model there"),
        (["--format", "docx"], "unknown format 'docx'; known are text, html, jsonl"),
    ],
)
def test_wrong_settings_cannot_be_run(page: Path, arguments: list[str], message: str) -> None:
    result = run("clean", page, *arguments)
    assert result.exit_code == COULD_NOT_RUN
    assert message in one_message(result)
    assert result.stdout == ""


@pytest.mark.parametrize("command", ["clean", "inspect", "evaluate"])
def test_a_model_with_a_wrong_checksum_is_refused(
    command: str, page: Path, tmp_path: Path, collection: Path
) -> None:
    model = shutil.copytree(shipped("models/web"), tmp_path / "model")
    weights = model / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    judged = [model, "--labels", collection] if command == "evaluate" else [page, "--model", model]
    result = run(command, *judged)
    assert result.exit_code == COULD_NOT_RUN
    assert f"{weights}: checksum differs" in one_message(result)
    assert result.stdout == ""


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
@pytest.mark.parametrize("command", [["clean", "--drop", ""], ["inspect"], ["inspect", "--json"]])
def test_a_reader_that_leaves_early_is_no_error(command: list[str], tmp_path: Path) -> None:
    page = tmp_path / "long.txt"
    page.write_text(PAGE * 2000)
    command = [sys.executable, "-m", "boilerplate_ds.cli", *command, str(page)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == DONE


# inspect


def test_a_page_is_shown_in_one_way(page: Path, tmp_path: Path) -> None:
    result = run("inspect", page, "--json", "--html", tmp_path / "page.html")
    assert (result.exit_code, list(tmp_path.glob("*.html"))) == (COULD_NOT_RUN, [])


def test_each_line_is_shown_with_its_letter_and_score(page: Path) -> None:
    result = run("inspect", page)
    heading, *lines = result.stdout.splitlines()
    assert heading == "page.txt (7 lines)"
    expected = [
        f"{' ' if line.kept else '-'} {line.label.code} {line.score:.2f}  {line.text}"
        for line in Cleaner().label(PAGE)
    ]
    assert lines == expected
    assert "".join(f"{line[10:]}\n" for line in lines if line[0] == " ") == run("clean", page).stdout.replace(
        "\n\n", "\n"
    )


def test_lines_are_json_for_programs(page: Path) -> None:
    records = [json.loads(line) for line in run("inspect", page, "--json").stdout.splitlines()]
    for number, (record, line) in enumerate(zip(records, Cleaner().label(PAGE), strict=True), 1):
        assert record == {
            "id": "page.txt",
            "line": number,
            "label": line.label.value,
            "score": round(line.score, 4),
            "kept": line.kept,
            "text": line.text,
        }


def test_labels_have_colours_that_all_people_tell_apart(page: Path) -> None:
    assert COLOURS == {
        "content": "#009e73",
        "ad": "#d55e00",
        "navigation": "#56b4e9",
        "recommendation": "#cc79a7",
    }
    colourful = os.environ | {"FORCE_COLOR": "1", "COLORTERM": "truecolor", "TERM": "xterm-256color"}
    colourful.pop("NO_COLOR", None)
    shown = script("inspect", page, env=colourful).stdout.decode()
    for seen, line in zip(shown.splitlines()[1:], Cleaner().label(PAGE), strict=True):
        red, green, blue = bytes.fromhex(COLOURS[line.label.value][1:])
        assert seen.startswith(
            f"\x1b[38;2;{red};{green};{blue}m{' ' if line.kept else '-'} {line.label.code} "
        )


def test_a_page_of_html_is_shown_line_by_line(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(HTML)
    lines = run("inspect", page).stdout.splitlines()
    assert [line[10:] for line in lines[1:]] == ["Home", "Ferry", SENTENCE]


def test_every_page_of_a_file_is_shown(tmp_path: Path) -> None:
    records = tmp_path / "crawl.jsonl"
    records.write_text('{"id": "one", "text": "Home"}\n{"id": "two", "text": "Ferry"}\nno\n')
    result = run("inspect", records)
    assert result.exit_code == BAD_RECORDS
    assert [line for line in result.stdout.splitlines() if line.endswith("lines)")] == [
        "one (1 lines)",
        "two (1 lines)",
    ]
    assert "crawl.jsonl, line 3: not JSON" in result.stderr


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[bold red]sale[/bold red] [link=https://x.example]x[/link] [/]", None),
        (":smile: https://a.example 1234", None),
        ("before\x1b[31mred\x07\x9b2J", "before⟨U+001B⟩[31mred⟨U+0007⟩⟨U+009B⟩2J"),
        ("left\u202eright\u2066", "left⟨U+202E⟩right⟨U+2066⟩"),
        ("word " * 60 + "end", None),  # longer than the terminal is wide
    ],
)
def test_text_of_a_page_is_printed_as_text(text: str, shown: str | None, tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    page.write_text(text, encoding="utf-8")
    assert run("inspect", page).stdout.splitlines()[1][10:] == (shown or text)
    assert json.loads(run("inspect", page, "--json").stdout)["text"] == text


# ingest and hydrate


def test_written_pages_join_a_collection(pages_file: Path, tmp_path: Path) -> None:
    result = run("ingest", pages_file, "-o", tmp_path / "mine", "--annotator", "anna")
    assert result.exit_code == DONE
    assert result.stdout == f"16 pages read, 16 new or changed annotations in {tmp_path / 'mine'}\n"
    loaded = load_collection(tmp_path / "mine")
    assert {a.annotator for a in loaded.annotations} == {"anna"}
    assert all(a.guidelines for a in loaded.annotations)
    again = run("ingest", pages_file, "-o", tmp_path / "mine", "--annotator", "anna", "--json")
    assert json.loads(again.stdout) == {"pages": 16, "labeled": 0, "rejected": 0}


def test_pages_with_a_mistake_are_named_and_the_others_ingested(pages_file: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text("@@\n@id x\nc fine\nq what label is this\n\n@@\n@id y\nc good\n")
    image = tmp_path / "image.txt"
    image.write_bytes(PNG)
    result = run("ingest", bad, image, pages_file, "-o", tmp_path / "mine")
    assert result.exit_code == BAD_RECORDS
    assert result.stdout.startswith("17 pages read, 17 new")
    assert (
        f"rejected: {bad}, page at line 1: line 4: 'q what label is this' is not a label letter"
        in result.stderr
    )
    assert f"rejected: {image}: 'utf-8' codec can't decode" in result.stderr
    assert "2 bad records were left out" in result.stderr


def test_pages_that_are_missing_cannot_be_ingested(tmp_path: Path) -> None:
    result = run("ingest", tmp_path / "nope.txt", "-o", tmp_path / "mine")
    assert result.exit_code == COULD_NOT_RUN
    assert "nope.txt' does not exist" in one_message(result)


@pytest.fixture
def standoff(collection: Path, tmp_path: Path) -> Path:
    """The small collection without its texts, and a copy of its corpus in ``copies``."""
    folder = shutil.copytree(collection, tmp_path / "standoff")
    copy = tmp_path / "copies" / "deep" / "pages.jsonl"
    copy.parent.mkdir(parents=True)
    copy.write_text("".join(p.read_text() for p in sorted((folder / "documents").glob("*.jsonl"))))
    shutil.rmtree(folder / "documents")
    manifest = {
        "name": "small",
        "title": "Small pages",
        "file": "pages.jsonl",
        "sha256": sha256_of_file(copy),
        "size": copy.stat().st_size,
        "revision": "1",
        "licence": "none",
        "obtain": "Ask for pages.jsonl.",
    }
    (folder / "corpus.json").write_text(json.dumps(manifest))
    return folder


def test_labels_meet_their_texts_in_a_folder(standoff: Path, tmp_path: Path) -> None:
    result = run("hydrate", standoff, "--from", tmp_path / "copies")
    assert result.exit_code == DONE
    assert "16 of 16 labelled documents" in result.stdout
    assert "note" not in result.stdout
    assert len(load_collection(standoff).annotations) == 16
    report = json.loads(run("hydrate", standoff, "--from", tmp_path / "copies", "--json").stdout)
    assert (report["matched"], report["missing"], report["differing"]) == (16, [], {})
    assert report["is_pinned"]


def test_texts_that_differ_or_are_missing_are_named(standoff: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copies" / "deep" / "pages.jsonl"
    records = [json.loads(line) for line in copy.read_text().splitlines()]
    gone, other = records.pop(0), records[0]
    other["lines"][0] += "!"
    copy.write_text("".join(json.dumps(record) + "\n" for record in records) + "no JSON\n")
    result = run("hydrate", standoff, "--from", tmp_path / "copies")
    assert result.exit_code == BAD_RECORDS
    assert f"missing   {gone['id']}: not in {copy}" in result.stdout
    assert f"differs   {other['id']}: the text of document" in result.stdout
    assert "14 of 16 labelled documents" in result.stdout
    assert "another copy than the pinned one" in result.stdout
    assert f"rejected: {copy}, line 16: not JSON" in result.stderr
    copy.write_text(copy.read_text().replace("no JSON\n", ""))
    incomplete = run("hydrate", standoff, "--from", tmp_path / "copies", "--json")
    assert incomplete.exit_code == BAD_RECORDS
    assert json.loads(incomplete.stdout)["missing"] == [gone["id"]]


def test_a_second_copy_adds_to_the_texts_of_the_first(standoff: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copies" / "deep" / "pages.jsonl"
    lines = copy.read_text().splitlines(keepends=True)
    copy.write_text("".join(lines[:10]))
    assert run("hydrate", standoff, "--from", copy).exit_code == BAD_RECORDS
    copy.write_text("".join(lines[8:]))
    result = run("hydrate", standoff, "--from", copy)
    assert result.exit_code == DONE
    assert "matched   8 of 16" in result.stdout
    assert "kept      8 documents of an earlier copy" in result.stdout
    assert len(load_collection(standoff).annotations) == 16


@pytest.mark.parametrize("source", ["nowhere", "empty"])
def test_without_a_copy_hydration_cannot_run(standoff: Path, tmp_path: Path, source: str) -> None:
    (tmp_path / "empty").mkdir()
    result = run("hydrate", standoff, "--from", tmp_path / source)
    assert result.exit_code == COULD_NOT_RUN
    assert f"{tmp_path / source}: no pages.jsonl in it. Ask for pages.jsonl." in one_message(result)
    result = run("hydrate", tmp_path / "empty", "--from", tmp_path)
    assert result.exit_code == COULD_NOT_RUN
    assert "corpus.json: missing" in one_message(result)
    result = run("hydrate", tmp_path / "no", "--from", tmp_path)
    assert f"{tmp_path / 'no'}: no such folder" in one_message(result)


# train and evaluate


@pytest.fixture(scope="module")
def trained(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("models") / "mine"
    return out, run("train", collection, "-o", out, "--folds", 2, "--epochs", 1, "--jobs", 1)


def test_training_writes_a_model_its_card_and_its_figures(trained) -> None:
    out, result = trained
    assert result.exit_code == DONE
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md",
        "config.json",
        "evaluation.json",
        "model.safetensors",
    ]
    figures = json.loads((out / "evaluation.json").read_text())
    assert figures["folds"] == 2
    measured = figures["four_class"]["small, text"]
    assert measured["lines"] == 176
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "license" not in yaml.safe_load(card.split("---\n")[1])  # whoever trained it is to say
    assert f"| small, text | 16 | 176 | {measured['accuracy']:.3f} |" in card
    assert "small, text" in result.stdout
    assert f"model     {out}" in result.stdout


def test_a_trained_model_cleans_and_is_evaluated(
    trained, page: Path, collection: Path, tmp_path: Path
) -> None:
    out, _ = trained
    assert run("clean", page, "--model", out).exit_code == DONE
    result = run("evaluate", out, "--labels", collection, "--json")
    assert result.exit_code == DONE
    figures = json.loads(result.stdout)
    assert figures["four_class"]["small, text"]["documents"] == figures["documents_of_trained_sites"] == 16
    assert f"16 of 16 documents are of sites that {out} was trained on" in result.stderr
    table = run("evaluate", out, "--labels", collection.parent)  # a folder of collections
    assert table.exit_code == DONE
    assert "macro F1" in table.stdout
    other = shutil.copytree(collection, tmp_path / "other")
    for part in (other / "documents").iterdir():
        part.write_text(part.read_text().replace("harbour", "quay"))
    again = json.loads(run("evaluate", out, "--labels", other, "--json").stdout)
    assert 0 < again["documents_of_trained_sites"] < 16


def test_a_model_that_does_not_say_what_it_knows_is_told(trained, collection: Path, tmp_path: Path) -> None:
    old = shutil.copytree(trained[0], tmp_path / "old")
    config = json.loads((old / "config.json").read_text())
    del config["facts"]["sites"]
    (old / "config.json").write_text(json.dumps(config))
    result = run("evaluate", old, "--labels", collection, "--json")
    assert json.loads(result.stdout)["documents_of_trained_sites"] is None
    assert f"{old} does not say which sites it was trained on" in result.stderr


def write_wcxb(path: Path, **changes: object) -> Path:
    row = {
        "id": "1",
        "url": "https://a.example",
        "domain": "a.example",
        "page_type": "[article]",
        "main_content": SENTENCE,
        "html": HTML,
    }
    parquet.write_table(pa.Table.from_pylist([row, row | {"id": "2", **changes}]), path)
    return path


def test_a_model_is_judged_on_wcxb(tmp_path: Path) -> None:
    wcxb = write_wcxb(tmp_path / "w.parquet")
    result = run("evaluate", shipped("models/web"), "--wcxb", wcxb, "--json")
    assert result.exit_code == DONE
    figures = json.loads(result.stdout)["wcxb"]
    assert {view: f["pages"] for view, f in figures.items()} == {"html": 2, "text": 2, "residue": 2}
    assert figures["html"]["word_f1"] > 0.8
    assert "[article]" in run("evaluate", shipped("models/web"), "--wcxb", wcxb).stdout


def test_a_wcxb_file_without_pages_gives_nothing_to_measure_on(tmp_path: Path) -> None:
    path = write_wcxb(tmp_path / "w.parquet")
    parquet.write_table(parquet.read_table(path).slice(0, 0), path)
    result = run("evaluate", shipped("models/web"), "--wcxb", path)
    assert result.exit_code == COULD_NOT_RUN
    assert "no labelled page to learn from or to measure on" in one_message(result)


def test_labels_that_no_line_has_are_told_when_a_model_is_trained(tmp_path: Path) -> None:
    pages = "".join(f"@@\n@id p{i}\nn Home\nc The ferry is late on day {i}.\n" for i in range(4))
    (tmp_path / "pages.txt").write_text(pages)
    assert run("ingest", tmp_path / "pages.txt", "-o", tmp_path / "few").exit_code == DONE
    result = run("train", tmp_path / "few", "-o", tmp_path / "model", "--epochs", 1, "--jobs", 1)
    assert result.exit_code == DONE
    assert result.stderr.splitlines() == [
        "warning: no line has the label ad: the model won't know it; label some",
        "warning: no line has the label recommendation: the model won't know it; label some",
    ]


def test_pages_whose_html_is_known_are_counted_and_none_is_an_error(collection: Path, tmp_path: Path) -> None:
    ids = list(load_collection(collection).documents)[:3]
    for name, keys in (("some", ids), ("none", [1, 2])):
        parquet.write_table(pa.table({"id": keys, "html": [HTML] * len(keys)}), tmp_path / name)
    judged = run("evaluate", "web", "--labels", collection, "--html", tmp_path / "some", "--json")
    assert judged.exit_code == DONE
    assert judged.stderr == "HTML for 3 of 16 pages\n"
    assert json.loads(judged.stdout)["four_class"]["small, html"]["documents"] == 3
    for command in (["evaluate", "web", "--labels"], ["train", "-o", tmp_path / "out"]):
        result = run(*command, collection, "--html", tmp_path / "none")
        assert result.exit_code == COULD_NOT_RUN
        assert "none: HTML of no labelled page; ids must be" in one_message(result)
    assert not (tmp_path / "out").exists()


def test_a_wcxb_page_that_is_refused_is_named(tmp_path: Path) -> None:
    wcxb = write_wcxb(tmp_path / "w.parquet", html="<" * 2_000_001)
    result = run("evaluate", shipped("models/web"), "--wcxb", wcxb, "--json")
    assert result.exit_code == BAD_RECORDS
    assert json.loads(result.stdout)["wcxb"]["html"]["pages"] == 1
    assert f"rejected: {wcxb}, page 2: HTML of more than" in result.stderr


def damaged(collection: Path, folder: Path) -> Path:
    """A copy of a collection with three bad records: an unknown label, a misfit, no JSON."""
    shutil.copytree(collection, folder)
    file = folder / "annotations" / "authors.jsonl"
    lines = file.read_text().splitlines()
    first, second = json.loads(lines[0]), json.loads(lines[1])
    lines[0] = json.dumps(first | {"labels": "10c 1x"})
    lines[1] = json.dumps(second | {"labels": "12c"})
    lines[2] = lines[2][:30]
    file.write_text("\n".join(lines) + "\n")
    return folder


def test_a_model_is_not_saved_among_other_files(collection: Path, tmp_path: Path, trained) -> None:
    (tmp_path / "README.md").write_text("mine")
    result = run("train", collection, "-o", tmp_path, "--epochs", 1, "--jobs", 1)
    assert result.exit_code == COULD_NOT_RUN
    assert "holds README.md, and no boilerplate-ds model" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert run("train", collection, "-o", tmp_path).exit_code == COULD_NOT_RUN
    result = run("train", tmp_path / "nowhere", "-o", tmp_path / "README.md" / "model")
    assert "README.md: is a file; name a folder for the model" in one_message(result)
    again = shutil.copytree(trained[0], tmp_path / "model")
    assert run("train", collection, "-o", again, "--epochs", 1, "--jobs", 1).exit_code == DONE


@pytest.mark.parametrize("command", ["train", "evaluate", "export"])
def test_bad_labels_are_named_and_the_others_used(command: str, collection: Path, tmp_path: Path) -> None:
    small = damaged(collection, tmp_path / "small")
    out = tmp_path / "out"
    arguments = {
        "train": [small, "-o", out, "--epochs", 1, "--jobs", 1],
        "evaluate": ["web", "--labels", small],
        "export": [small, "-o", out],
    }
    result = run(command, *arguments[command])
    assert result.exit_code == BAD_RECORDS
    file = small / "annotations" / "authors.jsonl"
    *messages, summary = result.stderr.splitlines()
    assert summary == "3 bad records were left out"
    assert messages[0].startswith(f"rejected: {file}, line 1: label runs break at '1x'")
    assert f"{file}, line 2: 12 labels for the 11 lines of document" in result.stderr
    assert f"{file}, line 3: not JSON" in result.stderr
    if command == "train":
        facts = json.loads((out / "config.json").read_text())["facts"]["trained_on"]
        assert facts["small"]["pages"] == 13


def test_documents_that_annotators_disagree_on_are_told(collection: Path, tmp_path: Path) -> None:
    small = shutil.copytree(collection, tmp_path / "small")
    record = json.loads((small / "annotations" / "authors.jsonl").read_text().splitlines()[0])
    other = record | {"annotator": "ben", "labels": "11c"}
    (small / "annotations" / "ben.jsonl").write_text(json.dumps(other) + "\n")
    result = run("evaluate", "web", "--labels", small)
    assert result.exit_code == DONE
    assert result.stderr == f"left out  {record['doc_id']}: not settled (majority)\n"


@pytest.mark.parametrize("command", ["train", "evaluate", "export", "build"])
def test_collections_that_are_missing_or_hold_no_text_cannot_be_used(
    command: str, collection: Path, tmp_path: Path, trained
) -> None:
    def of(labels: Path) -> Result:
        before = {"evaluate": [trained[0], "--labels", labels], "build": ["--labels", labels]}
        out = [] if command == "evaluate" else ["-o", tmp_path / "out"]
        return run(command, *before.get(command, [labels]), *out)

    result = of(tmp_path / "nowhere")
    assert result.exit_code == COULD_NOT_RUN
    assert "nowhere: no such folder" in one_message(result)
    (tmp_path / "empty").mkdir()
    result = of(tmp_path / "empty")
    assert result.exit_code == COULD_NOT_RUN
    assert "empty: holds no collection" in one_message(result)
    standoff = shutil.copytree(collection, tmp_path / "standoff")
    shutil.rmtree(standoff / "documents")
    result = of(standoff)
    assert result.exit_code == COULD_NOT_RUN
    assert "standoff" in one_message(result)
    assert "hydrate" in one_message(result)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--folds", "99"], "8 sites cannot be dealt into 99 folds"),
        (["--folds", "-1"], "-1 is not in the range"),
        (["--epochs", "0"], "0 is not in the range"),
        (["--jobs", "0"], "0 is not in the range"),
        (["--seed", "-1"], "-1 is not in the range"),
        (["--wcxb", "page.txt"], "page.txt: can't be read as Parquet"),
        (["--html", "page.txt"], "page.txt: can't be read as Parquet"),
    ],
)
def test_training_that_cannot_be_done_says_why(
    collection: Path, page: Path, tmp_path: Path, arguments: list[str], message: str, monkeypatch
) -> None:
    monkeypatch.chdir(page.parent)
    result = run("train", collection, "-o", tmp_path / "out", *arguments)
    assert result.exit_code == COULD_NOT_RUN
    assert message in one_message(result)
    assert not (tmp_path / "out").exists()


def test_evaluation_needs_something_to_judge_by() -> None:
    result = run("evaluate", shipped("models/web"))
    assert result.exit_code == COULD_NOT_RUN
    assert "give --labels or --wcxb" in one_message(result)


def test_a_folder_without_a_model_cannot_be_evaluated(tmp_path: Path, collection: Path) -> None:
    result = run("evaluate", tmp_path, "--labels", collection)
    assert result.exit_code == COULD_NOT_RUN
    assert f"{tmp_path}: no model there" in one_message(result)


# export


def test_labelled_collections_become_a_dataset(collection: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    out = tmp_path / "dataset"
    result = run("export", collection, "-o", out, "--name", "my-lines")
    assert result.exit_code == DONE
    assert result.stdout.endswith(f"dataset     {out}\n")
    loaded = load_dataset(str(out), "lines", cache_dir=str(tmp_path / "cache"))
    assert sum(split.num_rows for split in loaded.values()) == 176
    assert "my-lines" in (out / "README.md").read_text(encoding="utf-8")
    report = json.loads(run("export", collection, "-o", out, "--json").stdout)
    assert sum(counts["documents"] for counts in report["splits"].values()) == 16


def test_an_export_replaces_nothing_that_is_not_its_own(collection: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    result = run("export", collection, "-o", tmp_path)
    assert result.exit_code == COULD_NOT_RUN
    assert str(tmp_path) in one_message(result)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
