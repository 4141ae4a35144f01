"""Which files a folder, a pattern or a list stands for, and in which order."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from boilerplate_ds.errors import Rejects, SourceError
from boilerplate_ds.sources import read_documents

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def ids(path: str | Path | Iterable[str | Path]) -> list[str]:
    return [document.id for document in read_documents(path)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = (
        "b.txt",
        "a/z.md",
        "a/b/c.html",
        "c.jsonl",
        ".hidden.txt",
        ".git/x.txt",
        "photo.png",
        "notes.docx",
        "Makefile",
    )
    for name in files:
        path = tmp_path / "pages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"text": "one"}\n')
    return tmp_path / "pages"


def test_a_folder_is_read_with_all_below_it_by_name(folder: Path) -> None:
    assert ids(folder) == ["a/b/c.html", "a/z.md", "b.txt", "c.jsonl#1"]


def test_the_source_is_the_path_as_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    sources = [document.source for document in read_documents("pages")]
    assert sources[0] == os.path.join("pages", "a", "b", "c.html")  # noqa: PTH118
    assert next(read_documents("pages/b.txt")).source == "pages/b.txt"


def test_a_pattern_names_files_below_its_fixed_part(folder: Path) -> None:
    assert ids(f"{folder}/*.txt") == ["b.txt"]
    assert ids(f"{folder}/**/*.[mh]*") == ["a/b/c.html", "a/z.md"]


def test_a_file_named_like_a_pattern_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "page [1].txt").write_text("one")
    assert ids(tmp_path / "page [1].txt") == ["page [1].txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_a_name_that_is_not_utf_8_makes_an_id_that_is(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    with open(path, "w") as file:  # noqa: PTH123  a Path has no bytes
        file.write("one")
    for given in (tmp_path, tmp_path / "*.txt", os.fsdecode(path)):
        (document,) = read_documents(given)
        assert (document.id, document.source) == ("caf%E9.txt", os.fsdecode(path))


def test_several_paths_are_read_one_after_the_other(folder: Path) -> None:
    assert ids([folder / "c.jsonl", str(folder / "a")]) == ["c.jsonl#1", "b/c.html", "z.md"]


def test_a_file_that_several_paths_stand_for_is_read_once(folder: Path) -> None:
    assert ids([folder / "a" / "b" / "c.html", folder / "a", f"{folder}/./a/z.md"]) == ["c.html", "z.md"]


def test_a_file_named_by_the_user_is_read_whatever_its_suffix(folder: Path) -> None:
    assert ids([folder / "Makefile", folder / ".hidden.txt"]) == ["Makefile#1", ".hidden.txt"]


def test_linked_folders_and_pipes_are_passed_over(folder: Path) -> None:
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.txt")
    assert len(ids(folder)) == 4


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.txt", "cannot be read: No such file or directory"),
        ("missing/*.txt", "no file matches the pattern"),
        ("empty", "holds no pages"),
        ("a\0b.txt", "cannot be read"),
    ],
)
def test_paths_without_pages_are_named(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "photo.png").write_bytes(b"\x89PNG\r\n")
    path = str(tmp_path / name)
    with pytest.raises(SourceError, match=reason) as caught:
        ids(path)
    assert str(caught.value).startswith(path)
    rejects = Rejects()
    assert list(read_documents(path, rejects=rejects)) == []
    assert rejects.count == 1


def test_what_cannot_be_read_does_not_stop_the_rest(folder: Path) -> None:
    (folder / "a0.txt").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "gone.txt").symlink_to(folder / "nowhere.txt")
    rejects = Rejects()
    read = [document.id for document in read_documents(folder, rejects=rejects)]
    assert read == ["a/b/c.html", "a/z.md", "b.txt", "c.jsonl#1"]
    assert [reject.file for reject in rejects.items] == [str(folder / "a0.txt"), str(folder / "gone.txt")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission_is_a_reject(folder: Path) -> None:
    (folder / "b.txt").chmod(0)
    rejects = Rejects()
    assert len(list(read_documents(folder, rejects=rejects))) == 3
    assert "Permission denied" in rejects.items[0].reason


def test_a_damaged_saved_dataset_is_named(tmp_path: Path) -> None:
    (tmp_path / "dataset_info.json").write_text("{}")
    (tmp_path / "state.json").write_text("{}")
    with pytest.raises(SourceError, match=r"state\.json of the saved dataset is damaged"):
        ids(tmp_path)
