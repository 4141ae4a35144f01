"""Agreement: how alike annotators label the same lines, beyond what chance would give.

Cohen's κ (Cohen, 1960) for each pair, Krippendorff's α (Hayes and Krippendorff, 2007) for any number of
annotators of whom not all labelled everything, Fleiss' κ (Fleiss, 1971) where all lines have equally many
labels. Lines of one page are not independent, so intervals come from resampling whole documents (Efron,
1979). The adjudicator's labels are no independent opinion and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.errors import DatasetError
from boilerplate_ds.labeling.store import ADJUDICATOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Annotation, Labels

    Matrices = NDArray[np.float64]
    Figure = Callable[[Matrices], Matrices]

MISSING = -1
NO_SITE = "(not given)"
N_LABELS = len(LABEL_NAMES)
_BLOCK = 100
"""Resamples drawn at a time, so that many documents take no more memory."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """All labels of the lines that two or more annotators have labelled.

    Parameters
    ----------
    annotators : tuple of str
        In order of name.
    doc_ids, texts, sites : tuple of str, length n_documents
        The text hash tells documents of one id apart.
    document : ndarray of int64, shape (n_lines,)
        Index of each line's document; the lines of a document stand together, in order.
    labels : ndarray of int8, shape (n_annotators, n_lines)
        Class ids; :data:`MISSING` where an annotator has not labelled the document.
    """

    annotators: tuple[str, ...]
    doc_ids: tuple[str, ...]
    texts: tuple[str, ...]
    sites: tuple[str, ...]
    document: NDArray[np.int64] = field(repr=False)
    labels: Labels = field(repr=False)

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many annotators gave each line each label; shape (n_lines, 4)."""
        return np.stack([(self.labels == label).sum(axis=0) for label in range(N_LABELS)], axis=1)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95% interval; NaN where it is not defined, such as κ if only one label occurs."""

    value: float
    low: float = nan
    high: float = nan

    def as_json(self) -> dict[str, float | None]:
        """Round to four digits; what is not defined is null."""
        named = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if isnan(value) else round(value, 4) for name, value in named.items()}


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two annotators on the documents that both labelled.

    Parameters
    ----------
    annotators : tuple of two str
    n_documents, n_lines : int
    share : Estimate
        Share of lines with the same label.
    kappa : Estimate
        Cohen's κ.
    per_label : dict of str to Estimate
        Cohen's κ of each label against the other three together.
    confusion : ndarray of int64, shape (4, 4)
        Row: the first annotator, column: the second.
    """

    annotators: tuple[str, str]
    n_documents: int
    n_lines: int
    share: Estimate
    kappa: Estimate
    per_label: dict[str, Estimate]
    confusion: NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True, slots=True)
class GroupAgreement:
    """A document or a site.

    Parameters
    ----------
    name, site : str
        Equal for a site.
    n_documents, n_lines : int
    share : float
        Share of pairs of labels of one line that are the same.
    alpha : float
        Krippendorff's α; NaN if only one label occurs.
    differing : int
        Lines on which not all annotators agree.
    """

    name: str
    site: str
    n_documents: int
    n_lines: int
    share: float
    alpha: float
    differing: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """Everything :func:`measure_agreement` finds.

    Parameters
    ----------
    annotators : tuple of str
    n_documents, n_lines, differing : int
        Labelled by two annotators or more; ``differing`` are the lines on which they do not all agree.
    share : Estimate
        Share of pairs of labels of one line that are the same.
    alpha : Estimate
        Krippendorff's α, nominal.
    fleiss : float or None
        Fleiss' κ; None of two annotators, or if some lines have more labels than others.
    per_label : dict of str to Estimate
        Krippendorff's α of each label against the other three together.
    pairs : tuple of PairAgreement
        Those who share a document.
    sites, documents : tuple of GroupAgreement
        Those with the largest share of differing lines first.
    """

    annotators: tuple[str, ...]
    n_documents: int
    n_lines: int
    differing: int
    share: Estimate
    alpha: Estimate
    fleiss: float | None
    per_label: dict[str, Estimate]
    pairs: tuple[PairAgreement, ...]
    sites: tuple[GroupAgreement, ...]
    documents: tuple[GroupAgreement, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and names."""
        return {
            "annotators": list(self.annotators),
            "documents": self.n_documents,
            "lines": self.n_lines,
            "differing_lines": self.differing,
            "share": self.share.as_json(),
            "krippendorff_alpha": self.alpha.as_json(),
            "fleiss_kappa": None if self.fleiss is None else Estimate(self.fleiss).as_json()["value"],
            "per_label_alpha": {name: figure.as_json() for name, figure in self.per_label.items()},
            "pairs": [_pair_json(pair) for pair in self.pairs],
            "per_site": [_group_json(group) for group in self.sites],
            "per_document": [_group_json(group) for group in self.documents],
        }


def collect_ratings(annotations: Iterable[Annotation], sites: Mapping[tuple[str, str], str]) -> Ratings:
    """Put the labels of documents with two annotators or more side by side.

    Parameters
    ----------
    annotations : iterable of Annotation
        Labels of other lines (another text hash) do not meet, be the document's id the same or not. Of
        several by one annotator for one document the last counts.
    sites : mapping of (str, str) to str
        Site by document id and text hash, where it is known.

    Raises
    ------
    DatasetError
        If no document has two annotators.
    """
    by_text: dict[tuple[str, str, int], dict[str, Labels]] = {}
    for annotation in annotations:
        if annotation.annotator != ADJUDICATOR and len(annotation.labels):
            key = (annotation.doc_id, annotation.text_sha256, len(annotation.labels))
            by_text.setdefault(key, {})[annotation.annotator] = annotation.labels
    shared = {key: given for key, given in sorted(by_text.items()) if len(given) > 1}
    if not shared:
        raise DatasetError(
            "no document has the labels of two annotators; agreement needs pages that both of them labelled"
        )
    annotators = sorted({name for given in shared.values() for name in given})
    sizes = [n_lines for _, _, n_lines in shared]
    absent = [np.full(size, MISSING, dtype=np.int8) for size in sizes]
    rows = [
        np.concatenate([given.get(name, none) for given, none in zip(shared.values(), absent, strict=True)])
        for name in annotators
    ]
    doc_ids = tuple(doc_id for doc_id, _, _ in shared)
    return Ratings(
        annotators=tuple(annotators),
        doc_ids=doc_ids,
        texts=tuple(text for _, text, _ in shared),
        sites=tuple(sites.get((doc_id, text), "") for doc_id, text, _ in shared),
        document=np.repeat(np.arange(len(sizes)), sizes),
        labels=np.stack(rows),
    )


def measure_agreement(ratings: Ratings, *, n_bootstrap: int = 1000, seed: int = 0) -> Agreement:
    """Measure the agreement of all annotators, of each pair, and on each label, site and document.

    Parameters
    ----------
    ratings : Ratings
    n_bootstrap : int
        How many resamples of the documents the intervals come from; 0 gives none.
    seed : int
    """
    counts = ratings.counts
    differing = np.bincount(ratings.document, (counts > 0).sum(axis=1) > 1).astype(np.int64)
    coincidences = _coincidences(ratings, counts)
    resamples = _resample(coincidences, n_bootstrap, seed)
    observed = coincidences.sum(axis=0)
    return Agreement(
        annotators=ratings.annotators,
        n_documents=len(ratings.doc_ids),
        n_lines=len(ratings.document),
        differing=int(differing.sum()),
        share=_estimate(float(_share(observed)), resamples, _share),
        alpha=_estimate(krippendorff_alpha(counts), resamples, _alpha),
        fleiss=fleiss_kappa(counts) if len(ratings.annotators) > 2 else None,
        per_label={
            name: _estimate(
                krippendorff_alpha(_against_rest(counts, label)), _one_against_rest(resamples, label), _alpha
            )
            for label, name in enumerate(LABEL_NAMES)
        },
        pairs=tuple(_pairs(ratings, n_bootstrap, seed)),
        sites=_groups(*_by_site(ratings), ratings, coincidences, differing),
        documents=_groups(ratings.doc_ids, np.arange(len(ratings.doc_ids)), ratings, coincidences, differing),
    )


def krippendorff_alpha(counts: NDArray[np.int64]) -> float:
    """Krippendorff's α, nominal, of label counts (n_lines, n_labels); NaN if only one label occurs."""
    pairable = counts[counts.sum(axis=1) > 1]
    if np.count_nonzero(pairable.sum(axis=0)) < 2:
        return nan
    weighted = pairable / (pairable.sum(axis=1, keepdims=True) - 1)
    return float(_alpha(pairable.T @ weighted - np.diag(weighted.sum(axis=0))))


def cohen_kappa(confusion: NDArray[np.int64]) -> float:
    """Cohen's κ of a confusion matrix of two annotators; NaN if only one label occurs."""
    from sklearn.metrics import cohen_kappa_score

    if np.count_nonzero(confusion.sum(axis=0) + confusion.sum(axis=1)) < 2:
        return nan
    first, second = np.indices(confusion.shape).reshape(2, -1)
    return float(cohen_kappa_score(first, second, sample_weight=confusion.ravel()))


def fleiss_kappa(counts: NDArray[np.int64]) -> float | None:
    """Fleiss' κ of label counts (n_lines, n_labels); None unless all lines have equally many labels."""
    n_raters = int(counts[0].sum())
    if (counts.sum(axis=1) != n_raters).any():
        return None
    same = (counts * (counts - 1)).sum() / (len(counts) * n_raters * (n_raters - 1))
    by_chance = ((counts.sum(axis=0) / counts.sum()) ** 2).sum()
    return float((same - by_chance) / (1 - by_chance)) if by_chance < 1 else nan


def _coincidences(ratings: Ratings, counts: NDArray[np.int64]) -> Matrices:
    """Pairs of labels of one line by document, each line worth its number of labels; (n_documents, 4, 4)."""
    n_documents, others = len(ratings.doc_ids), counts.sum(axis=1) - 1
    matrices = np.empty((n_documents, N_LABELS, N_LABELS))
    for a, b in np.ndindex(N_LABELS, N_LABELS):  # one at a time: all pairs of all lines would be large
        pairs = counts[:, a] * (counts[:, b] - (a == b)) / others
        matrices[:, a, b] = np.bincount(ratings.document, pairs, n_documents)
    return matrices


def _pairs(ratings: Ratings, n_bootstrap: int, seed: int) -> Iterable[PairAgreement]:
    for i, j in combinations(range(len(ratings.annotators)), 2):
        confusions = _confusions(ratings, i, j)
        if len(confusions):
            names = (ratings.annotators[i], ratings.annotators[j])
            yield _pair(names, confusions, _resample(confusions.astype(np.float64), n_bootstrap, seed))


def _pair(annotators: tuple[str, str], confusions: NDArray[np.int64], resamples: Matrices) -> PairAgreement:
    confusion = confusions.sum(axis=0)
    return PairAgreement(
        annotators=annotators,
        n_documents=len(confusions),
        n_lines=int(confusion.sum()),
        share=_estimate(float(_share(confusion)), resamples, _share),
        kappa=_estimate(cohen_kappa(confusion), resamples, kappas),
        per_label={
            name: _estimate(
                cohen_kappa(_one_against_rest(confusion, label)), _one_against_rest(resamples, label), kappas
            )
            for label, name in enumerate(LABEL_NAMES)
        },
        confusion=confusion,
    )


def _confusions(ratings: Ratings, i: int, j: int) -> NDArray[np.int64]:
    """Confusion of two annotators on each document that both labelled; (n_shared_documents, 4, 4)."""
    first, second = ratings.labels[i].astype(np.int64), ratings.labels[j].astype(np.int64)
    both = (first != MISSING) & (second != MISSING)
    cells = (ratings.document * N_LABELS + first) * N_LABELS + second
    n_cells = len(ratings.doc_ids) * N_LABELS**2
    confusions = np.bincount(cells[both], minlength=n_cells).reshape(-1, N_LABELS, N_LABELS)
    return confusions[confusions.any(axis=(1, 2))]


def _by_site(ratings: Ratings) -> tuple[list[str], NDArray[np.int64]]:
    sites = np.array([site or NO_SITE for site in ratings.sites], dtype=object)
    names, group = np.unique(sites, return_inverse=True)
    return names.tolist(), group.astype(np.int64)


def _groups(
    names: Sequence[str],
    group: NDArray[np.int64],
    ratings: Ratings,
    coincidences: Matrices,
    differing: NDArray[np.int64],
) -> tuple[GroupAgreement, ...]:
    """Measure each group; ``group`` is the index of each document's."""
    first = np.unique(group, return_index=True)[1]
    matrices = np.zeros((len(names), N_LABELS, N_LABELS))
    np.add.at(matrices, group, coincidences)
    columns = (
        np.bincount(group),
        np.bincount(group[ratings.document]),
        _share(matrices),
        _alpha(matrices),
        np.bincount(group, differing).astype(np.int64),
    )
    found = [
        GroupAgreement(name, ratings.sites[i] or NO_SITE, *row)
        for name, i, *row in zip(names, first.tolist(), *(c.tolist() for c in columns), strict=True)
    ]
    return tuple(sorted(found, key=lambda g: (-g.differing / g.n_lines, g.name)))


# The figures as functions of many matrices at once: a thousand resamples take one pass.


def _share(matrices: NDArray[Any]) -> Matrices:
    share: Matrices = np.trace(matrices, axis1=-2, axis2=-1) / matrices.sum(axis=(-2, -1))
    return share


def kappas(confusions: Matrices) -> Matrices:
    """Cohen's κ of confusion matrices, shape (..., n_labels, n_labels); NaN where only one label occurs.

    Without scikit-learn, which takes a second to load: for resamples and for a page that waits.
    """
    n = confusions.sum(axis=(-2, -1))
    by_chance = (confusions.sum(axis=-1) * confusions.sum(axis=-2)).sum(axis=-1) / n**2
    return _beyond_chance(_share(confusions), by_chance)


def _alpha(coincidences: Matrices) -> Matrices:
    given = coincidences.sum(axis=-1)
    n = given.sum(axis=-1)
    return _beyond_chance(_share(coincidences), (given * (given - 1)).sum(axis=-1) / (n * (n - 1)))


def _beyond_chance(observed: Matrices, by_chance: Matrices) -> Matrices:
    defined = by_chance < 1 - 1e-12
    return np.where(defined, (observed - by_chance) / np.where(defined, 1 - by_chance, 1), nan)


def _one_against_rest(matrices: Any, label: int) -> Any:
    """Join the other three labels into one; (..., 4, 4) becomes (..., 2, 2)."""
    joined = np.zeros((N_LABELS, 2), dtype=matrices.dtype)
    joined[:, 1] = 1
    joined[label] = (1, 0)
    return joined.T @ matrices @ joined


def _against_rest(counts: NDArray[np.int64], label: int) -> NDArray[np.int64]:
    return np.stack([counts[:, label], counts.sum(axis=1) - counts[:, label]], axis=1)


def _resample(matrices: Matrices, n_bootstrap: int, seed: int) -> Matrices:
    """Sum resampled documents' matrices; (n_bootstrap, 4, 4), or none of them for a single document."""
    n = len(matrices)
    if n_bootstrap <= 0 or n < 2:
        return np.zeros((0, N_LABELS, N_LABELS))
    rng = np.random.default_rng(seed)
    sizes = [min(_BLOCK, n_bootstrap - start) for start in range(0, n_bootstrap, _BLOCK)]
    drawn = (rng.multinomial(n, np.full(n, 1 / n), size=size) for size in sizes)
    return np.concatenate([np.tensordot(times, matrices, 1) for times in drawn])


def _estimate(value: float, resamples: Matrices, figure: Figure) -> Estimate:
    figures = figure(resamples) if len(resamples) else np.zeros(0)
    figures = figures[np.isfinite(figures)]
    if isnan(value) or not len(figures):
        return Estimate(value)
    low, high = np.percentile(figures, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def _pair_json(pair: PairAgreement) -> dict[str, Any]:
    return {
        "annotators": list(pair.annotators),
        "documents": pair.n_documents,
        "lines": pair.n_lines,
        "share": pair.share.as_json(),
        "cohen_kappa": pair.kappa.as_json(),
        "per_label_kappa": {name: figure.as_json() for name, figure in pair.per_label.items()},
        "confusion": pair.confusion.tolist(),
    }


def _group_json(group: GroupAgreement) -> dict[str, Any]:
    return {
        "name": group.name,
        "site": group.site,
        "documents": group.n_documents,
        "lines": group.n_lines,
        "differing_lines": group.differing,
        "share": round(group.share, 4),
        "krippendorff_alpha": Estimate(group.alpha).as_json()["value"],
    }
