"""Dawid and Skene's model finds who errs how, and needs no line that all have labelled."""

from __future__ import annotations

import numpy as np

from boilerplate_ds.dataset.dawid_skene import dawid_skene


def test_confusion_matrices_are_found_where_annotators_label_different_lines() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 4000)
    labels = np.tile(truth, (4, 1)).astype(np.int8)
    swaps = (truth == 3) & (rng.random(4000) < 0.6)
    labels[0, swaps] = 2  # the first takes most recommendations for navigation
    for annotator in (1, 2, 3):
        errs = rng.random(4000) < 0.1
        labels[annotator, errs] = (truth[errs] + rng.integers(1, 4, errs.sum())) % 4
    labels[rng.random((4, 4000)) < 0.25] = -1
    consensus = dawid_skene(labels)
    assert abs(consensus.confusion[0, 3, 2] - 0.6) < 0.05
    assert np.allclose(consensus.confusion[1].diagonal(), 0.9, atol=0.05)
    labelled = (labels >= 0).any(axis=0)
    assert (consensus.posterior.argmax(axis=1) == truth)[labelled].mean() > 0.95
    assert np.allclose(consensus.posterior.sum(axis=1), 1)


def test_no_lines_are_no_trouble() -> None:
    assert dawid_skene(np.zeros((2, 0), dtype=np.int8)).posterior.shape == (0, 4)
