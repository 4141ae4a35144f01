"""Models from a Hub on loopback: pinned to one commit, checked, and nothing but three files fetched."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from boilerplate_ds import Cleaner, Document, LineClassifier
from boilerplate_ds.errors import HubError, ModelError
from boilerplate_ds.model import load_model
from boilerplate_ds.model.hub import find_model, pull_model, push_model
from boilerplate_ds.shipped import shipped
from hub_server import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from hub_server import Hub, Repo

REPO = "you/lines"
TEXT = "Home | News | Sport\nThe ferry to the island will run every hour from the first of May.\n"


@pytest.fixture(scope="session")
def model_files() -> dict[str, bytes]:
    """The released model."""
    folder = shipped("models/web")
    return {name: (folder / name).read_bytes() for name in ("README.md", "config.json", "model.safetensors")}


@pytest.fixture
def repo(hub: Hub, model_files: dict[str, bytes]) -> Repo:
    """A repository with a model, and beside it what no model needs."""
    dangerous = {"pytorch_model.bin": pickle.dumps(print), "setup.py": b"raise SystemExit"}
    return hub.make("models", REPO, {**model_files, **dangerous})


def test_a_model_is_pulled_by_its_name(hub: Hub, repo: Repo) -> None:
    document = Document.from_text(TEXT)
    expected = load_model(shipped("models/web")).probabilities([document])[0]
    np.testing.assert_array_equal(LineClassifier.load(REPO).predict_proba([document])[0], expected)
    assert Cleaner(REPO).clean(TEXT) == Cleaner().clean(TEXT)


def test_three_files_are_fetched_and_no_other(hub: Hub, repo: Repo) -> None:
    folder = pull_model(REPO)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    fetched = {path.rsplit("/", 1)[1] for _, path in hub.requests if "/resolve/" in path}
    assert fetched == {"README.md", "config.json", "model.safetensors"}
    assert hub.leaks == []


def test_a_revision_pins_a_model(hub: Hub, repo: Repo, model_files: dict[str, bytes]) -> None:
    old = repo.branches["main"]
    repo.commit("main", {**repo.files(), "README.md": b"Another"})
    repo.branches["v1"] = old
    assert (pull_model(REPO, old) / "README.md").read_bytes() == model_files["README.md"]
    assert (pull_model(REPO) / "README.md").read_bytes() == b"Another"
    assert find_model(f"{REPO}@v1") == find_model(f"{REPO}@{old}") == pull_model(REPO, old)
    assert find_model(f"{REPO}@{old}").name == old
    assert Cleaner(f"{REPO}@{old}").model_path.name == old


def test_all_files_are_of_one_commit_even_if_the_branch_moves_between(
    hub: Hub, repo: Repo, model_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from boilerplate_ds.model import hub as module

    read = module.read_config

    def move(folder: Path) -> dict:
        repo.commit(
            "main", {**repo.files(), "model.safetensors": b"of the next version", "README.md": b"Next"}
        )
        return read(folder)

    monkeypatch.setattr(module, "read_config", move)
    folder = pull_model(REPO)
    assert (folder / "model.safetensors").read_bytes() == model_files["model.safetensors"]
    assert (folder / "README.md").read_bytes() == model_files["README.md"]


def test_a_pinned_model_that_is_here_asks_nothing(hub: Hub, repo: Repo) -> None:
    commit = repo.branches["main"]
    pull_model(REPO, commit)
    hub.requests.clear()
    pull_model(REPO, commit)
    assert hub.requests == []


def test_without_network_the_last_model_seen_serves(
    hub: Hub, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pull_model(REPO)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert pull_model(REPO) == folder
    with pytest.raises(ModelError, match="you/other: no model there"):
        pull_model("you/other")


def test_weights_that_are_not_the_ones_of_the_config_are_refused(hub: Hub, repo: Repo) -> None:
    data = bytearray(repo.files()["model.safetensors"])
    data[-1] ^= 1
    repo.commit("main", {**repo.files(), "model.safetensors": bytes(data)})
    with pytest.raises(ModelError, match=r"you/lines: model\.safetensors has not the checksum"):
        Cleaner(REPO)


def test_a_damaged_cache_is_noticed(hub: Hub, repo: Repo) -> None:
    weights = pull_model(REPO) / "model.safetensors"
    weights.resolve().write_bytes(b"damaged")
    with pytest.raises(ModelError, match=r"remove .*blobs"):
        LineClassifier.load(REPO)


def test_files_too_large_for_a_model_are_not_even_fetched(hub: Hub, repo: Repo) -> None:
    huge = {**repo.files(), "config.json": b" " * (2**20 + 1)}
    repo.commit("main", huge)
    with pytest.raises(ModelError, match=r"config\.json has 1,048,577 bytes"):
        pull_model(REPO)
    assert hub.asked("GET", "/resolve/") == 0


def test_a_file_whose_size_the_hub_does_not_tell_is_not_fetched(hub: Hub) -> None:
    hub.make("models", "me/huge", {"config.json": b"{" + b" " * 3_000_000})
    hub.faults.append(Fault("HEAD", "me/huge/resolve", 500, times=1))
    with pytest.raises(ModelError):
        pull_model("me/huge")
    assert hub.asked("GET", "/resolve/") == 0


def test_a_model_without_a_card_asks_nothing_once_it_is_here(hub: Hub, model_files: dict[str, bytes]) -> None:
    bare = {name: data for name, data in model_files.items() if name != "README.md"}
    commit = hub.make("models", "me/bare", bare).branches["main"]
    pull_model("me/bare", commit)
    hub.requests.clear()
    pull_model("me/bare", commit)
    assert hub.requests == []


@pytest.mark.parametrize("config", [b"{}", b"[1", b'{"format": "other"}'])
def test_a_repository_with_another_kind_of_model_is_refused(hub: Hub, config: bytes) -> None:
    hub.make("models", REPO, {"config.json": config, "pytorch_model.bin": pickle.dumps(print)})
    with pytest.raises(ModelError):
        Cleaner(REPO)
    assert hub.asked("GET", "pytorch_model.bin") == 0


def test_what_is_not_there_is_said(hub: Hub, repo: Repo) -> None:
    with pytest.raises(ModelError, match="you/nothing: no model there: not a folder, and as a repository"):
        Cleaner("you/nothing")
    with pytest.raises(ModelError, match="you/lines@v9: no model there"):
        Cleaner(f"{REPO}@v9")
    hub.make("models", "you/empty", {})
    with pytest.raises(ModelError, match="you/empty: no model there"):
        LineClassifier.load("you/empty")


def test_a_folder_comes_before_a_repository(
    hub: Hub, repo: Repo, tmp_path: Path, model_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "you" / "lines").mkdir(parents=True)
    with pytest.raises(ModelError, match="a model is a folder with"):
        Cleaner(REPO)
    for name, data in model_files.items():
        (tmp_path / "you" / "lines" / name).write_bytes(data)
    assert Cleaner(REPO).model_path == tmp_path / "you" / "lines"
    assert hub.requests == []


@pytest.mark.parametrize(
    "name", ["../lines", "you/../lines", "a/b/c", "you/lines@", "you/li nes", "https://x/y"]
)
def test_names_that_are_no_repository_are_not_asked_for(hub: Hub, name: str) -> None:
    with pytest.raises(ModelError, match="a model is a folder with"):
        find_model(name)
    assert hub.requests == []


def test_a_download_that_is_cut_is_resumed(hub: Hub, repo: Repo, model_files: dict[str, bytes]) -> None:
    hub.faults = [Fault("GET", "/cdn/", times=2)]
    assert (pull_model(REPO) / "model.safetensors").read_bytes() == model_files["model.safetensors"]
    assert hub.asked("GET", "/cdn/") == 3


def test_a_model_is_pushed_and_cleans_where_it_is_pulled(
    hub: Hub, tmp_path: Path, model_files: dict[str, bytes], hub_environment: dict[str, str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, data in {**model_files, "notes.txt": b"mine"}.items():
        (folder / name).write_bytes(data)
    (folder / "evaluation.json").write_text(json.dumps({"folds": 5}))
    command = [sys.executable, "-m", "boilerplate_ds.cli"]
    push = [*command, "push", "me/model", str(folder), "--private", "--json"]
    pushed = subprocess.run(push, env=hub_environment, capture_output=True, text=True, check=True)
    report = json.loads(pushed.stdout)
    assert sorted(report["new"]) == ["README.md", "config.json", "evaluation.json", "model.safetensors"]
    (tmp_path / "page.txt").write_text(TEXT)
    clean = [*command, "clean", str(tmp_path / "page.txt"), "--model", f"me/model@{report['commit']}"]
    done = subprocess.run(clean, env=hub_environment, capture_output=True, text=True, check=True)
    assert done.stdout == Cleaner(folder).clean(TEXT)


def test_a_damaged_model_is_not_pushed(hub: Hub, tmp_path: Path, model_files: dict[str, bytes]) -> None:
    for name, data in model_files.items():
        (tmp_path / name).write_bytes(data[:-1] if name == "model.safetensors" else data)
    with pytest.raises(ModelError, match="checksum"):
        push_model(tmp_path, "me/model")
    assert hub.requests == []


def test_a_private_model_needs_the_token(hub: Hub, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.private = True
    assert pull_model(REPO)
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nowhere")
    with pytest.raises(ModelError, match="you/lines@v2: no model there"):
        pull_model(REPO, "v2")


def test_pushing_without_permission_says_what_to_do(
    hub: Hub, tmp_path: Path, model_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, data in model_files.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.setenv("HF_TOKEN", "hf_anotherTokenThatMayNot")
    with pytest.raises(HubError, match="this token may not do that"):
        push_model(tmp_path, "me/model")
