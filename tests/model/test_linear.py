"""The first stage: linear models over hashed tokens."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression

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
    original = LogisticRegression.fit

    def counting(self, given, *args, **kwargs):
        rows.append(given.shape[0])
        return original(self, given, *args, **kwargs)

    monkeypatch.setattr(LogisticRegression, "fit", counting)
    once = fit_linear(matrix, labels, main, 3 * weight)
    thrice = fit_linear(vstack([matrix] * 3, format="csr"), *(np.tile(a, 3) for a in (labels, main, weight)))
    assert rows[: len(rows) // 2] == rows[len(rows) // 2 :] == [n, int((labels > 0).sum())]
    np.testing.assert_array_equal(once.weights, thrice.weights)
    np.testing.assert_array_equal(once.bias, thrice.bias)


def test_the_same_line_with_two_answers_teaches_both():
    matrix = vstack([lines(40, 10)] * 2, format="csr")
    labels = np.repeat(np.int8([0, 2]), 40)
    weight = np.repeat([3.0, 1.0], 40)
    model = fit_linear(matrix, labels, np.full(80, UNREVIEWED, dtype=np.int8), weight)
    content = 1 / (1 + np.exp(-(matrix @ model.weights + model.bias)[:, 1]))
    np.testing.assert_allclose(content, 0.75, atol=0.02)
