"""The nouns every room shares: labels, documents, markup and annotations.

A document is a list of lines, and each line has one of four labels.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.compiled import kernel
from boilerplate_ds.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Labels = NDArray[np.int8]


class Label(str, Enum):
    """Why a line is on its page. The order of the members is the class id everywhere."""

    CONTENT = "content"
    AD = "ad"
    NAVIGATION = "navigation"
    RECOMMENDATION = "recommendation"

    def __str__(self) -> str:
        return self.value

    @property
    def id(self) -> int:
        """Class id: content 0, ad 1, navigation 2, recommendation 3."""
        return _LABELS.index(self)

    @property
    def code(self) -> str:
        """One-letter code used in label runs: ``c a n r``."""
        return self.value[0]

    @classmethod
    def parse(cls, value: str | int | np.integer[Any]) -> Label:
        """Read a label from its name, its one-letter code or its class id.

        Raises
        ------
        LabelError
            If ``value`` names no label.
        """
        if isinstance(value, int | np.integer) and 0 <= value < len(_LABELS):
            return _LABELS[value]
        for label in _LABELS:
            if value in (label.value, label.code):
                return label
        raise LabelError(f"unknown label {value!r}; labels are {', '.join(_LABELS)}")


_LABELS: tuple[Label, ...] = tuple(Label)
LABEL_NAMES: tuple[str, ...] = tuple(label.value for label in _LABELS)
CODES = "".join(label.code for label in _LABELS)

_RUN = re.compile(rf"([0-9]{{1,9}})([{CODES}])")
MAX_RUN_LINES = 10_000_000
NOT_MAIN = -1
"""In labels given to training: a line outside a page's main content, of a page reviewed for that alone."""
MAIN = -2
"""In labels given to training: a line of a page's main content, of a page reviewed for that alone."""


def encode_runs(labels: Iterable[int]) -> str:
    """Write class ids as label runs: ``[2, 2, 0]`` becomes ``"2n 1c"``.

    Raises
    ------
    LabelError
        If an id is not one of the four labels'.
    """
    runs = [(int(label), sum(1 for _ in run)) for label, run in groupby(labels)]
    if any(not 0 <= label < len(CODES) for label, _ in runs):
        raise LabelError(f"class ids are 0 to {len(CODES) - 1}, got {sorted({label for label, _ in runs})}")
    return " ".join(f"{count}{CODES[label]}" for label, count in runs)


def decode_runs(runs: str) -> Labels:
    """Read label runs (``"2n 1c"``) as class ids.

    Returns
    -------
    ndarray of int8, shape (n_lines,)

    Raises
    ------
    LabelError
        If the text is not a sequence of ``<count><letter>`` or names an absurd number of lines.
    """
    counts: list[int] = []
    ids: list[int] = []
    for run in runs.split():
        match = _RUN.fullmatch(run)
        if match is None:
            raise LabelError(f"label runs break at {run[:12]!r}; expected e.g. '12n 5c 1a'")
        counts.append(int(match[1]))
        ids.append(CODES.index(match[2]))
    if sum(counts) > MAX_RUN_LINES:
        raise LabelError(f"label runs name {sum(counts):,} lines; the limit is {MAX_RUN_LINES:,}")
    return np.repeat(np.array(ids, dtype=np.int8), counts)


@dataclass(frozen=True, slots=True)
class Markup:
    """What HTML adds to the lines of a document.

    Elements are numbered in document order, so a parent always comes before its children; element 0 is
    the root and its own parent.

    Parameters
    ----------
    element : ndarray of int32, shape (n_lines,)
        The innermost element that holds the first text of each line.
    block : ndarray of int32, shape (n_lines,)
        The nearest block-level element around each line.
    link_share : ndarray of float32, shape (n_lines,)
        The share of a line's characters that stand inside ``<a>``, 0 to 1.
    parent : ndarray of int32, shape (n_elements,)
    tag : ndarray of int16, shape (n_elements,)
        Index into :data:`boilerplate_ds.sources.html.TAGS`.
    attribute : ndarray of int32, shape (n_elements,)
        Index into ``attributes``.
    attributes : tuple of str
        The distinct values of ``class``, ``id``, ``role``, ``itemprop``, ``rel`` and ``aria-label``, joined.
    hidden : ndarray of bool, shape (n_elements,)
        Whether the element itself says that it is not shown.
    link : ndarray of int32, shape (n_lines,)
        Index into ``links``: the target of the first link that each line has text in; 0 for none.
    links : tuple of str
        The distinct targets (``href``), the first of them empty.
    between : ndarray of int32, shape (n_lines, 4)
        What stands between the first text of the line before and that of this line: ends of lines (block
        elements start or end), pictures and frames, form controls, and parts that are passed over (scripts,
        comments).
    title : str
        The page's ``<title>``, empty if it has none.
    """

    element: NDArray[np.int32]
    block: NDArray[np.int32]
    link_share: NDArray[np.float32]
    parent: NDArray[np.int32]
    tag: NDArray[np.int16]
    attribute: NDArray[np.int32]
    attributes: tuple[str, ...]
    hidden: NDArray[np.bool_]
    link: NDArray[np.int32]
    links: tuple[str, ...]
    between: NDArray[np.int32]
    title: str = ""

    def of_lines(self, lines: slice) -> Markup:
        """Give the markup of some of the lines, in the same tree."""
        return replace(
            self,
            element=self.element[lines],
            block=self.block[lines],
            link_share=self.link_share[lines],
            link=self.link[lines],
            between=self.between[lines],
        )


_KERNEL = kernel("boilerplate_ds.document_kernel")
_LINE = re.compile(r"[^\r\n]+")


@dataclass(frozen=True, slots=True)
class Document:
    """A page as its non-blank lines, in order.

    Documents are equal if all but ``markup`` is; ``metadata``, which may hold anything, is not hashed.

    Parameters
    ----------
    id : str
        Unique within its source.
    lines : tuple of str
        The non-blank lines, untouched (leading and trailing spaces included, line ends excluded).
    separators : tuple of str
        What stood before each line and after the last one: line ends and blank lines;
        ``len(lines) + 1`` strings. Empty: the lines are joined by a newline.
    url, site, language, source : str
        Where the page is from; empty if unknown. ``site`` is what splits are made by.
    metadata : mapping
        Further fields of the record the document was read from.
    markup : Markup, optional
        What HTML adds; absent for plain text.
    """

    id: str
    lines: tuple[str, ...]
    separators: tuple[str, ...] = ()
    url: str = ""
    site: str = ""
    language: str = ""
    source: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    markup: Markup | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.separators and len(self.separators) != len(self.lines) + 1:
            raise ValueError(
                f"{len(self.lines)} lines need {len(self.lines) + 1} separators, not {len(self.separators)}"
            )

    @classmethod
    def from_text(cls, text: str, **fields: Any) -> Document:
        r"""Split ``text`` into its non-blank lines, keeping what it takes to give the text back.

        Lines end at ``\n``, ``\r`` or ``\r\n``. ``fields`` are further fields of the document;
        ``id`` defaults to the start of the text's SHA-256.

        Raises
        ------
        TypeError
            If ``text`` is no string; bytes have to be decoded first.
        """
        if not isinstance(text, str):
            raise TypeError(f"a text is a string, not {type(text).__name__}")
        lines, separators = (_split_lines if _KERNEL is None else _KERNEL.split_lines)(str.__str__(text))
        if "id" not in fields:
            fields["id"] = sha256_of_lines(lines)[:16]
        return cls(lines=tuple(lines), separators=tuple(separators), **fields)

    @classmethod
    def from_html(cls, html: str | bytes | bytearray | memoryview, **fields: Any) -> Document:
        """Turn a page of HTML into lines and :class:`Markup`; see :mod:`boilerplate_ds.sources.html`."""
        from boilerplate_ds.sources.html import document_from_html

        return document_from_html(html, **fields)

    def without_markup(self) -> Document:
        """Give the same document as plain text."""
        return self if self.markup is None else replace(self, markup=None)

    @property
    def text(self) -> str:
        """The document's text; for :meth:`from_text`, exactly the text it was given."""
        return self.select(None)

    @property
    def blank_before(self) -> NDArray[np.bool_]:
        """Whether one or more blank lines precede each line; shape (n_lines,)."""
        if not self.separators:
            return np.zeros(len(self.lines), dtype=bool)
        find = _blank_before if _KERNEL is None else _KERNEL.blank_before
        return np.frombuffer(find(self.separators), dtype=bool)

    @property
    def text_sha256(self) -> str:
        """SHA-256 of the lines joined by a newline; ties labels to the text they were made for."""
        return sha256_of_lines(self.lines)

    def select(self, keep: NDArray[np.bool_] | Sequence[bool] | None) -> str:
        """Give the text of the lines in ``keep`` (all if None), unaltered and in order.

        Where lines were left out, the longest of the separators around them stays.

        Raises
        ------
        ValueError
            If ``keep`` has not one choice a line.
        """
        if keep is not None:
            keep = np.asarray(keep, dtype=bool)
            if keep.shape != (len(self.lines),):
                raise ValueError(f"{len(self.lines)} lines need as many choices, not {keep.size}")
        if not self.separators:
            kept = self.lines
            if keep is not None:
                kept = tuple(line for line, k in zip(self.lines, keep.tolist(), strict=True) if k)
            return "\n".join(kept)
        if keep is None or bool(keep.all()):
            return (
                "".join(part for pair in zip(self.separators, self.lines, strict=False) for part in pair)
                + self.separators[-1]
            )
        join = _join_kept if _KERNEL is None else _KERNEL.join_kept
        return str(join(self.lines, self.separators, keep.tolist()))


def _split_lines(text: str) -> tuple[list[str], list[str]]:
    """Cut a text into its non-blank lines and what stands around them."""
    lines: list[str] = []
    separators: list[str] = []
    end = 0
    for match in _LINE.finditer(text):
        line = match[0]
        if not line.isspace() and line != "\ufeff":
            separators.append(text[end : match.start()])
            lines.append(line)
            end = match.end()
    separators.append(text[end:])
    return lines, separators


def _blank_before(separators: Sequence[str]) -> bytearray:
    """Say before which lines a blank line stands: a byte each, 0 or 1."""
    return bytearray(
        s.replace("\r\n", "\n").replace("\r", "\n").count("\n") > (i > 0)
        for i, s in enumerate(separators[:-1])
    )


def _join_kept(lines: Sequence[str], separators: Sequence[str], keep: Sequence[bool]) -> str:
    """Give the text of the lines to keep, with the longest of the separators where lines are left out."""
    parts: list[str] = []
    gap = separators[0]
    for line, k, after in zip(lines, keep, separators[1:], strict=True):
        if k:
            parts += (gap, line)
            gap = after
        elif parts:
            gap = max(gap, after, key=len)
    parts.append(separators[-1] if parts else "")
    return "".join(parts)


def is_indented(lines: Sequence[str]) -> bool:
    """Say whether a line may begin with white space."""
    if _KERNEL is None:
        return any(line[:1].isspace() for line in lines)
    indented: bool = _KERNEL.is_indented(lines)
    return indented


def n_open_ended(lines: Sequence[str]) -> int:
    """Count the lines that end in white space."""
    if _KERNEL is None:
        return sum(line[-1:].isspace() for line in lines)
    n: int = _KERNEL.n_open_ended(lines)
    return n


def n_characters(lines: Sequence[str]) -> int:
    """Sum the lengths of lines."""
    if _KERNEL is None:
        return sum(map(len, lines))
    total: int = _KERNEL.n_characters(lines)
    return total


def sha256_of_lines(lines: Sequence[str]) -> str:
    """SHA-256 (hex) of lines joined by a newline, lone surrogates included."""
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotator's labels of one document.

    Parameters
    ----------
    doc_id : str
    text_sha256 : str
        Hash of the lines that were labelled (:attr:`Document.text_sha256`).
    annotator : str
    labels : ndarray of int8, shape (n_lines,)
        Class ids.
    guidelines : str
        Version of the guidelines that were followed.
    created_at : str
        ISO 8601 time in UTC.
    seconds : float, optional
        Time the annotator took.
    notes : str
    """

    doc_id: str
    text_sha256: str
    annotator: str
    labels: Labels = field(repr=False)
    guidelines: str = ""
    created_at: str = ""
    seconds: float | None = None
    notes: str = ""


@dataclass(frozen=True, slots=True)
class LabeledLine:
    """A line with its predicted label, the probability of that label (0 to 1), and whether it stays."""

    text: str
    label: Label
    score: float
    kept: bool = True
