"""The trained model as arrays: reads documents, gives probabilities, needs numpy alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from boilerplate_ds.compiled import kernel
from boilerplate_ds.document import Document, n_characters
from boilerplate_ds.features import Forest, LineBatch, context_features, markup_tokens, text_tokens
from boilerplate_ds.features.context import READ_OF
from boilerplate_ds.features.layout import as_laid_out
from boilerplate_ds.model.network import N_LABELS, Network, sigmoid, softmax
from boilerplate_ds.model.trees import GROVES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.model.linear import LinearModel
    from boilerplate_ds.model.trees import Trees

NOTHING = np.float32(0.2)
"""Where no line is more likely than this to be main content, a page is taken to have none."""
LABELLED = np.float32(0.5)
"""Of such a page stays what is so likely content by its label: what reads as text is not left out whole."""
BARS = 64
REVIEWERS = slice(2, None, 4)
"""Bars are multiples of 1/64; sixteen reviewers have theirs at 2/64, 6/64 and so on."""
SURELY_NOT, SURELY = np.float32(0.2), np.float32(0.95)
"""P(content) up to the first, and from the second on, leave no doubt."""
CLOSE = np.float32(0.4)
"""Where a label leaves no doubt, no page's bar is higher than this for content, or lower for what is none."""
DOUBT = 2.5
"""Trees are asked about lines whose best answer they would change if theirs were ahead by so much."""
CHUNK_CHARACTERS = 300_000
"""Documents are read together until they reach this size: larger arrays leave the processor's cache."""
PIECE, OVERLAP = 20_000, 200
"""Longer documents are read in pieces of so many lines, with so many lines of context on each side."""
_KERNEL = kernel("boilerplate_ds.model.network_kernel")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LineModel:
    """Two linear models, and the network and trees that read their opinions in context.

    Parameters
    ----------
    text : LinearModel
    markup : LinearModel or None
        None for a model that was trained on plain text only; it then reads no markup at all.
    network : Network
    trees : dict of str to Trees
        Some of ``trees.GROVES``: those that there was enough to learn from.
    """

    text: LinearModel
    markup: LinearModel | None
    network: Network
    trees: Mapping[str, Trees] = field(default_factory=dict)

    def read(self, documents: Iterable[Document]) -> Iterator[Reading]:
        """Read documents in their order; what one gives does not depend on its company.

        Raises
        ------
        TypeError
            If one of them is no document.
        """
        pieces = (
            (number, piece)
            for number, d in enumerate(documents)
            for piece in _pieces(as_laid_out(required_document(d)))
        )
        readings = (
            item
            for chunk in chunks(pieces, lambda item: item[1].document)
            for item in self._read_chunk(chunk)
        )
        for _, parts in groupby(readings, key=itemgetter(0)):
            yield Reading.joined([reading for _, reading in parts])

    def _read_chunk(self, chunk: Sequence[tuple[int, _Piece]]) -> Iterator[tuple[int, Reading]]:
        batch = LineBatch.of([piece.document for _, piece in chunk])
        if batch.n_lines:
            forest = Forest.of(batch) if self.markup is not None else None
            features = context_features(batch, forest, *self.opinions(batch, forest))
            logits = self.network.logits(features, batch.ends)
            self._mix_trees(logits, features, forest)
            labels, main = _answers(logits)
        else:
            labels, main = np.zeros((0, N_LABELS), np.float32), np.zeros(0, np.float32)
        words = np.diff(batch.word_ends)
        for (number, piece), (start, end) in zip(chunk, pairwise(batch.ends.tolist()), strict=True):
            rows = slice(start + piece.before, end - piece.after)
            yield number, Reading(labels[rows], main[rows], words[rows])

    def _mix_trees(
        self, logits: NDArray[np.float32], features: NDArray[np.float32], forest: Forest | None
    ) -> None:
        """Mix what the trees say into the network's logits where those leave doubt, in place."""
        with_markup = forest.rows if forest is not None else np.zeros(0, dtype=np.int64)
        kinds = {"markup": with_markup, "text": _others(with_markup, len(features))}
        for grove, trees in self.trees.items():
            kind, _, question = grove.partition(".")
            columns = slice(N_LABELS) if question == "labels" else slice(N_LABELS, None)
            share = np.float32(GROVES[grove].trees_share)
            rows = kinds[kind]
            rows = rows[_lead(logits[rows, columns]) < DOUBT * share / (1 - share)]
            if len(rows):
                theirs = trees.logits(features[rows, READ_OF[kind]])
                logits[rows, columns] = logits[rows, columns] * (1 - share) + theirs * share

    def probabilities(self, documents: Sequence[Document]) -> list[NDArray[np.float32]]:
        """Probability of each label for each line; one array of shape (n_lines, 4) a document."""
        return [reading.labels for reading in self.read(documents)]

    def opinions(
        self, batch: LineBatch, forest: Forest | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Ask both linear models about each line: two arrays (n_lines, 5), the second zero without markup."""
        text = self.text(text_tokens(batch), batch.n_lines)
        markup = np.zeros_like(text)
        if self.markup is not None and forest is not None:
            markup[forest.rows] = self.markup(markup_tokens(forest, batch), len(forest.rows))
        return text, markup


def _others(rows: NDArray[np.int64], n_lines: int) -> NDArray[np.int64]:
    """Give the lines that are not among ``rows``."""
    if not len(rows) or len(rows) == n_lines:
        return np.arange(n_lines - len(rows))
    return np.delete(np.arange(n_lines), rows)


def _lead(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each line's best answer is ahead of the next: of labels, or yes or no."""
    if logits.shape[1] == 1:
        return np.abs(logits[:, 0])
    ordered = np.sort(logits, axis=1)
    lead: NDArray[np.float32] = ordered[:, -1] - ordered[:, -2]
    return lead


def _answers(logits: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Turn logits into the probability of each label, and of being main content."""
    if _KERNEL is not None:
        powers = _KERNEL.exponents(logits)
        answers: tuple[NDArray[np.float32], NDArray[np.float32]]
        answers = _KERNEL.answers(np.exp(powers, out=powers))
        return answers
    return softmax(logits[:, :N_LABELS]), sigmoid(logits[:, N_LABELS])


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model says of one document.

    Parameters
    ----------
    labels : ndarray of float32, shape (n_lines, 4)
        Probability of each label.
    main : ndarray of float32, shape (n_lines,)
        Probability that a line is of the page's main content, as reviewers of whole pages choose it.
    words : ndarray of int64, shape (n_lines,)
        Words of each line.
    """

    labels: NDArray[np.float32]
    main: NDArray[np.float32]
    words: NDArray[np.int64]

    def chosen(self) -> NDArray[np.bool_]:
        """Choose the lines whose text is expected to be nearest to the main content; shape (n_lines,).

        Reviewers differ in how much they take: one a description alone, another its table and comments too.
        So what a reviewer chose is thought of as the lines above a bar of their own, any from 0 to 1 as
        likely as another, which leaves each line its probability. The page's bar, at most one half, is the
        one whose lines have the highest word F1 on average over those reviewers. (For lines that are chosen
        one by one, see Lewis, "Evaluating and optimizing autonomous text classification systems", 1995; on
        WCXB that was worth less, docs/experiments.md.) A close call goes by the label where that leaves no
        doubt (reviewers are of two minds about headlines, whoever reads the page is not), unless nothing
        would stay.
        """
        if _KERNEL is not None:
            rule = REVIEWERS, NOTHING, LABELLED, SURELY_NOT, SURELY, CLOSE
            kept: NDArray[np.bool_] = _KERNEL.chosen(self.labels, self.main, self.words, *rule)
            return kept
        if not len(self.main) or np.isnan(self.main.max()):
            return np.zeros(len(self.main), dtype=bool)
        if self.main.max() <= NOTHING:
            labelled: NDArray[np.bool_] = self.labels[:, 0] >= LABELLED
            return labelled
        step = np.minimum((self.main * BARS).astype(np.int64), BARS - 1)
        words = np.maximum(self.words, 1)  # of a page without words, too, some bars are better than others
        above = np.bincount(step, words, BARS)[::-1].cumsum()[::-1]
        ours, theirs = above[: BARS // 2 + 1], above[REVIEWERS, None]
        score = (np.minimum(ours, theirs) / np.maximum(ours + theirs, 1)).sum(axis=0)
        content = self.labels[:, 0]
        chosen: NDArray[np.bool_] = step >= score.argmax()
        chosen |= (content >= SURELY) & (self.main >= CLOSE)
        others = chosen & ((content > SURELY_NOT) | (self.main >= CLOSE))
        return others if others.any() else chosen

    @classmethod
    def joined(cls, parts: Sequence[Reading]) -> Reading:
        """Put the readings of a document's pieces together."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.main for part in parts]),
            np.concatenate([part.words for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines of a document that are read at once; the first and last of them are context only."""

    document: Document
    before: int = 0
    after: int = 0


def required_document(document: object) -> Document:
    """Give what was given if it is a document; ``TypeError`` if not."""
    if not isinstance(document, Document):
        kind = type(document).__name__
        raise TypeError(f"a Document is read, not {kind}; Document.from_text makes one of a text")
    return document


def _pieces(document: Document) -> Iterator[_Piece]:
    """Cut documents of more than ``PIECE`` lines into pieces that overlap by ``OVERLAP`` on each side."""
    n = len(document.lines)
    if n <= PIECE:
        yield _Piece(document)
        return
    for start in range(0, n, PIECE):
        first, last = max(start - OVERLAP, 0), min(start + PIECE + OVERLAP, n)
        part = replace(
            document,
            lines=document.lines[first:last],
            separators=document.separators and document.separators[first : last + 1],
            markup=document.markup and document.markup.of_lines(slice(first, last)),
        )
        yield _Piece(part, start - first, last - min(start + PIECE, n))


def chunks(items: Iterable[T], document_of: Callable[[T], Document]) -> Iterator[list[T]]:
    """Cut items into runs of about ``CHUNK_CHARACTERS`` in their documents; a larger one comes alone."""
    chunk: list[T] = []
    size = 0
    for item in items:
        lines = document_of(item).lines
        length = n_characters(lines) + len(lines)
        if chunk and size + length > CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += length
    if chunk:
        yield chunk
