"""Every bad file and record is named with its reason, and reading goes on."""

from __future__ import annotations

import bz2
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boilerplate_ds.errors import Rejects, SourceError
from boilerplate_ds.sources import FORMATS, arrow, jsonl, read_documents, stream, tables, text, warc
from boilerplate_ds.sources import html as html_reader
from boilerplate_ds.sources import records as records_reader

from . import archives
from .archives import COMPRESSIONS, RECORDS

if TYPE_CHECKING:
    from pathlib import Path

MANY = [{"id": str(i), "text": f"Text number {i} {i * i} {i**5}."} for i in range(20_000)]


def read(path: Path, **options: str) -> tuple[list[str], list[str]]:
    """Read a file; give the ids, and the rejects without the file's path."""
    rejects = Rejects()
    ids = [document.id for document in read_documents(path, rejects=rejects, **options)]  # type: ignore[arg-type]
    assert all(reject.file == str(path) for reject in rejects.items)
    return ids, [
        f"{reject.record}: {reject.reason}" if reject.record else reject.reason for reject in rejects.items
    ]


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "text")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "a PNG image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG image"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"{\\rtf1\\ansi A page.}", "RTF"),
        (
            b"From: <Saved by Blink>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n",
            "a saved page or a mail in MIME parts",
        ),
        (zipped(), "a zip archive"),
        (bz2.compress(b"text"), "compressed with bzip2"),
        (COMPRESSIONS[".gz"](COMPRESSIONS[".zst"](b"text")), "compressed twice"),
        (b"\x7fELF\x02", "a program"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a"])
def test_files_that_are_not_pages_are_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    ids, (reject,) = read(tmp_path / name)
    assert ids == []
    assert reject.startswith(f"not a file of pages: this is {reason}")


@pytest.mark.parametrize("text", ["WARC/1.0 is a format", "PAR1 is a magic", "ARROW1 is too", "From: me"])
def test_text_that_tells_of_a_format_is_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    assert [document.text for document in read_documents(tmp_path / "a.txt")] == [text]


def test_binary_data_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    known = ", ".join(FORMATS)
    assert read(tmp_path / "a.bin")[1] == [
        f"unknown format (binary data); if it is one of {known}, say so: format=, --format"
    ]


def test_an_unknown_format_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="unknown format 'docx'; known are text, html"):
        read_documents(tmp_path, format="docx", rejects=Rejects())


def test_bad_json_lines_are_named_and_the_others_read(tmp_path: Path) -> None:
    lines = (
        b'\xef\xbb\xbf{"id": "a", "text": "t"}',
        b"",
        b'{"id": "b", "text"',
        b'["c"]',
        b'{"text": "\xff"}',
        b"[" * 100_000,
        b'{"text": ' + b"9" * 5000 + b"}",
        b'{"id": "d", "text": "t"}',
    )
    (tmp_path / "a.jsonl").write_bytes(b"\r\n".join(lines))
    ids, rejects = read(tmp_path / "a.jsonl")
    assert ids == ["a", "d"]
    assert [reject[:24] for reject in rejects] == [
        "line 3: not JSON: Expect",
        "line 4: a JSON list, not",
        "line 5: not UTF-8 at byt",
        "line 6: JSON nested too ",
        "line 7: not JSON: Exceed",
    ]


def test_without_rejects_the_first_bad_record_raises_and_names_itself(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "t"}\n{"text": 1}\n')
    documents = read_documents(tmp_path / "a.jsonl")
    assert next(documents).text == "t"
    with pytest.raises(SourceError, match=r"a\.jsonl, line 2: the text"):
        next(documents)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.arrow"])
def test_a_table_without_a_text_column_is_one_reject(tmp_path: Path, name: str) -> None:
    write = {"a.csv": archives.as_csv, "a.parquet": archives.as_parquet, "a.arrow": archives.as_arrow}[name]
    (tmp_path / name).write_bytes(write([{"title": "t", "n": 1}] * 3))
    (reject,) = read(tmp_path / name)[1]
    assert reject.startswith(
        "no text column found; the columns are 'title', 'n'. Name the one with the text: text_column="
    )


def test_csv_rows_that_do_not_fit_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,text,x\na,t\nb,one, two, three\nc\nd,t,x\n")
    assert read(tmp_path / "a.csv") == (
        ["a", "d"],
        [
            "row 2: 4 fields under a header of 3; is a field with a delimiter not quoted?",
            "row 3: 1 fields under a header of 3; the one with the text is not among them",
        ],
    )


def test_a_csv_quote_that_is_not_closed_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'id,text\na,t\nb,"t\nc,t\n')
    assert read(tmp_path / "a.csv") == (["a"], ["row 2: lines 3 to 4: a quote is not closed"])


@pytest.mark.parametrize(("name", "tab"), [("a.csv", ","), ("a.tsv", "\t")])
def test_text_is_never_altered_by_quotes_that_are_none(tmp_path: Path, name: str, tab: str) -> None:
    rows = [
        "id|text",
        'a|"Hello" he said',
        "b|so",
        'c|"a ""b"" c"',
        'd|"open',
        "e|t",
        'f|"Cheap" tickets',
        "g|t",
    ]
    (tmp_path / name).write_text("\n".join(rows).replace("|", tab) + "\n")
    rejects = Rejects()
    documents = {d.id: d.text for d in read_documents(tmp_path / name, rejects=rejects)}
    assert documents == {"b": "so", "c": 'a "b" c', "g": "t"}
    assert [item.record for item in rejects.items] == ["row 1", "row 4"]
    assert "line 2: " in rejects.items[0].reason
    assert "lines 5 to 7: " in rejects.items[1].reason


def test_columns_of_one_name_are_all_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text,note,note,note_2\n1,t,x,y,z\n")
    (document,) = read_documents(tmp_path / "a.csv")
    assert document.metadata == {"note": "x", "note_2": "y", "note_2_2": "z"}


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_columns_of_one_name_are_all_kept_in_tables_of_arrow(tmp_path: Path, name: str) -> None:
    columns = [pa.array([value]) for value in ("t", "x", "y", "z")]
    table = pa.Table.from_arrays(columns, ["text", "note", "note", "note_2"])
    if name == "a.parquet":
        pa.parquet.write_table(table, tmp_path / name)
    else:
        with pa.OSFile(str(tmp_path / name), "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table)
    (document,) = read_documents(tmp_path / name)
    assert document.metadata == {"note": "x", "note_2": "y", "note_2_2": "z"}


def test_csv_bytes_that_do_not_fit_the_encoding_are_named(tmp_path: Path) -> None:
    rows = ["id,text", *(f"{i},Käse und Wein" for i in range(20_000))]
    (tmp_path / "a.csv").write_bytes("\n".join(rows).encode() + b"\nbad,K\xe4se\n")
    ids, rejects = read(tmp_path / "a.csv")
    assert len(ids) == 20_000
    assert rejects == ["row 20001: not UTF-8, though the start of the file is"]


@pytest.mark.parametrize(
    ("content", "ids", "rejects"),
    [
        (
            '[{"id": "a", "text": "t"}, 5, {"id": "b", "text": "t"}]',
            ["a", "b"],
            ["record 2: a JSON int, not"],
        ),
        ('[{"id": "a", "text": "t"}, {"id": "b", "te', ["a"], ["record 2: not JSON (Unterminated"]),
        ('[{"id": "a", "text": "t"},', ["a"], ["the JSON array is not closed after record 1"]),
        ("{bad json", [], ["record 1: not JSON (Expecting"]),
        ('"text"', [], ["record 1: a JSON str, not"]),
        ("[" * 100_000, [], ["record 1: JSON nested too deeply"]),
        ('[{"id": "a", "text": "t"}]\n[{"id": "b", "text": "t"}]\n', ["a", "b"], []),
        (
            '[{"id": "a", "text": "t"}]\n{"id": "b", "text": "t"}',
            ["a"],
            ["record 1 ends the array; what follows is not read"],
        ),
        ('[\n{"id": "a", "text": "t"},\n{"id": "b", "text": "t"}\n]\n', ["a", "b"], []),
    ],
)
def test_bad_json_files(tmp_path: Path, content: str, ids: list[str], rejects: list[str]) -> None:
    (tmp_path / "a.json").write_text(content)
    found_ids, found_rejects = read(tmp_path / "a.json")
    assert found_ids == ids
    assert [found[: len(reject)] for found, reject in zip(found_rejects, rejects, strict=True)] == rejects


def test_a_record_of_json_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'[{"text": "\xc3\xa4"}, {"text": "\xe4"}, {"text": "\\udce4"}]')
    assert read(tmp_path / "a.json") == (["a.json#1", "a.json#3"], ["record 2: not UTF-8"])


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.json"])
def test_records_before_the_break_of_compressed_data_are_given(
    tmp_path: Path, name: str, suffix: str
) -> None:
    write = {"a.jsonl": archives.as_jsonl, "a.csv": archives.as_csv, "a.json": archives.as_json}[name]
    content = COMPRESSIONS[suffix](write(MANY))
    path = tmp_path / (name + suffix)
    path.write_bytes(content[: len(content) // 2])
    texts = {record["text"] for record in MANY}
    rejects = Rejects()
    documents = list(read_documents(path, rejects=rejects))
    assert len(documents) > 3000
    assert all(document.text in texts for document in documents)  # none is cut
    assert rejects.count == 1
    assert f"the {'gzip' if suffix == '.gz' else 'zstd'} data ends too early" in rejects.items[0].reason


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.parquet", "a.arrow", "a.warc", "a.jsonl", "a"])
def test_broken_compressed_data_of_any_format_is_a_reject(tmp_path: Path, name: str, suffix: str) -> None:
    content = {
        "a.parquet": archives.as_parquet(RECORDS),
        "a.arrow": archives.as_arrow(RECORDS),
        "a.warc": archives.as_warc(),
    }.get(name, b"text " * 99)
    compressed = bytearray(COMPRESSIONS[suffix](content))
    path = tmp_path / (name + suffix)
    for broken in (compressed[:-5], compressed[:11], compressed[:12] + b"\xff\0junk" + compressed[20:]):
        path.write_bytes(broken)
        rejects = read(path)[1]
        assert any("data ends too early" in reject or "data is damaged" in reject for reject in rejects)


def test_what_follows_a_gzip_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(COMPRESSIONS[".gz"](archives.as_jsonl(RECORDS)) + b"junk")
    ids, (reject,) = read(tmp_path / "a.jsonl.gz")
    assert ids == ["a", "b"]
    assert "the gzip data is damaged after" in reject


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_damaged_tables_are_rejects(tmp_path: Path, name: str) -> None:
    write = {"a.parquet": archives.as_parquet, "a.arrow": archives.as_arrow}[name]
    content = write(MANY[:3000])
    for broken in (
        content[: len(content) // 2],
        b"junk" * 99,
        content[:1000] + b"\xff" * 500 + content[1500:],
    ):
        (tmp_path / name).write_bytes(broken)
        ids, rejects = read(tmp_path / name, format=name[2:])
        assert rejects[-1].startswith("cannot be read after row") or len(ids) == 3000


def test_a_row_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    texts = pa.array([b"ok", b"\xff\xfe", b"fine"], pa.binary())
    pa.parquet.write_table(pa.table({"text": texts.view(pa.string())}), tmp_path / "a.parquet")
    ids, (reject,) = read(tmp_path / "a.parquet")
    assert ids == ["a.parquet#1", "a.parquet#3"]
    assert reject.startswith("row 2: cannot be decoded")


def test_a_warc_cut_within_a_record_names_it(tmp_path: Path) -> None:
    content = archives.as_wet() + archives.as_wet()
    (tmp_path / "a.warc").write_bytes(content[:-20])
    ids, (reject,) = read(tmp_path / "a.warc")
    assert len(ids) == 1
    assert reject == "record <urn:uuid:00000000-0000-0000-0000-000000000002>: cut short: 19 of 35 bytes"


def test_a_warc_cut_within_a_header_names_the_record(tmp_path: Path) -> None:
    (tmp_path / "a.warc").write_bytes(archives.as_wet() + b"WARC/1.0\r\nWARC-Type: conv")
    ids, (reject,) = read(tmp_path / "a.warc")
    assert len(ids) == 1
    assert reject == "record 3: not a whole WARC header"


def test_a_response_that_does_not_decode_is_named_and_the_archive_read_on(tmp_path: Path) -> None:
    page = archives.HTML.encode()
    answers = [
        archives.http_response(page),
        archives.http_response(b"\x1f\x8b\x08 torn", more="Content-Encoding: gzip\r\n"),
        archives.http_response(b"zz\r\ntorn", more="Transfer-Encoding: chunked\r\n"),
        archives.http_response(page, more="Content-Encoding: gzip\r\n"),  # decoded by the crawler
        archives.http_response(page, more="Transfer-Encoding: chunked\r\n"),
        archives.http_response(page),
    ]
    records = [archives.warc_record("response", answer, i) for i, answer in enumerate(answers, 1)]
    (tmp_path / "a.warc").write_bytes(b"".join(records))
    ids, rejects = read(tmp_path / "a.warc")
    assert [id_[-2:-1] for id_ in ids] == ["1", "4", "5", "6"]
    assert ["000000000002" in rejects[0], "000000000003" in rejects[1]] == [True, True]
    assert len(rejects) == 2
    first, *others = (document.lines for document in read_documents(tmp_path / "a.warc", rejects=Rejects()))
    assert others == [first] * 3


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "raw deflate", "zstd", "br"])
def test_a_response_cut_within_its_content_encoding_is_named(tmp_path: Path, coding: str) -> None:
    body = archives.encoded("<p>" + " ".join(map(str, range(2000))), coding)
    name = coding.removeprefix("raw ")
    answers = [
        archives.http_response(part, more=f"Content-Encoding: {name}\r\n")
        for part in (body, body[: len(body) // 2], body[:-1], b"")
    ]
    records = [archives.warc_record("response", answer, i) for i, answer in enumerate(answers, 1)]
    (tmp_path / "a.warc").write_bytes(b"".join(records))
    ids, rejects = read(tmp_path / "a.warc")
    assert [id_[-2:-1] for id_ in ids] == ["1", "4"]
    assert ["000000000002" in rejects[0], "000000000003" in rejects[1]] == [True, True]
    reason = "the HTTP body cannot be decoded: "
    reason += "" if name == "br" else f"the {name} data ends too early, after"
    assert all(reason in reject for reject in rejects)


def test_what_is_no_page_is_passed_over_undecoded(tmp_path: Path) -> None:
    response = archives.http_response(b"\x1f\x8b\x08 torn", "image/svg+xml", "Content-Encoding: gzip\r\n")
    (tmp_path / "a.warc").write_bytes(archives.warc_record("response", response))
    assert read(tmp_path / "a.warc") == ([], [])


def test_a_content_encoding_that_is_not_known_is_named(tmp_path: Path) -> None:
    response = archives.http_response(b"junk", more="Content-Encoding: rot13\r\n")
    (tmp_path / "a.warc").write_bytes(archives.warc_record("response", response))
    assert "Content-Encoding 'rot13' is not known" in read(tmp_path / "a.warc")[1][0]


def test_comments_before_a_page_take_no_time(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("<!---->" * 500 + "not a page")
    assert len(read(tmp_path / "a")[0]) == 1  # with backtracking it would take years
    (tmp_path / "b").write_text("<!-- a -->\n<!-- b -->" + archives.HTML)
    (document,) = read_documents(tmp_path / "b")
    assert document.markup is not None


def test_fields_nested_too_deeply_are_named(tmp_path: Path) -> None:
    def nested(depth: int) -> Any:
        return [nested(depth - 1)] if depth else {"x": [1]}

    rows = [{"id": str(depth), "text": "t", "more": nested(depth)} for depth in (98, 99)]
    (tmp_path / "a.jsonl").write_bytes(archives.as_jsonl(rows))
    assert read(tmp_path / "a.jsonl") == (["98"], ["line 2: fields nested more than 100 deep"])


def test_a_list_of_lines_is_bounded_as_a_text_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_reader, "MAX_RECORD_BYTES", 100)
    rows = [{"id": "a", "text": ["x" * 9] * 10}, {"id": "b", "text": ["x" * 10] * 10}]
    (tmp_path / "a.jsonl").write_bytes(archives.as_jsonl(rows))
    assert read(tmp_path / "a.jsonl") == (["a"], ["line 2: a text of 110 characters; the limit is 100"])


@pytest.mark.parametrize("as_dictionary", [False, True])
def test_rows_that_grow_in_memory_are_read_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_dictionary: bool
) -> None:
    monkeypatch.setattr(arrow, "_BATCH_BYTES", 5_000)
    texts = pa.array(["x" * 1_000] * 9 + ["y" * 6_000])
    table = pa.table({"text": texts.dictionary_encode() if as_dictionary else texts})
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    ids, rejects = read(tmp_path / "a.arrow")
    assert len(ids) == (10 if as_dictionary else 9)  # what a dictionary holds is in memory already
    assert [reject[:21] for reject in rejects] == [] if as_dictionary else ["row 10: a row of 6,00"]


def test_junk_in_a_warc_ends_it(tmp_path: Path) -> None:
    (tmp_path / "a.warc").write_bytes(archives.as_wet() + b"junk " * 99)
    ids, (reject,) = read(tmp_path / "a.warc")
    assert len(ids) == 1
    assert reject.startswith("the archive is damaged after record 2")


def test_records_over_the_limit_are_named_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "MAX_RECORD_BYTES", 1000)
    records = [{"id": "a", "text": "t"}, {"text": "t" * 600_000}, {"id": "c", "text": "t"}]
    (tmp_path / "a.jsonl").write_bytes(archives.as_jsonl(records))
    assert read(tmp_path / "a.jsonl") == (["a", "c"], ["line 2: longer than 1,000 bytes"])


def test_a_warc_record_over_the_limit_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "MAX_RECORD_BYTES", 1000)
    large = archives.warc_record("conversion", b"t" * 99_999, 7)
    (tmp_path / "a.warc").write_bytes(large + archives.as_wet())
    ids, (reject,) = read(tmp_path / "a.warc")
    assert len(ids) == 1
    assert (
        reject == "record <urn:uuid:00000000-0000-0000-0000-000000000007>: 99,999 bytes; the limit is 1,000"
    )


def test_a_csv_row_over_the_limit_ends_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_RECORD_BYTES", 1000)
    (tmp_path / "a.csv").write_bytes(b'id,text\na,t\nb,"' + b"line\n" * 1000 + b'"\n')
    ids, (reject,) = read(tmp_path / "a.csv")
    assert ids == ["a"]
    assert reject.startswith("a row of more than 1,000 characters")


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_text_files_over_the_limit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(text, "MAX_TEXT_BYTES", 1000)
    (tmp_path / f"a.txt{suffix}").write_bytes(COMPRESSIONS[suffix](b"t" * 1_000_000))
    assert read(tmp_path / f"a.txt{suffix}") == (
        [],
        ["more than 1,000 bytes, the most that is read as one page"],
    )


def test_pages_of_html_over_the_limit_are_refused_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (text, warc, html_reader):
        monkeypatch.setattr(module, "MAX_HTML_BYTES", 1000)
    page = "<p>" + "t" * 1000
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "a.jsonl").write_bytes(archives.as_jsonl([{"html": page}, {"html": "<p>t"}]))
    response = archives.http_response(COMPRESSIONS[".gz"](page.encode()), more="Content-Encoding: gzip\r\n")
    (tmp_path / "a.warc").write_bytes(
        archives.warc_record("response", response, Content_Type="application/http")
    )
    assert read(tmp_path / "a.html")[1] == ["more than 1,000 bytes, the most that is read as one page"]
    assert read(tmp_path / "a.jsonl") == (["a.jsonl#2"], ["line 1: HTML of 1,003 bytes; the limit is 1,000"])
    assert "a page of more than 1,000 bytes" in read(tmp_path / "a.warc")[1][0]


def test_a_spooled_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_SPOOLED_BYTES", 1000)
    (tmp_path / "a.parquet.gz").write_bytes(COMPRESSIONS[".gz"](archives.as_parquet(MANY[:99])))
    assert "more than 1,000 bytes when decompressed" in read(tmp_path / "a.parquet.gz")[1][0]


def starts_of_formats() -> st.SearchStrategy[bytes]:
    starts = (
        b"PAR1",
        b"ARROW1",
        b"WARC/1.0\r\n",
        b"\x1f\x8b\x08",
        b"\x28\xb5\x2f\xfd",
        b"<html>",
        b"[{",
        b'{"text": ',
        b"\xff\xfe",
        b"",
    )
    return st.sampled_from(starts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(start=starts_of_formats(), rest=st.binary(max_size=120))
@pytest.mark.parametrize("format_name", [*FORMATS, None])
def test_arbitrary_bytes_never_raise(
    tmp_path: Path, format_name: str | None, start: bytes, rest: bytes
) -> None:
    (tmp_path / "a.bin").write_bytes(start + rest)
    for document in read_documents(tmp_path / "a.bin", format=format_name, rejects=Rejects()):
        assert document.source == str(tmp_path / "a.bin")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(data=st.data())
@pytest.mark.parametrize(
    "content",
    [
        archives.as_warc() + archives.as_wet(),
        archives.as_parquet(RECORDS),
        archives.as_arrow(RECORDS),
        archives.as_arrow_file(RECORDS),
        COMPRESSIONS[".gz"](archives.as_jsonl(RECORDS)),
        COMPRESSIONS[".zst"](json.dumps(RECORDS).encode()),
    ],
    ids=["warc", "parquet", "arrow", "arrow file", "gz", "zst"],
)
def test_files_with_a_few_bytes_changed_never_raise(
    tmp_path: Path, content: bytes, data: st.DataObject
) -> None:
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "a.bin").write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
    list(read_documents(tmp_path / "a.bin", rejects=Rejects()))
