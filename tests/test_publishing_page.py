"""What ``docs/publishing.md`` shows is what happens: commands with their output, code, names of columns."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from boilerplate_ds.cli import main
from boilerplate_ds.dataset.columns import DOCUMENT_COLUMNS, LINE_COLUMNS

if TYPE_CHECKING:
    from hub_server import Hub

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "publishing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, flags=re.DOTALL)


def output(command: str) -> str:
    result = CliRunner().invoke(main, shlex.split(command, comments=True)[1:])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_commands_and_code_do_what_the_page_shows(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    (tmp_path / "labels").symlink_to(ROOT / "labels")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine").symlink_to(ROOT / "models" / "web")
    for kind, block in BLOCKS:
        if kind == "console":
            command, shown = block.removeprefix("$ ").split("\n", 1)
            assert re.fullmatch(re.escape(shown).replace("…", ".*"), output(command))
        elif kind == "python":
            exec(compile(block, "publishing.md", "exec"), {})
        else:
            for line in block.splitlines():
                if line.startswith("boilerplate-ds"):
                    output(line)
    assert hub.repos["datasets", "me/my-lines"].private
    assert not hub.repos["models", "me/my-model"].private


@pytest.mark.parametrize("columns", [DOCUMENT_COLUMNS, LINE_COLUMNS])
def test_the_page_names_every_column(columns: dict[str, str]) -> None:
    assert f"`{' '.join(columns)}`" in PAGE
