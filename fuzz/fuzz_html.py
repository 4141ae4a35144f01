"""Any bytes as a page of HTML: read or refused, lines whole and in order, markup that fits them.

Run: make fuzz, or python fuzz/fuzz_html.py fuzz/corpus/html -max_total_time=300
"""

import sys

import atheris

with atheris.instrument_imports(include=["boilerplate_ds"]):
    from boilerplate_ds.errors import SourceError
    from boilerplate_ds.sources.html import document_from_html


def read(data: bytes) -> None:
    """Read the bytes as a page, and as text."""
    for page in (data, data.decode("utf-8", "surrogateescape")):
        try:
            document = document_from_html(page)
        except SourceError:
            continue
        markup = document.markup
        assert markup is not None
        assert all(line.strip() and "\n" not in line and "\r" not in line for line in document.lines)
        assert len(markup.element) == len(markup.block) == len(markup.link_share) == len(document.lines)
        assert all(0 <= share <= 1 for share in markup.link_share.tolist())
        assert all(up <= element for element, up in enumerate(markup.parent.tolist()))


atheris.Setup(sys.argv, read)
atheris.Fuzz()
