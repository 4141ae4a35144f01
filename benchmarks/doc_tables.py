"""Put measured tables into the documentation, between marks that name the script they come from."""

from __future__ import annotations

import re
from pathlib import Path


def fill(page: str | Path, name: str, table: str) -> None:
    """Replace what stands between ``<!-- name -->`` and ``<!-- /name -->`` in a page.

    Raises
    ------
    ValueError
        If the page has no such marks.
    """
    path = Path(page)
    text = path.read_text(encoding="utf-8")
    marks = re.compile(f"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    filled, n = marks.subn(lambda match: f"{match[1]}{table.strip()}\n{match[2]}", text)
    if n != 1:
        raise ValueError(f"{page}: expected one pair of marks <!-- {name} -->, found {n}")
    path.write_text(filled, encoding="utf-8")
