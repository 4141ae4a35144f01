"""Word F1 on WCXB's development split: this project by cross-validation, its peers as they come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from pyarrow import parquet

from benchmarks.peers import peers
from boilerplate_ds.training.alignment import word_f1

if TYPE_CHECKING:
    from pathlib import Path

OURS = {"html": "boilerplate-ds, from HTML", "text": "boilerplate-ds, from plain text"}


def run(corpus: Path, evaluation: Path, out: Path) -> None:
    """Score every peer on every page, put the cross-validated figures beside them, write the results."""
    pages = parquet.read_table(
        corpus / "wcxb-dev.parquet", columns=["html", "main_content", "page_type"]
    ).to_pylist()
    types = np.array([page["page_type"] for page in pages])
    rows: list[dict[str, Any]] = []
    ours = json.loads(evaluation.read_text())
    for view, name in OURS.items():
        figures = ours["wcxb"][view]
        by_type = {kind: f["word_f1"] for kind, f in figures["by_page_type"].items()}
        rows.append({"name": name, "word_f1": figures["word_f1"], **_interval(figures), "by_type": by_type})
    for name, extract in peers().items():
        scores = np.array([word_f1(extract(page["html"]), page["main_content"] or "") for page in pages])
        by_type = {kind: round(float(scores[types == kind].mean()), 4) for kind in sorted(set(types))}
        rows.append({"name": name, "word_f1": round(float(scores.mean()), 4), "by_type": by_type})
        print(f"{name}: {scores.mean():.4f}", flush=True)
    rows.sort(key=lambda row: -row["word_f1"])
    _write(out, rows, ours)


def _interval(figures: dict[str, Any]) -> dict[str, Any]:
    return {"interval_95": figures["interval_95"]}


def _write(out: Path, rows: list[dict[str, Any]], ours: dict[str, Any]) -> None:
    (out / "accuracy.json").write_text(json.dumps({"wcxb": rows, "ours": ours}, indent=2) + "\n")
    kinds = list(rows[0]["by_type"])
    lines = [
        "# Accuracy",
        "",
        "WCXB development split, 1,497 pages, mean word F1. This project by 5-fold cross-validation over",
        "domains (`boilerplate-ds train --folds 5`), peers as they come: `python -m benchmarks accuracy`.",
        "",
        f"| | all pages | {' | '.join(kinds)} |",
        f"|---|{'--:|' * (len(kinds) + 1)}",
    ]
    for row in rows:
        cells = " | ".join(f"{row['by_type'][kind]:.4f}" for kind in kinds)
        lines.append(f"| {row['name']} | **{row['word_f1']:.4f}** | {cells} |")
    lines += ["", "Four classes, cross-validated by site:", ""]
    lines += ["| pages | macro F1 | content | ad | navigation | recommendation | calibration error |"]
    lines += ["|---|--:|--:|--:|--:|--:|--:|"]
    for name, figures in ours["four_class"].items():
        per_label = [f["f1"] for f in figures["per_class"].values()]
        f1 = " | ".join("–" if value is None else f"{value:.4f}" for value in per_label)
        lines.append(
            f"| {name} | **{figures['macro_f1']:.4f}** | {f1} | {figures['calibration_error']:.4f} |"
        )
    (out / "accuracy.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
