"""The dataset card: its YAML describes the files, its tables the documents, and its snippet runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from boilerplate_ds.dataset.card import MEANINGS, agreement_text, count, plain
from boilerplate_ds.dataset.columns import DOCUMENT_COLUMNS, LINE_COLUMNS
from boilerplate_ds.dataset.export import export_dataset
from boilerplate_ds.dataset.gold import Decided, GoldDocument
from boilerplate_ds.dataset.licences import LICENCE_TEXT
from boilerplate_ds.dataset.splits import SPLITS, split_of, split_sites
from boilerplate_ds.document import LABEL_NAMES, Annotation, Document, Label, decode_runs

if TYPE_CHECKING:
    from pathlib import Path


def page(
    name: str,
    runs: str = "1n 2c",
    *,
    site: str | None = None,
    language: str = "en",
    page_type: str = "news",
    annotators: tuple[str, ...] = ("anna",),
    agreement: float = 1.0,
    decided: Decided = "single",
) -> GoldDocument:
    labels = decode_runs(runs)
    document = Document(
        name,
        tuple(f"Line {i}" for i in range(len(labels))),
        site=f"{name}.example" if site is None else site,
        language=language,
        metadata={"page_type": page_type},
    )
    return GoldDocument(document, labels, annotators, agreement, decided)


GOLD = [page(f"page-{number:02}") for number in range(40)]


def card(folder: Path, gold: list[GoldDocument] = GOLD, **options: Any) -> str:
    export_dataset(gold, folder, **({"name": "Test lines", "guidelines": "7"} | options))
    return (folder / "README.md").read_text(encoding="utf-8")


def front_matter(text: str) -> dict[str, Any]:
    _, head, _ = text.split("---\n", 2)
    return yaml.safe_load(head)


def test_the_yaml_describes_both_configurations(tmp_path: Path) -> None:
    data = front_matter(card(tmp_path / "set"))
    assert [config["config_name"] for config in data["configs"]] == ["documents", "lines"]
    assert [config.get("default", False) for config in data["configs"]] == [True, False]
    for config, info in zip(data["configs"], data["dataset_info"], strict=True):
        name = config["config_name"]
        assert info["config_name"] == name
        for files, size, split in zip(config["data_files"], info["splits"], SPLITS, strict=True):
            assert files["split"] == size["name"] == split
            assert len(list((tmp_path / "set").glob(files["path"]))) == 1
            assert size["num_bytes"] > 0
    documents, lines = data["dataset_info"]
    assert sum(split["num_examples"] for split in documents["splits"]) == len(GOLD)
    assert sum(split["num_examples"] for split in lines["splits"]) == 3 * len(GOLD)
    label = next(feature for feature in lines["features"] if feature["name"] == "label")
    assert list(label["dtype"]["class_label"]["names"].values()) == list(LABEL_NAMES)


def test_the_yaml_says_what_the_hub_asks(tmp_path: Path) -> None:
    languages = ("de-AT", "pt_BR", "en", "", "und", "no such language")
    gold = [page(f"page-{n:02}", language=languages[n % len(languages)]) for n in range(40)]
    data = front_matter(card(tmp_path / "set", gold, licence="cc-by-4.0"))
    assert data["language"] == ["de", "en", "pt"]
    assert data["license"] == "cc-by-4.0"
    assert data["pretty_name"] == "Test lines"
    assert data["task_categories"] == ["text-classification"]
    assert data["size_categories"] == ["n<1K"]
    assert data["multilinguality"] == ["multilingual"]
    assert "license_name" not in data
    assert front_matter(card(tmp_path / "other"))["license_name"]


def test_the_snippet_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    for name, splits in (("set", None), ("validation-only", ["validation"] * len(GOLD))):
        snippet = re.search(r"```python\n(.*?)```", card(tmp_path / name, splits=splits), re.DOTALL)
        assert snippet is not None
        monkeypatch.chdir(tmp_path / name)
        exec(compile(snippet[1], "README.md", "exec"), {})
        assert "navigation  Line 0" in capsys.readouterr().out


def test_the_pandas_snippet_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = card(tmp_path / "set")
    snippet = next(
        block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "pandas" in block
    )
    monkeypatch.chdir(tmp_path / "set")
    names: dict[str, Any] = {}
    exec(compile(snippet, "README.md", "exec"), names)
    assert set(names["frame"]["text"]) == {"Line 0", "Line 1", "Line 2"}


def test_the_snippet_runs_on_a_set_without_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    hidden = {item.document.id: item.document.text_sha256 for item in GOLD}
    text = card(tmp_path / "set", without_text=hidden)
    snippet = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert snippet is not None
    monkeypatch.chdir(tmp_path / "set")
    exec(compile(snippet[1], "README.md", "exec"), {})
    assert "navigation  (without text)" in capsys.readouterr().out
    assert "The text of 40 of 40 documents is not part of this set" in text


def test_every_column_is_explained(tmp_path: Path) -> None:
    text = card(tmp_path / "set")
    for name, meaning in (DOCUMENT_COLUMNS | LINE_COLUMNS).items():
        assert f"| `{name}` | " in text
        assert meaning


def test_the_tables_count_the_documents(tmp_path: Path) -> None:
    gold = [
        page("a", "2n 3c 1a"),
        page("b", "4c", language="de", page_type="blog"),
        page("c", "1r", page_type="blog"),
    ]
    text = card(tmp_path / "set", gold, splits=["train", "train", "test"])
    assert "| train | 2 | 2 | 10 | 7 | 1 | 2 | 0 |" in text
    assert "| test | 1 | 1 | 1 | 0 | 0 | 0 | 1 |" in text
    assert "| blog | 2 | 2 | 5 | 4 | 0 | 0 | 1 |" in text
    assert "| de | 1 | 1 | 4 | 4 | 0 | 0 | 0 |" in text
    assert "No document fell to validation" in text


def test_every_label_is_explained_with_its_class_id(tmp_path: Path) -> None:
    assert list(MEANINGS) == list(Label)
    text = card(tmp_path / "set")
    for label, meaning in MEANINGS.items():
        assert f"| {label.id} | `{label}` | {meaning} |" in text
    assert "version 7 of the guidelines" in text


def test_the_card_says_how_labels_came_about(tmp_path: Path) -> None:
    gold = [
        page("a", annotators=("anna", "ben"), decided="agreed"),
        page("b", "1c", annotators=("adjudicated", "anna", "ben"), agreement=0.0, decided="adjudicated"),
        page("c", annotators=("adjudicated", "anna"), decided="adjudicated"),
    ]
    text = card(tmp_path / "set", gold)
    assert "| `agreed` | 1 |" in text
    assert "| `adjudicated` | 2 |" in text
    assert "| anna | 3 |" in text
    assert (
        "2 documents have two or more independent annotators; all of them agree on 75.0% of the lines" in text
    )


def test_the_card_has_the_agreement_beyond_chance(tmp_path: Path) -> None:
    items = [page("a"), page("b")]
    annotations = [
        Annotation(item.document.id, item.document.text_sha256, name, decode_runs(runs))
        for item in items
        for name, runs in {"anna": "1n 2c", "ben": "1n 1c 1a"}.items()
    ]
    text = agreement_text(annotations, ["a"])
    assert "6 lines of 2 documents with two or more independent annotators, 1 of which are not in" in text
    assert re.search(r"\| Cohen's κ of anna and ben \| 0\.\d{3} \| ", text)
    assert re.search(r"\| α of `navigation` against the rest \| 1\.000 \| 1\.000–1\.000 \|", text)
    assert "all annotators agree on 66.7%" in text
    whole = card(tmp_path / "set", agreement=text)
    assert text in whole
    assert "cannot say how far they would agree" not in whole
    assert agreement_text(annotations[:1], ["a"]) == ""


def test_one_annotator_is_no_agreement(tmp_path: Path) -> None:
    assert "cannot say how far they would agree" in card(tmp_path / "set")


def test_the_card_says_where_sites_do_not_follow_their_hash(tmp_path: Path) -> None:
    sites = [item.document.site for item in GOLD]
    splits = split_sites(sites)
    assert all(split_of(site) == split for site, split in splits.items())
    assert "elsewhere than their hash says" not in card(tmp_path / "by-hash")
    text = card(tmp_path / "by-hand", splits=["test"] * len(GOLD))
    moved = sum(split_of(site) != "test" for site in sites)
    assert f"Of the 40 sites {moved} stand elsewhere" in text


def test_documents_without_a_site_are_mentioned(tmp_path: Path) -> None:
    gold = [*GOLD, page("nowhere", site="")]
    assert "A document that names no site (1 of them)" in card(tmp_path / "set", gold)


def test_description_and_licence_are_in_the_card(tmp_path: Path) -> None:
    assert LICENCE_TEXT in card(tmp_path / "default")
    text = card(tmp_path / "set", description="Pages about *ferries*.", licence_text="All of it is ours.")
    assert "\nPages about *ferries*.\n" in text
    assert "\nAll of it is ours.\n" in text


def test_values_from_pages_cannot_break_the_card(tmp_path: Path) -> None:
    gold = [page(f"page-{n:02}", page_type="a|b\n---\n<b>{{ x }}") for n in range(40)]
    text = card(tmp_path / "set", gold, name='A "name": [with] | marks')
    assert front_matter(text)["pretty_name"] == 'A "name": [with] | marks'
    assert r"| a\|b --- \<b\>\{\{ x \}\} | 40 |" in text


def test_many_groups_are_cut_short(tmp_path: Path) -> None:
    gold = [page(f"page-{n:02}", page_type=f"type {n}") for n in range(60)]
    assert "20 smaller groups are not shown." in card(tmp_path / "set", gold)


@pytest.mark.parametrize(
    ("value", "written"),
    [("news", "news"), ("a  b\n", "a b"), ("x|y", r"x\|y"), ("`<a>`", r"\`\<a\>\`"), ("", "")],
)
def test_plain_text_is_no_markdown(value: str, written: str) -> None:
    assert plain(value) == written


def test_counting_nothing_gives_zeros() -> None:
    counts = count([])
    assert (counts.documents, counts.lines) == (0, 0)
    assert counts.labels == dict.fromkeys(LABEL_NAMES, 0)
    assert np.sum(list(count(GOLD).labels.values())) == count(GOLD).lines
