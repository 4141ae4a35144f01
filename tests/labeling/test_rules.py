"""Rules vote for the label of a line in its page, in the page's own language, or say nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from boilerplate_ds.document import Document, Label
from boilerplate_ds.errors import LabelError
from boilerplate_ds.labeling.rules import ABSTAIN, Line, Page, apply_rules, read_rules, rule
from boilerplate_ds.labeling.shipped_rules import SHIPPED
from boilerplate_ds.terms import KINDS, TERMS, terms_of

if TYPE_CHECKING:
    from pathlib import Path

RULES = {one.name: one for one in SHIPPED}
PROSE = "The ferry to the island will run every hour from the first of May, the operator told us on Monday."
CHINESE = "从五月一日起，港口和岛屿之间的渡轮将每小时运行一次，运营商周一表示，这将使往返更加方便。"


def page(*lines: str, language: str = "en") -> Page:
    return Page(Document("page", lines, language=language))


def said(name: str, *lines: str, language: str = "en") -> list[Label | None]:
    return [RULES[name](line) for line in page(*lines, language=language).lines]


def test_a_rule_is_a_function_with_a_name() -> None:
    @rule
    def shouting(line: Line) -> Label | None:
        return Label.AD if line.text.isupper() else None

    assert shouting.name == "shouting"
    votes = apply_rules([shouting], Document("page", ("BUY", "Hello")))
    assert votes.tolist() == [[Label.AD.id], [ABSTAIN]]


def test_a_rule_that_fails_is_named_with_the_line() -> None:
    @rule
    def broken(line: Line) -> Label | None:
        return Label.parse(line.text)

    with pytest.raises(LabelError, match="rule 'broken' failed on line 1 of document 'page'"):
        apply_rules([broken], Document("page", ("x",)))


def test_a_rule_that_gives_no_label_is_named() -> None:
    @rule
    def wrong(line: Line) -> Label | None:
        return 1  # type: ignore[return-value]

    with pytest.raises(LabelError, match="rule 'wrong' gave 1"):
        apply_rules([wrong], Document("page", ("x",)))


@pytest.mark.parametrize(
    ("name", "language", "line", "label"),
    [
        ("copyright_notice", "en", "© 2024 Harbour Post", Label.NAVIGATION),
        ("copyright_notice", "es", "El Puerto. Todos los derechos reservados.", Label.NAVIGATION),
        ("legal_link", "de", "Impressum | Datenschutz", Label.NAVIGATION),
        ("legal_link", "ja", "プライバシーポリシー", Label.NAVIGATION),
        ("menu_item", "pl", "» Strona główna", Label.NAVIGATION),
        ("menu_item", "fr", "Facebook", Label.NAVIGATION),
        ("menu_item", "tr", "GİRİŞ YAP", Label.NAVIGATION),
        ("related_heading", "tr", "BENZER YAZILAR", Label.RECOMMENDATION),
        ("menu_item", "ar", "الرئيسية", Label.NAVIGATION),
        ("comment_control", "nl", "3 reacties", Label.NAVIGATION),
        ("ad_marker", "ru", "— РЕКЛАМА —", Label.AD),
        ("ad_marker", "de", "Anzeige:", Label.AD),
        ("ad_marker", "en", "Anzeige", None),
        ("pitch", "it", "Iscriviti alla nostra newsletter", Label.AD),
        ("pitch", "ko", "지금 구독하기 첫 달 무료", Label.AD),
        ("related_heading", "tr", "İlgili haberler", Label.RECOMMENDATION),
        ("related_heading", "zh", "相关阅读：新的渡轮", Label.RECOMMENDATION),
        ("related_heading", "vi", "Tin liên quan", Label.RECOMMENDATION),
        ("prose", "en", PROSE, Label.CONTENT),
        ("prose", "zh", CHINESE, Label.CONTENT),
        ("prose", "en", "Ferry", None),
    ],
)  # fmt: skip
def test_a_shipped_rule_knows_a_line_when_it_sees_one(
    name: str, language: str, line: str, label: Label | None
) -> None:
    assert said(name, line, language=language) == [label]


def test_what_stands_below_a_related_heading_is_recommended_until_the_text_goes_on() -> None:
    below = said(
        "below_related_heading",
        "Related articles",
        "Island bakery reopens today",
        PROSE,
        "Old pier to be closed",
    )
    assert below == [None, Label.RECOMMENDATION, None, None]


def test_short_lines_before_the_text_are_menus() -> None:
    found = said("short_at_top", "Home", "News", "Sport", "Jobs", "Weather", "Radio", "Video", PROSE, "End")
    assert found == [Label.NAVIGATION, Label.NAVIGATION, *[None] * 7]


def test_what_stands_between_text_is_content() -> None:
    assert said("between_prose", PROSE, "What the islanders say", PROSE)[1] is Label.CONTENT


def test_the_language_is_told_by_the_text_if_the_document_names_none() -> None:
    german = page("Die Fähre zwischen dem Hafen und der Insel fährt ab Mai jede Stunde.", language="")
    assert german.language == "de"
    assert page("x", language="pt-BR").language == "pt"


@pytest.mark.parametrize("language", sorted(TERMS))
def test_every_language_has_every_kind_of_term_in_lower_case(language: str) -> None:
    assert tuple(TERMS[language]) == KINDS
    for phrases in TERMS[language].values():
        assert all(phrase == phrase.strip() and phrase for phrase in phrases.split("|"))
        assert phrases == phrases.lower()
    assert terms_of(language).exact["menu"] >= terms_of("en").exact["menu"]


def test_terms_are_whole_words_where_a_language_has_words() -> None:
    assert terms_of("en").within["ad"].search("the ad here")
    assert not terms_of("en").within["ad"].search("reading broadly")


@pytest.mark.parametrize(
    "lines",
    [
        ("-" * 10**6 + "a",),
        ("." + ")" * 10**6 + "x",) * 3,
        ("\u3000" * 10**6 + "x",),
        ("x" * 10**6,),
        ("\ud800" * 99, ""),
    ],
)
def test_lines_made_to_hold_rules_up_do_not(lines: tuple[str, ...]) -> None:
    started = time.process_time()
    apply_rules(SHIPPED, Document("page", lines))
    assert time.process_time() - started < 10  # quadratic time would take hours


def test_rules_of_ones_own_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from boilerplate_ds.document import Label\n"
        "from boilerplate_ds.labeling.rules import rule\n"
        "WORDS = {'meow'}\n"
        "@rule\ndef cats(line):\n    return Label.AD if line.folded in WORDS else None\n"
    )
    (cats,) = read_rules(path)
    assert np.flatnonzero(apply_rules([cats], Document("page", ("Woof", "MEOW")))[:, 0] == Label.AD.id) == [1]


def test_a_file_of_rules_may_hold_dataclasses(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from boilerplate_ds.labeling.rules import rule\n"
        "@dataclass\nclass Limits:\n    words: int = 3\n"
        "@rule\ndef short(line):\n    return None\n"
    )
    assert [one.name for one in read_rules(path)] == ["short"]


@pytest.mark.parametrize(("text", "reason"), [("x = 1", "holds no rule"), ("x =", "SyntaxError")])
def test_a_file_without_rules_says_so(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(LabelError, match=reason):
        read_rules(path)
