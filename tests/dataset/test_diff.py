"""The difference between two exports: each kind of change is told apart from the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from boilerplate_ds.dataset.diff import DatasetDiff, MovedSite, diff_datasets, moves
from boilerplate_ds.dataset.export import export_dataset
from boilerplate_ds.dataset.splits import split_sites
from boilerplate_ds.document import Label, decode_runs
from boilerplate_ds.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from boilerplate_ds.dataset.gold import GoldDocument

    Compare = Callable[[list[GoldDocument]], DatasetDiff]


@pytest.fixture
def compare(tmp_path: Path, gold_pages: list[GoldDocument]) -> Compare:
    """Export other pages beside ``gold_pages`` and compare."""

    def run(new: list[GoldDocument], **options: Any) -> DatasetDiff:
        export_dataset(gold_pages, tmp_path / "old", name="Old", guidelines="1")
        export_dataset(new, tmp_path / "new", name="New", guidelines="1", **options)
        return diff_datasets(tmp_path / "old", tmp_path / "new")

    return run


def test_folders_may_be_named_by_strings(tmp_path: Path, gold_pages: list[GoldDocument]) -> None:
    folder = str(tmp_path / "set")
    export_dataset(gold_pages, folder, name="Test", guidelines="1")
    assert diff_datasets(folder, folder).is_same


def test_the_same_pages_are_the_same(compare: Compare, gold_pages: list[GoldDocument]) -> None:
    diff = compare(gold_pages[::-1])
    assert diff.is_same
    assert diff.changed_lines == 0
    assert diff.flow.sum() == 4 * len(gold_pages)


def test_text_left_out_is_no_change(compare: Compare, gold_pages: list[GoldDocument]) -> None:
    hidden = {item.document.id: item.document.text_sha256 for item in gold_pages}
    assert compare(gold_pages, without_text=hidden).is_same  # type: ignore[call-arg]


def test_added_and_removed_documents_are_named(compare: Compare, gold_pages: list[GoldDocument]) -> None:
    extra = replace(gold_pages[0], document=replace(gold_pages[0].document, id="another"))
    diff = compare([*gold_pages[:-1], extra])
    assert (diff.added, diff.removed) == (("another",), (gold_pages[-1].document.id,))
    assert not diff.relabelled


def test_changed_text_is_no_relabelling(compare: Compare, gold_pages: list[GoldDocument]) -> None:
    document = gold_pages[0].document
    changed = replace(document, lines=("Another line", *document.lines[1:]))
    diff = compare([replace(gold_pages[0], document=changed), *gold_pages[1:]])
    assert diff.text_changed == (document.id,)
    assert (diff.relabelled, diff.changed_lines) == ((), 0)
    assert diff.flow.sum() == 4 * (len(gold_pages) - 1)


def test_relabelled_lines_flow_from_the_old_label_to_the_new(
    compare: Compare, gold_pages: list[GoldDocument]
) -> None:
    was = gold_pages[0].labels
    now = decode_runs("1n 1c 1r 1a")
    diff = compare([replace(gold_pages[0], labels=now), *gold_pages[1:]])
    assert diff.relabelled == (gold_pages[0].document.id,)
    assert diff.changed_lines == 1
    off_diagonal = diff.flow - np.diag(np.diag(diff.flow))
    assert np.argwhere(off_diagonal).tolist() == [[Label.CONTENT.id, Label.RECOMMENDATION.id]]
    assert was[2] == Label.CONTENT.id


def test_sites_in_another_split_are_named(compare: Compare, gold_pages: list[GoldDocument]) -> None:
    diff = compare(gold_pages, splits=["test"] * len(gold_pages))  # type: ignore[call-arg]
    assert {item.new for item in diff.moved} == {"test"}
    assert isinstance(diff.moved[0], MovedSite)
    assert sum(n for _, _, n in moves(diff)) == len(diff.moved)
    assert diff.as_json()["moved"][diff.moved[0].site] == [diff.moved[0].old, "test"]


def test_sites_with_another_name_are_told_with_the_documents_they_move(
    compare: Compare, gold_pages: list[GoldDocument]
) -> None:
    site = gold_pages[0].document.site
    of_site = {item.document.id for item in gold_pages if item.document.site == site}
    changed = [
        replace(item, document=replace(item.document, site="other.example"))
        if item.document.id in of_site
        else item
        for item in gold_pages
    ]
    was = split_sites(item.document.site for item in gold_pages)
    splits = ["test" if i.document.id in of_site else was[i.document.site] for i in gold_pages]
    diff = compare(changed, splits=splits)  # type: ignore[call-arg]
    assert was[site] != "test"
    assert not diff.is_same
    assert diff.moved == ()
    assert diff.moved_documents == tuple(sorted(of_site))
    assert diff.as_json()["renamed"] == [[site, "other.example"]]


def test_a_folder_that_is_no_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="name a folder that export wrote"):
        diff_datasets(tmp_path, tmp_path)
