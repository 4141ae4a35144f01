"""Orderings: each strategy chooses what it says, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from boilerplate_ds.labeling import ordering

SURE = np.array([[0.97, 0.01, 0.01, 0.01]] * 3, dtype=np.float32)
TORN = np.array([[0.5, 0.5, 0, 0]] * 3, dtype=np.float32)
BLANK = np.full((3, 4), 0.25, dtype=np.float32)


def test_entropy_and_margin_run_from_sure_to_knowing_nothing():
    entropy = [ordering.line_entropy(p)[0] for p in (SURE, TORN, BLANK)]
    assert entropy == pytest.approx([0.121, 0.5, 1], abs=0.001)
    margin = [ordering.line_margin(p)[0] for p in (SURE, TORN, BLANK)]
    assert margin == pytest.approx([0.04, 1, 1], abs=0.001)


def test_disagreement_is_the_share_of_pairs_that_differ():
    votes = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 2]], dtype=np.int8)
    assert ordering.line_disagreement(votes).tolist() == pytest.approx([0, 2 / 3, 1])
    assert ordering.line_disagreement(votes[:1]).tolist() == [0, 0, 0]


def test_a_page_scores_the_mean_of_its_lines_and_the_highest_come_first():
    scores = ordering.page_scores([np.array([0.2, 0.4]), np.zeros(0), np.array([0.9])])
    assert scores.tolist() == pytest.approx([0.3, 0, 0.9])
    assert ordering.highest_first(scores, 2).tolist() == [2, 0]


def test_doubtful_lines_are_the_highest_above_the_border():
    assert ordering.doubtful_lines(np.array([0.2, 0.9, 0.5, 0.6]), limit=2, above=0.4) == (1, 3)
    assert ordering.doubtful_lines(np.array([0.2]), limit=2, above=0.4) == ()


def test_sites_get_their_pages_in_turn_and_sites_that_have_labels_wait():
    sites = ["a"] * 5 + ["b"] * 2 + ["c"]
    chosen = ordering.spread_over_sites(sites, 8, seed=3)
    assert sorted(chosen.tolist()) == list(range(8))
    assert {sites[i] for i in chosen[:3]} == {"a", "b", "c"}
    assert {sites[i] for i in chosen[3:5]} == {"a", "b"}
    waiting = ordering.spread_over_sites(sites, 3, seed=3, labelled=["c", "c"])
    assert "c" not in {sites[i] for i in waiting}


KINDS = (
    "The ferry leaves the harbour at nine and calls at every pier of the island",
    "Mix flour with water, knead the dough and bake the bread in a hot oven",
    "Der Gemeinderat beschloss am Montag einen neuen Haushalt für das Schwimmbad",
)
TEXTS = [" ".join(kind.split()[i:] + kind.split()[: i + 8]) for kind in KINDS for i in range(5)]


def test_diverse_pages_are_of_different_kinds():
    vectors = ordering.document_vectors(TEXTS)
    chosen = ordering.diverse(vectors, 3, seed=0)
    assert sorted(i // 5 for i in chosen.tolist()) == [0, 1, 2]


def test_orders_are_interleaved_without_repeating_a_page():
    assert ordering.interleave(["dab", "ac"], 4) == ["d", "a", "c", "b"]
    assert ordering.interleave(["dab", "ac"], 2) == ["d", "a"]
    assert ordering.interleave([], 2) == []


def test_the_same_seed_gives_the_same_choice_and_another_another():
    vectors = ordering.document_vectors(TEXTS)
    for choose in (
        lambda seed: ordering.random_order(15, 6, seed),
        lambda seed: ordering.spread_over_sites([str(i % 3) for i in range(15)], 6, seed),
    ):
        assert choose(1).tolist() == choose(1).tolist() != choose(2).tolist()
    assert ordering.diverse(vectors, 6, 1).tolist() == ordering.diverse(vectors, 6, 1).tolist()


@pytest.mark.parametrize("texts", [[], ["one"], ["same", "same", "same"]])
def test_few_or_equal_pages_are_no_trouble(texts):
    vectors = ordering.document_vectors(texts)
    if texts:
        assert 1 <= len(ordering.diverse(vectors, 5, 0)) <= len(texts)
    assert ordering.random_order(len(texts), 5, 0).size == len(texts)
