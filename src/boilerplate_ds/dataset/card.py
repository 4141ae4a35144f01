"""The dataset card: what a set holds, how its labels came about, and what it is not good for.

All figures are counted from the documents that are exported, so the card cannot fall behind them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.dataset.columns import DOCUMENT_COLUMNS, LINE_COLUMNS, metadata_text
from boilerplate_ds.dataset.licences import LICENCE_TEXT, licence_of, plain
from boilerplate_ds.dataset.splits import SPLITS, group_of, known_site, split_of
from boilerplate_ds.document import LABEL_NAMES, Label
from boilerplate_ds.errors import DatasetError
from boilerplate_ds.labeling.agreement import collect_ratings, measure_agreement
from boilerplate_ds.labeling.store import ADJUDICATOR

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from datasets import DatasetInfo
    from huggingface_hub import DatasetCardData

    from boilerplate_ds.dataset.gold import GoldDocument
    from boilerplate_ds.dataset.splits import Split
    from boilerplate_ds.document import Annotation, Document

MARK = "<!-- Written by boilerplate-ds export; an export replaces this folder as a whole. -->"
"""Line of the card by which an export is known as one of ours."""
MEANINGS = {
    Label.CONTENT: (
        "gets what this page is about: the piece itself, what readers wrote beneath it, "
        "the entries of its main list"
    ),
    Label.AD: "buys, joins, pays or signs up",
    Label.NAVIGATION: "finds the way, works the page, or is told the legal side",
    Label.RECOMMENDATION: "goes on to read or watch something else",
}
"""What a line of each label is there for, after ``labels/GUIDELINES.md``."""

_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
)
_LARGEST_SIZE = "n>10M"
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_NO_LANGUAGE = ("und", "mul", "zxx")
_SHOWN_GROUPS = 40
_SHOWN_CHARACTERS = 100
_FEW_DOCUMENTS = 10


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a group of documents holds.

    Parameters
    ----------
    documents, sites, lines : int
    labels : mapping of str to int
        Lines by name of their label.
    """

    documents: int
    sites: int
    lines: int
    labels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CardText:
    """What a card says that cannot be counted.

    Parameters
    ----------
    name : str
        Name of the set.
    guidelines : str
        Version of the guidelines that the annotators followed.
    description : str
        Further paragraphs on what the set is; Markdown.
    licence : str
        Identifier of the Hugging Face Hub, such as ``cc-by-4.0``.
    licence_text : str
        What the licence covers; Markdown.
    agreement : str
        How far annotators agree (:func:`agreement_text`), Markdown; where it is empty, the card says what the
        documents alone give.
    """

    name: str
    guidelines: str
    description: str = ""
    licence: str = "other"
    licence_text: str = LICENCE_TEXT
    agreement: str = ""


def dataset_card(
    by_split: Mapping[Split, Sequence[GoldDocument]],
    infos: Mapping[str, DatasetInfo],
    text: CardText,
    without_text: Collection[str] = (),
    shards: int = 1,
) -> str:
    """Write the ``README.md`` of an exported set: YAML for the Hub, then Markdown for people.

    Parameters
    ----------
    by_split : mapping of str to sequence of GoldDocument
        Only splits that hold documents.
    infos : mapping of str to datasets.DatasetInfo
        Features and sizes by name of the configuration, the default one first.
    text : CardText
    without_text : collection of str
        Ids of the documents whose text is left out.
    shards : int
        How many files the first split of ``lines`` has.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    items = [item for group in by_split.values() for item in group]
    environment = Environment(
        loader=PackageLoader("boilerplate_ds.dataset"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown; what comes from pages goes through the filter `plain`
    )
    environment.filters["plain"] = plain
    environment.filters["short"] = _short
    return environment.get_template("card.md").render(
        yaml=_card_data(items, infos, text).to_yaml(),
        mark=MARK,
        text=text,
        total=count(items),
        tables={
            "split": [(split, count(group)) for split, group in by_split.items()],
            "page type": count_by(items, lambda document: metadata_text(document, "page_type")),
            "language": count_by(items, lambda document: document.language),
            "variant": count_by(items, lambda document: metadata_text(document, "variant")),
            "source": count_by(items, lambda document: document.source),
            "licence": count_by(items, licence_of),
        },
        shards=shards,
        shown=_SHOWN_GROUPS,
        few=_FEW_DOCUMENTS,
        meanings=MEANINGS,
        document_columns=DOCUMENT_COLUMNS,
        line_columns=LINE_COLUMNS,
        without_text=sum(item.document.id in without_text for item in items),
        decided=Counter(item.decided for item in items),
        annotators=Counter(sorted(name for item in items for name in item.annotators)),
        agreement=_agreement(items),
        empty_splits=[split for split in SPLITS if split not in by_split],
        moved_sites=_moved_sites(by_split),
        rare=_rare(items),
        siteless=sum(not known_site(item.document) for item in items),
        bibtex_key=re.sub(r"\W+", "_", text.name.lower()).strip("_") or "dataset",
        version=version("boilerplate-ds"),
    )


def _short(name: str) -> str:
    return name if len(name) <= _SHOWN_CHARACTERS else name[:_SHOWN_CHARACTERS] + "…"


def count(items: Iterable[GoldDocument]) -> Counts:
    """Count documents, sites, lines and labels."""
    items = list(items)
    ids = np.concatenate([np.zeros(0, dtype=np.int8), *(item.labels for item in items)])
    per_label = np.bincount(ids, minlength=len(LABEL_NAMES)).tolist()
    return Counts(
        documents=len(items),
        sites=len({group_of(item.document) for item in items}),
        lines=len(ids),
        labels=dict(zip(LABEL_NAMES, per_label, strict=True)),
    )


def count_by(items: Iterable[GoldDocument], name_of: Callable[[Document], str]) -> list[tuple[str, Counts]]:
    """Count the groups that ``name_of`` makes of documents, the largest first; the name may be empty."""
    groups: defaultdict[str, list[GoldDocument]] = defaultdict(list)
    for item in items:
        groups[name_of(item.document)].append(item)
    return [
        (name, count(groups[name])) for name in sorted(groups, key=lambda name: (-len(groups[name]), name))
    ]


def agreement_text(annotations: Iterable[Annotation], published: Collection[str]) -> str:
    """Write how far annotators agree beyond chance; empty if no document has two.

    Documents on which they disagree too much to be published count too: without them agreement would look
    better than it is.

    Parameters
    ----------
    annotations : iterable of Annotation
    published : collection of str
        Ids of the documents that are in the set.
    """
    try:
        measured = measure_agreement(collect_ratings(annotations, {}))
    except DatasetError:
        return ""
    left_out = len({group.name for group in measured.documents} - set(published))
    rows = [
        ("Krippendorff's α", measured.alpha),
        *((f"α of `{name}` against the rest", figure) for name, figure in measured.per_label.items()),
        *(
            (f"Cohen's κ of {plain(a)} and {plain(b)}", p.kappa)
            for p in measured.pairs
            for a, b in [p.annotators]
        ),
    ]
    table = "\n".join(
        f"| {name} | {figure.value:.3f} | {figure.low:.3f}–{figure.high:.3f} |"
        for name, figure in rows[:_SHOWN_GROUPS]
        if not isnan(figure.value)
    )
    documents = f"{measured.n_documents:,} documents with two or more independent annotators"
    rest = f", {left_out:,} of which are not in the set" if left_out else ""
    same = 1 - measured.differing / measured.n_lines
    return (
        f"Of the {measured.n_lines:,} lines of {documents}{rest}, all annotators agree on {same:.1%}. "
        "Beyond chance they agree to:\n\n"
        f"| | value | 95% interval |\n|---|--:|--:|\n{table}"
    )


def _card_data(
    items: Sequence[GoldDocument], infos: Mapping[str, DatasetInfo], text: CardText
) -> DatasetCardData:
    from datasets.info import DatasetInfosDict
    from huggingface_hub import DatasetCardData

    codes = {item.document.language.lower().replace("_", "-").split("-")[0] for item in items}
    languages = sorted(code for code in codes if _LANGUAGE.fullmatch(code) and code not in _NO_LANGUAGE)
    data = DatasetCardData(
        pretty_name=text.name,
        license=text.licence,
        license_name="see-card" if text.licence == "other" else None,
        language=languages or None,
        multilinguality=["multilingual" if len(languages) > 1 else "monolingual"] if languages else None,
        task_categories=["text-classification"],
        task_ids=["multi-class-classification"],
        size_categories=[_size_category(sum(len(item.labels) for item in items))],
        tags=["boilerplate-removal", "web-text", "line-classification", "boilerplate-ds"],
    )
    DatasetInfosDict(infos).to_dataset_card_data(data)
    data["configs"] = [
        {
            "config_name": config,
            "data_files": [{"split": split, "path": f"{config}/{split}-*"} for split in info.splits],
            **({"default": True} if config == next(iter(infos)) else {}),
        }
        for config, info in infos.items()
    ]
    return data


def _size_category(n_rows: int) -> str:
    return next((name for limit, name in _SIZES if n_rows < limit), _LARGEST_SIZE)


def _agreement(items: Iterable[GoldDocument]) -> tuple[int, float] | None:
    """Give how many documents have several independent annotators, and on what share of lines they agree."""
    several = [item for item in items if len(set(item.annotators) - {ADJUDICATOR}) > 1 and len(item.labels)]
    if not several:
        return None
    weights = [len(item.labels) for item in several]
    return len(several), float(np.average([item.agreement for item in several], weights=weights))


def _moved_sites(by_split: Mapping[Split, Sequence[GoldDocument]]) -> int:
    """Count the sites whose split is not the one their hash gives."""
    sites = {(group_of(item.document), split) for split, items in by_split.items() for item in items}
    return sum(split_of(site) != split for site, split in sites)


def _rare(items: Sequence[GoldDocument]) -> list[str]:
    """Give the languages that only a few documents have."""
    groups = count_by(items, lambda document: document.language)
    return [name for name, counts in groups if name and counts.documents < _FEW_DOCUMENTS]
