"""Write ``docs/licences.md``: all packages that this one needs, with the licences that their metadata state.

Run, where all extras are installed: python tools/licences.py
"""

from __future__ import annotations

import re
from collections import deque
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import tomllib

PAGE = Path(__file__).resolve().parent.parent / "docs" / "licences.md"
ROOT_PACKAGE = "boilerplate-ds"
HEAD = """\
# Licences

<!-- written by tools/licences.py -->

boilerplate-ds is under Apache-2.0; the [model card](../models/web/README.md) names the data behind the
released model and their licences. This is what an installation brings along, as the packages' own metadata
say: all that the base install needs, and what the extras add for those who ask for them.
"""
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_ELSEWHERE = re.compile(r"extra\s*==|sys_platform|os_name|platform_system")
PROJECT = tomllib.loads((PAGE.parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_FULL_TEXT = 80
_KNOWN_TEXTS = (("Apache License", "Apache-2.0"), ("MIT License", "MIT"), ("BSD 3-Clause", "BSD-3-Clause"))
NOT_INSTALLED = "not installed here"


def needed(extra: str = "") -> dict[str, tuple[str, str]]:
    """Map each package that the base install (or an extra) needs, directly or not, to version and licence."""
    found: dict[str, tuple[str, str]] = {}
    waiting = deque(requirements(ROOT_PACKAGE, extra))
    while waiting:
        name = waiting.popleft()
        if name not in found:
            found[name] = about(name)
            waiting += requirements(name, "")
    return dict(sorted(found.items()))


def requirements(package: str, extra: str) -> list[str]:
    """Name what a package requires: always, or for one of its extras."""
    if package == ROOT_PACKAGE:  # what is written counts, not what was installed some time ago
        lines: list[str] = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
        return [name_of(line) for line in lines]
    try:
        lines = distribution(package).requires or []
    except PackageNotFoundError:
        return []
    always = (line for line in lines if not _ELSEWHERE.search(line.partition(";")[2]))
    return [name_of(line) for line in always]


def name_of(requirement: str) -> str:
    """Give the package that a requirement names."""
    match = _NAME.match(requirement.strip())
    return match[0].lower().replace("_", "-") if match else requirement


def about(package: str) -> tuple[str, str]:
    """Give version and licence of an installed package."""
    try:
        metadata = distribution(package).metadata
    except PackageNotFoundError:
        return "", NOT_INSTALLED
    stated = metadata.get("License-Expression") or metadata.get("License") or ""
    classified = [
        value.rpartition(" :: ")[2]
        for value in metadata.get_all("Classifier") or []
        if value.startswith("License ::")
    ]
    if len(stated) > _FULL_TEXT or "\n" in stated:  # some put the whole text there
        stated = next((name for start, name in _KNOWN_TEXTS if start in stated), "")
    return metadata["Version"], stated or ", ".join(classified) or "not stated"


def page() -> str:
    """Give the page."""
    base = needed()
    parts = [HEAD, table("Base install", base)]
    for extra in PROJECT["optional-dependencies"]:
        if extra != "dev":  # for those who work on it
            added = {name: told for name, told in needed(extra).items() if name not in base}
            parts.append(table(f"Extra `{extra}`", added))
    return "\n".join(part for part in parts if part)


def table(title: str, packages: dict[str, tuple[str, str]]) -> str:
    """Give a section of the page; empty where there is nothing to tell."""
    rows = [
        f"| {name} | {version} | {licence} |"
        for name, (version, licence) in packages.items()
        if licence != NOT_INSTALLED and name != ROOT_PACKAGE
    ]
    if not rows:
        return ""
    return "\n".join([f"## {title}", "", "| package | version | licence |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
