"""``boilerplate-ds label``: pages of any kind become a collection, and what is wrong is said."""

from __future__ import annotations

import shutil
import socket
from http.client import HTTPConnection
from pathlib import Path

import pytest
from click.testing import CliRunner
from web_session import serving

from boilerplate_ds.cli import label as label_module
from boilerplate_ds.cli import main
from boilerplate_ds.cli.prelabel import source_of_model
from boilerplate_ds.labeling.collection import load_documents
from boilerplate_ds.labeling.suggestions import read_suggestions

pytest.importorskip("starlette", reason="the extra 'label' is not installed")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def refused(*arguments: object) -> str:
    result = CliRunner().invoke(main, ["label", *map(str, arguments), "--no-browser"])
    assert result.exit_code == 2, result.output
    return result.stderr


def test_pages_become_a_collection_with_the_models_suggestions(tmp_path):
    out = tmp_path / "mine"
    for _ in range(2):  # the second time everything is there already
        with serving(
            EXAMPLES / "page.txt", EXAMPLES / "page.html", "-o", out, "--annotators", "ana"
        ) as server:
            connection = HTTPConnection("127.0.0.1", server.port)
            connection.request("GET", "/a/ana/page")
            assert connection.getresponse().status == 200
    documents = load_documents(out)
    assert len(documents) == 2
    suggested = read_suggestions(out)
    first = next(iter(documents))
    assert len(suggested[first]["model-web"].labels) == len(documents[first].lines)


def test_a_model_suggests_under_the_name_that_prelabel_gives_it(tmp_path, collection, small_model):
    small_model.save(tmp_path / "my model")
    model = str(tmp_path / "my model")
    document = next(iter(load_documents(collection).values()))
    assert label_module._suggester(model)(document).source == source_of_model(model)


def test_bad_records_are_left_out_and_told_by_the_exit_code(tmp_path, collection):
    copy = shutil.copytree(collection, tmp_path / "copy")
    with serving(copy, "--annotators", "ana", "--model", "none") as server:
        assert server.interrupt() == 0
    with next(copy.glob("documents/*.jsonl")).open("a") as documents:
        documents.write("no JSON\n")
    with serving(copy, "--annotators", "ana", "--model", "none") as server:
        assert server.interrupt() == 1


def test_what_cannot_be_served_is_said(tmp_path, collection):
    assert "no such file" in refused(tmp_path / "nothing.txt")
    assert "nobody may be called adjudicated" in refused(collection, "--annotators", "adjudicated")
    assert "name each once" in refused(collection, "--annotators", "ana,ana")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "choose another --port" in refused(collection, "--port", taken.getsockname()[1])


def test_rejects_are_told_once_also_where_nothing_can_be_served(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "t"}\nno JSON\n')
    told = refused(tmp_path / "a.jsonl", "-o", tmp_path / "mine", "--annotators", "ana,ana")
    assert told.count("line 2: not JSON") == 1
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = refused(tmp_path / "a.jsonl", "-o", tmp_path / "mine", "--port", taken.getsockname()[1])
    assert told.count("line 2: not JSON") == 1


def test_an_overlap_that_is_no_number_is_refused(collection):
    assert "nan is not a finite number" in refused(collection, "--overlap", "nan")


def test_without_the_extra_the_command_says_what_to_install(collection, monkeypatch):
    monkeypatch.setattr(label_module, "find_spec", lambda name: None)
    assert "pip install 'boilerplate-ds[label]'" in refused(collection)
