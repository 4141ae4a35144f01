"""JSON that is not JSON Lines: an array of records, or records (one is enough) over several lines."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING

from boilerplate_ds.errors import Reject, SourceError
from boilerplate_ds.sources.encoding import encoding_of_bom
from boilerplate_ds.sources.jsonl import as_object
from boilerplate_ds.sources.records import read_record
from boilerplate_ds.sources.stream import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boilerplate_ds.sources.page import Page
    from boilerplate_ds.sources.stream import PageFile, PageStream

_CHUNK = 64 * 2**10
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
"""What a byte that is not UTF-8 was decoded to."""


def read_json(file: PageFile) -> Iterator[Page | Reject]:
    """Read the objects of a JSON file one by one; it may be larger than the memory."""
    for number, value in enumerate(json_values(file.stream), start=1):
        yield read_record(as_object(value), file, "record", number)


def json_values(stream: PageStream) -> Iterator[object]:
    """Give the values of a JSON array, or values that follow each other, one by one.

    A value that is not UTF-8 comes as a :class:`SourceError`.

    Raises
    ------
    SourceError
        Where the text can no longer be told apart into values.
    """
    return _values(_Window(stream))


class _Window:
    """The part of the text that is looked at; it grows at its end and is cut at its start."""

    def __init__(self, stream: PageStream) -> None:
        self._stream = stream
        encoding = encoding_of_bom(stream.head()) or "utf-8"
        errors = "surrogateescape" if encoding == "utf-8" else "replace"
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)
        self.text = ""
        self.ended = False
        self.skip("\ufeff")

    def grow(self) -> None:
        """Read on: as much again as there is, so that a long record is not scanned too often."""
        chunk = self._stream.read(max(_CHUNK, len(self.text)))
        self.ended = not chunk
        if self.ended:
            self._stream.finish()
        self.text += self._decoder.decode(chunk, final=self.ended)

    def skip(self, characters: str) -> str:
        """Pass over any of ``characters``; give the character that follows, or ``""`` at the end."""
        self.text = self.text.lstrip(characters)
        while not self.text and not self.ended:
            self.grow()
            self.text = self.text.lstrip(characters)
        return self.text[:1]


def _values(window: _Window) -> Iterator[object]:
    decoder = json.JSONDecoder()
    in_array = window.skip(" \t\r\n") == "["
    if in_array:
        window.text = window.text[1:]
    number = 0
    position = 0
    while True:
        if position > _CHUNK:  # cutting for each small record would copy the window each time
            window.text, position = window.text[position:], 0
        number += 1
        position = _next_start(window, position)
        if position < 0:
            break
        if window.text[position] == "]" and in_array:
            position = _next_start(window, position + 1)
            if position >= 0 and window.text[position] == "[":  # another array, as in files put together
                position += 1
                number -= 1
                continue
            if position >= 0:
                raise SourceError(f"record {number - 1} ends the array; what follows is not read")
            return
        value, position = _value_at(decoder, window, position, number)
        yield value
    if in_array:
        raise SourceError(f"the JSON array is not closed after record {number - 1}: the file is cut short")


def _next_start(window: _Window, position: int) -> int:
    """Find the next character that is not between records; -1 at the end."""
    while True:
        while position < len(window.text):
            if window.text[position] not in " \t\r\n,":
                return position
            position += 1
        if window.ended:
            return -1
        window.text, position = "", 0
        window.grow()


def _value_at(decoder: json.JSONDecoder, window: _Window, position: int, number: int) -> tuple[object, int]:
    """Parse the value at ``position``, reading on until it is complete."""
    while True:
        try:
            value, end = decoder.raw_decode(window.text, position)
            if end < len(window.text) or window.ended:
                is_utf8 = _ESCAPED_BYTE.search(window.text, position, end) is None
                return value if is_utf8 else SourceError("not UTF-8"), end
        except RecursionError as error:
            raise SourceError(f"record {number}: JSON nested too deeply") from error
        except ValueError as error:
            if window.ended:
                raise SourceError(f"record {number}: not JSON ({error}); what follows is not read") from error
        if len(window.text) - position > MAX_RECORD_BYTES:
            raise SourceError(f"record {number}: not JSON, or longer than {MAX_RECORD_BYTES:,} characters")
        window.text, position = window.text[position:], 0
        window.grow()
