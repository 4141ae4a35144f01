"""Publishing: ``push``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boilerplate_ds.cli.console import json_option, progress_bars

if TYPE_CHECKING:
    from boilerplate_ds.dataset.hub import PushReport


@click.command()
@click.argument("repo")
@click.argument(
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path("build/dataset"),
)
@click.option("--private", is_flag=True, help="Make the repository a private one.")
@click.option("--revision", default="main", show_default=True, help="Branch; made if it is not there.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent and change nothing.")
@json_option
def push(*, repo: str, folder: Path, private: bool, revision: str, dry_run: bool, as_json: bool) -> None:
    """Publish a dataset or a model on the Hugging Face Hub, in one commit.

    REPO is user/name; FOLDER is what export or train wrote [default: build/dataset]. The token is that of
    `hf auth login` or HF_TOKEN; HF_ENDPOINT names another Hub. A push that was interrupted is run again and
    sends only what is missing.

    \b
    Example:
      boilerplate-ds push me/my-lines --private
      boilerplate-ds push me/my-lines build/dataset --dry-run
      boilerplate-ds push me/my-model models/mine --revision v2
    """
    from huggingface_hub.utils.tqdm import disable_progress_bars

    from boilerplate_ds.dataset.publish import push_dataset
    from boilerplate_ds.model.hub import is_model, push_model

    disable_progress_bars()  # one bar for the whole push instead of one a file
    publish = push_model if is_model(folder) else push_dataset
    with progress_bars() as tell:
        report = publish(folder, repo, private=private, revision=revision, dry_run=dry_run, progress=tell)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        _print_push(report)


def _print_push(report: PushReport) -> None:
    for file in report.files:
        click.echo(f"{file.change:<10}{file.size:>14,}  {file.path}")
    if report.unreachable:
        click.echo(f"note      the Hub was not asked what it has: {report.unreachable}", err=True)
    if report.is_new:
        click.echo(f"{'new':<10}{report.repo_type} {report.repo}")
    click.echo(f"{'nothing was sent' if report.commit is None else report.commit}  {report.url}")
