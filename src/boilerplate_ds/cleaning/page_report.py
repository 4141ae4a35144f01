"""Labelled pages as one HTML file to share: it runs no script and loads nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boilerplate_ds import __version__
from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.invisible import show_invisible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boilerplate_ds.document import Document, LabeledLine

MAX_SHOWN_PAGES = 100
"""A file for people holds no more pages than this."""


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A page's lines with their labels, and how many have each label."""

    name: str
    url: str
    lines: Sequence[LabeledLine]
    counts: dict[str, int]

    @classmethod
    def of(cls, document: Document, lines: Sequence[LabeledLine]) -> ShownPage:
        """Join a document and its labelled lines."""
        counts = Counter(str(line.label) for line in lines)
        return cls(document.id, document.url, lines, {name: counts[name] for name in LABEL_NAMES})


def page_report(pages: Sequence[ShownPage], model: str) -> str:
    """Give the HTML of a report on ``pages``; whatever stands in them is shown as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("boilerplate_ds.cleaning"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["shown"] = show_invisible
    title = show_invisible(pages[0].name) if len(pages) == 1 else f"{len(pages)} pages"
    return environment.get_template("inspect.html").render(
        pages=pages, title=title, labels=LABEL_NAMES, model=model, version=__version__
    )
