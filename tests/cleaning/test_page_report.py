"""A labelled page to share is one file that shows a stranger's text as text."""

from __future__ import annotations

import re

import pytest

from boilerplate_ds import Cleaner, Document
from boilerplate_ds.cleaning.page_report import ShownPage, page_report
from boilerplate_ds.document import LABEL_NAMES

HOSTILE = "<script>alert(1)</script>\n</bdi></td><b onclick='x'>bold\n\u202eevil\nمرحبا بالعالم\n"


@pytest.fixture(scope="module")
def report() -> str:
    document = Document.from_text(HOSTILE, id="<i>page", url="javascript:alert(1)")
    return page_report([ShownPage.of(document, Cleaner().label(document))], "web")


def test_every_line_stands_there_with_label_and_score(report):
    rows = re.findall(
        r'<tr class="(\w+)[^"]*"><td class="n">(\d+)</td>.*?<td class="s">(0\.\d\d|1\.00)</td>', report
    )
    assert [number for _, number, _ in rows] == ["1", "2", "3", "4"]
    assert {label for label, _, _ in rows} <= set(LABEL_NAMES)


def test_text_of_the_page_is_never_markup(report):
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in report
    assert "<title>&lt;i&gt;page</title>" in report
    for markup in ("<script", "<b onclick", "<i>page", 'href="javascript', "\u202e"):
        assert markup not in report
    assert "⟨U+202E⟩evil" in report


def test_the_file_loads_nothing(report):
    assert "default-src 'none'" in report
    assert not re.search(r"""(?:src|href)\s*=|url\(|@import|https?://""", report)
