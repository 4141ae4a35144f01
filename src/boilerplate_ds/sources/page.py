"""A page as it stands in its file, not yet cut into lines: quick to read and to hand to another process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boilerplate_ds.document import Document
from boilerplate_ds.errors import Reject, SourceError
from boilerplate_ds.sources.encoding import decode_html

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Page:
    """One page's text or HTML with the fields that its document will have.

    Parameters
    ----------
    content : str or bytes
        Text; or HTML, which may still have to be decoded.
    fields : dict
        ``id``, ``url``, ``site`` and so on, as :class:`Document` takes them.
    file, record : str
        Where the page is from, as a reject names it.
    is_html : bool
    charset : str
        What the server said that bytes are encoded in.
    original : mapping, optional
        The record that the page was read from, if it was one.
    column : str
        The field of the record that holds the content.
    """

    content: str | bytes = field(repr=False)
    fields: dict[str, Any]
    file: str
    record: str = ""
    is_html: bool = False
    charset: str = ""
    original: Mapping[str, Any] | None = field(default=None, repr=False)
    column: str = "text"

    def document(self) -> Document | Reject:
        """Cut the page into lines, or say why that cannot be done."""
        try:
            return self._document()
        except SourceError as error:
            return Reject(self.file, self.record, str(error))

    def _document(self) -> Document:
        content = self.content
        if self.is_html:
            if isinstance(content, bytes) and self.charset:
                content = decode_html(content, self.charset)
            return Document.from_html(content, **self.fields)
        if isinstance(content, bytes):
            raise TypeError("text is decoded by its reader")
        return Document.from_text(content, **self.fields)
