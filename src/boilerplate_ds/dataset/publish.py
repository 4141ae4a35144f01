"""An exported set to the Hugging Face Hub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from boilerplate_ds.checksums import sha256_of_file
from boilerplate_ds.dataset.card import MARK
from boilerplate_ds.dataset.croissant import CROISSANT
from boilerplate_ds.dataset.export import CARD, EXPORTED_FILE
from boilerplate_ds.dataset.hub import push_folder
from boilerplate_ds.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

    from boilerplate_ds.dataset.hub import PushReport


def push_dataset(folder: Path, repo: str, **options: Any) -> PushReport:
    """Push an exported set; options as for :func:`push_folder`.

    Raises
    ------
    DatasetError
        If the folder is no export, or not as it was written.
    HubError
        As for :func:`push_folder`.
    """
    files = _checked_files(folder)
    return push_folder(folder, files, repo, repo_type="dataset", replaces=EXPORTED_FILE, **options)


def _checked_files(folder: Path) -> list[str]:
    """List the files of an export, whose checksums must be those of its Croissant description."""
    try:
        card = (folder / CARD).read_text("utf-8")
        described = json.loads((folder / CROISSANT).read_text("utf-8"))["distribution"]
        sums = {part["contentUrl"]: part["sha256"] for part in described if "contentUrl" in part}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DatasetError(f"{folder}: is no export ({error}); run: boilerplate-ds export") from error
    if MARK not in card:
        raise DatasetError(f"{folder}: its {CARD} was not written by export; run: boilerplate-ds export")
    found = [path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet")]
    if set(found) != set(sums) or any(sha256_of_file(folder / path) != sums[path] for path in found):
        raise DatasetError(
            f"{folder}: its files are not those that {CROISSANT} names; export the labels again"
        )
    return [CARD, CROISSANT, *sorted(found)]
