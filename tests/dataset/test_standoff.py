"""Sets published without text: nothing of a text is in them, and who has the pages gets it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from boilerplate_ds.dataset.export import ExportReport, export_dataset
from boilerplate_ds.dataset.licences import without_text
from boilerplate_ds.dataset.standoff import (
    find_texts,
    hydrate_dataset,
    hydrate_export,
    is_export,
    read_export,
)
from boilerplate_ds.errors import DatasetError, Rejects

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from boilerplate_ds.dataset.gold import GoldDocument


def write(folder: Path, gold: list[GoldDocument], **options: Any) -> ExportReport:
    return export_dataset(gold, folder, name="Test lines", guidelines="1", **options)


def write_pages(path: Path, gold: Iterable[GoldDocument]) -> Path:
    """Write pages as somebody else keeps them: other ids, one record a page."""
    records = [{"key": i, "lines": list(item.document.lines)} for i, item in enumerate(gold)]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.fixture
def standoff(tmp_path: Path, gold_pages: list[GoldDocument]) -> Path:
    """The pages, those under a closed licence without their text."""
    report = write(tmp_path / "standoff", gold_pages, without_text=without_text(gold_pages, ()))
    assert report.without_text == 8
    return tmp_path / "standoff"


def test_texts_that_may_not_be_passed_on_are_not_in_any_file(
    standoff: Path, load: Any, gold_pages: list[GoldDocument]
) -> None:
    documents = [row for split in load(str(standoff)).values() for row in split]
    lines = [row for split in load(str(standoff), "lines").values() for row in split]
    closed = {
        item.document.id: item
        for item in gold_pages
        if item.document.metadata.get("licence", "").startswith("all")
    }
    assert {row["id"] for row in documents if row["lines"] is None} == closed.keys()
    assert {row["doc_id"] for row in lines if row["text"] is None} == closed.keys()
    for row in documents:
        if row["id"] in closed:
            assert row["labels"] == closed[row["id"]].labels.tolist()
            assert row["text_sha256"] == closed[row["id"]].document.text_sha256


def test_with_the_pages_the_set_gets_its_bytes_back(
    tmp_path: Path, standoff: Path, gold_pages: list[GoldDocument]
) -> None:
    write(tmp_path / "full", gold_pages)
    pages = write_pages(tmp_path / "pages.jsonl", gold_pages)
    report = hydrate_export(standoff, [pages], tmp_path / "back")
    assert report.without_text == 0
    assert contents(tmp_path / "back") == contents(tmp_path / "full")


def test_pages_that_are_missing_or_differ_are_named_and_stay_without_text(
    tmp_path: Path, standoff: Path, gold_pages: list[GoldDocument]
) -> None:
    pages = write_pages(
        tmp_path / "pages.jsonl", [item for item in gold_pages if item.document.id != "page-01"]
    )
    with pytest.raises(DatasetError, match=r"'page-01': its text .* is not among the pages"):
        hydrate_export(standoff, [pages], tmp_path / "back")
    rejects = Rejects()
    assert hydrate_export(standoff, [pages], tmp_path / "back", rejects=rejects).without_text == 1
    assert [item.record for item in rejects.items] == ["document 'page-01'"]


def test_a_set_is_not_hydrated_in_its_own_place(standoff: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="another folder"):
        hydrate_export(standoff, [tmp_path], standoff)


@pytest.mark.parametrize("config", ["documents", "lines"])
def test_a_loaded_set_gets_its_texts_back(
    config: str, tmp_path: Path, standoff: Path, load: Any, gold_pages: list[GoldDocument]
) -> None:
    write(tmp_path / "full", gold_pages)
    pages = write_pages(tmp_path / "pages.jsonl", gold_pages)
    full = load(str(tmp_path / "full"), config)
    hydrated = hydrate_dataset(load(str(standoff), config), pages)
    assert hydrated["train"].features == full["train"].features
    assert {split: list(rows) for split, rows in hydrated.items()} == {
        split: list(rows) for split, rows in full.items()
    }
    one = hydrate_dataset(load(str(standoff), config, split="train"), [pages])
    assert list(one) == list(full["train"])


@pytest.mark.parametrize("config", ["documents", "lines"])
def test_a_loaded_set_keeps_nulls_where_no_page_is_found(
    config: str, tmp_path: Path, standoff: Path, load: Any, gold_pages: list[GoldDocument]
) -> None:
    nothing = write_pages(tmp_path / "pages.jsonl", gold_pages[:1])
    rejects = Rejects()
    hydrated = hydrate_dataset(load(str(standoff), config), nothing, rejects=rejects)
    text = "lines" if config == "documents" else "text"
    assert rejects.count == 8
    assert sum(row[text] is None for rows in hydrated.values() for row in rows) == (
        8 if text == "lines" else 32
    )
    with pytest.raises(DatasetError, match="is not among the pages"):
        hydrate_dataset(load(str(standoff), config), nothing)


def test_a_dataset_of_somebody_else_is_refused() -> None:
    from datasets import Dataset

    with pytest.raises(DatasetError, match="lacks the column lines"):
        hydrate_dataset(Dataset.from_dict({"text": ["a"]}), [])


def test_an_export_is_read_back_as_it_was_written(tmp_path: Path, gold_pages: list[GoldDocument]) -> None:
    write(tmp_path / "set", gold_pages, description="Some pages")
    export = read_export(tmp_path / "set")
    write(tmp_path / "again", list(export.documents), splits=export.splits, description="Some pages")
    assert contents(tmp_path / "again") == contents(tmp_path / "set")
    assert export.about["description"] == "Some pages"


def test_a_folder_without_an_export_is_refused(tmp_path: Path) -> None:
    assert not is_export(tmp_path)
    with pytest.raises(DatasetError, match="holds no documents"):
        read_export(tmp_path)
    (tmp_path / "documents").mkdir()
    broken = tmp_path / "documents" / "train-00000-of-00001.parquet"
    broken.write_bytes(b"PAR1")
    with pytest.raises(DatasetError, match="cannot be read as Parquet"):
        read_export(tmp_path)


def test_texts_are_found_among_files_that_are_no_pages(
    tmp_path: Path, gold_pages: list[GoldDocument]
) -> None:
    write_pages(tmp_path / "pages.jsonl", gold_pages)
    (tmp_path / "labels.jsonl").write_text('{"labels": "1c"}\n')
    document = gold_pages[3].document
    assert find_texts([tmp_path], [document.text_sha256]) == {document.text_sha256: document.lines}
    assert find_texts([tmp_path], []) == {}
