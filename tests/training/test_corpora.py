"""What models are trained on: views of labelled pages and of WCXB's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from boilerplate_ds.dataset.gold import GoldDocument
from boilerplate_ds.document import MAIN, NOT_MAIN, Document
from boilerplate_ds.errors import DatasetError, Rejects, SourceError
from boilerplate_ds.training import corpora
from boilerplate_ds.training.alignment import UNKNOWN
from boilerplate_ds.training.corpora import (
    CUT,
    EXTRACT,
    HTML,
    PLAIN,
    RESIDUE,
    TEXT,
    labelled_pages,
    read_html,
    wcxb_pages,
)

from . import wcxb_file
from .wcxb_file import STORY, TOO_LARGE, row, write_wcxb

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "Ferry number 1 to run"
PAGE_HTML = wcxb_file.HTML.format(TITLE, STORY)


def gold_page(**fields: object) -> GoldDocument:
    lines = ("Home", "News", TITLE, STORY, "All rights reserved")
    document = Document("p1", lines, url="https://a.example/1", site="a.example", language="en", **fields)
    return GoldDocument(document, np.array([2, 2, 0, 0, 2], dtype=np.int8), ("anna",), 1.0, "single")


def test_a_labelled_page_without_html_is_its_text() -> None:
    item = gold_page()
    page, cut = labelled_pages([item], "mine", {})
    assert (page.document, page.labels.tolist()) == (item.document, [2, 2, 0, 0, 2])
    assert (page.view, page.origin, page.reference) == (TEXT, "mine", None)
    assert cut.view == CUT


def test_the_cut_view_leaves_out_runs_of_lines_and_is_always_the_same() -> None:
    lines = tuple(f"line {i}" for i in range(400))
    labels = np.repeat(np.arange(100) % 4, 4).astype(np.int8)
    item = GoldDocument(Document("p", lines), labels, ("anna",), 1.0, "single")
    _, cut = labelled_pages([item], "mine", {})
    _, again = labelled_pages([item], "mine", {})
    assert cut.document.lines == again.document.lines
    kept = [int(line.removeprefix("line ")) for line in cut.document.lines]
    assert kept == sorted(kept)
    assert labels[kept].tolist() == cut.labels.tolist()
    assert all((i // 4 * 4 + j in kept) for i in kept for j in range(4))  # whole runs
    of_label = np.bincount(cut.labels, minlength=4)
    assert of_label[0] > of_label[1] > of_label[2] > 0


def test_the_cut_view_keeps_lines_as_they_are() -> None:
    lines = ("\ufeff", "a\u2028b", "the text")
    item = GoldDocument(Document("p", lines), np.zeros(3, dtype=np.int8), ("anna",), 1.0, "single")
    _, cut = labelled_pages([item], "mine", {})
    assert set(cut.document.lines) <= set(lines)
    assert len(cut.document.lines) == len(cut.labels)


def test_the_cut_view_keeps_blank_lines() -> None:
    text = Document.from_text("one\n\ntwo\nthree\n\n\nfour\n", id="p")
    labels = np.array([0, 1, 2, 3], dtype=np.int8)
    _, cut = labelled_pages([GoldDocument(text, labels, ("anna",), 1.0, "single")], "mine", {})
    of_line = dict(zip(text.lines, text.blank_before.tolist(), strict=True))
    assert cut.document.lines
    assert [of_line[line] for line in cut.document.lines] == cut.document.blank_before.tolist()


def test_html_gives_three_more_views_with_the_same_labels() -> None:
    text, _, html, plain, residue, *extracts = labelled_pages([gold_page()], "mine", {"p1": PAGE_HTML})
    assert [page.view for page in (text, html, plain, residue)] == [TEXT, HTML, PLAIN, RESIDUE]
    assert {page.view for page in extracts} <= {EXTRACT}
    assert html.document.markup is not None
    assert residue.document.markup is None
    assert plain.document.blank_before.any()
    of_line = dict(zip(text.document.lines, text.labels.tolist(), strict=True))
    for page in (html, plain, residue, *extracts):
        assert page.document.lines
        assert [of_line[line.strip(" •")] for line in page.document.lines] == page.labels.tolist()
        assert (page.document.id, page.document.site, page.document.language) == ("p1", "a.example", "en")
    assert html.document.lines == text.document.lines


def test_one_extractor_reads_a_page_and_another_the_next(monkeypatch) -> None:
    for name in ("trafilatura", "readability"):
        monkeypatch.setattr(corpora, f"_{name}", lambda html, name=name: f"{name} read {html}")
    monkeypatch.setattr(corpora, "find_spec", lambda _package: True)
    pages = [f"<p>page {number}" for number in range(20)]
    left = [corpora.extract(page) for page in pages]
    assert left == [corpora.extract(page) for page in pages]
    assert {text.split(" read ")[0] for text in left} == {"trafilatura", "readability"}
    assert [text.split(" read ")[1] for text in left] == pages
    monkeypatch.setattr(corpora, "find_spec", lambda package: package == "readability" or None)
    assert {corpora.extract(page).split(" read ")[0] for page in pages} == {"readability"}
    monkeypatch.setattr(corpora, "find_spec", lambda _package: None)
    assert corpora.extract("<p>page") is None


def test_lines_that_only_the_html_has_are_unknown() -> None:
    html = PAGE_HTML.replace("<article>", "<p>Cookies help us improve</p><article>")
    page = next(page for page in labelled_pages([gold_page()], "mine", {"p1": html}) if page.view == HTML)
    assert page.labels[page.document.lines.index("Cookies help us improve")] == UNKNOWN


def test_what_an_extractor_left_is_a_residue_and_takes_no_html() -> None:
    item = gold_page(metadata={"variant": "resiliparse-main"})
    (page,) = labelled_pages([item], "mine", {"p1": PAGE_HTML})
    assert page.view == RESIDUE
    assert [
        p.view for p in labelled_pages([gold_page(metadata={"variant": "full"})], "mine", {"p1": PAGE_HTML})
    ][:5] == [TEXT, CUT, HTML, PLAIN, RESIDUE]


def test_html_that_is_refused_leaves_the_text_and_a_reason() -> None:
    rejects = Rejects()
    pages = list(labelled_pages([gold_page()], "mine", {"p1": TOO_LARGE}, rejects=rejects))
    assert [page.view for page in pages] == [TEXT, CUT]
    assert [(item.file, item.record) for item in rejects.items] == [("mine", "HTML of page p1")]
    assert "HTML of more than" in rejects.items[0].reason
    with pytest.raises(SourceError, match="p1: HTML of more than"):
        list(labelled_pages([gold_page()], "mine", {"p1": TOO_LARGE}))


def test_a_wcxb_page_gives_its_html_its_text_and_what_an_extractor_leaves(tmp_path: Path) -> None:
    pages = list(wcxb_pages(write_wcxb(tmp_path / "w.parquet", [row(1)])))[:3]
    assert [page.view for page in pages] == [HTML, TEXT, RESIDUE]
    for page in pages:
        document = page.document
        assert (document.id, document.site, document.url) == (
            "wcxb-0001",
            "site1.example",
            "https://site1.example/ferry",
        )
        assert document.metadata == {"page_type": "forum"}
        assert (page.origin, page.reference) == ("wcxb", f"{TITLE}\n{STORY}")
        label_of = {line.strip(" •"): label for line, label in zip(document.lines, page.labels, strict=True)}
        assert label_of[STORY] == MAIN
        if page.view != RESIDUE:
            assert (label_of[TITLE], label_of["Home"]) == (MAIN, NOT_MAIN)
    assert pages[0].document.markup is not None


def test_wcxb_pages_come_in_order_and_with_progress(tmp_path: Path) -> None:
    path = write_wcxb(tmp_path / "w.parquet", [row(n) for n in range(70)])
    told: list[float] = []
    pages = list(wcxb_pages(path, progress=lambda step, done: told.append(done)))
    assert [page.document.id for page in pages if page.view == HTML] == [f"wcxb-{n:04}" for n in range(70)]
    assert told == [pytest.approx(n / 70) for n in range(1, 71)]


def test_pages_are_the_same_from_two_processes(tmp_path: Path) -> None:
    path = write_wcxb(tmp_path / "w.parquet", [row(1), row(2, html=TOO_LARGE), row(3)])
    gold = [gold_page(), gold_page(metadata={"variant": "resiliparse-main"})]
    rejects = Rejects(), Rejects()
    one, two = (
        [
            *wcxb_pages(path, n_jobs=n, rejects=some),
            *labelled_pages(gold, "mine", {"p1": PAGE_HTML}, n_jobs=n),
        ]
        for n, some in zip((1, 2), rejects, strict=True)
    )
    assert [(p.document.id, p.view, p.document.lines) for p in one] == [
        (p.document.id, p.view, p.document.lines) for p in two
    ]
    assert all((a.labels == b.labels).all() for a, b in zip(one, two, strict=True))
    assert rejects[0].items == rejects[1].items


def test_views_that_are_only_learned_from_are_left_out_where_nothing_is_learned(tmp_path: Path) -> None:
    path = write_wcxb(tmp_path / "w.parquet", [row(1)])
    assert [page.view for page in wcxb_pages(path, to_learn=False)] == [HTML, TEXT, RESIDUE]
    pages = labelled_pages([gold_page()], "mine", {"p1": PAGE_HTML}, to_learn=False)
    assert [page.view for page in pages] == [TEXT, HTML, RESIDUE]


def test_a_page_that_was_read_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    item = gold_page()
    read_anew = list(labelled_pages([item], "mine", {"p1": PAGE_HTML}))
    reviewed = list(wcxb_pages(write_wcxb(tmp_path / "w.parquet", [row(1, html=PAGE_HTML)])))

    def never(html: str, **options: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(corpora, "_views", never)
    pages = list(labelled_pages([item], "mine", {"p1": [(p.view, p.document) for p in reviewed]}))
    assert [(p.view, p.document, p.origin) for p in pages] == [
        (p.view, p.document, p.origin) for p in read_anew
    ]
    assert all((a.labels == b.labels).all() for a, b in zip(pages, read_anew, strict=True))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"html": TOO_LARGE}, "HTML of more than"),
        ({"html": None}, "html is NoneType, not a string"),
        ({"main_content": None}, "main_content is NoneType, not a string"),
    ],
)
def test_a_wcxb_page_that_is_refused_goes_to_the_rejects(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    path = write_wcxb(tmp_path / "w.parquet", [row(1), row(2, **changes), row(3)])
    rejects = Rejects()
    pages = list(wcxb_pages(path, rejects=rejects))
    assert {page.document.id for page in pages} == {"wcxb-0001", "wcxb-0003"}
    assert [(item.file, item.record) for item in rejects.items] == [(str(path), "page 0002")]
    assert reason in rejects.items[0].reason
    with pytest.raises(SourceError, match="page 0002"):
        list(wcxb_pages(path))


def test_a_page_without_url_or_domain_is_read(tmp_path: Path) -> None:
    pages = list(wcxb_pages(write_wcxb(tmp_path / "w.parquet", [row(1), row(2, url=None, domain=None)])))
    assert (pages[-1].document.url, pages[-1].document.site) == ("", "")


def test_a_page_without_domain_is_of_the_site_of_its_url(tmp_path: Path) -> None:
    pages = wcxb_pages(write_wcxb(tmp_path / "w.parquet", [row(1, domain=None)]))
    assert {page.document.site for page in pages} == {"site1.example"}


@pytest.mark.parametrize("name", ["url", "domain"])
def test_an_address_that_is_no_string_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match=f"{name} is int, not a string"):
        list(wcxb_pages(write_wcxb(tmp_path / "w.parquet", [row(1, **{name: 7})])))


def test_missing_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "w.parquet"
    parquet.write_table(pa.table({"id": ["1"], "html": ["<p>x</p>"], "url": ["u"]}), path)
    with pytest.raises(DatasetError, match=r"w\.parquet: lacks the columns domain, main_content, page_type"):
        list(wcxb_pages(path))


@pytest.mark.parametrize("data", [b"", b"PAR1", b"\x89PNG\r\n\x1a\n" + bytes(99)])
def test_a_file_that_is_no_parquet_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "w.parquet"
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=r"w\.parquet: can't be read as Parquet"):
        list(wcxb_pages(path))
    with pytest.raises(DatasetError, match=r"w\.parquet: can't be read as Parquet"):
        read_html(path)


def test_html_is_read_by_id(tmp_path: Path) -> None:
    path = write_wcxb(tmp_path / "w.parquet", [row(1), row(2)])
    assert read_html(path) == {"0001": row(1)["html"], "0002": row(2)["html"]}
    parquet.write_table(pa.table({"id": ["1"]}), path)
    with pytest.raises(DatasetError, match="columns id and html"):
        read_html(path)


@pytest.mark.parametrize(
    ("ids", "html"),
    [
        (pa.array([1, 2]), ["<p>é</p>", "<p>x</p>"]),
        ([b"1", b"2"], ["<p>é</p>".encode(), b"<p>x</p>"]),
        (["1", "2"], ["<meta charset=latin-1><p>é</p>".encode("latin-1"), b"<p>x</p>"]),
        (["1", "2", "3", None], ["<p>é</p>", "<p>x</p>", None, "<p>y</p>"]),
        (pa.array(["1", "2"]).dictionary_encode(), pa.array(["<p>é</p>", "<p>x</p>"], pa.large_string())),
    ],
    ids=["integer ids", "bytes", "bytes of another encoding", "nulls", "other kinds of strings"],
)
def test_ids_and_html_are_read_whatever_their_type(tmp_path: Path, ids: object, html: object) -> None:
    parquet.write_table(pa.table({"id": ids, "html": html}), tmp_path / "h.parquet")
    read = read_html(tmp_path / "h.parquet")
    assert {key: source[-8:] for key, source in read.items()} == {"1": "<p>é</p>", "2": "<p>x</p>"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"html": [1, 2]}, "column html holds int, not strings"),
        ({"html": [["a"], ["b"]]}, "column html holds list, not strings"),
        ({"id": [0.5, 1.5]}, "column id holds float, not strings"),
        ({"id": [True, False]}, "column id holds bool, not strings"),
        ({"html": pa.array([b"\xff", b"a"]).view(pa.string())}, "can't be read as Parquet .*utf-8"),
    ],
)
def test_a_column_of_another_type_is_named(tmp_path: Path, changes: dict, message: str) -> None:
    path = tmp_path / "h.parquet"
    parquet.write_table(pa.table({"id": ["1", "2"], "html": ["a", "b"], **changes}), path)
    with pytest.raises(DatasetError, match=rf"h\.parquet: {message}"):
        read_html(path)
