"""Gold labels: from the annotations of a document to the one labelling that counts.

An annotator named ``adjudicated`` overrules all others: its labels are a decision made after seeing theirs.
A line on which all annotators agree keeps that label. What settles the others is the strategy:

- ``majority``: more than half of the annotators;
- ``agreed``: nothing, all must agree;
- ``weighted``: the label more probable than all others together, each annotator weighed by the errors that
  :func:`~boilerplate_ds.dataset.dawid_skene.dawid_skene` finds;
- ``decided``: the adjudicator alone, even where all agree.

A line that stays open (under ``majority`` always so when two disagree) leaves its document *undecided*:
reported and not part of gold, because a coin toss would put noise into the set that everything is measured
on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from boilerplate_ds.dataset.dawid_skene import dawid_skene
from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.errors import LabelError
from boilerplate_ds.labeling.collection import misfit
from boilerplate_ds.labeling.store import ADJUDICATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Annotation, Document, Labels

Strategy = Literal["majority", "agreed", "weighted", "decided"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
Decided = Literal["single", "agreed", "majority", "weighted", "adjudicated"]
_ROUNDING = 1e-9
"""So that annotators of equal weight who differ are a tie on every machine."""


@dataclass(frozen=True, slots=True)
class GoldDocument:
    """A document with its gold labels.

    Parameters
    ----------
    document : Document
    labels : ndarray of int8, shape (n_lines,)
        Class ids.
    annotators : tuple of str
        Who labelled it, in order of name, the adjudicator included.
    agreement : float
        The share of lines on which all annotators but the adjudicator agree, 0 to 1; 1 for a single one.
    decided : {"single", "agreed", "majority", "weighted", "adjudicated"}
        How the labels came about.
    scores : ndarray of float32, shape (n_lines,), optional
        The share of the annotators (the adjudicator aside) that gave each line its gold label, 0 to 1, or of
        a document decided as "weighted" the probability of that label; None where there was one annotator.
    """

    document: Document
    labels: Labels = field(repr=False)
    annotators: tuple[str, ...]
    agreement: float
    decided: Decided
    scores: NDArray[np.float32] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Undecided:
    """A document with lines that the strategy does not settle.

    Parameters
    ----------
    document : Document
    lines : ndarray of int64
        Index of each line to settle.
    annotators : tuple of str
    agreement : float
        As in :class:`GoldDocument`.
    """

    document: Document
    lines: NDArray[np.int64] = field(repr=False)
    annotators: tuple[str, ...]
    agreement: float


@dataclass(frozen=True, slots=True)
class Gold:
    """Every document, in one of three heaps.

    Parameters
    ----------
    documents : tuple of GoldDocument
    undecided : tuple of Undecided
        For adjudication.
    unlabeled : tuple of str
        Ids of documents that nobody has labelled.
    """

    documents: tuple[GoldDocument, ...]
    undecided: tuple[Undecided, ...]
    unlabeled: tuple[str, ...]


def gold(
    documents: Mapping[str, Document], annotations: Iterable[Annotation], strategy: Strategy = "majority"
) -> Gold:
    """Settle the labels of each document.

    Parameters
    ----------
    documents : mapping of str to Document
        By id; the result keeps this order.
    annotations : iterable of Annotation
        Of several by one annotator for one document, the last counts.
    strategy : {"majority", "agreed", "weighted", "decided"}
        What settles a line on which annotators differ.

    Raises
    ------
    LabelError
        If an annotation does not fit its document (``load_collection`` sorts those out).
    """
    return gold_of_each([(documents, annotations)], strategy)[0]


def gold_of_each(
    collections: Sequence[tuple[Mapping[str, Document], Iterable[Annotation]]],
    strategy: Strategy = "majority",
) -> list[Gold]:
    """Settle several collections as :func:`gold` does one; annotators are weighed over all together."""
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy {strategy!r} is none of {', '.join(STRATEGIES)}")
    given = [_by_document(documents, annotations) for documents, annotations in collections]
    everything = {(n, i): labels for n, by_document in enumerate(given) for i, labels in by_document.items()}
    posteriors = _posteriors(everything) if strategy == "weighted" else {}
    found = []
    for number, (documents, _) in enumerate(collections):
        by_document = given[number]
        settled = [
            settle(documents[i], by_document[i], strategy, posteriors.get((number, i)))
            for i in documents
            if i in by_document
        ]
        found.append(
            Gold(
                documents=tuple(item for item in settled if isinstance(item, GoldDocument)),
                undecided=tuple(item for item in settled if isinstance(item, Undecided)),
                unlabeled=tuple(i for i in documents if i not in by_document),
            )
        )
    return found


def _by_document(
    documents: Mapping[str, Document], annotations: Iterable[Annotation]
) -> dict[str, dict[str, Labels]]:
    by_document: dict[str, dict[str, Labels]] = {}
    for annotation in annotations:
        reason = misfit(annotation, documents.get(annotation.doc_id))
        if reason:
            raise LabelError(f"{annotation.annotator}: {reason}")
        by_document.setdefault(annotation.doc_id, {})[annotation.annotator] = annotation.labels
    return by_document


def settle(
    document: Document,
    labels_by_annotator: Mapping[str, Labels],
    strategy: Strategy = "majority",
    posterior: NDArray[np.float64] | None = None,
) -> GoldDocument | Undecided:
    """Settle the labels of one document from those of one or more annotators.

    Parameters
    ----------
    document : Document
    labels_by_annotator : mapping of str to ndarray of int8, each (n_lines,)
    strategy : {"majority", "agreed", "weighted", "decided"}
    posterior : ndarray of float64, shape (n_lines, 4), optional
        Probability of each label, which ``weighted`` needs.
    """
    annotators = tuple(sorted(labels_by_annotator))
    independent = [labels_by_annotator[name] for name in annotators if name != ADJUDICATOR]
    if not independent:
        return GoldDocument(document, labels_by_annotator[ADJUDICATOR], annotators, 1.0, "adjudicated")
    votes = count_votes(independent)
    same = votes.max(axis=0) == len(independent)
    agreement = float(np.mean(same)) if same.size else 1.0
    if ADJUDICATOR in labels_by_annotator:
        labels = labels_by_annotator[ADJUDICATOR]
        scores = vote_shares(votes, labels)
        return GoldDocument(document, labels, annotators, agreement, "adjudicated", scores)
    labels, is_open = _settle_lines(votes, same, strategy, posterior)
    if is_open.any() or strategy == "decided":
        return Undecided(document, np.flatnonzero(is_open), annotators, agreement)
    decided: Decided = "majority" if strategy == "majority" else "weighted"
    if same.all():
        decided = "single" if len(independent) == 1 else "agreed"
    scores = vote_shares(votes, labels)
    if scores is not None and decided == "weighted" and posterior is not None:
        scores = posterior[np.arange(len(labels)), labels].astype(np.float32)
    return GoldDocument(document, labels, annotators, agreement, decided, scores)


def vote_shares(votes: NDArray[np.int64], labels: Labels) -> NDArray[np.float32] | None:
    """Share of the votes that each line's label has; None where there is one vote a line."""
    if not labels.size or votes[:, 0].sum() < 2:
        return None
    given = votes[labels, np.arange(len(labels))]
    return np.asarray(given / votes.sum(axis=0), dtype=np.float32)


def _settle_lines(
    votes: NDArray[np.int64],
    same: NDArray[np.bool_],
    strategy: Strategy,
    posterior: NDArray[np.float64] | None,
) -> tuple[Labels, NDArray[np.bool_]]:
    """Label of each line, and whether it stays open."""
    labels = votes.argmax(axis=0).astype(np.int8)
    if strategy == "agreed":
        return labels, ~same
    if strategy == "decided":
        return labels, np.ones(len(labels), dtype=bool)
    if strategy == "weighted":
        if posterior is None:
            raise ValueError("the strategy 'weighted' needs the probabilities of the labels")
        likely = posterior.argmax(axis=1).astype(np.int8)
        return np.where(same, labels, likely), ~same & (posterior.max(axis=1, initial=0) <= 0.5 + _ROUNDING)
    return labels, votes.max(axis=0) * 2 <= votes.sum(axis=0)


def _posteriors(
    by_document: Mapping[tuple[int, str], Mapping[str, Labels]],
) -> dict[tuple[int, str], NDArray[np.float64]]:
    """Weigh the annotators over all documents together; the adjudicator is no independent one."""
    annotators = sorted({name for given in by_document.values() for name in given} - {ADJUDICATOR})
    sizes = [len(next(iter(given.values()))) for given in by_document.values()]
    rows = [
        np.concatenate(
            [
                given[name] if name in given else np.full(size, -1, dtype=np.int8)
                for given, size in zip(by_document.values(), sizes, strict=True)
            ]
        )
        for name in annotators
    ]
    if not rows:
        return {}
    posterior = dawid_skene(np.stack(rows)).posterior
    return dict(zip(by_document, np.split(posterior, np.cumsum(sizes)[:-1]), strict=True))


def count_votes(labels: Iterable[Labels]) -> NDArray[np.int64]:
    """Count how many labellings give each line each class; shape (n_classes, n_lines)."""
    stacked = np.stack(list(labels))
    return np.stack([(stacked == label).sum(axis=0) for label in range(len(LABEL_NAMES))])
