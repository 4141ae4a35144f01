"""The code of the pages about cleaning works as printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("after-an-extractor.md", "cleaning-at-scale.md")
NEEDED = ("trafilatura", "readability", "datatrove")


def blocks(page: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text("utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def names() -> dict[str, dict]:
    """What the blocks of a page have defined: a block may build on those above it."""
    return {page: {"__name__": "__main__"} for page in PAGES}


@pytest.mark.parametrize(("page", "number"), [(page, i) for page in PAGES for i in range(len(blocks(page)))])
def test_a_block_runs(page, number, names, tmp_path, monkeypatch, capsys):
    code = blocks(page)[number]
    for package in NEEDED:
        if re.search(rf"^(from|import) {package}", code, flags=re.MULTILINE):
            pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    exec(compile(code.replace("/shared/", f"{tmp_path}/"), f"{page}, block {number}", "exec"), names[page])
    if "print(" in code:
        assert "ferry" in (shown := capsys.readouterr().out) or "documents in" in shown


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_somewhere(page):
    text = (ROOT / "docs" / page).read_text("utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert "://" in link or (ROOT / "docs" / link).exists(), link
