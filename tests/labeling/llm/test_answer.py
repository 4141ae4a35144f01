"""An answer is labels of the lines asked for, each once, or it is turned down with reasons."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boilerplate_ds.labeling.llm.answer import AnswerError, parse_answer

from .chat_server import runs

GOOD = runs((1, 1, "navigation"), (2, 4, "content"), (5, 5, "ad"))


def test_runs_become_a_label_a_line() -> None:
    assert parse_answer(GOOD, 1, 5).labels.tolist() == [2, 0, 0, 0, 1]


def test_lines_are_numbered_as_on_the_page() -> None:
    assert parse_answer(runs((281, 282, "ad")), 281, 282).labels.tolist() == [1, 1]


def test_the_order_of_runs_does_not_matter() -> None:
    assert parse_answer(runs((2, 2, "ad"), (1, 1, "content")), 1, 2).labels.tolist() == [0, 1]


def test_doubt_is_kept_and_certainty_is_presumed() -> None:
    doubted, silent = (
        '{"first": 1, "last": 1, "label": "ad", "sure": false}',
        '{"first": 2, "last": 2, "label": "ad"}',
    )
    text = f'{{"runs": [{doubted}, {silent}]}}'
    assert parse_answer(text, 1, 2).sure.tolist() == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}```",
        f"\n  {GOOD}\n",
        f"<think>Lines 1 to 5, {{so}} …</think>\n{GOOD}",
        GOOD[:-1] + ', "notes": "easy", "runs_total": 3}',
        runs((1, 1, "navigation"), (2, 4, "content"), (5, 5, "ad"), why="because"),
    ],
)
def test_what_servers_and_models_put_around_an_answer_is_passed_over(text: str) -> None:
    assert parse_answer(text, 1, 5).labels.tolist() == [2, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON"),
        ("The page is mostly navigation.", "not JSON"),
        (GOOD[:-10], "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", 'list "runs"'),
        ('{"runs": {"first": 1}}', 'list "runs"'),
        ('{"runs": ["1-5 ad"]}', "run 1 is not an object"),
        (runs(), "lines 1 to 5 have no label"),
        (runs((1, 4, "ad")), "line 5 has no label"),
        (runs((1, 1, "ad"), (3, 5, "ad")), "line 2 has no label"),
        (runs((1, 3, "ad"), (3, 5, "content")), "run 2 labels line 3 a second time"),
        (runs((1, 6, "ad")), "goes from 1 to 6, but the lines asked for are 1 to 5"),
        (runs((0, 5, "ad")), "goes from 0 to 5"),
        (runs((5, 1, "ad")), "goes from 5 to 1"),
        (runs((1, 10**300, "ad")), "goes from 1 to 1000"),
        (runs((1, 5, "menu")), "label 'menu', which is none of content, ad"),
        (runs((1, 5, ["ad"])), "none of content"),  # type: ignore[arg-type]
        (runs((1, 5, None)), "none of content"),  # type: ignore[arg-type]
        (runs(("1", 5, "ad")), "no whole numbers"),  # type: ignore[arg-type]
        (runs((True, 5, "ad")), "no whole numbers"),
        (runs((1.0, 5, "ad")), "no whole numbers"),  # type: ignore[arg-type]
    ],
)
def test_what_is_wrong_is_named(text: str, problem: str) -> None:
    with pytest.raises(AnswerError, match=problem):
        parse_answer(text, 1, 5)


def test_the_list_of_problems_is_short_however_many_there_are() -> None:
    with pytest.raises(AnswerError, match="and 993 more") as caught:
        parse_answer(runs(*[(1, 5, "x" * 10_000)] * 1000), 1, 5)
    assert len(str(caught.value)) < 2000


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-1, 5), st.integers(-1, 5), st.sampled_from(["ad", "content", "menu"])))
)
def test_an_answer_is_taken_if_and_only_if_it_labels_each_line_once(
    parts: list[tuple[int, int, str]],
) -> None:
    lines = [line for first, last, _ in parts for line in range(first, last + 1)]
    whole = all(first <= last and label != "menu" for first, last, label in parts)
    if whole and sorted(lines) == [1, 2, 3]:
        assert len(parse_answer(runs(*parts), 1, 3).labels) == 3
    else:
        with pytest.raises(AnswerError):
            parse_answer(runs(*parts), 1, 3)
