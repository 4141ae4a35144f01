"""``clean`` with a folder as its output, and its dry run."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import click

from boilerplate_ds.cli.console import (
    COLOURS,
    INTERRUPTED,
    SHOWN_REJECTS,
    ending_as_interrupted,
    progress_bars,
)
from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.errors import CorpusError
from boilerplate_ds.invisible import show_invisible
from boilerplate_ds.sources.stream import STDIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.table import Table
    from rich.text import Text

    from boilerplate_ds.cleaning import Cleaner
    from boilerplate_ds.cleaning.batches import CleanedPage
    from boilerplate_ds.cleaning.tally import Tally
    from boilerplate_ds.errors import Reject

SHOWN_LINES = 40
SHOWN_OF_RUN = 4
SHOWN_GROUPS = 10
LOG_WIDTH = 200


def to_folder(
    pages: Sequence[str],
    out: str,
    cleaner: Cleaner,
    reading: dict[str, Any],
    *,
    as_json: bool,
    to: str | None,
    extras: tuple[str, ...],
    workers: int | None,
    shard_size: float | None,
    restart: bool,
) -> None:
    """Clean into a folder of shards, then say what was removed."""
    from boilerplate_ds.cleaning.corpus import SHARD_BYTES, clean_corpus

    with _stopping(out, _goes_on(pages, out, restart=restart)) as tell:
        report = clean_corpus(
            pages,
            out,
            cleaner=cleaner,
            to="parquet" if to == "parquet" else "jsonl",
            extras=extras,
            workers=workers,
            shard_bytes=SHARD_BYTES if shard_size is None else max(1, int(shard_size * 2**20)),
            restart=restart,
            progress=tell,
            **reading,
        )
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        _print_tally(report.tally)
        resumed = f" ({report.resumed:,} of them from an earlier run)" if report.resumed else ""
        click.echo(f"shards    {report.shards:,}{resumed} in {out}")
    if rejected := report.tally.records["rejected"]:
        bad = "1 bad record was" if rejected == 1 else f"{rejected:,} bad records were"
        click.echo(f"{bad} left out; reasons in {out.rstrip('/')}/left_out", err=True)
        sys.exit(1)


def show_sample(pages: Sequence[str], cleaner: Cleaner, reading: dict[str, Any], *, as_json: bool) -> None:
    """Show what cleaning would do to a few pages, and count what it would do to a few hundred."""
    from boilerplate_ds.cleaning.corpus import sample_corpus

    shown, tally, rejects = sample_corpus(pages, cleaner=cleaner, **reading)
    if as_json:
        click.echo(json.dumps(tally.as_json(most=100), indent=2))
    else:
        for page in shown:
            _print_page(page)
        _print_tally(tally)
        click.echo(f"a sample of {tally.records['in']:,} from the start; nothing was written")
    _end(rejects)


def _end(rejects: Sequence[Reject]) -> None:
    for reject in rejects[:SHOWN_REJECTS]:
        click.echo(f"rejected: {show_invisible(str(reject))}", err=True)
    if rejects:
        sys.exit(1)


def _goes_on(pages: Sequence[str], out: str, *, restart: bool) -> str:
    """Say what becomes of a run that is stopped."""
    if STDIN in pages:
        return f"finished shards stay in {out}, but a run on standard input cannot go on"
    command = "the same command without --restart" if restart else "the same command"
    return f"finished shards stay in {out}, {command} goes on from there"


@contextmanager
def _stopping(out: str, goes_on: str) -> Iterator[Callable[[str, float], None]]:
    """End with one clear line on Ctrl-C, SIGTERM and a full disk; ``goes_on`` only if a run was opened.

    Gives the run's progress callback.
    """
    tail = ""
    try:
        with ending_as_interrupted(), progress_bars() as show:

            def tell(step: str, done: float) -> None:
                nonlocal tail
                tail = f"; {goes_on}"
                show(step, done)

            yield tell
    except KeyboardInterrupt:
        click.echo(f"stopped{tail}", err=True)
        sys.exit(INTERRUPTED)
    except OSError as error:
        raise CorpusError(f"{error.filename or out}: {error.strerror or error}{tail}") from error


def _print_page(page: CleanedPage) -> None:
    """Print a page's lines: kept ones plain, removed ones struck through in the colour of their label."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    kept = f"{int(page.keep.sum()):,} of {len(page.keep):,} lines kept"
    console.print(Text(f"{show_invisible(page.document.id)} ({kept})", "bold"), soft_wrap=True)
    for shown in islice(_shown_lines(page), SHOWN_LINES):
        shown.truncate(max(20, console.width - 1), overflow="ellipsis")
        console.print(shown, soft_wrap=True)
    console.print()


def _shown_lines(page: CleanedPage) -> Iterator[Text]:
    """Give the start of each run of kept and of removed lines, and how many more the run has."""
    from rich.text import Text

    lines = zip(page.document.lines, page.labels.tolist(), page.keep.tolist(), strict=True)
    for keep, group in groupby(lines, key=itemgetter(2)):
        run = list(group)
        for line, label, _ in run[:SHOWN_OF_RUN]:
            name = LABEL_NAMES[label]
            text = show_invisible(line)
            yield Text(f"  {text}") if keep else Text(f"{name[0]} {text}", f"strike {COLOURS[name]}")
        if len(run) > SHOWN_OF_RUN:
            what = "kept" if keep else "removed"
            yield Text(f"  … {len(run) - SHOWN_OF_RUN:,} more {what}", "dim")


def _print_tally(tally: Tally) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:  # nothing is cut to fit a log
        console = Console(width=LOG_WIDTH)
    for by, title in (("label", "Label"), ("language", "Language"), ("site", "Site")):
        console.print(_table(tally, by, title))
    records = tally.records
    click.echo(
        f"records   {records['in']:,} in = {records['out']:,} out + {records['empty']:,} empty "
        f"+ {records['rejected']:,} rejected"
    )


def _table(tally: Tally, by: str, title: str) -> Table:
    """Lay out what was removed, the groups that lost the most lines first."""
    from rich.table import Column, Table
    from rich.text import Text

    columns = ["Lines", "Removed", "%", "Characters", "Removed", "%"]
    with_documents = by != "label"
    table = Table(Column(title, overflow="fold"))
    for column in (["Documents"] if with_documents else []) + columns:
        table.add_column(column, justify="right", no_wrap=True, min_width=len(column))
    groups = tally.as_json(most=SHOWN_GROUPS)["by"][by]
    for name, counts in groups.items():
        cells = [f"{counts['documents']:,}"] if with_documents else []
        for kind in ("lines", "characters"):
            whole, removed = counts[kind], counts[f"removed_{kind}"]
            cells += [f"{whole:,}", f"{removed:,}", f"{100 * removed / whole:.0f}" if whole else ""]
        table.add_row(Text(show_invisible(name) or "(unknown)", COLOURS.get(name, "")), *cells)
    return table
