"""Models on the Hugging Face Hub: pulled by name and revision, checked like any stranger's, and pushed.

Three files are fetched and no other: ``config.json``, ``model.safetensors`` and ``README.md``. The revision
is resolved once, so all three are of one commit; the weights must have the checksum that the config names.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boilerplate_ds.checksums import sha256_of_file
from boilerplate_ds.dataset.hub import push_folder, speaks_to_hub
from boilerplate_ds.errors import ModelError
from boilerplate_ds.model.persistence import (
    CONFIG,
    MAX_CONFIG_BYTES,
    MAX_WEIGHT_BYTES,
    WEIGHTS,
    load_model,
    read_config,
)
from boilerplate_ds.shipped import RELEASED, shipped

if TYPE_CHECKING:
    from boilerplate_ds.dataset.hub import PushReport

CARD = "README.md"
EVALUATION = "evaluation.json"
MAX_CARD_BYTES = 2**20
_NAME = re.compile(
    r"(?P<repo>[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95})"
    r"(?:@(?P<revision>[A-Za-z0-9._/-]{1,200}))?"
)
_PUSHED = (CARD, CONFIG, EVALUATION, WEIGHTS)


def find_model(model: str | Path) -> Path:
    """Find the folder of a model: the one that is named, a shipped one, or that of a repository on the Hub.

    Parameters
    ----------
    model : str or Path
        A folder; or, if there is none, ``web``, which comes with the package, ``user/repo`` or
        ``user/repo@revision`` (branch, tag or commit).

    Raises
    ------
    ModelError
        If there is neither, or what the Hub holds is not a sound model.
    BoilerplateError
        If the installation lacks the shipped one.
    """
    folder = Path(model)
    if (folder / CONFIG).is_file():
        return folder.resolve()
    if model == RELEASED:
        return shipped(f"models/{model}")
    match = _NAME.fullmatch(model) if isinstance(model, str) and not folder.exists() else None
    if match is None:
        raise ModelError(f"{model}: no model there; a model is a folder with {CONFIG} and {WEIGHTS}")
    return pull_model(match["repo"], match["revision"])


def pull_model(repo: str, revision: str | None = None) -> Path:
    """Fetch a model from the Hub into the cache of ``huggingface_hub``, unless it is there.

    Parameters
    ----------
    repo : str
        ``user/name``.
    revision : str, optional
        Branch, tag or commit. Only a commit always names the same model.

    Returns
    -------
    Path
        Folder with the files of one commit.

    Raises
    ------
    ModelError
        If it cannot be had, is too large, or fails its checks.
    """
    name = f"{repo}@{revision}" if revision else repo
    config = _fetch(name, repo, CONFIG, revision, MAX_CONFIG_BYTES)
    folder = config.parent
    expected = read_config(folder)
    commit = folder.name
    is_here = (folder / WEIGHTS).is_file()
    weights = _fetch(name, repo, WEIGHTS, commit, MAX_WEIGHT_BYTES)
    if sha256_of_file(weights) != expected.get("sha256"):
        raise ModelError(
            f"{name}: {WEIGHTS} has not the checksum in {CONFIG}; it is damaged or was exchanged. "
            f"If the repository is sound, remove {weights.resolve()} and try again"
        )
    if not is_here:
        _fetch_card(repo, commit)
    return folder


def _fetch(name: str, repo: str, file: str, revision: str | None, max_bytes: int) -> Path:
    @speaks_to_hub(ModelError)
    def fetch() -> Path:
        return _download(repo, file, revision, max_bytes)

    try:
        return fetch()
    except ModelError as error:
        reason = str(error)
    raise ModelError(f"{name}: no model there: not a folder, and as a repository on the Hub: {reason}")


def _download(repo: str, file: str, revision: str | None, max_bytes: int) -> Path:
    """Fetch one file if the Hub says that its size is sensible; from the cache if the Hub is not there."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache

    cached = try_to_load_from_cache(repo, file, revision=revision)
    if isinstance(cached, str) and Path(cached).parent.name == revision:  # a commit never changes
        return Path(cached)
    try:
        size = get_hf_file_metadata(hf_hub_url(repo, file, revision=revision)).size
    except Exception:
        if isinstance(cached, str):  # the last one seen serves while the Hub is not there
            return Path(cached)
        raise
    if size is None or size > max_bytes:
        has = "has an unknown size" if size is None else f"has {size:,} bytes"
        raise ModelError(f"{file} {has}; a model's has at most {max_bytes:,} bytes")
    return Path(hf_hub_download(repo, file, revision=revision, library_name="boilerplate-ds"))


def _fetch_card(repo: str, commit: str) -> None:
    """Fetch the card, which says what a model is and under which licence; a model works without."""

    @speaks_to_hub(ModelError)
    def fetch() -> Path:
        return _download(repo, CARD, commit, MAX_CARD_BYTES)

    try:
        fetch()
    except ModelError:
        return


def is_model(folder: Path) -> bool:
    """Whether a folder holds a model."""
    return (folder / CONFIG).is_file()


def push_model(folder: Path, repo: str, **options: Any) -> PushReport:
    """Push a model; options as for :func:`~boilerplate_ds.dataset.hub.push_folder`.

    Raises
    ------
    ModelError
        If the folder holds no sound model.
    HubError
        As for ``push_folder``.
    """
    load_model(folder)
    files = [name for name in _PUSHED if (folder / name).is_file()]
    replaces = re.compile("|".join(map(re.escape, _PUSHED)))
    return push_folder(folder, files, repo, repo_type="model", replaces=replaces, **options)
