"""Files that are one document: plain text, Markdown, HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boilerplate_ds.sources.encoding import decode_text
from boilerplate_ds.sources.html import MAX_HTML_BYTES
from boilerplate_ds.sources.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boilerplate_ds.sources.stream import PageFile

MAX_TEXT_BYTES = 256 * 2**20
"""Text files over this size, decompressed, are refused."""


def read_text(file: PageFile) -> Iterator[Page]:
    """Read a text file as one page whose document gives the bytes back.

    ``text.encode(metadata["encoding"])`` is the content of the file. An empty file is a document
    without lines.
    """
    text, encoding = decode_text(file.stream.read_bounded(MAX_TEXT_BYTES))
    fields = {"id": file.name, "source": file.path, "metadata": {"encoding": encoding}}
    yield Page(content=text, fields=fields, file=file.path)


def read_html(file: PageFile) -> Iterator[Page]:
    """Read a saved page of HTML."""
    html = file.stream.read_bounded(MAX_HTML_BYTES)
    yield Page(content=html, fields={"id": file.name, "source": file.path}, file=file.path, is_html=True)
