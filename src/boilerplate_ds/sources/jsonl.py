"""JSON Lines: one record a line."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from typing import TYPE_CHECKING

from boilerplate_ds.errors import Reject, SourceError
from boilerplate_ds.sources.records import read_record
from boilerplate_ds.sources.stream import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boilerplate_ds.sources.page import Page
    from boilerplate_ds.sources.stream import PageFile


def read_jsonl(file: PageFile) -> Iterator[Page | Reject]:
    """Read JSON Lines; blank lines are passed over. A record's number is that of its line."""
    for number, line in enumerate(file.stream.bounded_lines(MAX_RECORD_BYTES), start=1):
        if line is None or line.strip():
            yield read_record(_parse(line, number), file, "line", number)


def _parse(line: bytes | None, number: int) -> dict[str, object] | SourceError:
    if line is None:
        return SourceError(f"longer than {MAX_RECORD_BYTES:,} bytes")
    try:
        value = json.loads((line if number > 1 else line.removeprefix(BOM_UTF8)).decode("utf-8").strip())
    except UnicodeDecodeError as error:
        return SourceError(f"not UTF-8 at byte {error.start}")
    except json.JSONDecodeError as error:
        return SourceError(f"not JSON: {error.msg} (character {error.colno})")
    except ValueError as error:  # a number of more digits than Python reads
        return SourceError(f"not JSON: {error}")
    except RecursionError:
        return SourceError("JSON nested too deeply")
    return as_object(value)


def as_object(value: object) -> dict[str, object] | SourceError:
    """Give a JSON value as a record if it is one; what is an error already stays one."""
    if isinstance(value, dict | SourceError):
        return value
    kind = "null" if value is None else f"a JSON {type(value).__name__}"
    return SourceError(f"{kind}, not an object with fields")
