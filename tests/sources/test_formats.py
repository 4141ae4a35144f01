"""Every format, plain and compressed, with and without a suffix that tells."""

from __future__ import annotations

import io
import json
from datetime import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from boilerplate_ds import read_documents
from boilerplate_ds.errors import Rejects

from . import archives
from .archives import COMPRESSIONS, HTML, RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from boilerplate_ds.document import Document

RECORD_FORMATS: dict[str, Callable[..., bytes]] = {
    "pages.jsonl": archives.as_jsonl,
    "pages.ndjson": archives.as_jsonl,
    "pages.json": archives.as_json,
    "lines.json": archives.as_jsonl,
    "pages.csv": archives.as_csv,
    "pages.tsv": archives.as_tsv,
    "pages.parquet": archives.as_parquet,
    "pages.arrow": archives.as_arrow,
    "file.arrow": archives.as_arrow_file,
}
compressed = pytest.mark.parametrize("suffix", COMPRESSIONS)


def read(path: object, **options: object) -> list[Document]:
    return list(read_documents(path, **options))  # type: ignore[arg-type]


def written(folder: Path, name: str, content: bytes, suffix: str = "") -> Path:
    path = folder / (name + suffix)
    path.write_bytes(COMPRESSIONS[suffix](content))
    return path


@compressed
@pytest.mark.parametrize("name", RECORD_FORMATS)
def test_records_become_documents(tmp_path: Path, name: str, suffix: str) -> None:
    path = written(tmp_path, name, RECORD_FORMATS[name](RECORDS), suffix)
    first, second = read(path)
    assert first.text == RECORDS[0]["text"]
    assert second.text == RECORDS[1]["text"]
    assert (first.id, first.url, first.site, first.language) == (
        "a",
        "https://www.Example.org/a",
        "example.org",
        "en",
    )
    assert second.site == "shop.example.com"
    assert first.source == str(path)
    assert {name: int(value) for name, value in first.metadata.items()} == {"rank": 1}


@compressed
@pytest.mark.parametrize("name", ["page.txt", "page.md", "page.markdown", "page.text", "page", "page.log"])
def test_a_text_file_is_one_document(tmp_path: Path, name: str, suffix: str) -> None:
    path = written(tmp_path, name, "# Überschrift\r\n\r\nText\n".encode(), suffix)
    (document,) = read(path)
    assert document.lines == ("# Überschrift", "Text")
    assert document.text == "# Überschrift\r\n\r\nText\n"
    assert (document.id, document.source) == (name + suffix, str(path))
    assert document.metadata == {"encoding": "utf-8"}


@compressed
@pytest.mark.parametrize("name", ["page.html", "page.htm", "page.xhtml", "page"])
def test_an_html_file_is_one_document_with_markup(tmp_path: Path, name: str, suffix: str) -> None:
    (document,) = read(written(tmp_path, name, HTML.encode(), suffix))
    assert document.lines[:2] == ("Home", "A paragraph.")
    assert document.markup is not None
    assert document.markup.title == "T"


@compressed
@pytest.mark.parametrize("name", ["crawl.warc", "crawl"])
def test_a_warc_gives_its_html_responses(tmp_path: Path, name: str, suffix: str) -> None:
    (document,) = read(written(tmp_path, name, archives.as_warc(), suffix))
    assert document.id == "<urn:uuid:00000000-0000-0000-0000-000000000003>"
    assert document.lines[:2] == ("Home", "A paragraph.")
    assert (document.url, document.site) == ("https://www.example.org/a", "example.org")
    assert document.metadata == {"date": "2024-05-06T07:08:09Z", "status": 200}


@compressed
def test_a_wet_gives_its_text(tmp_path: Path, suffix: str) -> None:
    (document,) = read(written(tmp_path, "crawl.warc.wet", archives.as_wet(), suffix))
    assert document.text == "Startseite\nEin Absatz über Käse.\n"
    assert (document.site, document.language, document.markup) == ("example.org", "deu", None)


def test_a_warc_compressed_record_by_record_is_read_whole(tmp_path: Path) -> None:
    for suffix in (".gz", ".zst"):
        members = [
            COMPRESSIONS[suffix](record)
            for record in (archives.as_warc(), archives.as_wet(), archives.as_wet())
        ]
        (tmp_path / f"crawl.warc{suffix}").write_bytes(b"".join(members))
        assert len(read(tmp_path / f"crawl.warc{suffix}")) == 3


def test_a_warc_page_is_decoded_by_its_http_charset_and_content_encoding(tmp_path: Path) -> None:
    body = COMPRESSIONS[".gz"]("<p>日本語のページです。".encode("shift_jis"))
    response = archives.http_response(body, "text/html; charset=Shift_JIS", "Content-Encoding: gzip\r\n")
    (tmp_path / "a.warc").write_bytes(
        archives.warc_record("response", response, Content_Type="application/http")
    )
    (document,) = read(tmp_path / "a.warc")
    assert document.lines == ("日本語のページです。",)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "raw deflate", "zstd", "br", "identity"])
def test_a_warc_page_is_decoded_as_browsers_do(tmp_path: Path, coding: str) -> None:
    page = "<p>A paragraph.</p>" * 5000
    body = page.encode() if coding == "identity" else archives.encoded(page, coding)
    header = f"Content-Encoding: {coding.removeprefix('raw ').title()}\r\n"
    records = (archives.http_response(content, more=header) for content in (body, body + b"junk"))
    (tmp_path / "a.warc").write_bytes(b"".join(archives.warc_record("response", r) for r in records))
    documents = list(read_documents(tmp_path / "a.warc", rejects=Rejects()))
    assert {len(document.lines) for document in documents} >= {5000}


def test_codings_on_each_other_and_members_after_each_other_are_decoded(tmp_path: Path) -> None:
    both = archives.encoded("<p>One", "gzip") + archives.encoded("<p>Two", "gzip")
    body = zstandard.ZstdCompressor().compress(both)
    response = archives.http_response(body, more="Content-Encoding: gzip, zstd\r\n")
    (tmp_path / "a.warc").write_bytes(archives.warc_record("response", response))
    (document,) = read(tmp_path / "a.warc")
    assert document.lines == ("One", "Two")


@pytest.mark.parametrize("coding", ["identity", "gzip", "deflate", "zstd"])
def test_a_page_that_the_crawler_cut_is_kept_and_marked(tmp_path: Path, coding: str) -> None:
    page = "".join(f"<p>Line {i * 7919 % 100_003}.</p>" for i in range(20_000))
    body = page.encode() if coding == "identity" else archives.encoded(page, coding)
    response = archives.http_response(body[: len(body) // 2], more=f"Content-Encoding: {coding}\r\n")
    whole = archives.warc_record("response", archives.http_response(b"<p>Whole"))
    (tmp_path / "a.warc").write_bytes(
        archives.warc_record("response", response, WARC_Truncated="length") + whole
    )
    cut, other = read(tmp_path / "a.warc")
    assert cut.metadata["truncated"] == "length"
    assert 1000 < len(cut.lines) < 20_000
    assert "truncated" not in other.metadata


@pytest.mark.parametrize("name", ["saved", "parent"])
def test_a_saved_hugging_face_dataset_is_read_from_its_folder(tmp_path: Path, name: str) -> None:
    saved = tmp_path / "parent" / "saved"
    saved.mkdir(parents=True)
    (saved / "dataset_info.json").write_text("{}")
    names = ["data-00001-of-00002.arrow", "data-00000-of-00002.arrow"]
    (saved / "state.json").write_text(
        json.dumps({"_data_files": [{"filename": each} for each in reversed(names)]})
    )
    for each, record in zip(reversed(names), RECORDS, strict=True):
        (saved / each).write_bytes(archives.as_arrow([record]))
    assert [document.id for document in read(saved if name == "saved" else tmp_path / name)] == ["a", "b"]


def test_what_datasets_saves_is_read(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    half = datasets.Dataset.from_list([{"text": "one"}, {"text": "two"}])
    datasets.DatasetDict({"train": half, "test": half}).save_to_disk(tmp_path / "dict")
    ids = [document.id for document in read(tmp_path / "dict")]
    arrow = "data-00000-of-00001.arrow"
    assert ids == [f"test/{arrow}#1", f"test/{arrow}#2", f"train/{arrow}#1", f"train/{arrow}#2"]


@compressed
@pytest.mark.parametrize("name", ["pages.jsonl", "pages.json", "pages.parquet", "file.arrow"])
def test_standard_input_is_told_by_its_content(
    monkeypatch: pytest.MonkeyPatch, name: str, suffix: str
) -> None:
    content = COMPRESSIONS[suffix](RECORD_FORMATS[name](RECORDS))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    documents = read("-")
    assert [document.text for document in documents] == [record["text"] for record in RECORDS]
    assert documents[0].source == "-"


def test_standard_input_of_a_table_takes_its_format_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"text\nHello\n")))
    (document,) = read("-", format="csv")
    assert (document.id, document.text) == ("stdin#1", "Hello")


def test_content_goes_before_the_suffix(tmp_path: Path) -> None:
    (tmp_path / "wrong.txt").write_bytes(archives.as_parquet(RECORDS))
    (tmp_path / "wrong.csv").write_bytes(archives.as_wet())
    assert [document.id for document in read(tmp_path / "wrong.txt")] == ["a", "b"]
    assert read(tmp_path / "wrong.csv")[0].language == "deu"


def test_text_files_stay_text_even_if_they_start_with_a_tag(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(HTML)
    (document,) = read(tmp_path / "README.md")
    assert (document.text, document.markup) == (HTML, None)


def test_an_empty_file_of_text_is_a_document_without_lines(tmp_path: Path) -> None:
    for name in ("a.txt", "a.html", "a.txt.gz"):
        (tmp_path / name).write_bytes(b"")
        (document,) = read(tmp_path / name)
        assert document.lines == ()


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.warc"])
def test_an_empty_file_of_records_holds_none(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert read(tmp_path / name) == []


def test_csv_delimiter_is_told_by_the_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id;text\n1;"One, two;\n\nthree"\n\n2;Four\n')
    assert [document.text for document in read(tmp_path / "a.csv")] == ["One, two;\n\nthree", "Four"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("above", "mark"),
    [
        ("sep=;\r\n", ";"),
        ('"sep=;"\r\n', ";"),
        ("SEP=,\r\n", ","),
        ("sep=^\r\n", "^"),
        ("sep=\t\n", "\t"),
        ("\r\n", ";"),
        (" \n\n", ","),
        (";;\r\n\r\n", ";"),
    ],
)
def test_what_excel_writes_above_a_header_is_passed_over(
    tmp_path: Path, above: str, mark: str, encoding: str
) -> None:
    table = f'{above}id{mark}text{mark}n\r\na{mark}"One{mark} two"{mark}1\r\n'
    (tmp_path / "a.csv").write_bytes(table.encode(encoding))
    (document,) = read(tmp_path / "a.csv")
    assert (document.id, document.text) == ("a", f"One{mark} two")


def test_a_line_for_excel_above_a_table_with_tabs_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("sep=\t\nid\ttext\na\tOne\n")
    (document,) = read(tmp_path / "a.tsv")
    assert document.text == "One"


def test_a_time_of_day_keeps_its_nanoseconds(tmp_path: Path) -> None:
    times = pa.array([1_234_567_891, 1_234_567_000, None], pa.time64("ns"))
    pq.write_table(pa.table({"text": ["t"] * 3, "at": times}), tmp_path / "a.parquet")
    found = [document.metadata["at"] for document in read(tmp_path / "a.parquet")]
    assert found == ["00:00:01.234567891", time(0, 0, 1, 234_567), None]


def test_csv_in_the_encodings_of_spreadsheets(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        (tmp_path / "a.csv").write_bytes("text,id\r\nKäse für alle – günstig,1\r\n".encode(encoding))
        (document,) = read(tmp_path / "a.csv")
        assert (document.text, document.id) == ("Käse für alle – günstig", "1")


def test_json_of_one_object_over_several_lines(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"text": "Hello", "meta": {"url": "http://a.org"}}, indent=2))
    (document,) = read(tmp_path / "a.json")
    assert (document.id, document.text, document.site) == ("a.json#1", "Hello", "a.org")


def test_json_array_is_read_across_chunks(tmp_path: Path) -> None:
    texts = ["x" * size for size in (1, 70_000, 3, 500_000, 65_536, 2)]
    (tmp_path / "a.json").write_text("[" + " ,\n".join(json.dumps({"text": text}) for text in texts) + "]")
    assert [document.text for document in read(tmp_path / "a.json")] == texts


def test_parquet_of_many_rows_keeps_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(archives.as_parquet([{"text": f"row {i}"} for i in range(1, 301)]))
    documents = read(tmp_path / "a.parquet")
    assert [document.id for document in documents] == [f"a.parquet#{i}" for i in range(1, 301)]
    assert documents[299].text == "row 300"


def test_arrow_of_large_strings_and_dictionaries(tmp_path: Path) -> None:
    table = pa.table(
        {"text": pa.array(["a", "a"]).dictionary_encode(), "url": pa.array(["u.org", ""], pa.large_string())}
    )
    with pa.ipc.new_stream(str(tmp_path / "a.arrow"), table.schema) as writer:
        writer.write_table(table)
    assert [(document.text, document.site) for document in read(tmp_path / "a.arrow")] == [
        ("a", "u.org"),
        ("a", ""),
    ]
