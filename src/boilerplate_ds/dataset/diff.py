"""What changed between two exports of a set, document by document and label by label."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.dataset.standoff import read_documents_table, shards
from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from boilerplate_ds.dataset.splits import Split
    from boilerplate_ds.document import Labels

_COLUMNS = ("id", "site", "text_sha256", "labels")


@dataclass(frozen=True, slots=True)
class MovedSite:
    """A site that is in another split than before."""

    site: str
    old: Split
    new: Split


@dataclass(frozen=True, slots=True)
class RenamedSite:
    """A site whose documents are of another site than before."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class DatasetDiff:
    """How one export differs from an earlier one.

    Parameters
    ----------
    added, removed : tuple of str
        Ids of documents that only the new, or only the old one has.
    text_changed : tuple of str
        Ids of documents whose lines are others; their labels are not compared.
    relabelled : tuple of str
        Ids of documents with the same lines and another label on at least one.
    flow : ndarray of int64, shape (4, 4)
        Lines of documents with the same text, by old label (row) and new label (column).
    moved : tuple of MovedSite
        Sites of both, in another split. A document without a site counts as a site of its own.
    moved_documents : tuple of str
        Ids of documents that are in another split, whatever their site is called.
    renamed : tuple of RenamedSite
        Old and new site of documents that changed theirs, each pair once.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    text_changed: tuple[str, ...]
    relabelled: tuple[str, ...]
    flow: NDArray[np.int64]
    moved: tuple[MovedSite, ...]
    moved_documents: tuple[str, ...]
    renamed: tuple[RenamedSite, ...]

    @property
    def changed_lines(self) -> int:
        """Lines with the same text and another label."""
        return int(self.flow.sum() - np.trace(self.flow))

    @property
    def is_same(self) -> bool:
        """Whether documents, texts, labels, splits and sites are the same."""
        documents = self.added or self.removed or self.text_changed or self.relabelled
        return not (documents or self.moved or self.moved_documents or self.renamed)

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and names."""
        return {
            "same": self.is_same,
            "added": list(self.added),
            "removed": list(self.removed),
            "text_changed": list(self.text_changed),
            "relabelled": list(self.relabelled),
            "changed_lines": self.changed_lines,
            "flow": {
                old: dict(zip(LABEL_NAMES, row, strict=True))
                for old, row in zip(LABEL_NAMES, self.flow.tolist(), strict=True)
            },
            "moved": {item.site: [item.old, item.new] for item in self.moved},
            "moved_documents": list(self.moved_documents),
            "renamed": [[item.old, item.new] for item in self.renamed],
        }


@dataclass(frozen=True, slots=True)
class _Row:
    site: str
    split: Split
    text_sha256: str
    labels: Labels


def diff_datasets(old: str | Path, new: str | Path) -> DatasetDiff:
    """Compare two exported sets.

    Documents are matched by id. Memory holds labels and hashes of both, no texts.

    Raises
    ------
    DatasetError
        If one of the folders holds no export, or one with an id twice.
    """
    before, after = _read(Path(old)), _read(Path(new))
    both = [doc_id for doc_id in before if doc_id in after]
    same_text = [i for i in both if before[i].text_sha256 == after[i].text_sha256]
    flow = np.zeros((len(LABEL_NAMES), len(LABEL_NAMES)), dtype=np.int64)
    for doc_id in same_text:
        if len(before[doc_id].labels) != len(after[doc_id].labels):
            raise DatasetError(
                f"{new}: document {doc_id!r} has the same text as before and other labels in number"
            )
        np.add.at(flow, (before[doc_id].labels, after[doc_id].labels), 1)
    return DatasetDiff(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        text_changed=tuple(sorted(set(both) - set(same_text))),
        relabelled=tuple(
            sorted(i for i in same_text if not np.array_equal(before[i].labels, after[i].labels))
        ),
        flow=flow,
        moved=_moved(before, after),
        moved_documents=tuple(sorted(i for i in both if before[i].split != after[i].split)),
        renamed=_renamed((before[i].site, after[i].site) for i in both),
    )


def _read(folder: Path) -> dict[str, _Row]:
    from pyarrow import compute

    rows: dict[str, _Row] = {}
    for split, path in shards(folder, "documents"):
        table = read_documents_table(path, _COLUMNS)
        ends = np.cumsum(compute.list_value_length(table["labels"]).to_numpy())
        labels_of = np.split(compute.list_flatten(table["labels"]).to_numpy().astype(np.int8), ends)[:-1]
        values = (table[name].to_pylist() for name in _COLUMNS if name != "labels")
        for doc_id, site, text_sha256, labels in zip(*values, labels_of, strict=True):
            if doc_id in rows:
                raise DatasetError(
                    f"{path}: document {doc_id!r} is in the set twice; export the labels again"
                )
            rows[doc_id] = _Row(site or doc_id, split, text_sha256, labels)
    return rows


def _moved(before: dict[str, _Row], after: dict[str, _Row]) -> tuple[MovedSite, ...]:
    old = {row.site: row.split for row in before.values()}
    new = {row.site: row.split for row in after.values()}
    return tuple(MovedSite(s, old[s], new[s]) for s in sorted(old) if s in new and old[s] != new[s])


def _renamed(sites: Iterable[tuple[str, str]]) -> tuple[RenamedSite, ...]:
    return tuple(RenamedSite(old, new) for old, new in sorted(set(sites)) if old != new)


def moves(diff: DatasetDiff) -> list[tuple[Split, Split, int]]:
    """Count the moved sites by old and new split."""
    counts = Counter((item.old, item.new) for item in diff.moved)
    return [(old, new, n) for (old, new), n in sorted(counts.items())]
