"""JSON Lines on disk: every line bounded, every write durable, every bad line reported.

A line counts once its newline is there. Files are valid UTF-8; lone surrogates are written as JSON escapes.
"""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import IO, TYPE_CHECKING, Any

from boilerplate_ds.errors import LabelError, NotSavedError, Rejects, reject_or_raise

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

MAX_LINE_BYTES = 16 * 2**20
"""Longer lines are rejected unread, and never written."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_CHUNK = 2**16


def encode_record(record: Mapping[str, Any]) -> bytes:
    """Write a record as one line of JSON, newline included.

    Raises
    ------
    LabelError
        If the record would not read back as it is (NaN, keys that are no strings, a surrogate pair
        split in two) or is longer than :data:`MAX_LINE_BYTES`.
    """
    try:
        text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise LabelError(f"cannot be written as JSON: {error}") from error
    line = _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode() + b"\n"
    if len(line) > MAX_LINE_BYTES:
        raise LabelError(f"takes {len(line):,} bytes; the limit is {MAX_LINE_BYTES:,}")
    if json.loads(line) != record:
        raise LabelError(
            "JSON cannot carry it unchanged; keys must be strings, text must be whole characters"
        )
    return line


def decode_record(line: bytes) -> dict[str, Any]:
    """Read one line as a JSON object.

    Raises
    ------
    LabelError
        If it is too long, not UTF-8, not JSON or not an object.
    """
    if len(line) > MAX_LINE_BYTES:
        raise LabelError(f"longer than {MAX_LINE_BYTES:,} bytes")
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise LabelError(f"not UTF-8: {error}") from error
    except (ValueError, RecursionError) as error:
        torn = "" if line.endswith(b"\n") else " (the line has no end: a write was cut off)"
        raise LabelError(f"not JSON: {error}{torn}") from error
    if not isinstance(record, dict):
        raise LabelError(f"not a JSON object but {type(record).__name__}")
    return record


def read_records(path: Path, rejects: Rejects | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number (from 1) and the record of each line that holds one; blank lines are skipped.

    Only what had been written when reading began is read, so a writer at work is never caught halfway.
    """
    with path.open("rb") as handle:
        for number, line in enumerate(_lines(handle, _settled_size(handle)), 1):
            if not line.strip():
                continue
            try:
                record = decode_record(line)
            except LabelError as error:
                reject_or_raise(rejects, path, f"line {number}", str(error), LabelError)
            else:
                yield number, record


def write_records(path: Path, records: Iterable[Mapping[str, Any]]) -> int:
    """Write a whole file at once: readers see the old one or the new one. Gives the number of records."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return _write_lines(path, map(encode_record, records))


def rewrite_lines(path: Path, edit: Callable[[bytes], bytes]) -> None:
    """Write a file anew, all at once, with each line as ``edit`` gives it; an empty one is left out.

    A last line that a crash cut off is dealt with as :func:`append_line` does.
    """
    with path.open("a+b", buffering=0) as handle:
        _lock(handle)
        _mend(handle, path)
    with path.open("rb") as handle:
        lines = handle.readlines()
    _write_lines(path, map(edit, lines))


def _write_lines(path: Path, lines: Iterable[bytes]) -> int:
    temporary = path.with_name(f".{path.name}.{token_hex(4)}")
    count = 0
    try:
        with temporary.open("xb") as handle:
            for line in lines:
                handle.write(line)
                count += 1
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return count


def append_line(path: Path, line: bytes) -> None:
    """Append one line, or several; when this returns, they are on disk.

    A last line without its newline is what a crash left. If it is a whole record it gets its newline;
    otherwise its bytes move to ``<path>.torn``. Nothing is ever joined to it.

    Raises
    ------
    NotSavedError
        If the line could not be written; the file is then as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        with path.open("a+b", buffering=0) as handle:
            _lock(handle)
            _write_or_undo(handle, line, _mend(handle, path))
        if is_new:
            _sync_folder(path.parent)
    except OSError as error:
        raise NotSavedError(f"{path}: the label was not saved: {error}") from error


def _write_or_undo(handle: IO[bytes], line: bytes, size: int) -> None:
    try:
        written = handle.write(line)
        if written != len(line):
            raise OSError(f"only {written} of {len(line)} bytes fitted; is the disk full?")
        os.fsync(handle.fileno())
    except OSError:
        with suppress(OSError):  # what cannot be undone is torn, and the next append moves it aside
            handle.truncate(size)
        raise


def _mend(handle: IO[bytes], path: Path) -> int:
    """Finish or move aside a last line without newline; gives the size of the file then."""
    size = handle.seek(0, os.SEEK_END)
    start = _start_of_last_line(handle, size)
    if start == size:
        return size
    handle.seek(start)
    torn = handle.read(size - start)
    if _is_record(torn):
        handle.write(b"\n")
        return size + 1
    with path.with_name(path.name + ".torn").open("ab") as aside:
        aside.write(torn + b"\n")
        aside.flush()
        os.fsync(aside.fileno())
    handle.truncate(start)
    return start


def _is_record(line: bytes) -> bool:
    try:
        decode_record(line)
    except LabelError:
        return False
    return True


def _start_of_last_line(handle: IO[bytes], size: int) -> int:
    """Give the offset after the last newline; ``size`` if the file ends in one."""
    end = size
    while end > 0:
        start = max(0, end - _CHUNK)
        handle.seek(start)
        newline = handle.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _lines(handle: IO[bytes], end: int) -> Iterator[bytes]:
    """Yield the lines before offset ``end``; of one over the limit, only so much that it shows."""
    while (left := end - handle.tell()) > 0:
        line = handle.readline(min(left, MAX_LINE_BYTES + 1))
        if not line:
            return
        yield line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = handle.readline(MAX_LINE_BYTES + 1)


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Hold a lock that whoever else asks for it waits for; the file itself stays empty."""
    with path.open("ab") as handle:
        _lock(handle)
        yield


def _settled_size(handle: IO[bytes]) -> int:
    _lock(handle, shared=True)
    size = os.fstat(handle.fileno()).st_size
    _unlock(handle)
    return size


def _lock(handle: IO[bytes], *, shared: bool = False) -> None:
    """Wait for the file; closing it gives it free. Where there is no ``fcntl`` there is no lock."""
    if sys.platform != "win32":
        fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def _unlock(handle: IO[bytes]) -> None:
    if sys.platform != "win32":
        fcntl.flock(handle, fcntl.LOCK_UN)


def _sync_folder(folder: Path) -> None:
    """Put a new directory entry on disk; only POSIX systems can and must."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
