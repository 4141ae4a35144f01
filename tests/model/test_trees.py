"""Trees as arrays say what scikit-learn's say, by numpy and by the kernel."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from boilerplate_ds.model import trees as t
from boilerplate_ds.model.trees import GROVES, LEAVES, TESTS, Trees, fit_trees
from kernels import in_python, same

N_LINES = 3000


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(N_LINES, 12)).astype(np.float32).round(2)  # many lines lie on a threshold


def fit(features: np.ndarray, grove: str) -> tuple[Trees, np.ndarray]:
    """Trees, and what scikit-learn's estimator says of the same lines."""
    noise = np.random.default_rng(1).normal(size=N_LINES)
    score = np.sin(3 * features[:, 0]) + features[:, 1] * features[:, 2] + noise / 2
    edges = np.quantile(score, (0.3, 0.5, 0.7)) if GROVES[grove][1] > 1 else [0]
    answers = np.searchsorted(edges, score).astype(np.int8)
    estimators = []
    with pytest.MonkeyPatch.context() as patch:
        original = HistGradientBoostingClassifier.fit
        patch.setattr(
            HistGradientBoostingClassifier,
            "fit",
            lambda self, *args, **kwargs: estimators.append(self) or original(self, *args, **kwargs),
        )
        trees = fit_trees(features, answers, np.ones(N_LINES, dtype=np.float32), grove=grove)
    assert trees is not None
    return trees, estimators[0].decision_function(features).reshape(N_LINES, -1)


@pytest.mark.parametrize("grove", GROVES)
def test_arrays_say_what_scikit_learn_says(features, grove):
    trees, expected = fit(features, grove)
    assert trees.feature.shape == (GROVES[grove][0] * GROVES[grove][1], TESTS)
    assert np.ptp(expected) > 4
    np.testing.assert_allclose(trees.logits(features), expected, atol=1e-3)


@pytest.mark.parametrize("grove", ["markup.main", "markup.labels"])
@pytest.mark.skipif(t._KERNEL is None, reason="the kernels are not compiled here")
def test_the_kernel_gives_the_same_bits(features, grove):
    trees, _ = fit(features, grove)
    for n in (0, 1, 17, 33, N_LINES):
        compiled = trees.logits(features[:n])
        with in_python():
            same(compiled, trees.logits(features[:n]))


def test_a_strangers_trees_lead_to_no_leaf_that_is_not_there(features):
    rng = np.random.default_rng(1)
    wild = Trees(
        rng.integers(0, 12, (40, TESTS)).astype(np.uint8),
        rng.normal(size=(40, TESTS)).astype(np.float32),
        rng.integers(0, 2**32, (40, TESTS)).astype(np.uint32),
        rng.integers(-(2**31), 2**31, (40, LEAVES)).astype(np.int32),
        np.zeros(4, dtype=np.float32),
    )
    given = wild.logits(features[:100])
    assert given.shape == (100, 4)
    with in_python():
        same(given, wild.logits(features[:100]))


def test_one_answer_alone_gives_no_trees(features):
    weight = np.ones(N_LINES, dtype=np.float32)
    assert fit_trees(features, np.zeros(N_LINES, dtype=np.int8), weight, grove="markup.main") is None
    three = (np.arange(N_LINES) % 3).astype(np.int8)
    assert fit_trees(features, three, weight, grove="markup.labels") is None


def test_thresholds_in_single_precision_send_no_number_elsewhere():
    for threshold in (0.1, -0.1, 1 / 3, 1.0, 1e-40):
        single = t._below(threshold)
        assert float(single) <= threshold < float(np.nextafter(single, np.float32(np.inf)))
