"""The Hugging Face Hub: a folder there in one commit, and its errors without secrets.

A push sends only what the repository lacks: files it holds already are told by their hashes, large ones whose
upload an earlier attempt completed are in its storage. Nobody ever loads half a set, because the commit comes
last and is one. ``HF_ENDPOINT``, ``HF_TOKEN`` and the token of ``hf auth login`` are read by
``huggingface_hub``; this module never holds a token longer than it takes to strike it out of a message.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, get_args

from boilerplate_ds.checksums import sha256_of_file
from boilerplate_ds.errors import BoilerplateError, HubError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    P = ParamSpec("P")
    R = TypeVar("R")

RepoType = Literal["dataset", "model"]
Change = Literal["new", "changed", "removed", "same"]
CHANGES: tuple[Change, ...] = get_args(Change)
DEFAULT_BRANCH = "main"

_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_TOKEN = re.compile(r"\bhf_[A-Za-z0-9_-]{6,}|(?i:\b(?:bearer|basic)\s+)[^\s'\"]+")
_USER_IN_URL = re.compile(r"(?<=://)[^/@\s]+@")
_QUERY_IN_URL = re.compile(r"(https?://[^\s?'\"]+)\?[^\s'\"]*")
_SEE_ALSO = re.compile(r"For more information check: \S+ ?")
_WORDS = {
    "OfflineModeIsEnabled": "HF_HUB_OFFLINE is set; unset it to reach the Hub",
    "GatedRepoError": "access to it has to be asked for on its page",
    "RepositoryNotFoundError": "there is no such repository, or it is private and your token may not see it",
    "RevisionNotFoundError": "it has no such revision",
    "EntryNotFoundError": "it has no such file",
}
"""What errors of ``huggingface_hub`` mean, by the name of their class."""
_TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file of the folder or of the repository, and what a push does about it."""

    path: str
    size: int
    change: Change


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push did, or with ``dry_run`` would do.

    Parameters
    ----------
    repo, repo_type, revision : str
    files : tuple of FileChange
    commit : str or None
        The commit that now holds the folder; None for a dry run.
    url : str
    is_new : bool
        Whether the repository was made, or would be.
    unreachable : str
        For a dry run that could not ask the Hub: why. All files then count as new.
    """

    repo: str
    repo_type: RepoType
    revision: str
    files: tuple[FileChange, ...]
    commit: str | None
    url: str
    is_new: bool
    unreachable: str = ""

    def of(self, change: Change) -> list[FileChange]:
        """Files with one kind of change."""
        return [file for file in self.files if file.change == change]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and names."""
        return {
            "repo": self.repo,
            "type": self.repo_type,
            "revision": self.revision,
            "commit": self.commit,
            "url": self.url,
            "is_new": self.is_new,
            "unreachable": self.unreachable,
            **{change: {file.path: file.size for file in self.of(change)} for change in CHANGES},
        }


def without_secrets(text: str) -> str:
    """Strike out tokens, passwords in addresses, and the queries of addresses, which can be signatures."""
    from huggingface_hub import get_token

    for secret in {get_token(), *(os.environ.get(name) for name in _TOKEN_VARIABLES)} - {None, ""}:
        text = text.replace(str(secret), "***")
    text = _QUERY_IN_URL.sub(r"\1?…", _USER_IN_URL.sub("***@", text))
    return _TOKEN.sub("***", text)


def speaks_to_hub(
    error: type[BoilerplateError] = HubError,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function that uses ``huggingface_hub``: what it raises becomes ``error``, without secrets.

    The new error has no cause and no context, for those hold requests with their headers.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except BoilerplateError:
                raise
            except Exception as raised:  # noqa: BLE001 - whatever a library of the network raises
                reason = _reason(raised)
            raise error(reason)

        return call

    return decorate


def _reason(error: BaseException) -> str:
    """Say in one line what went wrong and what to do."""
    from huggingface_hub import errors

    if isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__ is not None:
        return _reason(error.__cause__)
    for kind in type(error).__mro__:
        if kind.__name__ in _WORDS:
            return _WORDS[kind.__name__]
    said = without_secrets(_SEE_ALSO.sub("", " ".join(str(error).split())))[:_MAX_REASON]
    response = getattr(error, "response", None)
    if response is None and error.__cause__ is not None:
        cause = _reason(error.__cause__)
        return cause if said in cause else f"{said} {cause}"
    is_misnamed = isinstance(error, ValueError)  # what the library refuses before it asks
    hint = "" if is_misnamed else _hint(getattr(response, "status_code", None))
    return f"{said or type(error).__name__} ({hint})" if hint else said


def _hint(status: int | None) -> str:
    """Say what to do about an answer; None stands for none at all."""
    from huggingface_hub import get_token

    if status in (401, 403):
        return "this token may not do that" if get_token() else "run: hf auth login, or set HF_TOKEN"
    if status in (409, 412):
        return "somebody else changed it meanwhile; run it again"
    if status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "run it again: what has arrived is not sent again"
    return ""


@speaks_to_hub()
def push_folder(
    folder: Path,
    files: Iterable[str],
    repo: str,
    *,
    repo_type: RepoType,
    replaces: re.Pattern[str],
    private: bool = False,
    revision: str = DEFAULT_BRANCH,
    dry_run: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> PushReport:
    """Bring a repository to the state of a folder, in one commit.

    Parameters
    ----------
    folder : Path
    files : iterable of str
        Paths within the folder to send.
    repo : str
        ``user/name``; made if it is not there.
    repo_type : {"dataset", "model"}
    replaces : re.Pattern
        Files of the repository with such a path go if the folder has them no more; all others stay.
    private : bool
        Whether a new repository is private. An existing public one is then refused.
    revision : str
        Branch; made if it is not there.
    dry_run : bool
        Whether to only say what would be done.
    progress : callable, optional
        Called with the name of a step and the share of it that is done.

    Raises
    ------
    HubError
        If the Hub cannot be reached or refuses. What was uploaded by then is not uploaded again.
    """
    from huggingface_hub import HfApi, get_token

    if not _REPO.fullmatch(repo):
        raise HubError(f"{without_secrets(repo)!r} is no name of a repository; one is like user/name")
    api = HfApi(library_name="boilerplate-ds")
    push = _Push(api, folder, tuple(files), repo, repo_type, replaces, revision)
    if dry_run:
        return push.dry_run()
    if not get_token():
        raise HubError("no token for the Hub; run: hf auth login, or set HF_TOKEN")
    is_new = push.prepare(private=private)
    return push.run(is_new, progress or (lambda _step, _done: None))


@dataclass(frozen=True, slots=True)
class _Push:
    """One push: compares the folder with the repository, uploads what differs, commits."""

    api: HfApi
    folder: Path
    files: tuple[str, ...]
    repo: str
    repo_type: RepoType
    replaces: re.Pattern[str]
    revision: str

    @property
    def where(self) -> dict[str, Any]:
        """The repository, as ``huggingface_hub`` takes it."""
        return {"repo_id": self.repo, "repo_type": self.repo_type}

    def dry_run(self) -> PushReport:
        """Compare, if the Hub answers, and change nothing."""
        from huggingface_hub import errors

        unreachable, is_new, remote = "", False, {}
        try:
            remote = self.remote_files()
        except errors.RepositoryNotFoundError:
            is_new = True
        except errors.RevisionNotFoundError:
            remote = self.remote_files(DEFAULT_BRANCH)
        except Exception as error:  # noqa: BLE001 - a dry run needs no network
            unreachable = _reason(error)
        return self.report(self.changes(remote), None, is_new=is_new, unreachable=unreachable)

    def prepare(self, *, private: bool) -> bool:
        """Make repository and branch if they are not there; give whether the repository is new."""
        from huggingface_hub import errors

        try:
            info = self.api.repo_info(**self.where)
        except errors.RepositoryNotFoundError:
            self.api.create_repo(**self.where, private=private or None, exist_ok=True)
            info = None
        if info is not None and private and not info.private:
            raise HubError(
                f"{self.repo} is there already and public; make it private there, or choose another name"
            )
        if self.revision != DEFAULT_BRANCH:
            self.api.create_branch(**self.where, branch=self.revision, exist_ok=True)
        return info is None

    def run(self, is_new: bool, tell: Callable[[str, float], None]) -> PushReport:
        """Upload what the repository lacks and commit."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        head = self.api.repo_info(**self.where, revision=self.revision).sha
        changes = self.changes(self.remote_files())
        sent = [file for file in changes if file.change in ("new", "changed")]
        gone = [CommitOperationDelete(file.path) for file in changes if file.change == "removed"]
        if not sent and not gone:
            return self.report(changes, head, is_new=is_new)
        additions = [CommitOperationAdd(file.path, self.folder / file.path) for file in sent]
        total, done = max(sum(file.size for file in sent), 1), 0
        for file, addition in zip(sent, additions, strict=True):
            tell("Uploading", done / total)
            self.api.preupload_lfs_files(
                self.repo, [addition], repo_type=self.repo_type, revision=self.revision, free_memory=False
            )
            done += file.size
        tell("Uploading", 1)
        commit = self.api.create_commit(
            self.repo,
            [*additions, *gone],
            repo_type=self.repo_type,
            revision=self.revision,
            commit_message=f"Push {self.repo_type} with boilerplate-ds",
            parent_commit=head,
        )
        return self.report(changes, commit.oid, is_new=is_new)

    def remote_files(self, revision: str | None = None) -> dict[str, RepoFile]:
        """Give the files of the repository by path."""
        from huggingface_hub.hf_api import RepoFile

        found = self.api.list_repo_tree(**self.where, revision=revision or self.revision, recursive=True)
        return {item.path: item for item in found if isinstance(item, RepoFile)}

    def changes(self, remote: Mapping[str, RepoFile]) -> list[FileChange]:
        """Compare the folder with the files of the repository."""
        changes = [
            FileChange(path, (self.folder / path).stat().st_size, self._change(path, remote.get(path)))
            for path in self.files
        ]
        gone = [path for path in remote if self.replaces.fullmatch(path) and path not in self.files]
        return changes + [FileChange(path, remote[path].size, "removed") for path in sorted(gone)]

    def _change(self, path: str, remote: RepoFile | None) -> Change:
        if remote is None:
            return "new"
        local = self.folder / path
        if remote.lfs is not None:
            return "same" if remote.lfs.sha256 == sha256_of_file(local) else "changed"
        return "same" if remote.blob_id == _git_blob_id(local) else "changed"

    def report(
        self, changes: Sequence[FileChange], commit: str | None, *, is_new: bool, unreachable: str = ""
    ) -> PushReport:
        """Put together what was done."""
        prefix = "datasets/" if self.repo_type == "dataset" else ""
        url = without_secrets(f"{self.api.endpoint}/{prefix}{self.repo}")
        return PushReport(
            self.repo, self.repo_type, self.revision, tuple(changes), commit, url, is_new, unreachable
        )


def _git_blob_id(path: Path) -> str:
    """Give the name that git gives to a file's content."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    digest.update(path.read_bytes())
    return digest.hexdigest()
