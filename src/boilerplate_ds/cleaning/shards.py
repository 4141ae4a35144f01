"""Output by shards: each written aside, put on disk, renamed; then a line in the manifest vouches for it."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any

from boilerplate_ds.checksums import sha256_of_file
from boilerplate_ds.cleaning.positions import Position
from boilerplate_ds.cleaning.tally import Tally
from boilerplate_ds.errors import CorpusError

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from boilerplate_ds.errors import Reject

FORMAT = "boilerplate-ds-clean/1"
MANIFEST = "manifest.jsonl"
DATA, LEFT_OUT = "data", "left_out"
"""Folders of the output: cleaned documents; records that are not among them, with their reasons."""
SITES_A_SHARD = 100
_SHARD_NAME = re.compile(r"\.?shard-(?P<number>[0-9]{5,})\.(?:jsonl|parquet)(?P<unfinished>\.unfinished)?")
_ROW_GROUP_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class File:
    """A finished file: its name within the output folder, size in bytes and SHA-256 (hex)."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Shard:
    """What the manifest says of one shard.

    Parameters
    ----------
    number : int
        From 0, without gaps.
    files : tuple of File
        Its documents and its left-out records; either may be missing if there are none.
    tally : Tally
    end : Position
        Where in the input the next shard starts.
    """

    number: int
    files: tuple[File, ...]
    tally: Tally = field(repr=False)
    end: Position

    def as_json(self) -> dict[str, Any]:
        """Plain values, for the manifest."""
        return {
            "shard": self.number,
            "files": [asdict(file) for file in self.files],
            "end": asdict(self.end),
            **self.tally.as_json(SITES_A_SHARD),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Shard:
        """Read what :meth:`as_json` gave."""
        files = tuple(File(**file) for file in data["files"])
        return cls(data["shard"], files, Tally.from_json(data), Position(**data["end"]))


class Manifest:
    """The append-only record of a run: a header, then a line a shard. One run at a time may hold it.

    Attributes
    ----------
    folder : Path
        The output folder.
    header : dict
        Settings and input of the run; empty before :meth:`begin`.
    n_shards : int
        Finished shards.
    end : Position
        Where the next shard starts.
    total : Tally
        Of all finished shards.
    is_finished : bool
    """

    def __init__(self, folder: Path, handle: IO[bytes]) -> None:
        self.folder = folder
        self._handle = handle
        self.header: dict[str, Any] = {}
        self._read()

    @classmethod
    @contextmanager
    def open(cls, folder: Path, *, restart: bool = False) -> Iterator[Manifest]:
        """Open the manifest of an output folder, which is made if it is not there.

        Raises
        ------
        CorpusError
            If the folder holds other things, another run is at work in it, or the manifest is damaged.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / MANIFEST
        if not path.exists() and any(folder.iterdir()):
            raise CorpusError(f"{folder} holds other files; name a new folder for the output")
        with path.open("a+b", buffering=0) as handle:
            _lock(handle, folder)
            _check_ours(handle, path)
            if restart:
                handle.truncate(0)
            manifest = cls(folder, handle)
            for part in (DATA, LEFT_OUT):
                (folder / part).mkdir(exist_ok=True)
            manifest.drop_unvouched()
            yield manifest

    def begin(self, header: dict[str, Any]) -> None:
        """Write the header of a new run."""
        self._append(header)
        self.header = header

    def add(self, shard: Shard) -> None:
        """Vouch for a shard whose files are on disk under their names."""
        record = shard.as_json()
        self._append(record)
        self._count(Shard.from_json(record))  # as a resumed run will read it

    def finish(self) -> None:
        """Write that the run is complete, and what it came to."""
        self._append({"finished": True, **self.total.as_json(SITES_A_SHARD)})
        self.is_finished = True

    def check_files(self) -> None:
        """Go back to before the first shard whose files are not as the manifest says; it is done again."""
        for start, record in self._records():
            if "shard" in record and not all(
                _is_sound(self.folder, file) for file in Shard.from_json(record).files
            ):
                self._handle.truncate(start)
                self._read()
                self.drop_unvouched()
                return

    def drop_unvouched(self) -> None:
        """Delete files that a run began and did not vouch for."""
        for part in (DATA, LEFT_OUT):
            for path in (self.folder / part).iterdir():
                match = _SHARD_NAME.fullmatch(path.name)
                if match and (match["unfinished"] or int(match["number"]) >= self.n_shards):
                    path.unlink()

    def _append(self, record: dict[str, Any]) -> None:
        line = (json.dumps(record) + "\n").encode()
        start = self._handle.seek(0, os.SEEK_END)
        try:
            if self._handle.write(line) != len(line):
                raise OSError(f"{self.folder / MANIFEST}: could not be written in full; is the disk full?")
            os.fsync(self._handle.fileno())
        except OSError:
            self._handle.truncate(start)
            raise

    def _count(self, shard: Shard) -> None:
        self.n_shards += 1
        self.end = shard.end
        self.total.add(shard.tally)

    def _read(self) -> None:
        self.header = {}
        self.n_shards = 0
        self.end = Position()
        self.total = Tally()
        self.is_finished = False
        for start, record in self._records():
            try:
                self._take(record)
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise CorpusError(
                    f"{self.folder / MANIFEST}, byte {start}: damaged ({error!r}); --restart begins anew"
                ) from error

    def _take(self, record: dict[str, Any]) -> None:
        if not self.header:
            if record["format"] != FORMAT:
                raise ValueError(f"format {record['format']!r}, not {FORMAT!r}")
            self.header = record
        elif record.get("finished"):
            self.is_finished = True
        else:
            shard = Shard.from_json(record)
            if shard.number != self.n_shards or not all(map(_is_ours, shard.files)):
                raise ValueError(f"shard {shard.number} is not what can stand here")
            self._count(shard)

    def _records(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give each record with its offset; a last line without its end, which a crash left, is cut off."""
        start = 0
        with (self.folder / MANIFEST).open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                try:
                    record = json.loads(line)
                except (ValueError, RecursionError):
                    record = None
                yield start, record if isinstance(record, dict) else {}
                start += len(line)
            else:
                return
        self._handle.truncate(start)


class ShardWriter:
    """Writes the files of one shard aside; they get their names when it is closed.

    Parameters
    ----------
    folder : Path
    number : int
    schema : pyarrow.Schema, optional
        For Parquet; None: JSON Lines.
    """

    def __init__(self, folder: Path, number: int, schema: pa.Schema | None = None) -> None:
        self._folder = folder
        self._number = number
        self._schema = schema
        self._open: dict[str, IO[bytes]] = {}
        self._parquet: Any = None
        self._waiting: list[pa.RecordBatch] = []
        self._stack = ExitStack()
        self.size = 0
        """Bytes of rows so far."""
        self.tally = Tally()

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            if self._parquet is not None:
                self._parquet.close()
        finally:
            self._stack.close()
            for name in self._open:
                self._aside(name).unlink(missing_ok=True)

    def write(self, blocks: Sequence[bytes], left_out: Sequence[Reject], tally: Tally) -> None:
        """Add the rows of a batch, the records that were left out of it, and its counts."""
        for block in blocks:
            self.size += len(block)
            if self._schema is None:
                self._file(f"{DATA}/shard-{self._number:05d}.jsonl").write(block)
            else:
                self._write_parquet(block, self._schema)
        for reject in left_out:
            row = json.dumps(asdict(reject), ensure_ascii=False) + "\n"
            file = self._file(f"{LEFT_OUT}/shard-{self._number:05d}.jsonl")
            file.write(row.encode("utf-8", "backslashreplace"))
        self.tally.add(tally)

    def close(self, end: Position) -> Shard:
        """Put the files on disk under their names."""
        if self._parquet is not None:
            self._flush_parquet()
            self._parquet.close()
        for name, handle in self._open.items():
            handle.flush()
            os.fsync(handle.fileno())
            handle.close()
            self._aside(name).replace(self._folder / name)
            _sync_folder((self._folder / name).parent)
        files = tuple(_described(self._folder, name) for name in self._open)
        self._open = {}
        return Shard(self._number, files, self.tally, end)

    def _file(self, name: str) -> IO[bytes]:
        if name not in self._open:
            self._open[name] = self._stack.enter_context(self._aside(name).open("wb"))
        return self._open[name]

    def _aside(self, name: str) -> Path:
        path = self._folder / name
        return path.with_name(f".{path.name}.unfinished")

    def _write_parquet(self, block: bytes, schema: pa.Schema) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        if self._parquet is None:
            file = self._file(f"{DATA}/shard-{self._number:05d}.parquet")
            self._parquet = parquet.ParquetWriter(file, schema, compression="zstd")
        self._waiting.append(pa.ipc.read_record_batch(pa.py_buffer(block), schema))
        if sum(batch.nbytes for batch in self._waiting) >= _ROW_GROUP_BYTES:
            self._flush_parquet()

    def _flush_parquet(self) -> None:
        import pyarrow as pa

        if self._waiting:
            self._parquet.write_table(pa.Table.from_batches(self._waiting))
            self._waiting.clear()


def _described(folder: Path, name: str) -> File:
    path = folder / name
    return File(name, path.stat().st_size, sha256_of_file(path))


def _is_sound(folder: Path, file: File) -> bool:
    path = folder / file.name
    return path.is_file() and path.stat().st_size == file.bytes and sha256_of_file(path) == file.sha256


def _check_ours(handle: IO[bytes], path: Path) -> None:
    """Refuse to empty a file that is not a manifest, or the torn start of one."""
    handle.seek(0)
    head, start = handle.read(len(FORMAT) + 16), f'{{"format": "{FORMAT}"'.encode()
    if not head.startswith(start[: len(head)]):
        raise CorpusError(f"{path} is not a manifest of this program; name a new folder for the output")


def _is_ours(file: File) -> bool:
    """Whether a name from a manifest is one that this module gives; others are never opened or deleted."""
    part, _, name = file.name.partition("/")
    match = _SHARD_NAME.fullmatch(name)
    return part in (DATA, LEFT_OUT) and match is not None and not match["unfinished"]


def _lock(handle: IO[bytes], folder: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise CorpusError(f"{folder}: another run is writing to it") from error


def _sync_folder(folder: Path) -> None:
    """Put new names on disk; only POSIX systems can and must."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
