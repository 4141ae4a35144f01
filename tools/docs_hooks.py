"""What the documentation site needs beyond the pages of ``docs/``.

Pages that live elsewhere in the repository (guidelines, model card, security …) become pages of the site, and
links that lead out of ``docs/`` lead to them, or to nowhere if what they point at is not on the site.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "labels/GUIDELINES.md": "guidelines.md",
    "labels/README.md": "labels.md",
    "models/web/README.md": "model-card.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "benchmarks/results/accuracy.md": "accuracy.md",
    "benchmarks/results/speed.md": "speed.md",
}
"""Files of the repository and the pages of the site that they become."""
_ON_SITE = {**PAGES, "README.md": "index.md"}
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s#]+)(#[^()\s]*)?\)")
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_SECTION = re.compile(r"^<!-- from README: (.+) -->$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that live outside of ``docs/``, and the list of decisions."""
    for source, page in PAGES.items():
        text = _FRONT_MATTER.sub("", (ROOT / source).read_text(encoding="utf-8"))
        files.append(File.generated(config, page, content=relinked(text, source, page)))
    for picture in (ROOT / "benchmarks" / "results").glob("*.png"):
        files.append(File.generated(config, picture.name, abs_src_path=str(picture)))
    files.append(File.generated(config, "decisions/index.md", content=_decisions()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Point links out of ``docs/`` at the site, and fill in sections of the README."""
    if page.file.src_uri in (*PAGES.values(), "decisions/index.md"):
        return markdown
    markdown = _SECTION.sub(lambda match: section_of_readme(match[1]), markdown)
    return relinked(markdown, f"docs/{page.file.src_uri}", page.file.src_uri)


def relinked(markdown: str, source: str, page: str) -> str:
    """Rewrite the links of the file ``source`` of the repository so that they hold on the page ``page``."""

    def lead(match: re.Match[str]) -> str:
        text, link, anchor = match[1], match[2], match[3] or ""
        if "://" in link or link.startswith("mailto:"):
            return match[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
        if not (ROOT / target).exists():
            return match[0]  # a broken link is for the strict build to find
        on_site = _ON_SITE.get(target) or (target.removeprefix("docs/") if target.startswith("docs/") else "")
        if not on_site:
            return text
        return f"[{text}]({os.path.relpath(on_site, posixpath.dirname(page) or '.')}{anchor})"

    return _LINK.sub(lead, markdown)


def section_of_readme(heading: str) -> str:
    """Give the section of the README under ``heading``, without it."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"README.md has no section {heading!r}")
    return relinked(found[1].strip(), "README.md", "results.md")


def _decisions() -> str:
    lines = ["# Decisions", "", "What was decided, why, and what was tried instead.", ""]
    for path in sorted((ROOT / "docs" / "decisions").glob("*.md")):
        title = path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        lines.append(f"- [{title}]({path.name})")
    return "\n".join(lines) + "\n"
