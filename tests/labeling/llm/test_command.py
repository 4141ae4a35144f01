"""``prelabel --with llm`` as a user runs it, against a server on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from boilerplate_ds.labeling.suggestions import read_suggestions

from .chat_server import KEY, ChatServer, Say, good

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def pages(collection: Path, tmp_path: Path) -> Path:
    return shutil.copytree(collection, tmp_path / "small")


def start(pages: Path, server: ChatServer, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "boilerplate_ds.cli", "prelabel", str(pages), "--with", "llm"]
    command += ["--model", "org/tiny:1b", "--base-url", server.url, *options]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def run(pages: Path, server: ChatServer, *options: str) -> tuple[int, str, str]:
    process = start(pages, server, *options)
    stdout, stderr = process.communicate(timeout=120)
    return process.returncode, stdout, stderr


def everything_below(folder: Path) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())


def test_a_collection_is_labelled_and_what_it_took_is_told(pages: Path, server: ChatServer) -> None:
    status, out, err = run(pages, server, "--prices", "1", "10")
    assert (status, err) == (0, "")
    assert "16 documents labelled by llm-org-tiny-1b-bbb47eec, 0 passed over" in out
    assert "1,600 tokens sent, 160 received), cost 0.0032" in out
    assert len(read_suggestions(pages)) == 16
    assert KEY not in out + err + everything_below(pages)
    # what was suggested is not asked for again, and what was answered costs nothing
    shutil.rmtree(pages / "suggestions")
    assert json.loads(run(pages, server, "--dry-run", "--json")[1])["requests"] == 0
    status, out, _ = run(pages, server, "--json")
    assert json.loads(out)["usage"]["cached"] == 16
    assert len(server.requests) == 16


def test_again_asks_anew_as_the_dry_run_says(pages: Path, server: ChatServer) -> None:
    run(pages, server)
    assert json.loads(run(pages, server, "--again", "--dry-run", "--json")[1])["requests"] == 16
    usage = json.loads(run(pages, server, "--again", "--json")[1])["usage"]
    assert (usage["requests"], usage["cached"]) == (16, 0)
    assert len(server.requests) == 32


def test_a_run_that_the_server_ends_tells_what_it_took_and_what_failed(
    pages: Path, server: ChatServer
) -> None:
    server.script = [good, Say('{"runs": []}'), Say('{"runs": []}'), Say(status=402, raw=b"{}")]
    status, _, err = run(pages, server, "--concurrency", "1", "--prices", "0", "1000")
    assert status == 2
    assert "3 answers, 0 from the cache" in err
    assert "cost 0.0300" in err
    assert "the answer cannot be used" in err


def test_a_page_that_fails_is_named_with_its_reason_and_tried_in_the_next_run(
    pages: Path, server: ChatServer
) -> None:
    def confused(request: dict[str, Any]) -> Say:
        bad = "ferry of harbour0" in request["messages"][1]["content"]
        return Say('{"runs": []}') if bad else good(request)

    server.otherwise = confused
    status, out, err = run(pages, server)
    assert status == 1
    assert "15 documents labelled" in out
    assert "document harbour0-ferry: the answer cannot be used, nor its repair: lines 1 to 11" in err
    server.otherwise = good
    status, out, _ = run(pages, server)
    assert status == 0
    assert "1 documents labelled by llm-org-tiny-1b-bbb47eec, 15 passed over" in out


def test_a_key_that_is_turned_down_is_not_shown(pages: Path, server: ChatServer) -> None:
    server.otherwise = lambda _: Say(
        status=401, raw=json.dumps({"error": {"message": f"Incorrect API key: {KEY}"}}).encode()
    )
    status, out, err = run(pages, server)
    assert status == 2
    assert "Incorrect API key: [key]" in err
    assert KEY not in out + err


def test_ctrl_c_keeps_what_is_done_and_the_next_run_goes_on(pages: Path, server: ChatServer) -> None:
    answered = 0

    def stuck_after_five(request: dict[str, Any]) -> Say:
        nonlocal answered
        answered += 1
        if answered in (3, 4):
            return Say('{"runs": []}')
        if answered > 5:
            process.send_signal(signal.SIGINT)
            return Say(hang=True)
        return good(request)

    server.otherwise = stuck_after_five
    process = start(pages, server, "--concurrency", "1", "--prices", "0", "1000")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err.startswith("stopped after 3 documents; the same command goes on there\n5 answers")
    assert "cost 0.0500" in err
    assert "the answer cannot be used" in err
    server.otherwise = good
    _, out, _ = run(pages, server)
    assert "13 documents labelled by llm-org-tiny-1b-bbb47eec, 3 passed over" in out


def test_a_dry_run_asks_nothing_and_needs_no_key(
    pages: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    status, out, _ = run(pages, server, "--dry-run", "--prices", "1", "10")
    assert status == 0
    assert "1| Skip to main content" in out
    assert "# Labelling guidelines" in out
    assert "16 documents, 16 questions, 0 answers from the cache, about " in out
    assert "cost about 0.0" in out
    figures = json.loads(run(pages, server, "--dry-run", "--json")[1])
    assert figures["requests"] == 16
    assert server.requests == []


def test_without_the_client_it_says_what_to_install(
    pages: Path, server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "openai.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    status, _, err = run(pages, server)
    assert status == 2
    assert "pip install 'boilerplate-ds[llm]'" in err
