"""Splits and folds by site: no site is ever on two sides.

A site's split follows from a hash of its name alone, so adding pages moves none. Each of the two small splits
stays empty with a probability of 0.9 to the power of the number of sites: 3 in a million for 120 sites, 1 in
3 for 10. For sets that small :func:`split_sites` moves the borders between the hashes just so far that no
split is empty; that is the one case in which further sites can move a site.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from boilerplate_ds.errors import DatasetError
from boilerplate_ds.sources.site import site_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from boilerplate_ds.document import Document

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
SEED = "boilerplate-ds"
_BORDERS = (0.8, 0.9)


def known_site(document: Document) -> str:
    """Give the site of a document, else that of its URL; empty if it has neither."""
    return document.site or site_of(document.url)


def group_of(document: Document) -> str:
    """Name what a document is split by: its site, else that of its URL, else its own id."""
    return known_site(document) or document.id


def split_of(site: str, seed: str = SEED) -> Split:
    """Give the split of a site: 80% of sites are for training, 10% each for validation and test."""
    return SPLITS[int(np.searchsorted(_BORDERS, _position(site, seed), side="right"))]


def split_sites(sites: Iterable[str], seed: str = SEED) -> dict[str, Split]:
    """Map each site to its split so that none of the splits is empty.

    Equal to :func:`split_of` for every site unless that would leave a split empty. Then the sites whose
    hashes are nearest to it fill it, taken from the largest split.

    Raises
    ------
    DatasetError
        If there are fewer than three sites.
    """
    ordered = sorted(set(sites), key=lambda site: (_position(site, seed), site))
    if len(ordered) < len(SPLITS):
        raise DatasetError(f"{len(ordered)} sites cannot fill {len(SPLITS)} splits; add pages of other sites")
    by_hash = [split_of(site, seed) for site in ordered]
    sizes = [by_hash.count(split) for split in SPLITS]
    while 0 in sizes:
        sizes[sizes.index(max(sizes))] -= 1
        sizes[sizes.index(0)] += 1
    return dict(zip(ordered, np.repeat(SPLITS, sizes).tolist(), strict=True))


def site_folds(
    sites: Sequence[str], n_folds: int = 5, n_lines: ArrayLike | None = None, seed: str = SEED
) -> NDArray[np.int64]:
    """Deal documents into folds for cross-validation, whole sites at a time.

    Sites go to the fold that has the fewest lines yet, the largest site first; which of two equal sites comes
    first follows from their hashes, so the order of the documents has no say.

    Parameters
    ----------
    sites : sequence of str, length n_documents
    n_folds : int
    n_lines : array-like of int, shape (n_documents,), optional
        Number of lines of each document; without it documents count alike.
    seed : str

    Returns
    -------
    ndarray of int64, shape (n_documents,)
        The fold of each document, from 0.

    Raises
    ------
    DatasetError
        If there are fewer sites than folds.
    """
    weights = np.ones(len(sites), dtype=np.int64) if n_lines is None else np.asarray(n_lines, dtype=np.int64)
    size_of: defaultdict[str, int] = defaultdict(int)
    for site, weight in zip(sites, weights.tolist(), strict=True):
        size_of[site] += weight
    if not 2 <= n_folds <= len(size_of):
        raise DatasetError(
            f"{len(size_of)} sites cannot be dealt into {n_folds} folds; "
            "it takes two folds or more, and at least one site for each"
        )
    fold_of: dict[str, int] = {}
    filled = [(0, 0)] * n_folds  # lines and sites: a fold without lines still gets its share of empty sites
    for site in sorted(size_of, key=lambda site: (-size_of[site], _position(site, seed), site)):
        fold = filled.index(min(filled))
        fold_of[site] = fold
        filled[fold] = (filled[fold][0] + size_of[site], filled[fold][1] + 1)
    return np.array([fold_of[site] for site in sites], dtype=np.int64)


def _position(site: str, seed: str) -> float:
    """Place a site between 0 and 1, evenly over all sites."""
    digest = hashlib.sha256(f"{seed}\n{site}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
