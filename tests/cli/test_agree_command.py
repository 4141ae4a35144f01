"""``agree``: from a collection on disk to a table, JSON and a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from boilerplate_ds.cli import main
from boilerplate_ds.document import Annotation, Document, decode_runs
from boilerplate_ds.labeling.collection import write_document_file
from boilerplate_ds.labeling.store import LabelStore

PASSES = Path(__file__).resolve().parents[2] / "labels" / "standoff" / "lines-dev-passes"
PAGE = Document("p", ("Menu", "Headline", "Text", "[red]Ad[/red]"), site="one.example")


def run(*arguments):
    return CliRunner().invoke(main, ["agree", *map(str, arguments)])


@pytest.fixture
def labelled_twice(tmp_path):
    write_document_file(tmp_path / "documents" / "pages.jsonl", [PAGE])
    store = LabelStore(tmp_path)
    store.append(Annotation("p", PAGE.text_sha256, "ana", decode_runs("1n 2c 1a")))
    store.append(Annotation("p", PAGE.text_sha256, "ben", decode_runs("1n 3c")))
    return tmp_path


def test_labels_without_text_are_enough_for_the_figures():
    result = run(PASSES, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert round(figures["pairs"][0]["cohen_kappa"]["value"], 3) == 0.971
    assert figures["per_site"][0]["name"] == "elmostrador.cl"


def test_where_some_texts_are_missing_only_labels_of_another_text_are_left_out(labelled_twice):
    store = LabelStore(labelled_twice)
    for doc_id, sha, names in (("away", "1" * 64, ("ana", "ben")), ("p", "2" * 64, ("cleo", "dora"))):
        for name in names:
            store.append(Annotation(doc_id, sha, name, decode_runs("4c")), {"site": "two.example"})
    result = run(labelled_twice, "--json")
    assert result.exit_code == 1
    figures = json.loads(result.stdout)
    assert {group["name"] for group in figures["per_site"]} == {"one.example", "two.example"}
    assert (figures["documents"], figures["annotators"], figures["rejected"]) == (2, ["ana", "ben"], 2)
    assert figures["fleiss_kappa"] is None  # which is for three


def test_the_table_and_the_page_show_what_differs(labelled_twice, tmp_path):
    page = tmp_path / "agreement.html"
    result = run(labelled_twice, "--html", page)
    assert result.exit_code == 0, result.output
    assert "Cohen's κ, ana and ben" in result.stdout
    assert "[red]Ad[/red]" in page.read_text()


def test_pages_of_one_id_and_other_texts_are_told_apart(tmp_path):
    for name, second in (("alpha", "4c"), ("beta", "3c 1a")):
        folder = tmp_path / "all" / name
        page = Document("p", tuple(f"{name} {i}" for i in range(4)), site=f"{name}.example")
        write_document_file(folder / "documents" / "pages.jsonl", [page])
        for annotator, labels in (("ana", "4c"), ("ben", second)):
            LabelStore(folder).append(Annotation("p", page.text_sha256, annotator, decode_runs(labels)))
    html = tmp_path / "agreement.html"
    figures = json.loads(run(tmp_path / "all", "--html", html, "--json").stdout)
    found = [(group["site"], group["differing_lines"]) for group in figures["per_document"]]
    assert found == [("beta.example", 1), ("alpha.example", 0)]
    assert [group["name"] for group in figures["per_site"]] == ["beta.example", "alpha.example"]
    assert "beta 3" in html.read_text()
    assert "alpha 3" not in html.read_text()


def test_a_bad_record_is_reported_and_the_rest_is_measured(labelled_twice):
    with (labelled_twice / "annotations" / "ben.jsonl").open("a") as file:
        file.write("{}\n")
    result = run(labelled_twice, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["rejected"] == 1
    assert "line 2: lacks doc_id" in result.stderr


@pytest.mark.parametrize(
    ("annotators", "reason"), [((), "holds no collection"), (("ana",), "two annotators")]
)
def test_without_two_annotators_there_is_nothing_to_measure(tmp_path, annotators, reason):
    for name in annotators:
        LabelStore(tmp_path).append(Annotation("p", PAGE.text_sha256, name, decode_runs("4c")))
    result = run(tmp_path)
    assert result.exit_code == 2
    assert reason in result.stderr


def test_a_bad_record_that_leaves_nothing_to_measure_is_named(tmp_path):
    LabelStore(tmp_path).append(Annotation("p", PAGE.text_sha256, "ana", decode_runs("4c")))
    (tmp_path / "annotations" / "ben.jsonl").write_text('{"doc_id": "p", "labels": "9x"}\n')
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "ben.jsonl, line 1" in result.stderr
    assert result.stderr.index("1 bad record was left out") < result.stderr.index("two annotators")


def test_collections_are_found_in_a_folder_of_them(tmp_path):
    for name in ("ana", "ben"):
        LabelStore(tmp_path / "all" / name).append(Annotation("p", PAGE.text_sha256, name, decode_runs("4c")))
    assert run(tmp_path / "all").exit_code == 0


def test_a_page_needs_the_texts_and_a_collection_must_be_there(tmp_path):
    for name in ("ana", "ben"):
        LabelStore(tmp_path).append(Annotation("p", PAGE.text_sha256, name, decode_runs("2n 2c")))
    result = run(tmp_path, "--html", tmp_path / "page.html")
    assert result.exit_code == 2
    assert "Krippendorff" in result.stdout  # the figures need no texts
    assert "hydrate" in result.stderr
    assert "no such folder" in run(tmp_path / "lost").stderr
