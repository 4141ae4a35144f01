"""Cross-validation judges each page by a model that has seen nothing of its site."""

from __future__ import annotations

import numpy as np
import pytest

from boilerplate_ds import Document, LineClassifier
from boilerplate_ds.dataset.splits import group_of
from boilerplate_ds.errors import DatasetError
from boilerplate_ds.model.runtime import Reading
from boilerplate_ds.training import cross_validation
from boilerplate_ds.training.cross_validation import cross_validate

LOG: list[tuple[str, list[str]]] = []


class Recording(LineClassifier):
    """A classifier that notes which documents it is trained on and asked about; it predicts their number."""

    def fit(self, documents, labels, groups=None, *, progress=None):
        LOG.append(("fit", [d.id for d in documents]))
        assert [len(d.lines) for d in documents] == [len(given) for given in labels]
        assert list(groups) == [group_of(d) for d in documents]
        if progress is not None:
            progress("Reading lines", 1.0)
        return self

    def read(self, documents):
        LOG.append(("predict", [d.id for d in documents]))
        return [reading_of(d, int(d.id.split("-")[1])) for d in documents]


def reading_of(document: Document, number: int) -> Reading:
    n = len(document.lines)
    return Reading(np.full((n, 4), number, np.float32), np.zeros(n, np.float32), np.ones(n, np.int64))


@pytest.fixture(autouse=True)
def _empty_log() -> None:
    LOG.clear()


def documents_of(sites: list[str]) -> tuple[list[Document], list[np.ndarray]]:
    documents = [
        Document(f"d-{i}", tuple(f"line {j}" for j in range(i % 5 + 1)), site=site)
        for i, site in enumerate(sites)
    ]
    return documents, [np.zeros(len(d.lines), dtype=np.int8) for d in documents]


SITES = ["a", "b", "a", "c", "", "d", "e", "", "b", "a", "f", "c"]


@pytest.mark.parametrize("n_folds", [2, 3, 5])
def test_no_model_judges_a_site_it_was_trained_on(n_folds: int) -> None:
    documents, labels = documents_of(SITES)
    site_of = {d.id: d.site or d.id for d in documents}
    cross_validate(Recording(), documents, labels, n_folds=n_folds)
    assert [step for step, _ in LOG] == ["fit", "predict"] * n_folds
    for (_, trained), (_, judged) in zip(LOG[::2], LOG[1::2], strict=True):
        assert not {site_of[i] for i in trained} & {site_of[i] for i in judged}
        assert sorted(trained + judged) == sorted(site_of)


def test_pages_that_name_only_their_url_are_of_its_site() -> None:
    urls = [f"https://www.site{i // 3}.example/{i}" for i in range(12)]
    documents = [Document(f"d-{i}", ("a line",), url=url) for i, url in enumerate(urls)]
    cross_validate(Recording(), documents, [np.zeros(1, dtype=np.int8)] * 12, n_folds=2)
    for _, ids in LOG:
        assert len(ids) == 6
        assert len({int(i.removeprefix("d-")) // 3 for i in ids}) == 2


def test_every_document_is_judged_once_and_keeps_its_place() -> None:
    documents, labels = documents_of(SITES)
    results = cross_validate(Recording(), documents, labels, n_folds=4)
    assert sorted(i for step, ids in LOG if step == "predict" for i in ids) == sorted(d.id for d in documents)
    for number, (document, probabilities) in enumerate(zip(documents, results, strict=True)):
        assert probabilities.shape == (len(document.lines), 4)
        assert (probabilities == number).all()


def test_the_order_of_the_documents_has_no_say_in_the_folds() -> None:
    documents, labels = documents_of(SITES)
    cross_validate(Recording(), documents, labels, n_folds=3)
    cross_validate(Recording(), documents[::-1], labels[::-1], n_folds=3)
    judged = [set(ids) for step, ids in LOG if step == "predict"]
    assert judged[:3] == judged[3:]


def test_the_given_classifier_stays_unfitted(small_set) -> None:
    documents, labels = small_set
    classifier = LineClassifier(epochs=1, n_folds=2)
    results = cross_validate(classifier, documents[:6], labels[:6], n_folds=2)
    assert not hasattr(classifier, "model_")
    for document, probabilities in zip(documents[:6], results, strict=True):
        assert probabilities.shape == (len(document.lines), 4)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_progress_names_the_fold() -> None:
    documents, labels = documents_of(SITES)
    told: list[tuple[str, float]] = []
    cross_validate(
        Recording(), documents, labels, n_folds=2, progress=lambda step, done: told.append((step, done))
    )
    assert told == [("Fold 1 of 2: reading lines", 1.0), ("Fold 2 of 2: reading lines", 1.0)]


@pytest.mark.parametrize("n_folds", [1, 9])
def test_folds_that_sites_cannot_fill_are_refused(n_folds: int) -> None:
    documents, labels = documents_of(SITES)
    with pytest.raises(DatasetError, match=f"8 sites cannot be dealt into {n_folds} folds"):
        cross_validate(Recording(), documents, labels, n_folds=n_folds)
    assert LOG == []


def test_folds_side_by_side_say_what_one_after_another_says(small_set) -> None:
    documents, labels = small_set
    told: list[tuple[str, float]] = []
    alone = cross_validate(LineClassifier(epochs=1, n_folds=2), documents, labels, n_folds=3)
    beside = cross_validate(
        LineClassifier(epochs=1, n_folds=2, n_jobs=2),
        documents,
        labels,
        n_folds=3,
        progress=lambda step, done: told.append((step, done)),
    )
    for one, other in zip(alone, beside, strict=True):
        assert np.array_equal(one, other)
    assert told == [("Cross-validating", fold / 3) for fold in range(4)]


def test_a_large_set_is_held_in_memory_once(monkeypatch) -> None:
    monkeypatch.setattr(cross_validation, "SIDE_BY_SIDE", 0)
    documents, labels = documents_of(SITES)
    cross_validate(Recording(n_jobs=2), documents, labels, n_folds=2)
    assert [step for step, _ in LOG] == ["fit", "predict"] * 2  # noted in this process
