"""Splits and folds by site."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate_ds.dataset.splits import SPLITS, group_of, site_folds, split_of, split_sites
from boilerplate_ds.document import Document
from boilerplate_ds.errors import DatasetError

SITES = [f"site{number}.example" for number in range(10_000)]
PINNED = {2: "test", 3: "validation", 7: "test"}


def test_the_split_of_a_site_never_changes() -> None:
    # Published figures depend on these: a change here is a new version of every dataset.
    assert [split_of(site) for site in SITES[:12]] == [PINNED.get(i, "train") for i in range(12)]


def test_a_document_is_split_by_its_site_else_that_of_its_url_else_its_id() -> None:
    url = "https://www.same.example/1"
    assert group_of(Document("a", (), url=url, site="My Site")) == "My Site"
    assert group_of(Document("a", (), url=url)) == "same.example"
    assert group_of(Document("a.example/1", ())) == "a.example/1"


def test_eight_sites_in_ten_are_for_training() -> None:
    shares = Counter(split_of(site) for site in SITES)
    assert shares["train"] == pytest.approx(8000, abs=150)
    assert shares["validation"] == pytest.approx(1000, abs=120)
    assert shares["test"] == pytest.approx(1000, abs=120)


def test_another_seed_splits_otherwise() -> None:
    assert [split_of(site, "other") for site in SITES[:100]] != [split_of(site) for site in SITES[:100]]


def test_no_split_of_a_larger_set_differs_from_the_hash() -> None:
    for start in range(0, 6000, 120):
        sites = SITES[start : start + 120]
        assert split_sites(sites) == {site: split_of(site) for site in split_sites(sites)}


@given(st.sets(st.text(max_size=8), min_size=3, max_size=12), st.text(max_size=3))
def test_no_split_is_empty_however_small_the_set(sites: set[str], seed: str) -> None:
    splits = split_sites(sites, seed)
    assert splits.keys() == sites
    assert set(splits.values()) == set(SPLITS)
    by_hash = {site: split_of(site, seed) for site in sites}
    if set(by_hash.values()) == set(SPLITS):
        assert splits == by_hash


def test_two_sites_cannot_fill_three_splits() -> None:
    with pytest.raises(DatasetError, match="2 sites cannot fill 3 splits"):
        split_sites(["a.example", "b.example", "a.example"])


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 500)), min_size=1), st.integers(2, 5))
def test_folds_keep_sites_whole_and_lines_balanced(pages: list[tuple[int, int]], n_folds: int) -> None:
    sites = [f"{site}.example" for site, _ in pages]
    lines = np.array([n for _, n in pages])
    if len(set(sites)) < n_folds:
        with pytest.raises(DatasetError):
            site_folds(sites, n_folds, lines)
        return
    folds = site_folds(sites, n_folds, lines)
    assert len({*zip(sites, folds.tolist(), strict=True)}) == len(set(sites))
    assert set(folds.tolist()) == set(range(n_folds))
    filled = np.bincount(folds, lines, minlength=n_folds)
    largest = max(sum(n for site, n in pages if f"{site}.example" == name) for name in set(sites))
    assert filled.max() - filled.min() <= largest


def test_folds_do_not_depend_on_the_order_of_documents() -> None:
    sites = SITES[:50] * 2
    lines = np.arange(100) % 7
    order = np.random.default_rng(1).permutation(100)
    shuffled = site_folds([sites[i] for i in order], 4, lines[order])
    assert (shuffled == site_folds(sites, 4, lines)[order]).all()


def test_without_line_counts_documents_count_alike() -> None:
    assert np.bincount(site_folds(SITES[:50], 5)).tolist() == [10] * 5
