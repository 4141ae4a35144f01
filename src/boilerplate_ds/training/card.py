"""The model card: what a model was trained on, under which licences, and how good it honestly is."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from boilerplate_ds.dataset.splits import group_of
from boilerplate_ds.training.corpora import HTML
from boilerplate_ds.training.evaluation import figure, interval

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from boilerplate_ds.model import LineClassifier
    from boilerplate_ds.training.corpora import TrainingPage
    from boilerplate_ds.training.run import CrossValidation

HELD_OUT = "held-out sites"
"""Row of figures on sites that the saved model has not seen."""
_SOURCES = {
    "starter": "Pages written for this project (Apache-2.0).",
    "lines-dev": (
        "Pages of the evaluation sets of adbar/trafilatura and mozilla/readability and of WCXB, labelled "
        "line by line by language-model annotators under this project's guidelines; copyright of the pages "
        "remains with their publishers, and none of their text is in the model or its repository."
    ),
    "wcxb-lines": (
        "1,234 pages of WCXB's development split, labelled line by line by language-model annotators under "
        "this project's guidelines, one labelling each (258 with WCXB's main content in view). 64 of them, "
        "labelled again by others of that kind, agree to Krippendorff's alpha 0.978."
    ),
    "wcxb": (
        "WCXB 1.0 development split (Murrough Foley, 2026; repository "
        "Murrough-Foley/web-content-extraction-benchmark, commit c039d5e), CC-BY-4.0: human-reviewed main "
        "content, aligned with each page's lines as content or not."
    ),
}


def save_with_card(
    classifier: LineClassifier,
    folder: Path,
    pages: Sequence[TrainingPage],
    figures: CrossValidation | None,
    *,
    n_folds: int,
) -> None:
    """Save a trained model with ``README.md`` (its card) and ``evaluation.json`` (its figures, if any).

    Raises
    ------
    ModelError
        As for :func:`~boilerplate_ds.model.persistence.check_model_folder`; nothing is written then.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from boilerplate_ds.model.classifier import plain_parameters

    facts = training_facts(pages)
    classifier.save(folder, {"trained_on": facts})
    environment = Environment(
        loader=PackageLoader("boilerplate_ds.training"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - the card is Markdown made of our own words and numbers
    )
    environment.filters.update(figure=figure, interval=interval)
    text = environment.get_template("model_card.md").render(
        facts=facts,
        sources=_SOURCES,
        figures=figures,
        n_folds=n_folds,
        held_out=HELD_OUT,
        parameters=plain_parameters(classifier),
    )
    (folder / "README.md").write_bytes(text.encode("utf-8", "replace"))  # a folder's name may be any bytes
    evaluation = folder / "evaluation.json"
    if figures is None:
        evaluation.unlink(missing_ok=True)
    else:
        evaluation.write_text(
            json.dumps({"folds": n_folds, **figures.as_json()}, indent=2) + "\n", encoding="utf-8"
        )


_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,3}")
"""A language's code (BCP 47); what a page states may be anything, and is counted only where it is one."""
_MOST_LANGUAGES = 200


def training_facts(pages: Sequence[TrainingPage]) -> dict[str, Any]:
    """Count what a model learns from, by origin."""
    facts: dict[str, Any] = {}
    for origin in dict.fromkeys(page.origin for page in pages):
        some = [page for page in pages if page.origin == origin]
        language_of = {page.document.id: page.document.language for page in some}
        languages = Counter(filter(_LANGUAGE.fullmatch, language_of.values()))
        facts[origin] = {
            "pages": len({page.document.id for page in some}),
            "sites": len({group_of(page.document) for page in some}),
            "documents": len(some),
            "documents_with_markup": sum(page.view == HTML for page in some),
            "lines": sum(len(page.document.lines) for page in some),
            "languages": dict(languages.most_common(_MOST_LANGUAGES)),
        }
    return facts
