"""What tests of published sets share: ``load_dataset`` without network, and gold pages of a few licences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from boilerplate_ds.dataset.gold import GoldDocument, settle
from boilerplate_ds.document import Document, decode_runs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``datasets.load_dataset``, offline and with its cache in ``tmp_path``."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return datasets.load_dataset


@pytest.fixture(scope="session")
def gold_pages() -> list[GoldDocument]:
    """Twenty-four pages of twelve sites under three licences, each labelled by one to three people."""
    return [_gold_page(number) for number in range(24)]


def _gold_page(number: int) -> GoldDocument:
    licence = ("cc-by-4.0", "all-rights-reserved", "")[number % 3]
    document = Document(
        f"page-{number:02}",
        tuple(f"Line {i} of page {number}, 日本語 😀" for i in range(4)),
        url=f"https://{number}.example/",
        site=f"site-{number // 2}.example",
        language=("en", "de")[number % 2],
        source="here",
        metadata={"page_type": "news", **({"licence": licence} if licence else {})},
    )
    votes = {"anna": "1n 2c 1a", "ben": "1n 3c", "cara": "1n 2c 1a"}
    several = dict(list(votes.items())[: (1, 3)[number % 2]])
    item = settle(document, {name: decode_runs(runs) for name, runs in several.items()})
    assert isinstance(item, GoldDocument)
    return item
