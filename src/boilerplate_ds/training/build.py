"""The main job: labels in; a model, a dataset and a report out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

from boilerplate_ds.dataset.card import agreement_text
from boilerplate_ds.dataset.export import ExportReport, export_dataset, exportable
from boilerplate_ds.dataset.licences import common_licence, licence_text, without_text
from boilerplate_ds.dataset.splits import group_of, split_sites
from boilerplate_ds.errors import DatasetError
from boilerplate_ds.labeling.guidelines import guidelines_version, versions_followed
from boilerplate_ds.model import LineClassifier
from boilerplate_ds.model.persistence import check_model_folder
from boilerplate_ds.training.card import HELD_OUT, save_with_card
from boilerplate_ds.training.corpora import TEXT, TrainingPage
from boilerplate_ds.training.cross_validation import cross_validate
from boilerplate_ds.training.evaluation import Evaluation, Predictions, evaluate_predictions
from boilerplate_ds.training.report import ReportSection, write_report
from boilerplate_ds.training.run import CrossValidation, LabelledSet, find_collections, read_labels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from boilerplate_ds.dataset.gold import GoldDocument
    from boilerplate_ds.training.corpora import Progress

N_FOLDS = 5


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build made, and how good the model is.

    Parameters
    ----------
    labels : LabelledSet
    cross_validation, held_out : Evaluation
        Over the training and validation sites, and over the test sites that nothing was trained on.
    export : ExportReport
    model, dataset, report : Path
    """

    labels: LabelledSet
    cross_validation: Evaluation
    held_out: Evaluation
    export: ExportReport
    model: Path
    dataset: Path
    report: Path


def build(
    labels: Path, out: Path, *, n_jobs: int = 2, seed: int = 0, progress: Progress | None = None
) -> BuildResult:
    """Turn labelled pages into a trained, evaluated model, a published-format dataset and a report.

    Sites are split once. Cross-validation runs over the training and validation sites; the model is trained
    on the same and judged on the test sites. What cannot be exported is in none of them. The same labels give
    the same bytes.

    Parameters
    ----------
    labels : Path
        Folder of collections; those without texts are left out and named in the result.
    out : Path
        Gets ``model/``, ``dataset/`` and ``report/``.
    n_jobs : int
        Processes.
    seed : int
    progress : callable, optional
        Called with the name of a step and the share of it that is done.

    Raises
    ------
    DatasetError
        If there are no labelled pages, or too few sites for three splits.
    ModelError
        If ``model/`` holds anything but a model of ours; nothing is written then.
    """
    check_model_folder(out / "model")
    labelled = read_labels(find_collections(labels))
    hidden = without_text(labelled.documents, labelled.standoff)
    gold = list(compress(labelled.documents, exportable(labelled.documents, hidden, labelled.rejects)))
    if not gold:
        raise DatasetError(f"{labels}: no labelled page to build from{labelled.left_out}; label some pages")
    sites = [group_of(item.document) for item in gold]
    split_of = split_sites(sites)
    splits = [split_of[site] for site in sites]
    export = export_dataset(
        gold,
        out / "dataset",
        name="boilerplate-lines",
        splits=splits,
        without_text=hidden,
        licence=common_licence(gold),
        licence_text=licence_text(gold, labelled.corpora),
        agreement=agreement_text(labelled.annotations, [item.document.id for item in gold]),
        guidelines=versions_followed(labelled.annotations, gold) or guidelines_version(labels),
        rejects=labelled.rejects,
    )
    known = [item for item, split in zip(gold, splits, strict=True) if split != "test"]
    test = [item for item, split in zip(gold, splits, strict=True) if split == "test"]
    classifier = LineClassifier(random_state=seed, n_jobs=n_jobs)
    documents, gold_labels = _of(known)
    folds = min(N_FOLDS, len({group_of(d) for d in documents}))
    validated = Predictions(
        documents,
        gold_labels,
        cross_validate(classifier, documents, gold_labels, n_folds=folds, progress=progress),
    )
    classifier.fit(documents, gold_labels, progress=progress)
    test_documents, test_labels = _of(test)
    held_out = Predictions(test_documents, test_labels, classifier.predict_proba(test_documents))
    evaluations = evaluate_predictions(validated), evaluate_predictions(held_out)
    model = out / "model"
    figures = CrossValidation(
        {HELD_OUT: evaluations[1], "the other sites, cross-validated": evaluations[0]}, wcxb={}
    )
    save_with_card(classifier, model, _pages(labelled, known), figures, n_folds=folds)
    sections = [
        ReportSection(
            "Held-out test sites", "Sites that the saved model has never seen.", evaluations[1], held_out
        ),
        ReportSection(
            "Cross-validation by site",
            f"{folds} folds over the training and validation sites; "
            "each page is judged by a model trained on other sites.",
            evaluations[0],
            validated,
        ),
    ]
    report = write_report(out / "report", "Boilerplate line classifier", sections, _facts(gold))
    return BuildResult(labelled, evaluations[0], evaluations[1], export, model, out / "dataset", report)


def _pages(labelled: LabelledSet, known: Sequence[GoldDocument]) -> list[TrainingPage]:
    """Say which collection each document is from."""
    origins = {id(item): name for name, items in labelled.gold.items() for item in items}
    return [TrainingPage(item.document, item.labels, TEXT, origins[id(item)]) for item in known]


def _of(items: Sequence[GoldDocument]) -> tuple[list, list]:  # type: ignore[type-arg]
    return [item.document for item in items], [item.labels for item in items]


def _facts(items: Sequence[GoldDocument]) -> dict[str, str]:
    languages = {item.document.language for item in items if item.document.language}
    return {
        "documents": f"{len(items):,}",
        "sites": f"{len({group_of(item.document) for item in items}):,}",
        "lines": f"{sum(len(item.labels) for item in items):,}",
        "languages": ", ".join(sorted(languages)) or "unknown",
    }
