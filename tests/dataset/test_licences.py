"""Licences: read as people write them, and what each allows."""

from __future__ import annotations

import pytest

from boilerplate_ds.dataset.gold import GoldDocument
from boilerplate_ds.dataset.licences import (
    common_licence,
    is_open,
    licence_address,
    licence_of,
    licence_text,
    normal_licence,
    with_licence,
    without_text,
)
from boilerplate_ds.document import Document, decode_runs
from boilerplate_ds.errors import DatasetError
from boilerplate_ds.labeling.hydrate import Corpus


def page(name: str, **metadata: str) -> GoldDocument:
    return GoldDocument(
        Document(name, ("A line",), metadata=metadata), decode_runs("1c"), ("anna",), 1.0, "single"
    )


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("CC BY 4.0", "cc-by-4.0"),
        ("cc_by_sa_3.0", "cc-by-sa-3.0"),
        ("https://creativecommons.org/licenses/by-nc-nd/3.0/us/", "cc-by-nc-nd-3.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
        (" www.creativecommons.org/publicdomain/zero/1.0/legalcode\n", "cc0-1.0"),
        ("creativecommons.org/licenses/by/4.0", "cc-by-4.0"),
        ("https://creativecommons.org/licenses/by-sa/2.5/scotland/deed.pt_BR", "cc-by-sa-2.5"),
        (" Apache-2.0\n", "apache-2.0"),
        ("", ""),
    ],
)
def test_licences_are_written_as_the_hub_does(written: str, normal: str) -> None:
    assert normal_licence(written) == normal


@pytest.mark.parametrize(
    "licence",
    ["CC BY 4.0", "cc-by-sa-3.0", "cc-by-nc-4.0", "cc0-1.0", "apache-2.0", "mit", "odc-by", "bsd-3-clause"],
)
def test_open_licences_allow_redistribution(licence: str) -> None:
    assert is_open(licence)


@pytest.mark.parametrize(
    "licence",
    [
        "",
        "all rights reserved",
        "cc-by-nd",
        "cc-by-nd-4.0",
        "cc-by-nc-nd-4.0",
        "other",
        "proprietary",
        "mit-like",
        "All rights reserved by A. Photos: https://creativecommons.org/licenses/by/2.0/",
        "https://creativecommons.org/licenses/by/4.0/ and https://creativecommons.org/licenses/by-nd/4.0/",
        "not under https://creativecommons.org/publicdomain/zero/1.0/",
        "https://creativecommons.org/publicdomain/mark/1.0/",
        "https://example.org/creativecommons.org/licenses/by/4.0/",
    ],
)
def test_all_others_do_not(licence: str) -> None:
    assert not is_open(licence)


def test_a_document_states_its_licence_in_either_spelling_and_any_case() -> None:
    assert licence_of(page("a", licence="CC BY 4.0").document) == "cc-by-4.0"
    assert licence_of(page("b", license="MIT").document) == "mit"
    assert licence_of(page("c", License="All rights reserved").document) == "all-rights-reserved"
    assert licence_of(page("d", LICENCE="MIT", license="mit").document) == "mit"
    assert licence_of(page("e").document) == ""


def test_a_document_that_states_two_licences_is_not_open() -> None:
    assert not is_open(licence_of(page("a", License="all rights reserved", license="mit").document))


GOLD = [page("open", licence="cc-by-4.0"), page("closed", licence="all rights reserved"), page("silent")]


def test_a_licence_decides_and_where_there_is_none_the_collection() -> None:
    assert set(without_text(GOLD, standoff=())) == {"closed"}
    standoff = {item.document.text_sha256 for item in GOLD}
    assert set(without_text(GOLD, standoff=standoff)) == {"closed", "silent"}


def test_of_documents_with_one_id_the_first_decides() -> None:
    first, second = page("p"), GoldDocument(Document("p", ("Another",)), decode_runs("1c"), (), 1.0, "single")
    assert without_text([first, second], {second.document.text_sha256}) == {}
    assert without_text([first, second], (), "none") == {"p": first.document.text_sha256}


def test_all_or_no_text_can_be_asked_for() -> None:
    assert without_text(GOLD, standoff={GOLD[2].document.text_sha256}, policy="all") == {}
    assert without_text(GOLD, (), "none") == {item.document.id: item.document.text_sha256 for item in GOLD}


def test_only_documents_of_a_licence_are_kept() -> None:
    assert [item.document.id for item in with_licence(GOLD, ["CC BY 4.0"])] == ["open"]
    assert with_licence(GOLD, []) == GOLD


def test_a_set_has_the_licence_that_all_its_texts_share() -> None:
    assert common_licence(GOLD[:1] * 2) == "cc-by-4.0"
    assert common_licence(GOLD) == common_licence(GOLD[1:2]) == common_licence([]) == "other"


def test_the_terms_of_each_corpus_are_given_where_licences_differ() -> None:
    corpus = Corpus("pages", "Pages", "pages.jsonl", "0" * 64, 1, "1", "Ask the publishers.", "Ask.")
    assert "pages: Ask the publishers." in licence_text(GOLD, [corpus])
    assert licence_text(GOLD[:1], []).startswith("Texts and labels are under `cc-by-4.0` (https://")


def test_a_strangers_words_start_no_section_of_a_card() -> None:
    words = "All <img src=x> [x](http://evil)\n\n## Licence\n\ncc0"
    corpus = Corpus("pages", "Pages", "pages.jsonl", "0" * 64, 1, "1", words, "Ask.")
    text = licence_text(GOLD, [corpus])
    assert r"pages: All \<img src=x\> \[x\](http://evil) \#\# Licence cc0" in text
    with pytest.raises(DatasetError, match="are words"):
        Corpus("pages", "Pages", "pages.jsonl", "0" * 64, 1, "1", {"a": 1}, "Ask.")  # type: ignore[arg-type]


def test_the_licence_of_the_set_is_told_apart_from_those_of_its_texts() -> None:
    text = licence_text(GOLD[:1], [], "mit")
    assert text.startswith("This set is published under mit (https://opensource.org/license/mit).")
    assert "cc-by" not in text
    assert licence_text(GOLD[:1], [], "cc-by-4.0") == licence_text(GOLD[:1], [])
    assert licence_text(GOLD, [], "other") == licence_text(GOLD, [])


def test_well_known_licences_have_an_address() -> None:
    assert licence_address("cc-by-sa-4.0") == "https://creativecommons.org/licenses/by-sa/4.0/"
    assert licence_address("apache-2.0").startswith("https://www.apache.org/")
    assert licence_address("other") == "other"
