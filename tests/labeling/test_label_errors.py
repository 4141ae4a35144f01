"""Likely label errors: the least believed labels come first, and the model's own labels never."""

from __future__ import annotations

import numpy as np
import pytest

from boilerplate_ds.labeling.label_errors import confident_joint, find_suspects, review_queue


def believing(*rows: tuple[int, float]) -> np.ndarray:
    """Give each line a label the model believes in, with its probability; the others share the rest."""
    p = np.zeros((len(rows), 4), dtype=np.float32)
    for i, (label, probability) in enumerate(rows):
        p[i] = (1 - probability) / 3
        p[i, label] = probability
    return p


LABELS = [np.array([0, 0, 1], np.int8), np.array([], np.int8), np.array([2, 3], np.int8)]
PROBABILITIES = [
    believing((0, 0.9), (2, 0.7), (1, 0.5)),
    np.zeros((0, 4), np.float32),
    believing((2, 0.4), (0, 0.99)),
]


def test_the_least_believed_labels_come_first_and_the_models_own_are_never_suspect():
    suspects = find_suspects(LABELS, PROBABILITIES, share=1)
    assert suspects.document.tolist() == [2, 0]
    assert suspects.line.tolist() == [1, 1]
    assert suspects.given.tolist() == [3, 0]
    assert suspects.likely.tolist() == [0, 2]


def test_no_more_than_the_share_is_listed():
    assert len(find_suspects(LABELS, PROBABILITIES, share=0.2).line) == 1
    assert len(find_suspects(LABELS, PROBABILITIES, share=0).line) == 0
    assert len(find_suspects([], []).line) == 0


def test_lines_without_a_known_label_are_never_suspect():
    unknown = [np.full_like(labels, -1) for labels in LABELS]
    assert len(find_suspects(unknown, PROBABILITIES, share=1).line) == 0
    assert confident_joint(unknown, PROBABILITIES).sum() == 0


def test_documents_are_queued_by_the_errors_to_be_expected_in_them():
    suspects = find_suspects(LABELS, PROBABILITIES, share=1)
    first, second = review_queue(suspects, ["a", "b", "c"])
    assert (first.doc_id, first.lines) == ("c", (1,))
    assert (second.doc_id, second.lines) == ("a", (1,))
    assert first.score == pytest.approx(1 - 0.01 / 3)
    assert first.reason == "1 likely label error, first: recommendation that looks like content"


def test_corrupted_labels_are_found_and_counted():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 4, 5000)
    p = np.full((5000, 4), 0.05, dtype=np.float32)
    p[np.arange(5000), true] = 0.85
    is_wrong = rng.random(5000) < 0.1
    given = np.where(is_wrong, (true + 1) % 4, true).astype(np.int8)
    suspects = find_suspects([given], [p], share=0.2)
    assert sorted(suspects.line.tolist()) == np.flatnonzero(is_wrong).tolist()
    joint = confident_joint([given], [p])
    assert joint.sum() == pytest.approx(5000)
    assert joint[1, 0] == ((given == 1) & (true == 0)).sum()


def test_probabilities_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match="for 3 labels"):
        find_suspects(LABELS[:1], [PROBABILITIES[2]])
