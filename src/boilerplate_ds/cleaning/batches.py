"""What a process does with a batch of pages: cut into lines, clean, and encode as rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.cleaning.rows import json_row, record_batch, row_of
from boilerplate_ds.cleaning.tally import Tally
from boilerplate_ds.document import LABEL_NAMES, Document
from boilerplate_ds.errors import Reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from boilerplate_ds.cleaning.cleaner import Cleaner
    from boilerplate_ds.model import LineModel
    from boilerplate_ds.model.runtime import Reading
    from boilerplate_ds.sources.page import Page

EXTRAS = {"labels": "line_labels", "scores": "line_scores", "removed": "removed_lines"}
"""What can be written beside the text, and the field that holds it."""
EMPTY = "nothing is left of it: no line is content"


def extra_types(extras: Sequence[str]) -> dict[str, pa.DataType]:
    """Give the Parquet type of each field for ``extras``: the lists of the first rows may all be empty."""
    import pyarrow as pa

    return {EXTRAS[name]: pa.list_(pa.float64() if name == "scores" else pa.string()) for name in extras}


@dataclass(frozen=True, slots=True)
class CleanedPage:
    """A page with its document, what is left of it, and how its lines were judged."""

    page: Page
    document: Document
    text: str
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]
    keep: NDArray[np.bool_]

    def row(self, extras: Sequence[str]) -> dict[str, Any]:
        """Give the row to write, with the fields in ``extras`` (:data:`EXTRAS`) beside the text."""
        row = row_of(self.page, self.document, self.text)
        for extra in extras:
            own = name = EXTRAS[extra]
            while own in row:  # the record has a field of that name, from an earlier run perhaps
                own = f"original_{own}"
            if own != name:
                row[own] = row[name]
            row[name] = self._beside(extra)
        return row

    def _beside(self, extra: str) -> list[Any]:
        if extra == "labels":
            return [LABEL_NAMES[label] for label in self.labels.tolist()]
        if extra == "scores":
            return [round(score, 4) for score in self.scores.tolist()]
        lines = zip(self.document.lines, self.keep.tolist(), strict=True)
        return [line for line, kept in lines if not kept]


@dataclass(slots=True)
class CleanedBatch:
    """Encoded rows of a batch, its counts, and every record that is not among the rows, with its reason."""

    blocks: list[bytes] = field(default_factory=list, repr=False)
    tally: Tally = field(default_factory=Tally)
    left_out: list[Reject] = field(default_factory=list)

    def add(self, other: CleanedBatch) -> None:
        """Append another batch."""
        self.blocks += other.blocks
        self.tally.add(other.tally)
        self.left_out += other.left_out


@dataclass(frozen=True, slots=True)
class BatchCleaner:
    """Cleans batches of pages the same way in any process.

    Parameters
    ----------
    cleaner : Cleaner
    extras : tuple of str
        Names from :data:`EXTRAS`.
    schema : pyarrow.Schema, optional
        Encode rows as Arrow record batches under this schema; None: as JSON Lines.
    """

    cleaner: Cleaner
    extras: tuple[str, ...] = ()
    schema: pa.Schema | None = None

    def __call__(self, items: Sequence[Page | Reject]) -> CleanedBatch:
        """Clean a batch; whatever is wrong with one of its pages, the others come out."""
        batch = CleanedBatch()
        batch.tally.records["in"] = len(items)
        rows: list[tuple[Page, dict[str, Any]]] = []
        for item in self.pages(items):
            if isinstance(item, Reject):
                batch.tally.records["rejected"] += 1
                batch.left_out.append(item)
                continue
            batch.tally.count_document(item.document, item.labels, ~item.keep)
            if item.keep.any():
                batch.tally.records["out"] += 1
                rows.append((item.page, item.row(self.extras)))
            else:
                batch.tally.records["empty"] += 1
                batch.left_out.append(Reject(item.page.file, item.page.record, EMPTY))
        if rows:
            self._encode(rows, batch)
        return batch

    def _encode(self, rows: Sequence[tuple[Page, dict[str, Any]]], batch: CleanedBatch) -> None:
        """Add encoded rows to a batch: together, or one by one where one of them cannot be encoded."""
        try:
            batch.blocks.append(self._encoded([row for _, row in rows]))
        except Exception as error:  # noqa: BLE001  one page must not end the run
            if len(rows) > 1:
                for row in rows:
                    self._encode([row], batch)
                return
            page = rows[0][0]
            batch.tally.records["out"] -= 1
            batch.tally.records["rejected"] += 1
            batch.left_out.append(Reject(page.file, page.record, _fault(error)))

    def _encoded(self, rows: Sequence[dict[str, Any]]) -> bytes:
        if self.schema is None:
            return b"".join(json_row(row) for row in rows)
        return bytes(record_batch(rows, self.schema).serialize())

    def pages(self, items: Sequence[Page | Reject]) -> list[CleanedPage | Reject]:
        """Clean pages; what cannot be cleaned comes out as a reject in its place."""
        documents = [item if isinstance(item, Reject) else _document(item) for item in items]
        judged = iter(self._judged([d for d in documents if isinstance(d, Document)]))
        return [
            document if isinstance(document, Reject) else self._cleaned(item, document, next(judged))
            for item, document in zip(items, documents, strict=True)
        ]

    def _judged(self, documents: Sequence[Document]) -> list[Reading | str]:
        """Give what the model says of each document, or the reason why it says nothing."""
        model = self.cleaner.model
        try:
            return [*model.read(documents)]
        except Exception:  # noqa: BLE001  one page must not spoil the others
            return [_alone(model, document) for document in documents]

    def _cleaned(
        self, page: Page | Reject, document: Document, judged: Reading | str
    ) -> CleanedPage | Reject:
        if isinstance(page, Reject) or isinstance(judged, str):
            return page if isinstance(page, Reject) else Reject(page.file, page.record, str(judged))
        keep = self.cleaner.decide(judged)
        labels = judged.labels.argmax(axis=1)
        if not keep.all():
            dropped = np.array([label.id for label in self.cleaner.drop])
            labels[~keep] = dropped[judged.labels[~keep][:, dropped].argmax(axis=1)]
        scores = judged.labels[np.arange(len(labels)), labels]
        return CleanedPage(page, document, document.select(keep), labels, scores, keep)


def _document(page: Page) -> Document | Reject:
    try:
        return page.document()
    except Exception as error:  # noqa: BLE001  one page must not end the run
        return Reject(page.file, page.record, _fault(error))


def _alone(model: LineModel, document: Document) -> Reading | str:
    try:
        return next(model.read([document]))
    except Exception as error:  # noqa: BLE001  one page must not end the run
        return _fault(error)


def _fault(error: Exception) -> str:
    return f"cannot be cleaned: {type(error).__name__}: {error}"[:300]
