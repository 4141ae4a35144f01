"""A session: what it took is on disk, is applied once, and overwrites nobody's work."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from boilerplate_ds.document import Annotation, Document, decode_runs
from boilerplate_ds.errors import LabelError, Rejects
from boilerplate_ds.labeling.assignment import assign
from boilerplate_ds.labeling.collection import load_collection, write_document_file
from boilerplate_ds.labeling.drafts import (
    MAX_EDITS,
    UNLABELED,
    Change,
    Edit,
    edit_record,
    parse_change,
    redo_edits,
    undo_edits,
)
from boilerplate_ds.labeling.queue import QueueItem
from boilerplate_ds.labeling.session import ChangeClashError, Session
from boilerplate_ds.labeling.store import LabelStore
from boilerplate_ds.labeling.suggestions import Suggestion, append_suggestion

if TYPE_CHECKING:
    from pathlib import Path

PAGES = 10
LINES = ("Home", "News", "The ferry is late.", "It left at nine.", "Subscribe", "Most read")
GOLD = "2n 2c 1a 1r"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents = [Document(id=f"page-{i}", lines=(f"Page {i}", *LINES[1:])) for i in range(PAGES)]
    write_document_file(tmp_path / "ferry" / "documents" / "pages.jsonl", documents)
    return tmp_path / "ferry"


def suggest(folder: Path, doc_id: str, runs: str, score: float = 0.9) -> None:
    document = Session(folder, ["ana"]).documents[doc_id]
    labels = decode_runs(runs)
    scores = np.full(len(labels), score, np.float32)
    append_suggestion(folder, Suggestion(doc_id, document.text_sha256, "model-web", labels, scores))


def edit(session: Session, annotator: str, *edits: Edit, doc_id: str = "page-0", **fields: object) -> Change:
    change = session.change(session.draft(annotator, doc_id), edits=edits)
    return replace(change, **fields)


def label_all(session: Session, annotator: str, runs: str, doc_id: str = "page-0") -> None:
    edits = [Edit(i, i + 1, int(label)) for i, label in enumerate(decode_runs(runs))]
    session.apply(annotator, edit(session, annotator, *edits, doc_id=doc_id))
    session.apply(annotator, session.change(session.draft(annotator, doc_id), kind="accept", seconds=6.0))


# Drafts


def test_a_change_outlives_the_session(folder):
    session = Session(folder, ["ana"])
    session.apply("ana", edit(session, "ana", Edit(0, 2, 2), Edit(2, 3, unsure=True)))
    draft = Session(folder, ["ana"]).draft("ana", "page-0")
    assert draft.labels.tolist() == [2, 2, *[UNLABELED] * 4]
    assert draft.unsure.tolist() == [False, False, True, False, False, False]
    assert (draft.version, draft.status) == (1, "started")


def test_a_change_sent_twice_is_applied_once_in_any_session(folder):
    first = Session(folder, ["ana"])
    change = edit(first, "ana", Edit(0, 1, 2))
    first.apply("ana", change)
    assert first.apply("ana", change).version == 1
    assert Session(folder, ["ana"]).apply("ana", change).version == 1
    assert len((folder / "drafts" / "ana.jsonl").read_text().splitlines()) == 1


def test_an_acceptance_sent_twice_is_stored_once(folder):
    session = Session(folder, ["ana"])
    session.apply("ana", edit(session, "ana", Edit(0, 6, 0)))
    accept = session.change(session.draft("ana", "page-0"), kind="accept")
    session.apply("ana", accept)
    Session(folder, ["ana"]).apply("ana", accept)
    assert len(list(LabelStore(folder).records())) == 1


def test_undo_and_redo_go_all_the_way_in_a_later_session(folder):
    session = Session(folder, ["ana"])
    for line in range(6):
        session.apply("ana", edit(session, "ana", Edit(line, line + 1, line % 4)))
    session = Session(folder, ["ana"])
    for kind, edits_of in (("undo", undo_edits), ("redo", redo_edits)):
        while edits := edits_of(session.draft("ana", "page-0")):
            session.apply("ana", edit(session, "ana", *edits, kind=kind))
        labels = session.draft("ana", "page-0").labels.tolist()
        assert labels == ([UNLABELED] * 6 if kind == "undo" else [0, 1, 2, 3, 0, 1])


def test_two_windows_may_change_different_lines(folder):
    session = Session(folder, ["ana"])
    left = edit(session, "ana", Edit(0, 2, 2), client="left")
    right = edit(session, "ana", Edit(2, 4, 0), client="right")
    session.apply("ana", left)
    assert session.apply("ana", right).labels.tolist()[:4] == [2, 2, 0, 0]


def test_a_window_does_not_overwrite_what_it_has_not_seen(folder):
    session = Session(folder, ["ana"])
    left = edit(session, "ana", Edit(0, 3, 2), client="left")
    right = edit(session, "ana", Edit(2, 4, 0), client="right")
    session.apply("ana", left)
    with pytest.raises(ChangeClashError) as clash:
        session.apply("ana", right)
    assert clash.value.draft.labels.tolist()[:4] == [2, 2, 2, UNLABELED]
    accept = replace(session.change(session.draft("ana", "page-0"), kind="accept"), base=0, client="right")
    with pytest.raises(ChangeClashError):
        session.apply("ana", accept)


def test_two_processes_on_one_draft_do_not_overwrite_each_other(folder):
    one, other = Session(folder, ["ana"]), Session(folder, ["ana"])
    late = edit(other, "ana", Edit(0, 1, 0), client="other")
    one.apply("ana", edit(one, "ana", Edit(0, 1, 2), client="one"))
    with pytest.raises(ChangeClashError):
        other.apply("ana", late)
    assert other.draft("ana", "page-0").labels[0] == 2


def test_a_change_that_reaches_past_the_page_is_refused_and_not_stored(folder):
    session = Session(folder, ["ana"])
    with pytest.raises(LabelError, match="page of 6 lines"):
        session.apply("ana", edit(session, "ana", Edit(0, 7, 2)))
    assert not (folder / "drafts" / "ana.jsonl").exists()


def test_a_change_that_could_not_be_read_again_is_refused_and_not_stored(folder):
    session = Session(folder, ["ana"])
    with pytest.raises(LabelError, match="seconds"):
        session.apply("ana", edit(session, "ana", Edit(0, 1, 2), seconds=90_000.0))
    with pytest.raises(LabelError, match="note"):
        session.apply("ana", edit(session, "ana", Edit(0, 1, 2), note="x" * 10_001))
    assert session.draft("ana", "page-0").version == 0
    assert Session(folder, ["ana"]).draft("ana", "page-0").version == 0


def test_one_step_over_many_runs_can_be_undone_and_outlives_the_session(tmp_path):
    n_lines = 2 * MAX_EDITS + 2
    page = Document(id="long", lines=tuple(f"Line {i}" for i in range(n_lines)))
    write_document_file(tmp_path / "documents" / "pages.jsonl", [page])
    session = Session(tmp_path, ["ana"])
    for first in range(0, n_lines, MAX_EDITS):
        lines = range(first, min(first + MAX_EDITS, n_lines))
        edits = [Edit(i, i + 1, 2 * (i % 2)) for i in lines]
        session.apply("ana", edit(session, "ana", *edits, doc_id="long"))
    before = session.draft("ana", "long").labels
    session.apply("ana", edit(session, "ana", Edit(0, n_lines, 2), doc_id="long"))
    back = undo_edits(session.draft("ana", "long"))
    assert len(back) > MAX_EDITS
    session.apply("ana", edit(session, "ana", *back, doc_id="long", kind="undo"))
    assert np.array_equal(session.draft("ana", "long").labels, before)
    assert np.array_equal(Session(tmp_path, ["ana"]).draft("ana", "long").labels, before)


def test_an_undo_that_covers_a_page_again_and_again_is_refused():
    record = {"id": "undo-1", "doc_id": "long", "text_sha256": "0" * 64, "kind": "undo"}
    whole = edit_record(Edit(0, 10_000, 2))
    assert parse_change(record | {"edits": [whole] * (MAX_EDITS + 900)}).kind == "undo"
    with pytest.raises(LabelError, match="edits of more than 10,000,000 lines"):
        parse_change(record | {"edits": [whole] * (MAX_EDITS + 1_100)})


def test_labels_from_elsewhere_stand_after_the_changes_that_are_older(folder):
    session = Session(folder, ["ana"])
    label_all(session, "ana", GOLD)
    sha = session.draft("ana", "page-0").document.text_sha256
    LabelStore(folder).append(
        Annotation("page-0", sha, "ana", decode_runs("6n"), created_at="2999-01-01T00:00:00+00:00")
    )
    draft = Session(folder, ["ana"]).draft("ana", "page-0")
    assert (draft.status, draft.labels.tolist()) == ("done", [2] * 6)


def test_labels_that_were_not_shown_are_not_accepted(folder):
    suggest(folder, "page-0", "6c")
    session = Session(folder, ["ana"])
    accepts = session.change(session.draft("ana", "page-0"), kind="accept")
    suggest(folder, "page-0", GOLD)  # the same source, again
    session = Session(folder, ["ana"])
    with pytest.raises(ChangeClashError, match="suggested labels are others now"):
        session.apply("ana", accepts)
    session.apply("ana", session.change(session.draft("ana", "page-0"), kind="accept"))
    assert np.array_equal(LabelStore(folder).latest()["page-0", "ana"].annotation.labels, decode_runs(GOLD))


def test_labels_of_another_number_of_lines_are_not_compared(folder):
    session = Session(folder, ["ana", "ben"])
    label_all(session, "ana", GOLD)
    sha = session.draft("ana", "page-0").document.text_sha256
    for runs in ("7n", "1n"):
        LabelStore(folder).append(Annotation("page-0", sha, "ben", decode_runs(runs)))
        assert Session(folder, ["ana", "ben"]).progress("ana").compared_lines == 0


def test_a_bad_change_in_the_log_is_named_and_the_rest_counts(folder):
    session = Session(folder, ["ana"])
    session.apply("ana", edit(session, "ana", Edit(0, 1, 2)))
    with (folder / "drafts" / "ana.jsonl").open("a") as log:
        log.write('{"id": "x", "doc_id": "page-0"}\n')
    rejects = Rejects()
    assert Session(folder, ["ana"], rejects=rejects).draft("ana", "page-0").labels[0] == 2
    assert rejects.items[0].record == "line 2"


# Annotations


def test_accepting_stores_what_was_suggested_and_what_was_changed(folder):
    suggest(folder, "page-0", "2n 4c")
    session = Session(folder, ["ana"])
    session.apply("ana", edit(session, "ana", Edit(4, 5, 1), Edit(5, 6, 3), Edit(3, 4, unsure=True)))
    session.apply("ana", edit(session, "ana", note="A teaser?", seconds=4.0))
    session.apply("ana", edit(session, "ana", kind="accept", seconds=2.0))
    [stored] = LabelStore(folder).records()
    assert stored.annotation.labels.tolist() == decode_runs(GOLD).tolist()
    assert (stored.annotation.notes, stored.annotation.seconds) == ("A teaser?", 6.0)
    assert stored.extra["suggested_by"] == "model-web"
    assert stored.extra["suggested"] == "2n 4c"
    assert stored.extra["changed"] == 2
    assert stored.extra["unsure"] == [3]
    assert load_collection(folder).annotations[0].annotator == "ana"


def test_a_page_with_unlabelled_lines_is_not_accepted(folder):
    session = Session(folder, ["ana"])
    session.apply("ana", edit(session, "ana", Edit(0, 5, 0)))
    with pytest.raises(LabelError, match="the first is line 6"):
        session.apply("ana", edit(session, "ana", kind="accept"))
    assert list(LabelStore(folder).records()) == []


def test_an_accepted_page_opens_as_accepted_with_or_without_its_log(folder):
    suggest(folder, "page-0", GOLD)
    session = Session(folder, ["ana"])
    session.apply("ana", edit(session, "ana", Edit(0, 1, 2)))
    session.apply("ana", edit(session, "ana", kind="accept"))
    for _ in range(2):
        draft = Session(folder, ["ana"]).draft("ana", "page-0")
        assert draft.status == "done"
        assert draft.labels.tolist() == decode_runs(GOLD).tolist()
        shutil.rmtree(folder / "drafts", ignore_errors=True)


def test_work_after_the_log_was_deleted_outlives_the_session(folder, monkeypatch):
    times = (f"2026-01-01T00:00:{second:02}Z" for second in range(60))
    monkeypatch.setattr("boilerplate_ds.labeling.session._now", lambda: next(times))
    session = Session(folder, ["ana"])
    for _ in range(2):
        session.apply("ana", edit(session, "ana", Edit(0, 6, 2)))
    session.apply("ana", edit(session, "ana", kind="accept"))
    shutil.rmtree(folder / "drafts")
    session = Session(folder, ["ana"])
    for line in range(2):  # as many changes as were accepted
        session.apply("ana", edit(session, "ana", Edit(line, line + 1, 1)))
    draft = Session(folder, ["ana"]).draft("ana", "page-0")
    assert (draft.status, draft.labels.tolist()) == ("changed", [1, 1, 2, 2, 2, 2])


def test_work_after_accepting_shows_until_it_is_accepted(folder):
    session = Session(folder, ["ana"])
    label_all(session, "ana", GOLD)
    session.apply("ana", edit(session, "ana", Edit(0, 1, 0)))
    assert Session(folder, ["ana"]).draft("ana", "page-0").status == "changed"
    session.apply("ana", edit(session, "ana", kind="accept"))
    assert [s.annotation.labels[0] for s in LabelStore(folder).records()] == [2, 0]


def test_suggestions_are_made_where_there_are_none_and_kept(folder):
    made = []

    def model(document: Document) -> Suggestion:
        made.append(document.id)
        scores = np.array([0.9, 0.5, 1, 1, 1, 1], np.float32)
        return Suggestion(document.id, document.text_sha256, "model-web", decode_runs("2n 4c"), scores)

    draft = Session(folder, ["ana"], suggest=model).draft("ana", "page-0")
    assert draft.current.tolist() == [2, 2, 0, 0, 0, 0]
    assert draft.labels.tolist() == [UNLABELED] * 6
    assert np.flatnonzero(draft.uncertain).tolist() == [1]
    Session(folder, ["ana"], suggest=model).draft("ana", "page-0")
    assert made == ["page-0"]


def test_a_suggestion_that_cannot_be_stored_is_shown_all_the_same(folder):
    def model(document: Document) -> Suggestion:
        return Suggestion(document.id, document.text_sha256, "m", decode_runs("6c"), np.ones(6, np.float32))

    (folder / "suggestions").touch()  # where its folder should be
    session = Session(folder, ["ana"], suggest=model)
    assert session.draft("ana", "page-0").current.tolist() == [0] * 6
    session.apply("ana", edit(session, "ana", kind="accept"))
    assert len(list(LabelStore(folder).records())) == 1


# The queue


def test_shares_cover_every_page_and_the_overlap_is_labelled_twice():
    ids = [f"page-{i}" for i in range(50)]
    shares = assign(ids, ["ana", "ben", "eva"], 0.2)
    counts = [sum(i in share for share in shares.values()) for i in ids]
    assert (min(counts), counts.count(2), max(counts)) == (1, 10, 2)
    assert max(map(len, shares.values())) - min(map(len, shares.values())) <= 1
    assert shares == assign(ids, ["ana", "ben", "eva"], 0.2)


def test_who_has_begun_a_page_keeps_it_when_pages_are_added():
    holders = {"page-3": ["ben"]}
    for n in (4, 40):
        shares = assign([f"page-{i}" for i in range(n)], ["ana", "ben"], 0.0, holders)
        assert "page-3" in shares["ben"]
        assert "page-3" not in shares["ana"]


def test_skipped_pages_come_last(folder):
    session = Session(folder, ["ana"])
    assert session.next("ana") == "page-0"
    session.apply("ana", edit(session, "ana", skipped=True))
    assert session.next("ana", "page-0") == "page-1"
    for i in range(1, PAGES):
        label_all(session, "ana", GOLD, f"page-{i}")
    assert session.next("ana", "page-9") == "page-0"
    label_all(session, "ana", GOLD)
    assert session.next("ana", "page-0") is None


def test_a_queue_file_gives_pages_order_and_lines_to_look_at(folder):
    rejects = Rejects()
    queue = [QueueItem("page-7", "uncertain", 0.9, (4,)), QueueItem("gone"), QueueItem("page-2")]
    session = Session(folder, ["ana"], queue=queue, rejects=rejects)
    assert session.queue("ana") == ["page-7", "page-2"]
    assert session.draft("ana", "page-7").look == (4,)
    assert "'gone' is not in" in rejects.items[0].reason


def test_progress_counts_pages_lines_speed_labels_and_agreement(folder):
    session = Session(folder, ["ana", "ben"], overlap=1.0)
    label_all(session, "ana", GOLD)
    label_all(session, "ben", "3n 1c 1a 1r")
    progress = session.progress("ana")
    assert (progress.pages, progress.pages_done, progress.lines_done) == (PAGES, 1, 6)
    assert progress.lines_a_minute == 60.0
    assert progress.labels == {"content": 2, "ad": 1, "navigation": 2, "recommendation": 1}
    assert progress.agreement == pytest.approx(5 / 6)
    assert progress.kappa == pytest.approx(10 / 13)


# Adjudication


def test_adjudication_settles_the_lines_that_annotators_disagree_on(folder):
    team = Session(folder, ["ana", "ben"], overlap=1.0)
    label_all(team, "ana", GOLD)
    label_all(team, "ben", "3n 1c 1a 1r")
    label_all(team, "ana", GOLD, "page-1")
    label_all(team, "ben", GOLD, "page-1")
    judge = Session(folder, ["eva"], adjudicate=True)
    assert judge.queue("eva") == ["page-0"]
    draft = judge.draft("eva", "page-0")
    assert (draft.look, draft.labels.tolist()) == ((2,), [2, 2, UNLABELED, 0, 1, 3])
    assert {name: int(votes[2]) for name, votes in draft.votes.items()} == {"ana": 0, "ben": 2}
    judge.apply("eva", edit(judge, "eva", Edit(2, 3, 0)))
    judge.apply("eva", edit(judge, "eva", kind="accept"))
    stored = [s for s in LabelStore(folder).records() if s.annotation.annotator == "adjudicated"]
    assert stored[0].annotation.labels.tolist() == decode_runs(GOLD).tolist()
    assert stored[0].extra["decided_by"] == "eva"
    assert stored[0].extra["decided_lines"] == [2]
    assert set(stored[0].extra["between"]) == {"ana", "ben"}


def test_a_review_queue_reopens_lines_that_annotators_agreed_on(folder):
    label_all(Session(folder, ["ana"]), "ana", GOLD)
    judge = Session(folder, ["eva"], queue=[QueueItem("page-0", lines=(5,))], adjudicate=True)
    assert judge.queue("eva") == ["page-0"]
    assert judge.draft("eva", "page-0").open_lines.tolist() == [5]


def test_a_later_queue_reopens_what_was_decided_and_the_same_one_does_not(folder):
    label_all(Session(folder, ["ana"]), "ana", GOLD)

    def judge(*lines: int) -> Session:
        return Session(folder, ["eva"], queue=[QueueItem("page-0", lines=lines)], adjudicate=True)

    def settle(session: Session, *lines: int) -> None:
        session.apply("eva", edit(session, "eva", *(Edit(i, i + 1, 1) for i in lines)))
        session.apply("eva", edit(session, "eva", kind="accept"))
        assert session.next("eva") is None

    settle(judge(2, 5), 2, 5)
    assert judge(2, 5).next("eva") is None
    second = judge(5, 3)
    draft = second.draft("eva", "page-0")
    assert (second.next("eva"), draft.status, draft.open_lines.tolist()) == ("page-0", "started", [3, 5])
    assert {name: int(votes[5]) for name, votes in draft.votes.items()} == {"ana": 3, "adjudicated": 1}
    second.apply("eva", edit(second, "eva", Edit(3, 4, 2)))
    settle(judge(5, 3), 5)  # begun again halfway
    for lines in ((2, 5), (5, 3)):
        assert judge(*lines).draft("eva", "page-0").status == "done"
    stored = LabelStore(folder).latest()["page-0", "adjudicated"]
    assert stored.annotation.labels.tolist() == [2, 2, 1, 2, 1, 1]
    assert stored.extra["decided_lines"] == [3, 5]


def test_a_queue_may_name_a_page_with_nothing_but_a_decision(folder):
    sha = Session(folder, ["eva"]).documents["page-0"].text_sha256
    LabelStore(folder).append(Annotation("page-0", sha, "adjudicated", decode_runs(GOLD)))
    judge = Session(folder, ["eva"], queue=[QueueItem("page-0", lines=(5,))], adjudicate=True)
    assert (judge.next("eva"), judge.draft("eva", "page-0").open_lines.tolist()) == ("page-0", [5])
    assert Session(folder, ["eva"], adjudicate=True).queue("eva") == []


def test_a_record_of_a_queue_without_lines_has_the_whole_page_settled(folder):
    label_all(Session(folder, ["ana"]), "ana", GOLD)
    judge = Session(folder, ["eva"], queue=[QueueItem("page-0"), QueueItem("page-1")], adjudicate=True)
    assert judge.queue("eva") == ["page-0"]
    assert judge.draft("eva", "page-0").look == tuple(range(6))


def test_nobody_may_take_the_name_of_decisions(folder):
    with pytest.raises(LabelError, match="nobody may be called adjudicated"):
        Session(folder, ["Adjudicated"])
