"""Gold labels: single, agreed, majority, adjudicated, or undecided."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate_ds.dataset.gold import STRATEGIES, Gold, Strategy, count_votes, gold
from boilerplate_ds.document import Annotation, Document, decode_runs, encode_runs
from boilerplate_ds.errors import LabelError

PAGE = Document("page", ("Menu", "Headline", "Text", "Ad"))
OTHER = Document("other", ("Text",))


def settle(strategy: Strategy = "majority", **runs_by_annotator: str) -> Gold:
    annotations = [
        Annotation("page", PAGE.text_sha256, name, decode_runs(runs))
        for name, runs in runs_by_annotator.items()
    ]
    return gold({"page": PAGE}, annotations, strategy)


@pytest.mark.parametrize(
    ("runs", "labels", "agreement", "decided"),
    [
        ({"anna": "1n 2c 1a"}, "1n 2c 1a", 1.0, "single"),
        ({"anna": "1n 2c 1a", "ben": "1n 2c 1a"}, "1n 2c 1a", 1.0, "agreed"),
        ({"anna": "1n 2c 1a", "ben": "1n 3c", "cleo": "1n 2c 1a"}, "1n 2c 1a", 0.75, "majority"),
        ({"anna": "1n 2c 1a", "ben": "1n 3c", "adjudicated": "1n 2c 1r"}, "1n 2c 1r", 0.75, "adjudicated"),
        ({"adjudicated": "4c"}, "4c", 1.0, "adjudicated"),
    ],
)
def test_a_document_is_settled(runs: dict[str, str], labels: str, agreement: float, decided: str) -> None:
    (item,) = settle(**runs).documents
    assert (encode_runs(item.labels), item.agreement, item.decided) == (labels, agreement, decided)
    assert item.labels.dtype == np.int8
    assert item.annotators == tuple(sorted(runs))


@pytest.mark.parametrize(
    ("runs", "lines"),
    [
        ({"anna": "1n 2c 1a", "ben": "1n 1c 2a"}, [2]),
        ({"anna": "4c", "ben": "4a", "cleo": "4n"}, [0, 1, 2, 3]),
        ({"anna": "4c", "ben": "4c", "cleo": "3c 1a", "dan": "3c 1n"}, [3]),  # two of four are no majority
    ],
)
def test_a_document_without_a_majority_is_left_out_and_reported(
    runs: dict[str, str], lines: list[int]
) -> None:
    result = settle(**runs)
    assert result.documents == ()
    assert result.undecided[0].lines.tolist() == lines
    assert result.undecided[0].agreement == 1 - len(lines) / 4


def test_the_agreed_strategy_takes_no_majority() -> None:
    runs = {"anna": "4c", "ben": "4c", "cleo": "3c 1a"}
    assert len(settle("majority", **runs).documents) == 1
    assert settle("agreed", **runs).undecided[0].lines.tolist() == [3]
    assert settle("agreed", anna="4c", ben="4c").documents[0].decided == "agreed"
    assert settle("agreed", anna="4c").documents[0].decided == "single"


def test_the_decided_strategy_takes_the_adjudicator_alone() -> None:
    assert settle("decided", anna="4c", ben="4c").undecided[0].lines.tolist() == [0, 1, 2, 3]
    (item,) = settle("decided", anna="4c", ben="4a", adjudicated="4n").documents
    assert (encode_runs(item.labels), item.decided, item.agreement) == ("4n", "adjudicated", 0.0)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_unknown_strategy_is_refused_and_every_known_one_lets_the_adjudicator_overrule(
    strategy: Strategy,
) -> None:
    runs = {"anna": "4c", "ben": "4a", "cleo": "4c", "adjudicated": "4n"}
    assert encode_runs(settle(strategy, **runs).documents[0].labels) == "4n"
    with pytest.raises(ValueError, match="none of majority, agreed"):
        settle("unanimous", **runs)  # type: ignore[arg-type]


def labelled_by(accuracies: list[float], n_pages: int = 60) -> tuple[dict[str, Document], list[Annotation]]:
    """Pages with random true labels, kept in their metadata, and annotators who err as often as they do."""
    rng = np.random.default_rng(0)
    pages, annotations = {}, []
    for number in range(n_pages):
        truth = rng.integers(0, 4, 20)
        page = Document(str(number), tuple(f"{number} {i}" for i in range(20)), metadata={"truth": truth})
        pages[page.id] = page
        for name, accuracy in zip("abcde", accuracies, strict=False):
            wrong = (truth + rng.integers(1, 4, 20)) % 4
            given = np.where(rng.random(20) < accuracy, truth, wrong).astype(np.int8)
            annotations.append(Annotation(page.id, page.text_sha256, name, given))
    return pages, annotations


def test_the_weighted_strategy_trusts_reliable_annotators_more_than_a_majority_of_others() -> None:
    pages, annotations = labelled_by([0.95, 0.95, 0.5, 0.5, 0.5])
    result = gold(pages, annotations, "weighted")
    right = np.concatenate([item.labels == item.document.metadata["truth"] for item in result.documents])
    votes = np.stack([a.labels for a in annotations]).reshape(60, 5, 20)
    truth = np.stack([page.metadata["truth"] for page in pages.values()])
    by_majority = np.mean([count_votes(v).argmax(axis=0) == t for v, t in zip(votes, truth, strict=True)])
    assert len(result.documents) > 50
    assert right.mean() > by_majority + 0.02
    assert {item.decided for item in result.documents} == {"weighted"}


def test_annotators_of_equal_weight_who_differ_settle_nothing() -> None:
    assert settle("weighted", anna="2c 2a", ben="2a 2c").undecided[0].lines.tolist() == [0, 1, 2, 3]


def test_the_weighted_strategy_changes_nothing_that_all_annotators_say() -> None:
    pages, annotations = labelled_by([0.9, 0.6, 0.6], n_pages=10)
    for item in gold(pages, annotations, "weighted").documents:
        votes = np.stack([a.labels for a in annotations if a.doc_id == item.document.id])
        same = (votes == votes[0]).all(axis=0)
        assert (item.labels[same] == votes[0][same]).all()


def test_every_document_is_somewhere() -> None:
    annotation = Annotation("page", PAGE.text_sha256, "anna", decode_runs("4c"))
    result = gold({"other": OTHER, "page": PAGE}, [annotation])
    assert [item.document.id for item in result.documents] == ["page"]
    assert result.unlabeled == ("other",)


def test_of_two_annotations_by_one_annotator_the_last_counts() -> None:
    annotations = [Annotation("page", PAGE.text_sha256, "anna", decode_runs(runs)) for runs in ("4c", "4a")]
    (item,) = gold({"page": PAGE}, annotations).documents
    assert (encode_runs(item.labels), item.decided) == ("4a", "single")


def test_annotations_that_do_not_fit_are_an_error() -> None:
    for annotation in (
        Annotation("page", PAGE.text_sha256, "anna", decode_runs("3c")),
        Annotation("page", OTHER.text_sha256, "anna", decode_runs("4c")),
        Annotation("lost", PAGE.text_sha256, "anna", decode_runs("4c")),
    ):
        with pytest.raises(LabelError, match="anna: "):
            gold({"page": PAGE}, [annotation])


def test_a_document_without_lines_can_be_gold() -> None:
    empty = Document("empty", ())
    annotations = [Annotation("empty", empty.text_sha256, name, decode_runs("")) for name in ("anna", "ben")]
    (item,) = gold({"empty": empty}, annotations).documents
    assert (item.agreement, item.decided) == (1.0, "agreed")


@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=5))
def test_a_settled_line_has_the_label_of_more_than_half(votes: list[list[int]]) -> None:
    result = settle(**{f"a{i}": encode_runs(vote) for i, vote in enumerate(votes)})
    columns = list(zip(*votes, strict=True))
    majorities = [max(set(column), key=column.count) for column in columns]
    settled = [
        column.count(label) * 2 > len(column) for column, label in zip(columns, majorities, strict=True)
    ]
    if all(settled):
        assert result.documents[0].labels.tolist() == majorities
    else:
        assert result.undecided[0].lines.tolist() == [i for i, ok in enumerate(settled) if not ok]
