"""The second stage: gradients by hand are gradients by differences, and documents do not leak."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from boilerplate_ds.document import MAIN, NOT_MAIN
from boilerplate_ds.model import network as n
from boilerplate_ds.model.network import Network, Schedule, Targets, fit_network

ENDS = np.array([0, 7, 8, 30])


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)


@pytest.fixture
def targets() -> Targets:
    rng = np.random.default_rng(1)
    labels = rng.choice([0, 1, 2, 3, NOT_MAIN, MAIN, MAIN - 1], 30).astype(np.int8)
    main = rng.choice([-1, 0, 1], 30).astype(np.int8)
    weights = rng.random((2, 30)).astype(np.float32)
    return Targets(labels, main, *weights)


def test_gradients_match_finite_differences(features, targets):
    network = Network.initial(features, seed=0)
    layout = n._Layout(ENDS)
    inputs = features.astype(np.float64)
    dropped = [
        n._dropout(np.random.default_rng(3 + i), (layout.n_rows, n.HIDDEN), 0.2)
        for i in range(len(n.DILATIONS))
    ]
    p = {name: values.astype(np.float64) for name, values in network.parameters.items()}

    def loss() -> tuple[float, np.ndarray, n._Pass]:
        state = n._forward(p, inputs, layout, dropped)
        value, grad = n._loss_gradient(state.logits[layout.rows], targets)
        full = np.zeros_like(state.logits)
        full[layout.rows] = grad
        return value, full, state

    _, grad, state = loss()
    grads = n._backward(p, state, grad, layout, dropped)
    rng = np.random.default_rng(2)
    for name, values in grads.items():
        for _ in range(6):
            index = tuple(rng.integers(size) for size in p[name].shape)
            kept = p[name][index]
            p[name][index] = kept + 1e-5
            up = loss()[0]
            p[name][index] = kept - 1e-5
            down = loss()[0]
            p[name][index] = kept
            assert values[index] == pytest.approx((up - down) / 2e-5, abs=2e-4), name


def test_a_document_does_not_see_its_neighbours(features):
    network = Network.initial(features, seed=0).folded()
    together = network.logits(features, ENDS)
    for first, last in pairwise(ENDS):
        alone = network.logits(features[first:last], np.array([0, last - first]))
        np.testing.assert_allclose(together[first:last], alone, atol=1e-5)


def test_empty_documents_among_others_change_nothing(features):
    network = Network.initial(features, seed=0).folded()
    with_empty = network.logits(features, np.array([0, 0, 7, 7, 8, 30, 30]))
    np.testing.assert_allclose(with_empty, network.logits(features, ENDS), atol=1e-5)


def test_a_feature_that_never_varied_is_not_read(features):
    features[:, 2] = 3.0
    network = Network.initial(features, seed=0).folded()
    other = features.copy()
    other[:, 2] = -1000.0
    np.testing.assert_array_equal(network.logits(features, ENDS), network.logits(other, ENDS))


def test_training_lowers_the_loss(features, targets):
    def loss(network: Network) -> float:
        return n._loss_gradient(network.logits(features, ENDS), targets)[0]

    trained = fit_network(features.copy(), ENDS, targets, schedule=Schedule(epochs=40))
    assert loss(trained) < 0.7 * loss(Network.initial(features, seed=0).folded())


def test_an_epoch_takes_one_view_of_each_page():
    ends = np.arange(0, 60, 10)
    taken = n._batches(ends, 1000, np.random.default_rng(0), ["a", "a", "b", "b", "c"])
    pages = ["aabbc"[i] for i in np.concatenate(taken)]
    assert sorted(pages) == ["a", "b", "c"]


def test_folding_changes_no_logit(features):
    network = Network.initial(features, seed=0)
    scaled = (features - network.parameters["mean"]) * network.parameters["scale"]
    np.testing.assert_allclose(
        network.folded().logits(features, ENDS), network.logits(scaled, ENDS), atol=1e-5
    )
