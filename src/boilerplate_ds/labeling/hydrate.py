"""Hydration: joining stand-off labels to the pages they were made for.

A stand-off collection ships labels and hashes of texts, never the texts. Its ``corpus.json`` (read as a
:class:`Corpus`) says which file of which revision holds them. :func:`hydrate` reads a copy of that file,
keeps each document whose text is the one that was labelled, and reports all others.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boilerplate_ds.checksums import sha256_of_file
from boilerplate_ds.document import Document
from boilerplate_ds.errors import DatasetError, LabelError, Rejects, SourceError, reject_or_raise
from boilerplate_ds.invisible import show_invisible
from boilerplate_ds.labeling.collection import (
    misfit,
    parse_document,
    read_document_file,
    write_document_file,
)
from boilerplate_ds.labeling.download import RemoteFile, cache_folder, download
from boilerplate_ds.labeling.jsonl import read_records
from boilerplate_ds.labeling.store import LabelStore

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from boilerplate_ds.document import Annotation
    from boilerplate_ds.labeling.download import Progress


PARQUET = ".parquet"
SHOWN_MISSING = 10
"""Ids of missing documents that a printed report names."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """The corpus whose pages a stand-off collection labels, as ``corpus.json`` pins it.

    Parameters
    ----------
    name, title : str
        ``name`` also names the file that hydration writes.
    file : str
        Name of the file that holds the documents, in JSON Lines or, if it ends in ``.parquet``, Parquet.
    sha256 : str
        Of that file.
    size : int
        Of that file, in bytes.
    revision, licence : str
    obtain : str
        How to get the file, in words.
    url : str, optional
        Where to download the file; None if it has no public address.
    fields : mapping of str to str
        Which field of the file holds which field of a document: ``id`` and ``lines``, and any others to keep.
        ``html`` in place of ``lines``: the lines are those that :meth:`Document.from_html` reads.
    id_prefix : str
        What stands before the file's ids in ours.
    """

    name: str
    title: str
    file: str
    sha256: str
    size: int
    revision: str
    licence: str
    obtain: str
    url: str | None = None
    fields: Mapping[str, str] = field(default_factory=lambda: {"id": "id", "lines": "lines"})
    id_prefix: str = ""

    def __post_init__(self) -> None:
        if type(self.size) is not int or not isinstance(self.url, (str, type(None))):
            raise DatasetError(f"size {self.size!r} is no number of bytes, or url {self.url!r} no address")
        for words in (self.title, self.revision, self.licence, self.obtain):
            if not isinstance(words, str):
                raise DatasetError(f"title, revision, licence and obtain are words, not {words!r:.60}")
        for name in (self.name, self.file):
            if not isinstance(name, str) or not name or Path(name).name != name or name.startswith("."):
                raise DatasetError(f"{name!r} is not a plain file name")
        if not isinstance(self.fields, dict) or not all(isinstance(v, str) for v in self.fields.values()):
            raise DatasetError("fields are no object that names columns")
        if "id" not in self.fields or ("lines" in self.fields) == ("html" in self.fields):
            raise DatasetError("fields must say where id and lines (or html) are")

    @classmethod
    def load(cls, folder: str | Path) -> Corpus:
        """Read the ``corpus.json`` of a collection.

        Raises
        ------
        DatasetError
            If it is missing or not valid.
        """
        path = Path(folder) / "corpus.json"
        try:
            return cls(**json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            if not path.parent.is_dir():
                raise DatasetError(f"{path.parent}: no such folder") from None
            raise DatasetError(
                f"{path}: missing; only stand-off collections are hydrated, and each has one"
            ) from None
        except (ValueError, TypeError, DatasetError) as error:
            raise DatasetError(f"{path}: not a corpus manifest: {error}") from error


@dataclass(frozen=True, slots=True)
class Differing:
    """A document of the copy whose text is not the one that was labelled, and how it differs."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class HydrateReport:
    """What hydration found; every labelled document is matched, kept, missing or differing.

    Parameters
    ----------
    corpus : Corpus
    source : Path
        The copy that was read.
    is_pinned : bool
        Whether the copy has the checksum in ``corpus.json``.
    written : Path, optional
        The document file; None if nothing matched and nothing was written.
    matched : int
        Documents of the copy, all written.
    kept : int
        Documents that the copy lacks or has with another text, and that were there from an earlier one.
    missing : tuple of str
        Ids of the other labelled documents that the copy does not have.
    differing : tuple of Differing
    extra : int
        Documents of the copy that bear no labels here.
    """

    corpus: Corpus
    source: Path
    is_pinned: bool
    written: Path | None
    matched: int
    kept: int
    missing: tuple[str, ...]
    differing: tuple[Differing, ...]
    extra: int

    @property
    def is_complete(self) -> bool:
        """Whether the text of every labelled document is there."""
        return not self.missing and not self.differing

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and names."""
        return {
            "corpus": self.corpus.name,
            "source": str(self.source),
            "is_pinned": self.is_pinned,
            "written": str(self.written) if self.written else None,
            "matched": self.matched,
            "kept": self.kept,
            "missing": list(self.missing),
            "differing": {item.id: item.reason for item in self.differing},
            "extra": self.extra,
        }

    @property
    def labelled(self) -> int:
        """How many documents bear labels."""
        return self.matched + self.kept + len(self.missing) + len(self.differing)

    def __str__(self) -> str:
        pinned = "the pinned copy" if self.is_pinned else f"not the pinned copy of {self.corpus.title}"
        lines = [
            f"matched   {self.matched:,} of {self.labelled:,} labelled documents",
            f"source    {self.source} ({pinned})",
            f"written   {self.written or 'nothing'}",
            f"extra     {self.extra:,} documents without labels",
        ]
        if self.kept:
            lines.append(f"kept      {self.kept:,} documents of an earlier copy")
        if self.missing:
            named = ", ".join(map(show_invisible, self.missing[:SHOWN_MISSING]))
            rest = len(self.missing) - SHOWN_MISSING
            more = f" and {rest:,} more" if rest > 0 else ""
            lines.append(f"missing   {len(self.missing):,}: {named}{more}")
        lines += [f"differs   {show_invisible(item.id)}: {item.reason}" for item in self.differing]
        return "\n".join(lines)


def hydrate(
    folder: str | Path,
    source: str | Path | None = None,
    out: str | Path | None = None,
    *,
    progress: Progress | None = None,
    rejects: Rejects | None = None,
) -> HydrateReport:
    """Write the documents that a stand-off collection labels.

    Those that an earlier copy gave, and this one does not, stay.

    Parameters
    ----------
    folder : path-like
        The collection, with its ``corpus.json``.
    source : path-like, optional
        A copy of the corpus file, or a folder that holds one at any depth. Without it the file is downloaded
        into the cache.
    out : path-like, optional
        Where the document file goes; ``<folder>/documents`` by default, where git ignores it.
    progress : callable, optional
        Called with bytes so far and bytes in all while downloading.
    rejects : Rejects, optional
        Gets bad records of the copy and of the annotations; without it the first raises.

    Raises
    ------
    DatasetError
        If the manifest is not valid, the collection has no labels, or there is no copy of the corpus.
    SourceError
        If the download failed.
    LabelError
        At the first bad record, without ``rejects``.
    """
    folder = Path(folder)
    corpus = Corpus.load(folder)
    labeled = _labeled(folder, rejects)
    copy = find_copy(corpus, Path(source)) if source else _fetch(corpus, folder, progress)
    join = _Join(corpus, labeled)
    target = (Path(out) if out else folder / "documents") / f"{corpus.name}.jsonl"
    matched = list(join.matching(copy, rejects))
    kept = join.kept(target, {document.id for document in matched})
    if matched:
        write_document_file(target, [*kept.values(), *matched])
    return HydrateReport(
        corpus=corpus,
        source=copy,
        is_pinned=sha256_of_file(copy) == corpus.sha256,
        written=target if matched else None,
        matched=len(matched),
        kept=len(kept),
        missing=tuple(i for i in labeled if i not in join.seen and i not in kept),
        differing=tuple(item for item in join.differing if item.id not in kept),
        extra=join.extra,
    )


def find_copy(corpus: Corpus, source: Path) -> Path:
    """Find the corpus file: ``source`` itself, or below it; of several, the pinned one or else the first.

    Raises
    ------
    DatasetError
        If there is none.
    """
    if source.is_file():
        return source
    found = sorted(path for path in source.rglob(corpus.file) if path.is_file())
    if not found:
        raise DatasetError(f"{source}: no {corpus.file} in it. {corpus.obtain}")
    if len(found) == 1:
        return found[0]
    return next((path for path in found if sha256_of_file(path) == corpus.sha256), found[0])


def _fetch(corpus: Corpus, folder: Path, progress: Progress | None) -> Path:
    if corpus.url is None:
        raise DatasetError(
            f"{corpus.title} has no address to download it from. {corpus.obtain} "
            f"Then run: boilerplate-ds hydrate {folder} --from FOLDER-WITH-{corpus.file}"
        )
    remote = RemoteFile(corpus.url, corpus.sha256, corpus.size)
    target = cache_folder() / "corpora" / f"{corpus.name}-{corpus.sha256[:12]}" / corpus.file
    return download(remote, target, progress=progress)


def _labeled(folder: Path, rejects: Rejects | None) -> dict[str, list[Annotation]]:
    """Map the id of each labelled document to the last annotation of each of its annotators."""
    labeled: dict[str, list[Annotation]] = {}
    for stored in LabelStore(folder).latest(rejects).values():
        labeled.setdefault(stored.annotation.doc_id, []).append(stored.annotation)
    if not labeled:
        raise DatasetError(f"{folder}: no labels in {folder / 'annotations'}")
    return labeled


class _Join:
    """Sorts the documents of a copy into matching, differing and extra ones."""

    def __init__(self, corpus: Corpus, labeled: Mapping[str, list[Annotation]]) -> None:
        self.corpus = corpus
        self.labeled = labeled
        self.seen: set[str] = set()
        self.differing: list[Differing] = []
        self.extra = 0

    def matching(self, copy: Path, rejects: Rejects | None) -> Iterator[Document]:
        """Yield the documents of a copy that fit all labels made for them."""
        for number, record in _records(copy, self.corpus, rejects):
            where = f"{'row' if copy.suffix == PARQUET else 'line'} {number}"
            try:
                document = _document(record, self.corpus)
                if document.id in self.seen:
                    raise LabelError(f"document {document.id!r} is in the file already")
            except (LabelError, SourceError) as error:
                reject_or_raise(rejects, copy, where, str(error), LabelError)
            else:
                if self._fits(document):
                    yield document

    def _fits(self, document: Document) -> bool:
        if document.id not in self.labeled:
            self.extra += 1
            return False
        self.seen.add(document.id)
        reason = self._misfit(document)
        if reason:
            self.differing.append(Differing(document.id, reason))
        return not reason

    def _misfit(self, document: Document) -> str:
        """Say why a document fits none of the labels made for it; empty if it fits some."""
        reasons = [misfit(annotation, document) for annotation in self.labeled[document.id]]
        return reasons[0] if all(reasons) else ""

    def kept(self, target: Path, matched: Container[str]) -> dict[str, Document]:
        """Give those documents of an earlier copy, by id, that still fit and were not matched now."""
        if not target.is_file():
            return {}
        earlier = read_document_file(target, Rejects())  # what can't be read there is missing, and named so
        return {
            document.id: document
            for document in earlier
            if document.id in self.labeled and document.id not in matched and not self._misfit(document)
        }


def _records(copy: Path, corpus: Corpus, rejects: Rejects | None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the records of a copy, each with its number, from 1."""
    if copy.suffix != PARQUET:
        yield from read_records(copy, rejects)
        return
    from pyarrow import ArrowException, parquet

    from boilerplate_ds.sources.arrow import parquet_batches, rows_of

    columns = list(corpus.fields.values())
    number = 0
    try:
        held = parquet.read_schema(copy).names
        missing = [name for name in columns if name not in held]
        if missing:
            raise DatasetError(f"{copy}: lacks the column {missing[0]}")
        with copy.open("rb") as handle:
            for batch in parquet_batches(handle, columns):
                for record in rows_of(batch):
                    number += 1
                    if isinstance(record, SourceError):
                        reject_or_raise(rejects, copy, f"row {number}", str(record), LabelError)
                    else:
                        yield number, record
    except (ArrowException, OSError) as error:
        raise DatasetError(f"{copy}: cannot be read as Parquet: {error}") from error


def _document(record: Mapping[str, Any], corpus: Corpus) -> Document:
    """Pick the fields of a document out of a record of the corpus; absent and null ones are left out."""
    picked = {
        name: record[theirs] for name, theirs in corpus.fields.items() if record.get(theirs) is not None
    }
    if isinstance(picked.get("id"), str):
        picked["id"] = corpus.id_prefix + picked["id"]
    if "html" in corpus.fields:
        html = picked.pop("html", None)
        if not isinstance(html, str):
            raise LabelError(f"html is {type(html).__name__}, not a string")
        picked["lines"] = list(Document.from_html(html, id="").lines)
    return parse_document({"source": corpus.name, **picked})
