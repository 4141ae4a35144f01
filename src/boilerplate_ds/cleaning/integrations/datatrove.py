"""``BoilerplateCleaner``: a step of a datatrove pipeline, for work on many machines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from boilerplate_ds.cleaning.batches import EXTRAS, BatchCleaner, CleanedPage
from boilerplate_ds.cleaning.cleaner import Cleaner
from boilerplate_ds.cleaning.corpus import checked_extras
from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.errors import Reject
from boilerplate_ds.sources.page import Page
from boilerplate_ds.sources.site import site_of

try:
    from datatrove.pipeline.filters.base_filter import BaseFilter
except ImportError as error:
    raise ImportError(
        f"datatrove is not installed ({error}); run: pip install 'boilerplate-ds[scale]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datatrove.data import Document
    from datatrove.pipeline.writers.disk_base import DiskWriter

EMPTY, UNREADABLE = "empty", "unreadable"
"""Reasons under which documents are dropped, counted and written by the exclusion writer."""


class BoilerplateCleaner(BaseFilter):  # type: ignore[misc]
    """Takes the lines that are not content out of each document's text.

    Ids, media and metadata stay. A document of which nothing is left is dropped with its text as it was;
    ``exclusion_writer`` can keep those. Counts lines and removed lines, in all and by label.

    Parameters
    ----------
    cleaner : Cleaner, optional
        Default: the released model. Each process loads the model for itself.
    html : bool
        Whether texts are pages of HTML, as datatrove's ``WarcReader`` gives them.
    extras : iterable of {"labels", "scores", "removed"}, or one of them
        Metadata to add: ``line_labels``, ``line_scores``, ``removed_lines``; those of an earlier cleaning are
        replaced.
    exclusion_writer : DiskWriter, optional
        Takes dropped documents, with ``filter_reason`` ``empty`` or ``unreadable`` (and ``error``).
    batch_size : int
        Documents cleaned together.
    """

    name = "🧹 Boilerplate"

    def __init__(
        self,
        cleaner: Cleaner | None = None,
        *,
        html: bool = False,
        extras: Iterable[str] = (),
        exclusion_writer: DiskWriter | None = None,
        batch_size: int = 100,
    ) -> None:
        super().__init__(exclusion_writer, batch_size)
        self.cleaner = cleaner or Cleaner()
        self.html = html
        self.extras = checked_extras(extras)

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Clean one document in place; say whether anything is left of it."""
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: list[Document]) -> list[bool | tuple[bool, str]]:
        """Clean documents in place; say of each whether anything is left of it."""
        with threadpool_limits(1):  # tasks share a machine: one core each
            pages = BatchCleaner(self.cleaner).pages([self._page(doc) for doc in batch])
        return [self._apply(doc, page) for doc, page in zip(batch, pages, strict=True)]

    def _page(self, doc: Document) -> Page:
        url = str(doc.metadata.get("url") or "")
        fields: dict[str, Any] = {"id": doc.id, "url": url, "site": site_of(url)}
        return Page(doc.text, fields, file="", record=doc.id, is_html=self.html)

    def _apply(self, doc: Document, cleaned: CleanedPage | Reject) -> bool | tuple[bool, str]:
        if isinstance(cleaned, Reject):
            doc.metadata["error"] = cleaned.reason
            return False, UNREADABLE
        self._count(cleaned)
        if not cleaned.keep.any():
            return False, EMPTY
        doc.text = cleaned.text
        row = cleaned.row(self.extras)
        doc.metadata.update({name: row[name] for name in map(EXTRAS.__getitem__, self.extras)})
        return True

    def _count(self, cleaned: CleanedPage) -> None:
        self.stat_update("lines", value=len(cleaned.keep))
        removed = Counter(cleaned.labels[~cleaned.keep].tolist())
        self.stat_update("removed_lines", value=removed.total())
        for label, count in sorted(removed.items()):
            self.stat_update(f"removed_{LABEL_NAMES[label]}", value=count)
