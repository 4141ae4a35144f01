"""The server behind the labelling page: what it acknowledged survives anything, and strangers get nothing."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from web_session import Server, serving

from boilerplate_ds.document import Document
from boilerplate_ds.labeling.collection import load_documents, write_document_file
from boilerplate_ds.labeling.jsonl import read_records
from boilerplate_ds.labeling.session import Session
from boilerplate_ds.labeling.store import LabelStore
from boilerplate_ds.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("starlette", reason="the extra 'label' is not installed")
KILLS = 50
WRITERS = 4
LINES = ("Home", "News", "The ferry is late.", "It left at nine.", "Subscribe", "Most read")
RESTARTING = Path(__file__).with_name("restarting_server.py")


def pages(folder: Path) -> Path:
    documents = [Document(id=f"page-{i}", lines=(f"Page {i}", *LINES[1:])) for i in range(WRITERS)]
    write_document_file(folder / "documents" / "pages.jsonl", documents)
    return folder


def ask(
    port: int, path: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes, dict[str, str]]:
    """One request; gives status, body and headers."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        method = "GET" if body is None else "POST"
        sent = {"Content-Type": "application/json"} | (headers or {})
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}


def sent(folder: Path, *changes: object) -> dict[str, Any]:
    return {"session": Session(folder, ["ana"]).id, "changes": list(changes)}


def change(folder: Path, number: int = 0, **fields: Any) -> dict[str, Any]:
    document = load_documents(folder)[f"page-{number}"]
    edits = [{"start": 0, "end": 2, "label": "n"}]
    return {
        "id": "a-change",
        "doc_id": document.id,
        "text_sha256": document.text_sha256,
        "edits": edits,
    } | fields


# Whatever happens to the server


class Writer(Thread):
    """Labels a page of its own and accepts it now and then; sends each change until it is acknowledged."""

    def __init__(self, number: int, folder: Path, port: int) -> None:
        super().__init__(daemon=True)
        self.number, self.folder, self.port = number, folder, port
        self.acknowledged: list[dict[str, Any]] = []
        self.is_done = False

    def run(self) -> None:
        count = 0
        body = sent(self.folder)
        base = change(self.folder, self.number, client=f"window-{self.number}")
        while not self.is_done:
            edits = [{"start": 0, "end": 6, "label": "cnar"[count % 4]}]
            kind = "accept" if count % 5 == 4 else "edit"
            record = base | {
                "id": f"{self.number}-{count}",
                "kind": kind,
                "edits": edits if kind == "edit" else [],
            }
            self.send(body | {"changes": [record]})
            count += 1

    def send(self, body: dict[str, Any]) -> None:
        [record] = body["changes"]
        while True:
            try:
                status, answer, _ = ask(self.port, "/a/ana/changes", body)
            except (OSError, HTTPException):
                time.sleep(0.005)
                continue
            [result] = json.loads(answer)["results"]
            assert (status, result["id"], "error" in result) == (200, record["id"], False), result
            self.acknowledged.append(record)
            return


@pytest.mark.timeout(900)  # seconds where the machine is busy; a few where it is not
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_fifty_kills_under_load_lose_nothing_acknowledged_and_store_nothing_twice(tmp_path):
    folder = pages(tmp_path / "ferry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(RESTARTING), str(folder), str(port)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    chance = random.Random(0)
    writers = [Writer(number, folder, port) for number in range(WRITERS)]
    try:
        for kill in range(KILLS):
            child = int(parent.stdout.readline())
            if not kill:
                for writer in writers:
                    writer.start()
            wanted = sum(len(w.acknowledged) for w in writers) + chance.randrange(1, 8)
            while sum(len(w.acknowledged) for w in writers) < wanted:
                assert all(writer.is_alive() for writer in writers)
                time.sleep(chance.random() / 200)
            os.kill(child, signal.SIGKILL)
        child = int(parent.stdout.readline())  # the last one lives until all is acknowledged
        for writer in writers:
            writer.is_done = True
        for writer in writers:
            writer.join(timeout=20)
            assert not writer.is_alive()
    finally:
        parent.kill()
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        parent.communicate()
    sent = [record for writer in writers for record in writer.acknowledged]
    logged = Counter(record["id"] for _, record in read_records(folder / "drafts" / "ana.jsonl"))
    accepted = Counter(stored.extra["change"] for stored in LabelStore(folder).records())
    assert logged == Counter(record["id"] for record in sent if record["kind"] == "edit")
    assert accepted == Counter(record["id"] for record in sent if record["kind"] == "accept")
    session = Session(folder, ["ana"])
    for writer in writers:
        last = [record for record in writer.acknowledged if record["edits"]][-1]["edits"][0]["label"]
        draft = session.draft("ana", f"page-{writer.number}")
        assert set(draft.labels.tolist()) == {"canr".index(last)}


# Strangers


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pages(tmp_path_factory.mktemp("labels") / "ferry")


@pytest.fixture(scope="module")
def local(folder: Path) -> Iterator[Server]:
    with serving(folder, "--annotators", "ana", "--model", "none") as server:
        yield server


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Server]:
    copy = folder.with_name("shared")
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    options = ("--annotators", "ana,ben", "--model", "none", "--host-name", "Label.Example")
    with serving(copy, *options, host="0.0.0.0") as server:
        yield server


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "label.example"])
def test_a_foreign_host_name_is_refused(local, host):
    status, body, _ = ask(local.port, "/a/ana/", headers={"Host": host})
    assert (status, b"Page" in body) == (403, False)


@pytest.mark.parametrize("host", ["localhost", "localhost:9", "127.0.0.1:1", "[::1]:80"])
def test_names_of_this_machine_are_welcome_at_any_port(local, host):
    assert ask(local.port, "/a/ana/", headers={"Host": host})[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Content-Type": "text/plain"},
    ],
)
def test_a_change_sent_by_another_site_is_refused(local, folder, headers):
    assert ask(local.port, "/a/ana/changes", sent(folder, change(folder)), headers)[0] in (403, 415)
    assert not (folder / "drafts" / "ana.jsonl").exists()


def test_every_answer_forbids_foreign_scripts_and_frames(local):
    for path in ("/a/ana/", "/a/ana/page", "/static/page.js", "/nowhere"):
        headers = ask(local.port, path)[2]
        assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/a/ana/", "/a/ana/page", "/a/ana/document?id=page-0", "/a/ana/progress"])
def test_beyond_this_machine_nobody_gets_in_without_a_link(shared, path):
    for cookie in ({}, {"Cookie": "token=guessed"}):
        assert ask(shared.port, path, headers=cookie)[0] == 401


def test_a_link_signs_in_one_annotator_and_stays_valid(shared):
    links = {name: address.partition("/a/")[2] for name, address in shared.addresses.items()}
    status, _, headers = ask(shared.port, f"/a/{links['ana']}", headers={"Host": "label.example"})
    assert (status, headers["location"]) == (303, "/a/ana/")
    assert "HttpOnly" in headers["set-cookie"]
    cookie = {"Cookie": headers["set-cookie"].partition(";")[0]}
    assert ask(shared.port, "/a/ana/", headers=cookie)[0] == 200
    assert ask(shared.port, "/a/ben/", headers=cookie)[0] == 401
    assert ask(shared.port, f"/a/ben/?token={links['ana'].partition('=')[2]}")[0] == 403
    shared.kill()
    before = dict(shared.addresses)
    assert shared.start().addresses == before


# Bad requests


@pytest.mark.parametrize(
    "bad",
    [
        {"id": ""},
        {"id": "x" * 65},
        {"doc_id": "nowhere"},
        {"doc_id": ["page-0"]},
        {"text_sha256": "0" * 64},
        {"edits": [{"start": 0, "end": 7, "label": "c"}]},
        {"edits": [{"start": -1, "end": 1, "label": "c"}]},
        {"edits": [{"start": 0, "end": 1, "label": "q"}]},
        {"edits": [[0, 1]]},
        {"edits": "c"},
        {"kind": "delete"},
        {"kind": "accept", "edits": []},
        {"seconds": -1},
        {"seconds": True},
        {"note": "x" * 10_001},
        {"base": "0"},
    ],
)
def test_a_bad_change_is_refused_by_itself_and_the_rest_is_taken(local, folder, bad):
    good = change(folder, 1, id=f"good-{abs(hash(str(bad)))}")
    status, body, _ = ask(local.port, "/a/ana/changes", sent(folder, change(folder) | bad, good))
    refused, taken = json.loads(body)["results"]
    assert (status, "error" in refused, "error" in taken) == (200, True, False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_on_a_full_disk_nothing_of_a_batch_is_answered_as_done(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "full")
    log = copy / "drafts" / "eve.jsonl"
    batch = [change(copy, 2, id="edit-1"), change(copy, 2, id="accept-1", kind="accept", edits=[])]
    with serving(copy, "--annotators", "eve", "--model", "none") as server:
        log.parent.mkdir(exist_ok=True)
        log.symlink_to("/dev/full")
        status, body, _ = ask(server.port, "/a/eve/changes", sent(copy, *batch))
        assert status == 503  # the page keeps all of them and sends them again
        assert b"No space left" in body
        log.unlink()
        status, body, _ = ask(server.port, "/a/eve/changes", sent(copy, batch[0]))
    assert (status, json.loads(body)["results"][0].get("version")) == (200, 1)


def test_a_model_that_cannot_be_read_does_not_make_pages_unknown(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    model = shutil.copytree(shipped("models/web"), tmp_path / "model")
    next(model.glob("*.safetensors")).write_bytes(b"")
    with serving(copy, "--annotators", "ana", "--model", model) as server:
        assert ask(server.port, "/a/ana/document?id=page-0")[0] == 503


@pytest.mark.parametrize("origin", ["http://[", "http://elsewhere.example"])
def test_an_origin_that_is_none_of_ours_is_refused(local, folder, origin):
    status, _, _ = ask(local.port, "/a/ana/changes", sent(folder), {"Origin": origin})
    assert status == 403


@pytest.mark.parametrize("body", [[], {}, {"changes": {}}, {"changes": [{}] * 501}, "x" * 5_000_000])
def test_a_body_that_holds_no_changes_is_refused(local, folder, body):
    if isinstance(body, dict) and body:
        body = sent(folder) | body
    assert ask(local.port, "/a/ana/changes", body)[0] in (400, 413)


@pytest.mark.parametrize("session", [None, "another"])
def test_changes_for_another_session_are_refused(local, folder, session):
    body = sent(folder, change(folder)) | {"session": session}
    assert ask(local.port, "/a/ana/changes", body)[0] == 409


def test_what_is_not_there_is_said_to_be_so(local):
    assert ask(local.port, "/a/eve/")[0] == 404
    status, body, _ = ask(local.port, "/a/ana/document?id=nowhere")
    assert (status, "no document 'nowhere'" in json.loads(body)["error"]) == (404, True)
