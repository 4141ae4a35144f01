"""Queue files: what is written is read, in order; bad records are named and the rest goes on."""

from __future__ import annotations

import pytest

from boilerplate_ds.errors import LabelError, Rejects
from boilerplate_ds.labeling.queue import QueueItem, encode_queue, read_queue

ITEMS = [QueueItem("b", "uncertain", 0.75, (4, 0)), QueueItem("ä", "random", -2.0), QueueItem("c")]


def test_a_queue_reads_back_in_its_order(tmp_path):
    path = tmp_path / "queue.jsonl"
    path.write_bytes(encode_queue(ITEMS))
    assert read_queue(path) == ITEMS


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("{}", "doc_id"),
        ('{"doc_id": 3}', "doc_id"),
        ('{"doc_id": "x", "reason": 3}', "reason is int"),
        ('{"doc_id": "x", "score": NaN}', "score"),
        ('{"doc_id": "x", "score": true}', "score"),
        (f'{{"doc_id": "x", "score": 1{"0" * 400}}}', "score"),
        ('{"doc_id": "x", "lines": [-1]}', "lines"),
        ('{"doc_id": "x", "lines": [true]}', "lines"),
        ('{"doc_id": "x", "lines": "all"}', "lines"),
        ('{"doc_id": "b"}', "already"),
        ("[]", "not a JSON object"),
    ],
)
def test_bad_records_are_named_and_the_rest_is_read(tmp_path, record, reason):
    path = tmp_path / "queue.jsonl"
    path.write_bytes(encode_queue(ITEMS))
    with path.open("a") as file:
        file.write(record + "\n")
    rejects = Rejects()
    assert read_queue(path, rejects) == ITEMS
    assert rejects.items[0].record == "line 4"
    assert reason in rejects.items[0].reason
    with pytest.raises(LabelError, match="line 4"):
        read_queue(path)


def test_a_bad_item_is_not_written():
    with pytest.raises(LabelError):
        encode_queue([QueueItem("a"), QueueItem("b", score=float("nan"))])
