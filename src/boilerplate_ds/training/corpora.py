"""What a model is trained on: labelled collections, and WCXB's pages with their main content.

One page gives several documents: its HTML (lines with markup), the text that was labelled, its plain text
as it is laid out, with blank lines, what a main-content extractor leaves of it, what another one leaves
where one is installed (trafilatura or readability-lxml), and a text cut down on purpose, as some other
extractor might have left it. Labels made for one are carried to the others by alignment, so that one model
learns to read them all. All documents of a page share its site, and so stay in one fold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed

from boilerplate_ds.document import Document
from boilerplate_ds.errors import DatasetError, SourceError, reject_or_raise
from boilerplate_ds.sources.arrow import parquet_batches, rows_of
from boilerplate_ds.sources.encoding import decode_html
from boilerplate_ds.sources.site import stated_site
from boilerplate_ds.training.alignment import align_with_content, carry_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from boilerplate_ds.dataset.gold import GoldDocument
    from boilerplate_ds.document import Labels
    from boilerplate_ds.errors import Rejects

    View = tuple[str, Document]

Progress = Callable[[str, float], None]
HTML, TEXT, RESIDUE, PLAIN, EXTRACT, CUT = "html", "text", "residue", "plain", "extract", "cut"
"""Views of a page: its HTML, its text, what an extractor left of it; and, for training alone, the text of a
labelled page as it is laid out, what another extractor left, its text cut down on purpose."""
FOR_TRAINING = (PLAIN, EXTRACT, CUT)
"""Made to learn from, not to be measured on."""
CUT_SHARE = (0.04, 0.5, 0.8, 0.5)
"""How likely a run of lines is left out of the cut view, by label: extractors drop navigation first."""


@dataclass(frozen=True, slots=True)
class TrainingPage:
    """One view of a page with what is known of its lines.

    Parameters
    ----------
    document : Document
    labels : ndarray of int8, shape (n_lines,)
        Class ids, ``MAIN``, ``NOT_MAIN`` or ``UNKNOWN``.
    view : {"html", "text", "residue", "plain", "extract", "cut"}
    origin : str
        Name of the collection or corpus.
    reference : str or None
        WCXB's main content of the page.
    """

    document: Document
    labels: Labels = field(repr=False)
    view: str
    origin: str
    reference: str | None = field(default=None, repr=False)


def plain_text(html: str, *, main_content: bool = False) -> str:
    """Text of a page by resiliparse: all of it, ``<noscript>`` included, or just its main content."""
    from resiliparse.extract.html2text import extract_plain_text

    return str(extract_plain_text(html, main_content=main_content, preserve_formatting=True, noscript=True))


def extract(html: str) -> str | None:
    """Give what a main-content extractor leaves of a page, None where none is installed.

    One extractor reads one page, another the next, by the page's hash: they take longer than all else.
    """
    extractors = {"trafilatura": _trafilatura, "readability": _readability}
    installed = [leave for package, leave in extractors.items() if find_spec(package) is not None]
    if not installed:
        return None
    chosen = int(sha256(html.encode(errors="surrogatepass")).hexdigest()[:8], 16) % len(installed)
    return installed[chosen](html)


def _trafilatura(html: str) -> str:
    from trafilatura import extract

    return extract(html, favor_recall=True) or ""


def _readability(html: str) -> str:
    from readability import Document as Readable

    try:
        return plain_text(Readable(html).summary(html_partial=True))
    except Exception:  # noqa: BLE001  # it raises whatever lxml raises; an empty text teaches nothing
        return ""


def labelled_pages(
    gold: Sequence[GoldDocument],
    origin: str,
    html: Mapping[str, str | Sequence[View]],
    *,
    to_learn: bool = True,
    n_jobs: int = 1,
    rejects: Rejects | None = None,
    progress: Progress | None = None,
) -> Iterator[TrainingPage]:
    """Yield views of pages with four labels: the text that was labelled, and more where its HTML is known.

    Parameters
    ----------
    gold : sequence of GoldDocument
    origin : str
        Name of the collection.
    html : mapping of str to str or sequence of (view, Document)
        By document id; only for documents that are a page's whole text (``variant`` is ``full``). HTML, or
        the views that :func:`wcxb_pages` made of it, so that it need not be read again.
    to_learn : bool
        Whether views that are only learned from are wanted; extractors take their time.
    n_jobs : int
        Processes.
    rejects : Rejects, optional
        Takes HTML that can't be read; its page is then known by its text alone. Without it the first raises.
    progress : callable, optional
    """
    jobs = (
        delayed(_labelled_page)(item, origin, html.get(item.document.id), to_learn=to_learn) for item in gold
    )
    for done, (item, result) in enumerate(zip(gold, _in_order(jobs, n_jobs), strict=True), start=1):
        pages, error = result
        yield from pages
        if error is not None:
            reject_or_raise(rejects, origin, f"HTML of page {item.document.id}", str(error))
        if progress is not None:
            progress("Reading labelled pages", done / len(gold))


def _in_order(jobs: Iterable[Any], n_jobs: int) -> Iterator[Any]:
    results: Iterator[Any] = Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
    return results


def _labelled_page(
    item: GoldDocument, origin: str, source: str | Sequence[View] | None, *, to_learn: bool
) -> tuple[list[TrainingPage], SourceError | None]:
    """Give views of a page from its HTML, or from views of that, and why HTML was refused."""
    document, labels = item.document, item.labels
    whole = document.metadata.get("variant") in (None, "full")
    pages = [TrainingPage(document, labels, TEXT if whole else RESIDUE, origin)]
    if whole and to_learn:
        pages.append(_cut(document, labels, origin))
    if source is None or not whole:
        return pages, None
    try:
        views = _views(source, to_learn=to_learn) if isinstance(source, str) else source
    except SourceError as error:
        return pages, error
    fields = _fields(document)
    for view, other in views:
        if view == TEXT and not to_learn:
            continue
        pages.append(
            TrainingPage(
                replace(other, **fields),
                carry_labels(document.lines, labels, other.lines),
                PLAIN if view == TEXT else view,
                origin,
            )
        )
    return pages, None


def _cut(document: Document, labels: Labels, origin: str) -> TrainingPage:
    """Leave out runs of lines at random; the same page is always cut the same way."""
    rng = np.random.default_rng(int(document.text_sha256[:8], 16))
    run = np.concatenate(([0], np.cumsum(labels[1:] != labels[:-1]))) if len(labels) else labels
    dropped = (
        rng.random(int(run[-1]) + 1 if len(run) else 0)
        < np.array(CUT_SHARE)[labels[np.flatnonzero(np.diff(run, prepend=-1))]]
    )
    keep = ~dropped[run]
    separators = document.separators and (*compress(document.separators, keep), document.separators[-1])
    lines = tuple(compress(document.lines, keep))
    cut = Document(lines=lines, separators=separators, **_fields(document))
    return TrainingPage(cut, labels[keep], CUT, origin)


def _views(html: str, *, to_learn: bool) -> list[View]:
    """Read a page's HTML; refuses it before an extractor has to cope with it."""
    views = [
        (HTML, Document.from_html(html)),
        (TEXT, Document.from_text(plain_text(html))),
        (RESIDUE, Document.from_text(plain_text(html, main_content=True))),
    ]
    extracted = extract(html) if to_learn else None
    if extracted is not None:
        views.append((EXTRACT, Document.from_text(extracted)))
    return views


def _fields(document: Document) -> dict[str, Any]:
    names = ("id", "url", "site", "language", "metadata")
    return {name: getattr(document, name) for name in names}


def wcxb_pages(
    path: str | Path,
    *,
    to_learn: bool = True,
    n_jobs: int = 1,
    rejects: Rejects | None = None,
    progress: Progress | None = None,
) -> Iterator[TrainingPage]:
    """Yield views of WCXB's pages, content or not by alignment with their human-reviewed main content.

    WCXB 1.0, repository Murrough-Foley/web-content-extraction-benchmark, CC-BY-4.0 (Murrough Foley, 2026).

    Parameters
    ----------
    path : str or Path
        Parquet file with columns ``id, url, domain, page_type, main_content, html``.
    to_learn : bool
        Whether views that are only learned from are wanted; extractors take their time.
    n_jobs : int
        Processes.
    rejects : Rejects, optional
        Takes pages that can't be read; without it the first one raises.
    progress : callable, optional

    Raises
    ------
    DatasetError
        If the file lacks a column.
    """
    from pyarrow import ArrowInvalid, parquet

    wanted = ["id", "url", "domain", "page_type", "main_content", "html"]
    try:
        metadata = parquet.read_metadata(path)
    except (OSError, ArrowInvalid) as error:
        raise DatasetError(f"{path}: can't be read as Parquet ({error})") from error
    missing = sorted(set(wanted) - set(metadata.schema.to_arrow_schema().names))
    if missing:
        raise DatasetError(f"{path}: lacks the columns {', '.join(missing)}")
    with Path(path).open("rb") as handle:
        rows = (row for batch in parquet_batches(handle, wanted) for row in rows_of(batch))
        jobs = (delayed(_wcxb_page)(row, to_learn=to_learn) for row in rows)
        for done, (name, result) in enumerate(_in_order(jobs, n_jobs), start=1):
            if isinstance(result, SourceError):
                reject_or_raise(rejects, path, name or f"row {done}", str(result))
            else:
                yield from result
            if progress is not None:
                progress("Reading WCXB", done / max(metadata.num_rows, 1))


def _wcxb_page(
    row: Mapping[str, Any] | SourceError, *, to_learn: bool
) -> tuple[str, list[TrainingPage] | SourceError]:
    """Give the page's name, as far as it has one, and its views or why it was refused."""
    if isinstance(row, SourceError):
        return "", row
    try:
        return f"page {row['id']}", _wcxb_views(row, to_learn=to_learn)
    except SourceError as error:
        return f"page {row['id']}", error


def _wcxb_views(row: Mapping[str, Any], *, to_learn: bool) -> list[TrainingPage]:
    for name in ("html", "main_content"):
        if not isinstance(row[name], str):
            raise SourceError(f"{name} is {type(row[name]).__name__}, not a string")
    for name in ("url", "domain"):
        if not isinstance(row[name], str | None):
            raise SourceError(f"{name} is {type(row[name]).__name__}, not a string")
    fields: dict[str, Any] = {
        "id": f"wcxb-{row['id']}",
        "url": row["url"] or "",
        "site": stated_site(row["domain"] or "", row["url"] or ""),
        "metadata": {"page_type": row["page_type"]},
    }
    reference = row["main_content"]
    return [
        TrainingPage(
            replace(document, **fields),
            align_with_content(document.lines, reference),
            view,
            "wcxb",
            reference,
        )
        for view, document in _views(row["html"], to_learn=to_learn)
    ]


def read_html(path: str | Path) -> dict[str, str]:
    """HTML by page id, from a Parquet file with columns ``id`` and ``html``.

    Ids may be integers too, and both may be bytes; rows that lack one are passed over.

    Raises
    ------
    DatasetError
        If the file can't be read, or a column is of another type.
    """
    from pyarrow import ArrowException, parquet

    try:
        table = parquet.read_table(path, columns=["id", "html"])
        ids, html = table["id"].to_pylist(), table["html"].to_pylist()
    except (OSError, ValueError, ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise DatasetError(f"{path}: can't be read as Parquet with columns id and html ({reason})") from error
    rows = zip(
        _strings(
            path, "id", ids, {str: str, int: str, bytes: partial(str, encoding="utf-8", errors="replace")}
        ),
        _strings(path, "html", html, {str: str, bytes: decode_html}),
        strict=True,
    )
    return {key: source for key, source in rows if key is not None and source is not None}


def _strings(
    path: str | Path, name: str, values: Sequence[Any], read_as: Mapping[type, Callable[[Any], str]]
) -> Iterator[str | None]:
    """Yield the values of a column as strings, by how each type is read; None stays."""
    for value in values:
        if value is not None and type(value) not in read_as:
            raise DatasetError(f"{path}: column {name} holds {type(value).__name__}, not strings")
        yield None if value is None else read_as[type(value)](value)
