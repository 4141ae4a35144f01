"""The input of a run as batches of pages, from any position in it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boilerplate_ds.errors import Reject, SourceError
from boilerplate_ds.sources.paths import FoundFile, check_splits, find_files, walked_folder
from boilerplate_ds.sources.reader import read_pages
from boilerplate_ds.sources.stream import STDIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boilerplate_ds.sources.page import Page

BATCH_CHARACTERS = 2_000_000
BATCH_ITEMS = 500


@dataclass(frozen=True, slots=True)
class Position:
    """How far the input has been read: a file (from 0) and how many of its records."""

    files: int = 0
    records: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Pages (and rejects) that are cleaned together.

    Parameters
    ----------
    items : list of Page or Reject
    size : int
        Characters of their content and other fields.
    end : Position
        The position after them.
    bytes_before : int
        About how many bytes of the input's files have been read by then.
    """

    items: list[Page | Reject] = field(repr=False)
    size: int
    end: Position
    bytes_before: int


@dataclass(frozen=True, slots=True)
class Input:
    """Where the pages come from.

    Parameters
    ----------
    paths : tuple of str
        As :func:`boilerplate_ds.read_documents` takes them.
    format : str, optional
    text_column : str, optional
    """

    paths: tuple[str, ...]
    format: str | None = None
    text_column: str | None = None

    def fingerprint(self, out: Path) -> dict[str, Any]:
        """Say which files there are, with sizes and times of change; a run goes on only if that is the same.

        Raises
        ------
        SourceError
            If the output folder ``out`` is part of the input, or splits of a saved dataset would be mixed.
        """
        for path in self.paths:
            _check_not_around(path, out)
        digest = hashlib.sha256()
        files = size = 0
        for found in find_files(self.paths):
            check_splits(found)
            files += 1
            if isinstance(found, Reject):
                digest.update(f"{found}\n".encode("utf-8", "surrogatepass"))
                continue
            _check_not_output(found.path, out)
            file_size, changed = _stat(found.path)
            size += file_size
            digest.update(f"{found.path}\0{file_size}\0{changed}\n".encode("utf-8", "surrogatepass"))
        return {"files": files, "bytes": size, "sha256": digest.hexdigest()}

    def batches(self, start: Position) -> Iterator[Batch]:
        """Read on from a position; from the same one the same batches come."""
        items: list[Page | Reject] = []
        size = done = 0
        end = start
        for files, found in enumerate(find_files(self.paths)):
            check_splits(found)
            in_file, file_size = 0, 0 if isinstance(found, Reject) else _stat(found.path)[0]
            for item, end in self._items(files, found, start):
                in_file += _size_of(item)
                size += _size_of(item)
                items.append(item)
                if size >= BATCH_CHARACTERS or len(items) >= BATCH_ITEMS:
                    yield Batch(items, size, end, done + min(in_file, file_size))
                    items, size = [], 0
            done += file_size
        if items:
            yield Batch(items, size, end, done)

    def _items(
        self, files: int, found: FoundFile | Reject, start: Position
    ) -> Iterator[tuple[Page | Reject, Position]]:
        """Give what a file holds from the start on; a file that lies before it is not opened."""
        if files < start.files:
            return
        skipped = start.records if files == start.files else 0
        pages = read_pages(found, self.format, self.text_column)
        for records, item in enumerate(islice(pages, skipped, None), start=skipped + 1):
            yield item, Position(files, records)


def _size_of(item: Page | Reject) -> int:
    if isinstance(item, Reject):
        return len(item.reason)
    return len(item.content) + sum(_length(v) for k, v in (item.original or {}).items() if k != item.column)


def _length(value: Any) -> int:
    """Characters of a field, about: of what is nested in it, too."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_length, value.values()))
    return sum(map(_length, value)) if isinstance(value, list) else 8


def _stat(path: str) -> tuple[int, int]:
    if path == STDIN:
        return 0, 0
    try:
        status = os.stat(path)  # noqa: PTH116  of many files, and a Path costs more than the call
    except (OSError, ValueError):
        return 0, -1
    return status.st_size, status.st_mtime_ns


def _check_not_around(path: str, out: Path) -> None:
    """Refuse a folder, or a pattern for all below one, that will hold what is written."""
    root = walked_folder(path)
    if root is not None and out.is_relative_to(real_path(root)):
        raise _part_of_input(out, path)


def _check_not_output(path: str, out: Path) -> None:
    if path != STDIN and real_path(path).is_relative_to(out):
        raise _part_of_input(out, path)


def real_path(path: str | os.PathLike[str]) -> Path:
    """Follow the links of a path; unlike ``Path.resolve``, without an error if they lead in a circle."""
    return Path(os.path.realpath(path))


def _part_of_input(out: Path, path: str) -> SourceError:
    return SourceError(f"{out} is part of the input ({path}); write to a folder outside it")
