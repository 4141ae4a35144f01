"""The trained model as arrays: reads documents, gives probabilities, needs numpy alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.features import LineBatch, context_features, markup_tokens, text_tokens
from boilerplate_ds.model.network import N_LABELS, Network, softmax

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document
    from boilerplate_ds.model.linear import LinearModel, Tokens

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

    def probabilities(self, documents: Sequence[Document]) -> list[NDArray[np.float32]]:
        """Probability of each label for each line; one array of shape (n_lines, 4) a document."""
        results: list[NDArray[np.float32]] = []
        for chunk in chunks(documents):
            batch = LineBatch.of(chunk if self.markup is not None else [d.without_markup() for d in chunk])
            if batch.n_lines == 0:
                results += [np.zeros((0, N_LABELS), dtype=np.float32) for _ in chunk]
                continue
            features = context_features(batch, *self.opinions(batch))
            lines = softmax(self.network.logits(features, batch.ends))
            results += np.split(lines, batch.ends[1:-1])
        return results

    def opinions(self, batch: LineBatch) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Ask both linear models about each line: two arrays (n_lines, 4), the second zero without markup."""
        text = self.text(text_tokens(batch), batch.n_lines)
        markup = np.zeros_like(text)
        if self.markup is not None:
            lines = np.flatnonzero(batch.has_markup)
            if len(lines):
                markup = self.markup([batch_markup_tokens(batch.documents)], batch.n_lines)
                markup[~batch.has_markup] = 0
        return text, markup


def batch_markup_tokens(documents: Sequence[Document]) -> Tokens:
    """Markup tokens of several documents, end to end."""
    parts = [markup_tokens(document) for document in documents]
    offsets = np.cumsum([0, *(len(buckets) for buckets, _ in parts)])
    ends = [part_ends[1:] + offset for (_, part_ends), offset in zip(parts, offsets[:-1], strict=True)]
    return np.concatenate([buckets for buckets, _ in parts]), np.concatenate([[0], *ends])


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
