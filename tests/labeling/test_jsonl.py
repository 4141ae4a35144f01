"""JSON Lines: bounded, exact, atomic."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from boilerplate_ds.errors import LabelError, Rejects
from boilerplate_ds.labeling import jsonl
from boilerplate_ds.labeling.jsonl import append_line, encode_record, read_records, write_records

if TYPE_CHECKING:
    from pathlib import Path


def test_a_record_is_one_line_of_valid_utf8_whatever_it_holds() -> None:
    line = encode_record({"text": "é\u2028\n\ud83d 😀"})
    assert line.count(b"\n") == 1
    assert json.loads(line.decode("utf-8")) == {"text": "é\u2028\n\ud83d 😀"}


@pytest.mark.parametrize("value", [float("nan"), {1: "x"}, "\ud83d\ude00", {1, 2}, b"x"])
def test_what_json_would_change_is_refused(value: object) -> None:
    with pytest.raises(LabelError):
        encode_record({"value": value})


def test_bad_lines_are_rejected_with_file_line_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'{"n": 1}\n\nnope\n[2]\n\xff\n' + b"[" * 100_000 + b'\n{"n": 1' + b"1" * 5000 + b'}\n{"n": 3}\n{"n"'
    )
    rejects = Rejects()
    assert [(number, record["n"]) for number, record in read_records(path, rejects)] == [(1, 1), (8, 3)]
    assert [item.record for item in rejects.items] == [f"line {n}" for n in (3, 4, 5, 6, 7, 9)]
    reasons = " ".join(item.reason for item in rejects.items)
    assert "not a JSON object but list" in reasons
    assert "not UTF-8" in reasons
    assert "a write was cut off" in rejects.items[-1].reason


def test_the_first_bad_line_raises_where_nobody_collects_rejects(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("nope\n")
    with pytest.raises(LabelError, match=r"a\.jsonl, line 1: not JSON"):
        list(read_records(path))


def test_a_line_over_the_limit_is_rejected_and_the_next_one_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 32)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"long": "' + b"x" * 100 + b'"}\n{"n": 2}\n')
    rejects = Rejects()
    assert list(read_records(path, rejects)) == [(2, {"n": 2})]
    assert "longer than 32 bytes" in rejects.items[0].reason
    with pytest.raises(LabelError, match="limit is 32"):
        encode_record({"long": "x" * 100})


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert write_records(path, [{"n": 1}]) == 1
    with pytest.raises(LabelError):
        write_records(path, [{"n": 2}, {"n": float("inf")}])
    assert path.read_bytes() == b'{"n": 1}\n'
    assert list(tmp_path.iterdir()) == [path]


def test_a_whole_last_record_without_newline_is_finished_not_moved(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}')
    append_line(path, b'{"n": 2}\n')
    assert path.read_bytes() == b'{"n": 1}\n{"n": 2}\n'
    assert not (tmp_path / "a.jsonl.torn").exists()


def test_a_long_torn_line_is_moved_aside_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    torn = b'{"n": "' + b"x" * 200_000
    path.write_bytes(b'{"n": 1}\n' + torn)
    append_line(path, b'{"n": 2}\n')
    assert path.read_bytes() == b'{"n": 1}\n{"n": 2}\n'
    assert (tmp_path / "a.jsonl.torn").read_bytes() == torn + b"\n"


def test_a_failed_append_says_so_and_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    with pytest.raises(LabelError, match="was not saved"):
        append_line(tmp_path / "a.jsonl", b"{}\n")


APPEND_WITH_ROOM_FOR = """
import resource, sys
from pathlib import Path
from boilerplate_ds.labeling.jsonl import append_line
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
append_line(Path(sys.argv[1]), b'{"n": "does not fit"}\\n')
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
@pytest.mark.parametrize("room", [0, 5])
def test_a_full_disk_is_an_error_and_leaves_the_file_as_it_was(tmp_path: Path, room: int) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}\n')
    command = [sys.executable, "-c", APPEND_WITH_ROOM_FOR, str(path), str(9 + room)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "NotSavedError" in result.stderr
    assert "was not saved" in result.stderr
    assert path.read_bytes() == b'{"n": 1}\n'
