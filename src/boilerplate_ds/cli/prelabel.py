"""Automatic labelling: ``prelabel``."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from boilerplate_ds.cli.console import (
    INTERRUPTED,
    FiniteRange,
    end,
    folder,
    json_option,
    progress_bars,
    tell_rejects,
    told,
)
from boilerplate_ds.cli.rules import chosen_rules, fitted_model, rules_option
from boilerplate_ds.errors import EndpointError, LabelError, Rejects
from boilerplate_ds.invisible import show_invisible
from boilerplate_ds.shipped import RELEASED, shipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from boilerplate_ds.document import Document
    from boilerplate_ds.labeling.collection import Collection
    from boilerplate_ds.labeling.llm.cache import AnswerCache
    from boilerplate_ds.labeling.llm.endpoint import Usage
    from boilerplate_ds.labeling.suggestions import Suggestion

    Tell = Callable[[str, float], None]

_BATCH = 64
_MAX_NAME = 64
_NOT_LAST = "._@+-"
_UNSAFE = re.compile("[^A-Za-z0-9._@+-]+")


@dataclass(slots=True)
class _Run:
    """A run of ``prelabel``: where suggestions go, and what became of the documents."""

    collection: Collection
    source: str
    waiting: list[Document]
    rejects: Rejects
    tell: Tell
    suggested: int = 0
    failed: int = 0
    usage: Usage | None = None
    n_waiting: int = field(init=False)

    def __post_init__(self) -> None:
        self.n_waiting = len(self.waiting)

    def done(self, document: Document, outcome: Suggestion | LabelError) -> None:
        """Write the suggestion for a document, or note why there is none."""
        from boilerplate_ds.labeling.suggestions import append_suggestion

        if isinstance(outcome, LabelError):
            self.failed += 1
            self.rejects.add(self.collection.folder, f"document {document.id}", str(outcome))
        else:
            append_suggestion(self.collection.folder, outcome)
            self.suggested += 1
        self.tell("Labelling", (self.suggested + self.failed) / self.n_waiting)


@dataclass(frozen=True, slots=True)
class _LlmOptions:
    model: str
    base_url: str | None
    key_variable: str
    concurrency: int
    window: int
    timeout: float
    prices: tuple[float, float]


@click.command()
@click.argument("collection", type=folder)
@click.option(
    "--with",
    "method",
    type=click.Choice(["rules", "model", "llm"]),
    required=True,
    help="Who suggests: the labelling rules, a trained model, or a language model behind an address.",
)
@click.option(
    "--model",
    help="model: shipped model or folder of a model [default: web]; llm: name of the model at the endpoint.",
)
@rules_option
@click.option("--base-url", help="llm: address of the endpoint [default: $OPENAI_BASE_URL, else OpenAI's].")
@click.option(
    "--key-env", default="OPENAI_API_KEY", show_default=True, help="llm: variable that holds the key."
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=4,
    show_default=True,
    help="llm: requests at a time.",
)
@click.option(
    "--window",
    type=click.IntRange(500),
    default=6000,
    show_default=True,
    help="llm: tokens of a page to ask for at once; longer pages are cut, with overlap.",
)
@click.option(
    "--timeout",
    type=FiniteRange(1),
    default=180,
    show_default=True,
    help="llm: seconds for one attempt.",
)
@click.option(
    "--prices",
    type=(FiniteRange(0), FiniteRange(0)),
    default=(0, 0),
    metavar="IN OUT",
    help="llm: prices of a million tokens sent and received.",
)
@click.option("--dry-run", is_flag=True, help="llm: print the first question and the estimate; ask nothing.")
@click.option("--again", is_flag=True, help="Label documents again that have a suggestion of this source.")
@json_option
def prelabel(
    *,
    collection: Path,
    method: str,
    model: str | None,
    rules_file: Path | None,
    base_url: str | None,
    key_env: str,
    concurrency: int,
    window: int,
    timeout: float,
    prices: tuple[float, float],
    dry_run: bool,
    again: bool,
    as_json: bool,
) -> None:
    """Suggest labels for the documents of a collection, for people to accept or change.

    Suggestions are written one by one to suggestions/<source>.jsonl in the collection. A run that was stopped
    goes on where it ended: documents that have a suggestion of the source are passed over.

    \b
    Example:
      boilerplate-ds prelabel labels/mine --with model
      boilerplate-ds prelabel labels/mine --with llm --model qwen3 --base-url http://localhost:11434/v1
    """
    from boilerplate_ds.labeling.collection import load_collection

    llm = _LlmOptions(model or "", base_url, key_env, concurrency, window, timeout, prices)
    if method == "llm" and not model:
        raise click.UsageError("--with llm needs --model: the name of a model at the endpoint")
    if dry_run and method != "llm":
        raise click.UsageError("--dry-run is for --with llm")
    if method != "rules" and rules_file is not None:
        raise click.UsageError("--rules is for --with rules")
    if method == "rules" and model is not None:
        raise click.UsageError("--model is for --with model and --with llm")
    rejects = told(Rejects())
    pages = load_collection(collection, rejects)
    source = _source(method, model, rules_file)
    waiting = _waiting(pages, source, again, rejects)
    if dry_run:
        _print_estimate(pages, waiting, _cache(pages, source, again), llm, as_json)
        return
    with progress_bars() as tell:
        run = _Run(pages, source, waiting, rejects, tell)
        try:
            if method == "rules":
                _by_rules(run, rules_file)
            elif method == "model":
                _by_model(run, model or RELEASED)
            else:
                _by_llm(run, llm, _cache(pages, source, again))
        except KeyboardInterrupt:
            click.echo(f"stopped after {run.suggested:,} documents; the same command goes on there", err=True)
            _tell_usage(run, llm)
            tell_rejects(click.get_current_context())
            sys.exit(INTERRUPTED)
        except EndpointError:
            _tell_usage(run, llm)
            raise
    _report(run, llm, as_json)
    end(rejects)


def _source(method: str, model: str | None = None, rules_file: Path | None = None) -> str:
    """Name of the suggestions, part of a file name; other models and rules have other names."""
    if method == "rules":
        if rules_file is None:
            return "rules"
        name = _UNSAFE.sub("-", f"rules-{rules_file.stem}")
        return _with_hash(name, sha256(rules_file.read_bytes()).hexdigest())
    if method == "model":
        return source_of_model(model or RELEASED)
    name = model or ""
    source = f"llm-{_UNSAFE.sub('-', name)}"[:_MAX_NAME].rstrip(_NOT_LAST)
    if source == f"llm-{name}":
        return source
    return _with_hash(source, sha256(name.encode("utf-8", "replace")).hexdigest())


def source_of_model(model: str) -> str:
    """Name a model by its folder and its weights, which may be trained anew there, or lie elsewhere."""
    from boilerplate_ds.cleaning import Cleaner
    from boilerplate_ds.model.persistence import read_config

    checksum = read_config(Cleaner(model).model_path).get("sha256")
    if checksum == read_config(shipped(f"models/{RELEASED}")).get("sha256"):
        return f"model-{RELEASED}"
    return _with_hash(_UNSAFE.sub("-", f"model-{Path(model).resolve().name}"), str(checksum))


def _with_hash(source: str, digest: str) -> str:
    return f"{source[: _MAX_NAME - 9].rstrip(_NOT_LAST)}-{digest[:8]}"


def _waiting(collection: Collection, source: str, again: bool, rejects: Rejects) -> list[Document]:
    """Documents with lines that have no suggestion of this source for the text they have now."""
    from boilerplate_ds.labeling.suggestions import read_suggestions

    known = {} if again else read_suggestions(collection.folder, rejects)

    def is_done(document: Document) -> bool:
        found = known.get(document.id, {}).get(source)
        return found is not None and found.text_sha256 == document.text_sha256

    return [d for d in collection.documents.values() if d.lines and not is_done(d)]


def _by_rules(run: _Run, rules_file: Path | None) -> None:
    from boilerplate_ds.labeling.rules import apply_rules
    from boilerplate_ds.labeling.suggestions import from_probabilities

    rules = chosen_rules(rules_file)
    model = fitted_model(rules, run.collection)
    for document in run.waiting:
        try:
            probabilities = model.probabilities(apply_rules(rules, document))
        except LabelError as error:
            run.done(document, error)
        else:
            run.done(document, from_probabilities(document, run.source, probabilities))


def _by_model(run: _Run, model: str) -> None:
    from boilerplate_ds.cleaning import Cleaner
    from boilerplate_ds.labeling.suggestions import from_probabilities

    loaded = Cleaner(model).model
    for start in range(0, len(run.waiting), _BATCH):
        batch = run.waiting[start : start + _BATCH]
        for document, probabilities in zip(batch, loaded.probabilities(batch), strict=True):
            run.done(document, from_probabilities(document, run.source, probabilities))


def _cache(collection: Collection, source: str, again: bool) -> AnswerCache:
    from boilerplate_ds.labeling.llm.cache import AnswerCache

    return AnswerCache(collection.folder / "llm-cache" / f"{source}.jsonl", anew=again)


def _by_llm(run: _Run, options: _LlmOptions, cache: AnswerCache) -> None:
    from boilerplate_ds.labeling.guidelines import guidelines_text
    from boilerplate_ds.labeling.llm.endpoint import Endpoint
    from boilerplate_ds.labeling.llm.labeler import LlmLabeler, label_documents

    endpoint = Endpoint(
        options.model,
        base_url=options.base_url,
        key_variable=options.key_variable,
        timeout=options.timeout,
    )
    run.usage = endpoint.usage
    labeler = LlmLabeler(
        endpoint,
        source=run.source,
        guidelines=guidelines_text(run.collection.folder),
        cache=cache,
        window_tokens=options.window,
    )

    async def ask() -> None:
        async with endpoint:
            await label_documents(labeler, run.waiting, concurrency=options.concurrency, done=run.done)

    asyncio.run(ask())


def _report(run: _Run, llm: _LlmOptions, as_json: bool) -> None:
    usage = run.usage
    passed = len(run.collection.documents) - run.n_waiting
    figures: dict[str, Any] = {
        "source": run.source,
        "suggested": run.suggested,
        "failed": run.failed,
        "passed_over": passed,
    }
    if usage is not None:
        figures["usage"] = asdict(usage) | {"cost": round(usage.cost(*llm.prices), 6)}
    if as_json:
        click.echo(json.dumps(figures, indent=2))
        return
    click.echo(f"{run.suggested:,} documents labelled by {run.source}, {passed:,} passed over")
    if usage is not None:
        click.echo(_usage_line(usage, llm))


def _tell_usage(run: _Run, llm: _LlmOptions) -> None:
    """Say what a run took that has ended early: it is charged all the same."""
    if run.usage is not None and run.usage.requests:
        click.echo(_usage_line(run.usage, llm), err=True)


def _usage_line(usage: Usage, llm: _LlmOptions) -> str:
    about = "about " if usage.estimated else ""
    cost = f", cost {usage.cost(*llm.prices):.4f}" if any(llm.prices) else ""
    return (
        f"{usage.requests:,} answers, {usage.cached:,} from the cache, {usage.retries:,} failed attempts "
        f"({about}{usage.prompt_tokens:,} tokens sent, {usage.completion_tokens:,} received){cost}"
    )


def _print_estimate(
    collection: Collection,
    waiting: list[Document],
    cache: AnswerCache,
    options: _LlmOptions,
    as_json: bool,
) -> None:
    """Print the first question, and about how much all of them would take."""
    from boilerplate_ds.labeling.guidelines import guidelines_text
    from boilerplate_ds.labeling.llm.labeler import estimate

    usage, first = estimate(waiting, guidelines_text(collection.folder), options.model, cache, options.window)
    cost = usage.cost(*options.prices)
    if as_json:
        figures = {"documents": len(waiting), **asdict(usage), "cost": round(cost, 6), "first": first}
        click.echo(json.dumps(figures, indent=2))
        return
    for message in first:
        lines = "\n".join(map(show_invisible, message["content"].split("\n")))
        click.echo(f"[{message['role']}]\n{lines}\n")
    click.echo(
        f"{len(waiting):,} documents, {usage.requests:,} questions, {usage.cached:,} answers from the cache, "
        f"about {usage.prompt_tokens:,} tokens to send and {usage.completion_tokens:,} to receive, reasoning "
        "aside" + (f", cost about {cost:.4f}" if any(options.prices) else "")
    )
