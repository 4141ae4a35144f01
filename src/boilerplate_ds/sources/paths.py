"""Which files a path stands for: a file, a folder, a pattern, a saved dataset, standard input."""

from __future__ import annotations

import glob
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boilerplate_ds.errors import Reject, SourceError
from boilerplate_ds.sources.detect import is_page_name
from boilerplate_ds.sources.stream import STDIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PathLike = str | os.PathLike[str]

_DATASET_FILES = ("dataset_info.json", "state.json")
_DATASET_DICT_FILE = "dataset_dict.json"
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
"""How Python holds bytes of a path that are not UTF-8."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to read.

    Parameters
    ----------
    path : str
        The path as given; within a folder, the folder's path with the rest behind it.
    name : str
        What document ids start with.
    """

    path: str
    name: str

    @classmethod
    def of(cls, path: str, name: str) -> FoundFile:
        """Name a file; a byte that is not UTF-8 becomes ``%E9`` or the like, as ids go into JSON."""
        return cls(path, _NOT_UTF8.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", name))


def find_files(path: PathLike | Iterable[PathLike]) -> Iterator[FoundFile | Reject]:
    """Give the files that a path, or each of several paths, stands for, in a fixed order.

    A file that several of them stand for comes once.
    """
    if isinstance(path, str | os.PathLike):
        yield from _find(os.fspath(path))
        return
    paths = [os.fspath(each) for each in path]
    seen: set[str] = set()
    for found in (found for each in paths for found in _find(each)):
        if isinstance(found, FoundFile) and len(paths) > 1:
            where = os.path.normpath(found.path)
            if where in seen:
                continue
            seen.add(where)
        yield found


def check_splits(found: FoundFile | Reject) -> None:
    """Refuse a file of a saved ``DatasetDict`` if the path that it was found by stands for several splits.

    Raises
    ------
    SourceError
    """
    if not isinstance(found, FoundFile) or not found.name.endswith(".arrow") or "/" not in found.name:
        return
    folder = Path(found.path).parent.parent
    if not (folder / _DATASET_DICT_FILE).is_file():
        return
    splits = sorted(path.parent.name for path in folder.glob(f"*/{_DATASET_FILES[1]}"))
    if len(splits) > 1:
        split = "train" if "train" in splits else splits[0]
        raise SourceError(
            f"{folder} holds several splits ({', '.join(splits)}), which would be mixed; "
            f"name one split, such as {folder / split}"
        )


def walked_folder(path: str) -> Path | None:
    """Give the folder of which a path stands for all that is below it; None if it stands for less."""
    if path == STDIN:
        return None
    if Path(path).is_dir():
        return Path(path)
    if "**" in Path(path).parts and not os.path.lexists(path):
        return Path(*_fixed_parts(path))
    return None


def _find(path: str) -> Iterator[FoundFile | Reject]:
    if path == STDIN:
        yield FoundFile(STDIN, "stdin")
    elif Path(path).is_dir():
        yield from _in_folder(path)
    elif glob.has_magic(path) and not os.path.lexists(path):
        yield from _matching(path)
    else:
        yield FoundFile.of(path, Path(path).name)


def _in_folder(folder: str) -> Iterator[FoundFile | Reject]:
    found = False
    for item in _walk(Path(folder)):
        found = True
        if isinstance(item, Reject):
            yield item
        else:
            yield FoundFile.of(str(item), item.relative_to(folder).as_posix())
    if not found:
        yield Reject(
            folder, "", "holds no pages (files with a known suffix); name files or a pattern to read others"
        )


def _matching(pattern: str) -> Iterator[FoundFile | Reject]:
    root = Path(*_fixed_parts(pattern))
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
    for match in matches:
        if Path(match).is_dir():
            continue
        yield FoundFile.of(match, Path(match).relative_to(root).as_posix())
    if not matches:
        yield Reject(pattern, "", "no file matches the pattern")


def _fixed_parts(pattern: str) -> list[str]:
    """Give the folders of a pattern that stand before its first wildcard."""
    parts = Path(pattern).parts
    fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return list(parts[:fixed])


def _walk(folder: Path) -> Iterator[Path | Reject]:
    """Give the page files under a folder, by name; hidden files and links to folders are passed over."""
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        try:
            if not path.is_dir():
                if path.is_file() or not path.exists():  # not a pipe, which would block
                    yield path
                continue
            waiting += reversed(list(_children(path)))
        except (OSError, SourceError) as error:
            yield Reject(str(path), "", f"cannot be listed: {error}")


def _children(folder: Path) -> Iterator[Path]:
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if all(name in names for name in _DATASET_FILES):
        yield from _dataset_files(folder)
        return
    for name in names:
        path = folder / name
        if path.is_dir():
            if not path.is_symlink():
                yield path
        elif is_page_name(name) and name != _DATASET_DICT_FILE:
            yield path


def _dataset_files(folder: Path) -> Iterator[Path]:
    """Give the Arrow files that a saved Hugging Face dataset names, in their order."""
    try:
        state = json.loads((folder / "state.json").read_bytes())
        names = [Path(file["filename"]).name for file in state["_data_files"]]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise SourceError("state.json of the saved dataset is damaged; save the dataset again") from error
    yield from (folder / name for name in names)
