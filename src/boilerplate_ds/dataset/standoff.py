"""Texts that were left out of a published set, and back again: labels stay tied to their lines by a hash.

A text is found by the SHA-256 of its lines alone, in files of any format that
:func:`~boilerplate_ds.sources.read_documents` knows, so neither names nor ids have to fit.
"""

from __future__ import annotations

import json
import operator
from dataclasses import dataclass, fields, replace
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, SupportsIndex, TypeVar

import numpy as np

from boilerplate_ds.dataset.card import CardText
from boilerplate_ds.dataset.columns import document_features, line_features
from boilerplate_ds.dataset.export import CARD, SCHEMA_KEY, ExportReport, export_dataset
from boilerplate_ds.dataset.gold import GoldDocument
from boilerplate_ds.dataset.splits import SPLITS, Split
from boilerplate_ds.document import LABEL_NAMES, Document
from boilerplate_ds.errors import DatasetError, Rejects, reject_or_raise
from boilerplate_ds.sources import read_documents
from boilerplate_ds.sources.arrow import parquet_batches
from boilerplate_ds.sources.compression import MAX_GROWTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa
    import pyarrow.parquet as pq
    from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict
    from numpy.typing import NDArray

    AnyDataset = TypeVar("AnyDataset", Dataset, DatasetDict, IterableDataset, IterableDatasetDict)
    AnyPart = TypeVar("AnyPart", Dataset, IterableDataset)

_BATCH = 256
_ROWS_OF_NUMBERS = 2**16
_SMALL = 2**17
"""Bytes that are added to a file's size before what it holds is compared with it."""


@dataclass(frozen=True, slots=True)
class Export:
    """An exported set, read back.

    Parameters
    ----------
    folder : Path
    documents : tuple of GoldDocument
        A document whose text was left out has no lines.
    splits : tuple of str
        The split of each.
    hashes : tuple of str
        SHA-256 of the lines of each.
    about : dict
        What the card says and cannot be counted, as :class:`~boilerplate_ds.dataset.card.CardText` has it.
    """

    folder: Path
    documents: tuple[GoldDocument, ...]
    splits: tuple[Split, ...]
    hashes: tuple[str, ...]
    about: dict[str, str]


def is_export(folder: Path) -> bool:
    """Whether a folder holds the files of an exported set."""
    return (folder / CARD).is_file() and any((folder / "documents").glob("*.parquet"))


def shards(folder: Path, config: str) -> Iterator[tuple[Split, Path]]:
    """Yield the split and the path of each file of a configuration, in order.

    Raises
    ------
    DatasetError
        If there are none.
    """
    found = [(s, p) for s in SPLITS for p in sorted((folder / config).glob(f"{s}-*.parquet"))]
    if not found:
        raise DatasetError(f"{folder}: holds no {config}/*.parquet; name a folder that export wrote")
    yield from found


def read_export(folder: Path) -> Export:
    """Read the documents of an exported set.

    Raises
    ------
    DatasetError
        If the folder holds none, or not with our columns.
    """
    documents: list[GoldDocument] = []
    splits: list[Split] = []
    hashes: list[str] = []
    about: dict[str, str] = {}
    for split, path in shards(folder, "documents"):
        table = read_documents_table(path, tuple(document_features()))
        rows = table.to_pylist()
        scores = _scores(folder / "lines" / path.name, table["id"], [len(row["labels"]) for row in rows])
        documents += map(_gold_document, rows, scores)
        hashes += [row["text_sha256"] for row in rows]
        splits += [split] * len(rows)
        about = _about(path, table)
    return Export(folder, tuple(documents), tuple(splits), tuple(hashes), about)


def read_documents_table(path: Path, columns: Sequence[str]) -> pa.Table:
    """Read columns of one file of ``documents``, checked: the files of an export may come from anybody.

    Raises
    ------
    DatasetError
        If it is not as ``export`` writes it: a column is missing, of another type or null, a label is none
        of the four, or a text has other lines than labels.
    """
    import pyarrow as pa
    from pyarrow import compute

    schema = document_features().arrow_schema
    table = read_columns(path, {name: schema.field(name).type for name in columns})
    for name in table.column_names:
        column = table[name]
        if name != "lines" and column.null_count:
            raise _bad_row(path, compute.is_null(column), f"{name} is null")
        if pa.types.is_list(column.type):
            values = compute.list_flatten(column)
            wrong = compute.is_null(values)
            if name == "labels":
                outside = compute.or_(
                    compute.less(values, 0), compute.greater_equal(values, len(LABEL_NAMES))
                )
                wrong = compute.or_(wrong, compute.fill_null(outside, True))
            if compute.any(wrong).as_py():
                row = compute.list_parent_indices(column).filter(wrong)[0].as_py()
                what = "a label is none of the four" if name == "labels" else f"{name} holds null"
                raise DatasetError(f"{path}: row {row + 1}: {what}")
    if "lines" in table.column_names:
        n_lines, n_labels = (compute.list_value_length(table[name]) for name in ("lines", "labels"))
        differ = compute.fill_null(compute.not_equal(n_lines, n_labels), False)
        if compute.any(differ).as_py():
            raise _bad_row(path, differ, "as many labels as lines are needed")
    return table


def _bad_row(path: Path, wrong: pa.ChunkedArray, what: str) -> DatasetError:
    return DatasetError(f"{path}: row {wrong.index(True).as_py() + 1}: {what}")


def read_columns(path: Path, columns: Mapping[str, pa.DataType]) -> pa.Table:
    """Read columns of one file of an exported set, a few rows at a time.

    Raises
    ------
    DatasetError
        If it is not there, not Parquet, lacks one of them or has it of another type, or grows out of
        proportion.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with path.open("rb") as handle:
            file = parquet.ParquetFile(handle)
            missing = [name for name in columns if name not in file.schema_arrow.names]
            if missing:
                raise DatasetError(f"{path}: lacks the column {missing[0]}; export the labels again")
            schema = pa.schema(columns.items()).with_metadata(file.schema_arrow.metadata)
            batches = list(_in_proportion(path, handle, file.metadata, columns))
            if not batches:
                return schema.empty_table()
            return pa.Table.from_batches(batches).select(list(columns)).cast(schema).combine_chunks()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read as Parquet: {error}") from error


def _in_proportion(
    path: Path, handle: IO[bytes], metadata: pq.FileMetaData, columns: Mapping[str, pa.DataType]
) -> Iterator[pa.RecordBatch]:
    """Yield a file's rows, few at a time, unless they are out of all proportion to its size."""
    import pyarrow as pa

    room = MAX_GROWTH * (path.stat().st_size + _SMALL)
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    values = (group.column(i).num_values for group in groups for i in range(group.num_columns))
    if max(values, default=0) <= room:
        # what numbers take is known beforehand, what texts take is not
        n_rows = _ROWS_OF_NUMBERS if all(map(pa.types.is_floating, columns.values())) else None
        for batch in parquet_batches(handle, list(columns), n_rows):
            room -= sum(map(_decoded_bytes, batch.columns))
            if room < 0:
                break
            yield batch
        else:
            return
    raise DatasetError(f"{path}: holds more than {MAX_GROWTH} times its size; it is refused")


def _decoded_bytes(column: pa.Array) -> int:
    """Bytes of a column's values; a dictionary's, which batches share, as often as they stand there."""
    import pyarrow as pa
    from pyarrow import compute

    if not isinstance(column, pa.DictionaryArray):
        return int(column.nbytes)
    lengths = compute.binary_length(column.dictionary).take(column.indices)
    return int(compute.sum(lengths).as_py() or 0) + len(column)


def _about(path: Path, table: pa.Table) -> dict[str, str]:
    try:
        about = json.loads((table.schema.metadata or {}).get(SCHEMA_KEY, b"{}"))
    except ValueError as error:
        raise DatasetError(f"{path}: its metadata are not JSON: {error}") from error
    if not isinstance(about, dict):
        raise DatasetError(f"{path}: its metadata are no JSON object")
    return {field.name: str(about.get(field.name, "")) for field in fields(CardText)}


def _scores(path: Path, ids: pa.ChunkedArray, sizes: Sequence[int]) -> Iterator[NDArray[np.float32] | None]:
    """Read the scores of the lines of each document, None where there are none; checks whose they are."""
    from pyarrow import compute

    schema = line_features().arrow_schema
    table = read_columns(path, {name: schema.field(name).type for name in ("doc_id", "score")})
    if sum(sizes) != len(table):
        raise DatasetError(f"{path}: {len(table):,} rows for {sum(sizes):,} labels; export them again")
    theirs = compute.not_equal(table["doc_id"], ids.take(np.repeat(np.arange(len(sizes)), sizes)))
    if compute.any(compute.fill_null(theirs, True)).as_py():
        raise _bad_row(path, compute.fill_null(theirs, True), "the line is not of the document in its place")
    for part in np.split(table["score"].to_numpy(), np.cumsum(sizes)[:-1]):
        yield None if np.isnan(part).all() else part


def _gold_document(row: dict[str, Any], scores: NDArray[np.float32] | None) -> GoldDocument:
    known = {name: row[name] for name in ("page_type", "variant", "licence") if row[name]}
    document = Document(
        row["id"],
        tuple(row["lines"] or ()),
        **{name: row[name] for name in ("url", "site", "language", "source")},
        metadata=known,
    )
    labels = np.array(row["labels"], dtype=np.int8)
    return GoldDocument(document, labels, tuple(row["annotators"]), row["agreement"], row["decided"], scores)


def hydrate_export(
    folder: Path, sources: Sequence[str | Path], out: Path, *, rejects: Rejects | None = None
) -> ExportReport:
    """Write an exported set again, with the texts that were left out of it.

    If all of them are found, the result has the very bytes of an export that left none out.

    Parameters
    ----------
    folder : Path
    sources : sequence of path-like
        Files and folders with the pages, in any format.
    out : Path
        New, empty, or an earlier export; not ``folder``, so that a set made to be published stays so.
    rejects : Rejects, optional
        Gets each document whose text was not found; it stays without text. Without it the first one raises.

    Raises
    ------
    DatasetError
        If the folder is no export, or ``out`` is the same folder.
    """
    if out.resolve() == folder.resolve():
        raise DatasetError(f"{out}: texts go to another folder than the set they were left out of")
    export = read_export(folder)
    hidden = {
        item.document.id: sha256
        for item, sha256 in zip(export.documents, export.hashes, strict=True)
        if len(item.document.lines) != len(item.labels)
    }
    texts = find_texts(sources, hidden.values(), rejects)
    for doc_id, sha256 in hidden.items():
        _note_missing(doc_id, sha256, texts, rejects)
    return export_dataset(
        [_with_text(item, texts.get(hidden.get(item.document.id, ""))) for item in export.documents],
        out,
        splits=export.splits,
        without_text={doc_id: sha256 for doc_id, sha256 in hidden.items() if sha256 not in texts},
        rejects=rejects,
        **export.about,
    )


def _with_text(item: GoldDocument, lines: tuple[str, ...] | None) -> GoldDocument:
    return item if lines is None else replace(item, document=replace(item.document, lines=lines))


def _note_missing(
    doc_id: str, sha256: str, texts: dict[str, tuple[str, ...]], rejects: Rejects | None
) -> None:
    if sha256 not in texts:
        reason = f"its text (SHA-256 {sha256[:12]}…) is not among the pages given"
        reject_or_raise(rejects, "dataset", f"document {doc_id!r}", reason, DatasetError)


def hydrate_dataset(
    dataset: AnyDataset, sources: str | Path | Sequence[str | Path], *, rejects: Rejects | None = None
) -> AnyDataset:
    """Put texts back into a set that ``load_dataset`` opened, ``documents`` or ``lines``.

    Parameters
    ----------
    dataset : Dataset, DatasetDict, IterableDataset or IterableDatasetDict
        A streamed one is read once here, for the hashes of what is missing, and again when it is used.
    sources : path-like or sequence of path-like
        Files and folders with the pages, in any format.
    rejects : Rejects, optional
        Gets each document whose text was not found; without it the first one raises.

    Returns
    -------
    same as ``dataset``
        The same rows in the same order, their texts filled in where they were null.

    Raises
    ------
    DatasetError
        If the columns are not those of an exported set, or at the first missing text, without ``rejects``.
    """
    paths = [sources] if isinstance(sources, (str, Path)) else list(sources)
    parts = list(dataset.values()) if isinstance(dataset, dict) else [dataset]
    hidden = dict.fromkeys(chain.from_iterable(map(_hidden, parts)))
    texts = find_texts(paths, [sha256 for _, sha256 in hidden], rejects)
    for doc_id, sha256 in hidden:
        _note_missing(doc_id, sha256, texts, rejects)
    if isinstance(dataset, dict):
        return type(dataset)({split: _filled(part, texts) for split, part in dataset.items()})
    return _filled(dataset, texts)


def _filled(part: AnyPart, texts: dict[str, tuple[str, ...]]) -> AnyPart:
    from datasets import IterableDataset

    options = {"batched": True, "fn_kwargs": {"texts": texts}, "features": part.features}
    if isinstance(part, IterableDataset):
        return part.map(_fill, **options)
    return part.map(_fill, **options, load_from_cache_file=False)


def _hidden(part: Dataset | IterableDataset) -> Iterator[tuple[str, str]]:
    """Yield the id of each document, or line, whose text is left out and the hash of the document's lines."""
    columns = part.column_names or ()  # those of some streams are not known
    of_lines = "doc_id" in columns
    names = ("text", "document_sha256", "doc_id") if of_lines else ("lines", "text_sha256", "id")
    missing = [name for name in names if name not in columns]
    if missing:
        raise DatasetError(f"the dataset lacks the column {missing[0]}; load one that export wrote")
    for batch in part.select_columns(list(names)).iter(_BATCH):
        for text, sha256, doc_id in zip(*(batch[name] for name in names), strict=True):
            if text is None:
                yield doc_id, sha256


def _fill(batch: dict[str, list[Any]], texts: dict[str, tuple[str, ...]]) -> dict[str, list[Any]]:
    if "doc_id" in batch:
        rows = zip(batch["text"], batch["document_sha256"], batch["index"], strict=True)
        return {"text": [_line(texts.get(h), i) if text is None else text for text, h, i in rows]}
    pairs = zip(batch["lines"], batch["text_sha256"], strict=True)
    return {"lines": [list(texts[h]) if lines is None and h in texts else lines for lines, h in pairs]}


def _line(lines: tuple[str, ...] | None, index: SupportsIndex | None) -> str | None:
    """Give a line of a text that was found, if it has one at the index that a row names."""
    if lines is None or index is None:
        return None
    place = operator.index(index)
    return lines[place] if 0 <= place < len(lines) else None


def find_texts(
    sources: Sequence[str | Path], hashes: Iterable[str], rejects: Rejects | None = None
) -> dict[str, tuple[str, ...]]:
    """Find the lines with the given hashes in files of any format.

    Reading ends as soon as all are found. What is there but is no page is passed over; if some are not found,
    ``rejects`` gets what could not be read, where they may be.

    Returns
    -------
    dict of str to tuple of str
        Lines by their SHA-256.
    """
    wanted = set(hashes)
    found: dict[str, tuple[str, ...]] = {}
    if not wanted:
        return found
    unread = Rejects()
    for document in read_documents(list(sources), rejects=unread):
        sha256 = document.text_sha256
        if sha256 in wanted:
            found[sha256] = document.lines
            if len(found) == len(wanted):
                return found
    if rejects is not None:
        for item in unread.items:
            rejects.add(item.file, item.record, item.reason)
    return found
