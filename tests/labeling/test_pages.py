"""Labelled pages as plain text."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boilerplate_ds.document import Document
from boilerplate_ds.errors import LabelError, Rejects, SourceError
from boilerplate_ds.labeling.collect import add_documents
from boilerplate_ds.labeling.collection import load_collection
from boilerplate_ds.labeling.pages import LabeledPage, ingest_pages, read_pages, write_pages
from boilerplate_ds.labeling.store import LabelStore

FERRY = """\
@@
@id en-news-ferry
@url https://www.harbourpost.example/2024/ferry
@language en
@page_type news
@variant full
n Skip to main content
c Ferry timetable to change
c   two spaces before and one after\x20
a ADVERTISEMENT
r Read more: New pier opens
"""
BREAD = "@@\n@id de-brot\n@language de\nc Roggenbrot\nn Teilen\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pages.txt"
    path.write_text(FERRY + "\n" + BREAD, "utf-8")
    return path


def test_a_page_is_read_with_its_headers_lines_and_labels(file: Path) -> None:
    page, other = read_pages([file])
    assert page.document == Document(
        id="en-news-ferry",
        lines=(
            "Skip to main content",
            "Ferry timetable to change",
            "  two spaces before and one after ",
            "ADVERTISEMENT",
            "Read more: New pier opens",
        ),
        url="https://www.harbourpost.example/2024/ferry",
        site="harbourpost.example",
        language="en",
        metadata={"page_type": "news", "variant": "full"},
    )
    assert page.labels.tolist() == [2, 0, 0, 1, 3]
    assert (other.document.id, other.document.site) == ("de-brot", "")


def test_files_from_windows_read_the_same(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "windows.txt"
    other.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert [page.document for page in read_pages([other])] == [page.document for page in read_pages([file])]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("c text\n", "line 1: text before the first @@"),
        ("@@\nc text\n", "no @id"),
        ("@@\n@id x\n", "no lines"),
        ("@@\n@id x\nx text\n", "line 3: 'x text' is not a label letter"),
        ("@@\n@id x\ncontent\n", "line 3"),
        ("@@\n@id x\nc\n", "line 3"),
        ("@@\n@id x\nc  \n", "line 3"),
        ("@@\n@id x\nc one\rtwo\n", "line 3"),
        ("@@\n@id x\n@Bad Key\nc text\n", "line 3: '@Bad Key' is not a header"),
        ("@@\n@id x\n@lines 3\nc text\n", "line 3"),
        ("@@\n@id x\n@id y\nc text\n", "line 3: a second @id"),
        ("@@\n@id x\nc text\n@url y\n", "line 4: a header after"),
        ("@@\n@id de-brot\nc text\n", "another page has the id"),
    ],
)
def test_a_page_with_a_mistake_is_rejected_whole(tmp_path: Path, text: str, reason: str) -> None:
    good, bad = tmp_path / "a.txt", tmp_path / "b.txt"
    good.write_text(BREAD)
    bad.write_text(text)
    rejects = Rejects()
    assert [page.document.id for page in read_pages([good, bad], rejects)] == ["de-brot"]
    assert rejects.count == 1
    assert reason in rejects.items[0].reason
    with pytest.raises(LabelError, match=r"b\.txt, page at line 1"):
        list(read_pages([good, bad]))


def test_a_file_that_cannot_be_read_is_rejected(file: Path, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"@@\n@id x\nc Gr\xf6\xdfe\n")
    paths = [tmp_path / "latin.txt", tmp_path / "missing.txt", file]
    rejects = Rejects()
    assert len(list(read_pages(paths, rejects))) == 2
    assert rejects.count == 2
    with pytest.raises(SourceError):
        list(read_pages(paths))


CHARACTERS = st.characters(exclude_characters="\n\r", exclude_categories=("Cs",))
HEADER = st.text(CHARACTERS, max_size=8).map(str.strip)
LINE = st.text(CHARACTERS, min_size=1).filter(str.strip)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(HEADER.filter(bool), HEADER, st.lists(LINE, min_size=1)), unique_by=lambda page: page[0]
    )
)
def test_written_pages_read_back(contents: list[tuple[str, str, list[str]]]) -> None:
    pages = [
        LabeledPage(
            Document(doc_id, tuple(lines), site="s.example", metadata={"page_type": value} if value else {}),
            np.arange(len(lines), dtype=np.int8) % 4,
        )
        for doc_id, value, lines in contents
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pages.txt"
        write_pages(path, pages)
        read = list(read_pages([path]))
    assert [page.document for page in read] == [page.document for page in pages]
    assert [page.labels.tolist() for page in read] == [page.labels.tolist() for page in pages]


@pytest.mark.parametrize(("line", "label"), [("a\nb", 0), ("a\rb", 0), (" ", 0), ("\ud800", 0), ("text", -1)])
def test_a_line_that_would_not_read_back_is_refused(tmp_path: Path, line: str, label: int) -> None:
    with pytest.raises(LabelError):
        write_pages(tmp_path / "pages.txt", [LabeledPage(Document("x", (line,)), np.array([label]))])
    assert not (tmp_path / "pages.txt").exists()


@pytest.mark.parametrize("value", [" x", "a\nb", 3])
def test_a_header_that_would_not_read_back_is_refused(tmp_path: Path, value: object) -> None:
    document = Document("x", ("text",), metadata={"page_type": value})
    with pytest.raises(LabelError, match="cannot be written"):
        write_pages(tmp_path / "pages.txt", [LabeledPage(document, np.zeros(1, dtype=np.int8))])


def test_ingesting_makes_a_collection_in_a_set_order(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "starter"
    report = ingest_pages(read_pages([file]), folder, guidelines="1", created_at="2026-01-01T00:00:00Z")
    assert (report.pages, report.labeled) == (2, 2)
    assert sorted(path.name for path in (folder / "documents").iterdir()) == ["de.jsonl", "en.jsonl"]
    collection = load_collection(folder)
    assert [(a.doc_id, a.annotator) for a in collection.annotations] == [
        ("de-brot", "authors"),
        ("en-news-ferry", "authors"),
    ]


def test_ingesting_again_changes_nothing(file: Path, tmp_path: Path) -> None:
    ingest_pages(read_pages([file]), tmp_path / "starter")
    before = {path: path.read_bytes() for path in (tmp_path / "starter").rglob("*.jsonl")}
    assert ingest_pages(read_pages([file]), tmp_path / "starter").labeled == 0
    assert {path: path.read_bytes() for path in (tmp_path / "starter").rglob("*.jsonl")} == before


def test_only_what_changes_is_written_and_the_order_stays(file: Path, tmp_path: Path) -> None:
    add_documents(tmp_path / "mine", [Document(name, ("Text",)) for name in ("z", "de-brot", "b")])
    ingest_pages(read_pages([file]), tmp_path / "mine")
    added = tmp_path / "mine" / "documents" / "pages.jsonl"
    assert [json.loads(line)["id"] for line in added.read_text().splitlines()] == ["z", "b"]
    english = added.with_name("en.jsonl")
    before = english.stat().st_ino
    file.write_text(FERRY + "\n@@\n@id a\n@language en\nc Text\n", "utf-8")
    ingest_pages(read_pages([file]), tmp_path / "mine")
    assert [json.loads(line)["id"] for line in english.read_text().splitlines()] == ["en-news-ferry", "a"]
    assert english.stat().st_ino == before  # appended to


def test_a_page_that_moves_is_never_lost(file: Path, tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "starter"
    ingest_pages(read_pages([file]), folder)
    file.write_text(BREAD.replace("@language de", "@language nl"))

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    for name in ("append_line", "rewrite_lines"):
        with monkeypatch.context() as broken:
            broken.setattr(f"boilerplate_ds.labeling.pages.{name}", fail)
            with pytest.raises(OSError, match="disk is full"):
                ingest_pages(read_pages([file]), folder)
        assert len(load_collection(folder).annotations) == 2
    ingest_pages(read_pages([file]), folder)
    assert (folder / "documents" / "de.jsonl").read_bytes() == b""
    assert load_collection(folder).documents["de-brot"].language == "nl"


def test_bad_records_of_the_collection_are_named_and_stay(file: Path, tmp_path: Path) -> None:
    ingest_pages(read_pages([file]), tmp_path / "starter")
    german = tmp_path / "starter" / "documents" / "de.jsonl"
    with german.open("a") as documents:
        documents.write('{"id": "de-brot"}\n{"id": "torn", "li')
    file.write_text(BREAD.replace("Teilen", "Drucken"))
    rejects = Rejects()
    assert ingest_pages(read_pages([file]), tmp_path / "starter", rejects=rejects).labeled == 1
    assert [reject.record for reject in rejects.items] == ["line 2", "line 3"]
    edited, bad = german.read_text().splitlines()
    assert (json.loads(edited)["lines"][1], bad) == ("Drucken", '{"id": "de-brot"}')
    assert german.with_name("de.jsonl.torn").read_text() == '{"id": "torn", "li\n'


def test_an_edited_page_replaces_its_text_and_adds_its_labels(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "starter"
    ingest_pages(read_pages([file]), folder)
    file.write_text(BREAD.replace("@language de", "@language nl").replace("Teilen", "Delen"))
    assert ingest_pages(read_pages([file]), folder).labeled == 1
    collection = load_collection(folder)
    assert collection.documents["de-brot"].lines == ("Roggenbrot", "Delen")
    assert len(collection.annotations) == 2
    assert len(list(LabelStore(folder).annotations())) == 3


def test_a_text_that_somebody_else_labelled_is_not_replaced(file: Path, tmp_path: Path) -> None:
    folder, other = tmp_path / "starter", tmp_path / "other.txt"
    ingest_pages(read_pages([file]), folder, annotator="ana")
    before = load_collection(folder).documents
    other.write_text(FERRY.replace("Ferry timetable", "Timetable") + "\n" + BREAD, "utf-8")
    rejects = Rejects()
    report = ingest_pages(read_pages([other]), folder, annotator="ben", rejects=rejects)
    assert (report.pages, report.labeled) == (1, 1)  # the other page is the same
    assert [reject.record for reject in rejects.items] == ["page 'en-news-ferry'"]
    assert "ana labelled another text" in rejects.items[0].reason
    assert load_collection(folder).documents == before


def test_what_a_page_does_not_say_again_stays(file: Path, tmp_path: Path) -> None:
    ingest_pages(read_pages([file]), tmp_path / "starter")
    (tmp_path / "again.txt").write_text("@@\n@id en-news-ferry\n@rank 1\nc Ferry timetable\n", "utf-8")
    ingest_pages(read_pages([tmp_path / "again.txt"]), tmp_path / "starter")
    document = load_collection(tmp_path / "starter").documents["en-news-ferry"]
    assert document.lines == ("Ferry timetable",)
    assert (document.url[-5:], document.language, document.metadata["page_type"]) == ("ferry", "en", "news")
    assert document.metadata["rank"] == "1"


def test_a_language_that_is_no_file_name_is_refused(tmp_path: Path) -> None:
    page = LabeledPage(Document("x", ("text",), language="../evil"), np.zeros(1, dtype=np.int8))
    with pytest.raises(LabelError, match="not a language code"):
        ingest_pages([page], tmp_path)


@pytest.mark.parametrize(
    "header", ["@site www.Harbour.example:8080", "@url https://www.Harbour.example:8080/x"]
)
def test_the_site_is_the_host_of_the_site_or_the_url(tmp_path: Path, header: str) -> None:
    path = tmp_path / "page.txt"
    path.write_text(f"@@\n@id a\n{header}\nc Text\n")
    (page,) = read_pages([path])
    assert page.document.site == "harbour.example"
