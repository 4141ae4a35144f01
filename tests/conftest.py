"""What several rooms' tests share: the starter pages and a small model trained on some of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import hub_server
from boilerplate_ds import LineClassifier
from boilerplate_ds.labeling.pages import ingest_pages, read_pages
from boilerplate_ds.training.run import read_labels

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from boilerplate_ds.dataset.gold import GoldDocument

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared" / "corpus"

settings.register_profile("project", deadline=None)  # a test never asserts on time
settings.load_profile("project")
FIRST = ("test_docs.py", "test_web_page.py", "test_datatrove.py", "test_corpus.py", "test_cli.py")
"""Files that take long: started last, one of several processes would end long after the others."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background, commands would not hear it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first."""
    rank = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(FIRST)))


@pytest.fixture(scope="session")
def starter() -> tuple[GoldDocument, ...]:
    return read_labels([ROOT / "labels" / "starter"]).gold["starter"]


@pytest.fixture(scope="session")
def few_starter_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter collection with one page of each language."""
    folder = tmp_path_factory.mktemp("few") / "starter"
    shutil.copytree(ROOT / "labels" / "starter", folder)
    kept: set[str] = set()
    for part in (folder / "documents").glob("*.jsonl"):
        lines = part.read_text(encoding="utf-8").splitlines(keepends=True)[:1]
        kept |= {json.loads(line)["id"] for line in lines}
        part.write_text("".join(lines), encoding="utf-8")
    for part in (folder / "annotations").glob("*.jsonl"):
        lines = part.read_text(encoding="utf-8").splitlines(keepends=True)
        part.write_text("".join(s for s in lines if json.loads(s)["doc_id"] in kept), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def small_set(starter: tuple[GoldDocument, ...]) -> tuple[list, list[np.ndarray]]:
    some = [item for item in starter if len(item.labels) < 80][:30]
    return [item.document for item in some], [item.labels for item in some]


@pytest.fixture(scope="session")
def small_model(small_set) -> LineClassifier:
    return LineClassifier(epochs=20, n_folds=3).fit(*small_set)


@pytest.fixture(scope="session")
def pages_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen small labelled pages of eight sites, as people write them."""
    path = tmp_path_factory.mktemp("written") / "pages.txt"
    path.write_text("\n".join(_page(site, page) for site in range(8) for page in range(2)), encoding="utf-8")
    return path


def _page(site: int, page: int) -> str:
    name = f"{('harbour', 'valley', 'island', 'summit')[site % 4]}{site}"
    subject = ("ferry", "bakery")[page]
    return f"""\
@@
@id {name}-{subject}
@url https://www.{name}.example/2024/{subject}
@language {("en", "de")[site % 2]}
@page_type news
n Skip to main content
n Home | News | Sport | Weather
c The {subject} of {name} will open every hour from May
c The operator said on Monday that the {subject} had to wait {site + 2} years \
for a permit of the council of {name}.
a ADVERTISEMENT
a Save {10 + site}% on your first order today
c Until then passengers of the {subject} go by road, \
which takes them {page + 3} hours, as they know well in {name}.
n Share this article
r Read more: the new pier of {name} opens
r Most read: {name} wins the cup
n © 2024 {name} Post. All rights reserved.
"""


@pytest.fixture(scope="session")
def collection(pages_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of ``pages_file`` as a collection; copy it before changing it."""
    folder = tmp_path_factory.mktemp("labels") / "small"
    ingest_pages(read_pages([pages_file]), folder, guidelines="1", created_at="2024-01-01T00:00:00Z")
    return folder


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hub_server.Hub]:
    """A Hub on loopback that ``huggingface_hub`` talks to in this process, with a token, its cache empty."""
    from huggingface_hub import constants, file_download
    from huggingface_hub.utils import _http, close_session

    with hub_server.serve() as hub:
        monkeypatch.setenv("HF_TOKEN", hub_server.TOKEN)
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        impatient = SimpleNamespace(sleep=lambda _seconds: None, time=time.time)
        monkeypatch.setattr(_http, "time", impatient)
        monkeypatch.setattr(file_download, "time", impatient)
        close_session()
        yield hub
        close_session()


@pytest.fixture
def hub_environment(hub: hub_server.Hub, tmp_path: Path) -> dict[str, str]:
    """The environment of a process that talks to ``hub``."""
    return {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": hub_server.TOKEN,
        "HF_HOME": str(tmp_path / "hf-home"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
