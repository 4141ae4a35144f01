"""The labelling guidelines that a folder of labels follows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from boilerplate_ds.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from boilerplate_ds.dataset.gold import GoldDocument
    from boilerplate_ds.document import Annotation

_VERSION = re.compile(r"version:\s*(\S+)")
_MAX_CHARACTERS = 100_000
_MAX_VERSION, _MOST_VERSIONS = 40, 20


def guidelines_file(labels: Path) -> Path:
    """Give the ``GUIDELINES.md`` that rules a folder of labels: in it, above it, else the shipped one."""
    for folder in (labels, *labels.resolve().parents[:2]):
        if (folder / "GUIDELINES.md").is_file():
            return folder / "GUIDELINES.md"
    return shipped("labels/GUIDELINES.md")


def guidelines_version(labels: Path) -> str:
    """Version in the first line of ``GUIDELINES.md`` in ``labels`` or above it, else of the shipped one."""
    for path in _candidates(labels):
        with path.open(encoding="utf-8", errors="replace") as file:
            match = _VERSION.match(file.readline(200))
        if match:
            return match[1]
    return ""


def versions_followed(annotations: Iterable[Annotation], gold: Iterable[GoldDocument]) -> str:
    """Name the versions that the annotations of documents say they followed; empty if none says so."""
    names = {item.document.id: set(item.annotators) for item in gold}
    versions = {a.guidelines for a in annotations if a.annotator in names.get(a.doc_id, ())}
    return ", ".join(sorted(version[:_MAX_VERSION] for version in versions - {""})[:_MOST_VERSIONS])


def guidelines_text(labels: Path) -> str:
    """Text of ``GUIDELINES.md`` in ``labels`` or above it, else of the shipped one."""
    with next(_candidates(labels)).open(encoding="utf-8", errors="replace") as file:
        return file.read(_MAX_CHARACTERS)


def _candidates(labels: Path) -> Iterator[Path]:
    for folder in (labels, *labels.resolve().parents[:2], shipped("labels")):
        path = folder / "GUIDELINES.md"
        if path.is_file():
            yield path
