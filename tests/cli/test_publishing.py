"""The commands that publish: export with its options, hydrate for a dataset, diff, push."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas
import pytest
from click.testing import CliRunner, Result

from boilerplate_ds.cli import main
from boilerplate_ds.cli.dataset import print_export
from boilerplate_ds.dataset.card import Counts
from boilerplate_ds.dataset.export import ExportReport
from boilerplate_ds.document import Annotation, decode_runs
from boilerplate_ds.labeling.collection import load_collection
from boilerplate_ds.labeling.store import LabelStore

if TYPE_CHECKING:
    from pathlib import Path

    from hub_server import Hub


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def labels(collection: Path, tmp_path: Path) -> Path:
    """Sixteen pages of eight sites: the English ones under an open licence, the others labelled by two."""
    folder = tmp_path / "labels" / "small"
    shutil.copytree(collection, folder)
    english = folder / "documents" / "en.jsonl"
    records = [
        json.loads(line) | {"licence": "CC BY 4.0"} for line in english.read_text("utf-8").splitlines()
    ]
    english.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    loaded = load_collection(folder)
    for annotation in loaded.annotations:
        if loaded.documents[annotation.doc_id].language == "de":
            LabelStore(folder).append(replace(annotation, annotator="second"))
    return folder


def exported(out: Path, *arguments: object) -> dict:
    result = run("export", *arguments, "-o", out, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def n_documents(report: dict) -> int:
    return sum(split["documents"] for split in report["splits"].values())


def ids_of(folder: Path, language: str) -> set[str]:
    return {page.id for page in load_collection(folder).documents.values() if page.language == language}


def test_all_texts_of_a_collection_that_has_them_are_exported(labels: Path, tmp_path: Path) -> None:
    report = exported(tmp_path / "set", labels)
    assert (n_documents(report), report["without_text"]) == (16, 0)
    assert "croissant.json" in report["files"]


def test_gold_only_leaves_out_what_one_person_alone_labelled(labels: Path, tmp_path: Path) -> None:
    assert n_documents(exported(tmp_path / "set", labels, "--gold-only")) == 8
    frame = pandas.read_parquet(tmp_path / "set" / "documents")
    assert set(frame["language"]) == {"de"}
    assert set(frame["decided"]) == {"agreed"}
    assert "| Krippendorff's α | 1.000 |" in (tmp_path / "set" / "README.md").read_text("utf-8")


def test_an_adjudicator_alone_is_one_annotator(labels: Path, tmp_path: Path) -> None:
    file = labels / "annotations" / "authors.jsonl"
    records = [json.loads(line) for line in file.read_text().splitlines()]
    english = [record for record in records if record["doc_id"] in ids_of(labels, "en")]
    alone, checked = (
        [record | {"annotator": "adjudicated"} for record in english[i : i + 1]] for i in (0, 1)
    )
    file.write_text("".join(json.dumps(r) + "\n" for r in records if r != english[0]))
    decided = labels / "annotations" / "adjudicated.jsonl"
    decided.write_text("".join(json.dumps(r) + "\n" for r in alone + checked))
    assert n_documents(exported(tmp_path / "set", labels, "--gold-only")) == 9
    frame = pandas.read_parquet(tmp_path / "set" / "documents")
    assert set(frame["id"][frame["language"] == "en"]) == {checked[0]["doc_id"]}


def test_annotations_of_a_document_in_two_collections_are_settled_and_measured_together(
    labels: Path, tmp_path: Path
) -> None:
    passes = shutil.copytree(labels, tmp_path / "labels" / "passes")
    shutil.rmtree(passes / "annotations")
    documents = list(load_collection(labels).documents.values())
    for annotator in ("ana", "ben"):
        for document in documents:
            runs = decode_runs(
                "11c" if (annotator, document) == ("ana", documents[0]) else "2n 2c 2a 1c 1n 2r 1n"
            )
            LabelStore(passes).append(Annotation(document.id, document.text_sha256, annotator, runs))
    result = run("export", labels, passes, labels / ".." / "small", "-o", tmp_path / "set")
    assert (result.exit_code, result.stderr) == (0, "")
    card = (tmp_path / "set" / "README.md").read_text("utf-8")
    assert "Of the 176 lines of 16 documents with two or more independent annotators, all" in card
    assert "agree on 95.5%" in card
    assert "No document has two" not in card
    assert "one annotator alone" not in card
    assert "| `majority` | 1 |" in card


def test_a_split_without_documents_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    counts = Counts(documents=1, sites=1, lines=2, labels={})
    print_export(ExportReport(tmp_path, {"train": counts}, ("validation", "test"), 0, (), 0))
    assert "validation  no documents\ntest        no documents\n" in capsys.readouterr().out


def test_only_documents_of_a_licence_are_exported(labels: Path, tmp_path: Path) -> None:
    assert n_documents(exported(tmp_path / "set", labels, "--only-licence", "cc-by-4.0")) == 8
    card = (tmp_path / "set" / "README.md").read_text("utf-8")
    assert "license: cc-by-4.0\n" in card
    assert "Texts and labels are under `cc-by-4.0`" in card
    result = run("export", labels, "-o", tmp_path / "none", "--only-licence", "mit")
    assert (result.exit_code, (tmp_path / "none").exists()) == (2, False)
    assert "no document to export" in result.stderr


def test_a_gold_strategy_settles_what_is_exported(labels: Path, tmp_path: Path) -> None:
    result = run("export", labels, "-o", tmp_path / "set", "--strategy", "decided")
    assert result.exit_code == 2, "nobody has decided anything"


def test_texts_of_a_stand_off_collection_are_left_out_unless_they_are_open(
    labels: Path, tmp_path: Path
) -> None:
    corpus = {
        "name": "small",
        "title": "Small",
        "file": "small.jsonl",
        "sha256": "0" * 64,
        "size": 1,
        "revision": "1",
        "licence": "Copyright of the publishers.",
        "obtain": "Ask.",
    }
    (labels / "corpus.json").write_text(json.dumps(corpus))
    report = exported(tmp_path / "set", labels)
    assert (n_documents(report), report["without_text"]) == (16, 8)
    assert "small: Copyright of the publishers." in (tmp_path / "set" / "README.md").read_text("utf-8")
    assert exported(tmp_path / "all", labels, "--text", "all")["without_text"] == 0
    assert exported(tmp_path / "none", labels, "--text", "none")["without_text"] == 16

    out = tmp_path / "with-text"
    result = run("hydrate", tmp_path / "none", "--from", labels / "documents", "-o", out)
    assert result.exit_code == 0, result.output
    same = run("diff", tmp_path / "none", out)
    assert same.stdout == "same      documents, texts, labels and splits\n"
    for path in (tmp_path / "all").rglob("*.parquet"):
        assert (out / path.relative_to(tmp_path / "all")).read_bytes() == path.read_bytes()


def test_a_dataset_whose_pages_are_missing_is_hydrated_as_far_as_it_goes(
    labels: Path, tmp_path: Path
) -> None:
    exported(tmp_path / "none", labels, "--text", "none")
    (tmp_path / "page.txt").write_text("Another page\n")
    result = run("hydrate", tmp_path / "none", "--from", tmp_path / "page.txt", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "16 bad records were left out" in result.stderr
    assert "no text     16 documents" in result.stdout


def test_a_dataset_needs_pages_and_a_place(labels: Path, tmp_path: Path) -> None:
    exported(tmp_path / "set", labels)
    assert "needs --from (the pages) and -o" in run("hydrate", tmp_path / "set").stderr
    assert "-o is for datasets" in run("hydrate", labels, "-o", tmp_path / "x").stderr


def test_a_diff_shows_what_was_relabelled(labels: Path, tmp_path: Path) -> None:
    exported(tmp_path / "old", labels)
    document = next(iter(load_collection(labels).documents.values()))
    decision = Annotation(document.id, document.text_sha256, "adjudicated", decode_runs("11r"))
    LabelStore(labels).append(decision)
    exported(tmp_path / "new", labels)
    shown = run("diff", tmp_path / "old", tmp_path / "new")
    assert shown.exit_code == 0
    assert "relabelled  1 documents\n" in shown.stdout
    assert f"            {document.id}\n" in shown.stdout
    assert "→ recommendation" in shown.stdout
    found = json.loads(run("diff", tmp_path / "old", tmp_path / "new", "--json").stdout)
    assert found["relabelled"] == [document.id]
    assert found["flow"]["navigation"]["recommendation"] == 4
    assert not found["same"]


def test_a_diff_shows_renamed_sites(labels: Path, tmp_path: Path) -> None:
    exported(tmp_path / "old", labels)
    for file in (labels / "documents").iterdir():
        file.write_text(file.read_text("utf-8").replace('"site": "', '"site": "x'), "utf-8")
    exported(tmp_path / "new", labels)
    shown = run("diff", tmp_path / "old", tmp_path / "new").stdout
    assert "renamed     8 sites\n            harbour0.example → xharbour0.example\n" in shown
    assert "other split " in shown
    assert "same " not in shown.splitlines()[0]


def test_a_diff_of_what_is_no_export_cannot_run(tmp_path: Path) -> None:
    result = run("diff", tmp_path, tmp_path)
    assert result.exit_code == 2
    assert "name a folder that export wrote" in result.stderr


def test_a_push_prints_each_file_and_the_commit(hub: Hub, labels: Path, tmp_path: Path) -> None:
    exported(tmp_path / "set", labels)
    planned = run("push", "me/small", tmp_path / "set", "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert "new       dataset me/small\n" in planned.stdout
    assert "nothing was sent" in planned.stdout
    done = run("push", "me/small", tmp_path / "set")
    assert done.exit_code == 0, done.output
    assert "README.md" in done.stdout
    assert hub.repos["datasets", "me/small"].branches["main"] in done.stdout
    again = json.loads(run("push", "me/small", tmp_path / "set", "--json").stdout)
    assert again["new"] == again["changed"] == again["removed"] == {}


def test_a_push_that_cannot_run_ends_with_2(hub: Hub, labels: Path, tmp_path: Path) -> None:
    assert run("push", "me/small", tmp_path / "nowhere").exit_code == 2
    assert run("push", "small", tmp_path).exit_code == 2
    exported(tmp_path / "set", labels)
    result = run("push", "small", tmp_path / "set")
    assert result.exit_code == 2
    assert "one is like user/name" in result.stderr
