"""The first stage: linear models over hashed tokens."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix, diags, vstack
from sklearn.linear_model import LogisticRegression

from boilerplate_ds.model import linear
from boilerplate_ds.model.linear import fit_linear

UNREVIEWED = -1


def lines(n_lines: int, n_buckets: int) -> csr_matrix:
    rng = np.random.default_rng(0)
    dense = (rng.random((n_lines, n_buckets)) < 0.2) * rng.random((n_lines, n_buckets))
    dense[:, 0] = 0
    return csr_matrix(dense.astype(np.float32))


def test_a_line_that_stands_there_three_times_counts_as_one_of_three_times_the_weight(monkeypatch):
    n, rng = 200, np.random.default_rng(1)
    matrix = lines(n, 30)
    labels = rng.integers(0, 4, n).astype(np.int8)
    main = np.full(n, UNREVIEWED, dtype=np.int8)
    weight = rng.integers(1, 4, n).astype(float)
    rows = []
    original = linear._minimum

    def counting(given, *args):
        rows.append(given.shape[0])
        return original(given, *args)

    monkeypatch.setattr(linear, "_minimum", counting)
    once = fit_linear(matrix, labels, main, 3 * weight)
    thrice = fit_linear(vstack([matrix] * 3, format="csr"), *(np.tile(a, 3) for a in (labels, main, weight)))
    assert rows[: len(rows) // 2] == rows[len(rows) // 2 :] == [n, int((labels > 0).sum())]
    np.testing.assert_array_equal(once.weights, thrice.weights)
    np.testing.assert_array_equal(once.bias, thrice.bias)


@pytest.mark.parametrize("n_answers", [2, 3])
def test_the_minimum_is_the_one_that_scikit_learn_finds(n_answers):
    n, rng = 400, np.random.default_rng(2)
    matrix = csr_matrix(lines(n, 30) @ diags(np.geomspace(0.1, 2, 30).astype(np.float32)))
    true = rng.normal(size=(30, n_answers))
    answers = (matrix @ true + rng.gumbel(size=(n, n_answers))).argmax(axis=1)
    weight = rng.integers(1, 4, n).astype(float)
    fitted = linear._minimum(matrix, answers, weight, 3.0)
    model = LogisticRegression(C=3.0, tol=1e-8, max_iter=10_000).fit(matrix, answers, sample_weight=weight)
    expected = model.predict_proba(matrix)
    model.coef_, model.intercept_ = fitted[:-1].T, fitted[-1]
    np.testing.assert_allclose(model.predict_proba(matrix), expected, atol=0.005)


def test_the_same_line_with_two_answers_teaches_both():
    matrix = vstack([lines(40, 10)] * 2, format="csr")
    labels = np.repeat(np.int8([0, 2]), 40)
    weight = np.repeat([3.0, 1.0], 40)
    model = fit_linear(matrix, labels, np.full(80, UNREVIEWED, dtype=np.int8), weight)
    content = 1 / (1 + np.exp(-(matrix @ model.weights + model.bias)[:, 1]))
    np.testing.assert_allclose(content, 0.75, atol=0.02)
