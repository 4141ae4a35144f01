"""Pushing to a Hub on loopback: one commit, only what is missing, and never a word about the token."""

from __future__ import annotations

import logging
import re
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import hub_server
from boilerplate_ds.dataset.export import export_dataset
from boilerplate_ds.dataset.hub import PushReport, push_folder, without_secrets
from boilerplate_ds.dataset.publish import push_dataset
from boilerplate_ds.errors import DatasetError, HubError
from hub_server import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from boilerplate_ds.dataset.gold import GoldDocument
    from hub_server import Hub

REPO = "me/my-lines"


@pytest.fixture
def dataset(tmp_path: Path, gold_pages: list[GoldDocument]) -> Path:
    export_dataset(gold_pages, tmp_path / "set", name="Test lines", guidelines="1")
    return tmp_path / "set"


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def held(hub: Hub, branch: str = "main") -> dict[str, bytes]:
    files = hub.repos["datasets", REPO].files(branch)
    return {path: data for path, data in files.items() if path != ".gitattributes"}


def changes(report: PushReport) -> dict[str, int]:
    return {change: len(report.of(change)) for change in ("new", "changed", "removed", "same")}


def test_a_new_repository_holds_the_folder_after_one_commit(hub: Hub, dataset: Path) -> None:
    report = push_dataset(dataset, REPO)
    assert held(hub) == contents(dataset)
    assert report.is_new
    assert report.commit == hub.repos["datasets", REPO].branches["main"]
    assert report.url == f"{hub.url}/datasets/{REPO}"
    assert hub.asked("POST", "/commit/") == 1
    assert not hub.repos["datasets", REPO].private
    assert changes(report) == {"new": 8, "changed": 0, "removed": 0, "same": 0}


def test_a_second_push_sends_nothing(hub: Hub, dataset: Path) -> None:
    first = push_dataset(dataset, REPO)
    again = push_dataset(dataset, REPO)
    assert again.commit == first.commit
    assert not again.is_new
    assert changes(again) == {"new": 0, "changed": 0, "removed": 0, "same": 8}
    assert hub.asked("POST", "/commit/") == 1


def test_a_changed_set_sends_what_changed_and_takes_old_shards_away(
    hub: Hub, dataset: Path, gold_pages: list[GoldDocument]
) -> None:
    push_dataset(dataset, REPO)
    repo = hub.repos["datasets", REPO]
    stale = {"documents/train-00001-of-00002.parquet": b"PAR1", "notes.txt": b"of somebody"}
    repo.commit("main", repo.files() | stale)
    renamed = [replace(item, annotators=("dora",)) for item in gold_pages]
    export_dataset(renamed, dataset, name="Test lines", guidelines="1")
    uploaded = len(hub.uploads)
    report = push_dataset(dataset, REPO)
    assert [file.path for file in report.of("removed")] == ["documents/train-00001-of-00002.parquet"]
    assert held(hub) == {**contents(dataset), "notes.txt": b"of somebody"}
    assert len(hub.uploads) - uploaded == 3  # the lines do not name annotators
    assert changes(report)["same"] == 3


def test_a_push_to_a_branch_leaves_main_alone(hub: Hub, dataset: Path) -> None:
    report = push_dataset(dataset, REPO, revision="draft")
    assert held(hub, "draft") == contents(dataset)
    assert held(hub) == {}
    assert report.revision == "draft"
    assert changes(push_dataset(dataset, REPO, revision="draft"))["same"] == 8


def test_a_private_repository_is_made_and_found_again(hub: Hub, dataset: Path) -> None:
    push_dataset(dataset, REPO, private=True)
    assert hub.repos["datasets", REPO].private
    assert changes(push_dataset(dataset, REPO, private=True))["same"] == 8


def test_what_is_to_be_private_does_not_go_into_a_public_repository(hub: Hub, dataset: Path) -> None:
    push_dataset(dataset, REPO)
    with pytest.raises(HubError, match="is there already and public"):
        push_dataset(dataset, REPO, private=True)


def test_a_dry_run_says_what_would_be_sent_and_changes_nothing(hub: Hub, dataset: Path) -> None:
    report = push_dataset(dataset, REPO, dry_run=True)
    assert (report.is_new, report.commit) == (True, None)
    assert changes(report)["new"] == 8
    assert hub.repos == {}
    push_dataset(dataset, REPO)
    report = push_dataset(dataset, REPO, dry_run=True, revision="not-yet-there")
    assert changes(report)["same"] == 8
    assert not any(method == "PUT" and "draft" in path for method, path in hub.requests)


def test_a_dry_run_needs_neither_network_nor_token(
    hub: Hub, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.delenv("HF_TOKEN")
    report = push_dataset(dataset, REPO, dry_run=True)
    assert "HF_HUB_OFFLINE" in report.unreachable
    assert changes(report)["new"] == 8


# -- interrupted


def test_a_passing_server_error_is_waited_out(hub: Hub, dataset: Path) -> None:
    hub.faults = [Fault("PUT", "/lfs/", status=503, times=2), Fault("POST", "/objects/batch", status=500)]
    push_dataset(dataset, REPO)
    assert held(hub) == contents(dataset)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT", "/lfs/", status=500, times=99, after=2),
        Fault("PUT", "/lfs/", times=99, after=2),
        Fault("POST", "/objects/batch", status=502, times=99),
        Fault("POST", "/commit/", status=500, times=99),
        Fault("POST", "/commit/", times=99),
    ],
    ids=["upload-500", "upload-cut", "batch-502", "commit-500", "commit-cut"],
)
def test_after_a_lasting_fault_a_rerun_completes_and_sends_only_what_is_missing(
    hub: Hub, dataset: Path, fault: Fault
) -> None:
    hub.faults = [replace(fault)]
    with pytest.raises(HubError):
        push_dataset(dataset, REPO)
    assert held(hub) == {}, "a reader would see half a set"
    uploaded = list(hub.uploads)
    hub.faults = []
    push_dataset(dataset, REPO)
    assert held(hub) == contents(dataset)
    assert len(hub.uploads) == len(set(hub.uploads)) == 6, "a file was sent twice"
    assert len(uploaded) == {"/lfs/": 2, "/objects/batch": 0, "/commit/": 6}[fault.path]


def test_after_kill_9_in_the_middle_of_an_upload_a_rerun_completes(
    hub: Hub, dataset: Path, hub_environment: dict[str, str]
) -> None:
    hub.stall_upload = 3
    command = [sys.executable, "-m", "boilerplate_ds.cli", "push", REPO, str(dataset)]
    process = subprocess.Popen(command, env=hub_environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    while not hub.is_stalling and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert held(hub) == {}
    assert len(hub.uploads) == 2
    hub.stall_upload = 0
    done = subprocess.run(command, env=hub_environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert held(hub) == contents(dataset)
    assert len(hub.uploads) == len(set(hub.uploads)) == 6


def test_a_push_does_not_overwrite_what_another_one_did_meanwhile(
    hub: Hub, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import HfApi

    hub.make("datasets", REPO, {})
    upload = HfApi.preupload_lfs_files

    def meanwhile(*args: Any, **kwargs: Any) -> None:
        hub.repos["datasets", REPO].commit("main", {"notes.txt": b"of somebody"})
        upload(*args, **kwargs)

    monkeypatch.setattr(HfApi, "preupload_lfs_files", meanwhile)
    with pytest.raises(HubError, match="the branch has moved"):
        push_dataset(dataset, REPO)
    assert held(hub) == {"notes.txt": b"of somebody"}


# -- refused


@pytest.mark.parametrize("name", ["my-lines", "a/b/c", "../x", "me/", "me/my lines", ""])
def test_a_name_that_is_none_is_refused_before_anything_is_asked(hub: Hub, dataset: Path, name: str) -> None:
    with pytest.raises(HubError, match="is no name of a repository"):
        push_dataset(dataset, name)
    assert hub.requests == []


def test_without_a_token_nothing_is_sent(hub: Hub, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(HubError, match="hf auth login"):
        push_dataset(dataset, REPO)
    assert hub.requests == []


def test_a_folder_that_is_not_as_export_wrote_it_is_refused(hub: Hub, dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is no export"):
        push_dataset(tmp_path / "hub-cache", REPO)
    shard = dataset / "lines" / "train-00000-of-00001.parquet"
    shard.write_bytes(shard.read_bytes()[:-10])
    with pytest.raises(DatasetError, match="its files are not those that"):
        push_dataset(dataset, REPO)
    assert hub.requests == []


# -- secrets


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", "/repos/create", status=403, says=f"no, Bearer {hub_server.TOKEN} may not"),
        Fault("POST", "/preupload/", status=400, says=f"bad token {hub_server.TOKEN}"),
        Fault("PUT", "/lfs/", status=400, says=hub_server.TOKEN),
        Fault("POST", "/commit/", status=409, says=f"https://me:{hub_server.TOKEN}@hub.example/ is busy"),
    ],
    ids=["create", "preupload", "upload", "commit"],
)
def test_no_error_log_or_repr_has_the_token_even_if_the_server_says_it(
    hub: Hub, dataset: Path, fault: Fault, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    hub.faults = [replace(fault)]
    with pytest.raises(HubError) as caught:
        push_dataset(dataset, REPO)
    assert "***" in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    below_this_test = caught.value.__traceback__.tb_next
    shown = traceback.TracebackException(HubError, caught.value, below_this_test, capture_locals=True)
    out, err = capfd.readouterr()
    report = repr(push_dataset(dataset, REPO))
    for text in (repr(caught.value), "".join(shown.format()), caplog.text, out, err, report):
        assert "tokenOfTheTests" not in text
        assert "X-Amz-Signature=signed" not in str(caught.value)


def test_the_most_talkative_logs_do_not_have_the_token(
    hub: Hub, dataset: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    push_dataset(dataset, REPO)
    assert "/lfs/" in caplog.text
    assert "tokenOfTheTests" not in caplog.text


def test_the_command_says_no_secret(hub: Hub, dataset: Path, hub_environment: dict[str, str]) -> None:
    hub.faults = [Fault("POST", "/commit/", status=403, says=f"Bearer {hub_server.TOKEN}")]
    done = subprocess.run(
        [sys.executable, "-m", "boilerplate_ds.cli", "push", REPO, str(dataset)],
        env=hub_environment | {"HF_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "***" in done.stderr
    assert "tokenOfTheTests" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("token hf_abcDEF123456 is bad", "token *** is bad"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        (
            "for url 'https://me:secret@hub.example/x?sig=1&k=2' now",
            "for url 'https://***@hub.example/x?…' now",
        ),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_secrets_are_struck_out(text: str, left: str) -> None:
    assert without_secrets(text) == left


def test_uploads_and_downloads_from_storage_bear_no_token(hub: Hub, dataset: Path) -> None:
    push_dataset(dataset, REPO)
    assert hub.leaks == []


# -- what was pushed


def test_the_pushed_set_loads_by_its_name(hub: Hub, dataset: Path, hub_environment: dict[str, str]) -> None:
    push_dataset(dataset, REPO)
    script = f"""
from datasets import load_dataset
documents = load_dataset({REPO!r})
lines = load_dataset({REPO!r}, "lines", split="train", streaming=True)
rows = list(lines)  # to its end: Arrow's threads that still read ahead abort Python at its exit, now and then
print(sum(documents.num_rows.values()), rows[0]["doc_id"], lines.features["label"].names[3])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=hub_environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.fullmatch(r"24 page-\d\d recommendation\n", done.stdout)
    assert hub.leaks == []


def test_files_beside_those_that_are_named_stay_here(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "kept.md").write_text("sent")
    (tmp_path / "secret.md").write_text("not sent")
    push_folder(tmp_path, ["kept.md"], REPO, repo_type="dataset", replaces=re.compile("x"))
    assert held(hub) == {"kept.md": b"sent"}
