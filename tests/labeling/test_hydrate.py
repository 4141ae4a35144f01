"""Hydration: stand-off labels meet their pages, and nothing is silent."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from boilerplate_ds.checksums import sha256_of_file
from boilerplate_ds.document import Annotation, sha256_of_lines
from boilerplate_ds.errors import DatasetError, LabelError, Rejects
from boilerplate_ds.labeling.collection import load_collection
from boilerplate_ds.labeling.hydrate import Corpus, hydrate
from boilerplate_ds.labeling.store import LabelStore

if TYPE_CHECKING:
    from conftest import FileServer

PAGES = {"p1": ["Menu", "Ferry"], "p2": ["Bread", "Share", "More"], "p3": ["Boat"]}
REPOSITORY = Path(__file__).parents[2]
SHARED = REPOSITORY.parent / "shared" / "corpus"


def write_copy(path: Path, pages: dict[str, list[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    records = [
        {"key": key, "text": lines, "domain": f"{key}.example", "page_type": None, "secret": "x"}
        for key, lines in pages.items()
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def write_manifest(folder: Path, copy: Path, **changes: Any) -> None:
    manifest = {
        "name": "pages-dev",
        "title": "Pages for development",
        "file": copy.name,
        "sha256": sha256_of_file(copy),
        "size": copy.stat().st_size,
        "revision": "1",
        "licence": "none",
        "obtain": "Ask the maintainers for pages.jsonl.",
        "url": None,
        "fields": {"id": "key", "lines": "text", "site": "domain", "page_type": "page_type"},
    }
    (folder / "corpus.json").write_text(json.dumps(manifest | changes))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return write_copy(tmp_path / "corpora" / "deep" / "pages.jsonl", PAGES)


@pytest.fixture
def folder(tmp_path: Path, copy: Path) -> Path:
    folder = tmp_path / "standoff"
    store = LabelStore(folder)
    for key in ("p1", "p2"):
        labels = np.zeros(len(PAGES[key]), dtype=np.int8)
        store.append(Annotation(key, sha256_of_lines(PAGES[key]), "anna", labels))
    write_manifest(folder, copy)
    return folder


@pytest.mark.parametrize("up", [0, 1, 2])
def test_labels_are_joined_to_a_copy_in_a_folder_or_below(folder: Path, copy: Path, up: int) -> None:
    source = [copy, *copy.parents][up]
    report = hydrate(folder, source)
    assert (report.matched, report.missing, report.differing, report.extra) == (2, (), (), 1)
    assert report.is_complete
    assert report.is_pinned
    assert report.source == copy
    collection = load_collection(folder)
    assert len(collection.annotations) == 2
    document = collection.documents["p1"]
    assert (document.site, document.source, document.lines) == ("p1.example", "pages-dev", ("Menu", "Ferry"))
    assert document.metadata == {}  # only the fields that the manifest names, null ones left out


def test_pages_that_differ_or_are_missing_are_named(folder: Path, tmp_path: Path) -> None:
    other = write_copy(tmp_path / "other.jsonl", {"p1": ["Menu", "Ferry!"], "p3": ["Boat"]})
    report = hydrate(folder, other, tmp_path / "out")
    assert not report.is_complete
    assert not report.is_pinned
    assert report.missing == ("p2",)
    assert [item.id for item in report.differing] == ["p1"]
    assert "not the one that was labelled" in report.differing[0].reason
    assert (report.matched, report.extra, report.written) == (0, 1, None)
    assert not (tmp_path / "out").exists()


def test_a_report_says_everything_in_words_and_as_json(folder: Path, copy: Path, tmp_path: Path) -> None:
    report = hydrate(folder, copy, tmp_path / "out")
    assert str(report).splitlines() == [
        "matched   2 of 2 labelled documents",
        f"source    {copy} (the pinned copy)",
        f"written   {tmp_path / 'out' / 'pages-dev.jsonl'}",
        "extra     1 documents without labels",
    ]
    other = write_copy(tmp_path / "other.jsonl", {"p1": ["Menu"], "p3": ["Boat"]})
    report = hydrate(folder, other, tmp_path / "none")
    assert str(report).splitlines() == [
        "matched   0 of 2 labelled documents",
        f"source    {other} (not the pinned copy of Pages for development)",
        "written   nothing",
        "extra     1 documents without labels",
        "missing   1: p2",
        "differs   p1: 2 labels for the 1 lines of document 'p1'",
    ]
    assert json.loads(json.dumps(report.as_json())) == {
        "corpus": "pages-dev",
        "source": str(other),
        "is_pinned": False,
        "written": None,
        "matched": 0,
        "kept": 0,
        "missing": ["p2"],
        "differing": {"p1": "2 labels for the 1 lines of document 'p1'"},
        "extra": 1,
    }


def test_a_report_names_the_first_ten_missing_pages(folder: Path, copy: Path) -> None:
    report = replace(hydrate(folder, copy), missing=("a\x1b[2J", *(f"p{i}" for i in range(11, 22))))
    assert str(report).splitlines()[-1] == (
        "missing   12: a⟨U+001B⟩[2J, p11, p12, p13, p14, p15, p16, p17, p18, p19 and 2 more"
    )


def test_a_page_with_another_number_of_lines_says_so(folder: Path, tmp_path: Path) -> None:
    report = hydrate(folder, write_copy(tmp_path / "other.jsonl", PAGES | {"p1": ["Menu"]}), tmp_path / "out")
    assert report.differing[0].reason == "2 labels for the 1 lines of document 'p1'"
    assert report.written == tmp_path / "out" / "pages-dev.jsonl"
    assert report.matched == 1


def test_bad_records_of_the_copy_are_reported(folder: Path, copy: Path) -> None:
    with copy.open("a") as handle:
        handle.write('{"key": "p1", "text": ["Menu", "Ferry"]}\n{"key": "p4"}\n{}\nnope\n')
    rejects = Rejects()
    assert hydrate(folder, copy, rejects=rejects).matched == 2
    assert [item.record for item in rejects.items] == ["line 4", "line 5", "line 6", "line 7"]
    with pytest.raises(LabelError, match="line 4: document 'p1' is in the file already"):
        hydrate(folder, copy)


def test_of_several_copies_the_pinned_one_is_read(folder: Path, copy: Path) -> None:
    write_copy(copy.parents[1] / "a" / "pages.jsonl", {"p1": ["x"]})
    assert hydrate(folder, copy.parents[1]).source == copy


def test_a_failure_leaves_the_earlier_documents(folder: Path, copy: Path) -> None:
    written = hydrate(folder, copy).written
    assert written is not None
    before = written.read_bytes()
    copy.write_text(copy.read_text() + "nope\n")
    with pytest.raises(LabelError):
        hydrate(folder, copy)
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


def test_documents_of_an_earlier_copy_are_kept_while_they_fit(folder: Path, tmp_path: Path) -> None:
    first = write_copy(tmp_path / "first.jsonl", {"p1": PAGES["p1"]})
    second = write_copy(tmp_path / "second.jsonl", {"p1": ["Menu", "Boat"], "p2": PAGES["p2"]})
    assert hydrate(folder, first).missing == ("p2",)
    report = hydrate(folder, second)
    assert (report.matched, report.kept, report.missing, report.differing) == (1, 1, (), ())
    assert report.is_complete
    assert "kept      1 documents of an earlier copy" in str(report)
    assert report.written is not None
    texts = {key: list(document.lines) for key, document in load_collection(folder).documents.items()}
    assert texts == {"p1": PAGES["p1"], "p2": PAGES["p2"]}

    report.written.write_text(report.written.read_text().replace("Menu", "Other") + "no JSON\n")
    report = hydrate(folder, write_copy(tmp_path / "third.jsonl", {"p3": PAGES["p3"]}))
    assert (report.matched, report.kept, report.missing) == (0, 1, ("p1",))


def test_without_an_address_the_error_says_how_to_get_the_corpus(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"Ask the maintainers .* hydrate .* --from"):
        hydrate(folder)
    with pytest.raises(DatasetError, match=r"no pages\.jsonl in it\. Ask the maintainers"):
        hydrate(folder, tmp_path / "standoff")


def test_a_corpus_with_an_address_is_downloaded_once(
    folder: Path, copy: Path, file_server: FileServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BOILERPLATE_DS_CACHE", str(tmp_path / "cache"))
    file_server.body = copy.read_bytes()
    write_manifest(folder, copy, url=file_server.url)
    report = hydrate(folder)
    assert report.matched == 2
    assert report.source.is_relative_to(tmp_path / "cache")
    assert hydrate(folder).matched == 2
    assert len(file_server.ranges) == 1


@pytest.mark.parametrize(
    "manifest",
    ["", "[]", "{}", '{"name": "x"}', '{"unknown": 1}'],
)
def test_a_bad_manifest_is_an_error(folder: Path, manifest: str) -> None:
    (folder / "corpus.json").write_text(manifest)
    with pytest.raises(DatasetError, match="not a corpus manifest"):
        hydrate(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"file": "../x"},
        {"name": ""},
        {"name": ".x"},
        {"name": 3},
        {"size": "9"},
        {"url": 3},
        {"fields": {"id": "id"}},
        {"fields": {"id": "id", "lines": "lines", "html": "html"}},
    ],
)
def test_a_manifest_with_a_bad_field_is_an_error(folder: Path, copy: Path, change: dict[str, Any]) -> None:
    write_manifest(folder, copy, **change)
    with pytest.raises(DatasetError, match="not a corpus manifest"):
        hydrate(folder, copy)


def test_a_collection_without_manifest_or_labels_is_an_error(
    folder: Path, copy: Path, tmp_path: Path
) -> None:
    write_manifest(tmp_path, copy)
    with pytest.raises(DatasetError, match="no labels in"):
        hydrate(tmp_path, copy)
    (folder / "corpus.json").unlink()
    with pytest.raises(DatasetError, match="only stand-off collections"):
        hydrate(folder, copy)


def test_labels_of_the_lines_of_html_are_joined_to_the_pages_in_a_parquet_file(tmp_path: Path) -> None:
    html = {"1": "<p>Menu</p><p>Ferry</p>" + "<!-- x -->", "2": "<p>Other</p>", "3": None}
    copy = tmp_path / "pages.parquet"
    rows = [{"id": key, "page": page, "domain": f"{key}.example"} for key, page in html.items()]
    parquet.write_table(pa.Table.from_pylist(rows), copy)
    folder = tmp_path / "labels"
    annotation = Annotation(
        "x-1",
        sha256_of_lines(["Menu", "Ferry"]),
        "ann",
        np.array([2, 0], np.int8),
        created_at="2026-01-01T00:00:00Z",
    )
    LabelStore(folder).append(annotation)
    fields = {"id": "id", "html": "page", "site": "domain"}
    write_manifest(folder, copy, fields=fields, id_prefix="x-")
    rejects = Rejects()
    report = hydrate(folder, copy, rejects=rejects)
    assert (report.matched, report.extra, report.is_complete, report.is_pinned) == (1, 1, True, True)
    assert [(item.record, item.reason) for item in rejects.items] == [
        ("row 3", "html is NoneType, not a string")
    ]
    (item,) = load_collection(folder).documents.values()
    assert (item.id, item.lines, item.site) == ("x-1", ("Menu", "Ferry"), "1.example")
    write_manifest(folder, copy, fields=fields | {"html": "code"})
    with pytest.raises(DatasetError, match="lacks the column code"):
        hydrate(folder, copy)


@pytest.mark.parametrize(
    ("name", "corpus"),
    [
        ("lines-dev", "lines-dev"),
        ("lines-dev-passes", "lines-dev"),
        ("wcxb-lines", "wcxb-lines"),
        ("wcxb-lines-passes", "wcxb-lines"),
        ("package-pages", "package-pages"),
        ("package-pages-passes", "package-pages"),
    ],
)
def test_shipped_labels_are_valid_and_hold_no_text(name: str, corpus: str) -> None:
    folder = REPOSITORY / "labels" / "standoff" / name
    assert Corpus.load(folder).name == corpus
    stored = list(LabelStore(folder).records())
    assert stored
    assert {key for item in stored for key in item.extra} <= {
        "url",
        "site",
        "language",
        "page_type",
        "variant",
    }


@pytest.mark.skipif(not SHARED.exists(), reason="needs the development corpora")
@pytest.mark.parametrize(
    ("name", "documents", "pages"),
    [
        ("lines-dev", 614, 614),
        ("lines-dev-passes", 55, 614),
        ("wcxb-lines", 1234, 1497),
        ("wcxb-lines-passes", 64, 1497),
    ],
)
def test_shipped_labels_fit_their_corpus(name: str, documents: int, pages: int, tmp_path: Path) -> None:
    report = hydrate(REPOSITORY / "labels" / "standoff" / name, SHARED, tmp_path)
    assert report.is_complete
    assert report.is_pinned
    assert (report.matched, report.extra) == (documents, pages - documents)
