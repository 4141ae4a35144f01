"""What format a file is in: by its first bytes, then by its name."""

from __future__ import annotations

import json
import re
from pathlib import PurePath

from boilerplate_ds.errors import SourceError
from boilerplate_ds.sources.encoding import encoding_of_bom

FORMATS = ("text", "html", "jsonl", "json", "csv", "tsv", "parquet", "arrow", "warc")
"""The names that ``format=`` takes."""

SUFFIXES = {
    ".txt": "text",
    ".text": "text",
    ".md": "text",
    ".markdown": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".warc": "warc",
    ".wet": "warc",
}
COMPRESSION_SUFFIXES = (".gz", ".zst", ".zstd")

_MAGIC = (
    (re.compile(rb"PAR1[\x00-\x1f]"), "parquet"),
    (re.compile(rb"ARROW1\x00"), "arrow"),
    (re.compile(rb"WARC/\d\.\d+\r?\n"), "warc"),
)
_NOT_PAGES = (
    (re.compile(rb"\x89PNG\r\n"), "a PNG image"),
    (re.compile(rb"\xff\xd8\xff"), "a JPEG image"),
    (re.compile(rb"GIF8[79]a"), "a GIF image"),
    (re.compile(rb"RIFF....(WEBP|WAVE|AVI )", re.DOTALL), "an image, sound or film"),
    (re.compile(rb"....ftyp", re.DOTALL), "a film or image"),
    (re.compile(rb"%PDF-"), "a PDF; take its text out first"),
    (re.compile(rb"\{\\rtf\d"), "RTF; take its text out first"),
    (
        re.compile(
            rb"(?=[A-Za-z-]{1,40}: )(.{0,2000}?\n)?content-type:\s{0,9}multipart/", re.IGNORECASE | re.DOTALL
        ),
        "a saved page or a mail in MIME parts (.mht, .eml); save the page as HTML",
    ),
    (re.compile(rb"PK(\x03\x04|\x05\x06)"), "a zip archive (or an office file); unpack it first"),
    (re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), "compressed with bzip2; use gzip or zstd"),
    (re.compile(rb"\xfd7zXZ\x00"), "compressed with xz; use gzip or zstd"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "a 7z archive; unpack it first"),
    (re.compile(rb"Rar!\x1a\x07"), "a RAR archive; unpack it first"),
    (re.compile(rb"SQLite format 3\x00"), "an SQLite database"),
    (re.compile(rb"\x7fELF"), "a program"),
    (re.compile(rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd"), "compressed twice; decompress it once"),
    (re.compile(rb".{257}ustar", re.DOTALL), "a tar archive; unpack it first"),
)
_HTML = re.compile(
    r"\s*(<\?xml[^>]*>\s*)?(<!--(?:(?!-->).)*-->\s*)*<(!doctype\s+html|html|head|body)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_ARRAY = re.compile(r"\s*\[\s*\{\s*\"")
_OBJECT = re.compile(r"\s*\{\s*\"")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # what no text holds; \x1b starts a terminal colour
_LOOKED_AT = 4096


def suffix_of(name: str) -> str:
    """Give a file name's suffix in lower case, that of the compressed file if it is compressed."""
    path = PurePath(name.lower())
    if path.suffix in COMPRESSION_SUFFIXES:
        path = path.with_suffix("")
    return path.suffix


def is_page_name(name: str) -> bool:
    """Whether a file of this name is taken for pages when it is met in a folder."""
    suffix = suffix_of(name)
    return suffix in SUFFIXES or (not suffix and name.lower().endswith(COMPRESSION_SUFFIXES))


def format_of(head: bytes, name: str) -> str:
    """Name the format of a file.

    A format that shows in the first bytes wins, then the suffix, then what the text looks like. A name
    that ends like text (``.txt``, ``.md``) is text even if it starts with a tag: Markdown often does.

    Parameters
    ----------
    head : bytes
        The first bytes, decompressed.
    name : str
        The file name.

    Returns
    -------
    str
        One of :data:`FORMATS`.

    Raises
    ------
    SourceError
        If the bytes are of a format that holds no pages, or of none that is known.
    """
    for magic, found in _MAGIC:
        if magic.match(head):
            return found
    for pattern, what in _NOT_PAGES:
        if pattern.match(head):
            raise SourceError(f"not a file of pages: this is {what}")
    named = SUFFIXES.get(suffix_of(name), "")
    if named == "json":
        return "jsonl" if _has_json_line(head) else "json"
    return named or _format_of_text(head)


def looks_like_html(head: bytes) -> bool:
    """Whether text starts as a page of HTML does."""
    return bool(_HTML.match(_as_text(head[:_LOOKED_AT])))


def _format_of_text(head: bytes) -> str:
    text = _as_text(head)
    if looks_like_html(head):
        return "html"
    if _OBJECT.match(text):
        return "jsonl" if _has_json_line(head) else "json"
    if _ARRAY.match(text):
        return "json"
    if not encoding_of_bom(head) and _BINARY.search(head[:_LOOKED_AT]):
        raise SourceError(
            f"unknown format (binary data); if it is one of {', '.join(FORMATS)}, say so: format=, --format"
        )
    return "text"


def _as_text(head: bytes) -> str:
    bom = encoding_of_bom(head)
    return head.decode(bom, "replace").removeprefix("\ufeff") if bom else head.decode("latin-1")


def _has_json_line(head: bytes) -> bool:
    """Whether one of the first complete lines is a JSON object by itself, and not in an array."""
    text = head.removeprefix(b"\xef\xbb\xbf")
    lines = [] if text.lstrip().startswith(b"[") else text.splitlines()
    complete = lines if len(lines) < 2 else lines[:-1]
    return any(line.startswith(b"{") and _is_object(line) for line in complete[:20])


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
