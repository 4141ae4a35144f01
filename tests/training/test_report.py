"""The evaluation report: what it shows, and that no page it quotes can do harm."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from boilerplate_ds.document import Document
from boilerplate_ds.training import report
from boilerplate_ds.training.evaluation import Predictions, evaluate_predictions
from boilerplate_ds.training.report import (
    ReportSection,
    breakdowns,
    evaluation_table,
    most_confident_mistakes,
    write_report,
)

if TYPE_CHECKING:
    from pathlib import Path

CONTENT, AD, NAVIGATION, RECOMMENDATION = range(4)


def page(
    gold: list[int], predicted: list[int], *, sure: list[float] | None = None, **fields: Any
) -> Predictions:
    """One document whose predicted labels have the probabilities ``sure``."""
    lines = fields.pop("lines", tuple(f"line {i + 1}" for i in range(len(gold))))
    probabilities = np.zeros((len(gold), 4), dtype=np.float32)
    for line, (label, p) in enumerate(zip(predicted, sure or [0.7] * len(gold), strict=True)):
        probabilities[line] = (1 - p) / 3
        probabilities[line, label] = p
    document = Document(fields.pop("id", "page"), lines, **fields)
    return Predictions([document], [np.array(gold, dtype=np.int8)], [probabilities])


def together(*pages: Predictions) -> Predictions:
    return Predictions(
        [document for p in pages for document in p.documents],
        [labels for p in pages for labels in p.labels],
        [probabilities for p in pages for probabilities in p.probabilities],
    )


def section(predictions: Predictions, title: str = "Held-out test sites", note: str = "") -> ReportSection:
    return ReportSection(title, note, evaluate_predictions(predictions, n_bootstrap=50), predictions)


def written(folder: Path, *sections: ReportSection, title: str = "Report", **facts: str) -> str:
    return write_report(folder, title, sections, facts).read_text(encoding="utf-8")


class Reader(HTMLParser):
    """Collects the tags and attributes a browser would see, and checks that tags are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


MIXED = together(
    page(
        [NAVIGATION, CONTENT, CONTENT, AD, CONTENT],
        [NAVIGATION, CONTENT, NAVIGATION, CONTENT, CONTENT],
        sure=[0.9, 0.8, 0.6, 0.95, 0.99],
        id="news-1",
        site="news.example",
        language="en",
        metadata={"page_type": "article", "variant": "full"},
    ),
    page([RECOMMENDATION, CONTENT], [AD, CONTENT], sure=[0.85, 0.9], id="shop-1", language="de"),
)


def test_the_page_shows_headline_figures_with_their_intervals(tmp_path: Path) -> None:
    html = written(tmp_path, section(MIXED))
    evaluation = section(MIXED).evaluation
    for name in ("accuracy", "macro_f1", "content_f1"):
        low, high = evaluation.intervals[name]
        assert f"<strong>{getattr(evaluation, name):.3f}</strong>" in html
        assert f"{low:.3f}–{high:.3f}" in html
    assert f"<strong>{evaluation.reliability.error:.3f}</strong>" in html


def test_the_page_shows_title_facts_and_sections(tmp_path: Path) -> None:
    sections = section(MIXED, note="Never seen."), section(MIXED, "Cross-validation by site")
    text = Reader(written(tmp_path, *sections, title="Line classifier", languages="de, en")).text
    for shown in ("Line classifier", "languages", "de, en", "Never seen.", "Cross-validation by site"):
        assert shown in text


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        write_report(tmp_path / folder, "Report", [section(MIXED)], {"lines": "7"})
    for name in ("index.html", "evaluation.json"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_the_json_holds_the_figures_of_each_section(tmp_path: Path) -> None:
    write_report(tmp_path, "Report", [section(MIXED, note="Never seen.")], {"lines": "7"})
    figures = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert figures["facts"] == {"lines": "7"}
    (only,) = figures["sections"]
    expected = json.loads(json.dumps(section(MIXED).evaluation.as_json()))
    assert only == {"title": "Held-out test sites", "note": "Never seen.", **expected}


def test_the_page_runs_nothing_and_loads_nothing(tmp_path: Path) -> None:
    html = written(tmp_path, section(MIXED))
    reader = Reader(html)
    assert not reader.tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert all(
        value.startswith("#") for name, value in reader.attributes if name in ("src", "href") and value
    )
    assert not any(name.startswith("on") for name, _ in reader.attributes)
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_hostile_text_is_only_ever_text(tmp_path: Path) -> None:
    attack = '</style></title><script>alert(1)</script><img src="//evil.example" onerror=alert(1)>'
    hostile = page(
        [AD, AD],
        [CONTENT, CONTENT],
        id=attack,
        lines=(attack, "{{ 7 * 7 }}"),
        site=attack,
        language=attack,
        metadata={"page_type": attack, "variant": [attack]},
    )
    html = written(tmp_path, section(hostile, attack, attack), title=attack, **{attack: attack})
    reader = Reader(html)
    assert not reader.tags & {"script", "img"}
    assert "{{ 7 * 7 }}" in reader.text
    assert not any("evil" in (value or "") for _, value in reader.attributes)


def test_invisible_characters_are_named(tmp_path: Path) -> None:
    text = "a\u202egnp.exe\x00\x1b[31m\ud83d!\u2066"
    html = written(tmp_path, section(page([AD], [CONTENT], lines=(text,), id="\ud800", site="\u202e")))
    assert "a⟨U+202E⟩gnp.exe⟨U+0000⟩⟨U+001B⟩[31m⟨U+D83D⟩!⟨U+2066⟩" in html
    assert "⟨U+D800⟩" in html
    assert not set(html) & set("\u202e\x00\x1b\u2066")


def test_text_of_pages_keeps_its_own_direction(tmp_path: Path) -> None:
    html = written(tmp_path, section(page([AD], [CONTENT], lines=("ناقش المجلس",))))
    assert '<bdi dir="auto">ناقش المجلس</bdi>' in html


def test_joiners_that_spelling_needs_stay_as_they_are(tmp_path: Path) -> None:
    html = written(tmp_path, section(page([AD], [CONTENT], lines=("می\u200cخواهم 👩\u200d🚀",))))
    assert "می\u200cخواهم 👩\u200d🚀" in html


def test_long_lines_are_cut(tmp_path: Path) -> None:
    html = written(tmp_path, section(page([AD], [CONTENT], lines=("x" * 3400,))))
    assert "x" * 280 + '</bdi><span class="cut">… +3,120 characters</span>' in html
    assert "x" * 281 not in html


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(), min_size=1))
def test_any_text_can_be_shown(tmp_path: Path, text: str) -> None:
    odd = page([AD], [CONTENT], lines=(text,), id=text, site=text, language=text, metadata={"variant": text})
    Reader(written(tmp_path, section(odd, text, text), title=text, fact=text))


def test_mistakes_come_most_confident_first() -> None:
    mistakes = most_confident_mistakes(MIXED)
    found = [(m.document.id, m.line.number, m.line.gold, m.line.predicted) for m in mistakes]
    assert found == [
        ("news-1", 4, "ad", "content"),
        ("shop-1", 1, "recommendation", "ad"),
        ("news-1", 3, "content", "navigation"),
    ]
    assert [m.probability for m in mistakes] == pytest.approx([0.95, 0.85, 0.6])


def test_mistakes_have_two_lines_before_and_after() -> None:
    predicted = [AD] + [CONTENT] * 3 + [AD] + [CONTENT] * 3 + [AD]
    mistakes = most_confident_mistakes(page([CONTENT] * 9, predicted))
    numbers = [[line.number for line in mistake.context] for mistake in mistakes]
    assert numbers == [[1, 2, 3], [3, 4, 5, 6, 7], [7, 8, 9]]
    assert [mistake.line.text for mistake in mistakes] == ["line 1", "line 5", "line 9"]


def test_lines_of_unknown_label_are_context_but_no_mistakes() -> None:
    (mistake,) = most_confident_mistakes(page([-1, CONTENT], [AD, AD]))
    assert [line.gold for line in mistake.context] == [None, "content"]


def test_no_more_than_twenty_mistakes_are_shown(tmp_path: Path) -> None:
    html = written(tmp_path, section(page([CONTENT] * 50, [AD] * 50)))
    assert html.count("<article>") == 20


def test_a_faultless_section_says_so(tmp_path: Path) -> None:
    assert "every label is right" in written(tmp_path, section(page([CONTENT], [CONTENT])))


def test_documents_are_broken_down_by_what_they_carry() -> None:
    page_type, language, variant = breakdowns(MIXED)
    assert (page_type.name, language.name, variant.name) == ("Page type", "Language", "Variant")
    assert [(group, evaluation.n_lines) for group, evaluation in page_type.groups] == [
        ("article", 5),
        ("", 2),
    ]
    assert [group for group, _ in language.groups] == ["en", "de"]
    assert language.groups[0][1].accuracy == pytest.approx(3 / 5)


def test_documents_that_carry_nothing_are_not_broken_down() -> None:
    assert breakdowns(page([CONTENT], [CONTENT])) == []


def test_small_groups_share_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "N_GROUPS", 2)
    sizes = {"a": 3, "b": 5, "c": 1, "d": 2}
    pages = [page([CONTENT] * n, [CONTENT] * n, language=name) for name, n in sizes.items()]
    (language,) = breakdowns(together(*pages))
    assert [(group, evaluation.n_lines) for group, evaluation in language.groups] == [
        ("b", 5),
        ("a", 3),
        ("2 others", 3),
    ]


@pytest.mark.parametrize(
    "predictions",
    [Predictions([], [], []), page([], []), page([-1], [AD])],
    ids=["nothing", "no lines", "no label"],
)
def test_a_section_without_labelled_lines_says_so(tmp_path: Path, predictions: Predictions) -> None:
    assert "nothing to measure" in written(tmp_path, section(predictions))


def test_a_label_that_occurs_nowhere_has_no_figures(tmp_path: Path) -> None:
    evaluation = section(page([CONTENT, AD], [CONTENT, AD]))
    assert written(tmp_path, evaluation).count("<td>–</td>") == 2 * 3


def test_the_terminal_table_has_a_dash_for_a_label_that_occurs_nowhere() -> None:
    table = evaluation_table(section(page([CONTENT, AD], [CONTENT, AD])).evaluation, "One page")
    console = Console(width=100)
    with console.capture() as capture:
        console.print(table)
    shown = {line.split("│")[1].strip(): line for line in capture.get().splitlines() if "│" in line}
    assert shown["navigation"].count("–") == shown["recommendation"].count("–") == 3
    assert "0.000" not in shown["navigation"]
    assert "–" not in shown["macro F1"]


def test_the_terminal_table_shows_the_figures() -> None:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(evaluation_table(section(MIXED).evaluation, "Held-out [test] sites [/]"))
    shown = capture.get()
    for part in (
        "Held-out [test] sites [/]",
        "recommendation",
        "macro F1",
        "content F1 by characters",
        "0.571",
    ):
        assert part in shown
