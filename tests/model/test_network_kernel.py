"""The network's kernel gives what its Python definition gives, and both what training computes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate_ds.model import network as n
from boilerplate_ds.model import network_training as training
from boilerplate_ds.model.network import Network
from boilerplate_ds.model.runtime import Reading, _answers
from kernels import in_python, same

NEEDS_KERNEL = pytest.mark.skipif(n._KERNEL is None, reason="the kernels are not compiled here")
SIZES = ([1], [5, 0, 3], [0, 5, 0], [1] * 200, [31, 32, 33, 64, 65, 1], [1_400, 1, 200, 3_000, 0, 10])


def read(sizes: list[int], n_features: int = 20, scale: float = 1) -> tuple[np.ndarray, Network, np.ndarray]:
    """Features, a network that never saw the like of some of them, and its logits."""
    ends = np.concatenate(([0], np.cumsum(sizes)))
    features = np.random.default_rng(0).normal(size=(ends[-1], n_features)).astype(np.float32)
    p = training.initial(features + np.float32(0.1), seed=0)
    network = Network.rounded(p, training._highest(p, features, ends[[0, -1]], 1000))
    features *= np.float32(scale)
    return features, network, network.logits(features, ends)


@NEEDS_KERNEL
@pytest.mark.parametrize("scale", [1, 1e3, 1e30])
@pytest.mark.parametrize("n_features", [1, 20, 33])
@pytest.mark.parametrize("sizes", SIZES)
def test_logits_are_those_of_the_definition(sizes, n_features, scale, monkeypatch):
    with in_python():
        python = read(sizes, n_features, scale)[-1]
    for width in {0, 256, n._KERNEL.vectors()}:
        if width <= n._KERNEL.vectors():
            monkeypatch.setattr(n._KERNEL, "vectors", lambda width=width: width)  # as another processor has
            same(read(sizes, n_features, scale)[-1], python)
            monkeypatch.undo()


def test_columns_left_out_at_the_end_count_as_zero():
    features, network, _ = read([47])
    ends = np.array([0, 7, 47])
    features[:, 12:] = 0
    same(network.logits(features[:, :12].copy(), ends), network.logits(features, ends))


@pytest.mark.skipif(n._KERNEL is None or not n._KERNEL.vectors(), reason="no vectors to read with here")
def test_layers_that_do_not_fit_are_refused():
    features, network, _ = read([5])
    ends, width = np.array([0, 5]), n._KERNEL.vectors()
    first, blocks, last = network._packed
    with pytest.raises(ValueError, match="every feature"):
        n._KERNEL.read(np.zeros((5, 40), dtype=np.float32), ends, first, blocks, last, width)
    with pytest.raises(IndexError, match="after the last line"):
        n._KERNEL.read(features, np.array([0, 6]), first, blocks, last, width)
    with pytest.raises(ValueError, match="weights of int"):
        n._KERNEL.read(features, ends, first, [(*blocks[0][:-1], blocks[0][-1][:2])], last, width)
    with pytest.raises(ValueError, match="weights of int16"):
        n._KERNEL.read(features, ends, first, [(*blocks[0][:3], first[1], *blocks[0][4:])], last, width)
    with pytest.raises(ValueError, match="blocks"):
        n._KERNEL.read(features, ends, first, [], last, width)
    with pytest.raises(ValueError, match="a grid for each input"):
        n._KERNEL.read(features, ends, first, blocks, (last[0][:-1], *last[1:]), width)
    with pytest.raises(ValueError, match="no vectors of 1024 bits"):
        n._KERNEL.read(features, ends, first, blocks, last, 1024)


@NEEDS_KERNEL
@given(st.lists(st.tuples(*[st.floats(-1e4, 1e4, width=32)] * 5), min_size=1))
def test_answers_are_those_of_the_definition(rows):
    logits = np.array(rows, dtype=np.float32)
    compiled = _answers(logits)
    with in_python():
        python = _answers(logits)
    same(compiled[0], python[0])
    same(compiled[1], python[1])


PROBABILITIES = st.floats(0, 1, width=32) | st.sampled_from((0.2, 0.4, 0.5, 0.6, 0.95, np.nan))


@NEEDS_KERNEL
@given(st.lists(st.tuples(PROBABILITIES, PROBABILITIES, st.integers(0, 500))))
def test_the_same_lines_are_chosen(rows):
    labels = np.array([[content, 0, 0, 0] for content, _, _ in rows], dtype=np.float32).reshape(-1, 4)
    main = np.array([main for _, main, _ in rows], dtype=np.float32)
    reading = Reading(labels, main, np.array([words for _, _, words in rows], dtype=np.int64))
    compiled = reading.chosen()
    with in_python():
        same(compiled, reading.chosen())
