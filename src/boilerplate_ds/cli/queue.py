"""What to label or look at next: ``queue``, ``review``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from boilerplate_ds.cli.console import (
    FiniteRange,
    end,
    epochs_option,
    folder,
    jobs_option,
    json_option,
    labelled,
    model_option,
    output,
    progress_bars,
    told,
)
from boilerplate_ds.dataset.splits import group_of
from boilerplate_ds.errors import BoilerplateError, Rejects
from boilerplate_ds.invisible import show_invisible
from boilerplate_ds.labeling import ordering
from boilerplate_ds.labeling.queue import QueueItem, encode_queue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document
    from boilerplate_ds.labeling.collection import Collection
    from boilerplate_ds.labeling.ordering import Scores

MAX_LINES = 50
"""Lines of a page that a queue names as the ones to look at first."""
DOUBTFUL = 0.5
"""Entropy or margin score above which a line is named."""
BATCH = 64
"""Pages given to the model between two steps of the progress bar."""
SHOWN = 10

queue_out_option = click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Queue file to write."
)


@dataclass(frozen=True, slots=True)
class _Pages:
    """The pages to choose from, how many to choose, and how to doubt them."""

    collection: Collection
    unlabelled: list[Document]
    size: int
    seed: int
    model: str
    rejects: Rejects
    tell: Callable[[str, float], None] = field(repr=False)

    def probabilities(self) -> list[NDArray[np.float32]]:
        """Ask the model about each page."""
        from boilerplate_ds.cleaning import Cleaner

        model = Cleaner(self.model).model
        found: list[NDArray[np.float32]] = []
        while len(found) < len(self.unlabelled):
            found += model.probabilities(self.unlabelled[len(found) : len(found) + BATCH])
            self.tell("Asking the model", len(found) / len(self.unlabelled))
        return found

    def sources(self) -> list[dict[str, NDArray[np.int8]]]:
        """Suggested labels of each page by source; the model joins if no model has suggested any."""
        from boilerplate_ds.labeling.suggestions import read_suggestions

        stored = read_suggestions(self.collection.folder, self.rejects)
        found = [
            {
                name: suggestion.labels
                for name, suggestion in stored.get(page.id, {}).items()
                if suggestion.text_sha256 == page.text_sha256 and len(suggestion.labels) == len(page.lines)
            }
            for page in self.unlabelled
        ]
        if not any(name.startswith("model-") for page in found for name in page):
            name = f"model-{Path(self.model).name}"
            for page, p in zip(found, self.probabilities(), strict=True):
                page[name] = p.argmax(axis=1).astype(np.int8)
        if all(len(page) < 2 for page in found):
            raise BoilerplateError(
                f"{self.collection.folder}: disagreement needs suggestions of two sources for a page, "
                "such as rules and a model; there are none"
            )
        return found


def _random(pages: _Pages) -> list[QueueItem]:
    order = ordering.random_order(len(pages.unlabelled), pages.size, pages.seed)
    return [QueueItem(pages.unlabelled[i].id, "random") for i in order.tolist()]


def _site(pages: _Pages) -> list[QueueItem]:
    documents = pages.collection.documents
    done = {annotation.doc_id for annotation in pages.collection.annotations}
    order = ordering.spread_over_sites(
        [group_of(page) for page in pages.unlabelled],
        pages.size,
        pages.seed,
        labelled=[group_of(documents[doc_id]) for doc_id in sorted(done)],
    )
    return [
        QueueItem(pages.unlabelled[i].id, f"spread over sites: {group_of(pages.unlabelled[i])}")
        for i in order.tolist()
    ]


def _diversity(pages: _Pages) -> list[QueueItem]:
    pages.tell("Comparing pages", 0)
    vectors = ordering.document_vectors([page.text for page in pages.unlabelled], pages.seed)
    order = ordering.diverse(vectors, pages.size, pages.seed)
    pages.tell("Comparing pages", 1)
    return [QueueItem(pages.unlabelled[i].id, "stands for pages like it") for i in order.tolist()]


def _entropy(pages: _Pages) -> list[QueueItem]:
    lines = [ordering.line_entropy(p) for p in pages.probabilities()]
    return _doubted(pages, lines, DOUBTFUL, "the model is unsure of")


def _margin(pages: _Pages) -> list[QueueItem]:
    lines = [ordering.line_margin(p) for p in pages.probabilities()]
    return _doubted(pages, lines, DOUBTFUL, "the model wavers on")


def _disagreement(pages: _Pages) -> list[QueueItem]:
    sources = pages.sources()
    lines = [
        ordering.line_disagreement(np.stack(list(by_source.values()))) if by_source else np.zeros(0)
        for by_source in sources
    ]
    names = ", ".join(sorted({name for by_source in sources for name in by_source}))
    return _doubted(pages, lines, 0, f"{names} differ on")


def _mix(pages: _Pages) -> list[QueueItem]:
    diverse, doubted = _diversity(pages), _margin(pages)
    by_id = {item.doc_id: item for item in (*diverse, *doubted)}
    orders = [[item.doc_id for item in items] for items in (diverse, doubted)]
    return [by_id[doc_id] for doc_id in ordering.interleave(orders, pages.size)]


STRATEGIES: dict[str, Callable[[_Pages], list[QueueItem]]] = {
    "mix": _mix,
    "random": _random,
    "site": _site,
    "entropy": _entropy,
    "margin": _margin,
    "disagreement": _disagreement,
    "diversity": _diversity,
}


def _doubted(pages: _Pages, lines: Sequence[Scores], above: float, why: str) -> list[QueueItem]:
    scores = ordering.page_scores(lines)
    items = []
    for i in ordering.highest_first(scores, pages.size).tolist():
        named = ordering.doubtful_lines(lines[i], MAX_LINES, above)
        count = int((lines[i] > above).sum())
        reason = f"{why} {count:,} of {len(pages.unlabelled[i].lines):,} lines"
        items.append(QueueItem(pages.unlabelled[i].id, reason, round(float(scores[i]), 6), named))
    return items


@click.command()
@click.argument("collection", type=folder)
@queue_out_option
@click.option(
    "--strategy", type=click.Choice(list(STRATEGIES)), default="mix", show_default=True, help="See above."
)
@click.option("--size", type=click.IntRange(1), default=100, show_default=True, help="Pages to choose.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="The same seed gives the same order.",
)
@model_option
@json_option
def queue(
    *, collection: Path, out: Path, strategy: str, size: int, seed: int, model: str, as_json: bool
) -> None:
    """Choose the pages of a collection to label next, among those that nobody has labelled.

    \b
    mix           half diversity, half margin, in turn
    random        by chance
    site          equally many of each site, those with labels counted
    entropy       pages on whose lines the model is least sure
    margin        pages on whose lines its two best labels are closest
    disagreement  pages on which suggestions (model, rules, LLM) differ most
    diversity     one page for each kind of page (k-means)

    The same seed chooses the same pages.

    \b
    Example:
      boilerplate-ds queue labels/mine -o next.jsonl --strategy margin --size 50
      boilerplate-ds label labels/mine --queue next.jsonl
    """
    from boilerplate_ds.labeling.collection import load_collection

    rejects = told(Rejects())
    loaded = load_collection(collection, rejects)
    done = {annotation.doc_id for annotation in loaded.annotations}
    unlabelled = [page for page in loaded.documents.values() if page.lines and page.id not in done]
    if not unlabelled:
        raise BoilerplateError(f"{collection}: all {len(loaded.documents):,} documents are labelled")
    with output(out) as write:
        with progress_bars() as tell:
            pages = _Pages(loaded, unlabelled, min(size, len(unlabelled)), seed, model, rejects, tell)
            items = STRATEGIES[strategy](pages)
        write(encode_queue(items))
    if as_json:
        figures = {
            "queue": str(out),
            "strategy": strategy,
            "pages": len(items),
            "unlabelled": len(unlabelled),
            "rejected": rejects.count,
        }
        click.echo(json.dumps(figures, indent=2))
    else:
        _print_items(items)
        click.echo(f"queue     {out}: {len(items):,} of {len(unlabelled):,} pages without labels")
    end(rejects)


@click.command()
@click.argument("collection", type=folder)
@queue_out_option
@click.option(
    "--share",
    type=FiniteRange(0, 1),
    default=0.05,
    show_default=True,
    help="Share of all lines to list at most.",
)
@click.option(
    "--folds", type=click.IntRange(2), default=5, show_default=True, help="Folds of cross-validation by site."
)
@epochs_option
@jobs_option
@json_option
def review(
    *,
    collection: Path,
    out: Path,
    share: float,
    folds: int,
    epochs: int | None,
    jobs: int,
    as_json: bool,
) -> None:
    """Find labels that are likely wrong: those that models trained on other sites believe least.

    \b
    Example:
      boilerplate-ds review labels/mine -o review.jsonl
      boilerplate-ds label labels/mine --queue review.jsonl --adjudicate
    """
    from boilerplate_ds.labeling.label_errors import confident_joint, find_suspects, review_queue
    from boilerplate_ds.model import LineClassifier
    from boilerplate_ds.training.cross_validation import cross_validate

    gold = labelled([collection])
    if len(gold.gold) != 1:
        raise BoilerplateError(f"{collection}: holds {len(gold.gold)} collections; review one at a time")
    pages = gold.documents
    labels = [page.labels for page in pages]
    classifier = LineClassifier(epochs=epochs, n_jobs=jobs)
    documents = [page.document for page in pages]
    with output(out) as write:
        with progress_bars() as tell:
            probabilities = cross_validate(classifier, documents, labels, n_folds=folds, progress=tell)
        suspects = find_suspects(labels, probabilities, share)
        items = review_queue(suspects, [document.id for document in documents])
        write(encode_queue(items))
    joint = confident_joint(labels, probabilities)
    n_lines = sum(map(len, labels))
    if as_json:
        figures = {
            "queue": str(out),
            "pages": len(items),
            "lines": len(suspects.line),
            "labelled_lines": n_lines,
            "confident_joint": joint.round(1).tolist(),
            "rejected": gold.rejects.count,
        }
        click.echo(json.dumps(figures, indent=2))
    else:
        _print_items(items)
        click.echo(f"queue     {out}: {len(suspects.line):,} of {n_lines:,} lines, on {len(items):,} pages")
    end(gold.rejects)


def _print_items(items: Sequence[QueueItem]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("page", "why")
    table.add_column("score", justify="right")
    for item in items[:SHOWN]:
        reason = Text(show_invisible(item.reason))
        table.add_row(Text(show_invisible(item.doc_id)), reason, f"{item.score:.3f}" if item.score else "")
    if len(items) > SHOWN:
        table.add_row("…", f"and {len(items) - SHOWN:,} more", "")
    Console().print(table)
