"""``convert``: out and in from the command line, with exit codes that say whether all went well."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from boilerplate_ds.cli import main
from boilerplate_ds.labeling.collection import load_collection
from boilerplate_ds.labeling.formats import FORMATS
from boilerplate_ds.labeling.suggestions import Suggestion, append_suggestion

if TYPE_CHECKING:
    from click.testing import Result


def convert(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["convert", *map(str, arguments)])


@pytest.mark.parametrize("name", FORMATS)
def test_labels_go_out_and_come_back(name, collection, tmp_path):
    out, back = tmp_path / "tasks.json", tmp_path / "back"
    done = convert(collection, "--to", name, "-o", out, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["annotations"] == 16
    done = convert(out, "--from", name, "-o", back)
    assert done.exit_code == 0, done.output
    assert "16 documents read, 16 of them new" in done.stdout
    assert (back / "annotations" / "authors.jsonl").read_bytes() == (
        collection / "annotations" / "authors.jsonl"
    ).read_bytes()


def test_label_studio_gets_its_labelling_interface(collection, tmp_path):
    convert(collection, "--to", "label-studio", "-o", tmp_path / "tasks.json")
    assert '<Label value="recommendation"' in (tmp_path / "tasks.xml").read_text()


def test_tasks_and_interface_are_two_files(collection, tmp_path):
    done = convert(collection, "--to", "label-studio", "-o", tmp_path / "tasks.xml")
    assert (done.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "name them .json" in done.stderr


def test_suggestions_are_counted_where_they_go(collection, tmp_path):
    copy = shutil.copytree(collection, tmp_path / "copy")
    for document in load_collection(copy).documents.values():
        n = len(document.lines)
        suggestion = Suggestion(
            document.id, document.text_sha256, "rules", np.zeros(n, np.int8), np.ones(n, np.float32)
        )
        append_suggestion(copy, suggestion)
    told = {name: convert(copy, "--to", name, "-o", tmp_path / f"{name}.json").stdout for name in FORMATS}
    assert "16 suggestions in" in told.pop("label-studio")
    assert all(
        "and 0 suggestions in" in each and "; 16 suggestions left out" in each for each in told.values()
    )


def test_standard_output_holds_the_file_alone(collection):
    done = convert(collection, "--to", "doccano", "-o", "-")
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 16
    assert "16 annotations" in done.stderr


def test_bad_records_are_told_and_the_others_read(collection, tmp_path):
    path = tmp_path / "ana.jsonl"
    convert(collection, "--to", "doccano", "-o", path)
    good = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([good[0], "{", *good[1:]]), encoding="utf-8")
    done = convert(path, "--from", "doccano", "-o", tmp_path / "back", "--annotator", "ana", "--json")
    assert done.exit_code == 1
    assert f"rejected: {path}, line 2: not JSON" in done.stderr
    assert json.loads(done.stdout)["annotations"] == 16


def test_one_direction_is_needed(collection, tmp_path):
    for options in ((), ("--to", "csv", "--from", "csv")):
        done = convert(collection, *options, "-o", tmp_path / "x")
        assert done.exit_code == 2
        assert "give either --to FORMAT or --from FORMAT" in done.stderr


def test_what_is_no_collection_cannot_be_written(tmp_path):
    done = convert(tmp_path, "--to", "csv", "-o", tmp_path / "x.csv")
    assert done.exit_code == 2
    assert not (tmp_path / "x.csv").exists()


def test_an_annotator_is_named_only_for_labels_that_come_in(collection, tmp_path):
    done = convert(collection, "--to", "csv", "-o", tmp_path / "out.csv", "--annotator", "me")
    assert done.exit_code == 2
    assert not (tmp_path / "out.csv").exists()
