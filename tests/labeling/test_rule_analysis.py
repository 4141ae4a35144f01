"""Coverage, overlaps, conflicts and accuracy of rules, as Snorkel defines them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from boilerplate_ds.labeling.rule_analysis import NOT_KNOWN, analyse_rules
from boilerplate_ds.labeling.rules import ABSTAIN as NONE
from boilerplate_ds.labeling.rules import Line, rule

if TYPE_CHECKING:
    from boilerplate_ds.document import Label

C, A, N, R = range(4)


@rule
def one(line: Line) -> Label | None:
    """Only its name is used here."""


@rule
def two(line: Line) -> Label | None:
    """Only its name is used here."""


def test_each_figure_is_a_share_of_all_lines() -> None:
    votes = [np.array([[C, C], [C, N]], np.int8), np.array([[A, NONE], [NONE, NONE]], np.int8)]
    gold = [np.array([C, N], np.int8), np.array([R, NOT_KNOWN], np.int8)]
    first, second = analyse_rules([one, two], votes, gold)
    assert first.labels == ("content", "ad")
    assert (first.coverage, first.overlaps, first.conflicts) == (0.75, 0.5, 0.25)
    assert (first.correct, first.incorrect) == (1, 2)
    assert first.accuracy == pytest.approx(1 / 3)
    assert second.accuracy == 1
    assert second.as_json()["labels"] == ["content", "navigation"]


def test_a_rule_that_never_speaks_has_no_accuracy() -> None:
    (figures,) = analyse_rules([one], [np.full((3, 1), NONE, np.int8)], [np.zeros(3, np.int8)])
    assert figures.accuracy is None
    assert figures.coverage == 0


def test_nothing_to_analyse_is_no_error() -> None:
    (figures,) = analyse_rules([one], [], [])
    assert figures.coverage == 0
