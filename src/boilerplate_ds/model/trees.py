"""Boosted trees over the features of a line, beside the network that reads the same features.

The network sees how lines follow one another, trees see thresholds of single features. Each is right where
the other is wrong, so their answers are mixed. The trees are fitted by scikit-learn's histogram gradient
boosting (after Ke et al., "LightGBM", 2017) and kept as arrays. Nobody walks down them: each test that fails
rules out the leaves on its left, and the first leaf that remains is the one (Lucchese et al., "QuickScorer",
2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from boilerplate_ds.compiled import kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

LEAVES = 32
"""Of a tree at most: a bit each. Trees are fitted with one less, as they were when they were tried."""
TESTS = LEAVES - 1
MAX_FEATURES = 256


class Grove(NamedTuple):
    """How trees that answer one kind of question are grown."""

    rounds: int
    questions: int
    lines: int
    """That a bag learns from at most, drawn at random."""
    features: int
    """That they read at most: those that gain most in a few trees grown before."""
    share: float
    """Of these, drawn at random, of which a test reads the best."""
    bags: int = 1
    """Grown apart, each with so many rounds, and averaged."""
    trees_share: float = 0.5
    """Weight of their logits; that of the network's is what is left of one."""


GROVES = {
    "markup.labels": Grove(100, 4, 250_000, 128, 0.4),
    "text.labels": Grove(60, 4, 300_000, 128, 0.4, trees_share=0.3),
    "text.main": Grove(200, 1, 800_000, 80, 0.5),
    "markup.main": Grove(200, 1, 250_000, 128, 0.3, bags=2),
}
"""Of lines with markup or without it, about main content or the label; the bags that take longest first."""
UNIT = 2.0**-20
"""Leaves are whole multiples of this: their sums are exact, in whatever order they are added."""
_LAST_LEAF = np.uint32(1 << (LEAVES - 1))
MIN_LINES = 40
"""Lines that a leaf is fitted to at least."""
ENOUGH = 50 * MIN_LINES
"""Fewer lines are left to the network: their trees would know too little."""
PILOT_ROUNDS, PILOT_LINES = 20, 100_000
LEVELS = 255
"""Values of a feature that tests tell apart at most: those of a byte but one, which scikit-learn keeps."""
_DRAWN = 200_000
"""Lines from which the limits of levels are taken."""
_AT_ONCE = 200
"""Lines that numpy reads together: what it makes of them stays in the processor's cache."""
_KERNEL = kernel("boilerplate_ds.model.trees_kernel")


@dataclass(frozen=True, slots=True)
class Trees:
    """Tests and leaves of trees; the trees of one boosting round answer one question each, in turn.

    Parameters
    ----------
    feature : ndarray of uint8, shape (n_trees, TESTS)
        The column that a test reads.
    threshold : ndarray of float32, shape (n_trees, TESTS)
        A test fails where its feature is above this.
    out : ndarray of uint32, shape (n_trees, TESTS)
        Bits of the leaves that are out of question if the test fails: those on its left.
    value : ndarray of int32, shape (n_trees, LEAVES)
        What a leaf adds to its question's logit, in multiples of ``UNIT``.
    bias : ndarray of float32, shape (n_questions,)
    """

    feature: NDArray[np.uint8]
    threshold: Floats
    out: NDArray[np.uint32]
    value: NDArray[np.int32]
    bias: Floats

    def logits(self, features: Floats) -> Floats:
        """Answer every question for each line.

        Parameters
        ----------
        features : ndarray of float32, shape (n_lines, 256 or fewer)

        Returns
        -------
        ndarray of float32, shape (n_lines, n_questions)

        Raises
        ------
        ValueError
            If a test reads a column that is not there, or some questions have more trees than others.
        """
        n_questions = len(self.bias)
        if not n_questions or len(self.feature) % n_questions:
            raise ValueError(f"{len(self.feature)} trees can't answer {n_questions} questions alike")
        if _KERNEL is not None:
            sums = _KERNEL.sums(features, self.feature, self.threshold, self.out, self.value, n_questions)
        elif self.feature.max() >= features.shape[1]:
            raise ValueError("a tree reads a feature that is not there")
        else:
            sums = np.zeros((len(features), n_questions), dtype=np.int64)
            for first in range(0, len(features), _AT_ONCE):
                rows = slice(first, first + _AT_ONCE)
                sums[rows] = self._sums(features[rows])
        logits: Floats = (sums * UNIT).astype(np.float32) + self.bias
        return logits

    def _sums(self, features: Floats) -> NDArray[np.int64]:
        by_feature = np.ascontiguousarray(features.T)
        read = np.empty((len(self.value), len(features)), dtype=np.float32)
        out, all_out = np.zeros((2, *read.shape), dtype=np.uint32)
        for test in range(TESTS):
            np.take(by_feature, self.feature[:, test], axis=0, out=read, mode="clip")
            fails = read > self.threshold[:, test, None]
            np.multiply(fails.view(np.uint8), self.out[:, test, None], out=out)
            all_out |= out
        remain = ~all_out | _LAST_LEAF
        lowest = (remain & (~remain + np.uint32(1))).astype(np.float32)
        first = (lowest.view(np.int32) >> 23) - 127  # the exponent of a power of two
        values = np.take_along_axis(self.value, first, axis=1).astype(np.int64)
        sums: NDArray[np.int64] = values.reshape(-1, len(self.bias), len(features)).sum(axis=0).T
        return sums


def fit_bag(
    features: Floats,
    lines: NDArray[np.int64],
    answers: NDArray[np.int8],
    weight: Floats,
    *,
    grove: str,
    number: int = 0,
    seed: int = 0,
) -> Trees | None:
    """Fit one of a grove's bags to lines whose answer is known, with its share of the logits.

    None if they are too few, or not every answer is there.

    Parameters
    ----------
    features : ndarray of float32, shape (n_lines, n_features)
    lines : ndarray of int64, shape (n_known,)
        Rows of ``features`` whose answers are known.
    answers : ndarray of int8, shape (n_known,)
        0 or 1 for a question by itself; else the number of the question that each line answers with yes.
    weight : ndarray of float32, shape (n_known,)
    grove : str
        Which of ``GROVES``.
    number : int
        Which of its bags.
    seed : int
    """
    plan = GROVES[grove]
    if features.shape[1] > MAX_FEATURES:
        raise ValueError(f"{features.shape[1]} features; trees can name {MAX_FEATURES}")
    rng = np.random.default_rng(seed + number)
    some = np.sort(rng.permutation(len(lines))[: plan.lines])
    lines, answers, weight = lines[some], answers[some], weight[some]
    if len(some) < ENOUGH or len(np.unique(answers)) < max(plan.questions, 2):
        return None
    levels, limits = _levels(features, lines, weight, rng)
    read: NDArray[np.intp] = np.arange(features.shape[1])
    if len(read) > plan.features:
        few = np.sort(rng.permutation(len(lines))[:PILOT_LINES])
        gain = np.zeros(len(read))
        pilot = plan._replace(rounds=PILOT_ROUNDS)
        for nodes in _grown(levels[few], answers[few], weight[few], pilot, rng)[0]:
            np.add.at(gain, nodes["feature_idx"], nodes["gain"] * (nodes["is_leaf"] == 0))
        read = np.sort(np.argsort(-gain, kind="stable")[: plan.features])
        levels = levels[:, read]
    grown, bias = _grown(levels, answers, weight, plan, rng)
    trees = Trees(
        feature=np.zeros((len(grown), TESTS), dtype=np.uint8),
        threshold=np.full((len(grown), TESTS), np.finfo(np.float32).max, dtype=np.float32),
        out=np.zeros((len(grown), TESTS), dtype=np.uint32),
        value=np.zeros((len(grown), LEAVES), dtype=np.int32),
        bias=bias,
    )
    for tree, nodes in enumerate(grown):
        leaves, tests = _in_order(nodes)
        trees.value[tree, : len(leaves)] = np.rint(nodes["value"][leaves] / (plan.bags * UNIT))
        for place, (node, on_left) in enumerate(tests):
            feature = read[nodes[node]["feature_idx"]]
            trees.feature[tree, place] = feature
            trees.threshold[tree, place] = limits[feature][int(nodes[node]["num_threshold"])]
            trees.out[tree, place] = sum(1 << leaf for leaf in on_left)
    return trees


def joined(bags: Sequence[Trees]) -> Trees:
    """Make the bags of a grove one."""
    feature, threshold, out, value = (
        np.concatenate([getattr(bag, name) for bag in bags])
        for name in ("feature", "threshold", "out", "value")
    )
    return Trees(feature, threshold, out, value, np.mean([bag.bias for bag in bags], axis=0))


def _levels(
    features: Floats, lines: NDArray[np.int64], weight: Floats, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], list[Floats]]:
    """Cut each feature into levels: give those of every line, and the upper limits of all but the last.

    Limits are halfway between values, or where equal shares of the weight end. scikit-learn would do the
    same, but sorts all lines anew for each limit where they are few (1.9).
    """
    share = weight.astype(np.float64)
    share /= share.sum()
    drawn = lines[rng.choice(len(lines), min(_DRAWN, 10 * len(lines)), p=share)]
    levels = np.empty((len(lines), features.shape[1]), dtype=np.uint8, order="F")
    limits = []
    for number, column in enumerate(features.T):
        values = np.sort(column[drawn])
        distinct = np.unique(values)
        if len(distinct) > LEVELS:
            ends = np.arange(1, LEVELS) * len(values) // LEVELS
            limits.append(np.unique(values[ends]))
        else:
            limits.append((distinct[:-1] + distinct[1:]) / 2)
        levels[:, number] = np.searchsorted(limits[-1], column[lines])
    return levels, limits


def _grown(
    levels: NDArray[np.uint8],
    answers: NDArray[np.int8],
    weight: Floats,
    plan: Grove,
    rng: np.random.Generator,
) -> tuple[list[NDArray[np.void]], Floats]:
    """Grow trees on levels of features; give the nodes of each, and the bias of each question."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    estimator = HistGradientBoostingClassifier(
        max_iter=plan.rounds,
        max_leaf_nodes=LEAVES - 1,
        learning_rate=0.1,
        l2_regularization=5.0,
        min_samples_leaf=MIN_LINES,
        max_features=plan.share,
        early_stopping=False,
        random_state=int(rng.integers(2**32)),
    )
    with threadpool_limits(1, user_api="openmp"):  # sums are the same however many cores there are
        estimator.fit(levels.astype(np.float64, order="F"), answers, sample_weight=weight)
    # scikit-learn has no public way to its nodes: tests/model/test_trees.py holds what becomes of them
    # against its own predictions
    nodes = [tree.nodes for trees in estimator._predictors for tree in trees]
    return nodes, np.float32(estimator._baseline_prediction).reshape(-1)


def _in_order(nodes: NDArray[np.void]) -> tuple[list[int], list[tuple[int, range]]]:
    """Give a tree's leaves from left to right, and its tests with the leaves on the left of each."""
    leaves: list[int] = []
    tests: list[tuple[int, range]] = []
    waiting: list[tuple[int, int]] = [(0, -1)]  # nodes to go to; tests whose left is done, where it began
    while waiting:
        node, first = waiting.pop()
        if first >= 0:
            tests.append((node, range(first, len(leaves))))
            waiting.append((int(nodes[node]["right"]), -1))
        elif nodes[node]["is_leaf"]:
            leaves.append(node)
        else:
            waiting += [(node, len(leaves)), (int(nodes[node]["left"]), -1)]
    return leaves, tests
