"""The second stage: gradients, documents that do not leak, and what rounding costs."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest

from boilerplate_ds.document import MAIN, NOT_MAIN
from boilerplate_ds.model import network as n
from boilerplate_ds.model import network_training as training
from boilerplate_ds.model.network import Network
from boilerplate_ds.model.network_training import Schedule, Targets, fit_network, initial
from kernels import same

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


def untrained(features: np.ndarray, ends: np.ndarray = ENDS) -> Network:
    """A network as it is before training, rounded."""
    p = initial(features, seed=0)
    return Network.rounded(p, training._highest(p, features, ends, 1000))


def test_gradients_match_finite_differences(features, targets):
    layout = training._Layout(ENDS)
    inputs = features.astype(np.float64)
    dropped = [
        training._dropout(np.random.default_rng(3 + i), (layout.n_rows, n.HIDDEN), 0.2)
        for i in range(len(n.DILATIONS))
    ]
    p = {name: values.astype(np.float64) for name, values in initial(features, seed=0).items()}

    def loss() -> tuple[float, np.ndarray, training._Pass]:
        state = training._forward(p, inputs, layout, dropped)
        value, grad = training._loss_gradient(state.logits[layout.rows], targets)
        full = np.zeros_like(state.logits)
        full[layout.rows] = grad
        return value, full, state

    _, grad, state = loss()
    grads = training._backward(p, state, grad, layout, dropped)
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
    network = untrained(features)
    together = network.logits(features, ENDS)
    for first, last in pairwise(ENDS):
        alone = network.logits(features[first:last], np.array([0, last - first]))
        same(together[first:last], alone)


def test_empty_documents_among_others_change_nothing(features):
    network = untrained(features)
    with_empty = network.logits(features, np.array([0, 0, 7, 7, 8, 30, 30]))
    same(with_empty, network.logits(features, ENDS))


def test_a_feature_that_never_varied_is_not_read(features):
    features[:, 2] = 3.0
    network = untrained(features)
    other = features.copy()
    other[:, 2] = -1000.0
    np.testing.assert_array_equal(network.logits(features, ENDS), network.logits(other, ENDS))


def test_training_lowers_the_loss(features, targets):
    def loss(network: Network) -> float:
        return training._loss_gradient(network.logits(features, ENDS), targets)[0]

    trained = fit_network(features.copy(), ENDS, targets, schedule=Schedule(epochs=40))
    assert loss(trained) < 0.7 * loss(untrained(features))


def test_an_epoch_takes_one_view_of_each_page():
    ends = np.arange(0, 60, 10)
    taken = training._batches(ends, 1000, np.random.default_rng(0), ["a", "a", "b", "b", "c"])
    pages = ["aabbc"[i] for i in np.concatenate(taken)]
    assert sorted(pages) == ["a", "b", "c"]


def test_rounding_changes_logits_little(features):
    p = initial(features, seed=0)
    layout = training._Layout(ENDS)
    trained = training._forward(p, (features - p["mean"]) * p["scale"], layout).logits[layout.rows]
    rounded = untrained(features).logits(features, ENDS)
    assert np.square(rounded - trained).mean() < (0.02 * trained.std()) ** 2


def test_a_network_that_has_read_is_pickled_without_what_it_made_for_this_processor(features):
    network = untrained(features)
    before = pickle.dumps(network)
    logits = network.logits(features, ENDS)
    assert pickle.dumps(network) == before
    same(pickle.loads(before).logits(features, ENDS), logits)


def test_documents_of_other_lines_are_refused(features):
    network = untrained(features)
    for ends in ([0, 4], [3, 30], [0, 31]):
        with pytest.raises(ValueError, match="documents of the lines"):
            network.logits(features, np.array(ends))


def test_features_far_from_zero_are_read_around_their_mean(features):
    """What rounding takes from a weight must not come back times the mean of its feature."""
    p = initial(features + np.float32(10), seed=0)
    highest = training._highest(p, features + np.float32(10), ENDS, 1000)
    layout = training._Layout(ENDS)
    inputs = (features + np.float32(10) - p["mean"]) * p["scale"]
    trained = training._forward(p, inputs, layout).logits[layout.rows]
    rounded = Network.rounded(p, highest).logits(features + np.float32(10), ENDS)
    assert np.square(rounded - trained).mean() < (0.03 * trained.std()) ** 2


def test_documents_without_lines_do_not_say_how_high_channels_go(features):
    p = initial(features, seed=0)
    ends = np.array([0, 0, 7, 7, 8, 30, 30])
    for high, again in zip(
        training._highest(p, features, ends, 1000), training._highest(p, features, ENDS, 1000), strict=True
    ):
        np.testing.assert_allclose(high, again, rtol=1e-5)


def test_sums_of_products_stay_whole_in_single_precision():
    features = np.random.default_rng(0).normal(size=(30, 256)).astype(np.float32)
    p = initial(features, seed=0)
    p["in.weight"][:] = np.abs(p["in.weight"]).max()  # the worst: all alike
    weights = Network.rounded(p, [np.ones(n.HIDDEN, np.float32)] * 4).parameters
    into = np.abs(weights["in.weight"].astype(np.int64)).sum(axis=0).max()
    assert 0.9 * n.MOST_WEIGHT < into <= n.MOST_WEIGHT
    assert n.MOST_WEIGHT * n.TOP_FEATURE < 2**24
    assert n.TOP_CHANNEL * n.TOP_WEIGHT * n.HIDDEN * n.WIDTH < 2**24
    assert n.TOP_CHANNEL * n.FINER * n.TOP_WEIGHT * n.HIDDEN < 2**24
