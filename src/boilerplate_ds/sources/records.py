"""A record with named fields (a JSON object, a table row) as a page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from boilerplate_ds.errors import Reject, SourceError
from boilerplate_ds.sources.encoding import decode_text
from boilerplate_ds.sources.page import Page
from boilerplate_ds.sources.site import normal_site, site_of
from boilerplate_ds.sources.stream import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from boilerplate_ds.sources.stream import PageFile

Record = Mapping[str, Any]

TEXT_COLUMNS = (
    "text",
    "content",
    "raw_content",
    "main_text",
    "body",
    "markdown",
    "md",
    "raw_text",
    "plain_text",
    "text_content",
    "page_content",
    "lines",
    "html",
    "raw_html",
    "html_content",
    "page_html",
)
"""Fields that may hold the text, the likeliest first; capitals do not matter."""
ID_COLUMNS = ("id", "doc_id", "document_id", "record_id", "warc_record_id", "uuid", "_id")
URL_COLUMNS = ("url", "source_url", "page_url", "target_uri", "uri", "link")
SITE_COLUMNS = ("site", "domain", "host", "hostname", "website")
LANGUAGE_COLUMNS = ("language", "lang", "language_code")
_NESTED = ("metadata", "meta")
_MOST_NAMED = 30
MAX_NESTING = 100
"""Lists and objects in each other; deeper ones can be read but neither sent to a process nor written."""


def page_from_record(record: Record, file: PageFile, where: str, number: int) -> Page:
    """Turn a record into a page.

    Fields of an object named ``metadata`` or ``meta`` are read as if they stood beside it.

    Parameters
    ----------
    record : mapping
        Field names to values.
    file : PageFile
    where : str
        What records are called in this format: ``"line"``, ``"row"``.
    number : int
        The record's place in the file, from 1; its id if it has none of its own.

    Raises
    ------
    SourceError
        If the record has no text, its text is not text, or its fields are nested too deeply.
    """
    _check_nesting(record)
    column = _text_column(record, file.text_column)
    value = record[column]
    rest = _flattened(record)
    rest.pop(column, None)
    fields: dict[str, Any] = {
        "id": _take(rest, ID_COLUMNS) or f"{file.name}#{number}",
        "url": (url := _take(rest, URL_COLUMNS)),
        "site": normal_site(_take(rest, SITE_COLUMNS)) or site_of(url),
        "language": _take(rest, LANGUAGE_COLUMNS),
        "source": file.path,
        "metadata": rest,
    }
    is_html = "html" in column.lower() and isinstance(value, str | bytes)
    return Page(
        content=value if is_html else _text_of(value, column),
        fields=fields,
        file=file.path,
        record=f"{where} {number}",
        is_html=is_html,
        original=record,
        column=column,
    )


def read_record(record: Record | SourceError, file: PageFile, where: str, number: int) -> Page | Reject:
    """Turn record ``number`` into a page, or into a reject if that fails or it is an error already."""
    try:
        if isinstance(record, SourceError):
            raise record
        return page_from_record(record, file, where, number)
    except SourceError as error:
        return file.reject(f"{where} {number}", str(error))


def check_text_column(columns: Collection[str], wanted: str | None) -> None:
    """Refuse a table none of whose columns can hold the text.

    Raises
    ------
    SourceError
        The message lists the columns.
    """
    if not has_text_column(columns, wanted):
        named = ", ".join(repr(name[:60]) for name in list(columns)[:_MOST_NAMED])
        more = f" and {len(columns) - _MOST_NAMED} more" if len(columns) > _MOST_NAMED else ""
        what = f"no column {wanted!r}" if wanted else "no text column found"
        columns_named = f"the columns are {named or 'none'}{more}"
        raise SourceError(f"{what}; {columns_named}. Name the one with the text: text_column=, --text-column")


def with_one_name_each(names: Collection[str]) -> list[str]:
    """Tell columns of one name apart: the second ``name`` is called ``name_2``."""
    told: dict[str, None] = {}
    last = dict.fromkeys(names, 1)
    for name in names:
        own = name
        while own in told:
            last[name] += 1
            own = f"{name}_{last[name]}"
        told[own] = None
    return list(told)


def has_text_column(columns: Collection[str], wanted: str | None) -> bool:
    """Whether one of the columns can hold the text."""
    return bool(_candidates(columns, wanted))


def _check_nesting(record: Record) -> None:
    level, depth = _nested_in(record.values()), 1
    while level:
        if depth > MAX_NESTING:
            raise SourceError(f"fields nested more than {MAX_NESTING} deep")
        level = [inner for value in level for inner in _nested_in(_items(value))]
        depth += 1


def _nested_in(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, Mapping | list)]


def _items(value: Mapping[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, Mapping) else value


def _text_column(record: Record, wanted: str | None) -> str:
    """Choose the first field that may hold the text and is neither null nor empty, if there is one."""
    candidates = _candidates(record, wanted)
    if not candidates:
        check_text_column(record, wanted)
    given = [name for name in candidates if record[name] is not None]
    filled = [name for name in given if record[name] or not isinstance(record[name], str | bytes | list)]
    return (filled or given or candidates)[0]


def _candidates(columns: Collection[str], wanted: str | None) -> list[str]:
    if wanted is not None:
        return [wanted] if wanted in columns else []
    by_lower = {name.lower(): name for name in columns if isinstance(name, str)}
    return [by_lower[name] for name in TEXT_COLUMNS if name in by_lower]


def _flattened(record: Record) -> dict[str, Any]:
    fields = dict(record)
    for name in _NESTED:
        if isinstance(nested := fields.get(name), Mapping):
            fields = {**nested, **fields}
            del fields[name]
    return fields


def _text_of(value: Any, column: str) -> str:
    is_lines = isinstance(value, list) and all(isinstance(line, str) for line in value)
    if is_lines or isinstance(value, str | bytes):
        size = len(value) + (sum(map(len, value)) if is_lines else 0)
        if size > MAX_RECORD_BYTES:
            raise SourceError(f"a text of {size:,} characters; the limit is {MAX_RECORD_BYTES:,}")
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return decode_text(value)[0]
    if is_lines:
        return "\n".join(value)
    if value is None:
        raise SourceError(f"the text ({column!r}) is null")
    raise SourceError(
        f"the text ({column!r}) is not a string or a list of strings, but {type(value).__name__}"
    )


def _take(fields: dict[str, Any], names: tuple[str, ...]) -> str:
    """Remove the first of the fields that has a usable value, and give it as a string."""
    for name in names:
        value = fields.get(name)
        if (isinstance(value, str) and value) or (isinstance(value, int) and not isinstance(value, bool)):
            return str(fields.pop(name)).strip()
    return ""
