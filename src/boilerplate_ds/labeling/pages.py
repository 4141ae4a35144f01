r"""Labelled pages as plain text, a format for writing and correcting pages by hand.

::

    @@
    @id en-news-ferry
    @url https://www.harbourpost.example/2024/ferry
    @language en
    @page_type news
    n Skip to main content
    c Ferry timetable to change in May
    a ADVERTISEMENT

- ``@@`` starts a page. Header lines ``@key value`` follow. ``id`` is required and unique; ``url``, ``site``,
  ``language`` and ``source`` are fields of the document, any other key goes to its metadata. Without a
  ``site``, the host of the url is the site.
- Then one line for each line of the page: the letter of its label (``c`` content, ``a`` ad, ``n`` navigation,
  ``r`` recommendation), one space, and the text. The text is kept as it is, spaces at either end included.
- Blank lines mean nothing. Files are UTF-8; lines end in ``\n`` or ``\r\n``.

A page with a mistake in it is rejected whole, since its labels can no longer be trusted to match its lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.document import CODES, Annotation, Document
from boilerplate_ds.errors import LabelError, Rejects, SourceError, reject_or_raise
from boilerplate_ds.labeling.collection import (
    document_files,
    document_record,
    parse_document,
    read_document_file,
)
from boilerplate_ds.labeling.jsonl import append_line, decode_record, encode_record, rewrite_lines
from boilerplate_ds.labeling.store import LabelStore, StoredAnnotation
from boilerplate_ds.sources.site import stated_site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from boilerplate_ds.document import Labels

_HEADER = re.compile(r"@([a-z][a-z0-9_]*)(?: (.*))?")
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,35}")
_DOCUMENT_FIELDS = ("id", "url", "site", "language", "source")
_NO_HEADERS = ("lines", "separators")
AUTHORS = "authors"
"""Annotator of pages that were written with their labels."""


@dataclass(frozen=True, slots=True)
class LabeledPage:
    """A page and the labels of its lines.

    Parameters
    ----------
    document : Document
    labels : ndarray of int8, shape (n_lines,)
        Class ids.
    """

    document: Document
    labels: Labels = field(repr=False)


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What :func:`ingest_pages` did: pages read, and how many of them had new or changed text or labels."""

    pages: int
    labeled: int


def read_pages(paths: Iterable[str | Path], rejects: Rejects | None = None) -> Iterator[LabeledPage]:
    """Yield the pages of files, in the order given.

    Parameters
    ----------
    paths : iterable of path-like
    rejects : Rejects, optional
        Gets each page with a mistake, and each that repeats an id; without it the first raises.

    Raises
    ------
    SourceError
        If a file cannot be read.
    LabelError
        At the first bad page, without ``rejects``.
    """
    seen: set[str] = set()
    for path in map(Path, paths):
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reject_or_raise(rejects, path, "", str(error), SourceError)
            continue
        for number, block in _blocks(text):
            where = f"page at line {number}"
            try:
                page = _parse_page(number, block)
                if page.document.id in seen:
                    raise LabelError(f"another page has the id {page.document.id!r}")
            except LabelError as error:
                reject_or_raise(rejects, path, where, str(error), LabelError)
            else:
                seen.add(page.document.id)
                yield page


def write_pages(path: str | Path, pages: Iterable[LabeledPage]) -> None:
    """Write pages to a file that :func:`read_pages` reads back.

    Raises
    ------
    LabelError
        If a header or a line would not read back: it is no text, holds a line end or half a character, is
        blank, or is a header with spaces around it.
    """
    text = "\n".join(map(format_page, pages))
    try:
        Path(path).write_bytes(text.encode())
    except UnicodeEncodeError as error:
        raise LabelError(f"{path}: pages hold half a character: {error}") from error


def format_page(page: LabeledPage) -> str:
    """Write one page as text; see :func:`write_pages`."""
    document = page.document
    headers = {name: getattr(document, name) for name in _DOCUMENT_FIELDS} | dict(document.metadata)
    parts = ["@@", *(_format_header(key, value) for key, value in headers.items() if value not in ("", None))]
    parts += [_format_line(int(label), line) for label, line in zip(page.labels, document.lines, strict=True)]
    return "\n".join(parts) + "\n"


def ingest_pages(
    pages: Iterable[LabeledPage],
    folder: str | Path,
    *,
    annotator: str = AUTHORS,
    guidelines: str = "",
    created_at: str = "",
    rejects: Rejects | None = None,
) -> IngestReport:
    """Add pages to a collection, or update those it has.

    A page may bring a new text for its id, unless somebody else labelled the old one, whose labels would fit
    no longer. What it does not say (its ``url``, say) stays as it was.

    Documents go to ``documents/<language>.jsonl`` (``und`` where it is not known), new ones to its end, in
    order of their ids. A page whose language is another now is in the new file before it leaves the old one.
    Labels are appended for pages whose text or labels are new, so ingesting twice changes nothing.

    Parameters
    ----------
    pages : iterable of LabeledPage
    folder : path-like
        The collection's folder.
    annotator, guidelines, created_at : str
        For the new annotations; ``created_at`` is the present time if empty.
    rejects : Rejects, optional
        Gets each page that cannot be added, and bad records of the collection; without it the first raises.

    Raises
    ------
    LabelError
        If labels could not be stored.
    """
    folder = Path(folder)
    store = LabelStore(folder)
    latest = store.latest(rejects)
    by_document: dict[str, list[Annotation]] = {}
    for stored in latest.values():
        by_document.setdefault(stored.annotation.doc_id, []).append(stored.annotation)
    ordered = []
    for page in sorted(pages, key=lambda page: (page.document.language, page.document.id)):
        try:
            _document_file(folder, page.document)
            _check_replaceable(page.document, annotator, by_document.get(page.document.id, ()))
        except LabelError as error:
            reject_or_raise(rejects, str(folder), f"page {page.document.id!r}", str(error), LabelError)
        else:
            ordered.append(page)
    _write_documents(folder, [page.document for page in ordered], rejects)
    new = [page for page in ordered if not _is_stored(page, latest.get((page.document.id, annotator)))]
    for page in new:
        store.append(
            Annotation(
                doc_id=page.document.id,
                text_sha256=page.document.text_sha256,
                annotator=annotator,
                labels=page.labels,
                guidelines=guidelines,
                created_at=created_at,
            )
        )
    return IngestReport(pages=len(ordered), labeled=len(new))


def _check_replaceable(document: Document, annotator: str, known: Iterable[Annotation]) -> None:
    """Refuse a new text for a page whose old one somebody else labelled."""
    others = [
        given.annotator
        for given in known
        if given.annotator != annotator and given.text_sha256 != document.text_sha256
    ]
    if others:
        raise LabelError(
            f"{', '.join(sorted(others))} labelled another text of that id; give this page an id of its own"
        )


def _write_documents(folder: Path, documents: Iterable[Document], rejects: Rejects | None) -> None:
    stored = {path: {d.id: d for d in read_document_file(path, rejects)} for path in document_files(folder)}
    known = {doc_id: old for found in reversed(stored.values()) for doc_id, old in found.items()}
    new = {d.id: _with_fields_of(known.get(d.id, d), d) for d in documents}
    homes = {doc_id: _document_file(folder, document) for doc_id, document in new.items()}
    gained: dict[Path, list[bytes]] = {}
    for doc_id, home in homes.items():
        if doc_id not in stored.get(home, {}):
            gained.setdefault(home, []).append(encode_record(document_record(new[doc_id])))
    for home, lines in gained.items():
        append_line(home, b"".join(lines))
    for path, found in stored.items():
        if any(homes[i] != path or new[i] != old for i, old in found.items() if i in new):
            rewrite_lines(path, partial(_edited, path=path, new=new, homes=homes))


def _edited(line: bytes, path: Path, new: Mapping[str, Document], homes: Mapping[str, Path]) -> bytes:
    """Give the line of a document file as it is to be: that of a new page in its file, none in another."""
    try:
        doc_id = parse_document(decode_record(line)).id
    except LabelError:  # it has been reported, and is for its owner to mend
        return line
    if doc_id not in new:
        return line
    return encode_record(document_record(new[doc_id])) if homes[doc_id] == path else b""


def _with_fields_of(old: Document, new: Document) -> Document:
    """Give the new document with what only the old one says of the page."""
    kept = {name: getattr(old, name) for name in _DOCUMENT_FIELDS if not getattr(new, name)}
    return replace(new, **kept, metadata={**old.metadata, **new.metadata})


def _document_file(folder: Path, document: Document) -> Path:
    language = document.language or "und"
    if not _LANGUAGE.fullmatch(language):
        raise LabelError(f"{language!r} is not a language code")
    return folder / "documents" / f"{language}.jsonl"


def _is_stored(page: LabeledPage, stored: StoredAnnotation | None) -> bool:
    if stored is None:
        return False
    same_text = stored.annotation.text_sha256 == page.document.text_sha256
    return same_text and np.array_equal(stored.annotation.labels, page.labels)


def _blocks(text: str) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """Cut a file at its ``@@`` lines; yields the number of each page's first line, and its numbered lines."""
    block: list[tuple[int, str]] = []
    start = 1
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.removesuffix("\r")
        if line.rstrip() == "@@":
            if block:
                yield start, block
            block, start = [(number, line)], number
        elif line.strip():
            block.append((number, line))
    if block:
        yield start, block


def _parse_page(start: int, block: Sequence[tuple[int, str]]) -> LabeledPage:
    if block[0][1].rstrip() != "@@":
        raise LabelError(f"line {start}: text before the first @@")
    headers: dict[str, str] = {}
    lines: list[str] = []
    labels: list[int] = []
    for number, line in block[1:]:
        if line.startswith("@"):
            if lines:
                raise LabelError(f"line {number}: a header after the first line of the page")
            key, value = _parse_header(number, line)
            if headers.setdefault(key, value) != value:
                raise LabelError(f"line {number}: a second @{key}")
        else:
            label, text = _parse_line(number, line)
            labels.append(label)
            lines.append(text)
    if not headers.get("id"):
        raise LabelError("it has no @id")
    if not lines:
        raise LabelError("it has no lines")
    return LabeledPage(_document(headers, lines), np.array(labels, dtype=np.int8))


def _parse_header(number: int, line: str) -> tuple[str, str]:
    match = _HEADER.fullmatch(line)
    if match is None or match[1] in _NO_HEADERS:
        raise LabelError(
            f"line {number}: {line[:60]!r} is not a header; write @key value, the key in a-z, 0-9, _"
        )
    return match[1], (match[2] or "").strip()


def _parse_line(number: int, line: str) -> tuple[int, str]:
    label = CODES.find(line[0])
    text = line[2:]
    if label < 0 or line[1:2] != " " or not text.strip() or "\r" in text:
        letters = ", ".join(CODES)
        raise LabelError(
            f"line {number}: {line[:60]!r} is not a label letter ({letters}), one space and a text"
        )
    return label, text


def _format_header(key: str, value: object) -> str:
    line = f"@{key} {value}"
    if not isinstance(value, str) or "\n" in value or _parse_header(0, line) != (key, value):
        raise LabelError(f"{key} = {value!r} cannot be written as a header line")
    return line


def _format_line(label: int, text: str) -> str:
    line = f"{CODES[label]} {text}"
    if "\n" in text or _parse_line(0, line) != (label, text):
        raise LabelError(f"{text[:60]!r} with class id {label} cannot be written as a line")
    return line


def _document(headers: dict[str, str], lines: Sequence[str]) -> Document:
    url = headers.get("url", "")
    return Document(
        id=headers["id"],
        lines=tuple(lines),
        url=url,
        site=stated_site(headers.get("site", ""), url),
        language=headers.get("language", ""),
        source=headers.get("source", ""),
        metadata={key: value for key, value in headers.items() if key not in _DOCUMENT_FIELDS},
    )
