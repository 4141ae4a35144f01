"""The Croissant description: accepted by the reference validator, and enough for it to load the rows."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from boilerplate_ds.dataset.export import ExportReport, export_dataset
from boilerplate_ds.document import LABEL_NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from boilerplate_ds.dataset.gold import GoldDocument

mlcroissant = pytest.importorskip("mlcroissant")


@pytest.fixture
def report(tmp_path: Path, gold_pages: list[GoldDocument]) -> ExportReport:
    return export_dataset(
        gold_pages, tmp_path / "set", name="Test lines", guidelines="1", licence="cc-by-4.0"
    )


def test_the_validator_accepts_it(report: ExportReport) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mlcroissant.scripts.validate", "--jsonld", report.folder / "croissant.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if line.startswith("  -")]
    assert len(warnings) == 1
    assert "datePublished" in warnings[0]  # left out on purpose: the same labels give the same bytes


def test_a_loader_reads_every_row_with_its_split(report: ExportReport) -> None:
    dataset = mlcroissant.Dataset(report.folder / "croissant.json")
    for config in ("documents", "lines"):
        rows = list(dataset.records(config))
        for split, counts in report.splits.items():
            mine = [row for row in rows if row[f"{config}/split"] == split.encode()]
            assert len(mine) == getattr(counts, config)
    labels = [int(row["lines/label"]) for row in dataset.records("lines")]
    assert [labels.count(i) for i in range(4)] == [
        sum(counts.labels[name] for counts in report.splits.values()) for name in LABEL_NAMES
    ]
    assert [row["label-names/name"] for row in dataset.records("label-names")] == list(LABEL_NAMES)


def test_every_file_is_named_with_its_checksum(report: ExportReport) -> None:
    described = json.loads((report.folder / "croissant.json").read_text("utf-8"))
    files = {part["contentUrl"]: part for part in described["distribution"] if "contentUrl" in part}
    assert set(files) == {name for name in report.files if name.endswith(".parquet")}
    for name, part in files.items():
        assert part["sha256"] == hashlib.sha256((report.folder / name).read_bytes()).hexdigest()
    assert described["license"] == "https://creativecommons.org/licenses/by/4.0/"
