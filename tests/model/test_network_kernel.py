"""The network's kernel gives what its Python definition gives, and both what training computes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate_ds.model import network as n
from boilerplate_ds.model.network import Network
from boilerplate_ds.model.runtime import Reading, _answers
from kernels import in_python, same

NEEDS_KERNEL = pytest.mark.skipif(n._KERNEL is None, reason="the kernels are not compiled here")
SIZES = ([1], [5, 0, 3], [0, 5, 0], [1] * 200, [31, 32, 33, 64, 65, 1], [1_400, 1, 200, 3_000, 0, 10])


def read(sizes: list[int]) -> tuple[np.ndarray, Network, np.ndarray, np.ndarray]:
    ends = np.concatenate(([0], np.cumsum(sizes)))
    features = np.random.default_rng(0).normal(size=(ends[-1], 20)).astype(np.float32)
    network = Network.initial(features + np.float32(0.1), seed=0).folded()
    return features, network, ends, network.logits(features, ends)


@NEEDS_KERNEL
@pytest.mark.parametrize("sizes", SIZES)
def test_logits_are_those_of_the_definition(sizes):
    compiled = read(sizes)[-1]
    with in_python():
        same(compiled, read(sizes)[-1])


@pytest.mark.parametrize("sizes", SIZES)
def test_logits_are_those_of_training(sizes):
    features, network, ends, logits = read(sizes)
    ends = np.unique(ends)  # training has no empty documents
    layout = n._Layout(ends)
    trained = n._forward(network.parameters, features, layout).logits[layout.rows]
    np.testing.assert_allclose(logits, trained, atol=1e-5)


def test_columns_left_out_at_the_end_count_as_zero():
    features, network, ends, _ = read([7, 40])
    features[:, 12:] = 0
    np.testing.assert_allclose(
        network.logits(features[:, :12], ends), network.logits(features, ends), atol=1e-6
    )


@NEEDS_KERNEL
@given(st.lists(st.tuples(*[st.floats(-1e4, 1e4, width=32)] * 5), min_size=1))
def test_answers_are_those_of_the_definition(rows):
    logits = np.array(rows, dtype=np.float32)
    compiled = _answers(logits)
    with in_python():
        python = _answers(logits)
    same(compiled[0], python[0])
    same(compiled[1], python[1])


PROBABILITIES = st.floats(0, 1, width=32) | st.sampled_from((0.36, 0.4, 0.95, np.nan))


@NEEDS_KERNEL
@given(st.lists(st.tuples(PROBABILITIES, PROBABILITIES, st.integers(0, 500))))
def test_the_same_lines_are_chosen(rows):
    labels = np.array([[content, 0, 0, 0] for content, _, _ in rows], dtype=np.float32).reshape(-1, 4)
    main = np.array([main for _, main, _ in rows], dtype=np.float32)
    reading = Reading(labels, main, np.array([words for _, _, words in rows], dtype=np.int64))
    compiled = reading.chosen()
    with in_python():
        same(compiled, reading.chosen())
