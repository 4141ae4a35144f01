"""Texts that were left out of a published set, and back again: labels stay tied to their lines by a hash.

A text is found by the SHA-256 of its lines alone, in files of any format that
:func:`~boilerplate_ds.sources.read_documents` knows, so neither names nor ids have to fit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from boilerplate_ds.dataset.card import CardText
from boilerplate_ds.dataset.columns import document_features
from boilerplate_ds.dataset.export import CARD, SCHEMA_KEY, ExportReport, export_dataset
from boilerplate_ds.dataset.gold import GoldDocument
from boilerplate_ds.dataset.splits import SPLITS, Split
from boilerplate_ds.document import Document
from boilerplate_ds.errors import DatasetError, Rejects, reject_or_raise
from boilerplate_ds.sources import read_documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa
    from datasets import Dataset, DatasetDict
    from numpy.typing import NDArray

    AnyDataset = TypeVar("AnyDataset", Dataset, DatasetDict)

_BATCH = 256


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
        table = read_columns(path, document_features())
        scores = read_columns(folder / "lines" / path.name, ("score",))["score"].to_numpy()
        rows = table.to_pylist()
        documents += map(_gold_document, rows, _per_document(scores, [len(row["labels"]) for row in rows]))
        hashes += [row["text_sha256"] for row in rows]
        splits += [split] * len(rows)
        about = _about(path, table)
    return Export(folder, tuple(documents), tuple(splits), tuple(hashes), about)


def read_columns(path: Path, columns: Iterable[str]) -> pa.Table:
    """Read columns of one file of an exported set.

    Raises
    ------
    DatasetError
        If it is not there, not Parquet, or lacks one of them.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            missing = [name for name in columns if name not in file.schema_arrow.names]
            if missing:
                raise DatasetError(f"{path}: lacks the column {missing[0]}; export the labels again")
            return file.read(columns=list(columns))
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(f"{path}: cannot be read as Parquet: {error}") from error


def _about(path: Path, table: pa.Table) -> dict[str, str]:
    try:
        about = json.loads((table.schema.metadata or {}).get(SCHEMA_KEY, b"{}"))
    except ValueError as error:
        raise DatasetError(f"{path}: its metadata are not JSON: {error}") from error
    if not isinstance(about, dict):
        raise DatasetError(f"{path}: its metadata are no JSON object")
    return {field.name: str(about.get(field.name, "")) for field in fields(CardText)}


def _per_document(scores: NDArray[Any], sizes: Sequence[int]) -> Iterator[NDArray[np.float32] | None]:
    """Cut the scores of all lines into those of each document; None where there are none."""
    for part in np.split(np.asarray(scores, dtype=np.float32), np.cumsum(sizes)[:-1]):
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
    texts = find_texts(sources, hidden.values())
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
    dataset : datasets.Dataset or datasets.DatasetDict
    sources : path-like or sequence of path-like
        Files and folders with the pages, in any format.
    rejects : Rejects, optional
        Gets each document whose text was not found; without it the first one raises.

    Returns
    -------
    Dataset or DatasetDict
        The same rows in the same order, their texts filled in where they were null.

    Raises
    ------
    DatasetError
        If the columns are not those of an exported set, or at the first missing text, without ``rejects``.
    """
    paths = [sources] if isinstance(sources, (str, Path)) else list(sources)
    parts = list(dataset.values()) if isinstance(dataset, dict) else [dataset]
    hidden: dict[str, str] = {}
    for part in parts:
        hidden |= _hidden(part)
    texts = find_texts(paths, hidden)
    for sha256, doc_id in hidden.items():
        _note_missing(doc_id, sha256, texts, rejects)
    return dataset.map(
        _fill,
        batched=True,
        fn_kwargs={"texts": texts},
        features=parts[0].features,
        load_from_cache_file=False,
    )


def _hidden(part: Dataset) -> dict[str, str]:
    """Map the hash of each text that is left out to the id of its document."""
    of_lines = "doc_id" in part.column_names
    names = ("text", "document_sha256", "doc_id") if of_lines else ("lines", "text_sha256", "id")
    missing = [name for name in names if name not in part.column_names]
    if missing:
        raise DatasetError(f"the dataset lacks the column {missing[0]}; load one that export wrote")
    return {
        sha256: doc_id
        for batch in part.select_columns(list(names)).iter(_BATCH)
        for text, sha256, doc_id in zip(*(batch[name] for name in names), strict=True)
        if text is None
    }


def _fill(batch: dict[str, list[Any]], texts: dict[str, tuple[str, ...]]) -> dict[str, list[Any]]:
    if "doc_id" in batch:
        rows = zip(batch["text"], batch["document_sha256"], batch["index"], strict=True)
        return {
            "text": [texts[h][i] if text is None and h in texts else text for text, h, i in rows],
        }
    pairs = zip(batch["lines"], batch["text_sha256"], strict=True)
    return {"lines": [list(texts[h]) if lines is None and h in texts else lines for lines, h in pairs]}


def find_texts(sources: Sequence[str | Path], hashes: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Find the lines with the given hashes in files of any format.

    Reading ends as soon as all are found. What is there but is no page is passed over.

    Returns
    -------
    dict of str to tuple of str
        Lines by their SHA-256.
    """
    wanted = set(hashes)
    found: dict[str, tuple[str, ...]] = {}
    if not wanted:
        return found
    for document in read_documents(list(sources), rejects=Rejects()):
        sha256 = document.text_sha256
        if sha256 in wanted:
            found[sha256] = document.lines
            if len(found) == len(wanted):
                break
    return found
