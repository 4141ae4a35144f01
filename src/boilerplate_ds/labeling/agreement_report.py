"""The agreement report: a table for the terminal, and a page with the disagreements in their context.

The page is one file that runs no script and loads nothing; what annotators and pages wrote is escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from rich.table import Table
from rich.text import Text

from boilerplate_ds.document import LABEL_NAMES, Label
from boilerplate_ds.invisible import show_invisible
from boilerplate_ds.labeling.agreement import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document
    from boilerplate_ds.labeling.agreement import Agreement, Estimate, PairAgreement, Ratings

N_CONTEXT = 2
"""Lines shown before and after a line on which annotators differ."""
N_PASSAGES = 300
N_CONFUSIONS = 3
"""Pairs whose confusion a terminal shows; the page and the JSON have all."""
N_GROUPS = 15
"""Sites and documents shown, those that differ most."""


@dataclass(frozen=True, slots=True)
class RatedLine:
    """A line with its number, from 1, and the label each annotator of its document gave it."""

    number: int
    text: str
    labels: tuple[Label, ...]

    @property
    def differs(self) -> bool:
        """Whether not all of them agree."""
        return len(set(self.labels)) > 1


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines on which annotators differ, close to each other, with the lines around them.

    Parameters
    ----------
    doc_id, site : str
    annotators : tuple of str
        Who labelled the document, in the order of each line's labels.
    lines : tuple of RatedLine
    """

    doc_id: str
    site: str
    annotators: tuple[str, ...]
    lines: tuple[RatedLine, ...]


def find_passages(ratings: Ratings, documents: Mapping[tuple[str, str], Document]) -> Iterator[Passage]:
    """Yield the passages on which annotators differ, documents with the largest share of such lines first.

    Parameters
    ----------
    ratings : Ratings
    documents : mapping of (str, str) to Document
        By id and text hash; documents that are not there are passed over.
    """
    differs = (ratings.counts > 0).sum(axis=1) > 1
    starts = np.searchsorted(ratings.document, np.arange(len(ratings.doc_ids) + 1))
    shares = np.add.reduceat(differs, starts[:-1]) / np.diff(starts)
    for index in np.argsort(-shares, kind="stable").tolist():
        document = documents.get((ratings.doc_ids[index], ratings.texts[index]))
        rows = slice(starts[index], starts[index + 1])
        if document is None or len(document.lines) != rows.stop - rows.start:
            continue
        given = [i for i, labels in enumerate(ratings.labels[:, rows]) if labels[0] != MISSING]
        names = tuple(ratings.annotators[i] for i in given)
        for first, last in _spans(np.flatnonzero(differs[rows]), len(document.lines)):
            lines = tuple(
                RatedLine(
                    line + 1,
                    document.lines[line],
                    tuple(Label.parse(int(label)) for label in ratings.labels[given, rows.start + line]),
                )
                for line in range(first, last)
            )
            yield Passage(document.id, ratings.sites[index], names, lines)


def _spans(lines: NDArray[np.int64], n_lines: int) -> Iterator[tuple[int, int]]:
    """Ranges of lines around ``lines``; ranges that touch are one."""
    if not len(lines):
        return
    for group in np.split(lines, np.flatnonzero(np.diff(lines) > 2 * N_CONTEXT) + 1):
        yield max(int(group[0]) - N_CONTEXT, 0), min(int(group[-1]) + N_CONTEXT + 1, n_lines)


def agreement_page(
    agreement: Agreement, ratings: Ratings, documents: Mapping[tuple[str, str], Document]
) -> str:
    """Write the page."""
    passages = list(find_passages(ratings, documents))
    return (
        _environment()
        .get_template("agreement.html")
        .render(
            agreement=agreement,
            passages=passages[:N_PASSAGES],
            omitted=len(passages[N_PASSAGES:]),
            n_groups=N_GROUPS,
            groups=(("site", agreement.sites[:N_GROUPS]), ("document", agreement.documents[:N_GROUPS])),
        )
    )


def agreement_tables(agreement: Agreement) -> Iterator[Table]:
    """Lay the figures out for a terminal: agreement, the confusion of each pair, documents."""
    yield _figures_table(agreement)
    for pair in agreement.pairs[:N_CONFUSIONS]:
        yield _confusion_table(pair)
    yield _documents_table(agreement)


def _figures_table(agreement: Agreement) -> Table:
    table = Table(
        title="Agreement",
        caption=f"{agreement.n_documents:,} documents; annotators differ on {agreement.differing:,} lines",
    )
    table.add_column("")
    for name in ("agreement", "95% interval", "same label", "lines"):
        table.add_column(name, justify="right")
    share, n_lines = f"{agreement.share.value:.1%}", f"{agreement.n_lines:,}"
    table.add_row("Krippendorff's α, all", *_cells(agreement.alpha), share, n_lines)
    for name, figure in agreement.per_label.items():
        table.add_row(f"  {name}", *_cells(figure))
    if agreement.fleiss is not None:
        table.add_row("Fleiss' κ, all", _figure(agreement.fleiss))
    table.add_section()
    for pair in agreement.pairs:
        both = _plain(f"Cohen's κ, {' and '.join(pair.annotators)}")
        table.add_row(both, *_cells(pair.kappa), f"{pair.share.value:.1%}", f"{pair.n_lines:,}")
    return table


def _confusion_table(pair: PairAgreement) -> Table:
    first, second = pair.annotators
    table = Table(title=_plain(f"{first} (rows) and {second} (columns)"))
    table.add_column("")
    for name in LABEL_NAMES:
        table.add_column(name, justify="right")
    for name, row in zip(LABEL_NAMES, pair.confusion.tolist(), strict=True):
        table.add_row(name, *(f"{n:,}" for n in row))
    return table


def _documents_table(agreement: Agreement) -> Table:
    table = Table("document", "site", title="Documents that differ most")
    for name in ("lines", "differing", "α"):
        table.add_column(name, justify="right")
    for group in agreement.documents[:10]:
        if group.differing:
            table.add_row(
                _plain(group.name),
                _plain(group.site),
                f"{group.n_lines:,}",
                f"{group.differing:,}",
                _figure(group.alpha),
            )
    return table


def _plain(text: str) -> Text:
    return Text(show_invisible(text))


def _figure(value: float) -> str:
    return "–" if isnan(value) else f"{value:.3f}"


def _cells(figure: Estimate) -> tuple[str, str]:
    known = not isnan(figure.low)
    return _figure(figure.value), f"{figure.low:.3f}–{figure.high:.3f}" if known else ""


def _environment() -> Environment:
    """Templates that escape every string and show what is invisible in it."""
    environment = Environment(
        loader=PackageLoader("boilerplate_ds.labeling"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_show_invisible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(figure=_figure, count="{:,}".format, percent="{:.1%}".format)
    environment.tests["known"] = lambda value: not isnan(value)
    environment.globals["labels"] = tuple(Label)
    return environment


def _show_invisible(value: Any) -> Any:
    """Name control characters, bidi controls and lone surrogates; what a macro gives has had it done."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return show_invisible(value)
