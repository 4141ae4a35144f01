"""Files that are one document: plain text, Markdown, HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boilerplate_ds.document import Document
from boilerplate_ds.sources.encoding import decode_text
from boilerplate_ds.sources.html import MAX_HTML_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boilerplate_ds.sources.stream import PageFile

MAX_TEXT_BYTES = 256 * 2**20
"""Text files over this size, decompressed, are refused."""


def read_text(file: PageFile) -> Iterator[Document]:
    """Read a text file as one document whose text gives the bytes back.

    ``text.encode(metadata["encoding"])`` is the content of the file. An empty file is a document
    without lines.
    """
    text, encoding = decode_text(file.stream.read_bounded(MAX_TEXT_BYTES))
    yield Document.from_text(text, id=file.name, source=file.path, metadata={"encoding": encoding})


def read_html(file: PageFile) -> Iterator[Document]:
    """Read a saved page of HTML as one document with markup."""
    html = file.stream.read_bounded(MAX_HTML_BYTES)
    yield Document.from_html(html, id=file.name, source=file.path)
