"""Downloads over a real connection: pinned, bounded, resumed."""

from __future__ import annotations

import hashlib
import os
import socket
from typing import TYPE_CHECKING

import pytest

from boilerplate_ds.errors import SourceError
from boilerplate_ds.labeling.download import RemoteFile, cache_folder, download

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import FileServer

BODY = os.urandom(700_000)


@pytest.fixture
def remote(file_server: FileServer) -> RemoteFile:
    file_server.body = BODY
    return RemoteFile(file_server.url, hashlib.sha256(BODY).hexdigest(), len(BODY))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "pages.jsonl"


def fetch(remote: RemoteFile, target: Path, attempts: int = 3) -> bytes:
    return download(remote, target, timeout=5, attempts=attempts, pause=0).read_bytes()


def names(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_a_file_is_fetched_once(file_server: FileServer, remote: RemoteFile, target: Path) -> None:
    steps: list[tuple[int, int]] = []
    download(remote, target, progress=lambda done, size: steps.append((done, size)))
    assert target.read_bytes() == BODY
    assert steps[-1] == (len(BODY), len(BODY))
    assert steps == sorted(set(steps))
    assert fetch(remote, target) == BODY
    assert file_server.ranges == [None]
    assert names(target) == ["pages.jsonl"]


def test_a_damaged_file_in_the_cache_is_fetched_again(remote: RemoteFile, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"damaged")
    assert fetch(remote, target) == BODY


def test_an_interrupted_transfer_goes_on_where_it_broke_off(
    file_server: FileServer, remote: RemoteFile, target: Path
) -> None:
    file_server.cut_after = [300_000, 200_000]
    assert fetch(remote, target) == BODY
    assert file_server.ranges == [None, "bytes=300000-", "bytes=500000-"]


def test_what_has_arrived_is_kept_for_the_next_run(
    file_server: FileServer, remote: RemoteFile, target: Path
) -> None:
    file_server.cut_after = [300_000]
    with pytest.raises(SourceError, match=r"300,000 of 700,000 bytes are kept in .*\.part, run it again"):
        fetch(remote, target, attempts=1)
    assert names(target) == ["pages.jsonl.part", "pages.jsonl.part.etag"]
    assert fetch(remote, target) == BODY
    assert file_server.ranges == [None, "bytes=300000-"]
    assert names(target) == ["pages.jsonl"]


@pytest.mark.parametrize(
    "change", [{"honours_ranges": False}, {"etag": '"v2"'}, {"wrong_range": True}], ids=str
)
def test_a_server_that_cannot_resume_sends_the_file_from_the_start(
    file_server: FileServer, remote: RemoteFile, target: Path, change: dict[str, object]
) -> None:
    file_server.cut_after = [300_000]
    with pytest.raises(SourceError):
        fetch(remote, target, attempts=1)
    for name, value in change.items():
        setattr(file_server, name, value)
    assert fetch(remote, target) == BODY


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_strong_etag_nothing_is_resumed(
    file_server: FileServer, remote: RemoteFile, target: Path, etag: str
) -> None:
    file_server.etag = etag
    file_server.cut_after = [300_000]
    assert fetch(remote, target) == BODY
    assert file_server.ranges == [None, None]


def test_a_part_that_the_server_cannot_have_sent_is_dropped(
    file_server: FileServer, remote: RemoteFile, target: Path
) -> None:
    target.parent.mkdir()
    (target.parent / "pages.jsonl.part").write_bytes(b"x" * 650_000)
    (target.parent / "pages.jsonl.part.etag").write_text('"v1"')
    file_server.body = BODY[:600_000]
    with pytest.raises(SourceError, match="600,000 bytes in all; the pinned file has 700,000"):
        fetch(remote, target)
    assert file_server.ranges == ["bytes=650000-", None]


def test_a_file_with_another_checksum_is_removed(
    file_server: FileServer, remote: RemoteFile, target: Path
) -> None:
    file_server.body = b"x" + BODY[1:]
    with pytest.raises(SourceError, match="not the pinned"):
        fetch(remote, target)
    assert names(target) == []
    file_server.body = BODY
    assert fetch(remote, target) == BODY


@pytest.mark.parametrize("announces_length", [True, False])
def test_a_body_over_the_pinned_size_is_not_read(
    file_server: FileServer, remote: RemoteFile, target: Path, announces_length: bool
) -> None:
    file_server.body = BODY * 20
    file_server.announces_length = announces_length
    with pytest.raises(SourceError, match="the pinned file has 700,000"):
        fetch(remote, target)
    assert not target.exists()
    assert (target.parent / "pages.jsonl.part").stat().st_size == 0


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (403, 1), (503, 3)])
def test_a_refusal_is_an_error_and_only_a_passing_one_is_tried_again(
    file_server: FileServer, remote: RemoteFile, target: Path, status: int, requests: int
) -> None:
    file_server.status = status
    with pytest.raises(SourceError, match=f"HTTP Error {status}"):
        fetch(remote, target)
    assert len(file_server.ranges) == requests


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host.example/x", "data:,x", "pages.jsonl"])
def test_only_http_is_fetched(remote: RemoteFile, file_server: FileServer, target: Path, url: str) -> None:
    with pytest.raises(SourceError, match="only http and https"):
        fetch(RemoteFile(url, remote.sha256, remote.size), target)
    if ":" in url:
        file_server.status, file_server.location = 302, url
        with pytest.raises(SourceError):
            fetch(remote, target)


def test_a_server_that_is_not_there_is_an_error(remote: RemoteFile, target: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/pages.jsonl"
        with pytest.raises(SourceError, match="refused"):
            fetch(RemoteFile(url, remote.sha256, remote.size), target)


def test_the_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOILERPLATE_DS_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("BOILERPLATE_DS_CACHE")
    assert cache_folder().parts[-2:] == (".cache", "boilerplate-ds")
