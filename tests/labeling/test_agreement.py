"""Agreement: the figures are those of scikit-learn, of the papers and of the corpus's own description."""

from __future__ import annotations

import json
from math import isnan
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from boilerplate_ds.document import Annotation, decode_runs
from boilerplate_ds.errors import DatasetError
from boilerplate_ds.labeling import agreement as module
from boilerplate_ds.labeling.agreement import collect_ratings, fleiss_kappa, measure_agreement
from boilerplate_ds.labeling.store import LabelStore

PASSES = Path(__file__).resolve().parents[2] / "labels" / "standoff" / "lines-dev-passes"
SHA = "0" * 64


def annotation(doc_id: str, annotator: str, runs: str, sha: str = SHA) -> Annotation:
    return Annotation(doc_id, sha, annotator, decode_runs(runs))


THREE = [
    annotation("p", "ana", "2n 4c 1a"),
    annotation("p", "ben", "3n 3c 1a"),
    annotation("q", "ana", "2c 2r"),
    annotation("q", "ben", "2c 1n 1r"),
    annotation("q", "cleo", "2c 2r"),
    annotation("r", "cleo", "9c"),  # nobody else has labelled it
]


def test_the_figures_of_the_two_passes_are_those_the_corpus_states():
    stored = LabelStore(PASSES).latest().values()
    found = measure_agreement(collect_ratings([s.annotation for s in stored], {}))
    (pair,) = found.pairs
    assert (found.n_documents, found.n_lines, found.differing) == (55, 4398, 76)
    assert round(pair.kappa.value, 3) == 0.971
    assert (pair.kappa.low, pair.kappa.high) == pytest.approx((0.948, 0.988), abs=0.004)
    assert [round(figure.value, 3) for figure in pair.per_label.values()] == [0.974, 0.973, 0.972, 0.951]
    assert round(pair.share.value, 3) == 0.983
    assert round(found.alpha.value, 3) == 0.971


def test_each_figure_is_over_the_lines_that_two_annotators_have_labelled():
    found = measure_agreement(collect_ratings(THREE, {("p", SHA): "one.example", ("q", SHA): "two.example"}))
    assert (found.annotators, found.n_documents, found.n_lines) == (("ana", "ben", "cleo"), 2, 11)
    assert found.differing == 2
    assert [(pair.annotators, pair.n_lines) for pair in found.pairs] == [
        (("ana", "ben"), 11),
        (("ana", "cleo"), 4),
        (("ben", "cleo"), 4),
    ]
    assert found.pairs[0].confusion[0].tolist() == [5, 0, 1, 0]
    assert [(group.name, group.site, group.differing) for group in found.documents] == [
        ("q", "two.example", 1),
        ("p", "one.example", 1),
    ]
    assert [group.name for group in found.sites] == ["two.example", "one.example"]
    assert found.fleiss is None  # two labels a line in one document, three in the other


def test_alpha_is_that_of_the_library_where_labels_are_missing():
    ratings = collect_ratings(THREE, {})
    data = np.where(ratings.labels < 0, np.nan, ratings.labels)
    expected = krippendorff.alpha(reliability_data=data, level_of_measurement="nominal")
    assert measure_agreement(ratings).alpha.value == pytest.approx(expected)


def test_fleiss_kappa_is_that_of_the_known_example():
    """Ten subjects, 14 raters, 5 categories: the worked example of Wikipedia's article, κ 0.210."""
    counts = np.array(
        [
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7],
        ]
    )
    assert fleiss_kappa(counts) == pytest.approx(0.210, abs=0.0005)


@given(st.integers(0, 10_000))
def test_the_formulas_for_resamples_are_those_of_the_libraries(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (2, 40)).astype(np.int8)
    labels[1] = np.where(rng.random(40) < 0.6, labels[0], labels[1])
    names = ("ana", "ben")
    annotations = [Annotation("p", SHA, name, row) for name, row in zip(names, labels, strict=True)]
    found = measure_agreement(collect_ratings(annotations, {}), n_bootstrap=0)
    confusion = found.pairs[0].confusion.astype(float)
    assert module.kappas(confusion) == pytest.approx(cohen_kappa_score(*labels))
    expected = krippendorff.alpha(reliability_data=labels.astype(float), level_of_measurement="nominal")
    assert found.documents[0].alpha == pytest.approx(expected)
    assert found.alpha.value == pytest.approx(expected)
    assert isnan(found.alpha.low)


def test_where_only_one_label_occurs_no_figure_is_made_up():
    found = measure_agreement(collect_ratings([annotation("p", name, "5c") for name in "ab"], {}))
    assert isnan(found.alpha.value)
    assert isnan(found.pairs[0].kappa.value)
    assert found.share.value == 1
    record = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert record["krippendorff_alpha"] == {"value": None, "low": None, "high": None}


def test_labels_of_other_lines_and_decisions_do_not_meet_those_of_annotators():
    others = [
        annotation("p", "dan", "7c", sha="1" * 64),
        annotation("p", "adjudicated", "7c"),
        annotation("p", "eve", "1c"),
    ]
    assert collect_ratings([*THREE, *others], {}).annotators == ("ana", "ben", "cleo")


def test_nothing_to_compare_is_an_error():
    with pytest.raises(DatasetError, match="two annotators"):
        collect_ratings([annotation("p", "ana", "1c"), annotation("q", "ben", "1c")], {})


def test_the_same_annotations_give_the_same_intervals():
    ratings = collect_ratings(THREE, {})
    assert measure_agreement(ratings).as_json() == measure_agreement(ratings).as_json()
