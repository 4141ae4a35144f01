"""Labelling by people: ``label``."""

from __future__ import annotations

import getpass
import json
import socket
import sys
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boilerplate_ds.cli.console import (
    SHOWN_REJECTS,
    FiniteRange,
    file,
    folder,
    format_option,
    require_input,
    text_column_option,
)
from boilerplate_ds.errors import BoilerplateError, LabelError, Rejects
from boilerplate_ds.invisible import show_invisible
from boilerplate_ds.shipped import RELEASED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from boilerplate_ds.document import Document
    from boilerplate_ds.labeling.session import Session
    from boilerplate_ds.labeling.suggestions import Suggestion


@click.command()
@click.argument("pages", nargs=-1, required=True)
@click.option(
    "-o", "--out", type=folder, help="Collection that pages become, if PAGES is none.  [default: labels/NAME]"
)
@click.option("--annotators", help="Who labels, such as ana,ben.  [default: your user name]")
@click.option(
    "--overlap",
    type=FiniteRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share that two people label.",
)
@click.option("--queue", type=file, help="Only the pages of this queue file, in its order.")
@click.option(
    "--adjudicate", is_flag=True, help="Settle lines: where annotators disagree, or those that --queue names."
)
@click.option(
    "--model",
    default=RELEASED,
    show_default=True,
    help="Model that suggests labels where nothing has; none: no one.",
)
@click.option("--suggestions", "source", help="Whose suggestions to show, such as rules.")
@click.option("--terminal", is_flag=True, help="Label in this terminal instead of the browser.")
@click.option("--as", "me", help="Who of the annotators labels here.  [default: you, else the first]")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to serve on; others need links."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any free one."
)
@click.option("--host-name", multiple=True, help="Further name that the server is reached by.")
@click.option("--browser/--no-browser", default=True, help="Whether to open the page.")
@text_column_option
@format_option
@click.option("--json", "as_json", is_flag=True, help="Print the addresses as JSON.")
def label(
    *,
    pages: tuple[str, ...],
    out: Path | None,
    annotators: str | None,
    overlap: float,
    queue: Path | None,
    adjudicate: bool,
    model: str,
    source: str | None,
    terminal: bool,
    me: str | None,
    host: str,
    port: int,
    host_name: tuple[str, ...],
    browser: bool,
    text_column: str | None,
    format_: str | None,
    as_json: bool,
) -> None:
    """Label the lines of pages, in the browser or with --terminal in the terminal.

    PAGES is a collection, or pages in any format, which become a collection first. Every change is on disk
    before the page says so. Beyond this machine (--host) each annotator needs the link that is printed.

    \b
    Example:
      boilerplate-ds label pages/*.html -o labels/mine
      boilerplate-ds label labels/mine --annotators ana,ben --overlap 0.2 --host 0.0.0.0
      boilerplate-ds label labels/mine --adjudicate
      boilerplate-ds label labels/mine --terminal --annotators ana,ben --as ben
    """
    if me is not None and not terminal:
        raise click.UsageError("--as is for --terminal; in the browser each annotator has a link")
    _require(*(["textual"] if terminal else ["starlette", "uvicorn", "markdown_it"]))
    from boilerplate_ds.labeling.queue import read_queue
    from boilerplate_ds.labeling.session import Session

    names = [name.strip() for name in annotators.split(",")] if annotators else [_user()]
    if terminal:
        _check_terminal(names, me)
    rejects = Rejects()
    try:
        session = Session(
            _collection(pages, out, format_, text_column, rejects),
            names,
            overlap=overlap,
            queue=read_queue(queue, rejects) if queue else None,
            adjudicate=adjudicate,
            source=source,
            suggest=None if model == "none" else _suggester(model),
            rejects=rejects,
        )
    finally:
        _report(rejects)
    if terminal:
        _label_here(session, me)
    else:
        tell = _tell(session, browser=browser, as_json=as_json)
        _label_in_browser(session, host, port, host_name, tell)
    if rejects.count:
        sys.exit(1)


def _label_in_browser(
    session: Session,
    host: str,
    port: int,
    host_names: tuple[str, ...],
    ready: Callable[[Mapping[str, str]], None],
) -> None:
    from boilerplate_ds.labeling.web import Access, serve
    from boilerplate_ds.labeling.web.access import annotator_tokens, is_loopback

    own = () if is_loopback(host) else (socket.gethostname(), socket.getfqdn())
    tokens = {} if is_loopback(host) else annotator_tokens(session.folder, session.annotators)
    serve(session, Access(frozenset((*host_names, *own)), tokens), host=host, port=port, ready=ready)


def _report(rejects: Rejects) -> None:
    """Say what was left out before the session begins, which may last for days, or why it cannot begin."""
    for item in rejects.items[:SHOWN_REJECTS]:
        click.echo(f"rejected: {show_invisible(str(item))}", err=True)
    if rejects.count:
        click.echo(f"{rejects.count:,} bad records were left out", err=True)


def _check_terminal(names: Sequence[str], me: str | None) -> None:
    if me not in (None, *names):
        raise BoilerplateError(f"{me!r} is none of the annotators: {', '.join(names)}")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BoilerplateError("--terminal needs a terminal; over ssh, run it with ssh -t")


def _label_here(session: Session, me: str | None) -> None:
    from boilerplate_ds.labeling.terminal import LabelApp

    names = session.annotators
    LabelApp(session, me or (_user() if _user() in names else names[0])).run()


def _require(*modules: str) -> None:
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise BoilerplateError(
            f"labelling needs {', '.join(missing)}; run: pip install 'boilerplate-ds[label]'"
        )


def _collection(
    pages: tuple[str, ...], out: Path | None, format_: str | None, text_column: str | None, rejects: Rejects
) -> Path:
    from boilerplate_ds.labeling.collect import add_documents, is_collection
    from boilerplate_ds.sources import read_documents

    if len(pages) == 1 and is_collection(pages[0]):
        return Path(pages[0])
    require_input(pages)
    collection = out or Path("labels") / (Path(pages[0]).name.partition(".")[0] or "pages")
    documents = read_documents(pages, format=format_, text_column=text_column, rejects=rejects)
    added = add_documents(collection, documents, rejects)
    click.echo(f"{added:,} new pages in {collection}", err=True)
    return collection


def _suggester(model: str) -> Callable[[Document], Suggestion]:
    """Suggest what a model says; it is loaded when the first page is opened."""
    import numpy as np

    from boilerplate_ds.cleaning import Cleaner
    from boilerplate_ds.cli.prelabel import source_of_model
    from boilerplate_ds.labeling.suggestions import Suggestion

    cleaner = Cleaner(model)
    name = source_of_model(model)

    def suggest(document: Document) -> Suggestion:
        lines = cleaner.label(document)
        return Suggestion(
            doc_id=document.id,
            text_sha256=document.text_sha256,
            source=name,
            labels=np.array([line.label.id for line in lines], dtype=np.int8),
            scores=np.array([line.score for line in lines], dtype=np.float32),
        )

    return suggest


def _tell(session: Session, *, browser: bool, as_json: bool) -> Callable[[Mapping[str, str]], None]:
    def tell(addresses: Mapping[str, str]) -> None:
        if as_json:
            click.echo(json.dumps({"collection": str(session.folder), "addresses": dict(addresses)}))
        else:
            width = max(map(len, addresses))
            for name, address in addresses.items():
                click.echo(f"{name:<{width}}  {len(session.queue(name)):>5,} pages  {address}")
            click.echo("Ctrl+C ends it; whatever the page calls saved is on disk.")
        if browser:
            webbrowser.open(next(iter(addresses.values())))

    return tell


def _user() -> str:
    from boilerplate_ds.labeling.store import check_annotator

    try:
        return check_annotator(getpass.getuser())
    except (LabelError, OSError, KeyError):
        return "me"
