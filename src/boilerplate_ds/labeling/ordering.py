"""Orderings: which pages to label next, as pure functions of arrays.

A strategy gives the indices of the pages it chooses, the first to label first. The same input and seed give
the same choice. Line scores lie between 0 and 1; a page's score is their mean: what labelling a line of it
is worth.

Uncertainty and margin sampling: Settles, *Active Learning Literature Survey*, 2009. Disagreement is query
by committee (Seung, Opper and Sompolinsky, 1992).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Scores = NDArray[np.float64]
    Indices = NDArray[np.int64]

T = TypeVar("T")

N_DIMENSIONS = 64
"""Dimensions of a document vector."""
MAX_CHARACTERS = 50_000
"""What is read of a page to tell what kind of page it is."""


def line_entropy(probabilities: NDArray[np.float32]) -> Scores:
    """Entropy of each line's probabilities, shape (n_lines, 4), as a share of the highest there can be."""
    p = np.clip(probabilities.astype(np.float64), 1e-12, 1)
    entropy: Scores = -(p * np.log(p)).sum(axis=1) / np.log(p.shape[1])
    return np.clip(entropy, 0, 1)


def line_margin(probabilities: NDArray[np.float32]) -> Scores:
    """One less the distance of the two most probable labels of each line; probabilities: (n_lines, 4)."""
    top = np.sort(probabilities.astype(np.float64), axis=1)
    return 1 - (top[:, -1] - top[:, -2])


def line_disagreement(labels: NDArray[np.int8]) -> Scores:
    """Share of pairs of sources that differ on each line; labels: (n_sources, n_lines)."""
    n_sources = len(labels)
    if n_sources < 2:
        return np.zeros(labels.shape[1])
    pairs = sum((labels[:i] != labels[i]).sum(axis=0) for i in range(1, n_sources))
    return np.asarray(pairs, dtype=np.float64) / (n_sources * (n_sources - 1) / 2)


def page_scores(line_scores: Sequence[Scores]) -> Scores:
    """Mean line score of each page; 0 for one without lines."""
    return np.array([scores.mean() if len(scores) else 0.0 for scores in line_scores], dtype=np.float64)


def doubtful_lines(scores: Scores, limit: int, above: float) -> tuple[int, ...]:
    """Lines that score more than ``above``, the highest first, at most ``limit``."""
    order = np.argsort(-scores, kind="stable")[:limit]
    return tuple(order[scores[order] > above].tolist())


def highest_first(scores: Scores, size: int) -> Indices:
    """Choose the pages of highest score; equal ones as they come."""
    return np.argsort(-scores, kind="stable")[:size]


def random_order(n_pages: int, size: int, seed: int) -> Indices:
    """Choose pages by chance."""
    return np.random.default_rng(seed).permutation(n_pages)[:size]


def spread_over_sites(sites: Sequence[str], size: int, seed: int, labelled: Iterable[str] = ()) -> Indices:
    """Choose pages so that the sites have equally many, those of ``labelled`` pages counted; else by chance.

    Parameters
    ----------
    sites : sequence of str, length n_pages
    size, seed : int
    labelled : iterable of str
        The site of each page that has labels already.
    """
    taken = Counter(labelled)
    turn = np.zeros(len(sites), dtype=np.int64)
    shuffled = random_order(len(sites), len(sites), seed)
    for page in shuffled.tolist():
        turn[page] = taken[sites[page]]
        taken[sites[page]] += 1
    return shuffled[np.argsort(turn[shuffled], kind="stable")][:size]


def document_vectors(texts: Sequence[str], seed: int = 0) -> NDArray[np.float64]:
    """Describe each page by the words in it: hashed, weighted by rarity, reduced; (n_pages, n_dimensions).

    Latent semantic analysis (Deerwester et al., 1990) over hashed character 4-grams within words, so that no
    language needs a word list.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer

    n_dimensions = min(N_DIMENSIONS, len(texts) - 1)
    if n_dimensions < 1:
        return np.zeros((len(texts), 1))
    pipeline = make_pipeline(
        HashingVectorizer(analyzer="char_wb", ngram_range=(4, 4), n_features=2**16, alternate_sign=False),
        TfidfTransformer(sublinear_tf=True),
        TruncatedSVD(n_dimensions, random_state=seed),
        Normalizer(copy=False),
    )
    with np.errstate(invalid="ignore"):  # equal pages have no variance to explain
        vectors: NDArray[np.float64] = pipeline.fit_transform([text[:MAX_CHARACTERS] for text in texts])
    return vectors


def diverse(vectors: NDArray[np.float64], size: int, seed: int) -> Indices:
    """Choose the page nearest the middle of each of ``size`` k-means clusters, the largest cluster first."""
    from sklearn.cluster import KMeans

    distinct = len(np.unique(vectors, axis=0))  # no more clusters than there are different pages
    model = KMeans(n_clusters=min(size, distinct), n_init=4, random_state=seed).fit(vectors)
    distance = np.linalg.norm(vectors - model.cluster_centers_[model.labels_], axis=1)
    nearest_first = np.argsort(distance, kind="stable")
    _, first, members = np.unique(model.labels_[nearest_first], return_index=True, return_counts=True)
    return nearest_first[first][np.argsort(-members, kind="stable")]


def interleave(orders: Sequence[Sequence[T]], size: int) -> list[T]:
    """Choose the first of each order, then the second of each, and so on, nothing twice."""
    longest = max(map(len, orders), default=0)
    turns = (order[turn] for turn in range(longest) for order in orders if turn < len(order))
    return list(dict.fromkeys(turns))[:size]
