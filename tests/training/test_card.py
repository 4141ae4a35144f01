"""The model card says what a model was trained on and how good it is, with the figures as measured."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
import yaml

from boilerplate_ds import LineClassifier
from boilerplate_ds.document import Document
from boilerplate_ds.model.runtime import Reading
from boilerplate_ds.training.card import save_with_card, training_facts
from boilerplate_ds.training.corpora import HTML, RESIDUE, TEXT, TrainingPage
from boilerplate_ds.training.run import figures_of

if TYPE_CHECKING:
    from pathlib import Path


def page(origin: str, view: str, number: int, **fields: object) -> TrainingPage:
    document = Document(
        f"{origin}-{number}",
        ("Home", "The ferry sails", "Save 10%", "Read more"),
        site=f"site{number % 2}.example",
        language=("en", "de", "en")[number % 3],
        metadata={"page_type": ("article", "forum")[number % 2]},
    )
    return TrainingPage(document, np.array([2, 0, 1, 3], dtype=np.int8), view, origin, **fields)


PAGES = [
    *(page("starter", TEXT, n) for n in range(3)),
    page("lines-dev", TEXT, 1),
    page("lines-dev", HTML, 1),
    page("lines-dev", RESIDUE, 1),
    *(page("wcxb", view, n, reference="The ferry sails") for n in range(2) for view in (HTML, TEXT)),
]
_P = np.eye(4, dtype=np.float32)[[0, 0, 1, 3]]
WRONG_ONCE = Reading(_P, _P[:, 0], np.full(4, 2))


@pytest.fixture(scope="module")
def model() -> LineClassifier:
    return LineClassifier(epochs=1, n_folds=2).fit(
        [p.document for p in PAGES[:3]], [p.labels for p in PAGES[:3]]
    )


@pytest.fixture(scope="module")
def figures():
    return figures_of(PAGES, [WRONG_ONCE] * len(PAGES))


@pytest.fixture
def card(model: LineClassifier, tmp_path: Path, figures) -> str:
    save_with_card(model, tmp_path, PAGES, figures, n_folds=5)
    return (tmp_path / "README.md").read_text(encoding="utf-8")


def front_matter(card: str) -> dict[str, object]:
    _, head, _ = card.split("---\n", 2)
    return yaml.safe_load(head)


def tables(card: str) -> list[list[list[str]]]:
    """Cells of each table; a table is a run of lines that start with a bar."""
    runs = re.findall(r"(?:^\|.*\n)+", card, re.MULTILINE)
    return [
        [[cell.strip() for cell in line.strip("|").split("|")] for line in run.splitlines()] for run in runs
    ]


def test_what_was_trained_on_is_counted_by_origin() -> None:
    facts = training_facts(PAGES)
    assert list(facts) == ["starter", "lines-dev", "wcxb"]
    assert facts["starter"] == {
        "pages": 3,
        "sites": 2,
        "documents": 3,
        "documents_with_markup": 0,
        "lines": 12,
        "languages": {"en": 2, "de": 1},
    }
    lines_dev = facts["lines-dev"]
    assert (lines_dev["pages"], lines_dev["documents"], lines_dev["documents_with_markup"]) == (1, 3, 1)


def test_the_front_matter_is_what_the_hub_reads(card: str) -> None:
    head = front_matter(card)
    assert head["license"] == "apache-2.0"
    assert head["pipeline_tag"] == "text-classification"
    assert "boilerplate-removal" in head["tags"]


def test_tables_are_whole(card: str) -> None:
    found = tables(card)
    assert len(found) == 3
    for table in found:
        assert {len(cells) for cells in table} == {len(table[0])}
        assert all(set(cell) <= set("-:") and cell for cell in table[1])


def test_every_block_of_markdown_stands_apart(card: str) -> None:
    lines = card.splitlines()
    for before, line in pairwise(lines):
        if line.startswith(("#", "|", "- ")) and not before.startswith(("|", "- ", "  ", "---")):
            assert before == "", f"{line!r} follows {before!r}"
        if before.startswith("|"):
            assert line == "" or line.startswith("|")


def test_no_template_is_left_and_no_paragraph_is_cut(card: str) -> None:
    assert "{{" not in card
    assert "{%" not in card
    assert "\n\n\n" not in card


def test_the_figures_are_in_the_card(card: str, figures) -> None:
    training, wcxb, four_class = tables(card)
    assert training[2:] == [
        ["starter", "3", "2", "3", "0", "12"],
        ["lines-dev", "1", "1", "3", "1", "12"],
        ["wcxb", "2", "2", "4", "2", "16"],
    ]
    assert wcxb[0] == ["", "from html", "from text"]
    assert wcxb[2][1].startswith(f"**{figures.wcxb[HTML].word_f1:.3f}**")
    assert [cells[0] for cells in wcxb[2:]] == ["all pages", "article", "forum"]
    rows = {cells[0]: cells[1:] for cells in four_class[2:]}
    assert list(rows) == list(figures.four_class)
    assert rows["starter, text"][:3] == ["3", "12", "0.750"]
    assert "5-fold cross-validation by site" in card


def test_what_cannot_be_measured_is_a_dash_or_left_out(model, tmp_path: Path) -> None:
    pages = [page("mine", TEXT, 0), page("wcxb", TEXT, 1, reference="The ferry sails")]
    pages = [replace(p, labels=np.array([2, 0, 0, 0], dtype=np.int8)) for p in pages]
    reading = Reading(_P[:2].repeat(2, axis=0), _P[:, 0], np.full(4, 2))
    save_with_card(model, tmp_path, pages, figures_of(pages, [reading] * 2), n_folds=2)
    _, wcxb, four_class = tables((tmp_path / "README.md").read_text(encoding="utf-8"))
    assert re.fullmatch(r"\*\*[\d.]+\*\*", wcxb[2][1])
    name, _, _, accuracy, macro, content, ad, navigation, recommendation, _ = four_class[2]
    assert (name, accuracy, macro, content) == ("mine, text", "0.750", "**0.429**", "0.857")
    assert (ad, navigation, recommendation) == ("–", "0.000", "–")


def test_sources_are_named_with_their_licences(card: str) -> None:
    for named in ("Murrough Foley", "CC-BY-4.0", "c039d5e", "adbar/trafilatura", "mozilla/readability"):
        assert named in card
    assert "Languages (pages): en 2, de 1." in card


def test_a_collection_of_ones_own_is_named_too(model, tmp_path: Path) -> None:
    save_with_card(model, tmp_path, [page("mine", TEXT, 0)], None, n_folds=0)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "- **mine**: A labelled collection of your own." in card
    assert "lines-dev" not in card


def test_a_collection_may_have_any_name_that_a_folder_has(model, tmp_path: Path) -> None:
    save_with_card(model, tmp_path, [page(os.fsdecode(b"m\xe9ine"), TEXT, 0)], None, n_folds=0)
    assert "- **m?ine**: A labelled" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_the_figures_are_written_for_programs(model, tmp_path: Path, figures) -> None:
    save_with_card(model, tmp_path, PAGES, figures, n_folds=5)
    written = json.loads((tmp_path / "evaluation.json").read_text())
    assert written == {"folds": 5, **json.loads(json.dumps(figures.as_json()))}
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["facts"]["trained_on"] == training_facts(PAGES)
    assert LineClassifier.load(tmp_path).predict([PAGES[0].document])[0].shape == (4,)


def test_without_figures_the_card_says_so_and_old_ones_go(model, tmp_path: Path, figures) -> None:
    save_with_card(model, tmp_path, PAGES, figures, n_folds=5)
    save_with_card(model, tmp_path, PAGES, None, n_folds=0)
    assert not (tmp_path / "evaluation.json").exists()
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "Not measured" in card
    assert len(tables(card)) == 1


def test_the_same_model_and_figures_give_the_same_bytes(model, tmp_path: Path, figures) -> None:
    for name in ("a", "b"):
        save_with_card(model, tmp_path / name, PAGES, figures, n_folds=5)
    for file in sorted((tmp_path / "a").iterdir()):
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_only_what_is_a_languages_code_is_counted_as_a_language() -> None:
    stated = ["en", "pt-BR", "\ud800", "<img src=x onerror=alert(1)>", "x" * 1_000_000, "zh_Hant"]
    pages = [
        TrainingPage(Document(str(i), ("a",), language=language), np.zeros(1, np.int8), TEXT, "mine")
        for i, language in enumerate(stated)
    ]
    assert training_facts(pages)["mine"]["languages"] == {"en": 1, "pt-BR": 1, "zh_Hant": 1}
