"""What cleaning adds behind a main-content extractor, on WCXB pages whose sites the model has not seen.

    python benchmarks/post_filter.py --corpus ../shared/corpus --models build/folds --folds 0
    python benchmarks/post_filter.py --corpus ../shared/corpus --models build/folds --docs

The first run for a fold trains a model on the sites of the other four and keeps it under ``--models``; later
runs judge the model that is there. ``--docs`` also puts the table into ``docs/after-an-extractor.md``.
The corpus folder holds ``wcxb-dev.parquet`` and ``lines-dev-html.parquet``; the stand-off labels must have
been hydrated (``boilerplate-ds hydrate labels/standoff/lines-dev --from CORPUS``, and ``wcxb-lines``).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from doc_tables import fill

from boilerplate_ds import Cleaner, Document, LineClassifier
from boilerplate_ds.dataset.splits import site_folds
from boilerplate_ds.training.alignment import word_f1, words
from boilerplate_ds.training.run import read_labels, training_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.training.corpora import TrainingPage

DOCS = Path("docs/after-an-extractor.md")
NOTE = "fold.json"
N_FOLDS = 5
N_BOOTSTRAP = 2000
CAUTIOUS = 0.8
"""A higher threshold, judged beside the default: drops less, for those who would rather keep too much."""


def main() -> None:
    """Train a fold's model if it is not there yet, then judge it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--models", type=Path, required=True, help="folder of the folds' models")
    parser.add_argument(
        "--folds", type=int, nargs="+", default=list(range(N_FOLDS)), help=f"which of {N_FOLDS} are judged"
    )
    parser.add_argument("--docs", action="store_true", help=f"put the table into {DOCS}")
    options = parser.parse_args()

    by_fold, from_html = [], []
    for fold in options.folds:
        model = options.models / f"fold-{fold}"
        if not (model / NOTE).exists():
            train(options.corpus, model, fold)
        pages = judged_pages(options.corpus, model, fold)
        by_fold.append([judge(name, extract, pages, model) for name, extract in extractors().items()])
        from_html.append(judge_html(pages, model))
    results = [Effect.joined(effects) for effects in zip(*by_fold, strict=True)]
    print(json.dumps([result.as_json() for result in results], indent=2))
    table = as_table(results, np.concatenate(from_html), len(options.folds))
    print(table)
    if options.docs:
        fill(DOCS, "post_filter", table)


def read_pages(corpus: Path) -> list[TrainingPage]:
    """Every page that a released model is trained on."""
    labels = read_labels(
        [Path("labels/starter"), Path("labels/standoff/lines-dev"), Path("labels/standoff/wcxb-lines")]
    )
    if labels.without_text:
        raise SystemExit(f"hydrate {', '.join(labels.without_text)} first")
    return training_pages(
        labels,
        wcxb=corpus / "wcxb-dev.parquet",
        html=[corpus / "lines-dev-html.parquet"],
        rejects=labels.rejects,
    )


def train(corpus: Path, folder: Path, held_out: int) -> None:
    """Fit the model of all folds but one, and note beside it which pages that leaves to be judged."""
    pages = read_pages(corpus)
    sites = [page.document.site or page.document.id for page in pages]
    folds = site_folds(sites, N_FOLDS, [len(page.document.lines) for page in pages])
    left = [p for p, fold in zip(pages, folds, strict=True) if fold == held_out]
    pages = [p for p, fold in zip(pages, folds, strict=True) if fold != held_out]
    model = LineClassifier(n_jobs=1).fit(
        [p.document for p in pages],
        [p.labels for p in pages],
        progress=lambda step, done: print(f"\r{step} {done:4.0%} ", end="", flush=True),
    )
    print()
    model.save(folder)
    judged = sorted({p.document.id.removeprefix("wcxb-") for p in left if p.origin == "wcxb"})
    (folder / NOTE).write_text(json.dumps({"fold": held_out, "folds": N_FOLDS, "judged": judged}))


def judged_pages(corpus: Path, model: Path, fold: int) -> list[dict[str, Any]]:
    """Give id, URL, HTML and main content of the pages that the model was not trained on."""
    from pyarrow import parquet

    note = json.loads((model / NOTE).read_text())
    if (note["fold"], note["folds"]) != (fold, N_FOLDS):
        raise SystemExit(f"{model} was not trained without fold {fold}; name another folder")
    table = parquet.read_table(corpus / "wcxb-dev.parquet", columns=["id", "url", "html", "main_content"])
    judged = set(note["judged"])
    return [row for row in table.to_pylist() if str(row["id"]) in judged]


def extractors() -> dict[str, Callable[[str, str], str]]:
    """Extractors as their users call them: HTML and URL in, text out."""
    import trafilatura
    from readability import Document as Readability
    from resiliparse.extract.html2text import extract_plain_text

    def readability(html: str, url: str) -> str:
        summary = Readability(html, url=url or None).summary()
        return str(extract_plain_text(summary, preserve_formatting=True))

    return {
        "trafilatura": lambda html, url: trafilatura.extract(html, url=url) or "",
        "trafilatura, `favor_recall`": lambda html, url: (
            trafilatura.extract(html, url=url, favor_recall=True) or ""
        ),
        "resiliparse, `main_content`": lambda html, _url: str(
            extract_plain_text(html, main_content=True, preserve_formatting=True)
        ),
        "readability-lxml": readability,
        "all visible text (as in WET)": lambda html, _url: str(
            extract_plain_text(html, main_content=False, preserve_formatting=True)
        ),
    }


@dataclass(frozen=True, slots=True)
class Effect:
    """An extractor's word scores; each array has a row (F1, precision, recall) a page."""

    name: str
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    cautious: NDArray[np.float64]
    failed: int

    @classmethod
    def joined(cls, effects: Sequence[Effect]) -> Effect:
        """Put the pages of all folds together."""
        parts = (
            np.concatenate([getattr(e, part) for e in effects]) for part in ("before", "after", "cautious")
        )
        return cls(effects[0].name, *parts, failed=sum(e.failed for e in effects))

    def gain(self, after: NDArray[np.float64]) -> tuple[float, float, float]:
        """Mean gain in word F1 with its 95% bootstrap interval over pages."""
        gains = after[:, 0] - self.before[:, 0]
        rng = np.random.default_rng(0)
        means = gains[rng.integers(0, len(gains), (N_BOOTSTRAP, len(gains)))].mean(axis=1)
        low, high = np.percentile(means, [2.5, 97.5])
        return float(gains.mean()), float(low), float(high)

    def as_json(self) -> dict[str, Any]:
        """Plain numbers, rounded to four digits."""
        names = ("f1", "precision", "recall")
        parts = {"before": self.before, "after": self.after, f"threshold_{CAUTIOUS}": self.cautious}
        return {
            "extractor": self.name,
            "failed": self.failed,
            "gain_95": [round(value, 4) for value in self.gain(self.after)],
            **{
                part: dict(zip(names, values.mean(axis=0).round(4).tolist(), strict=True))
                for part, values in parts.items()
            },
        }


def judge(
    name: str, extract: Callable[[str, str], str], pages: Sequence[dict[str, Any]], model: Path
) -> Effect:
    """Extract, clean and score every page; a page that an extractor fails on counts as empty."""
    cleaner, cautious = Cleaner(model), Cleaner(model, threshold=CAUTIOUS)
    scored: list[list[tuple[float, float, float]]] = [[], [], []]
    failed = 0
    for row in pages:
        try:
            text = extract(row["html"], row["url"] or "")
        except Exception as error:  # noqa: BLE001  other people's code on other people's pages
            print(f"{name}: {row['id']}: {error!r}"[:200])
            text = ""
            failed += 1
        document = Document.from_text(text)
        reading = next(cleaner.model.read([document]))
        texts = (
            text,
            document.select(cleaner.decide(reading)),
            document.select(cautious.decide(reading)),
        )
        for values, each in zip(scored, texts, strict=True):
            values.append(scores(each, row["main_content"] or ""))
    return Effect(name, *map(np.array, scored), failed)


def judge_html(pages: Sequence[dict[str, Any]], model: Path) -> NDArray[np.float64]:
    """Score what the cleaner keeps when it is given the HTML itself."""
    cleaner = Cleaner(model)
    return np.array([scores(cleaner.clean_html(row["html"]), row["main_content"] or "") for row in pages])


def scores(text: str, reference: str) -> tuple[float, float, float]:
    """Word F1 as WCXB defines it, with precision and recall; 1 where there is nothing to be wrong about."""
    ours, theirs = Counter(words(text)), Counter(words(reference))
    common = sum((ours & theirs).values())
    return (
        word_f1(text, reference),
        common / sum(ours.values()) if ours else 1.0,
        common / sum(theirs.values()) if theirs else 1.0,
    )


def as_table(results: list[Effect], from_html: NDArray[np.float64], n_folds: int) -> str:
    """Write the effects as a Markdown table."""
    rows = [
        f"Measured on {len(from_html)} pages ({n_folds} of {N_FOLDS} folds), of sites new to the model.",
        "",
        f"| | word F1 alone | cleaned | gain (95%) | at threshold {CAUTIOUS} | precision | recall |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for result in results:
        f1, precision, recall = result.before.mean(axis=0)
        f1_after, precision_after, recall_after = result.after.mean(axis=0)
        gain, low, high = result.gain(result.after)
        rows.append(
            f"| {result.name} | {f1:.3f} | **{f1_after:.3f}** | {gain:+.3f} ({low:+.3f} to {high:+.3f}) "
            f"| {result.cautious[:, 0].mean():.3f} "
            f"| {precision:.3f} → {precision_after:.3f} | {recall:.3f} → {recall_after:.3f} |"
        )
    f1, precision, recall = from_html.mean(axis=0)
    rows.append(
        f"| the cleaner, from the page's HTML | | **{f1:.3f}** | | | {precision:.3f} | {recall:.3f} |"
    )
    return "\n".join(rows)


if __name__ == "__main__":
    main()
