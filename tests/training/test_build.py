"""The main job: labels in; a model, a dataset and a report out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from boilerplate_ds import Cleaner
from boilerplate_ds.dataset.splits import split_sites
from boilerplate_ds.errors import DatasetError, ModelError
from boilerplate_ds.labeling.pages import ingest_pages, read_pages
from boilerplate_ds.training.build import BuildResult, build

N_PAGES = 3


@pytest.fixture(scope="module")
def labels(pages_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pages of three sites, a collection without texts, and labels that fit no text."""
    folder = tmp_path_factory.mktemp("labels")
    pages = list(read_pages([pages_file]))[::2]
    ingest_pages(pages[:N_PAGES], folder / "mine", created_at="2024-01-01T00:00:00Z")
    ingest_pages(pages[4:6], folder / "standoff", created_at="2024-01-01T00:00:00Z")
    shutil.rmtree(folder / "standoff" / "documents")
    with (folder / "mine" / "annotations" / "authors.jsonl").open("a") as file:
        file.write("no JSON\n")
    return folder


@pytest.fixture(scope="module")
def result(labels: Path, tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    return build(labels, tmp_path_factory.mktemp("build") / "out", n_jobs=1)


@pytest.fixture(scope="module")
def by_command(
    labels: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess]:
    """The same build by the command, in another process with another hash seed and another folder."""
    out = tmp_path_factory.mktemp("again") / "result"
    command = [sys.executable, "-m", "boilerplate_ds.cli", "build", "--json", "--jobs", "1"]
    done = subprocess.run(
        [*command, "--labels", labels, "-o", out],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONHASHSEED": "7"},
    )
    return out, done


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}


def test_model_dataset_and_report_are_there(result: BuildResult) -> None:
    out = result.model.parent
    assert result.model == out / "model"
    assert result.dataset == out / "dataset"
    assert result.report == out / "report" / "index.html"
    files = hashes(out)
    for name in (
        "model/config.json",
        "model/model.safetensors",
        "report/index.html",
        "report/evaluation.json",
    ):
        assert name in files
    assert {f"dataset/{name}" for name in result.export.files} <= set(files)


@pytest.mark.parametrize(("config", "rows"), [("documents", N_PAGES), ("lines", 11 * N_PAGES)])
def test_datasets_opens_both_configurations(
    result: BuildResult, tmp_path: Path, config: str, rows: int
) -> None:
    from datasets import load_dataset

    loaded = load_dataset(str(result.dataset), config, cache_dir=str(tmp_path))
    assert set(loaded) == {"train", "validation", "test"}
    assert sum(split.num_rows for split in loaded.values()) == rows


def test_the_model_is_trained_on_no_test_site(result: BuildResult, labels: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    loaded = load_dataset(str(result.dataset), "documents", cache_dir=str(tmp_path))
    sites = {name: set(split["site"]) for name, split in loaded.items()}
    test = sites["test"]
    assert test
    assert not test & (sites["train"] | sites["validation"])
    assert {site: split for split, named in sites.items() for site in named} == split_sites(
        set().union(*sites.values())
    )
    facts = json.loads((result.model / "config.json").read_text())["facts"]["trained_on"]["mine"]
    assert facts["documents"] == N_PAGES - loaded["test"].num_rows
    assert facts["sites"] == N_PAGES - len(test)
    assert result.held_out.n_sites == len(test)
    assert result.cross_validation.n_sites == N_PAGES - len(test)
    # The proof: changing the labels of the test site changes the figures, and not one weight.
    changed = shutil.copytree(labels, tmp_path / "changed")
    file = changed / "mine" / "annotations" / "authors.jsonl"
    records = [json.loads(line) for line in file.read_text().splitlines()[:N_PAGES]]
    for record in records:
        if record["doc_id"] in loaded["test"]["id"]:
            record["labels"] = "11r"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    other = build(changed, tmp_path / "out", n_jobs=1)
    weights = "model.safetensors"
    assert (other.model / weights).read_bytes() == (result.model / weights).read_bytes()
    assert other.held_out.per_class["recommendation"].support == 11 * len(test)


def test_the_model_has_a_card_with_the_figures_of_its_held_out_sites(result: BuildResult) -> None:
    figures = json.loads((result.model / "evaluation.json").read_text())["four_class"]
    assert figures["held-out sites"] == result.held_out.as_json()
    card = (result.model / "README.md").read_text(encoding="utf-8")
    assert f"| held-out sites | {result.held_out.n_documents} |" in card
    assert "the saved model itself on the sites that were held out" in card
    assert "- **mine**: A labelled collection of your own." in card
    assert "WCXB" not in card


def test_the_model_cleans(result: BuildResult) -> None:
    text = "Home | News | Sport | Weather\nThe ferry will open every hour from May\n"
    assert Cleaner(result.model, drop=()).clean(text) == text
    assert len(Cleaner(result.model).label(text)) == 2


def test_what_was_left_out_is_named(result: BuildResult, labels: Path) -> None:
    assert result.labels.without_text == (str(labels / "standoff"),)
    assert [item.record for item in result.labels.rejects.items] == [f"line {N_PAGES + 1}"]


def test_the_report_names_its_figures(result: BuildResult) -> None:
    report = json.loads((result.report.parent / "evaluation.json").read_text())
    held_out, validated = report["sections"]
    assert held_out["title"] == "Held-out test sites"
    assert held_out["macro_f1"] == result.held_out.as_json()["macro_f1"]
    assert validated["lines"] == result.cross_validation.n_lines
    assert report["facts"]["languages"] == "de, en"


def test_the_command_tells_what_it_made_and_that_a_record_was_bad(by_command) -> None:
    out, done = by_command
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["rejected"] == 1
    assert Path(told["model"]) == out / "model"
    assert Path(told["report"]).is_file()
    assert "authors.jsonl, line 4: not JSON" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_same_labels_give_the_same_bytes(result: BuildResult, by_command) -> None:
    assert hashes(by_command[0]) == hashes(result.model.parent)


def test_all_parts_are_made_of_the_same_pages(labels: Path, result: BuildResult, tmp_path: Path) -> None:
    folder = shutil.copytree(labels, tmp_path / "labels")
    shutil.copytree(folder / "mine", folder / "again")  # pages that two collections share
    shutil.copytree(folder / "mine", folder / "empty")
    for file in (folder / "empty" / "documents").iterdir():
        file.write_bytes(b"")
    page = tmp_path / "page.txt"
    page.write_text("@@\n@id odd\n@site odd.example\nc Text\n")
    ingest_pages(read_pages([page]), folder / "odd")
    for file in (folder / "odd" / "documents").iterdir():  # cannot be exported
        file.write_text(json.dumps(json.loads(file.read_text()) | {"page_type": "\ud800"}) + "\n")
    other = build(folder, tmp_path / "out", n_jobs=1)
    assert other.held_out.as_json() == result.held_out.as_json()
    assert other.cross_validation.as_json() == result.cross_validation.as_json()
    assert other.export.splits == result.export.splits
    assert other.labels.without_text == (str(folder / "empty"), str(folder / "standoff"))
    assert "document 'odd'" in {item.record for item in other.labels.rejects.items}


@pytest.mark.parametrize(
    ("pages", "message"),
    [(2, "2 sites cannot fill 3 splits"), (0, "holds no collection")],
)
def test_too_little_to_build_from_is_an_error(
    pages_file: Path, tmp_path: Path, pages: int, message: str
) -> None:
    if pages:
        ingest_pages(list(read_pages([pages_file]))[: 2 * pages : 2], tmp_path / "labels" / "mine")
    (tmp_path / "labels").mkdir(exist_ok=True)
    with pytest.raises(DatasetError, match=message):
        build(tmp_path / "labels", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_folder_that_holds_other_files_is_refused_before_anything_is_written(
    labels: Path, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "note.txt").write_text("mine")
    with pytest.raises(ModelError, match=r"holds note\.txt, and no boilerplate-ds model"):
        build(labels, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_labels_without_any_text_are_an_error(labels: Path, tmp_path: Path) -> None:
    shutil.copytree(labels / "standoff", tmp_path / "standoff")
    with pytest.raises(DatasetError, match=r"\(1 collections without texts: run hydrate\); label some pages"):
        build(tmp_path, tmp_path / "out")


def test_labels_that_nobody_settled_are_an_error(labels: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(labels / "mine", tmp_path / "labels" / "mine")
    file = folder / "annotations" / "authors.jsonl"
    records = [json.loads(line) for line in file.read_text().splitlines()[:N_PAGES]]
    other = [json.dumps(record | {"annotator": "ben", "labels": "11r"}) + "\n" for record in records]
    (folder / "annotations" / "ben.jsonl").write_text("".join(other))
    with pytest.raises(DatasetError, match=r"\(3 undecided, as their annotators differ; 1 rejected\)"):
        build(tmp_path / "labels", tmp_path / "out")
