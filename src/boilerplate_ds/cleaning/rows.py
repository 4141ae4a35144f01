"""Cleaned documents as rows: the fields of the record they came from, with the text replaced."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from ctypes import c_float
from datetime import date, time
from math import isnan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from boilerplate_ds.document import Document
    from boilerplate_ds.sources.page import Page

OTHER_FIELDS = "other_fields"
"""Parquet column for fields that do not fit the schema, as JSON: nothing is lost."""
_MOST_EXACT_FLOAT = 2**53
_SURROGATE = re.compile("[\ud800-\udfff]")


def row_of(page: Page, document: Document, text: str) -> dict[str, Any]:
    """Put the cleaned text in the place of the page's own.

    A record keeps its fields. A list of lines stays a list; a field of HTML makes way for ``text``.
    A page that was no record (text, HTML, WARC) gets ``id url site language text`` and its metadata.
    """
    if page.original is None:
        named = ("id", "url", "site", "language")
        return {name: getattr(document, name) for name in named} | {"text": text} | dict(document.metadata)
    if page.is_html:
        return {name: value for name, value in page.original.items() if name != page.column} | {"text": text}
    was_lines = isinstance(page.original[page.column], list)
    return {
        **page.original,
        page.column: text.split("\n") if was_lines and text else [] if was_lines else text,
    }


def json_row(row: Mapping[str, Any]) -> bytes:
    """Write a row as one line of JSON; dates as ISO 8601, NaN and infinities as null.

    Bytes become text if they are UTF-8, else Base64.
    """
    try:
        line = json.dumps(row, ensure_ascii=False, allow_nan=False, default=_plain)
    except ValueError:
        line = json.dumps(_without_nan(row), ensure_ascii=False, default=_plain)
    return (line + "\n").encode("utf-8", "backslashreplace")  # JSON can escape half a character; UTF-8 cannot


def _plain(value: object) -> object:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return b64encode(value).decode()
    return str(value)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and value - value != 0 else value


def schema_of(rows: Sequence[Mapping[str, Any]], known: Mapping[str, pa.DataType] | None = None) -> pa.Schema:
    """Tell the Parquet schema from sample rows, but for fields whose ``known`` type holds their values.

    A field whose values have no common type, or are all null, becomes a string column; values that do not fit
    it go to :data:`OTHER_FIELDS`, as do fields whose name is not UTF-8.
    """
    import pyarrow as pa

    names = dict.fromkeys(
        name for row in rows for name in row if name != OTHER_FIELDS and not _SURROGATE.search(name)
    )
    known = known or {}
    fields = []
    for name in names:
        values = [row.get(name) for row in rows]
        stated = known.get(name)
        holds = stated is not None and _is_kept(stated) and all(fits(value, stated) for value in values)
        fields.append(pa.field(name, stated if holds else _common_type(values)))
    return pa.schema([*fields, pa.field(OTHER_FIELDS, pa.string())])


def _common_type(values: Sequence[Any]) -> pa.DataType:
    import pyarrow as pa

    try:
        kind = pa.array([_utf8(value) for value in values]).type
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.string()
    return kind if _is_storable(kind) and all(fits(value, kind) for value in values) else pa.string()


def _is_storable(kind: pa.DataType) -> bool:
    """Whether Parquet can hold the type, and a later value would fit it: no null type, no empty struct."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.num_fields > 0 and all(_is_storable(field.type) for field in kind)
    if pa.types.is_list(kind):
        return _is_storable(kind.value_type)
    return not pa.types.is_null(kind)


def _is_kept(kind: pa.DataType) -> bool:
    """Whether values of the type are the same once they have been Python's, whatever they are."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.num_fields > 0 and all(_is_kept(field.type) for field in kind)
    if pa.types.is_map(kind):
        return _is_kept(kind.key_type) and _is_kept(kind.item_type)
    if _is_list(kind):
        return _is_kept(kind.value_type)
    kept = (
        pa.types.is_integer,
        pa.types.is_boolean,
        pa.types.is_float32,
        pa.types.is_float64,
        pa.types.is_string,
        pa.types.is_binary,
        pa.types.is_decimal,
        pa.types.is_date32,
    )
    return any(is_of(kind) for is_of in kept)


def _is_list(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def record_batch(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Put rows under a schema; what does not fit it goes to :data:`OTHER_FIELDS`, as JSON.

    Parquet text is UTF-8: half a surrogate pair becomes U+FFFD.
    """
    import pyarrow as pa

    left: list[dict[str, Any]] = [
        {name: value for name, value in row.items() if name not in schema.names or name == OTHER_FIELDS}
        for row in rows
    ]
    arrays = []
    for field in schema:
        if field.name == OTHER_FIELDS:
            continue
        values = []
        for row, rest in zip(rows, left, strict=True):
            value = row.get(field.name)
            if fits(value, field.type):
                values.append(value)
            else:
                rest[field.name] = value
                values.append(None)
        arrays.append(_array(values, field.type))
    other = [json_row(rest).decode("utf-8", "replace").rstrip("\n") if rest else None for rest in left]
    return pa.record_batch([*arrays, pa.array(other, type=pa.string())], schema=schema)


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array(values, type=kind)
    except UnicodeEncodeError:
        return pa.array([_utf8(value) for value in values], type=kind)


def _utf8(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_utf8(key): _utf8(item) for key, item in value.items()}
    return [_utf8(item) for item in value] if isinstance(value, list) else value


def fits(value: Any, kind: pa.DataType) -> bool:
    """Whether a value can go into a column without losing anything; Arrow alone would cut 1.5 down to 1."""
    import pyarrow as pa

    if value is None:
        return True
    if pa.types.is_struct(kind):
        inner = {field.name: field.type for field in kind}
        return isinstance(value, dict) and all(k in inner and fits(v, inner[k]) for k, v in value.items())
    if pa.types.is_map(kind):
        return isinstance(value, list) and all(
            isinstance(pair, tuple)
            and len(pair) == 2
            and pair[0] is not None
            and fits(pair[0], kind.key_type)
            and fits(pair[1], kind.item_type)
            for pair in value
        )
    if _is_list(kind):
        n_items = kind.list_size if pa.types.is_fixed_size_list(kind) else None
        return (
            isinstance(value, list)
            and n_items in (None, len(value))
            and all(fits(item, kind.value_type) for item in value)
        )
    return _fits_scalar(value, kind)


def _fits_scalar(value: Any, kind: pa.DataType) -> bool:
    import pyarrow as pa

    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if pa.types.is_string(kind):
        return isinstance(value, str)
    if pa.types.is_integer(kind):
        unsigned = pa.types.is_unsigned_integer(kind)
        bits = kind.bit_width - (not unsigned)
        return is_whole and (0 if unsigned else -(1 << bits)) <= value < 1 << bits
    if pa.types.is_floating(kind):
        is_number = isinstance(value, float) or (is_whole and abs(value) <= _MOST_EXACT_FLOAT)
        is_short = pa.types.is_float32(kind)
        return is_number and (not is_short or isnan(value) or c_float(value).value == value)
    try:
        return bool(pa.scalar(value, type=kind).as_py() == value)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return False
