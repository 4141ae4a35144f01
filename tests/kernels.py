"""What tests of kernels share: running the Python definitions instead, and documents of every kind."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from boilerplate_ds import Document

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def in_python() -> Iterator[None]:
    """Leave aside every kernel that is loaded."""
    kernels = [
        (module, name, value)
        for path, module in list(sys.modules.items())
        if path.startswith("boilerplate_ds.")
        for name, value in vars(module).items()
        if name.endswith("_KERNEL")
    ]
    for module, name, _ in kernels:
        setattr(module, name, None)
    try:
        yield
    finally:
        for module, name, value in kernels:
            setattr(module, name, value)


def same(compiled: np.ndarray, python: np.ndarray) -> None:
    """Assert that two arrays are equal bit by bit, not-a-numbers aside."""
    assert compiled.dtype == python.dtype
    np.testing.assert_array_equal(compiled, python)


# letters of many scripts, digits, marks, symbols, other planes, lone surrogates, spaces of all kinds
CHARACTERS = st.characters(codec=None) | st.sampled_from("aZé9 0.,|»•€渡次ไကЖعᾳ\u0301\ud800\u200b\U0001f600-")
LINES = st.lists(
    st.text(CHARACTERS, max_size=40)
    | st.sampled_from(("", " ", "Home", "home", "Read more »", "x" * 20_000)),
    max_size=12,
)
GAPS = st.sampled_from(("\n", "\n", "\n\n", "\r\n\r\n", "\n \t\n\n"))


@st.composite
def texts(draw: st.DrawFn) -> Document:
    """Lines as they are, and texts with blank lines and indentation between them."""
    lines = draw(LINES)
    if draw(st.booleans()):
        return Document(id="", lines=tuple(lines))
    indent = st.sampled_from(("", "", " ", "\t", "\u3000\u3000", " " * 20))
    return Document.from_text("".join(draw(GAPS) + draw(indent) + line for line in lines))


TEXTS = texts()
ATTRIBUTES = st.text(st.sampled_from("abcXYZ019-_ é漢&"), max_size=12)
TARGETS = st.text(st.sampled_from("/#?:-_.ab9é"), max_size=9) | st.sampled_from(
    ("//a.example", "https://a.example/news/1-2_3?q=1#top", "mailto:a@b.example", "/" + "a-1/" * 40)
)
OTHERS = ("<img>", "<input>", "<script>a</script>", "<!-- a -->", "<br>", "</a>", "<p>")
TAGS = st.sampled_from(("div", "p", "a", "li", "ul", "nav", "h2", "span", "table", "td", "footer", "x-y"))


@st.composite
def pages(draw: st.DrawFn) -> Document:
    """Pages of HTML with elements that open anywhere and close where they like."""
    parts = []
    for _ in range(draw(st.integers(0, 25))):
        tag = draw(TAGS)
        name = draw(ATTRIBUTES)
        written = (f'<{tag} class="{name}">', f"</{tag}>", f"<{tag} hidden id='{name}'>", *OTHERS)
        parts.append(draw(st.sampled_from(written) | TARGETS.map('<a href="{}">'.format)))
        parts.append(draw(st.text(st.sampled_from("ab Z9.é渡"), max_size=8)))
    title = draw(st.sampled_from(("", "<title>ab ab Z</title>", f"<title>{'渡ab 9' * 200}</title>")))
    return Document.from_html(title + "".join(parts))


def long_documents() -> list[Document]:
    """Documents of 1 to 3,000 lines, some lines again and again; the longer ones also with blank lines."""
    rng = np.random.default_rng(0)
    words = [
        "ferry",
        "Island",
        "the",
        "2024",
        "渡輪",
        "·",
        "Read",
        "more",
        "€12.50",
        "ميناء",
        "?",
        "https://a.example/b",
    ]
    flat = [
        Document(
            id=str(n),
            lines=tuple(" ".join(rng.choice(words, rng.integers(1, 25))) for _ in range(n // 2))
            + tuple(rng.choice(["Home", "Read more", "© 2024"], n - n // 2).tolist()),
        )
        for n in (1, 2, 33, 3_000, 400)
    ]
    ends = ("\n", "\n", "\n    ", "\n\n")
    spaced = ["".join(line + ends[rng.integers(4)] for line in document.lines) for document in flat[2:]]
    return [*flat, *map(Document.from_text, spaced)]
