"""Bytes to text: plain text gives its bytes back, HTML reads as in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from boilerplate_ds.sources import read_documents
from boilerplate_ds.sources.compression import compression_of
from boilerplate_ds.sources.encoding import decode_html, decode_text

if TYPE_CHECKING:
    from pathlib import Path

GERMAN = "Die Straße ist für Fußgänger gesperrt – natürlich „nur“ heute.\r\nEs gilt: Äpfel kosten 5 €.\r\n"
JAPANESE = "日本語の文章です。これは文字コードの判定を試すためのものです。"
CHINESE = "这是一个用于测试编码检测的中文网页,内容足够长,可以判断。"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", GERMAN),
        ("utf-8-sig", GERMAN),
        ("utf-16", GERMAN),
        ("utf-16-le", "\ufeff" + JAPANESE),
        ("utf-16-be", "\ufeff" + JAPANESE),
        ("utf-32", GERMAN),
        ("cp1252", GERMAN),
        ("shift_jis", JAPANESE),
        ("gb18030", CHINESE),
    ],
)
def test_text_is_decoded_and_gives_its_bytes_back(tmp_path: Path, encoding: str, text: str) -> None:
    data = text.encode(encoding)
    (tmp_path / "a.txt").write_bytes(data)
    (document,) = read_documents(tmp_path / "a.txt")
    assert document.text.removeprefix("\ufeff") == text.removeprefix("\ufeff")
    assert document.text.encode(document.metadata["encoding"]) == data


def test_a_byte_order_mark_stays_as_the_first_character() -> None:
    assert decode_text(b"\xef\xbb\xbfa") == ("\ufeffa", "utf-8")


def test_bytes_that_are_no_text_at_all_are_latin_1() -> None:
    data = bytes(range(256))
    text, encoding = decode_text(data)
    assert text.encode(encoding) == data


@given(data=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_round_trip(data: bytes) -> None:
    text, encoding = decode_text(data)
    assert text.encode(encoding) == data


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(data=st.binary(max_size=300))
def test_any_bytes_round_trip_through_a_text_file(tmp_path: Path, data: bytes) -> None:
    assume(not compression_of(data))  # compressed text comes back decompressed
    (tmp_path / "a.txt").write_bytes(data)
    (document,) = read_documents(tmp_path / "a.txt", format="text")
    assert document.text.encode(document.metadata["encoding"]) == data


@pytest.mark.parametrize(
    ("html", "charset"),
    [
        (f"<meta charset=shift_jis><p>{JAPANESE}".encode("shift_jis"), ""),
        (
            f"<meta http-equiv=Content-Type content='text/html; charset=gb2312'>{CHINESE}".encode("gb18030"),
            "",
        ),
        (f"<?xml version='1.0' encoding='euc-jp'?>{JAPANESE}".encode("euc-jp"), ""),
        (JAPANESE.encode("shift_jis"), "x-sjis"),
        (f"<meta charset=latin1>{GERMAN}".encode("cp1252"), ""),
        (f"<meta charset=utf-16>{JAPANESE}".encode(), ""),
        (f"<meta charset=nonsense>{JAPANESE}".encode(), "none"),
        (JAPANESE.encode("utf-16"), "utf-8"),
        (b"\xef\xbb\xbf" + JAPANESE.encode(), "shift_jis"),
        (f"<meta charset=utf-8>{GERMAN * 3}".encode("cp1252"), ""),
    ],
)
def test_html_is_decoded_by_mark_header_declaration_and_content(html: bytes, charset: str) -> None:
    text = decode_html(html, charset)
    assert JAPANESE in text or CHINESE in text or GERMAN in text


@pytest.mark.parametrize("encoding", ["utf-8", "shift_jis"])
def test_a_few_broken_bytes_do_not_change_the_encoding_of_a_page(encoding: str) -> None:
    page = f"<meta charset={encoding}>{JAPANESE * 3}".encode(encoding)
    assert decode_html(page[:-1]).startswith(f"<meta charset={encoding}>{JAPANESE * 2}")


def test_what_no_codec_fits_is_windows_1252() -> None:
    assert decode_html(b"<meta charset=utf-8>\x81\x8d\xe4\xff\x80").endswith("\x81\x8däÿ€")


@given(data=st.binary(max_size=200), charset=st.text(max_size=12))
def test_html_of_any_bytes_is_decoded(data: bytes, charset: str) -> None:
    assert isinstance(decode_html(data, charset), str)
