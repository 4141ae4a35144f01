"""What every command shares: options, progress bars, output files, and how a command ends."""

from __future__ import annotations

import errno
import json
import math
import os
import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import click

from boilerplate_ds.errors import BoilerplateError, Reject
from boilerplate_ds.invisible import show_invisible
from boilerplate_ds.shipped import RELEASED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import FrameType

    from rich.console import Console

    from boilerplate_ds.dataset.gold import Strategy
    from boilerplate_ds.document import Labels
    from boilerplate_ds.errors import Rejects
    from boilerplate_ds.training.run import LabelledSet

SHOWN_REJECTS = 20
_REJECTS = f"{__name__}.rejects"
INTERRUPTED = 130
"""Exit code of a run that Ctrl-C ended, as shells have it; SIGTERM ends what writes a file likewise."""
COLOURS = {"content": "#009e73", "ad": "#d55e00", "navigation": "#56b4e9", "recommendation": "#cc79a7"}
"""Okabe and Ito's palette, which people of any colour vision tell apart."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
epochs_option = click.option(
    "--epochs",
    type=click.IntRange(1),
    show_default="20 for a few hundred pages, down to 9 for many",
    help="Passes of the second stage over the data.",
)
jobs_option = click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
model_option = click.option(
    "--model",
    default=RELEASED,
    show_default=True,
    help="Shipped model, folder of a model, or user/repo on the Hub.",
)
text_column_option = click.option(
    "--text-column", help="Column or field that holds the text of tables and JSON Lines."
)
format_option = click.option("--format", "format_", help="Read the input as this format instead of guessing.")
folder = click.Path(path_type=Path, file_okay=False)
file = click.Path(path_type=Path, dir_okay=False, exists=True)


class FiniteRange(click.FloatRange):
    """A number in a range; neither infinite nor NaN, which compares with nothing."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def named(text: str) -> list[str]:
    """Read names with commas between them."""
    return [name for part in text.split(",") if (name := part.strip())]


def error_console() -> Console:
    """Give a console on standard error, where progress and reports belong."""
    from rich.console import Console

    return Console(stderr=True)


@contextmanager
def progress_bars() -> Iterator[Callable[[str, float], None]]:
    """Show a bar for each step of long work; silent where standard error is no terminal."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    console = error_console()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def tell(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=1.0)
            bars.update(tasks[step], completed=done)

        yield tell


def told(rejects: Rejects) -> Rejects:
    """Give rejects that are reported however the command ends; see :func:`end`."""
    click.get_current_context().meta.setdefault(_REJECTS, []).append(rejects)
    return rejects


def tell_rejects(context: click.Context) -> None:
    """Report rejected records of a command that could not run: they may be the reason."""
    for rejects in context.meta.get(_REJECTS, ()):
        _show(rejects)


def end(rejects: Rejects) -> None:
    """Report rejected records and end with exit code 1 if there were any."""
    if rejects.count:
        _show(rejects)
        sys.exit(1)


def _show(rejects: Rejects) -> None:
    if not rejects.count:
        return
    for item in rejects.items[:SHOWN_REJECTS]:
        click.echo(f"rejected: {show_invisible(str(item))}", err=True)
    if rejects.count > SHOWN_REJECTS:
        click.echo(f"… and {rejects.count - SHOWN_REJECTS:,} more", err=True)
    bad = "1 bad record was" if rejects.count == 1 else f"{rejects.count:,} bad records were"
    click.echo(f"{bad} left out", err=True)


def warn_of_missing_labels(labels: Iterable[Labels]) -> None:
    """Tell labels that nothing can be learned of from these pages."""
    from boilerplate_ds.training.run import missing_labels

    for label in missing_labels(labels):
        click.echo(f"warning: no line has the label {label}: the model won't know it; label some", err=True)


def labelled(folders: Sequence[Path], strategy: Strategy = "majority") -> LabelledSet:
    """Gold labels of the collections in ``folders``, whose texts must be there."""
    from boilerplate_ds.training import run

    labels = run.read_labels(run.find_collections(*folders), strategy)
    told(labels.rejects)
    for name in labels.without_text:
        raise BoilerplateError(f"{name}: {without_text(name)}")
    for doc_id in labels.undecided:
        click.echo(f"left out  {show_invisible(doc_id)}: not settled ({strategy})", err=True)
    return labels


def without_text(collection: str) -> str:
    """Say that a collection has no texts, and what to do where they are elsewhere."""
    from boilerplate_ds.labeling.collection import document_files

    if document_files(Path(collection)):
        return "labels without text; its documents/*.jsonl hold no document"
    return f"labels without text; run: boilerplate-ds hydrate {collection} --from FOLDER"


def require_input(pages: Sequence[str]) -> None:
    """Refuse to run if none of ``pages`` is there; if only some are missing, those are rejects."""
    from boilerplate_ds.sources.paths import find_files
    from boilerplate_ds.sources.stream import STDIN

    missing = []
    for found in find_files(pages):
        if isinstance(found, Reject):
            missing.append(str(found))
        elif found.path == STDIN or os.path.lexists(found.path):
            return
        else:
            missing.append(f"{found.path}: no such file")
    raise BoilerplateError("; ".join(missing))


def is_input(out: Path, pages: Sequence[str]) -> bool:
    """Whether a file to write is one of those that ``pages`` stand for."""
    from boilerplate_ds.sources.paths import FoundFile, find_files

    if not out.is_file():
        return False
    where = os.path.realpath(out)
    return any(isinstance(f, FoundFile) and os.path.realpath(f.path) == where for f in find_files(pages))


@contextmanager
def ending_as_interrupted() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does: what is half done is cleared away."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGTERM)
    if before in (None, signal.SIG_IGN) or threading.current_thread() is not threading.main_thread():
        yield  # somebody else decides about signals
        return
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def output(path: Path | None) -> Iterator[Callable[[bytes], Any]]:
    """Open standard output, or a file that appears whole or not at all."""
    if path is None or str(path) == "-":
        if sys.stdout is None:
            raise BoilerplateError("standard output is closed; name a file: -o FILE")
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    if path.exists() and not path.is_file():  # a device or a pipe: nothing can be renamed into its place
        with path.open("wb") as handle:
            yield handle.write
        return
    path = Path(os.path.realpath(path))  # a link stays one
    if not path.parent.is_dir():
        raise BoilerplateError(f"{path.parent}: no such folder to write {path.name} to; make it first")
    aside = path.with_name(f".{path.name}.{token_hex(4)}")
    with ending_as_interrupted():
        try:
            with aside.open("xb") as handle:
                yield handle.write
            aside.replace(path)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                error.filename = str(path)
            raise
        finally:
            aside.unlink(missing_ok=True)


def json_line(record: Mapping[str, Any]) -> bytes:
    """One line of UTF-8; half a character becomes its escape, which JSON knows and UTF-8 does not."""
    return (json.dumps(record, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
