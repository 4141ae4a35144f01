"""Trees as arrays say what scikit-learn's say, by numpy and by the kernel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from boilerplate_ds.model import trees as t
from boilerplate_ds.model.trees import GROVES, LEAVES, TESTS, Trees, fit_bag, joined
from kernels import in_python, same

N_LINES = 3000


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(N_LINES, 12)).astype(np.float32).round(2)  # many lines lie on a threshold


def answers_to(features: np.ndarray, grove: str) -> np.ndarray:
    noise = np.random.default_rng(1).normal(size=N_LINES)
    score = np.sin(3 * features[:, 0]) + features[:, 1] * features[:, 2] + noise / 2
    edges = np.quantile(score, (0.3, 0.5, 0.7)) if GROVES[grove].questions > 1 else [0]
    return np.searchsorted(edges, score).astype(np.int8)


@pytest.fixture(scope="module", params=GROVES)
def grown(request, features) -> tuple[str, Trees, np.ndarray]:
    """The name of a grove, its trees, and what scikit-learn's estimators say of its lines on average."""
    grove = request.param
    lines = np.arange(N_LINES)
    weight = np.ones(N_LINES, dtype=np.float32)
    answers = answers_to(features, grove)
    said = []
    original = HistGradientBoostingClassifier.fit

    def fit_and_ask(self, levels, *args, **kwargs):
        original(self, levels, *args, **kwargs)
        said.append(self.decision_function(levels).reshape(N_LINES, -1))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HistGradientBoostingClassifier, "fit", fit_and_ask)
        bags = [
            fit_bag(features, lines, answers, weight, grove=grove, number=number)
            for number in range(GROVES[grove].bags)
        ]
    assert len(said) == GROVES[grove].bags
    return grove, joined([bag for bag in bags if bag is not None]), np.mean(said, axis=0)


def test_arrays_say_what_scikit_learn_says(features, grown):
    grove, trees, expected = grown
    plan = GROVES[grove]
    assert trees.feature.shape == (plan.bags * plan.rounds * plan.questions, TESTS)
    assert np.ptp(expected) > 4
    np.testing.assert_allclose(trees.logits(features), expected, atol=1e-3)


def test_levels_part_all_values_where_they_are_few_and_equal_weights_where_they_are_many():
    few = np.float32([0, 0, 1, 5, 5, 7])
    many = np.random.default_rng(0).random(20_000, dtype=np.float32)
    rng = np.random.default_rng(0)
    levels, limits = t._levels(few[:, None], np.arange(6), np.ones(6, dtype=np.float32), rng)
    assert limits[0].tolist() == [0.5, 3, 6]
    assert levels[:, 0].tolist() == [0, 0, 1, 2, 2, 3]
    heavy = np.where(many > 0.9, 9, 1).astype(np.float32)  # half of the weight above 0.9
    levels, limits = t._levels(many[:, None], np.arange(len(many)), heavy, rng)
    assert len(limits[0]) == t.LEVELS - 1
    assert (levels[:, 0] > t.LEVELS / 2).mean() == pytest.approx(0.1, abs=0.01)
    np.testing.assert_array_equal(levels[:, 0], (many[:, None] > limits[0]).sum(axis=1))


def test_trees_read_the_features_that_tell_most(features, monkeypatch):
    plan = GROVES["text.main"]._replace(rounds=40)
    monkeypatch.setitem(GROVES, "text.main", plan)
    noise = np.random.default_rng(2).normal(size=(N_LINES, plan.features)).astype(np.float32)
    among = np.concatenate((noise, features), axis=1)
    answers = answers_to(features, "text.main")
    weight = np.ones(N_LINES, dtype=np.float32)
    trees = fit_bag(among, np.arange(N_LINES), answers, weight, grove="text.main")
    assert trees is not None
    read = set(np.unique(trees.feature[trees.out > 0]).tolist())
    assert len(read) <= plan.features
    assert read >= set(range(plan.features, plan.features + 3))
    assert ((trees.logits(among)[:, 0] > 0) == answers).mean() > 0.8


NEEDS_KERNEL = pytest.mark.skipif(t._KERNEL is None, reason="the kernels are not compiled here")
NUMBERS = np.array([np.inf, -np.inf, np.nan, -0.0, 1e-42, 0.0, 3e38, -3e38, 1, -1, 0.5, 2], dtype=np.float32)


@NEEDS_KERNEL
def test_the_kernel_gives_the_same_bits(features, grown):
    _, trees, _ = grown
    odd = np.stack([np.roll(NUMBERS, i) for i in range(40)])
    for given in (odd, *(features[:n] for n in (0, 1, 17, 32, 33, 64, N_LINES))):
        compiled = trees.logits(given)
        with in_python():
            same(compiled, trees.logits(given))


def wild(limit: int) -> Trees:
    """Give tables of a stranger, any number in each place; leaves up to ``limit``."""
    rng = np.random.default_rng(1)
    return Trees(
        rng.integers(0, 12, (40, TESTS)).astype(np.uint8),
        rng.normal(size=(40, TESTS)).astype(np.float32),
        rng.integers(0, 2**32, (40, TESTS)).astype(np.uint32),
        rng.integers(-limit, limit, (40, LEAVES)).astype(np.int32),
        np.zeros(4, dtype=np.float32),
    )


@pytest.mark.parametrize("width", [128, 256, 512])
@pytest.mark.parametrize("limit", [100, 2**29, 2**31])  # all trees, a few, or one by one fit into 32 bits
@NEEDS_KERNEL
def test_vectors_of_any_size_give_the_same_sums_of_anything(features, limit, width):
    trees = wild(limit)
    odd = np.stack([np.roll(NUMBERS, i) for i in range(40)])
    for given in (odd, np.ascontiguousarray(features[:100, :12])):
        tables = trees.feature, trees.threshold, trees.out, trees.value
        same(t._KERNEL.sums(given, *tables, 4, width=width), trees._sums(given))


def test_a_strangers_trees_lead_to_no_leaf_that_is_not_there(features):
    trees = wild(2**31)
    given = trees.logits(features[:100])
    assert given.shape == (100, 4)
    with in_python():
        same(given, trees.logits(features[:100]))


def test_trees_that_do_not_fit_their_input_are_refused_with_and_without_the_kernel(features):
    trees = wild(100)
    lame = replace(trees, bias=np.zeros(3, dtype=np.float32))
    mute = replace(trees, bias=np.zeros(0, dtype=np.float32))
    cases = [
        (trees, features[:, :1].copy(), "not there"),
        (lame, features, "alike"),
        (mute, features, "alike"),
    ]
    for wrong, given, message in cases:
        with pytest.raises(ValueError, match=message):
            wrong.logits(given)
        with in_python(), pytest.raises(ValueError, match=message):
            wrong.logits(given)


def test_too_few_lines_or_one_answer_alone_give_no_trees(features):
    weight = np.ones(N_LINES, dtype=np.float32)
    lines = np.arange(N_LINES)
    few = lines[: t.ENOUGH - 1]
    answers = (few % 2).astype(np.int8)
    assert fit_bag(features, few, answers, weight[few], grove="markup.main") is None
    assert fit_bag(features, lines, np.zeros(N_LINES, dtype=np.int8), weight, grove="markup.main") is None
    three = (lines % 3).astype(np.int8)
    assert fit_bag(features, lines, three, weight, grove="markup.labels") is None
