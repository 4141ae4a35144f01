"""Parquet and Arrow files (those of a saved Hugging Face dataset, too), read in small batches."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from boilerplate_ds.errors import Reject, SourceError
from boilerplate_ds.sources.detect import format_of
from boilerplate_ds.sources.records import check_text_column, read_record, with_one_name_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa
    import pyarrow.parquet as pq

    from boilerplate_ds.sources.page import Page
    from boilerplate_ds.sources.stream import PageFile

    _Batches = Callable[[IO[bytes]], Iterator[pa.RecordBatch]]

_BATCH_ROWS = 64
_BATCH_BYTES = 2**28
"""A dictionary of one long value makes a batch of any size out of a small file; so large it may become."""
_PAGE_BUFFER = 2**20
_FILE_MAGIC = b"ARROW1"
_HEAD = 4096


def read_parquet(file: PageFile) -> Iterator[Page | Reject]:
    """Read a Parquet file; memory holds a batch of rows and one page of each column."""
    yield from _read(file, parquet_batches)


def read_arrow(file: PageFile) -> Iterator[Page | Reject]:
    """Read an Arrow IPC stream (what ``datasets`` saves) or file."""
    yield from _read(file, _arrow_batches)


def stated_types(path: str, format_name: str | None = None) -> dict[str, pa.DataType]:
    """Give the types of a Parquet or Arrow file's columns, by the names that rows have; else nothing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not Path(path).is_file():  # what comes through a pipe can be read once only
        return {}
    try:
        with Path(path).open("rb") as handle:
            kind = format_name or format_of(handle.read(_HEAD), path)
            handle.seek(0)
            if kind not in ("parquet", "arrow"):
                return {}
            schema = pq.read_schema(handle) if kind == "parquet" else _arrow_reader(handle).schema
    except (SourceError, pa.ArrowException, OSError, ValueError):  # whoever reads its rows will say so
        return {}
    return dict(zip(with_one_name_each(schema.names), schema.types, strict=True))


def _read(file: PageFile, batches_of: _Batches) -> Iterator[Page | Reject]:
    import pyarrow as pa

    number = 0
    with file.random_access() as handle:
        try:
            for batch in batches_of(handle):
                if number == 0:
                    check_text_column(with_one_name_each(batch.schema.names), file.text_column)
                for row in rows_of(batch):
                    number += 1
                    yield read_record(row, file, "row", number)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SourceError(f"cannot be read after row {number}: {_first_line(error)}") from error


def parquet_batches(
    handle: IO[bytes], columns: Sequence[str] | None = None, n_rows: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield a Parquet file's rows, few at a time: memory holds one batch and one page of each column.

    ``n_rows`` at once, where the caller knows better than :func:`batch_rows`.
    """
    import pyarrow.parquet as pq

    # Without pre_buffer and with a buffer, columns are streamed page by page, not loaded whole.
    table = pq.ParquetFile(handle, pre_buffer=False, buffer_size=_PAGE_BUFFER)
    size = n_rows or batch_rows(table.metadata)
    yield from table.iter_batches(batch_size=size, columns=columns, use_threads=False)


def batch_rows(metadata: pq.FileMetaData) -> int:
    """Give how many rows to read at once, if each could hold all that its column stores."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    largest = max(
        (group.column(i).total_uncompressed_size for group in groups for i in range(group.num_columns)),
        default=0,
    )
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(1, largest)))


def _arrow_batches(handle: IO[bytes]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    reader = _arrow_reader(handle)
    is_file = isinstance(reader, pa.ipc.RecordBatchFileReader)
    batches = (reader.get_batch(i) for i in range(reader.num_record_batches)) if is_file else iter(reader)
    for batch in batches:
        batch.validate(full=True)  # offsets out of bounds would crash the process
        dictionaries = [c.dictionary.nbytes for c in batch.columns if isinstance(c, pa.DictionaryArray)]
        n_rows = max(1, min(_BATCH_ROWS, _BATCH_BYTES // max([1, *dictionaries])))
        for start in range(0, batch.num_rows, n_rows):
            yield batch.slice(start, n_rows)


def _arrow_reader(handle: IO[bytes]) -> pa.ipc.RecordBatchFileReader | pa.ipc.RecordBatchStreamReader:
    import pyarrow as pa

    is_file = handle.read(len(_FILE_MAGIC)) == _FILE_MAGIC
    handle.seek(0)
    source = pa.memory_map(handle.name) if isinstance(handle.name, str) else handle
    return pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)


def rows_of(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | SourceError]:
    """Give the rows as dicts; a row that Python cannot hold (text that is not UTF-8) as the error.

    Of columns with one name the second is called ``name_2``. A time of day with nanoseconds, which Python's
    lacks, is text.
    """
    try:
        rows = _dicts(batch) if _n_bytes(batch) <= _BATCH_BYTES else None
    except (ValueError, OverflowError):
        rows = None
    yield from (_row(batch, i) for i in range(batch.num_rows)) if rows is None else rows


def _n_bytes(batch: pa.RecordBatch) -> int:
    """Bytes of a batch's values; those of dictionaries, which slices share, are not counted."""
    import pyarrow as pa

    return sum(column.nbytes for column in batch.columns if not isinstance(column, pa.DictionaryArray))


def _row(batch: pa.RecordBatch, i: int) -> dict[str, Any] | SourceError:
    one = batch.slice(i, 1)
    if _n_bytes(one) > _BATCH_BYTES:
        return SourceError(f"a row of {_n_bytes(one):,} bytes; the limit is {_BATCH_BYTES:,}")
    try:
        return _dicts(one)[0]
    except (ValueError, OverflowError) as error:
        return SourceError(f"cannot be decoded: {_first_line(error)}")


def _dicts(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    import pyarrow as pa

    names = with_one_name_each(batch.schema.names)
    if names != batch.schema.names:
        batch = pa.RecordBatch.from_arrays(batch.columns, names=names)
    rows: list[dict[str, Any]] = batch.to_pylist()
    for name, column in zip(names, batch.columns, strict=True):
        if column.type == pa.time64("ns"):
            for row, digits in zip(rows, column.cast(pa.string()).to_pylist(), strict=True):
                if digits is not None and not digits.endswith("000"):
                    row[name] = digits
    return rows


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
