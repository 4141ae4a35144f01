"""The WCXB measure, worked by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from boilerplate_ds.document import Document
from boilerplate_ds.training.corpora import TEXT, TrainingPage
from boilerplate_ds.training.wcxb import evaluate_wcxb


def page(reference: str | None, page_type: str | None = None) -> TrainingPage:
    metadata = {} if page_type is None else {"page_type": page_type}
    document = Document("p", ("x",), metadata=metadata)
    return TrainingPage(document, np.zeros(1, dtype=np.int8), TEXT, "wcxb", reference)


PAGES = [page("the ferry", "article"), page("a b c d", "article"), page("", "forum"), page("", "forum")]
TEXTS = ["The ferry", "a b", "", "left over"]


def test_the_figure_is_the_mean_over_pages() -> None:
    figures = evaluate_wcxb(PAGES, TEXTS)
    assert figures.n_pages == 4
    assert figures.word_f1 == pytest.approx((1 + 2 / 3 + 1 + 0) / 4)


def test_page_types_have_their_own_means() -> None:
    figures = evaluate_wcxb(PAGES, TEXTS)
    assert figures.by_page_type == {
        "article": (pytest.approx((1 + 2 / 3) / 2), 2),
        "forum": (pytest.approx(0.5), 2),
    }


def test_pages_without_reference_or_type_count_as_empty() -> None:
    figures = evaluate_wcxb([page(None)], [""])
    assert (figures.word_f1, figures.by_page_type) == (1.0, {"": (1.0, 1)})


def test_one_page_has_no_interval() -> None:
    figures = evaluate_wcxb(PAGES[:1], TEXTS[:1])
    assert figures.interval is None
    assert figures.as_json()["interval_95"] is None


def test_the_interval_holds_the_figure_and_is_the_same_each_time() -> None:
    pages, texts = PAGES * 20, TEXTS * 20
    figures = evaluate_wcxb(pages, texts)
    low, high = figures.interval
    assert low < figures.word_f1 < high
    assert high - low < 0.3
    assert evaluate_wcxb(pages, texts) == figures


def test_every_page_needs_its_text() -> None:
    with pytest.raises(ValueError, match="zip"):
        evaluate_wcxb(PAGES, TEXTS[:3])


def test_json_is_plain_and_rounded() -> None:
    figures = json.loads(json.dumps(evaluate_wcxb(PAGES[:2], TEXTS[:2]).as_json()))
    assert figures["word_f1"] == 0.8333
    assert figures["pages"] == 2
    assert figures["by_page_type"] == {"article": {"word_f1": 0.8333, "pages": 2}}
    assert len(figures["interval_95"]) == 2
