"""Public extractors of main content, each as a function from HTML to text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Extractor = Callable[[str], str]


def _trafilatura() -> Extractor:
    extract = import_module("trafilatura").extract
    return lambda html: extract(html) or ""


def _resiliparse() -> Extractor:
    extract = import_module("resiliparse.extract.html2text").extract_plain_text
    return lambda html: str(extract(html, main_content=True, preserve_formatting=True))


def _justext() -> Extractor:
    justext = import_module("justext")
    stop = justext.get_stoplist("English")
    return lambda html: "\n".join(
        paragraph.text for paragraph in justext.justext(html, stop) if not paragraph.is_boilerplate
    )


def _readability() -> Extractor:
    readability = import_module("readability").Document
    text = import_module("resiliparse.extract.html2text").extract_plain_text
    return lambda html: str(text(readability(html).summary(), preserve_formatting=True))


def _boilerpy3() -> Extractor:
    extractor = import_module("boilerpy3.extractors").ArticleExtractor()
    return lambda html: str(extractor.get_content(html))


def _magic_html() -> Extractor:
    extractor = import_module("magic_html").GeneralExtractor()
    text = import_module("resiliparse.extract.html2text").extract_plain_text
    return lambda html: str(text(extractor.extract(html)["html"], preserve_formatting=True))


_PEERS: dict[str, Callable[[], Extractor]] = {
    "trafilatura": _trafilatura,
    "resiliparse, main content": _resiliparse,
    "jusText": _justext,
    "readability-lxml": _readability,
    "BoilerPy3": _boilerpy3,
    "magic-html": _magic_html,
}


def peers() -> dict[str, Extractor]:
    """Give the extractors that are installed; a page that one fails on counts as empty."""
    found = {}
    for name, make in _PEERS.items():
        try:
            found[name] = _tolerant(make())
        except ImportError:
            print(f"left out: {name} is not installed")
    return found


def _tolerant(extract: Extractor) -> Extractor:
    def tolerant(html: str) -> str:
        try:
            return extract(html)
        except Exception:  # noqa: BLE001 - whatever a peer raises, its page is lost
            return ""

    return tolerant
