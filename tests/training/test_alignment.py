"""Labels carried between two texts of a page, by the words that both share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate_ds.document import MAIN, NOT_MAIN
from boilerplate_ds.training.alignment import UNKNOWN, align_with_content, carry_labels, word_f1, words

CONTENT, AD, NAVIGATION, RECOMMENDATION = range(4)


def labels(*ids: int) -> np.ndarray:
    return np.array(ids, dtype=np.int8)


def test_words_are_lower_case_runs_of_word_characters() -> None:
    assert words("The Ferry, 2024: über_all!") == ["the", "ferry", "2024", "über_all"]


def test_lines_of_the_main_content_are_content_and_others_are_not() -> None:
    lines = ["Home | News", "The ferry will run every hour", "Share this page"]
    aligned = align_with_content(lines, "The ferry\nwill run every hour.")
    assert aligned.tolist() == [NOT_MAIN, MAIN, NOT_MAIN]
    assert aligned.dtype == np.int8


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("one two three four", MAIN),
        ("one two x y", MAIN),  # half of its words
        ("one x y z", NOT_MAIN),
        ("one two x y z", NOT_MAIN),  # two of five
    ],
)
def test_half_of_the_words_make_a_line_content(line: str, label: int) -> None:
    assert align_with_content([line], "one two three four").tolist() == [label]


@pytest.mark.parametrize("line", ["—", "***", "| |", "…"])
def test_a_line_without_words_is_unknown(line: str) -> None:
    assert align_with_content([line, "ferry"], "ferry").tolist() == [UNKNOWN, MAIN]
    assert carry_labels(["ferry"], labels(CONTENT), [line]).tolist() == [UNKNOWN]


def test_no_main_content_leaves_no_content() -> None:
    assert align_with_content(["Home", "—"], "").tolist() == [NOT_MAIN, UNKNOWN]


def test_no_lines_have_no_labels() -> None:
    assert align_with_content([], "ferry").shape == (0,)
    assert carry_labels(["ferry"], labels(CONTENT), []).shape == (0,)
    assert carry_labels([], labels(), ["ferry"]).tolist() == [UNKNOWN]


def test_words_out_of_order_are_not_matched_twice() -> None:
    # The headline stands in a teaser below the text too; the content has it once, above its text.
    lines = ["New pier opens", "The pier opened on Monday with a speech", "New pier opens"]
    content = "New pier opens\nThe pier opened on Monday with a speech"
    assert align_with_content(lines, content).tolist() == [MAIN, MAIN, NOT_MAIN]


def test_labels_are_carried_to_lines_that_were_cut_otherwise() -> None:
    lines = ["Home | News", "The ferry will run. The pier is closed.", "Save 10% today"]
    others = ["Home", "News", "The ferry will run.", "The pier is closed. Save 10% today"]
    carried = carry_labels(lines, labels(NAVIGATION, CONTENT, AD), others)
    assert carried.tolist() == [NAVIGATION, NAVIGATION, CONTENT, CONTENT]


def test_a_joined_line_takes_the_label_that_brings_most_words() -> None:
    lines = ["Ad", "Ferry to run every hour"]
    assert carry_labels(lines, labels(AD, CONTENT), ["Ad Ferry to run every hour"]).tolist() == [CONTENT]


def test_lines_that_find_fewer_than_half_of_their_words_are_unknown() -> None:
    carried = carry_labels(["the ferry"], labels(CONTENT), ["the ferry sails", "a bakery in the valley"])
    assert carried.tolist() == [CONTENT, UNKNOWN]


def test_repeated_headlines_keep_their_order() -> None:
    lines = ["Menu", "New pier opens", "It opened on Monday", "Read more", "New pier opens"]
    gold = labels(NAVIGATION, CONTENT, CONTENT, RECOMMENDATION, RECOMMENDATION)
    others = ["New pier opens", "It opened on Monday", "Read more", "New pier opens", "Footer"]
    expected = [CONTENT, CONTENT, RECOMMENDATION, RECOMMENDATION, UNKNOWN]
    assert carry_labels(lines, gold, others).tolist() == expected


@given(st.lists(st.tuples(st.from_regex(r"\w{1,4}( \w{1,4}){0,3}", fullmatch=True), st.integers(0, 3))))
def test_a_text_gives_itself_its_own_labels(page: list[tuple[str, int]]) -> None:
    lines, gold = [line for line, _ in page], labels(*(label for _, label in page))
    assert carry_labels(lines, gold, lines).tolist() == gold.tolist()
    assert (align_with_content(lines, "\n".join(lines)) == MAIN).all()


@pytest.mark.parametrize(
    ("predicted", "reference", "f1"),
    [
        ("the ferry sails", "The Ferry sails!", 1.0),
        ("the ferry", "the ferry sails today", 2 * 2 / (2 + 4)),
        ("the the the", "the ferry", 2 * 1 / (3 + 2)),  # a multiset: one "the" counts
        ("home news", "ferry", 0.0),
        ("", "ferry", 0.0),
        ("", "", 1.0),
        ("—", " \n", 1.0),  # no words on either side
        ("ferry", "", 0.0),
    ],
)
def test_word_f1_worked_by_hand(predicted: str, reference: str, f1: float) -> None:
    assert word_f1(predicted, reference) == pytest.approx(f1)


def test_of_two_copies_of_a_text_the_first_is_the_main_content() -> None:
    story = ["The ferry will run every hour from May", "It used to run every second hour"]
    aligned = align_with_content([*story, "Menu", *story], "\n".join(story))
    assert aligned.tolist() == [MAIN, MAIN, NOT_MAIN, NOT_MAIN, NOT_MAIN]
