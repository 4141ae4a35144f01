"""The label model counts how often rules are right, and reads a line with its neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from boilerplate_ds.document import decode_runs
from boilerplate_ds.labeling.label_model import PRESUMED_ACCURACY, LabelModel, majority
from boilerplate_ds.labeling.rules import ABSTAIN as NONE
from boilerplate_ds.labeling.rules import apply_rules
from boilerplate_ds.labeling.shipped_rules import SHIPPED

C, A, N, R = range(4)
GOLD = decode_runs("40n 40c 20r")
RIGHT = GOLD.copy()
WRONG = (GOLD + 1 + np.arange(100) // 2 % 3) % 4
COIN = np.where(np.arange(100) % 2, GOLD, WRONG).astype(np.int8)
SILENT = np.full(100, NONE, np.int8)
VOTES = np.stack([RIGHT, COIN, SILENT], axis=1)


@pytest.fixture
def model() -> LabelModel:
    return LabelModel.fit([VOTES], [GOLD], 3)


def votes(*lines: tuple[int, int, int]) -> np.ndarray:
    return np.array(lines, dtype=np.int8).reshape(-1, 3)


def test_a_rule_is_believed_as_far_as_it_was_right(model: LabelModel) -> None:
    assert model.accuracy == pytest.approx([107 / 110, 57 / 110, PRESUMED_ACCURACY])


def test_the_better_rule_wins_where_two_differ(model: LabelModel) -> None:
    assert model.probabilities(votes((C, N, NONE))).argmax(axis=1).tolist() == [C]


def test_a_rule_never_seen_at_work_counts_as_mostly_right(model: LabelModel) -> None:
    assert model.probabilities(votes((NONE, NONE, R), (NONE, NONE, R))).argmax(axis=1).tolist() == [R, R]


def test_a_line_without_votes_takes_after_its_neighbours(model: LabelModel) -> None:
    silent = (NONE, NONE, NONE)
    found = model.probabilities(votes((R, NONE, NONE), silent, (R, NONE, NONE)))
    assert found.argmax(axis=1).tolist() == [R, R, R]
    assert found[1].max() < found[0].max()


def test_probabilities_are_probabilities_on_pages_of_any_length(model: LabelModel) -> None:
    assert model.probabilities(votes()).shape == (0, 4)
    found = model.probabilities(np.tile(votes((N, C, A)), (5000, 1)))
    assert found.sum(axis=1) == pytest.approx(np.ones(5000))


def test_without_any_labelled_page_rules_are_presumed_right() -> None:
    model = LabelModel.fit([], [], 3)
    assert model.probabilities(votes((A, NONE, NONE))).argmax() == A


def test_the_majority_counts_heads() -> None:
    assert majority(votes((C, C, N), (NONE, NONE, NONE))).tolist() == [
        pytest.approx([2 / 3, 0, 1 / 3, 0]),
        [0, 0, 0, 0],
    ]


def test_on_the_starter_pages_it_beats_the_majority(starter) -> None:
    seen, unseen = starter[::2], starter[1::2]
    fit, test = ([apply_rules(SHIPPED, item.document) for item in some] for some in (seen, unseen))
    model = LabelModel.fit(fit, [item.labels for item in seen], len(SHIPPED))
    gold = np.concatenate([item.labels for item in unseen])

    def right(probabilities: list[np.ndarray]) -> float:
        return float(np.mean(np.concatenate(probabilities).argmax(axis=1) == gold))

    by_heads = right([majority(v) + 1e-3 * model.balance for v in test])
    assert right([model.probabilities(v) for v in test]) > by_heads + 0.03
