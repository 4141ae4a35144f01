"""Gold labels: from the annotations of a document to the one labelling that counts.

An annotator named ``adjudicated`` overrules all others: its labels are a decision made after seeing theirs.
Otherwise each line takes the label that more than half of the annotators gave it. A line without such a
majority (always so when two disagree) leaves its document *undecided*: reported, and not part of gold,
because a coin toss would put noise into the set that everything is measured on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.errors import LabelError
from boilerplate_ds.labeling.collection import misfit
from boilerplate_ds.labeling.store import ADJUDICATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from boilerplate_ds.document import Annotation, Document, Labels

Strategy = Literal["majority", "unanimous"]
Decided = Literal["single", "agreed", "majority", "adjudicated"]


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
    decided : {"single", "agreed", "majority", "adjudicated"}
        How the labels came about.
    """

    document: Document
    labels: Labels = field(repr=False)
    annotators: tuple[str, ...]
    agreement: float
    decided: Decided


@dataclass(frozen=True, slots=True)
class Undecided:
    """A document whose annotators disagree with no majority.

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
    strategy : {"majority", "unanimous"}
        What settles a line that is not adjudicated: more than half of the annotators, or all of them.

    Raises
    ------
    LabelError
        If an annotation does not fit its document (``load_collection`` sorts those out).
    """
    if strategy not in ("majority", "unanimous"):
        raise ValueError(f"strategy {strategy!r} is neither 'majority' nor 'unanimous'")
    by_document: dict[str, dict[str, Labels]] = {}
    for annotation in annotations:
        reason = misfit(annotation, documents.get(annotation.doc_id))
        if reason:
            raise LabelError(f"{annotation.annotator}: {reason}")
        by_document.setdefault(annotation.doc_id, {})[annotation.annotator] = annotation.labels
    settled = [settle(documents[i], by_document[i], strategy) for i in documents if i in by_document]
    return Gold(
        documents=tuple(item for item in settled if isinstance(item, GoldDocument)),
        undecided=tuple(item for item in settled if isinstance(item, Undecided)),
        unlabeled=tuple(i for i in documents if i not in by_document),
    )


def settle(
    document: Document, labels_by_annotator: Mapping[str, Labels], strategy: Strategy = "majority"
) -> GoldDocument | Undecided:
    """Settle the labels of one document from those of one or more annotators."""
    annotators = tuple(sorted(labels_by_annotator))
    independent = [labels_by_annotator[name] for name in annotators if name != ADJUDICATOR]
    if not independent:
        return GoldDocument(document, labels_by_annotator[ADJUDICATOR], annotators, 1.0, "adjudicated")
    votes = count_votes(independent)
    most = votes.max(axis=0)
    agreement = float(np.mean(most == len(independent))) if most.size else 1.0
    if ADJUDICATOR in labels_by_annotator:
        return GoldDocument(document, labels_by_annotator[ADJUDICATOR], annotators, agreement, "adjudicated")
    needed = len(independent) if strategy == "unanimous" else len(independent) // 2 + 1
    open_lines = np.flatnonzero(most < needed)
    if open_lines.size:
        return Undecided(document, open_lines, annotators, agreement)
    decided: Decided = "single" if len(independent) == 1 else "agreed" if agreement == 1 else "majority"
    return GoldDocument(document, votes.argmax(axis=0).astype(np.int8), annotators, agreement, decided)


def count_votes(labels: Iterable[Labels]) -> NDArray[np.int64]:
    """Count how many labellings give each line each class; shape (n_classes, n_lines)."""
    stacked = np.stack(list(labels))
    return np.stack([(stacked == label).sum(axis=0) for label in range(len(LABEL_NAMES))])
