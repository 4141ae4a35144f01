"""Which texts may be passed on: the licence of a document, and whether it allows redistribution.

A document's licence is the field ``licence`` (or ``license``, in any case) of its record. Where a
document states none, its collection decides: texts that stand beside their labels were put there by people
who could, those of a stand-off collection were not, because they cannot be shipped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from boilerplate_ds.dataset.gold import GoldDocument
    from boilerplate_ds.document import Document
    from boilerplate_ds.labeling.hydrate import Corpus

TextPolicy = Literal["licensed", "all", "none"]
TEXT_POLICIES: tuple[TextPolicy, ...] = get_args(TextPolicy)
"""Texts to publish: those that may be passed on, all of them, or none."""
LICENCE_TEXT = (
    "The labels are the work of this set's annotators. The text of each page is under the licence that the\n"
    "column `licence` names; where it names none, it remains under the copyright of its publisher."
)
"""What holds for a set of which nothing else is known; Markdown."""

_CREATIVE_COMMONS = re.compile(
    r"(?:https?://)?(?:www\.)?creativecommons\.org/"
    r"(?:licenses/([a-z-]+)/([0-9]+\.[0-9]+)(?:/[a-z]{2,8})?|publicdomain/zero/1\.0)"
    r"(?:/(?:deed|legalcode)(?:\.[a-z_-]{2,8})?)?/?"
)
"""An address of a Creative Commons licence, with its country and the page's language. Only one that is all of
what is stated counts: words around it may say of what it holds, or that it does not."""
_OPEN = re.compile(
    r"(?:cc0|cc-by|cc-by-sa|cc-by-nc|cc-by-nc-sa|odc-by|odbl|pddl|cdla-permissive|cdla-sharing|etalab|ogl"
    r"|apache|mit|isc|bsd|bsd-2-clause|bsd-3-clause|gfdl|fdl|unlicense|wtfpl|public-domain)"
    r"(?:-v?[0-9][0-9.]*(?:-[a-z]{2,3})?)?"
)
"""Licences under which a text may be passed on with the line ends that reading gives it. Not among them:
``nd`` licences, which forbid derived forms."""


def licence_of(document: Document) -> str:
    """Give the licence that a document states, as the Hub writes it (``cc-by-4.0``); empty if none.

    Fields that say different things are joined by ``-and-``, which is no open licence.
    """
    stated = [
        normal_licence(str(value))
        for name, value in document.metadata.items()
        if value and name.lower() in ("licence", "license")
    ]
    return "-and-".join(dict.fromkeys(filter(None, stated)))


def normal_licence(stated: str) -> str:
    """Write a licence as the Hub does: ``CC BY 4.0`` and its address both become ``cc-by-4.0``."""
    text = " ".join(stated.lower().split())
    if match := _CREATIVE_COMMONS.fullmatch(text):
        return f"cc-{match[1]}-{match[2]}" if match[1] else "cc0-1.0"
    return re.sub(r"[ _]+", "-", text)


def is_open(licence: str) -> bool:
    """Whether a licence is known to allow redistribution."""
    return _OPEN.fullmatch(normal_licence(licence)) is not None


def without_text(
    gold: Iterable[GoldDocument], standoff: Collection[str], policy: TextPolicy = "licensed"
) -> dict[str, str]:
    """Choose the documents that are published without their text.

    Parameters
    ----------
    gold : iterable of GoldDocument
    standoff : collection of str
        SHA-256 of the lines of the documents of stand-off collections.
    policy : {"licensed", "all", "none"}
        Texts to publish: those that may be passed on; all of them; none.

    Returns
    -------
    dict of str to str
        SHA-256 of the lines by id of the document; of the first one where several have an id.
    """
    first: dict[str, Document] = {}
    for item in gold:
        first.setdefault(item.document.id, item.document)
    return {i: d.text_sha256 for i, d in first.items() if not _publishes(d, standoff, policy)}


def _publishes(document: Document, standoff: Collection[str], policy: TextPolicy) -> bool:
    if policy != "licensed":
        return policy == "all"
    licence = licence_of(document)
    return is_open(licence) if licence else document.text_sha256 not in standoff


def with_licence(gold: Sequence[GoldDocument], licences: Collection[str]) -> list[GoldDocument]:
    """Keep the documents whose licence is one of ``licences``; all of them if that is empty."""
    wanted = {normal_licence(licence) for licence in licences}
    return [item for item in gold if not wanted or licence_of(item.document) in wanted]


def common_licence(gold: Iterable[GoldDocument]) -> str:
    """Give the licence that all documents share if it is an open one, else ``other``."""
    licences = {licence_of(item.document) for item in gold}
    shared = licences.pop() if len(licences) == 1 else ""
    return shared if is_open(shared) else "other"


def plain(value: str) -> str:
    """Write a value from a page so that it is neither Markdown nor HTML, nor breaks a table."""
    return re.sub(r"([\\`*_{}\[\]<>|#&~$])", r"\\\1", " ".join(value.split()))


def licence_text(gold: Sequence[GoldDocument], corpora: Iterable[Corpus], stated: str = "") -> str:
    """Say in words which licences a set has; Markdown.

    Parameters
    ----------
    gold : sequence of GoldDocument
    corpora : iterable of Corpus
        Where the pages of stand-off collections are from.
    stated : str
        The licence that the set is published under, as its maker says; empty if nothing is said.
    """
    stated = "" if stated == "other" else stated
    shared = common_licence(gold)
    if shared != "other" and stated in ("", shared):
        return f"Texts and labels are under `{shared}` ({licence_address(shared)})."
    terms = {corpus.name: corpus.licence for corpus in corpora}
    of_set = (
        f"This set is published under {plain(stated)} ({plain(licence_address(stated))}).\n\n"
        if stated
        else ""
    )
    named = [f"\n{plain(name)}: {plain(words)}" for name, words in sorted(terms.items())]
    return of_set + "\n".join([LICENCE_TEXT, *named])


def licence_address(licence: str) -> str:
    """Give the address of a licence's text where there is a well-known one, else its name."""
    normal = normal_licence(licence)
    if match := re.fullmatch(r"cc-(by[a-z-]*)-([0-9.]+)", normal):
        return f"https://creativecommons.org/licenses/{match[1]}/{match[2]}/"
    return {
        "cc0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
        "apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
        "mit": "https://opensource.org/license/mit",
    }.get(normal, licence)
