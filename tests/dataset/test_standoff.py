"""Sets published without text: nothing of a text is in them, and who has the pages gets it back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from boilerplate_ds.dataset.diff import diff_datasets
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


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("config", ["documents", "lines"])
def test_a_loaded_set_gets_its_texts_back(
    config: str, streaming: bool, tmp_path: Path, standoff: Path, load: Any, gold_pages: list[GoldDocument]
) -> None:
    write(tmp_path / "full", gold_pages)
    pages = write_pages(tmp_path / "pages.jsonl", gold_pages)
    full = load(str(tmp_path / "full"), config)
    hydrated = hydrate_dataset(load(str(standoff), config, streaming=streaming), pages)
    assert hydrated["train"].features == full["train"].features
    assert {split: list(rows) for split, rows in hydrated.items()} == {
        split: list(rows) for split, rows in full.items()
    }
    one = hydrate_dataset(load(str(standoff), config, split="train", streaming=streaming), [pages])
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


def test_of_documents_with_one_id_each_text_is_found_or_missed(
    tmp_path: Path, gold_pages: list[GoldDocument]
) -> None:
    from datasets import Dataset, Features, List, Value

    found, missed = gold_pages[:2]
    hashes = [item.document.text_sha256 for item in (missed, found)]
    columns = {"id": ["page", "page"], "lines": [None, None], "text_sha256": hashes}
    features = Features(
        {"id": Value("string"), "lines": List(Value("string")), "text_sha256": Value("string")}
    )
    rejects = Rejects()
    pages = write_pages(tmp_path / "pages.jsonl", [found])
    hydrated = hydrate_dataset(Dataset.from_dict(columns, features), pages, rejects=rejects)
    assert hydrated["lines"][:] == [None, list(found.document.lines)]
    assert rejects.count == 1
    assert hashes[0][:12] in rejects.items[0].reason


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


def rewrite(folder: Path, column: str, value: Any) -> None:
    """Give the first document of a set another value in a column, as a stranger might."""
    path = next((folder / "documents").glob("train-*.parquet"))
    table = parquet.read_table(path)
    values = table[column].to_pylist()
    values[0] = value
    for kind in (table.schema.field(column).type, None):
        try:
            array = pa.array(values, kind)
        except (pa.ArrowException, TypeError):
            continue
        break
    else:
        array = pa.array([value] * len(values))
    index = table.column_names.index(column)
    parquet.write_table(table.set_column(index, column, array), path)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("labels", [300, 0, 0, 0], "row 1: a label is none of the four"),
        ("labels", [9, 0, 0, 0], "row 1: a label is none of the four"),
        ("labels", [-1, 0, 0, 0], "row 1: a label is none of the four"),
        ("labels", [0, None, 0, 0], "row 1: a label is none of the four"),
        ("labels", [0, 0, 0], "row 1: as many labels as lines|rows for|other labels in number"),
        ("labels", None, "row 1: labels is null"),
        ("labels", "text", "cannot be read as Parquet|none of the four"),
        ("id", None, "row 1: id is null"),
        ("annotators", None, "row 1: annotators is null"),
        ("annotators", [None], "row 1: annotators holds null"),
        ("agreement", None, "row 1: agreement is null"),
        ("agreement", "much", "cannot be read as Parquet"),
        ("site", None, "row 1: site is null"),
        ("text_sha256", None, "row 1: text_sha256 is null"),
    ],
)
def test_a_strangers_set_is_checked_before_it_is_used(
    column: str, value: Any, reason: str, tmp_path: Path, gold_pages: list[GoldDocument]
) -> None:
    write(tmp_path / "mine", gold_pages)
    write(tmp_path / "theirs", gold_pages)
    rewrite(tmp_path / "theirs", column, value)
    with pytest.raises(DatasetError, match=reason):
        read_export(tmp_path / "theirs")
    if column in ("id", "site", "labels", "text_sha256"):
        with pytest.raises(DatasetError, match=reason):
            diff_datasets(tmp_path / "mine", tmp_path / "theirs")


def test_a_set_that_somebody_sorted_anew_gives_no_document_the_scores_of_another(
    tmp_path: Path, gold_pages: list[GoldDocument]
) -> None:
    write(tmp_path / "set", gold_pages)
    path = next((tmp_path / "set" / "documents").glob("train-*.parquet"))
    table = parquet.read_table(path)
    parquet.write_table(table.take(list(range(len(table)))[::-1]), path)
    with pytest.raises(DatasetError, match=r"lines.*row \d+: the line is not of the document in its place"):
        read_export(tmp_path / "set")


def test_a_set_out_of_proportion_is_refused(tmp_path: Path, gold_pages: list[GoldDocument]) -> None:
    write(tmp_path / "bomb", gold_pages)
    path = next((tmp_path / "bomb" / "documents").glob("train-*.parquet"))
    table = parquet.read_table(path).slice(0, 1).drop(["labels"])
    many = pa.concat_tables([table] * 60)
    labels = pa.array([np.zeros(1_000_000, dtype=np.int64)] * 60)
    parquet.write_table(many.append_column("labels", labels), path, compression="zstd")
    with pytest.raises(DatasetError, match="more than 300 times its size"):
        diff_datasets(tmp_path / "bomb", tmp_path / "bomb")


def test_a_text_is_never_put_under_the_labels_of_another_document_with_its_id(
    tmp_path: Path, gold_pages: list[GoldDocument]
) -> None:
    item = gold_pages[0]
    other = replace(item, document=replace(item.document, lines=("b", *item.document.lines[1:])))
    rejects = Rejects()
    both = [item, other, *gold_pages[1:]]
    hidden = without_text(both, (), "none")
    report = write(tmp_path / "set", both, without_text=hidden, rejects=rejects)
    assert report.rejected == 1
    export = read_export(tmp_path / "set")
    hashes = {d.document.id: sha256 for d, sha256 in zip(export.documents, export.hashes, strict=True)}
    assert hashes[item.document.id] == item.document.text_sha256
    wrong = hidden | {item.document.id: other.document.text_sha256}
    with pytest.raises(DatasetError, match="is that of another document with this id"):
        write(tmp_path / "wrong", gold_pages, without_text=wrong)


def test_sources_that_cannot_be_read_are_named_where_texts_are_missing(
    tmp_path: Path, standoff: Path, gold_pages: list[GoldDocument]
) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "broken.parquet").write_bytes(b"PAR1 truncated")
    rejects = Rejects()
    hydrate_export(standoff, [tmp_path / "sources"], tmp_path / "back", rejects=rejects)
    assert any("broken.parquet" in item.file for item in rejects.items)
    write_pages(tmp_path / "sources" / "pages.jsonl", gold_pages)
    fine = Rejects()
    hydrate_export(standoff, [tmp_path / "sources"], tmp_path / "back", rejects=fine)
    assert not fine.items


def test_an_index_outside_of_a_text_fills_nothing(
    tmp_path: Path, standoff: Path, load: Any, gold_pages: list[GoldDocument]
) -> None:
    pages = write_pages(tmp_path / "pages.jsonl", gold_pages)
    lines = load(str(standoff), "lines")["train"]
    hidden = next(i for i, text in enumerate(lines["text"]) if text is None)
    for index in (-1, 99):
        wrong = lines.map(
            lambda row, i, index=index: {"index": index if i == hidden else row["index"]},
            with_indices=True,
            features=lines.features,
        )
        assert hydrate_dataset(wrong, pages)["text"][hidden] is None


def test_a_set_in_numpy_format_gets_its_texts_back(
    tmp_path: Path, standoff: Path, load: Any, gold_pages: list[GoldDocument]
) -> None:
    pages = write_pages(tmp_path / "pages.jsonl", gold_pages)
    lines = load(str(standoff), "lines").with_format("numpy")
    hydrated = hydrate_dataset(lines, pages)
    assert all(text is not None for split in hydrated.values() for text in split.with_format(None)["text"])


def test_a_set_that_somebody_else_wrote_again_is_read(tmp_path: Path, gold_pages: list[GoldDocument]) -> None:
    write(tmp_path / "set", gold_pages)
    before = read_export(tmp_path / "set")
    for config in ("documents", "lines"):
        for path in (tmp_path / "set" / config).glob("*.parquet"):
            table = parquet.read_table(path)
            for name in ("site", "doc_id" if config == "lines" else "text_sha256"):
                index = table.column_names.index(name)
                table = table.set_column(index, name, table[name].dictionary_encode())
            parquet.write_table(table if "train" in path.name else table.slice(0, 0), path)
    after = read_export(tmp_path / "set")
    train = [i for i, split in enumerate(before.splits) if split == "train"]
    assert [d.document.id for d in after.documents] == [before.documents[i].document.id for i in train]
    assert after.hashes == tuple(before.hashes[i] for i in train)
    assert diff_datasets(tmp_path / "set", tmp_path / "set").is_same
