"""The label store: what was acknowledged is there, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boilerplate_ds.document import Annotation, sha256_of_lines
from boilerplate_ds.errors import LabelError, Rejects
from boilerplate_ds.labeling.store import LabelStore

if TYPE_CHECKING:
    from pathlib import Path

LABELS = np.array([2, 2, 0, 1], dtype=np.int8)
HASH = sha256_of_lines(["menu", "menu", "text", "ad"])
TEXT = st.text(st.characters(exclude_categories=()).filter(lambda c: not "\udc00" <= c <= "\udfff"))


def annotation(doc_id: str = "d1", annotator: str = "anna", **fields: Any) -> Annotation:
    return Annotation(doc_id, HASH, annotator, **{"labels": LABELS, **fields})


def fields_of(item: Annotation) -> tuple[Any, ...]:
    return (item.doc_id, item.annotator, item.labels.tolist(), item.guidelines, item.seconds, item.notes)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(
            annotation,
            doc_id=TEXT.filter(bool),
            annotator=st.sampled_from(["anna", "Ben-2", "c.d@example"]),
            labels=st.lists(st.integers(0, 3), max_size=9).map(lambda ids: np.array(ids, dtype=np.int8)),
            guidelines=TEXT,
            seconds=st.none() | st.floats(0, 1e6),
            notes=TEXT,
        ),
        max_size=6,
    )
)
def test_what_is_appended_is_read_back(annotations: list[Annotation]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = LabelStore(folder)
        for item in annotations:
            store.append(item)
        by_annotator = sorted(annotations, key=lambda item: f"{item.annotator}.jsonl")
        assert [fields_of(item) for item in store.annotations()] == [fields_of(item) for item in by_annotator]


def test_a_record_reads_well_in_a_diff(tmp_path: Path) -> None:
    store = LabelStore(tmp_path)
    store.append(annotation(created_at="2026-01-02T03:04:05Z", seconds=12.5), {"site": "harbour.example"})
    line = (tmp_path / "annotations" / "anna.jsonl").read_text("utf-8")
    assert json.loads(line) == {
        "doc_id": "d1",
        "annotator": "anna",
        "labels": "2n 1c 1a",
        "text_sha256": HASH,
        "created_at": "2026-01-02T03:04:05Z",
        "seconds": 12.5,
        "site": "harbour.example",
    }
    assert [stored.extra for stored in store.records()] == [{"site": "harbour.example"}]


def test_an_annotation_gets_the_time_it_was_stored(tmp_path: Path) -> None:
    assert LabelStore(tmp_path).append(annotation()).created_at.endswith("Z")


def test_the_last_annotation_counts_and_the_history_stays(tmp_path: Path) -> None:
    store = LabelStore(tmp_path)
    for notes in ("first", "second"):
        store.append(annotation(notes=notes))
    store.append(annotation(annotator="ben", notes="other"))
    assert [item.notes for item in store.annotations()] == ["first", "second", "other"]
    latest = store.latest()
    assert {key: stored.annotation.notes for key, stored in latest.items()} == {
        ("d1", "anna"): "second",
        ("d1", "ben"): "other",
    }
    assert latest["d1", "anna"].line == 2


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../evil", "a/b", "a\\b", ".hidden", "a.", "a b", "ü", "x" * 65, "a\n"]
)
def test_an_annotator_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LabelError, match="not usable"):
        LabelStore(tmp_path).append(annotation(annotator=name))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "fields",
    [
        {"labels": np.array([0, 4])},
        {"labels": np.array([-1, 0])},
        {"labels": np.array([0.5])},
        {"labels": np.zeros((2, 2), dtype=np.int8)},
        {"seconds": float("nan")},
        {"seconds": -1.0},
        {"doc_id": ""},
        {"notes": "\ud83d\ude00"},
    ],
)
def test_an_invalid_annotation_is_refused_before_anything_is_written(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    with pytest.raises(LabelError):
        LabelStore(tmp_path).append(replace(annotation(), **fields))
    assert not list(tmp_path.iterdir())


def test_extra_fields_may_not_hide_the_annotations_own(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="labels"):
        LabelStore(tmp_path).append(annotation(), {"labels": "9c"})


GOOD = {"doc_id": "d", "annotator": "anna", "labels": "1c", "text_sha256": HASH}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"labels": "1c 2x"}, "label runs break"),
        ({"labels": "999999999c"}, "the limit is"),
        ({"labels": [0, 1]}, "labels is list, not a string"),
        ({"labels": None}, "labels is NoneType"),
        ({"doc_id": 7}, "doc_id is int"),
        ({"doc_id": ""}, "doc_id is empty"),
        ({"text_sha256": "abc"}, "64 lower-case"),
        ({"annotator": "ben"}, "one file holds one annotator"),
        ({"annotator": "../ben"}, "not usable"),
        ({"seconds": True}, "seconds is True"),
        ({"seconds": 10**400}, "seconds is"),
        ({"notes": 1}, "notes is int"),
    ],
)
def test_a_bad_record_is_rejected_and_its_neighbours_are_read(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    path = tmp_path / "annotations" / "anna.jsonl"
    path.parent.mkdir()
    path.write_text("".join(json.dumps(record) + "\n" for record in (GOOD, GOOD | change, GOOD)))
    rejects = Rejects()
    assert len(list(LabelStore(tmp_path).annotations(rejects))) == 2
    (item,) = rejects.items
    assert (item.file, item.record) == (str(path), "line 2")
    assert reason in item.reason
    with pytest.raises(LabelError, match=r"anna\.jsonl, line 2"):
        list(LabelStore(tmp_path).annotations())


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    path = tmp_path / "annotations" / "anna.jsonl"
    path.parent.mkdir()
    path.write_text('{"doc_id": "d"}\n')
    with pytest.raises(LabelError, match="lacks annotator, labels, text_sha256"):
        list(LabelStore(tmp_path).annotations())


def test_a_write_torn_at_any_byte_loses_nothing_acknowledged(tmp_path: Path) -> None:
    store = LabelStore(tmp_path)
    path = store.path_of("anna")
    store.append(annotation("first"))
    before = path.stat().st_size
    store.append(annotation("second é\ud800", notes="\u2028"))
    whole = path.read_bytes()
    for cut in range(before, len(whole)):
        torn_file = path.with_name("anna.jsonl.torn")
        torn_file.unlink(missing_ok=True)
        path.write_bytes(whole[:cut])
        store.append(annotation("third"))
        ids = [item.doc_id for item in store.annotations()]
        if cut in (before, len(whole) - 1):  # nothing torn; only the newline torn off
            assert not torn_file.exists()
            assert ids == ["first", "third"] if cut == before else ["first", "second é\ud800", "third"]
        else:
            assert ids == ["first", "third"]
            assert torn_file.read_bytes() == whole[before:cut] + b"\n"


def test_writers_at_the_same_time_do_not_mix_their_lines(tmp_path: Path) -> None:
    ids = [f"d{number}" for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda doc_id: LabelStore(tmp_path).append(annotation(doc_id, notes="x" * 9000)), ids))
    assert sorted(item.doc_id for item in LabelStore(tmp_path).annotations()) == sorted(ids)


APPEND_FOREVER = """
import sys
import numpy as np
from boilerplate_ds.document import Annotation
from boilerplate_ds.labeling.store import LabelStore
store = LabelStore(sys.argv[1])
for number in range(1_000_000):
    doc_id = f"{sys.argv[2]}-{number}"
    store.append(Annotation(doc_id, "0" * 64, "anna", np.zeros(3, dtype=np.int8), notes="x" * 20_000))
    print(doc_id, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_what_was_acknowledged_before_kill_9_is_on_disk(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    for run in range(4):
        command = [sys.executable, "-c", APPEND_FOREVER, str(tmp_path), f"run{run}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            acknowledged += [process.stdout.readline().strip() for _ in range(5 + 7 * run)]
            os.kill(process.pid, signal.SIGKILL)
            acknowledged += process.stdout.read().split()
    stored = [item.doc_id for item in LabelStore(tmp_path).annotations(Rejects())]
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))
    LabelStore(tmp_path).append(annotation("after"))
    assert [item.doc_id for item in LabelStore(tmp_path).annotations()][-1] == "after"
