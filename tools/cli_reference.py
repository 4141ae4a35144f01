"""Write ``docs/cli.md``, the reference of the command line, from the commands themselves.

Run: python tools/cli_reference.py; a test fails while the page is not what this writes.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import click

from boilerplate_ds.cli import main

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
HEAD = """\
# Command line

<!-- written by tools/cli_reference.py -->

Every command ends with exit code 0 (done), 1 (done, but some input records were bad; they are named on
standard error), 2 (could not run, with one line that says why) or 130 (ended by Ctrl-C, or by
SIGTERM while it wrote). Progress is shown on a terminal only.
"""


def reference() -> str:
    """Give the page."""
    context = click.Context(main, info_name="boilerplate-ds")
    names = main.list_commands(context)
    toc = "\n".join(
        f"- [`{name}`](#{name}): {command_of(name, context).get_short_help_str(200)}" for name in names
    )
    return "\n".join([HEAD, toc, "", *(section(name, command_of(name, context)) for name in names)])


def command_of(name: str, context: click.Context) -> click.Command:
    """Give the command of that name."""
    command = main.get_command(context, name)
    assert command is not None  # noqa: S101
    return command


def section(name: str, command: click.Command) -> str:
    """Give the part of the page about one command."""
    context = click.Context(command, info_name=f"boilerplate-ds {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    text, example = split_example(inspect.cleandoc(command.help or ""))
    parts = [f"## {name}", text, f"```text\nboilerplate-ds {name} {usage}\n```"]
    rows = [row for parameter in command.params if (row := option_row(parameter, context))]
    if rows:
        parts.append("| option | |\n|---|---|\n" + "\n".join(rows))
    if example:
        parts.append(f"```sh\n{example}\n```")
    return "\n\n".join(parts) + "\n"


def split_example(text: str) -> tuple[str, str]:
    r"""Cut a help text into its prose and its example; blocks that ``\b`` keeps as they are stay blocks."""
    prose, _, example = text.partition("\b\nExample:\n")
    example, _, rest = example.partition("\n\n")
    blocks = re.sub(r"\x08\n((?:.+\n?)+)", lambda match: f"```text\n{match[1].rstrip()}\n```\n", prose + rest)
    return blocks.strip(), inspect.cleandoc(example)


def option_row(parameter: click.Parameter, context: click.Context) -> str:
    """Give an option as a row of a table; arguments are told by the usage line."""
    record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
    if record is None:
        return ""
    name, text = (part.replace("|", "\\|") for part in record)
    return f"| `{name}` | {' '.join(text.split())} |"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
