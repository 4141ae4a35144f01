"""Boosted trees over the features of a line, beside the network that reads the same features.

The network sees how lines follow one another, trees see thresholds of single features. Each is right where
the other is wrong, so their answers are mixed. The trees are fitted by scikit-learn's histogram gradient
boosting (after Ke et al., "LightGBM", 2017) and kept as arrays. Nobody walks down them: each test that fails
rules out the leaves on its left, and the first leaf that remains is the one (Lucchese et al., "QuickScorer",
2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.compiled import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

LEAVES = 32
"""Of a tree at most: a bit each. Trees are fitted with one less, as they were when they were tried."""
TESTS = LEAVES - 1
GROVES = {"markup.main": (200, 1), "markup.labels": (100, 4), "text.main": (200, 1)}
"""Rounds of boosting and questions: of lines with markup or without it, about main content or the label."""
MAX_FEATURES = 256
UNIT = 2.0**-20
"""Leaves are whole multiples of this: their sums are exact, in whatever order they are added."""
_LAST_LEAF = np.uint32(1 << (LEAVES - 1))
MIN_LINES = 40
"""Lines that a leaf is fitted to at least."""
ENOUGH = 50 * MIN_LINES
"""Fewer lines are left to the network: their trees would know too little."""
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


def fit_trees(
    features: Floats, answers: NDArray[np.int8], weight: Floats, *, grove: str, seed: int = 0
) -> Trees | None:
    """Fit trees to lines whose answer is known; None if they are too few, or not every answer is there.

    Parameters
    ----------
    features : ndarray of float32, shape (n_lines, n_features)
    answers : ndarray of int8, shape (n_lines,)
        0 or 1 for a question by itself; else the number of the question that each line answers with yes.
    weight : ndarray of float32, shape (n_lines,)
    grove : str
        Which of ``GROVES``.
    seed : int
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    rounds, n_questions = GROVES[grove]
    if features.shape[1] > MAX_FEATURES:
        raise ValueError(f"{features.shape[1]} features; trees can name {MAX_FEATURES}")
    if len(answers) < ENOUGH or len(np.unique(answers)) < max(n_questions, 2):
        return None
    fitted = HistGradientBoostingClassifier(
        max_iter=rounds,
        max_leaf_nodes=LEAVES - 1,
        learning_rate=0.1,
        l2_regularization=5.0,
        min_samples_leaf=MIN_LINES,
        max_features=0.3,
        early_stopping=False,
        random_state=seed,
    ).fit(features, answers, sample_weight=weight)
    grown = [tree.nodes for trees in fitted._predictors for tree in trees]
    # scikit-learn has no public way to its nodes: tests/model/test_trees.py holds what becomes of them
    # against its own predictions
    trees = Trees(
        feature=np.zeros((len(grown), TESTS), dtype=np.uint8),
        threshold=np.full((len(grown), TESTS), np.finfo(np.float32).max, dtype=np.float32),
        out=np.zeros((len(grown), TESTS), dtype=np.uint32),
        value=np.zeros((len(grown), LEAVES), dtype=np.int32),
        bias=np.float32(fitted._baseline_prediction).reshape(-1),
    )
    for number, nodes in enumerate(grown):
        leaves, tests = _in_order(nodes)
        trees.value[number, : len(leaves)] = np.rint(nodes["value"][leaves] / UNIT)
        for place, (node, on_left) in enumerate(tests):
            trees.feature[number, place] = nodes[node]["feature_idx"]
            trees.threshold[number, place] = _below(float(nodes[node]["num_threshold"]))
            trees.out[number, place] = sum(1 << leaf for leaf in on_left)
    return trees


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


def _below(threshold: float) -> np.float32:
    """Give the largest number of single precision that is not above ``threshold``."""
    single = np.float32(threshold)
    return single if float(single) <= threshold else np.nextafter(single, np.float32(-np.inf))
