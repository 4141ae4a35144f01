"""The documentation is true: its examples run and print what it says, its links lead somewhere.

Blocks of ``bash`` and ``python`` are run, those of ``console`` are also compared with what is printed (``…``
stands for anything). A block that needs a server, a network or a GPU says so in its title:
``title="needs an LLM server"``.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from boilerplate_ds import Cleaner
from boilerplate_ds.cli import main
from boilerplate_ds.shipped import shipped

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.timeout(1800)  # a busy machine takes its time to train

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BUILD = "boilerplate-ds build"  # what the fixture has done is not done again
MARK = 'title="needs '
RUN = ("bash", "python", "console")
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\]\(([^()\s#]+)(?:#[^()\s]*)?\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    kind: str
    info: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def is_run(self) -> bool:
        return self.kind in RUN and MARK not in self.info


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, match.start()) + 1, match[1], match[2], match[3])
        for match in FENCE.finditer(text)
    ]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
WITH_A_HUB = ROOT / "docs" / "publishing.md"  # test_publishing_page.py runs it
PAGES_TO_RUN = [
    page for page in PAGES if page != WITH_A_HUB and any(b.is_run for b in BLOCKS if b.page == page)
]
COMMANDS = main.list_commands(click.Context(main))


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def checkout(built: Path, tmp_path: Path) -> Path:
    """A copy of ``built`` for one page."""
    return Path(shutil.copytree(built, tmp_path / "checkout", symlinks=True))


@pytest.fixture(scope="module")
def built(few_starter_pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which paths lead where they lead in the repository, after ``build`` from a few pages."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "examples", folder / "examples")
    shutil.copytree(ROOT / "labels", folder / "labels")
    shutil.rmtree(folder / "labels" / "starter")
    shutil.copytree(few_starter_pages, folder / "labels" / "starter")
    (folder / "labels" / "mine" / "documents").mkdir(parents=True)  # pages that nobody has labelled
    shutil.copy(ROOT / "labels/starter/documents/fr.jsonl", folder / "labels/mine/documents")
    (folder / "models").mkdir()
    for name in ("web", "mine"):
        (folder / "models" / name).symlink_to(ROOT / "models" / "web")
    for name in ("benchmarks", "docs"):
        (folder / name).symlink_to(ROOT / name)
    script = folder / "bin" / "boilerplate-ds"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m boilerplate_ds.cli "$@"\n')
    script.chmod(0o755)
    run_shell(BUILD, folder)
    shutil.rmtree(folder / "labels" / "starter")
    shutil.copytree(ROOT / "labels" / "starter", folder / "labels" / "starter")
    return folder


def run_shell(script: str, folder: Path) -> str:
    """Run shell commands in ``folder``; give what they print, standard error included."""
    environment = os.environ | {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "80",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(folder / "cache"),
    }
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=1500,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}"
    return done.stdout


def without_setup(script: str) -> str:
    """Leave out what installs, what tests, and what the fixture has run."""
    lines = script.splitlines()
    return "\n".join(line for line in lines if "pip install" not in line and line != BUILD)


def run_python(block: Block, folder: Path, names: dict[str, Any]) -> None:
    """Run Python with the names of the page's earlier blocks; a title that is a file name makes it a file."""
    title = re.search(r'title="(\w+\.py)"', block.info)
    starts_processes = "__main__" in block.text
    if title or starts_processes:
        path = folder / (title[1] if title else "block.py")
        path.write_text(block.text, encoding="utf-8")
        if starts_processes:
            run_shell(f'"{sys.executable}" {path.name}', folder)
            return
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(block.text, block.place, "exec"), names)


def run_console(text: str, folder: Path) -> None:
    """Run the commands after ``$`` and compare what each prints with the lines below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        while command.endswith("\\"):
            more, _, expected = expected.partition("\n")
            command = command[:-1] + more
        printed = run_shell(command, folder)
        pattern = re.escape(normal(expected)).replace("…", r"[\s\S]*?")
        assert re.fullmatch(pattern, normal(printed)), f"$ {command}\n{printed}\ninstead of\n{expected}"


def normal(text: str) -> str:
    """Leave out what is not seen: spaces at the ends of lines, blank lines at the ends of the text."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


@pytest.mark.parametrize("page", PAGES_TO_RUN, ids=name_of)
def test_the_examples_of_a_page_run_in_order(
    page: Path, checkout: Path, few_starter_pages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"labels/starter": few_starter_pages}  # the README trains on them
    monkeypatch.setattr("boilerplate_ds.shipped.shipped", lambda name: few.get(name) or shipped(name))
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(checkout / "cache"))
    names: dict[str, Any] = {"__name__": "__example__"}
    for block in (block for block in BLOCKS if block.page == page and block.is_run):
        try:
            if block.kind == "python":
                run_python(block, checkout, names)
            elif block.kind == "console":
                run_console(block.text, checkout)
            else:
                run_shell(without_setup(block.text), checkout)
        except Exception as error:
            raise AssertionError(f"{block.place}: {type(error).__name__}: {error}") from error


def test_blocks_that_are_not_run_say_why_and_are_few() -> None:
    not_run = [block for block in BLOCKS if MARK in block.info]
    assert all(re.search(r'title="needs [^"]+"', block.info) for block in not_run)
    n_run = sum(block.is_run for block in BLOCKS)
    print(f"{n_run} blocks run, {len(not_run)} not: {', '.join(block.place for block in not_run)}")
    assert n_run >= 2 * len(not_run)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    on_site = set(tool("docs_hooks").PAGES.values()) | {"decisions/index.md"}
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link or (page.parent / link).exists():
            continue
        target = os.path.relpath(page.parent / link, ROOT / "docs").replace(os.sep, "/")
        assert target in on_site, f"{name_of(page)} links to {link}"


def test_the_two_commands_of_the_readme_are_there() -> None:
    shown = "\n".join(block.text for block in BLOCKS if block.page.name == "README.md")
    assert "pip install -e . && boilerplate-ds build\n" in shown
    assert "pip install -e '.[dev]' && pytest\n" in shown


def test_the_before_and_after_is_what_the_released_model_does() -> None:
    diff = next(block.text for block in BLOCKS if block.kind == "diff").splitlines()
    page = (ROOT / "examples" / "page.txt").read_text(encoding="utf-8")
    kept = Cleaner().clean(page).splitlines()
    shown = [("- " if line not in kept else "  ") + line for line in page.splitlines()]
    for printed, line in zip(diff, shown, strict=True):
        assert line.startswith(printed.removesuffix(" …"))


def test_the_reference_of_the_command_line_is_what_the_commands_say() -> None:
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == tool("cli_reference").reference(), "run: python tools/cli_reference.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_a_help_text(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.help
    assert "Example:" in command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_the_licences_of_what_the_package_needs_are_listed() -> None:
    written = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    licences = tool("licences")
    needed = {name: licence for name, (_, licence) in licences.needed().items()}
    missing = [name for name in needed if f"| {name} |" not in written]
    assert len(missing) <= len(needed) // 10, f"run: python tools/licences.py; it lacks {missing}"
    assert "not stated" not in written
    assert not re.search(r"\b(AGPL|GPL-3|GPL-2)", written)


def tool(name: str) -> ModuleType:
    """Import a script of ``tools/``."""
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    spec = spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
