"""``rules`` shows what rules are worth; ``prelabel`` writes suggestions, and goes on where it was stopped."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from boilerplate_ds.cli import main
from boilerplate_ds.cli.prelabel import _source
from boilerplate_ds.labeling.collection import load_collection
from boilerplate_ds.labeling.session import Session
from boilerplate_ds.labeling.store import check_annotator
from boilerplate_ds.labeling.suggestions import read_suggestions
from boilerplate_ds.shipped import shipped

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

DONE, BAD_RECORDS, COULD_NOT_RUN = 0, 1, 2
OWN_RULES = """
from boilerplate_ds.document import Label
from boilerplate_ds.labeling.rules import rule

@rule
def sale(line):
    return Label.AD if line.folded.startswith("save ") else None
"""


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture(autouse=True)
def accuracies_from_few(few_starter_pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the label model be fitted to a quarter of the starter pages: it is fitted in each test anew."""
    few = {"labels/starter": few_starter_pages}
    monkeypatch.setattr("boilerplate_ds.shipped.shipped", lambda name: few.get(name) or shipped(name))


@pytest.fixture
def pages(collection: Path, tmp_path: Path) -> Path:
    """A copy of the small labelled collection."""
    return shutil.copytree(collection, tmp_path / "small")


@pytest.fixture
def own_rules(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(OWN_RULES)
    return path


def test_the_rules_are_shown_with_their_figures(pages: Path) -> None:
    result = run("rules", pages)
    assert result.exit_code == DONE
    assert "16 documents, 176 lines" in result.stdout
    assert "related_heading" in result.stdout
    assert "label model" in result.stdout


def test_the_figures_come_as_json(pages: Path, own_rules: Path) -> None:
    figures = json.loads(run("rules", pages, "--rules", own_rules, "--json").stdout)
    assert figures["lines"] == 176
    sale = next(one for one in figures["rules"] if one["rule"] == "sale")
    assert (sale["labels"], sale["correct"], sale["accuracy"], sale["coverage"]) == (["ad"], 16, 1.0, 0.0909)
    assert figures["combined"]["label model"]["lines"] == 176


def test_without_gold_there_is_no_accuracy(pages: Path) -> None:
    shutil.rmtree(pages / "annotations")
    figures = json.loads(run("rules", pages, "--json").stdout)
    assert all(one["accuracy"] is None for one in figures["rules"])
    assert figures["combined"] == {}
    assert run("rules", pages).exit_code == DONE


@pytest.mark.parametrize(("method", "source"), [("rules", "rules"), ("model", "model-web")])
def test_every_document_gets_a_suggestion_once(method: str, source: str, pages: Path) -> None:
    first = json.loads(run("prelabel", pages, "--with", method, "--json").stdout)
    assert first == {"source": source, "suggested": 16, "failed": 0, "passed_over": 0}
    documents = load_collection(pages).documents
    for doc_id, by_source in read_suggestions(pages).items():
        assert len(by_source[source].labels) == len(documents[doc_id].lines)
        assert by_source[source].text_sha256 == documents[doc_id].text_sha256
    assert json.loads(run("prelabel", pages, "--with", method, "--json").stdout)["passed_over"] == 16
    assert json.loads(run("prelabel", pages, "--with", method, "--again", "--json").stdout)["suggested"] == 16


def test_a_document_whose_text_has_changed_is_labelled_again(pages: Path) -> None:
    run("prelabel", pages, "--with", "rules")
    path = pages / "documents" / "en.jsonl"
    path.write_text(path.read_text().replace("Share this article", "Share this page", 1))
    result = run("prelabel", pages, "--with", "rules", "--json")
    assert json.loads(result.stdout)["suggested"] == 1
    assert result.exit_code == BAD_RECORDS  # its annotation does not fit any more


def test_rules_of_ones_own_join_in(pages: Path, own_rules: Path) -> None:
    run("prelabel", pages, "--with", "rules")  # which is another source
    result = run("prelabel", pages, "--with", "rules", "--rules", own_rules, "--json")
    source = json.loads(result.stdout)["source"]
    assert re.fullmatch("rules-own-[0-9a-f]{8}", source)
    documents = load_collection(pages).documents
    for doc_id, by_source in read_suggestions(pages).items():
        line = next(i for i, text in enumerate(documents[doc_id].lines) if text.startswith("Save "))
        assert by_source[source].labels[line] == 1
    session = Session(pages, ["ana"])
    assert session.draft("ana", session.queue("ana")[0]).suggestion.source == source
    own_rules.write_text(OWN_RULES.replace("Label.AD", "Label.CONTENT"))
    result = run("prelabel", pages, "--with", "rules", "--rules", own_rules, "--json")
    assert json.loads(result.stdout)["suggested"] == 16


def test_a_model_of_ones_own_suggests_under_its_folders_name(
    pages: Path, small_model, tmp_path: Path
) -> None:
    small_model.save(tmp_path / "my model")
    result = run("prelabel", pages, "--with", "model", "--model", tmp_path / "my model", "--json")
    source = json.loads(result.stdout)["source"]
    assert re.fullmatch("model-my-model-[0-9a-f]{8}", source)
    assert (pages / "suggestions" / f"{source}.jsonl").is_file()


def test_models_are_told_apart_by_their_weights_wherever_they_lie(
    pages: Path, small_model, tmp_path: Path
) -> None:
    small_model.save(tmp_path / "other" / "web")
    shutil.copytree(shipped("models/web"), tmp_path / "copy" / "web")
    run("prelabel", pages, "--with", "model")
    for folder, passed_over in (("copy", 16), ("other", 0)):
        result = run("prelabel", pages, "--with", "model", "--model", tmp_path / folder / "web", "--json")
        assert json.loads(result.stdout)["passed_over"] == passed_over


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("meta/llama", "meta-llama"),
        ("meta/llama", "meta:llama"),
        ("a" * 80 + "Q4", "a" * 80 + "Q8"),
        ("模型", "型模"),
    ],
)
def test_models_of_an_endpoint_have_a_source_each(one: str, other: str) -> None:
    sources = {_source("llm", one), _source("llm", other)}
    assert len(sources) == 2
    assert all(check_annotator(source) for source in sources)
    assert _source("llm", "qwen3") == "llm-qwen3"


def test_a_page_on_which_a_rule_fails_is_rejected_and_the_others_are_labelled(
    pages: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "fails.py"
    doc_id = next(iter(load_collection(pages).documents))
    fails = f"\n@rule\ndef fails(line):\n    return 1 / (line.page.document.id != {doc_id!r}) and None\n"
    rules.write_text(OWN_RULES + fails)
    result = run("prelabel", pages, "--with", "rules", "--rules", rules, "--json")
    assert result.exit_code == BAD_RECORDS
    assert (json.loads(result.stdout)["suggested"], json.loads(result.stdout)["failed"]) == (15, 1)
    assert "rule 'fails' failed on line 1" in result.stderr
    result = run("rules", pages, "--rules", rules, "--json")
    assert result.exit_code == BAD_RECORDS
    assert json.loads(result.stdout)["documents"] == 15
    assert f"document {doc_id}: rule 'fails' failed on line 1" in result.stderr


def test_starter_pages_on_which_a_rule_fails_are_left_out_of_the_estimate(
    pages: Path, tmp_path: Path
) -> None:
    ids = list(load_collection(pages).documents)
    rules = tmp_path / "fails.py"
    rules.write_text(OWN_RULES + f"\n@rule\ndef fails(line):\n    assert line.page.document.id in {ids!r}\n")
    for command in (("rules",), ("prelabel", "--with", "rules")):
        result = run(*command, pages, "--rules", rules)
        assert result.exit_code == DONE
        assert re.search(r"estimated without \d+ starter pages: rule 'fails' failed on line 1", result.stderr)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--with", "llm"], "needs --model"),
        (["--with", "rules", "--dry-run"], "--dry-run is for --with llm"),
        (["--with", "model", "--model", "nowhere"], "no model there"),
        (["--with", "llm", "--model", "m", "--base-url", "localhost"], "no http or https address"),
        (["--with", "rules", "--model", "web"], "--model is for --with model"),
        (["--with", "model", "--rules", __file__], "--rules is for --with rules"),
        (["--with", "llm", "--model", "m", "--timeout", "nan"], "not a finite number"),
        (["--with", "llm", "--model", "m", "--prices", "nan", "1"], "not a finite number"),
        (["--with", "llm", "--model", "m", "--prices", "1", "inf"], "not a finite number"),
        (["--with", "guesses"], "guesses"),
        ([], "--with"),
    ],
)
def test_what_cannot_run_says_why(arguments: list[str], said: str, pages: Path) -> None:
    result = run("prelabel", pages, *arguments)
    assert result.exit_code == COULD_NOT_RUN
    assert said in result.stderr


def test_a_broken_rules_file_cannot_run(pages: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("1 / 0")
    result = run("prelabel", pages, "--with", "rules", "--rules", tmp_path / "bad.py")
    assert result.exit_code == COULD_NOT_RUN
    assert "ZeroDivisionError" in result.stderr
