"""The exported folder: opened with the real readers, the same every time, complete or not there at all."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from boilerplate_ds.dataset import export
from boilerplate_ds.dataset.export import ExportReport, export_dataset
from boilerplate_ds.dataset.gold import GoldDocument
from boilerplate_ds.dataset.splits import SPLITS, split_sites
from boilerplate_ds.document import LABEL_NAMES, Document
from boilerplate_ds.errors import DatasetError, Rejects

if TYPE_CHECKING:
    from pathlib import Path


def page(number: int, site: str | None = None, **fields: Any) -> GoldDocument:
    lines = tuple(f"Line {i} of page {number}, 日本語 😀" for i in range(1 + number % 5))
    document = Document(
        id=f"page-{number:02}",
        lines=fields.pop("lines", lines),
        url=f"https://{number}.example/",
        site=f"site-{number // 2}.example" if site is None else site,
        language=("en", "de")[number % 2],
        source="here",
        metadata={"page_type": "news", "variant": "full"} if number else {},
    )
    labels = (np.arange(len(document.lines)) + number) % len(LABEL_NAMES)
    fields = {"annotators": ("anna", "ben"), "agreement": 0.75, "decided": "majority"} | fields
    return GoldDocument(document, labels=fields.pop("labels", labels.astype(np.int8)), **fields)


GOLD = [page(number) for number in range(40)]


def write(folder: Path, gold: list[GoldDocument] = GOLD, **options: Any) -> ExportReport:
    return export_dataset(gold, folder, name="Test lines", guidelines="1", **options)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_documents_load_as_they_are_in_gold(tmp_path: Path, load: Any) -> None:
    write(tmp_path / "set")
    loaded = load(str(tmp_path / "set"))
    rows = {row["id"]: row for split in loaded.values() for row in split}
    assert rows.keys() == {item.document.id for item in GOLD}
    for item in GOLD:
        document, row = item.document, rows[item.document.id]
        assert row == {
            "id": document.id,
            "url": document.url,
            "site": document.site,
            "language": document.language,
            "page_type": document.metadata.get("page_type", ""),
            "variant": document.metadata.get("variant", ""),
            "source": document.source,
            "licence": "",
            "lines": list(document.lines),
            "labels": item.labels.tolist(),
            "annotators": list(item.annotators),
            "agreement": item.agreement,
            "decided": item.decided,
            "text_sha256": document.text_sha256,
        }


def test_lines_load_with_their_neighbours_and_places(tmp_path: Path, load: Any) -> None:
    write(tmp_path / "set")
    rows = [row for split in load(str(tmp_path / "set"), "lines").values() for row in split]
    for item in GOLD:
        document = item.document
        mine = [row for row in rows if row["doc_id"] == document.id]
        ids = [f"{document.id}#{i}" for i in range(len(document.lines))]
        assert [row["id"] for row in mine] == ids
        assert [row["text"] for row in mine] == list(document.lines)
        assert [row["label"] for row in mine] == item.labels.tolist()
        assert [row["index"] for row in mine] == list(range(len(ids)))
        assert {row["n_lines"] for row in mine} == {len(ids)}
        assert [row["previous_id"] for row in mine] == [None, *ids[:-1]]
        assert [row["next_id"] for row in mine] == [*ids[1:], None]
        assert [row["position"] for row in mine] == pytest.approx(
            [i / max(len(ids) - 1, 1) for i in range(len(ids))]
        )
        assert {(row["site"], row["language"]) for row in mine} == {(document.site, document.language)}
        assert {row["document_sha256"] for row in mine} == {document.text_sha256}


def test_lines_bear_the_share_of_annotators_that_agree_where_there_are_several(
    tmp_path: Path, load: Any
) -> None:
    scores = np.array([1.0, 2 / 3], dtype=np.float32)
    several = page(1, scores=scores)
    write(tmp_path / "set", [page(0), several], splits=["train", "train"])
    rows = load(str(tmp_path / "set"), "lines", split="train")
    assert [row["score"] for row in rows] == [None, *scores.tolist()]


@pytest.mark.parametrize("streaming", [False, True])
def test_labels_are_class_labels_in_both_configurations(tmp_path: Path, load: Any, streaming: bool) -> None:
    from datasets import ClassLabel, List

    write(tmp_path / "set")
    documents = load(str(tmp_path / "set"), streaming=streaming)
    lines = load(str(tmp_path / "set"), "lines", streaming=streaming)
    for split in SPLITS:
        assert documents[split].features["labels"] == List(ClassLabel(names=list(LABEL_NAMES)))
        assert lines[split].features["label"] == ClassLabel(names=list(LABEL_NAMES))


def test_streaming_gives_the_same_rows(tmp_path: Path, load: Any) -> None:
    write(tmp_path / "set")
    for config in ("documents", "lines"):
        streamed = load(str(tmp_path / "set"), config, streaming=True)
        loaded = load(str(tmp_path / "set"), config)
        assert {split: list(rows) for split, rows in streamed.items()} == {
            split: list(rows) for split, rows in loaded.items()
        }


def test_the_parquet_files_alone_keep_the_labels_names(tmp_path: Path, load: Any) -> None:
    write(tmp_path / "set")
    (tmp_path / "set" / "README.md").unlink()
    loaded = load("parquet", data_files=str(tmp_path / "set" / "lines" / "test-*.parquet"))
    assert loaded["train"].features["label"].names == list(LABEL_NAMES)


def test_pandas_reads_the_files(tmp_path: Path) -> None:
    report = write(tmp_path / "set")
    for config in ("documents", "lines"):
        for split, counts in report.splits.items():
            frame = pd.read_parquet(tmp_path / "set" / config / f"{split}-00000-of-00001.parquet")
            assert len(frame) == getattr(counts, config)


@pytest.mark.parametrize("config", ["documents", "lines"])
def test_polars_reads_the_files(tmp_path: Path, config: str) -> None:
    import polars

    report = write(tmp_path / "set")
    frame = polars.scan_parquet(tmp_path / "set" / config / "*.parquet").collect()
    assert len(frame) == sum(getattr(counts, config) for counts in report.splits.values())
    labels = frame["labels"].explode() if config == "documents" else frame["label"]
    assert labels.to_list() == [label for item in _in_order(report) for label in item.labels.tolist()]


@pytest.mark.parametrize("config", ["documents", "lines"])
def test_duckdb_reads_the_files(tmp_path: Path, config: str) -> None:
    import duckdb

    report = write(tmp_path / "set")
    label = "unnest(labels)" if config == "documents" else "label"
    with duckdb.connect() as database:
        rows = database.sql(f"SELECT {label} AS label FROM '{tmp_path}/set/{config}/*.parquet'")
        counted = dict(rows.aggregate("label, count(*)").fetchall())
    names = {LABEL_NAMES[number]: n for number, n in counted.items()}
    assert names == {name: sum(c.labels[name] for c in report.splits.values()) for name in LABEL_NAMES}


def _in_order(report: ExportReport) -> list[GoldDocument]:
    """Documents in the order of the files' names."""
    split_by_site = split_sites(item.document.site for item in GOLD)
    return sorted(GOLD, key=lambda item: (split_by_site[item.document.site], item.document.id))


def test_no_site_is_in_two_splits(tmp_path: Path) -> None:
    report = write(tmp_path / "set")
    sites = [
        set(pd.read_parquet(tmp_path / "set" / "documents" / f"{split}-00000-of-00001.parquet")["site"])
        for split in SPLITS
    ]
    assert all(sites)
    assert not any(one & other for one, other in combinations(sites, 2))
    assert split_sites(item.document.site for item in GOLD) == {
        site: split for split, names in zip(SPLITS, sites, strict=True) for site in names
    }
    assert [report.splits[split].sites for split in SPLITS] == [len(names) for names in sites]


def test_documents_without_a_site_are_each_a_site_of_their_own(tmp_path: Path) -> None:
    report = write(tmp_path / "set", [page(number, site="") for number in range(40)])
    assert sum(counts.sites for counts in report.splits.values()) == 40
    assert report.empty_splits == ()


def test_a_site_in_two_splits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"site 'site-0\.example' is in train and in test"):
        write(tmp_path / "set", GOLD[:2], splits=["train", "test"])


@pytest.mark.parametrize(("splits", "named"), [(["train"], "got 1"), (["train", "dev"], "'dev'")])
def test_splits_have_to_fit(tmp_path: Path, splits: list[str], named: str) -> None:
    with pytest.raises(DatasetError, match=named):
        write(tmp_path / "set", GOLD[:2], splits=splits)


def test_an_empty_split_is_left_out_and_reported(tmp_path: Path, load: Any) -> None:
    report = write(tmp_path / "set", splits=["test"] * len(GOLD))
    assert report.empty_splits == ("train", "validation")
    for config in ("documents", "lines"):
        assert list(load(str(tmp_path / "set"), config)) == ["test"]
        assert list(load(str(tmp_path / "set"), config, streaming=True)) == ["test"]


def test_the_report_counts_what_was_written(tmp_path: Path) -> None:
    report = write(tmp_path / "set")
    labels = np.concatenate([item.labels for item in GOLD])
    assert sum(counts.documents for counts in report.splits.values()) == len(GOLD)
    assert sum(counts.lines for counts in report.splits.values()) == len(labels)
    for label, name in enumerate(LABEL_NAMES):
        assert sum(counts.labels[name] for counts in report.splits.values()) == (labels == label).sum()
    assert report.files == tuple(contents(tmp_path / "set"))
    assert report.as_json()["splits"]["test"]["documents"] == report.splits["test"].documents


def test_the_same_gold_gives_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    write(tmp_path / "one")
    write(tmp_path / "two", GOLD[::-1])
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_large_splits_are_cut_into_shards_and_row_groups(
    tmp_path: Path, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "SHARD_BYTES", 2_000)
    monkeypatch.setattr(export, "ROW_GROUP_BYTES", 1_000)
    report = write(tmp_path / "set", splits=["train"] * len(GOLD))
    shards = sorted((tmp_path / "set" / "lines").iterdir())
    assert len(shards) > 2
    assert shards[0].name == f"train-00000-of-{len(shards):05}.parquet"
    assert max(parquet.ParquetFile(shard).num_row_groups for shard in shards) > 1
    assert max(parquet.ParquetFile(shard).metadata.row_group(0).total_byte_size for shard in shards) < 4_000
    for config in ("documents", "lines"):
        loaded = load(str(tmp_path / "set"), config, split="train")
        assert list(loaded["id"]) == sorted(loaded["id"])
    assert loaded.num_rows == report.splits["train"].lines


def test_an_earlier_export_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path / "set")
    write(tmp_path / "set", GOLD[:6], splits=["train"] * 6)
    write(tmp_path / "new", GOLD[:6], splits=["train"] * 6)
    assert contents(tmp_path / "set") == contents(tmp_path / "new")
    assert {path.name for path in tmp_path.iterdir()} == {"set", "new"}


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    assert "README.md" in write(tmp_path / "set").files


@pytest.mark.parametrize("name", ["notes.txt", ".git/HEAD", "documents/mine.parquet"])
def test_a_folder_with_other_files_is_refused_and_untouched(tmp_path: Path, name: str) -> None:
    write(tmp_path / "set")
    other = tmp_path / "set" / name
    other.parent.mkdir(exist_ok=True)
    other.write_text("mine")
    before = contents(tmp_path / "set")
    with pytest.raises(DatasetError, match=f"holds {name}"):
        write(tmp_path / "set", GOLD[:6], splits=["train"] * 6)
    assert contents(tmp_path / "set") == before


def test_a_readme_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# My thesis")
    with pytest.raises(DatasetError, match=r"holds README\.md"):
        write(tmp_path)


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set").write_text("a file")
    with pytest.raises(DatasetError, match="is a file"):
        write(tmp_path / "set")


def test_a_failed_export_leaves_the_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "set")
    before = contents(tmp_path / "set")

    def full(*_: object) -> str:
        raise OSError("No space left on device")

    monkeypatch.setattr(export, "dataset_card", full)
    with pytest.raises(DatasetError, match="cannot be written: No space left"):
        write(tmp_path / "set", GOLD[:6], splits=["train"] * 6)
    assert contents(tmp_path / "set") == before
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


BAD = [
    (page(50, lines=("half \ud83d",)), "lines holds half a character"),
    (page(51, site="\udc80.example"), "site holds half a character"),
    (page(52, annotators=("\ud800",)), "annotators holds half a character"),
    (page(53, lines=("a", "b"), labels=np.array([0, -1], dtype=np.int8)), "none of the labels"),
    (page(54, labels=np.zeros(0, dtype=np.int8)), "0 labels for 5 lines"),
    (page(55, lines=()), "no lines"),
    (page(1), "another document has this id"),
]


def test_bad_documents_are_rejected_with_their_reason(tmp_path: Path, load: Any) -> None:
    rejects = Rejects()
    report = write(tmp_path / "set", GOLD + [item for item, _ in BAD], rejects=rejects)
    assert report.rejected == rejects.count == len(BAD)
    for reject, (item, reason) in zip(rejects.items, BAD, strict=True):
        assert reject.record == f"document {item.document.id!r}"
        assert reason in reject.reason
    assert sum(load(str(tmp_path / "set")).num_rows.values()) == len(GOLD)


def test_a_rejected_document_does_not_empty_a_split(tmp_path: Path) -> None:
    good = [page(number) for number in (0, 2, 4)]
    sites = [item.document.site for item in good]
    names = (f"bad{number}.example" for number in range(1000))
    alone = next(name for name in names if split_sites([*sites, name])[name] == "test")
    bad = page(50, site=alone, lines=("half \ud83d",))
    report = write(tmp_path / "set", [*good, bad], rejects=Rejects())
    assert (report.empty_splits, report.rejected) == ((), 1)


@pytest.mark.parametrize(("item", "reason"), BAD)
def test_without_a_collector_the_first_bad_document_raises(
    tmp_path: Path, item: GoldDocument, reason: str
) -> None:
    with pytest.raises(DatasetError, match=reason):
        write(tmp_path / "set", [*GOLD, item])
    assert not any(tmp_path.iterdir())


def test_nothing_to_export_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no document to export"):
        write(tmp_path / "set", [BAD[0][0]], splits=["train"], rejects=Rejects())
    with pytest.raises(DatasetError, match="no document to export"):
        write(tmp_path / "set", [], splits=[])
