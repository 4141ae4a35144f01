"""Any string: no exception, kept lines byte-identical and in order, memory in proportion."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boilerplate_ds import Cleaner, Document

PLANES = "".join(
    chr(plane << 16 | offset) for plane in range(17) for offset in (0x41, 0x4E2D, 0xD7A3, 0xFFFD)
)
STRINGS = {
    "every plane": PLANES,
    "every plane, a line each": "\n".join(PLANES),
    "lone surrogates": "\ud800 a\udfff\n\udc00\ud800\nplain",
    "NUL": "\0\n a\0b \n\0\0\0",
    "right to left marks": "\u202eabc\u202c\n\u200f\u05d0\u05d1\u05d2\n\u2066x\u2069",
    "controls": "".join(map(chr, range(32))) + "\x7f\x85\xa0\u2028\u2029",
    "combining marks": "e" + "\u0301" * 5_000,
    "joined emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 500,
    "one long line": "the ferry runs every hour " * 20_000,
    "one long word": "a" * 300_000,
    "one long line of Chinese": "\u8f6e\u6e21\u6bcf\u5c0f\u65f6\u4e00\u73ed\u3002" * 20_000,
    "only blank lines": "\n" * 300_000,
    "only blank lines of spaces": " \t\u3000\r\n" * 50_000,
    "many equal lines": "Read more\n" * 20_000,
    "many lines": "".join(f"line number {i}\n" for i in range(20_000)),
    "carriage returns": "one\rtwo\r\n\rthree\n\r",
}


@pytest.fixture(scope="module")
def cleaner() -> Cleaner:
    return Cleaner()


def check(cleaner: Cleaner, text: str) -> None:
    """Clean ``text``; what is kept are lines of it, untouched, in their order."""
    document = Document.from_text(text)
    kept = cleaner.keep([document])[0]
    assert len(kept) == len(document.lines)
    expected = [line for line, keep in zip(document.lines, kept.tolist(), strict=True) if keep]
    assert list(Document.from_text(cleaner.clean(text)).lines) == expected
    assert document.text == text


@pytest.mark.parametrize("name", STRINGS)
def test_a_difficult_string_is_cleaned(cleaner: Cleaner, name: str) -> None:
    check(cleaner, STRINGS[name])


@given(
    st.lists(st.one_of(st.text(st.characters()), st.sampled_from(list(STRINGS.values())[:7])), max_size=20)
)
@settings(max_examples=60, deadline=None)
def test_any_lines_are_cleaned(lines: list[str]) -> None:
    check(SHARED, "\n".join(lines))


SHARED = Cleaner()

MEASURE = """
import resource
from boilerplate_ds import Cleaner
cleaner = Cleaner()
cleaner.clean("warm\\nup")
text = {text}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
cleaner.clean(text)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux tells it")
@pytest.mark.parametrize(
    ("text", "most_megabytes"),
    [
        ('"the ferry runs every hour " * 400_000', 1_200),  # 10 MB in one line
        ('"Read more\\n" * 100_000', 800),
        ('"\\n" * 20_000_000', 100),
    ],
    ids=["one line", "many lines", "blank lines"],
)
def test_memory_stays_in_proportion_to_a_giant_document(text: str, most_megabytes: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(text=text)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) / 1024 < most_megabytes
