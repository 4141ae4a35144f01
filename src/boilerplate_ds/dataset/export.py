"""Export: gold documents to a folder that ``datasets.load_dataset``, pandas and any reader of Parquet open.

Two configurations of the same pages: ``documents`` has one row a page, ``lines`` one row a line. Shard *n* of
both holds the same pages. The same gold gives the same bytes: rows are in order of id, and no time is noted.
A text that may not be passed on is left out: its labels stay, tied to it by its hash, and
:mod:`boilerplate_ds.dataset.standoff` brings it back.
"""

from __future__ import annotations

import json
import re
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import compress
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.dataset.card import MARK, CardText, Counts, count, dataset_card
from boilerplate_ds.dataset.columns import (
    document_columns,
    document_features,
    line_columns,
    line_features,
    metadata_text,
)
from boilerplate_ds.dataset.croissant import CROISSANT, croissant
from boilerplate_ds.dataset.licences import LICENCE_TEXT
from boilerplate_ds.dataset.splits import SPLITS, Split, group_of, known_site, split_sites
from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.errors import DatasetError, Rejects, reject_or_raise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa
    from datasets import DatasetInfo, Features

    from boilerplate_ds.dataset.columns import Columns
    from boilerplate_ds.dataset.gold import GoldDocument

CARD = "README.md"
SCHEMA_KEY = b"boilerplate-ds"
"""Key of a Parquet file's metadata that holds what the card says and cannot be counted, as JSON."""
SHARD_BYTES = 300 * 10**6
"""Uncompressed size at which a split is cut into a further file; compressed it is below the Hub's 500 MB."""
ROW_GROUP_BYTES = 16 * 10**6
"""Uncompressed size of what a reader that streams has to hold at once."""

EXPORTED_FILE = re.compile(rf"(?:documents|lines)/(?:{'|'.join(SPLITS)})-[0-9]{{5}}-of-[0-9]{{5}}\.parquet")
"""Paths of the Parquet files that an export writes."""
MAX_FIELD = 1_000
"""Characters of each field that every line of a document repeats."""
_FIELDS = ("id", "site", "language", "page_type")
_LINE_OVERHEAD = 128
"""Bytes of the numbers and offsets of one row of ``lines``."""
_WRITER = {"compression": "zstd", "compression_level": 9, "version": "2.6", "write_page_index": True}


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote.

    Parameters
    ----------
    folder : Path
    splits : mapping of str to Counts
        Documents, sites, lines and labels of each split that was written.
    empty_splits : tuple of str
        Splits without documents. They are left out, because ``load_dataset`` cannot open an empty split.
    without_text : int
        Documents published without their text.
    files : tuple of str
        Paths within the folder, in order.
    rejected : int
        Documents that could not be exported.
    """

    folder: Path
    splits: Mapping[Split, Counts]
    empty_splits: tuple[Split, ...]
    without_text: int
    files: tuple[str, ...]
    rejected: int

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and names."""
        return {
            "folder": str(self.folder),
            "splits": {split: asdict(counts) for split, counts in self.splits.items()},
            "empty_splits": list(self.empty_splits),
            "without_text": self.without_text,
            "files": list(self.files),
            "rejected": self.rejected,
        }


def export_dataset(
    gold: Sequence[GoldDocument],
    folder: str | Path,
    *,
    name: str,
    guidelines: str,
    splits: Sequence[str] | None = None,
    without_text: Mapping[str, str] | None = None,
    description: str = "",
    licence: str = "other",
    licence_text: str = LICENCE_TEXT,
    agreement: str = "",
    rejects: Rejects | None = None,
) -> ExportReport:
    """Write gold documents as a dataset with its card and its Croissant description.

    The folder appears complete or not at all; an earlier export in its place is replaced.

    Parameters
    ----------
    gold : sequence of GoldDocument
    folder : str or Path
        New, empty, or an earlier export.
    name : str
        Name of the set, for its card.
    guidelines : str
        Version of the guidelines that the annotators followed.
    splits : sequence of {"train", "validation", "test"}, length n_documents, optional
        The split of each document; by default :func:`~boilerplate_ds.dataset.splits.split_sites`, in which a
        document without a site counts as a site of its own. Rejected documents have no say in it.
    without_text : mapping of str to str, optional
        SHA-256 of the lines by id of each document whose text is left out
        (:func:`~boilerplate_ds.dataset.licences.without_text`). Such a document need not have its lines.
    description, licence, licence_text, agreement : str
        For the card; see :class:`~boilerplate_ds.dataset.card.CardText`.
    rejects : Rejects, optional
        Gets each document that cannot be exported: it repeats an id, has no lines, has a line without one
        of the four labels, has an id, site or the like of over 1,000 characters, or holds half a character
        (a lone surrogate), which UTF-8 and so Parquet cannot carry. Without it the first such document
        raises.

    Raises
    ------
    DatasetError
        If there is nothing to export, a site is in two splits, what the card is to say holds half a
        character, or the folder holds anything else or cannot be written; at the first bad document, without
        ``rejects``.
    """
    folder = Path(folder).resolve()
    _require_replaceable(folder)
    if not gold:
        raise DatasetError(
            f"no document to export to {folder}; none is gold, or what was asked for leaves none"
        )
    hidden = without_text or {}
    given = None if splits is None else _split_names(splits, len(gold))
    accepted = exportable(gold, hidden, rejects)
    items = list(compress(gold, accepted))
    if not items:
        raise DatasetError(f"no document to export to {folder}: {len(gold)} given, all of them rejected")
    by_split = _group(items, _by_site(items) if given is None else list(compress(given, accepted)))
    text = CardText(name, guidelines, description, licence, licence_text, agreement)
    for field, value in asdict(text).items():
        if not _is_utf8(value):
            raise DatasetError(
                f"{field} {value[:60]!r} holds half a character (a lone surrogate); write it anew"
            )
    try:
        with _replacing(folder) as new:
            _write_dataset(new, by_split, hidden, text)
            files = sorted(path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file())
    except OSError as error:
        raise DatasetError(f"{folder}: the dataset cannot be written: {error}") from error
    return ExportReport(
        folder=folder,
        splits={split: count(items) for split, items in by_split.items()},
        empty_splits=tuple(split for split in SPLITS if split not in by_split),
        without_text=sum(item.document.id in hidden for items in by_split.values() for item in items),
        files=tuple(files),
        rejected=len(gold) - len(items),
    )


def _write_dataset(
    folder: Path,
    by_split: Mapping[Split, Sequence[GoldDocument]],
    hidden: Mapping[str, str],
    text: CardText,
) -> None:
    """Write the files of both configurations, then what describes them."""
    about = json.dumps(asdict(text), ensure_ascii=False, sort_keys=True)
    infos = {
        "documents": _write_config(
            folder / "documents",
            by_split,
            document_features(),
            lambda items: document_columns(items, hidden),
            about,
        ),
        "lines": _write_config(
            folder / "lines", by_split, line_features(), lambda items: line_columns(items, hidden), about
        ),
    }
    shards = len(list((folder / "lines").glob(f"{next(iter(by_split))}-*")))
    card = dataset_card(by_split, infos, text, hidden, shards)
    (folder / CARD).write_text(card, encoding="utf-8", newline="\n")
    description = croissant(folder, infos, text)
    (folder / CROISSANT).write_text(description, encoding="utf-8", newline="\n")


def exportable(
    gold: Sequence[GoldDocument], without_text: Mapping[str, str], rejects: Rejects | None = None
) -> list[bool]:
    """Say of each document whether it can be exported; see :func:`export_dataset`."""
    seen: set[str] = set()
    accepted = []
    for item in gold:
        document = item.document
        reason = "another document has this id" if document.id in seen else _flaw(item, without_text)
        accepted.append(not reason)
        if reason:
            reject_or_raise(
                rejects, document.source or "gold", f"document {document.id!r}", reason, DatasetError
            )
        else:
            seen.add(document.id)
    return accepted


def _by_site(items: Sequence[GoldDocument]) -> list[Split]:
    split_by_site = split_sites(group_of(item.document) for item in items)
    return [split_by_site[group_of(item.document)] for item in items]


def _split_names(splits: Sequence[str], n_documents: int) -> list[Split]:
    known = {str(split): split for split in SPLITS}
    unknown = sorted(set(splits) - known.keys())
    if unknown or len(splits) != n_documents:
        raise DatasetError(
            f"splits must be one of {', '.join(SPLITS)} for each of {n_documents} documents; "
            f"got {len(splits)}{f', {unknown[0]!r} among them' if unknown else ''}"
        )
    return [known[split] for split in splits]


def _group(items: Sequence[GoldDocument], splits: Sequence[Split]) -> dict[Split, list[GoldDocument]]:
    """Give the documents by split, in order of id; without empty splits."""
    by_split: dict[Split, list[GoldDocument]] = {split: [] for split in SPLITS}
    split_by_site: dict[str, Split] = {}
    for item, split in zip(items, splits, strict=True):
        site = group_of(item.document)
        if split_by_site.setdefault(site, split) != split:
            raise DatasetError(
                f"site {site!r} is in {split_by_site[site]} and in {split}; give all its pages one split"
            )
        by_split[split].append(item)
    return {
        split: sorted(group, key=lambda item: item.document.id) for split, group in by_split.items() if group
    }


def _flaw(item: GoldDocument, without_text: Mapping[str, str]) -> str:
    """Say why a document cannot be exported; empty if it can."""
    document = item.document
    if not len(item.labels) and not document.lines:
        return "it has no lines"
    if len(item.labels) != len(document.lines) and document.id not in without_text:
        return f"{len(item.labels)} labels for {len(document.lines)} lines"
    if document.lines and without_text.get(document.id, document.text_sha256) != document.text_sha256:
        return "the text to leave out is that of another document with this id"
    if not np.isin(item.labels, np.arange(len(LABEL_NAMES))).all():
        return f"a line has none of the labels {', '.join(LABEL_NAMES)}"
    return _flawed_field(document_columns([item], without_text))


def _flawed_field(columns: Columns) -> str:
    for name, values in columns.items():
        if name in _FIELDS and len(values[0]) > MAX_FIELD:
            return f"its {name} has {len(values[0]):,} characters; the limit is {MAX_FIELD:,}"
        texts = (values[0] or ()) if name in ("lines", "annotators") else [values[0]]
        if any(isinstance(text, str) and not _is_utf8(text) for text in texts):
            return f"{name} holds half a character (a lone surrogate), which UTF-8 cannot carry"
    return ""


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _write_config(
    folder: Path,
    by_split: Mapping[Split, Sequence[GoldDocument]],
    features: Features,
    columns_of: Callable[[Sequence[GoldDocument]], Columns],
    about: str,
) -> DatasetInfo:
    """Write the shards of one configuration."""
    from datasets import DatasetInfo, SplitDict, SplitInfo

    folder.mkdir()
    schema = features.arrow_schema
    schema = schema.with_metadata({**schema.metadata, SCHEMA_KEY: about})
    sizes = SplitDict()
    for split, items in by_split.items():
        shards = list(_chunks(items, SHARD_BYTES))
        n_rows = n_bytes = 0
        for number, shard in enumerate(shards):
            path = folder / f"{split}-{number:05}-of-{len(shards):05}.parquet"
            for table in _write_shard(path, shard, schema, columns_of):
                n_rows += table.num_rows
                n_bytes += table.nbytes
        sizes.add(SplitInfo(split, num_bytes=n_bytes, num_examples=n_rows))
    return DatasetInfo(
        features=features,
        splits=sizes,
        dataset_size=sum(size.num_bytes for size in sizes.values()),
        download_size=sum(path.stat().st_size for path in folder.iterdir()),
    )


def _write_shard(
    path: Path,
    items: Sequence[GoldDocument],
    schema: pa.Schema,
    columns_of: Callable[[Sequence[GoldDocument]], Columns],
) -> Iterator[pa.Table]:
    """Write one Parquet file, yielding each row group once it is written."""
    import pyarrow as pa
    from pyarrow import parquet

    with parquet.ParquetWriter(path, schema, **_WRITER) as writer:
        for chunk in _chunks(items, ROW_GROUP_BYTES):
            table = pa.table(columns_of(chunk), schema=schema)
            writer.write_table(table)
            yield table


def _chunks(items: Iterable[GoldDocument], max_bytes: int) -> Iterator[list[GoldDocument]]:
    """Cut documents into runs of at most ``max_bytes``, or of one document that is larger by itself."""
    chunk: list[GoldDocument] = []
    n_bytes = 0
    for item in items:
        size = _n_bytes(item)
        if chunk and n_bytes + size > max_bytes:
            yield chunk
            chunk, n_bytes = [], 0
        chunk.append(item)
        n_bytes += size
    if chunk:
        yield chunk


def _n_bytes(item: GoldDocument) -> int:
    """Estimate the uncompressed size of a document in ``lines``, the larger of the configurations."""
    document = item.document
    repeated = known_site(document), document.language, metadata_text(document, "page_type")
    in_each_line = 4 * len(document.id) + sum(map(len, repeated)) + _LINE_OVERHEAD
    text = sum(len(line.encode("utf-8", "surrogatepass")) for line in document.lines)
    return len(document.url) + text + in_each_line * (len(item.labels) + 1)


def _require_replaceable(folder: Path) -> None:
    """Refuse a folder that holds anything but an export."""
    if folder.exists() and not folder.is_dir():
        raise DatasetError(f"{folder}: is a file; name a folder for the dataset")
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    foreign = next((path for path in paths if not _is_ours(folder, path)), None)
    if foreign is not None:
        raise DatasetError(f"{folder}: holds {foreign}, which no export wrote; name a new or an empty folder")


def _is_ours(folder: Path, path: str) -> bool:
    if path != CARD:
        ours = path == CROISSANT or EXPORTED_FILE.fullmatch(path) is not None
        return ours and (folder / CARD).is_file()
    return MARK.encode() in (folder / path).read_bytes()


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Give a new folder beside ``folder`` that takes its place at the end, unless something failed."""
    new = folder.with_name(f".{folder.name}.{token_hex(4)}")
    new.mkdir(parents=True)
    old = new.with_name(f"{new.name}.old")
    try:
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(new, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)
