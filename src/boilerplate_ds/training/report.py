"""The evaluation report: a page for people, JSON for programs, a table for the terminal.

The page is one file that runs no script and loads nothing; the same figures give the same bytes.
"""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from rich.table import Table
from rich.text import Text

from boilerplate_ds.document import Document, Label
from boilerplate_ds.invisible import show_invisible
from boilerplate_ds.training.evaluation import (
    N_BINS,
    Evaluation,
    Predictions,
    Reliability,
    evaluate_predictions,
    figure,
    interval,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

N_MISTAKES = 20
N_CONTEXT = 2
"""Lines shown before and after a mistake."""
N_GROUPS = 30
"""Rows of a breakdown; the smaller groups share one more row."""

_GROUP_OF: dict[str, Callable[[Document], Any]] = {
    "Page type": lambda document: document.metadata.get("page_type"),
    "Language": lambda document: document.language,
    "Variant": lambda document: document.metadata.get("variant"),
}


@dataclass(frozen=True, slots=True)
class ReportSection:
    """One labelled set in a report: what it is, the figures, and the predictions they were made from."""

    title: str
    note: str
    evaluation: Evaluation
    predictions: Predictions = field(repr=False)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Figures of groups of documents, the largest group first; a group without a name has none given."""

    name: str
    groups: list[tuple[str, Evaluation]]


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line with its number, counted from 1, and its labels; ``gold`` is None where it is not known."""

    number: int
    text: str
    gold: Label | None
    predicted: Label


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrongly labelled line, the probability of its wrong label (0 to 1), and the lines around it."""

    document: Document
    line: ShownLine
    probability: float
    context: list[ShownLine]


def write_report(
    folder: Path, title: str, sections: Sequence[ReportSection], facts: Mapping[str, str]
) -> Path:
    """Write ``index.html`` and ``evaluation.json``.

    Parameters
    ----------
    folder : Path
        Made if it is missing; files of an earlier report are replaced.
    title : str
    sections : sequence of ReportSection
    facts : mapping of str to str
        What the figures are about, shown at the top: number of documents, languages, ...

    Returns
    -------
    Path
        The page.
    """
    views = [
        {
            "section": section,
            "breakdowns": breakdowns(section.predictions),
            "mistakes": most_confident_mistakes(section.predictions),
        }
        for section in sections
    ]
    page = _environment().get_template("report.html").render(title=title, facts=facts, views=views)
    figures = {
        "title": title,
        "facts": dict(facts),
        "sections": [{"title": s.title, "note": s.note, **s.evaluation.as_json()} for s in sections],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_bytes(json.dumps(figures, indent=2).encode() + b"\n")
    path = folder / "index.html"
    path.write_bytes(page.encode())
    return path


def evaluation_table(evaluation: Evaluation, title: str) -> Table:
    """Lay the figures out for a terminal."""
    table = Table(
        title=Text(title),
        caption=f"{evaluation.n_documents:,} documents from {evaluation.n_sites:,} sites, "
        f"calibration error {evaluation.reliability.error:.3f}",
    )
    table.add_column("")
    for name in ("precision", "recall", "F1", "95% interval", "lines"):
        table.add_column(name, justify="right")
    for name, c in evaluation.per_class.items():
        table.add_row(name, *map(figure, (c.precision, c.recall, c.f1)), "", f"{c.support:,}")
    table.add_section()
    for name, key, value in (
        ("macro F1", "macro_f1", evaluation.macro_f1),
        ("content F1 by characters", "content_f1", evaluation.content_f1),
        ("accuracy", "accuracy", evaluation.accuracy),
    ):
        shown = interval(evaluation.intervals.get(key))
        table.add_row(name, "", "", figure(value), shown, f"{evaluation.n_lines:,}")
    return table


def breakdowns(predictions: Predictions) -> list[Breakdown]:
    """Measure the documents by page type, language and variant, where any document names one."""
    found = []
    for name, group_of in _GROUP_OF.items():
        groups = [str(group_of(document) or "") for document in predictions.documents]
        if any(groups):
            found.append(Breakdown(name, _by_group(predictions, groups)))
    return found


def most_confident_mistakes(predictions: Predictions, limit: int = N_MISTAKES) -> list[Mistake]:
    """Find the wrong labels of highest probability, in falling order; equal ones as the documents come."""
    mistakes = heapq.nlargest(limit, _mistakes(predictions), key=lambda found: found[0])
    return [_in_context(predictions, document, line) for _, document, line in mistakes]


def _by_group(predictions: Predictions, groups: Sequence[str]) -> list[tuple[str, Evaluation]]:
    members = defaultdict[str, list[int]](list)
    for i, group in enumerate(groups):
        members[group].append(i)
    n_lines = {group: sum(len(predictions.labels[i]) for i in chosen) for group, chosen in members.items()}
    largest = sorted(members, key=lambda group: (-n_lines[group], group))
    shown = [(group, members[group]) for group in largest[:N_GROUPS]]
    if rest := largest[N_GROUPS:]:
        shown.append((f"{len(rest):,} others", [i for group in rest for i in members[group]]))
    return [(name, evaluate_predictions(_select(predictions, i), n_bootstrap=0)) for name, i in shown]


def _select(predictions: Predictions, chosen: Sequence[int]) -> Predictions:
    return Predictions(
        [predictions.documents[i] for i in chosen],
        [predictions.labels[i] for i in chosen],
        [predictions.probabilities[i] for i in chosen],
    )


def _mistakes(predictions: Predictions) -> Iterator[tuple[float, int, int]]:
    """Probability of the wrong label, index of the document, index of the line."""
    for document, (gold, p) in enumerate(zip(predictions.labels, predictions.probabilities, strict=True)):
        predicted = p.argmax(axis=1)
        for line in ((gold >= 0) & (gold != predicted)).nonzero()[0].tolist():
            yield float(p[line, predicted[line]]), document, line


def _in_context(predictions: Predictions, document: int, line: int) -> Mistake:
    page = predictions.documents[document]
    first = max(line - N_CONTEXT, 0)
    around = slice(first, line + N_CONTEXT + 1)
    gold, p = predictions.labels[document][around], predictions.probabilities[document][around]
    context = [
        ShownLine(number, text, Label.parse(int(g)) if g >= 0 else None, Label.parse(int(predicted)))
        for number, text, g, predicted in zip(
            range(first + 1, len(page.lines) + 1), page.lines[around], gold, p.argmax(axis=1), strict=False
        )
    ]
    return Mistake(page, context[line - first], float(p[line - first].max()), context)


def _environment() -> Environment:
    """Templates that escape every string and show what is invisible in it, wherever it is printed."""
    environment = Environment(
        loader=PackageLoader("boilerplate_ds.training"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_show_invisible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        figure=figure, count="{:,}".format, percent="{:.1%}".format, short_count=_short_count
    )
    environment.globals.update(labels=tuple(Label), n_bins=N_BINS, bins=_bins)
    return environment


def _show_invisible(value: Any) -> Any:
    """Name control characters, bidi controls and lone surrogates; what a macro gives has had it done."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return show_invisible(value)


def _bins(reliability: Reliability) -> list[tuple[int, float, float, int]]:
    """Index, mean probability, observed share and line count of each filled bin."""
    index = np.minimum((reliability.predicted * N_BINS).astype(np.int64), N_BINS - 1)
    columns = (index, reliability.predicted, reliability.observed, reliability.count)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _short_count(n: int) -> str:
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if n >= size:
            return f"{n / size:.{0 if n >= 10 * size else 1}f}{unit}"
    return str(n)
