"""The command line: parses, calls one function of a room, prints. One module a topic, loaded when asked for.

Exit codes: 0 done; 1 done, but some input records were bad and are reported; 2 could not run; 130 ended by
Ctrl-C, or by SIGTERM while it wrote a file.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from importlib import import_module
from typing import Any

import click

from boilerplate_ds import __version__
from boilerplate_ds.cli.console import INTERRUPTED, tell_rejects
from boilerplate_ds.errors import BoilerplateError
from boilerplate_ds.invisible import show_invisible

_MODULES = {
    "agree": "agree",
    "build": "build",
    "clean": "clean",
    "diff": "dataset",
    "convert": "convert",
    "evaluate": "models",
    "export": "dataset",
    "hydrate": "collections",
    "ingest": "collections",
    "inspect": "inspect",
    "push": "publish",
    "label": "label",
    "prelabel": "prelabel",
    "queue": "queue",
    "review": "queue",
    "rules": "rules",
    "train": "models",
}
"""Each command's module in this package; the function bears the command's name."""


class _Commands(click.Group):
    """Commands loaded when asked for, which end with exit code 2 and one clear line if they can't run."""

    def main(self, *args: Any, **extra: Any) -> Any:
        if isinstance(sys.stdout, io.TextIOWrapper) and codecs.lookup(sys.stdout.encoding).name != "utf-8":
            sys.stdout.reconfigure(errors="backslashreplace")  # as standard error is: tables hold … and ─
        return super().main(*args, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _MODULES:
            return None
        module = import_module(f"boilerplate_ds.cli.{_MODULES[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BoilerplateError as error:
            tell_rejects(ctx)
            raise _CouldNotRun(show_invisible(str(error))) from error
        except BrokenPipeError:
            # Whoever read our output has gone; the interpreter must not fail on flushing the rest either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            ctx.exit(INTERRUPTED)
        except SystemExit as error:  # rich ends the program by itself when its reader has gone, with 1
            if isinstance(error.__context__, BrokenPipeError):
                ctx.exit(0)
            raise
        except OSError as error:
            raise _CouldNotRun(f"{error.filename or 'input/output'}: {error.strerror or error}") from error


class _CouldNotRun(click.ClickException):
    exit_code = 2


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="boilerplate-ds")
def main() -> None:
    """Label web-page lines, train a boilerplate classifier, publish the dataset, clean text."""
