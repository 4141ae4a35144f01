"""Training runs: which labels are read, and how predictions are grouped into figures."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from boilerplate_ds import LineClassifier
from boilerplate_ds.document import MAIN, NOT_MAIN, Document
from boilerplate_ds.errors import DatasetError
from boilerplate_ds.labeling.pages import ingest_pages, read_pages
from boilerplate_ds.model.runtime import Reading
from boilerplate_ds.training.corpora import CUT, HTML, PLAIN, RESIDUE, TEXT, TrainingPage
from boilerplate_ds.training.run import (
    cross_validate_pages,
    figures_of,
    find_collections,
    html_coverage,
    read_labels,
    train,
    training_pages,
)

from .wcxb_file import TOO_LARGE, row, write_wcxb

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTENT, AD, NAVIGATION, RECOMMENDATION = range(4)


@pytest.fixture
def write_collection(tmp_path: Path) -> Callable[..., Path]:
    """Make a collection of one-page texts, each labelled by one or more annotators."""

    def write(name: str, **labels_by_annotator: str) -> Path:
        folder = tmp_path / name
        for annotator, letters in labels_by_annotator.items():
            source = tmp_path / "page.txt"
            lines = "".join(f"{letter} line {i}\n" for i, letter in enumerate(letters))
            source.write_text(f"@@\n@id {folder.name}-page\n@site {folder.name}.example\n{lines}")
            ingest_pages(read_pages([source]), folder, annotator=annotator)
        return folder

    return write


def test_collections_are_found_at_any_depth_in_order(write_collection, tmp_path: Path) -> None:
    folders = [write_collection(name, anna="cn") for name in ("b/deep", "a", "b/also")]
    assert find_collections(tmp_path) == [folders[1], folders[2], folders[0]]
    assert find_collections(folders[0]) == [folders[0]]


def test_a_collection_that_is_named_twice_is_found_once(write_collection, tmp_path: Path) -> None:
    folder = write_collection("mine", anna="cn")
    (tmp_path / "link").symlink_to(folder)
    again = [folder, folder / ".." / "mine", tmp_path / "link", tmp_path]
    assert find_collections(*again) == [folder]
    assert find_collections() == []


def test_a_folder_without_collections_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no collection"):
        find_collections(tmp_path)
    with pytest.raises(DatasetError, match="nowhere: no such folder"):
        find_collections(tmp_path / "nowhere")


def test_gold_labels_are_read_by_collection(collection: Path) -> None:
    labels = read_labels([collection])
    assert list(labels.gold) == ["small"]
    assert len(labels.documents) == 16
    assert labels.documents[0].labels.tolist() == [2, 2, 0, 0, 1, 1, 0, 2, 3, 3, 2]
    assert (labels.without_text, labels.undecided, labels.rejects.count) == ((), (), 0)


def test_documents_that_annotators_disagree_on_are_named(write_collection) -> None:
    agreed = write_collection("agreed", anna="cn", ben="cn")
    open_ = write_collection("open", anna="cn", ben="ca")
    settled = write_collection("settled", anna="cn", ben="ca", adjudicated="ca")
    labels = read_labels([agreed, open_, settled])
    assert labels.undecided == ("open-page",)
    assert [item.document.id for item in labels.documents] == ["agreed-page", "settled-page"]
    assert labels.gold["settled"][0].labels.tolist() == [CONTENT, AD]


def test_a_document_in_two_collections_is_one_with_the_annotations_of_both(
    write_collection: Callable[..., Path],
) -> None:
    one, other = write_collection("x/mine", anna="cn"), write_collection("y/mine", ben="cn", cleo="ca")
    labels = read_labels([one, other])
    (item,) = labels.documents
    assert (item.annotators, item.decided) == (("anna", "ben", "cleo"), "majority")
    assert item.labels.tolist() == [CONTENT, NAVIGATION]
    assert (labels.undecided, labels.rejects.count) == ((), 0)
    assert len(read_labels([one, one]).documents) == 1


def test_a_collection_of_no_documents_is_named(write_collection) -> None:
    folder = write_collection("empty", anna="cn")
    for file in (folder / "documents").iterdir():
        file.write_bytes(b"")
    labels = read_labels([folder, write_collection("mine", anna="cn")])
    assert labels.without_text == (str(folder),)
    assert len(labels.documents) == 1


def test_collections_without_texts_are_named(write_collection) -> None:
    folder = write_collection("standoff", anna="cn")
    shutil.rmtree(folder / "documents")
    labels = read_labels([folder, write_collection("mine", anna="cn")])
    assert labels.without_text == (str(folder),)
    assert list(labels.gold) == ["mine"]


def test_the_strategy_says_what_is_gold(write_collection: Callable[..., Path]) -> None:
    folder = write_collection("mine", anna="cnn", ben="cnn", cleo="cna")
    assert [item.decided for item in read_labels([folder]).documents] == ["majority"]
    assert read_labels([folder], "weighted").documents[0].labels.tolist() == [CONTENT, NAVIGATION, NAVIGATION]
    for strategy in ("agreed", "decided"):
        labels = read_labels([folder], strategy)
        assert labels.documents == []
        assert len(labels.undecided) == 1


def test_annotators_are_weighed_over_all_collections_together(write_collection) -> None:
    small = write_collection("small", anna="cnn", ben="cna", cleo="cna")
    assert read_labels([small], "weighted").documents[0].labels.tolist()[2] == AD
    names = ("anna", "dora", "ben", "cleo")
    rows = ("cnarcnar" * 3, "cnarcnar" * 3, "narcnarc" * 3, "arcnarcn" * 3)
    large = write_collection("large", **dict(zip(names, rows, strict=True)))
    labels = read_labels([small, large], "weighted")
    assert labels.gold["small"][0].labels.tolist()[2] == NAVIGATION


def test_two_collections_of_one_name_are_both_read(write_collection) -> None:
    labels = read_labels([write_collection("x/mine", anna="cn"), write_collection("y/mine", anna="cna")])
    assert [len(item.labels) for item in labels.gold["mine"]] == [2, 3]


def test_bad_label_records_are_rejected_and_the_others_read(collection: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(collection, tmp_path / "small")
    file = folder / "annotations" / "authors.jsonl"
    records = [json.loads(line) for line in file.read_text().splitlines()]
    records[0]["labels"] = "3x 8c"
    records[1]["labels"] = "12c"
    records[2]["text_sha256"] = "0" * 64
    lines = [json.dumps(record) for record in records]
    lines[3] = lines[3][:40]
    file.write_text("\n".join(lines) + "\n")
    labels = read_labels([folder])
    assert len(labels.documents) == 12
    reasons = {item.record: item.reason for item in labels.rejects.items}
    assert "'3x'" in reasons["line 1"]
    assert "12 labels for the 11 lines" in reasons["line 2"]
    assert "not the one that was labelled" in reasons["line 3"]
    assert "not JSON" in reasons["line 4"]
    assert {item.file for item in labels.rejects.items} == {str(file)}


def test_pages_of_all_origins_are_trained_on(collection: Path, tmp_path: Path) -> None:
    labels = read_labels([collection])
    wcxb = write_wcxb(tmp_path / "w.parquet", [row(1), row(2, html=TOO_LARGE), row(3)])
    html = write_wcxb(tmp_path / "h.parquet", [row(0, id=labels.documents[0].document.id)])
    pages = training_pages(labels, wcxb=wcxb, html=[html], rejects=labels.rejects)
    views = [(page.origin, page.view) for page in pages]
    assert views.count(("small", TEXT)) == 16
    assert views.count(("small", HTML)) == views.count(("small", RESIDUE)) == 1
    assert views.count(("wcxb", HTML)) == views.count(("wcxb", TEXT)) == 2
    assert [item.record for item in labels.rejects.items] == ["page 0002"]


def test_html_of_no_labelled_page_is_refused(collection: Path, tmp_path: Path) -> None:
    labels = read_labels([collection])
    wcxb = write_wcxb(tmp_path / "w.parquet", [row(1)])
    html = write_wcxb(tmp_path / "h.parquet", [row(1)])
    with pytest.raises(DatasetError, match=r"h\.parquet: HTML of no labelled page"):
        training_pages(labels, wcxb=wcxb, html=[html])


def test_labelled_pages_with_html_are_counted(collection: Path, tmp_path: Path) -> None:
    labels = read_labels([collection])
    ids = [item.document.id for item in labels.documents[:3]]
    html = write_wcxb(tmp_path / "h.parquet", [row(n, id=doc_id) for n, doc_id in enumerate(ids)])
    wcxb = write_wcxb(tmp_path / "w.parquet", [row(1)])
    assert html_coverage(training_pages(labels, wcxb=wcxb, html=[html])) == (3, 16)


def test_wcxb_lends_its_html_to_labelled_pages(tmp_path: Path) -> None:
    source = tmp_path / "page.txt"
    source.write_text("@@\n@id wcxb-0001\n@site site1.example\nn Home\nc Ferry number 1 to run\n")
    ingest_pages(read_pages([source]), tmp_path / "mine")
    wcxb = write_wcxb(tmp_path / "w.parquet", [row(1)])
    pages = training_pages(read_labels([tmp_path / "mine"]), wcxb=wcxb)
    assert [p.view for p in pages if p.origin == "mine"][:5] == [TEXT, CUT, HTML, PLAIN, RESIDUE]


def test_nothing_to_train_on_is_an_error(write_collection) -> None:
    with pytest.raises(DatasetError, match=r"no labelled page to learn from or to measure on$"):
        training_pages(read_labels([]))
    folder = write_collection("open", anna="cn", ben="ca")
    with (folder / "annotations" / "anna.jsonl").open("a") as file:
        file.write("no JSON\n")
    with pytest.raises(DatasetError, match=r"\(1 undecided, as their annotators differ; 1 rejected\)$"):
        training_pages(read_labels([folder]))


def page(origin: str, view: str, id_: str, labels: list[int], **fields: object) -> TrainingPage:
    lines = tuple(f"line {i} of {id_}" for i in range(len(labels)))
    return TrainingPage(Document(id_, lines), np.array(labels, dtype=np.int8), view, origin, **fields)


def sure(*labels: int) -> Reading:
    p = np.eye(4, dtype=np.float32)[list(labels)]
    return Reading(p, p[:, 0], np.full(len(labels), 4))


def test_figures_are_grouped_by_origin_and_view() -> None:
    pages = [
        page("mine", TEXT, "p1", [CONTENT, NAVIGATION]),
        page("theirs", TEXT, "p2", [CONTENT, AD, AD]),
        page("mine", RESIDUE, "p3", [CONTENT]),
        page("wcxb", TEXT, "w1", [MAIN, NOT_MAIN], reference="line 0 of w1"),
        page("wcxb", HTML, "w1", [MAIN, NOT_MAIN], reference="line 0 of w1"),
    ]
    predicted = [sure(0, 0), sure(0, 1, 0), sure(0), sure(0, 2), sure(0, 0)]
    figures = figures_of(pages, predicted)
    assert list(figures.four_class) == ["mine, text", "theirs, text", "mine, residue"]
    assert [e.n_lines for e in figures.four_class.values()] == [2, 3, 1]
    assert [e.accuracy for e in figures.four_class.values()] == pytest.approx([1 / 2, 2 / 3, 1])
    assert list(figures.wcxb) == [TEXT, HTML]
    assert figures.wcxb[TEXT].word_f1 == 1  # kept what the reference has
    assert figures.wcxb[HTML].word_f1 == pytest.approx(2 * 4 / (8 + 4))  # kept the other line too


def test_where_there_is_html_each_page_counts_once_by_what_was_read() -> None:
    pages = [
        page("mine", TEXT, "with", [CONTENT, AD]),
        page("mine", HTML, "with", [CONTENT, AD, -2]),  # the third line is in the HTML only
        page("mine", RESIDUE, "with", [CONTENT]),  # carried labels: no figure of its own pages
        page("mine", TEXT, "without", [CONTENT]),
        page("mine", RESIDUE, "left", [CONTENT, CONTENT, NAVIGATION]),
    ]
    predicted = [sure(0, 0), sure(0, 1, 0), sure(0), sure(0), sure(0, 0, 0)]
    figures = figures_of(pages, predicted).four_class
    by_html = figures["mine, from HTML where there is HTML"]
    assert (by_html.n_documents, by_html.n_lines, by_html.accuracy) == (3, 6, pytest.approx(5 / 6))
    by_text = figures["mine, from text alone"]
    assert (by_text.n_documents, by_text.n_lines, by_text.accuracy) == (3, 6, pytest.approx(4 / 6))
    assert figures["mine, html"].n_lines == 2


def test_cross_validation_gives_figures_that_are_plain_json(collection: Path, tmp_path: Path) -> None:
    wcxb = write_wcxb(tmp_path / "w.parquet", [row(n) for n in range(4)])
    pages = training_pages(read_labels([collection]), wcxb=wcxb)
    classifier = LineClassifier(epochs=1, n_folds=2)
    figures = json.loads(json.dumps(cross_validate_pages(classifier, pages, n_folds=2).as_json()))
    assert figures["four_class"]["small, text"]["lines"] == 176
    assert {view: f["pages"] for view, f in figures["wcxb"].items()} == {HTML: 4, TEXT: 4, RESIDUE: 4}
    assert not hasattr(classifier, "model_")


def test_training_fits_the_given_classifier(collection: Path) -> None:
    pages = training_pages(read_labels([collection]))
    classifier = LineClassifier(epochs=1, n_folds=2)
    assert train(classifier, pages) is classifier
    assert classifier.predict_proba([pages[0].document])[0].shape == (11, 4)
