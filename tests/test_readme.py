"""The README's examples work as printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from boilerplate_ds import Cleaner

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
SHELL_LINES = [
    line for kind, block in BLOCKS if kind == "bash" for line in block.splitlines() if line.strip()
]
FILE_LINKS = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A folder in which the README's relative paths lead where they lead in the repository."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("examples", "labels", "models"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def boilerplate_ds(line: str, folder: Path) -> None:
    program = f"{sys.executable} -m boilerplate_ds.cli"
    command = line.replace("| boilerplate-ds", f"| {program}").replace("boilerplate-ds ", f"{program} ", 1)
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_examples_run_in_order(checkout, monkeypatch, capsys):
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(checkout / "cache"))
    boilerplate_ds("boilerplate-ds build", checkout)
    examples = [block for kind, block in BLOCKS if kind == "python"]
    assert len(examples) >= 4
    for example in examples:
        exec(compile(example, "README.md", "exec"), {})
    assert "Kelp Island" in capsys.readouterr().out


@pytest.mark.parametrize("line", [line for line in SHELL_LINES if "pip install" not in line])
def test_a_command_of_the_readme_runs(line, checkout):
    boilerplate_ds(line, checkout)


def test_the_before_and_after_is_what_the_released_model_does():
    diff = next(block for kind, block in BLOCKS if kind == "diff").splitlines()
    page = (ROOT / "examples" / "page.txt").read_text(encoding="utf-8")
    kept = Cleaner().clean(page).splitlines()
    shown = [("- " if line not in kept else "  ") + line for line in page.splitlines()]
    for printed, line in zip(diff, shown, strict=True):
        assert line.startswith(printed.removesuffix(" …"))


@pytest.mark.parametrize("link", FILE_LINKS)
def test_a_link_of_the_readme_leads_somewhere(link):
    assert (ROOT / link).exists()


def test_the_two_commands_are_there():
    assert "pip install -e . && boilerplate-ds build" in SHELL_LINES
    assert "pip install -e '.[dev]' && pytest" in SHELL_LINES
