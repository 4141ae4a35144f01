"""Bytes to text, as the web needs it.

A byte order mark decides first, then what the page declares, then UTF-8 if it is valid, then detection.

Plain text must come back byte for byte, so :func:`decode_text` takes a codec only if it does that.
A page of HTML must be read as a browser would, so :func:`decode_html` may replace bytes that mean nothing.
"""

from __future__ import annotations

import codecs
import re
from operator import itemgetter
from typing import TYPE_CHECKING

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What the web means by these names (WHATWG Encoding Standard) is the larger codec.
_LARGER = {
    "ascii": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso8859-9": "cp1254",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
}
_DECLARED = re.compile(
    rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})|<\?xml[^>]{0,200}?encoding=[\"']([\w.:-]{2,40})",
    re.IGNORECASE,
)
_DECLARED_WITHIN = 4096
_SAMPLE = 64 * 2**10
_MOST_REPLACED = 0.05
"""Share of the characters outside ASCII that a codec may fail on before the page is read as cp1252."""


def encoding_of_bom(data: bytes) -> str:
    """Name the codec that a byte order mark at the start of ``data`` stands for, or give ``""``."""
    return next((codec for bom, codec in _BOMS if data.startswith(bom)), "")


def decode_text(data: bytes) -> tuple[str, str]:
    """Decode plain text so that encoding it again gives the same bytes.

    A byte order mark stays as the first character of the text.

    Returns
    -------
    text : str
    encoding : str
        The Python codec: ``text.encode(encoding) == data``, for any ``data``.
    """
    for codec in _text_codecs(data):
        text = _decoded(data, codec)
        # Strict UTF-8 has one spelling of each text; of other codecs that is not sure.
        if text is not None and (codec == "utf-8" or _encodes_to(text, codec, data)):
            return text, codec
    return data.decode("latin-1"), "latin-1"


def _text_codecs(data: bytes) -> Iterator[str]:
    if bom := encoding_of_bom(data):
        yield bom
    yield "utf-8"
    if detected := _detected(data):
        yield detected
    yield "cp1252"


def decode_html(data: bytes, charset: str = "") -> str:
    """Decode a page of HTML; never fails.

    The byte order mark decides; then ``charset``; then the page's ``<meta>`` or XML declaration; then UTF-8
    if the bytes are valid; then detection. If no codec fits every byte, the one with the fewest characters
    replaced is taken, and Windows-1252 if that loses too much.

    Parameters
    ----------
    data : bytes
    charset : str
        The charset of the HTTP header, if there was one.
    """
    if bom := encoding_of_bom(data):
        return data.decode(bom, "replace").removeprefix("\ufeff")
    tried = []
    for codec in _html_codecs(data, charset):  # one after another: the last of them, detection, takes longest
        if (text := _decoded(data, codec)) is not None:
            return text
        tried.append(codec)
    replaced, text = min((_replaced(data, codec) for codec in dict.fromkeys(tried)), key=itemgetter(0))
    return text if replaced <= _MOST_REPLACED else _as_windows_1252(data)


def _html_codecs(data: bytes, charset: str) -> Iterator[str]:
    if charset and (codec := _python_codec(charset)):
        yield codec
    if declared := _DECLARED.search(data, 0, _DECLARED_WITHIN):
        name = (declared[1] or declared[2]).decode("ascii", "replace")
        if codec := _python_codec(name):
            # A declaration that could be read as ASCII cannot be UTF-16.
            yield "utf-8" if codec.startswith("utf-16") else codec
    yield "utf-8"
    if detected := _detected(data):
        yield detected


def _decoded(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError):
        return None


def _encodes_to(text: str, codec: str, data: bytes) -> bool:
    try:
        return text.encode(codec) == data
    except UnicodeError:
        return False


def _python_codec(name: str) -> str:
    mapped = map_encoding_to_html5(name, fallback_utf8=False)
    return _LARGER.get(mapped, mapped) if mapped else ""


def _detected(data: bytes) -> str:
    name = detect_encoding(data, _SAMPLE, html5_compatible=False)
    return _LARGER.get(name.lower(), name) if name else ""


def _replaced(data: bytes, codec: str) -> tuple[float, str]:
    """Decode leniently; give the share of characters outside ASCII that were replaced, and the text."""
    try:
        text = data.decode(codec, "replace")
    except LookupError:
        return 1.0, ""
    n_foreign = sum(map(len, re.findall(r"[^\x00-\x7f]+", text)))
    return text.count("\ufffd") / max(n_foreign, 1), text


def _as_windows_1252(data: bytes) -> str:
    """Decode as browsers do: the five bytes that Windows-1252 leaves open stay control characters."""
    return data.decode("latin-1").translate(_WINDOWS_1252)


_WINDOWS_1252 = {byte: bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xA0)}
