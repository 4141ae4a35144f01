"""Lines are told by what they begin with, in whatever language pages call it so."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from boilerplate_ds import Document
from boilerplate_ds.features import LineBatch
from boilerplate_ds.features.term_codes import MOST_WORDS, SHORT, term_codes
from boilerplate_ds.terms import KINDS, TERMS, written_phrases
from kernels import in_python, same

WHOLE, LITTLE_MORE, MUCH_MORE = range(3)


def own(*lines: str) -> list[tuple[str, int] | None]:
    """The kind of term that each line begins with, and how much comes after it."""
    codes = codes_of(lines)[:, 0].tolist()
    return [(KINDS[(code - 1) // 3], (code - 1) % 3) if code else None for code in codes]


def codes_of(*documents: tuple[str, ...]) -> np.ndarray:
    return term_codes(LineBatch.of([Document(id=str(i), lines=d) for i, d in enumerate(documents)]))


@pytest.mark.parametrize(
    "lines",
    [
        ("ADVERTISEMENT", "See also:", "Share", "Home", "Subscribe"),
        ("Anzeige", "Lesen Sie auch:", "Teilen", "Startseite", "Newsletter"),
        ("РЕКЛАМА", "Читайте также:", "Поделиться", "Главная", "Подпишитесь"),
        ("広告", "関連記事", "シェア", "ホーム", "メールマガジン"),
        ("إعلان", "اقرأ أيضاً", "شارك", "الرئيسية", "اشترك"),
    ],
)
def test_languages_have_the_same_kinds(lines):
    assert own(*lines) == [(kind, WHOLE) for kind in ("ad", "related", "share", "menu", "pitch")]


def test_how_much_comes_after_a_term_is_told():
    after = " word" * SHORT
    assert own("Share", "· SHARE (12)", f"Share{after}", "The ferry is late", "Shares") == [
        ("share", WHOLE),
        ("share", LITTLE_MORE),
        ("share", MUCH_MORE),
        None,
        None,
    ]
    assert own("Share on Facebook", "Share on Facebook now") == [("share", WHOLE), ("share", LITTLE_MORE)]


def test_lines_around_count_within_a_document_alone():
    codes = codes_of(("Home", "The ferry", "Related"), (), ("Home",))
    menu, related = codes[0, 0], codes[2, 0]
    assert codes[:, 1].tolist() == [31 * 32 + menu, menu * 32, related, 31 * 32 + menu]
    assert codes[:, 2].tolist() == [menu, related * 32, 31 * 32 + related, 31 * 32 + menu]
    assert codes.max() < 1024


def upper(phrase: str, language: str) -> str:
    return (phrase.replace("i", "İ") if language == "tr" else phrase).upper()


@pytest.mark.parametrize("language", TERMS)
def test_every_term_that_is_short_enough_is_known_in_small_letters_and_capitals(language):
    phrases = [phrase for kind in KINDS for phrase in written_phrases(language, kind)]
    capitals = [upper(phrase, language) for phrase in phrases]
    first = [upper(phrase[0], language) + phrase[1:] for phrase in phrases]
    batch = LineBatch.of([Document(id=language, lines=(*phrases, *capitals, *first))])
    n_words = np.diff(batch.word_ends)
    fits = (n_words <= MOST_WORDS) & (n_words > 0)
    unknown = np.flatnonzero(fits & (term_codes(batch)[:, 0] == 0))
    assert [batch.documents[0].lines[i] for i in unknown] == []
    assert fits.mean() > 0.99


def test_the_kernel_numbers_the_beginnings_of_terms_and_what_goes_on_otherwise_as_python_does():
    phrases = [p.split() for kinds in TERMS.values() for kind in KINDS for p in kinds[kind].split("|")]
    pages = [
        tuple(" ".join(words[:-1] + more) or "x" for words in phrases)
        for more in ([], ["zzz"], ["zzz", "subscribe"])
    ]
    compiled = codes_of(*pages)
    with in_python():
        same(compiled, codes_of(*pages))


def test_the_kernel_numbers_terms_as_python_does():
    pages = [
        tuple(f"{p}{' more' * (i % 5)}" for i, p in enumerate(k["related"].split("|")))
        for k in TERMS.values()
    ]
    compiled = codes_of(*pages, (), ("",), ("Home " * 20,))
    with in_python():
        same(compiled, codes_of(*pages, (), ("",), ("Home " * 20,)))


def test_terms_are_those_that_models_have_learned():
    """With other terms a trained model reads otherwise: change the format, train the released one."""
    known = hashlib.sha256(json.dumps(TERMS).encode()).hexdigest()
    assert known.startswith("92275105e353be6d")
