"""The trained model as arrays: reads documents, gives probabilities, needs numpy alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.features import Forest, LineBatch, context_features, markup_tokens, text_tokens
from boilerplate_ds.model.network import N_LABELS, Network, sigmoid, softmax

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document
    from boilerplate_ds.model.linear import LinearModel

NOTHING = 0.3
"""A page whose likeliest line is less likely than this has no main content."""
CHUNK_CHARACTERS = 1_000_000
"""Documents are read together until they reach this size: larger arrays cost memory and gain no speed."""


@dataclass(frozen=True, slots=True)
class LineModel:
    """Two linear models and the network that reads their opinions in context.

    Parameters
    ----------
    text : LinearModel
    markup : LinearModel or None
        None for a model that was trained on plain text only; it then reads no markup at all.
    network : Network
    """

    text: LinearModel
    markup: LinearModel | None
    network: Network

    def read(self, documents: Sequence[Document]) -> Iterator[Reading]:
        """Read documents in their order; what a document gives does not depend on its company."""
        for chunk in chunks(documents):
            batch = LineBatch.of(chunk)
            if batch.n_lines:
                forest = Forest.of(batch) if self.markup is not None else None
                features = context_features(batch, forest, *self.opinions(batch, forest))
                logits = self.network.logits(features, batch.ends)
                labels, main = softmax(logits[:, :N_LABELS]), sigmoid(logits[:, N_LABELS])
            else:
                labels, main = np.zeros((0, N_LABELS), np.float32), np.zeros(0, np.float32)
            words = np.bincount(batch.word_line, minlength=batch.n_lines)
            for start, end in pairwise(batch.ends.tolist()):
                yield Reading(labels[start:end], main[start:end], words[start:end])

    def opinions(
        self, batch: LineBatch, forest: Forest | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Ask both linear models about each line: two arrays (n_lines, 5), the second zero without markup."""
        text = self.text(text_tokens(batch), batch.n_lines)
        markup = np.zeros_like(text)
        if self.markup is not None and forest is not None:
            markup[forest.rows] = self.markup([markup_tokens(forest)], len(forest.rows))
        return text, markup


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

    def cut(self) -> NDArray[np.bool_]:
        """Which lines to keep so that the expected word F1 of what is kept is the highest; shape (n_lines,).

        The lines most likely to be main content, down to where ``2 * sum_kept(p w) / (sum_kept(w) +
        sum_all(p w))`` peaks, ``w`` being words (after Lewis, SIGIR 1995); none if none is likelier than
        ``NOTHING``, because a page may hold nothing worth keeping.
        """
        keep = np.zeros(len(self.main), dtype=bool)
        if not len(keep) or self.main.max() < NOTHING:
            return keep
        order = np.argsort(-self.main, kind="stable")
        hits = np.cumsum((self.main * self.words)[order], dtype=np.float64)
        sizes = np.cumsum(self.words[order])
        expected = hits / np.maximum(sizes + hits[-1], 1e-9)
        keep[order[: int(expected.argmax()) + 1]] = True
        return keep


def chunks(documents: Sequence[Document], characters: int = CHUNK_CHARACTERS) -> Iterator[list[Document]]:
    """Cut documents into runs of about ``characters``; a larger document comes alone."""
    chunk: list[Document] = []
    size = 0
    for document in documents:
        length = sum(map(len, document.lines)) + len(document.lines)
        if chunk and size + length > characters:
            yield chunk
            chunk, size = [], 0
        chunk.append(document)
        size += length
    if chunk:
        yield chunk
