"""Rows keep every field: in JSON as it is, in Parquet under one schema, with nothing bent to fit."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime, timezone

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boilerplate_ds.cleaning.rows import OTHER_FIELDS, fits, json_row, record_batch, schema_of

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(st.sampled_from("abcd"), VALUES), min_size=1, max_size=6)


@given(sample=ROWS, rows=ROWS)
@settings(max_examples=60, deadline=None)
def test_any_rows_go_under_any_schema_and_nothing_is_lost(sample, rows):
    schema = schema_of(sample)
    batch = record_batch(rows, schema)
    assert batch.schema == schema
    for row, written in zip(rows, batch.to_pylist(), strict=True):
        other = json.loads(written.pop(OTHER_FIELDS) or "{}")
        for name, value in row.items():
            if value is not None and name not in other:
                assert _plain(written[name], value)


def _plain(written, value) -> bool:
    """Whether a written value is the given one; keys that others have are null in a struct."""
    if isinstance(value, dict):
        return all(_plain(written[key], item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_plain, written, value)) and len(written) == len(value)
    return written == value or "\ufffd" in str(written)


@pytest.mark.parametrize(
    ("value", "kind", "is_fit"),
    [
        (1.5, pa.int64(), False),  # Arrow would make it 1
        (True, pa.int64(), False),
        (2**53 + 1, pa.float64(), False),
        (2, pa.float64(), True),
        (b"x", pa.string(), False),
        ({"a": 1, "b": 2}, pa.struct({"a": pa.int64()}), False),  # Arrow would lose b
        ([1, "x"], pa.list_(pa.int64()), False),
        (datetime(2024, 1, 1, tzinfo=timezone.utc), pa.timestamp("us", "UTC"), True),
        (2**70, pa.int64(), False),
        (2**63, pa.uint64(), True),
        (-1, pa.uint64(), False),
        (200, pa.int8(), False),
        (None, pa.int64(), True),
        (0.1, pa.float32(), False),
        (0.5, pa.float32(), True),
        (float("nan"), pa.float32(), True),
        ([1.0, 2.0], pa.list_(pa.float32(), 2), True),
        ([1.0], pa.list_(pa.float32(), 2), False),
        ([("a", 1)], pa.map_(pa.string(), pa.int64()), True),
        ([("a", "1")], pa.map_(pa.string(), pa.int64()), False),
        ([["a", 1]], pa.map_(pa.string(), pa.int64()), False),
    ],
)
def test_a_value_fits_a_column_only_if_it_stays_itself(value, kind, is_fit):
    assert fits(value, kind) is is_fit


def test_json_rows_are_json_for_every_reader():
    row = {
        "half": "\ud800",
        "date": datetime(2024, 1, 1, tzinfo=timezone.utc),
        "bytes": b"x",
        "picture": b"\x89PNG\xff",
        "nan": [float("nan")],
    }
    line = json_row(row)
    assert json.loads(line.decode("utf-8"), parse_constant=pytest.fail) == {
        "half": "\ud800",
        "date": "2024-01-01T00:00:00+00:00",
        "bytes": "x",
        "picture": b64encode(b"\x89PNG\xff").decode(),
        "nan": [None],
    }
    assert line.count(b"\n") == 1


def test_a_field_whose_name_is_not_utf_8_goes_with_the_others():
    rows = [{"text": "a", "\ud800": 1}]
    (row,) = record_batch(rows, schema_of(rows)).to_pylist()
    assert (row["text"], json.loads(row[OTHER_FIELDS])) == ("a", {"\ud800": 1})


def test_half_a_character_does_not_stop_parquet():
    rows = [{"text": "a\ud800"}, {"text": "b"}]
    assert record_batch(rows, schema_of(rows))["text"].to_pylist() == ["a\ufffd", "b"]
