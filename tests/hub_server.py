"""A Hugging Face Hub on loopback: as much of its protocol as ``huggingface_hub`` and ``datasets`` speak here.

Repositories are in memory. Small text files are git blobs, all others go through LFS: batch, upload, verify,
commit. Faults can be ordered beforehand: an error status, or a connection cut in the middle of a body.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "hf_tokenOfTheTestsThatMustNotLeak"
_TEXT = (".md", ".json", ".gitattributes", ".txt")
_REPO = r"(?P<kind>models|datasets)/(?P<repo>[^/]+/[^/]+)"


@dataclass
class Fault:
    """What goes wrong with the next ``times`` requests of a method whose path holds ``path``."""

    method: str
    path: str
    status: int = 0
    """Answer with it; 0: cut the connection in the middle of the body."""
    times: int = 1
    says: str = "the test wants this to fail"
    after: int = 0
    """How many such requests go well before."""


@dataclass
class Repo:
    """A repository: the files of each commit, and where each branch is."""

    private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def commit(self, branch: str, files: dict[str, bytes]) -> str:
        content = "".join(
            f"{path} {hashlib.sha256(data).hexdigest()}\n" for path, data in sorted(files.items())
        )
        parent = self.branches.get(branch, "")
        sha = hashlib.sha1(f"{len(self.commits)} {parent} {content}".encode()).hexdigest()
        self.commits[sha] = files
        self.branches[branch] = sha
        return sha

    def at(self, revision: str) -> str | None:
        sha = self.branches.get(revision, revision)
        return sha if sha in self.commits else None

    def files(self, branch: str = "main") -> dict[str, bytes]:
        return self.commits[self.branches[branch]]


class Hub(ThreadingHTTPServer):
    """The server and what it holds."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.repos: dict[tuple[str, str], Repo] = {}
        self.storage: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.uploads: list[str] = []
        self.leaks: list[str] = []
        self.faults: list[Fault] = []
        self.stall_upload = 0
        """Number of the upload that never gets an answer; 0 for none."""
        self.is_stalling = False
        self.released = threading.Event()

    def make(self, kind: str, repo: str, files: dict[str, bytes], *, private: bool = False) -> Repo:
        """Make a repository that holds ``files``."""
        made = self.repos[kind, repo] = Repo(private)
        made.commit("main", {".gitattributes": b"*.parquet filter=lfs\n", **files})
        for path, data in files.items():
            if not path.endswith(_TEXT):
                self.storage[hashlib.sha256(data).hexdigest()] = data
        return made

    def asked(self, method: str, path: str) -> int:
        """How many requests of a method had a path that holds ``path``."""
        return sum(m == method and path in p for m, p in self.requests)

    def handle_error(self, *_: Any) -> None:
        """Connections that a test cuts are no news."""


@contextmanager
def serve() -> Iterator[Hub]:
    """Run a Hub in a thread."""
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.released.set()
        hub.shutdown()
        hub.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for the client's acknowledgement
    server: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._handle()

    def do_HEAD(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def _handle(self) -> None:
        url = urlsplit(self.path)
        path = unquote(url.path)
        self.query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self.server.requests.append((self.command, path))
        self.fault = self._fault(path)
        length = int(self.headers.get("Content-Length") or 0)
        if self.fault is not None and not self.fault.status and length:
            self.rfile.read(length // 2)
            self._cut()
            return
        self.body = self.rfile.read(length)
        if self.fault is not None and self.fault.status:
            self._json({"error": self.fault.says}, self.fault.status, {"X-Error-Message": self.fault.says})
            return
        for method, pattern, action in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and self.command in method:
                action(self, **match.groupdict())
                return
        self._json({"error": f"no such address: {self.command} {path}"}, 404)

    def _fault(self, path: str) -> Fault | None:
        for fault in self.server.faults:
            if fault.times and fault.method == self.command and fault.path in path:
                if fault.after:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(2)

    # -- answers

    def _json(self, answer: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(
            json.dumps(answer).encode(), status, {"Content-Type": "application/json", **(headers or {})}
        )

    def _send(self, data: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.fault is not None and not self.fault.status:
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self._cut()
        else:
            self.wfile.write(data)

    def _authorized(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _may_write(self) -> bool:
        if not self._authorized():
            self._json({"error": "Invalid username or password."}, 401)
        return self._authorized()

    def _repo(self, kind: str, repo: str) -> Repo | None:
        found = self.server.repos.get((kind, repo))
        if found is None or (found.private and not self._authorized()):
            self._json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
            return None
        return found

    def _commit(self, kind: str, repo: str, revision: str) -> tuple[Repo, str] | None:
        found = self._repo(kind, repo)
        if found is None:
            return None
        sha = found.at(revision)
        if sha is None:
            self._json({"error": "Invalid rev id"}, 404, {"X-Error-Code": "RevisionNotFound"})
            return None
        return found, sha

    # -- the interface of programs

    def whoami(self) -> None:
        if self._may_write():
            self._json({"type": "user", "name": "me", "auth": {"type": "access_token"}})

    def create(self) -> None:
        asked = json.loads(self.body)
        kind = f"{asked.get('type') or 'model'}s"
        repo = f"{asked['organization']}/{asked['name']}"
        if not self._may_write():
            return
        prefix = "datasets/" if kind == "datasets" else ""
        url = f"{self.server.url}/{prefix}{repo}"
        if (kind, repo) in self.server.repos:
            self._json({"error": "You already created this repo", "url": url}, 409)
            return
        private = asked.get("private") or asked.get("visibility") == "private"
        self.server.make(kind, repo, {}, private=bool(private))
        self._json({"url": url, "name": repo})

    def validate_yaml(self) -> None:
        self._json({"errors": [], "warnings": []})

    def info(self, kind: str, repo: str, revision: str | None = None) -> None:
        if found := self._commit(kind, repo, revision or "main"):
            files = [{"rfilename": path} for path in sorted(found[0].commits[found[1]])]
            self._json(
                {"id": repo, "sha": found[1], "private": found[0].private, "siblings": files, "tags": []}
            )

    def tree(self, kind: str, repo: str, revision: str, folder: str | None = None) -> None:
        if found := self._commit(kind, repo, revision):
            files = found[0].commits[found[1]]
            prefix = f"{folder}/" if folder else ""
            below = [path for path in sorted(files) if path.startswith(prefix)]
            if folder and not below:
                self._json({"error": "no such folder"}, 404, {"X-Error-Code": "EntryNotFound"})
                return
            deep = self.query.get("recursive", "").lower() == "true"
            tops = dict.fromkeys(prefix + path[len(prefix) :].split("/")[0] for path in below)
            entries = [_file(path, files[path]) for path in below if deep or path in tops]
            folders = {top for top in tops if top not in files}
            self._json(
                [*entries, *({"type": "directory", "oid": "0" * 40, "size": 0, "path": p} for p in folders)]
            )

    def paths_info(self, kind: str, repo: str, revision: str) -> None:
        if found := self._commit(kind, repo, revision):
            files = found[0].commits[found[1]]
            paths = (
                json.loads(self.body)["paths"]
                if self.headers["Content-Type"].startswith("application/json")
                else parse_qs(self.body.decode()).get("paths", [])
            )
            known = [_file(path, files[path]) for path in paths if path in files]
            folders = [p for p in paths if any(path.startswith(f"{p}/") for path in files)]
            self._json(
                [*known, *({"type": "directory", "oid": "0" * 40, "size": 0, "path": p} for p in folders)]
            )

    def preupload(self, kind: str, repo: str, revision: str) -> None:
        if self._may_write() and self._commit(kind, repo, revision):
            self._json(
                {
                    "files": [
                        {
                            "path": file["path"],
                            "uploadMode": "regular" if file["path"].endswith(_TEXT) else "lfs",
                            "shouldIgnore": False,
                            "oid": None,
                        }
                        for file in json.loads(self.body)["files"]
                    ]
                }
            )

    def branch(self, kind: str, repo: str, branch: str) -> None:
        if not self._may_write():
            return
        if found := self._repo(kind, repo):
            taken = branch in found.branches
            found.branches.setdefault(branch, found.branches["main"])
            self._json({"error": "Reference already exists"} if taken else {}, 409 if taken else 200)

    def batch(self, **_: str) -> None:
        if self._may_write():
            objects = json.loads(self.body)["objects"]
            self._json({"transfer": "basic", "objects": [self._object(o["oid"], o["size"]) for o in objects]})

    def _object(self, oid: str, size: int) -> dict[str, Any]:
        answer: dict[str, Any] = {"oid": oid, "size": size}
        if oid not in self.server.storage:
            upload = f"{self.server.url}/lfs/{oid}?X-Amz-Signature=signed"
            verify = f"{self.server.url}/lfs-verify"
            answer["actions"] = {"upload": {"href": upload}, "verify": {"href": verify}}
        return answer

    def upload(self, oid: str) -> None:
        if self.headers.get("Authorization"):
            self.server.leaks.append(self.path)
        if hashlib.sha256(self.body).hexdigest() != oid:
            self._json({"error": "the content has another hash"}, 400)
            return
        if self.server.stall_upload == len(self.server.uploads) + 1:
            self.server.is_stalling = True
            self.server.released.wait()
            return
        self.server.storage[oid] = self.body
        self.server.uploads.append(oid)
        self._send(b"", 200, {"ETag": f'"{oid}"'})

    def verify(self) -> None:
        known = json.loads(self.body)["oid"] in self.server.storage
        self._json({}, 200 if known else 404)

    def commit(self, kind: str, repo: str, revision: str) -> None:
        found = self._commit(kind, repo, revision) if self._may_write() else None
        if found is None:
            return
        files = dict(found[0].files(revision))
        for item in map(json.loads, self.body.splitlines()):
            value = item["value"]
            if item["key"] == "header" and value.get("parentCommit", found[1]) != found[1]:
                self._json({"error": "the branch has moved"}, 412)
                return
            if item["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                if value["oid"] not in self.server.storage:
                    self._json({"error": "LFS pointer pointed to a file that does not exist"}, 400)
                    return
                files[value["path"]] = self.server.storage[value["oid"]]
            elif item["key"] == "deletedFile":
                del files[value["path"]]
        sha = found[0].commit(revision, files)
        self._json({"success": True, "commitOid": sha, "commitUrl": f"{self.server.url}/{repo}/commit/{sha}"})

    # -- files

    def resolve(self, repo: str, revision: str, path: str, prefix: str | None = None) -> None:
        found = self._commit("datasets" if prefix else "models", repo, revision)
        if found is None:
            return
        head = {"X-Repo-Commit": found[1]}
        data = found[0].commits[found[1]].get(path)
        if data is None:
            self._json({"error": "Entry not found"}, 404, {**head, "X-Error-Code": "EntryNotFound"})
            return
        entry = _file(path, data)
        if "lfs" not in entry:
            self._bytes(data, {**head, "ETag": f'"{entry["oid"]}"'})
            return
        oid = entry["lfs"]["oid"]
        self.server.storage[oid] = data
        linked = {**head, "X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(data)), "ETag": f'"{oid}"'}
        # Another host, as the real one's: a client must not take its token along.
        self._send(b"", 302, {**linked, "Location": f"http://localhost:{self.server.server_port}/cdn/{oid}"})

    def cdn(self, oid: str) -> None:
        if self.headers.get("Authorization"):
            self.server.leaks.append(self.path)
        self._bytes(self.server.storage[oid], {"ETag": f'"{oid}"'})

    def _bytes(self, data: bytes, headers: dict[str, str]) -> None:
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match is None:
            self._send(data, 200, {**headers, "Accept-Ranges": "bytes"})
            return
        start, end = int(match[1]), int(match[2] or len(data) - 1)
        part = data[start : end + 1]
        place = f"bytes {start}-{start + len(part) - 1}/{len(data)}"
        self._send(part, 206, {**headers, "Content-Range": place})


def _file(path: str, data: bytes) -> dict[str, Any]:
    """Describe a file as the tree does: its git name, or the name of its LFS pointer and of its content."""
    if path.endswith(_TEXT):
        git = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
        return {"type": "file", "path": path, "size": len(data), "oid": git}
    oid = hashlib.sha256(data).hexdigest()
    lfs = {"oid": oid, "size": len(data), "pointerSize": 134}
    return {"type": "file", "path": path, "size": len(data), "oid": oid[:40], "lfs": lfs}


_ROUTES = (
    (("GET",), r"/api/whoami-v2", _Handler.whoami),
    (("POST",), r"/api/repos/create", _Handler.create),
    (("POST",), r"/api/validate-yaml", _Handler.validate_yaml),
    (("GET",), rf"/api/{_REPO}(?:/revision/(?P<revision>.+))?", _Handler.info),
    (("GET",), rf"/api/{_REPO}/tree/(?P<revision>[^/]+)(?:/(?P<folder>.+))?", _Handler.tree),
    (("POST",), rf"/api/{_REPO}/paths-info/(?P<revision>.+)", _Handler.paths_info),
    (("POST",), rf"/api/{_REPO}/preupload/(?P<revision>.+)", _Handler.preupload),
    (("POST",), rf"/api/{_REPO}/branch/(?P<branch>.+)", _Handler.branch),
    (("POST",), rf"/api/{_REPO}/commit/(?P<revision>.+)", _Handler.commit),
    (("POST",), r"/(?P<prefix>datasets/)?(?P<repo>[^/]+/[^/]+)\.git/info/lfs/objects/batch", _Handler.batch),
    (("PUT",), r"/lfs/(?P<oid>[0-9a-f]{64})", _Handler.upload),
    (("POST",), r"/lfs-verify", _Handler.verify),
    (
        ("GET", "HEAD"),
        r"/(?P<prefix>datasets/)?(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)",
        _Handler.resolve,
    ),
    (("GET", "HEAD"), r"/cdn/(?P<oid>[0-9a-f]{64})", _Handler.cdn),
)
