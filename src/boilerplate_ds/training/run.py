"""Training runs: labelled pages in, a model with honest figures out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.dataset.gold import gold_of_each
from boilerplate_ds.document import MAIN, Label
from boilerplate_ds.errors import DatasetError, Rejects
from boilerplate_ds.labeling.collection import is_standoff, load_collection
from boilerplate_ds.labeling.hydrate import Corpus
from boilerplate_ds.training.corpora import (
    FOR_TRAINING,
    HTML,
    RESIDUE,
    TEXT,
    Progress,
    TrainingPage,
    labelled_pages,
    read_html,
    wcxb_pages,
)
from boilerplate_ds.training.cross_validation import cross_read
from boilerplate_ds.training.evaluation import Evaluation, Predictions, evaluate_predictions
from boilerplate_ds.training.wcxb import WcxbFigures, evaluate_wcxb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from boilerplate_ds.dataset.gold import GoldDocument, Strategy
    from boilerplate_ds.document import Annotation, Document, Labels
    from boilerplate_ds.labeling.collection import Collection
    from boilerplate_ds.model import LineClassifier
    from boilerplate_ds.model.runtime import Reading


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Gold of several collections, and what could not be used.

    Parameters
    ----------
    gold : dict of str to tuple of GoldDocument
        By name of the collection.
    without_text : tuple of str
        Collections whose texts are not here; ``hydrate`` brings them.
    undecided : tuple of str
        Ids of documents whose annotators disagree.
    rejects : Rejects
    standoff : frozenset of str
        SHA-256 of the lines of the documents of stand-off collections: texts that are not ours to pass on.
    corpora : tuple of Corpus
        Where the pages of the stand-off collections are from.
    annotations : tuple of Annotation
        Everything that gold was settled from.
    """

    gold: dict[str, tuple[GoldDocument, ...]]
    without_text: tuple[str, ...]
    undecided: tuple[str, ...]
    rejects: Rejects = field(repr=False)
    standoff: frozenset[str] = field(default=frozenset(), repr=False)
    corpora: tuple[Corpus, ...] = ()
    annotations: tuple[Annotation, ...] = field(default=(), repr=False)

    @property
    def documents(self) -> list[GoldDocument]:
        """Gold documents of all collections; those without lines have nothing to learn from."""
        return [item for items in self.gold.values() for item in items if item.document.lines]

    @property
    def left_out(self) -> str:
        """What could not be used, in brackets, for an error where nothing is left; empty if nothing was."""
        counts = (
            (len(self.undecided), "undecided, as their annotators differ"),
            (self.rejects.count, "rejected"),
            (len(self.without_text), "collections without texts: run hydrate"),
        )
        named = "; ".join(f"{n:,} {what}" for n, what in counts if n)
        return f" ({named})" if named else ""


def find_collections(*folders: Path) -> list[Path]:
    """Folders with annotations at or below ``folders``, in order of path below each; a folder is given once.

    Raises
    ------
    DatasetError
        If there are none below one of them.
    """
    found: dict[Path, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise DatasetError(f"{folder}: no such folder; labels are read from a folder of collections")
        below = sorted({path.parent for path in folder.rglob("annotations") if path.is_dir()})
        if not below:
            raise DatasetError(f"{folder}: holds no collection (a folder with annotations/*.jsonl)")
        for path in below:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def read_labels(folders: Sequence[Path], strategy: Strategy = "majority") -> LabelledSet:
    """Read collections and settle their gold labels by a strategy of :mod:`boilerplate_ds.dataset.gold`.

    A document that is in several (same id and text) is one: it is of the first, and settled from the
    annotations in all of them; of one annotator the last counts.
    """
    rejects = Rejects()
    collections, without_text = _load(folders, rejects)
    annotations = [annotation for collection in collections for annotation in collection.annotations]
    parts = []
    standoff: set[str] = set()
    corpora: list[Corpus] = []
    seen: set[tuple[str, str]] = set()
    for collection in collections:
        hash_of = {document.id: document.text_sha256 for document in collection.documents.values()}
        new = set(hash_of.items()) - seen
        seen |= new
        documents = {i: document for i, document in collection.documents.items() if (i, hash_of[i]) in new}
        parts.append(
            (documents, [given for given in annotations if (given.doc_id, given.text_sha256) in new])
        )
        if is_standoff(collection.folder):
            standoff.update(hash_of.values())
            corpora.append(Corpus.load(collection.folder))
    settled: dict[str, tuple[GoldDocument, ...]] = {}
    undecided: list[str] = []
    for collection, result in zip(collections, gold_of_each(parts, strategy), strict=True):
        settled[collection.name] = settled.get(collection.name, ()) + result.documents
        undecided += [item.document.id for item in result.undecided]
    return LabelledSet(
        settled,
        tuple(without_text),
        tuple(undecided),
        rejects,
        standoff=frozenset(standoff),
        corpora=tuple(corpora),
        annotations=tuple(annotations),
    )


def _load(folders: Sequence[Path], rejects: Rejects) -> tuple[list[Collection], list[str]]:
    """Read the collections that hold documents, and name the others."""
    collections, without_text = [], []
    for folder in folders:
        try:
            collections.append(load_collection(folder, rejects))
        except DatasetError:  # it holds no documents
            without_text.append(str(folder))
    return collections, without_text


def training_pages(
    labels: LabelledSet,
    *,
    wcxb: Path | None = None,
    html: Sequence[Path] = (),
    to_learn: bool = True,
    n_jobs: int = 1,
    rejects: Rejects | None = None,
    progress: Progress | None = None,
) -> list[TrainingPage]:
    """Every view of every page that a model can learn from, or be judged by.

    Parameters
    ----------
    labels : LabelledSet
    wcxb : Path, optional
        WCXB's Parquet file; its pages teach content or not, and its HTML serves labelled pages ``wcxb-<id>``.
    html : sequence of Path
        Parquet files (``id``, ``html``) with the HTML of labelled pages.
    to_learn : bool
        Whether views that are only learned from are wanted: what extractors leave takes most of the time.
    n_jobs : int
        Processes.
    rejects : Rejects, optional
    progress : callable, optional

    Raises
    ------
    DatasetError
        If no page has any text, or no labelled page its HTML in ``html``.
    """
    given = {key: value for path in html for key, value in read_html(path).items()}
    sources: dict[str, Any] = dict(given)
    reviewed: list[TrainingPage] = []
    options: dict[str, Any] = {
        "to_learn": to_learn,
        "n_jobs": n_jobs,
        "rejects": rejects,
        "progress": progress,
    }
    if wcxb is not None:
        sources |= {f"wcxb-{key}": value for key, value in read_html(wcxb).items()}
        reviewed = list(wcxb_pages(wcxb, **options))
    read: dict[str, list[tuple[str, Document]]] = {}
    for page in reviewed:
        read.setdefault(page.document.id, []).append((page.view, page.document))
    sources |= read
    pages = [
        page
        for name, items in labels.gold.items()
        for page in labelled_pages(items, name, sources, **options)
    ]
    if html and not any(page.view == HTML and page.document.id in given for page in pages):
        files = ", ".join(map(str, html))
        raise DatasetError(f"{files}: HTML of no labelled page; ids must be those of the documents")
    pages += reviewed
    if not any(page.document.lines for page in pages):
        raise DatasetError(f"no labelled page to learn from or to measure on{labels.left_out}")
    return pages


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Figures of cross-validation by site.

    Parameters
    ----------
    four_class : dict of str to Evaluation
        By origin and view, such as ``lines-dev, from HTML``.
    wcxb : dict of str to WcxbFigures
        By view.
    """

    four_class: dict[str, Evaluation]
    wcxb: dict[str, WcxbFigures]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            "four_class": {name: figures.as_json() for name, figures in self.four_class.items()},
            "wcxb": {name: figures.as_json() for name, figures in self.wcxb.items()},
        }


def html_coverage(pages: Sequence[TrainingPage]) -> tuple[int, int]:
    """Count the labelled pages that are there as HTML, and all labelled pages, WCXB's own aside."""
    keys = [(page.origin, page.document.id, page.view) for page in pages if page.origin != "wcxb"]
    with_html = {key[:2] for key in keys if key[2] == HTML}
    return len(with_html), len({key[:2] for key in keys})


def missing_labels(labels: Iterable[Labels]) -> list[Label]:
    """Give the labels that no line of some pages has, so that none can be learned from them."""
    given = {int(label) for of_page in labels for label in np.unique(of_page)}
    if MAIN in given:
        given.add(Label.CONTENT.id)
    return [label for label in Label if label.id not in given]


def train(
    classifier: LineClassifier, pages: Sequence[TrainingPage], progress: Progress | None = None
) -> LineClassifier:
    """Fit ``classifier`` to pages."""
    return classifier.fit([p.document for p in pages], [p.labels for p in pages], progress=progress)


def cross_validate_pages(
    classifier: LineClassifier,
    pages: Sequence[TrainingPage],
    *,
    n_folds: int = 5,
    progress: Progress | None = None,
) -> CrossValidation:
    """Judge all pages by models that were trained on other sites."""
    readings = cross_read(
        classifier, [p.document for p in pages], [p.labels for p in pages], n_folds=n_folds, progress=progress
    )
    return figures_of(pages, readings)


def figures_of(pages: Sequence[TrainingPage], readings: Sequence[Reading]) -> CrossValidation:
    """Measure what a model says of pages by origin and view."""
    probabilities = [reading.labels for reading in readings]
    indices: dict[tuple[str, str], list[int]] = {}
    for index, page in enumerate(pages):
        if page.view in FOR_TRAINING:
            continue
        indices.setdefault((page.origin, page.view), []).append(index)
    four_class: dict[str, Evaluation] = {}
    wcxb: dict[str, WcxbFigures] = {}
    for (origin, view), chosen in indices.items():
        some = [pages[i] for i in chosen]
        if origin == "wcxb":
            texts = [page.document.select(readings[i].chosen()) for i, page in zip(chosen, some, strict=True)]
            wcxb[view] = evaluate_wcxb(some, texts)
        else:
            four_class[f"{origin}, {view}"] = evaluate_predictions(_predictions(pages, probabilities, chosen))
    for origin in [origin for origin, view in indices if view == HTML and origin != "wcxb"]:
        four_class |= _by_input(origin, indices, pages, probabilities)
    return CrossValidation(four_class, wcxb)


def _by_input(
    origin: str,
    indices: dict[tuple[str, str], list[int]],
    pages: Sequence[TrainingPage],
    probabilities: Sequence[NDArray[np.float32]],
) -> dict[str, Evaluation]:
    """Each labelled page once: from its HTML where there is HTML, and from its labelled text alone."""
    html = indices[origin, HTML]
    with_html = {pages[i].document.id for i in html}
    text = [i for view in (TEXT, RESIDUE) for i in indices.get((origin, view), ())]
    labelled = [i for i in text if pages[i].view == TEXT or pages[i].document.id not in with_html]
    rest = [i for i in labelled if pages[i].document.id not in with_html]
    return {
        f"{origin}, from HTML where there is HTML": evaluate_predictions(
            _predictions(pages, probabilities, html + rest)
        ),
        f"{origin}, from text alone": evaluate_predictions(_predictions(pages, probabilities, labelled)),
    }


def _predictions(
    pages: Sequence[TrainingPage], probabilities: Sequence[NDArray[np.float32]], chosen: Sequence[int]
) -> Predictions:
    return Predictions(
        [pages[i].document for i in chosen],
        [pages[i].labels for i in chosen],
        [probabilities[i] for i in chosen],
    )
