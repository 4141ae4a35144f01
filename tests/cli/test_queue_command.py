"""``queue`` and ``review``: from a collection to a queue file that a labelling session opens."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from boilerplate_ds.cli import main
from boilerplate_ds.cli.queue import STRATEGIES
from boilerplate_ds.document import decode_runs, encode_runs
from boilerplate_ds.labeling.collection import load_collection
from boilerplate_ds.labeling.queue import read_queue
from boilerplate_ds.labeling.suggestions import Suggestion, append_suggestion


def run(*arguments):
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def half_labelled(collection, tmp_path):
    """Sixteen pages, the first eight of them labelled, with rules' suggestions for all."""
    folder = shutil.copytree(collection, tmp_path / "small")
    path = folder / "annotations" / "authors.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:8]))
    for page in load_collection(folder).documents.values():
        labels = np.zeros(len(page.lines), dtype=np.int8)
        scores = np.full(len(labels), 0.5, dtype=np.float32)
        append_suggestion(folder, Suggestion(page.id, page.text_sha256, "rules", labels, scores))
    return folder


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_chooses_pages_without_labels_and_the_same_for_the_same_seed(
    strategy, half_labelled, tmp_path
):
    files = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    for file in files:
        arguments = ("queue", half_labelled, "-o", file, "--strategy", strategy, "--size", 5, "--seed", 3)
        result = run(*arguments, "--json")
        assert result.exit_code == 0, result.output
    assert files[0].read_bytes() == files[1].read_bytes()
    assert json.loads(result.stdout)["unlabelled"] == 8
    items = read_queue(files[0])
    labelled = {annotation.doc_id for annotation in load_collection(half_labelled).annotations}
    assert len({item.doc_id for item in items} - labelled) == 5
    assert all(item.reason for item in items)


def test_a_queue_goes_through_a_link_and_into_a_device(half_labelled, tmp_path):
    link, device = tmp_path / "link", tmp_path / "null"
    link.symlink_to(tmp_path / "real")
    device.symlink_to("/dev/null")
    for out in (link, device):
        assert run("queue", half_labelled, "-o", out, "--strategy", "random").exit_code == 0
        assert out.is_symlink()
    assert len(read_queue(tmp_path / "real")) == 8


def test_disagreement_names_the_sources_and_the_lines_on_which_they_differ(half_labelled, tmp_path):
    run("queue", half_labelled, "-o", tmp_path / "q", "--strategy", "disagreement", "--size", 1)
    (item,) = read_queue(tmp_path / "q")
    assert item.reason.startswith("model-web, rules differ on")
    assert item.lines
    assert item.score == pytest.approx(len(item.lines) / 11, abs=1e-5)


def test_disagreement_needs_two_sources(half_labelled, tmp_path):
    shutil.rmtree(half_labelled / "suggestions")
    result = run("queue", half_labelled, "-o", tmp_path / "q", "--strategy", "disagreement")
    assert result.exit_code == 2
    assert "suggestions of two sources" in result.stderr


def test_a_collection_that_is_labelled_has_no_queue(collection, tmp_path):
    result = run("queue", collection, "-o", tmp_path / "q")
    assert result.exit_code == 2
    assert "all 16 documents are labelled" in result.stderr


def test_review_finds_a_page_whose_labels_are_wrong(collection, tmp_path):
    folder = shutil.copytree(collection, tmp_path / "small")
    path = folder / "annotations" / "authors.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    labels = decode_runs(records[5]["labels"])
    records[5]["labels"] = encode_runs(((labels + 2) % 4).tolist())
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    arguments = ("review", folder, "-o", tmp_path / "q", "--folds", 2, "--epochs", 20, "--jobs", 1)
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    first = read_queue(tmp_path / "q")[0]
    assert first.doc_id == records[5]["doc_id"]
    assert "likely label error" in first.reason
    assert json.loads(result.stdout)["lines"] <= 0.05 * 16 * 11


def test_collections_are_reviewed_one_at_a_time(collection, tmp_path):
    for name in ("a", "b"):
        shutil.copytree(collection, tmp_path / "labels" / name)
    result = run("review", tmp_path / "labels", "-o", tmp_path / "q")
    assert result.exit_code == 2
    assert "one at a time" in result.stderr


@pytest.mark.parametrize("command", ["queue", "review"])
def test_a_place_that_is_not_there_is_named_before_any_work(command, half_labelled, tmp_path, monkeypatch):
    for place in (
        "boilerplate_ds.training.cross_validation.cross_validate",
        "boilerplate_ds.cleaning.Cleaner",
    ):
        monkeypatch.setattr(place, lambda *_, **__: pytest.fail("the work was done first"))
    result = run(command, half_labelled, "-o", tmp_path / "nodir" / "q.jsonl")
    assert result.exit_code == 2
    assert "nodir: no such folder to write q.jsonl to" in result.stderr
