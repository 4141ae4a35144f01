"""Labels in the files of other tools: one module a format, each with what :class:`Format` names."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from boilerplate_ds.errors import Rejects
    from boilerplate_ds.labeling.formats.labelled import LabelledDocument

FORMATS = {
    "csv": "csv_lines",
    "doccano": "doccano",
    "label-studio": "label_studio",
    "prodigy": "prodigy",
}
"""Each format's module in this package."""


class Format(Protocol):
    """What the module of a format offers."""

    START: bytes
    BETWEEN: bytes
    END: bytes
    HOLDS_SUGGESTIONS: bool

    def encode(self, item: LabelledDocument) -> bytes:
        """Give the part of the file that holds one document.

        Raises
        ------
        LabelError
            If the format can't carry it.
        """

    def read(self, path: Path, annotator: str, rejects: Rejects | None) -> Iterator[LabelledDocument]:
        """Give the documents of a file, each with its place in it.

        Parameters
        ----------
        path : Path
        annotator : str
            Who made the labels, whatever the file says; empty: whom the file names.
        rejects : Rejects, optional
            Gets each bad record with its place and reason; without it the first raises.
        """


def format_named(name: str) -> Format:
    """Give the module of a format in :data:`FORMATS`."""
    return cast("Format", import_module(f"{__name__}.{FORMATS[name]}"))
