"""The errors a user can meet, and the collector for records that were turned away."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class BoilerplateError(Exception):
    """Base of every error this package raises on purpose; the message says what to do."""


class SourceError(BoilerplateError):
    """A file, folder or stream of pages could not be read."""


class LabelError(BoilerplateError):
    """A label, a label run or an annotation record is not valid or does not fit its text."""


class NotSavedError(LabelError):
    """Labels could not be written, on a full disk, say; what was sent may be sent again."""


class ModelError(BoilerplateError):
    """A model folder is missing, damaged or not one of ours."""


class DatasetError(BoilerplateError):
    """A labelled set cannot be split, exported or joined as asked."""


class HubError(BoilerplateError):
    """The Hugging Face Hub could not be reached, or refused."""


class EndpointError(BoilerplateError):
    """An LLM endpoint cannot be used at all: no address, no key, no such model, or it stopped answering."""


class CorpusError(BoilerplateError):
    """A corpus cannot be cleaned into the folder that was named."""


@dataclass(frozen=True, slots=True)
class Reject:
    """One record that was turned away.

    Parameters
    ----------
    file : str
        The file (or ``-`` for standard input) that holds the record.
    record : str
        Where in it: ``line 12``, ``row 7``, ``offset 4096``, or an empty string for the whole file.
    reason : str
        What was wrong with it.
    """

    file: str
    record: str
    reason: str

    def __str__(self) -> str:
        where = f"{self.file}, {self.record}" if self.record else self.file
        return f"{where}: {self.reason}"


@dataclass(slots=True)
class Rejects:
    """Counts every rejected record and keeps the first ``limit`` of them with their reasons.

    Readers take one of these as ``rejects=``: with it a bad record is noted and the run goes on,
    without it the first bad record raises.
    """

    limit: int = 10_000
    items: list[Reject] = field(default_factory=list)
    by_file: Counter[str] = field(default_factory=Counter)

    def add(self, file: str | Path, record: str, reason: str) -> None:
        """Note one rejected record."""
        self.by_file[str(file)] += 1
        if len(self.items) < self.limit:
            self.items.append(Reject(str(file), record, reason))

    @property
    def count(self) -> int:
        """How many records were rejected in all, kept in ``items`` or not."""
        return sum(self.by_file.values())

    def write(self, path: Path) -> None:
        """Write the kept rejects as JSON Lines (``file``, ``record``, ``reason``)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = (json.dumps(asdict(item), ensure_ascii=False) for item in self.items)
        path.write_text("".join(row + "\n" for row in rows), encoding="utf-8", errors="surrogatepass")


def reject_or_raise(
    rejects: Rejects | None,
    file: str | Path,
    record: str,
    reason: str,
    error: type[BoilerplateError] = SourceError,
) -> None:
    """Note a bad record where the caller collects them, raise ``error`` where nobody does."""
    if rejects is None:
        raise error(str(Reject(str(file), record, reason)))
    rejects.add(file, record, reason)
