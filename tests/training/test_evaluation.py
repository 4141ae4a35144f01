"""Figures of an evaluation: worked by hand, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from boilerplate_ds.document import LABEL_NAMES, NOT_MAIN, Document
from boilerplate_ds.training.evaluation import Predictions, evaluate_predictions

CONTENT, AD, NAVIGATION, RECOMMENDATION = range(4)


def page(
    gold: list[int], predicted: list[int], *, lengths: list[int] | None = None, site: str = ""
) -> Predictions:
    """One document whose predicted labels have probability 0.7."""
    lines = tuple("x" * n for n in lengths or [1] * len(gold))
    probabilities = np.full((len(gold), 4), 0.1, dtype=np.float32)
    probabilities[np.arange(len(gold)), predicted] = 0.7
    return Predictions([Document("page", lines, site=site)], [np.array(gold, dtype=np.int8)], [probabilities])


def together(*pages: Predictions) -> Predictions:
    return Predictions(
        [document for p in pages for document in p.documents],
        [labels for p in pages for labels in p.labels],
        [probabilities for p in pages for probabilities in p.probabilities],
    )


def content_probabilities(gold: list[int], content: list[float]) -> Predictions:
    """One document whose lines are content with the given probabilities, else navigation."""
    p = np.zeros((len(gold), 4), dtype=np.float32)
    p[:, CONTENT] = content
    p[:, NAVIGATION] = 1 - p[:, CONTENT]
    return Predictions([Document("page", ("x",) * len(gold))], [np.array(gold, dtype=np.int8)], [p])


SMALL = page(
    [CONTENT, CONTENT, CONTENT, AD, NAVIGATION, NAVIGATION],
    [CONTENT, CONTENT, NAVIGATION, CONTENT, NAVIGATION, NAVIGATION],
    lengths=[10, 20, 30, 40, 1, 1],
)


def test_a_small_confusion_worked_by_hand() -> None:
    evaluation = evaluate_predictions(SMALL)
    assert evaluation.confusion.tolist() == [[2, 0, 1, 0], [1, 0, 0, 0], [0, 0, 2, 0], [0, 0, 0, 0]]
    assert evaluation.accuracy == pytest.approx(4 / 6)
    content, ad, navigation, recommendation = (evaluation.per_class[name] for name in LABEL_NAMES)
    assert (content.precision, content.recall, content.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (ad.precision, ad.recall, ad.f1) == (0, 0, 0)
    assert (navigation.precision, navigation.recall, navigation.f1) == pytest.approx((2 / 3, 1, 4 / 5))
    assert [c.support for c in (content, ad, navigation, recommendation)] == [3, 1, 2, 0]


def test_the_macro_average_leaves_out_labels_that_occur_nowhere() -> None:
    assert evaluate_predictions(SMALL).macro_f1 == pytest.approx((2 / 3 + 0 + 4 / 5) / 3)


def test_content_f1_counts_characters() -> None:
    # Right: 10 + 20 characters of content. Missed: 30. Wrongly kept: the ad's 40.
    assert evaluate_predictions(SMALL).content_f1 == pytest.approx(2 * 30 / (2 * 30 + 30 + 40))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_figures_agree_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    gold, predicted = map(list, zip(*pairs, strict=True))
    lengths = [1 + i % 7 for i in range(len(gold))]
    evaluation = evaluate_predictions(page(gold, predicted, lengths=lengths), n_bootstrap=0)
    assert evaluation.confusion.tolist() == confusion_matrix(gold, predicted, labels=range(4)).tolist()
    assert evaluation.accuracy == pytest.approx(accuracy_score(gold, predicted))
    assert evaluation.macro_f1 == pytest.approx(f1_score(gold, predicted, average="macro", zero_division=0))
    expected = precision_recall_fscore_support(gold, predicted, labels=range(4), zero_division=0)
    occurs = np.isin(range(4), gold + predicted)
    figures = np.array([(c.precision, c.recall, c.f1, c.support) for c in evaluation.per_class.values()]).T
    np.testing.assert_allclose(figures[:, occurs], np.array(expected)[:, occurs])
    assert np.isnan(figures[:3, ~occurs]).all()
    is_content = np.equal(gold, CONTENT), np.equal(predicted, CONTENT)
    by_characters = f1_score(*is_content, sample_weight=lengths, zero_division=0)
    assert evaluation.content_f1 == pytest.approx(by_characters)


def test_calibration_error_worked_by_hand() -> None:
    # Bins are fifteenths. 0.02 and 0.04: predicted 0.03, observed 0. Twice 0.9: predicted 0.9, observed 0.5.
    reliability = evaluate_predictions(
        content_probabilities([NAVIGATION, NAVIGATION, CONTENT, AD], [0.02, 0.04, 0.9, 0.9])
    ).reliability
    assert reliability.predicted == pytest.approx([0.03, 0.9])
    assert reliability.observed == pytest.approx([0, 0.5])
    assert reliability.count.tolist() == [2, 2]
    assert reliability.error == pytest.approx((2 * 0.03 + 2 * 0.4) / 4)


def test_certainty_falls_into_the_outermost_bins() -> None:
    reliability = evaluate_predictions(content_probabilities([NAVIGATION, CONTENT], [0, 1])).reliability
    assert reliability.predicted.tolist() == reliability.observed.tolist() == [0, 1]
    assert reliability.error == 0


def many_pages(n: int = 40) -> Predictions:
    rng = np.random.default_rng(7)
    pages = []
    for number in range(n):
        gold = rng.integers(0, 4, 30)
        predicted = np.where(rng.random(30) < 0.8, gold, rng.integers(0, 4, 30))
        lengths = rng.integers(1, 200, 30).tolist()
        pages.append(
            page(gold.tolist(), predicted.tolist(), lengths=lengths, site=f"site{number % 8}.example")
        )
    return together(*pages)


def test_intervals_contain_their_figures_and_are_narrow_for_many_pages() -> None:
    evaluation = evaluate_predictions(many_pages())
    assert set(evaluation.intervals) == {"accuracy", "macro_f1", "content_f1"}
    for name, (low, high) in evaluation.intervals.items():
        assert low < getattr(evaluation, name) < high
        assert high - low < 0.1


def test_intervals_depend_on_the_seed_and_nothing_else() -> None:
    predictions = many_pages()
    first = evaluate_predictions(predictions, seed=3).intervals
    assert evaluate_predictions(predictions, seed=3).intervals == first
    assert evaluate_predictions(predictions, seed=4).intervals != first


def test_a_sole_document_has_no_intervals() -> None:
    assert evaluate_predictions(SMALL).intervals == {}
    assert set(evaluate_predictions(together(SMALL, SMALL)).intervals)


def test_intervals_can_be_left_out() -> None:
    assert evaluate_predictions(SMALL, n_bootstrap=0).intervals == {}


def test_documents_and_sites_are_counted() -> None:
    evaluation = evaluate_predictions(many_pages(20))
    assert (evaluation.n_documents, evaluation.n_sites, evaluation.n_lines) == (20, 8, 600)


def test_lines_of_unknown_label_are_not_counted() -> None:
    known = page([CONTENT, AD], [CONTENT, CONTENT], lengths=[5, 6])
    unknown = page([CONTENT, NOT_MAIN, AD, -2], [CONTENT, CONTENT, CONTENT, AD], lengths=[5, 99, 6, 99])
    assert evaluate_predictions(unknown).as_json() == evaluate_predictions(known).as_json()


def test_an_empty_set_has_no_figures_and_no_warnings() -> None:
    evaluation = evaluate_predictions(Predictions([], [], []))
    assert (evaluation.n_documents, evaluation.n_sites, evaluation.n_lines) == (0, 0, 0)
    assert (evaluation.accuracy, evaluation.macro_f1, evaluation.content_f1) == (0, 0, 0)
    assert evaluation.reliability.error == 0
    assert evaluation.intervals == {}
    assert not evaluation.confusion.any()


def test_a_document_without_lines_changes_no_figure() -> None:
    with_empty = evaluate_predictions(together(SMALL, page([], [])), n_bootstrap=0)
    without = evaluate_predictions(SMALL, n_bootstrap=0)
    assert with_empty.confusion.tolist() == without.confusion.tolist()
    assert with_empty.reliability.error == without.reliability.error
    assert with_empty.content_f1 == without.content_f1


def test_resamples_without_a_line_do_not_warn_or_fail() -> None:
    evaluation = evaluate_predictions(together(SMALL, page([], [])))
    assert all(np.isfinite(interval).all() for interval in evaluation.intervals.values())


@pytest.mark.parametrize(("n_labels", "n_predictions"), [(1, 2), (3, 2), (2, 1)])
def test_labels_and_predictions_must_fit_the_lines(n_labels: int, n_predictions: int) -> None:
    document = Document("page-7", ("one", "two"))
    labels = np.zeros(n_labels, dtype=np.int8)
    with pytest.raises(ValueError, match="page-7: 2 lines"):
        Predictions([document], [labels], [np.full((n_predictions, 4), 0.25, dtype=np.float32)])


def test_json_is_plain_and_rounded() -> None:
    figures = evaluate_predictions(SMALL).as_json()
    assert figures["accuracy"] == 0.6667
    assert figures["per_class"]["content"] == {
        "precision": 0.6667,
        "recall": 0.6667,
        "f1": 0.6667,
        "lines": 3,
    }
    assert figures["confusion"][0] == [2, 0, 1, 0]
    assert figures["per_class"]["recommendation"] == {
        "precision": None,
        "recall": None,
        "f1": None,
        "lines": 0,
    }


def test_an_interval_is_called_as_its_figure_in_json() -> None:
    figures = evaluate_predictions(many_pages(4)).as_json()
    assert set(figures["intervals_95"]) == {"accuracy", "macro_f1", "content_f1_by_characters"}
    assert set(figures["intervals_95"]) < set(figures)
