"""What cleaning did to a corpus, in numbers that add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.document import LABEL_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document

RECORDS = ("in", "out", "empty", "rejected")
FIGURES = ("documents", "lines", "removed_lines", "characters", "removed_characters")
MOST_GROUPS = 5_000
"""Languages and sites that are counted by name; beyond these, the smallest share a row."""
OTHERS = "(others)"


@dataclass(slots=True)
class Tally:
    """Counts of records, and of lines and characters by label, by language and by site.

    Parameters
    ----------
    records : Counter
        ``in`` = ``out`` + ``empty`` + ``rejected``, always.
    groups : dict of str to dict of str to Counter
        ``label``, ``language`` and ``site``, each with the figures of its groups (:data:`FIGURES`). A line is
        counted under its most likely label; a removed one under the most likely of the labels to remove. A
        label's documents are those with a line of it.
    """

    records: Counter[str] = field(default_factory=Counter)
    groups: dict[str, dict[str, Counter[str]]] = field(
        default_factory=lambda: {"label": {}, "language": {}, "site": {}}
    )

    @property
    def adds_up(self) -> bool:
        """Whether every record that came in is accounted for."""
        return self.records["in"] == sum(self.records[name] for name in RECORDS[1:])

    def total(self, figure: str) -> int:
        """Sum a figure over all documents."""
        return sum(counts[figure] for counts in self.groups["language"].values())

    def count_document(
        self, document: Document, labels: NDArray[np.int64], removed: NDArray[np.bool_]
    ) -> None:
        """Count one cleaned document; both arrays have shape (n_lines,)."""
        lengths = np.fromiter(map(len, document.lines), dtype=np.int64, count=len(document.lines))
        figures = {
            "documents": 1,
            "lines": len(lengths),
            "removed_lines": int(removed.sum()),
            "characters": int(lengths.sum()),
            "removed_characters": int(lengths[removed].sum()),
        }
        self._add("language", document.language, figures)
        self._add("site", document.site, figures)
        for label in np.unique(labels).tolist():
            of_label = labels == label
            gone = of_label & removed
            counts = (1, of_label.sum(), gone.sum(), lengths[of_label].sum(), lengths[gone].sum())
            self._add("label", LABEL_NAMES[label], dict(zip(FIGURES, map(int, counts), strict=True)))

    def add(self, other: Tally) -> None:
        """Add another tally's counts."""
        self.records.update(other.records)
        for by, groups in other.groups.items():
            for name, figures in groups.items():
                self._add(by, name, figures)

    def _add(self, by: str, name: str, figures: Mapping[str, int]) -> None:
        groups = self.groups[by]
        groups.setdefault(name, Counter()).update(figures)
        if len(groups) > 2 * MOST_GROUPS:
            self.groups[by] = _largest(groups, MOST_GROUPS)

    def as_json(self, most: int = MOST_GROUPS) -> dict[str, Any]:
        """Plain numbers, with up to ``most`` groups by name."""
        return {
            "records": {name: self.records[name] for name in RECORDS},
            "by": {
                by: {name: dict(counts) for name, counts in _largest(groups, most).items()}
                for by, groups in self.groups.items()
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Tally:
        """Read what :meth:`as_json` gave."""
        groups = {by: {name: Counter(counts) for name, counts in of.items()} for by, of in data["by"].items()}
        return cls(Counter(data["records"]), groups)


def _largest(groups: dict[str, Counter[str]], most: int) -> dict[str, Counter[str]]:
    """Keep the groups with the most removed lines, those first, and put the others together."""
    ordered = sorted(groups, key=lambda name: (name == OTHERS, -groups[name]["removed_lines"], name))
    kept = {name: groups[name] for name in ordered[:most]}
    for name in ordered[most:]:
        kept.setdefault(OTHERS, Counter()).update(groups[name])
    return kept
