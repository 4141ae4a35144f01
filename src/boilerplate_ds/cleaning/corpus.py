"""A corpus cleaned: any number of files of any known format in, shards of clean documents out."""

from __future__ import annotations

import base64
import os
import random
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Literal

from boilerplate_ds import __version__
from boilerplate_ds.cleaning.batches import EXTRAS, BatchCleaner, CleanedPage, extra_types
from boilerplate_ds.cleaning.cleaner import Cleaner
from boilerplate_ds.cleaning.positions import Batch, Input, Position, real_path
from boilerplate_ds.cleaning.processes import Processes
from boilerplate_ds.cleaning.rows import schema_of
from boilerplate_ds.cleaning.shards import FORMAT, Manifest, ShardWriter
from boilerplate_ds.cleaning.tally import Tally
from boilerplate_ds.errors import CorpusError, Reject
from boilerplate_ds.sources.arrow import stated_types
from boilerplate_ds.sources.paths import FoundFile, find_files
from boilerplate_ds.sources.reader import check_format
from boilerplate_ds.sources.stream import STDIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from boilerplate_ds.cleaning.batches import CleanedBatch

    Progress = Callable[[str, float], None]

SHARD_BYTES = 64 * 2**20
_INPUT_A_SHARD = 8
"""A shard ends early after so many times its size of input, so that work with little to show is kept, too."""
_SCHEMA_BATCHES = 4
SAMPLE_RECORDS = 200
SAMPLE_SHOWN = 5


@dataclass(frozen=True, slots=True)
class CorpusReport:
    """What a run did.

    Parameters
    ----------
    folder : Path
    shards : int
    resumed : int
        How many of them were there already from an earlier run.
    tally : Tally
        Of all shards.
    """

    folder: Path
    shards: int
    resumed: int
    tally: Tally = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """Plain values; languages and sites by name up to a hundred each."""
        return {
            "folder": str(self.folder),
            "shards": self.shards,
            "resumed": self.resumed,
            **self.tally.as_json(most=100),
        }


def clean_corpus(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | Path,
    *,
    cleaner: Cleaner | None = None,
    to: Literal["jsonl", "parquet"] = "jsonl",
    extras: Iterable[str] = (),
    workers: int | None = None,
    format: str | None = None,  # noqa: A002  the word users know from pandas and datasets
    text_column: str | None = None,
    shard_bytes: int = SHARD_BYTES,
    restart: bool = False,
    progress: Progress | None = None,
) -> CorpusReport:
    """Clean files of any known format into a folder of shards; goes on where an interrupted run stopped.

    The output is the same for any number of workers and interruptions: documents in the order of the input,
    each with the fields of its record and its text replaced. Memory does not grow with the input. A script
    that calls this must have the usual ``if __name__ == "__main__":``, as the workers are processes.

    Parameters
    ----------
    paths : path or iterable of paths
        As :func:`boilerplate_ds.read_documents` takes them.
    out : path
        Folder of the output: ``data/``, ``left_out/`` (rejected and empty records) and ``manifest.jsonl``.
    cleaner : Cleaner, optional
        Default: the released model.
    to : {"jsonl", "parquet"}
    extras : iterable of {"labels", "scores", "removed"}, or one of them
        Fields beside the text: the label and the score of every line, the removed lines.
    workers : int, optional
        Processes that clean; default one for each core that this process may use.
    format, text_column : str, optional
        As :func:`boilerplate_ds.read_documents` takes them.
    shard_bytes : int
        A shard is closed when its rows take this much, uncompressed.
    restart : bool
        Begin anew, and delete the shards that ``out`` holds.
    progress : callable, optional
        Called with the name of the step and the share of the input's bytes that is done; first with 0, when
        the run is open.

    Raises
    ------
    CorpusError
        If ``out`` holds something else, a run with other input or settings, or another run is at work in it;
        if ``to`` or one of ``extras`` is unknown, or ``workers`` is below 1.
    SourceError
        If ``format`` is unknown, ``out`` is part of the input, or splits of a saved dataset would be mixed.
    """
    check_format(format)
    if to not in ("jsonl", "parquet"):
        raise CorpusError(f"unknown output {to!r}; known are jsonl, parquet")
    if workers is not None and workers < 1:
        raise CorpusError(f"{workers} workers; there must be 1 or more, or None for one a core")
    cleaner = cleaner or Cleaner()
    extras = checked_extras(extras)
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    source = Input(tuple(os.fspath(path) for path in given), format, text_column)
    folder = real_path(out)
    header: dict[str, Any] = {
        "format": FORMAT,
        "settings": {
            "cleaner": cleaner.fingerprint,
            "drop": sorted(map(str, cleaner.drop)),
            "threshold": cleaner.threshold,
            "version": __version__,
            "to": to,
            "extras": list(extras),
            "shard_bytes": shard_bytes,
            "read_as": format,
            "text_column": text_column,
        },
        "input": source.fingerprint(folder),
    }
    with Manifest.open(folder, restart=restart) as manifest:
        start = _resume(manifest, header, source.paths)
        resumed = manifest.n_shards
        if not manifest.is_finished:
            tell = _teller(progress, header["input"]["bytes"])
            tell(0)
            clean, batches = _begun(manifest, header, BatchCleaner(cleaner, extras), source, start)
            with closing(Processes(clean, workers or _cores()).map(batches)) as results:
                _write(manifest, results, clean.schema, tell)
        return CorpusReport(folder, manifest.n_shards, resumed, manifest.total)


def sample_corpus(
    paths: Sequence[str],
    *,
    cleaner: Cleaner,
    format: str | None = None,  # noqa: A002
    text_column: str | None = None,
) -> tuple[list[CleanedPage], Tally, list[Reject]]:
    """Clean the first :data:`SAMPLE_RECORDS` records and write nothing.

    Returns
    -------
    pages : list of CleanedPage
        :data:`SAMPLE_SHOWN` of them, drawn at random, the same ones each time.
    tally : Tally
    rejects : list of Reject
    """
    check_format(format)
    clean = BatchCleaner(cleaner)
    pages: list[CleanedPage] = []
    rejects: list[Reject] = []
    tally = Tally()
    batches = Input(tuple(paths), format, text_column).batches(Position())
    for item in islice(chain.from_iterable(batch.items for batch in batches), SAMPLE_RECORDS):
        tally.records["in"] += 1
        cleaned = clean.pages([item])[0]
        if isinstance(cleaned, Reject):
            tally.records["rejected"] += 1
            rejects.append(cleaned)
            continue
        tally.records["out" if cleaned.keep.any() else "empty"] += 1
        tally.count_document(cleaned.document, cleaned.labels, ~cleaned.keep)
        pages.append(cleaned)
    chosen = sorted(random.Random(0).sample(range(len(pages)), min(SAMPLE_SHOWN, len(pages))))  # noqa: S311
    return [pages[i] for i in chosen], tally, rejects


def _teller(progress: Progress | None, size: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if progress is not None:
            progress("Cleaning", min(1.0, done / max(size, 1)))

    return tell


def _resume(manifest: Manifest, header: dict[str, Any], paths: Sequence[str]) -> Position:
    """Give the position to go on from, after making sure that this is the same work.

    Raises
    ------
    CorpusError
        If input or settings are not those that the run began with.
    """
    if not manifest.header:
        return Position()
    for part, what in (("input", "with other input files"), ("settings", "with other settings")):
        before, now = manifest.header[part], header[part]
        if before != now:
            raise CorpusError(
                f"{manifest.folder} was begun {what} ({_difference(before, now)}); "
                "name another folder, or begin anew with --restart"
            )
    if STDIN in paths:
        raise CorpusError(
            f"{manifest.folder} holds a run, and standard input can't be compared with what that read; "
            "name another folder, or begin anew with --restart"
        )
    manifest.check_files()
    return manifest.end


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    differing = [name for name in now if before.get(name) != now[name] and name != "sha256"]
    if not differing:
        return "same sizes, but other names or times of change"
    if differing == ["cleaner"]:
        return "another model"
    differing = [name for name in differing if name != "cleaner"]  # a hash of what is named beside it
    return ", ".join(f"{name}: {before.get(name)} then, {now[name]} now" for name in differing[:3])


def _begun(
    manifest: Manifest, header: dict[str, Any], clean: BatchCleaner, source: Input, start: Position
) -> tuple[BatchCleaner, Iterator[Batch]]:
    """Write the header of a new run, which for Parquet takes a look at the first file and the first rows."""
    batches = source.batches(start)
    if header["settings"]["to"] == "jsonl":
        if not manifest.header:
            manifest.begin(header)
        return clean, batches
    import pyarrow as pa

    if not manifest.header:
        first = next((found for found in find_files(source.paths) if isinstance(found, FoundFile)), None)
        known = stated_types(first.path, source.format) if first is not None else {}
        schema, batches = _schema_of_first(clean, batches, known)
        manifest.begin({**header, "schema": base64.b64encode(schema.serialize()).decode()})
    else:
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(manifest.header["schema"])))
    return replace(clean, schema=schema), batches


def _schema_of_first(
    clean: BatchCleaner, batches: Iterator[Batch], known: Mapping[str, pa.DataType]
) -> tuple[pa.Schema, Iterator[Batch]]:
    sampled, rows = [], []
    for batch in batches:
        sampled.append(batch)
        rows += [page.row(clean.extras) for page in clean.pages(batch.items) if isinstance(page, CleanedPage)]
        if rows and len(sampled) >= _SCHEMA_BATCHES:
            break
    return schema_of(rows, {**known, **extra_types(clean.extras)}), chain(sampled, batches)


def _write(
    manifest: Manifest,
    results: Iterator[tuple[Batch, CleanedBatch]],
    schema: pa.Schema | None,
    tell: Callable[[int], None],
) -> None:
    """Write results, in order, to shards of about the same size; then finish the manifest."""
    for first in results:
        _write_shard(manifest, chain([first], results), schema, tell)
    manifest.finish()


def _write_shard(
    manifest: Manifest,
    results: Iterator[tuple[Batch, CleanedBatch]],
    schema: pa.Schema | None,
    tell: Callable[[int], None],
) -> None:
    limit = manifest.header["settings"]["shard_bytes"]
    read = 0
    with ShardWriter(manifest.folder, manifest.n_shards, schema) as shard:
        for batch, cleaned in results:
            shard.write(cleaned.blocks, cleaned.left_out, cleaned.tally)
            read += batch.size
            tell(batch.bytes_before)
            if shard.size >= limit or read >= limit * _INPUT_A_SHARD:
                break
        manifest.add(shard.close(batch.end))


def checked_extras(extras: Iterable[str]) -> tuple[str, ...]:
    """Give names of :data:`~boilerplate_ds.cleaning.batches.EXTRAS`, each once; a string is one name.

    Raises
    ------
    CorpusError
        If one is unknown.
    """
    names = (extras,) if isinstance(extras, str) else tuple(dict.fromkeys(extras))
    if unknown := [name for name in names if name not in EXTRAS]:
        raise CorpusError(f"unknown extra {unknown[0]!r}; known are {', '.join(EXTRAS)}")
    return names


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # what a container or a job scheduler grants
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
