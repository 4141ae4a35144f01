"""Run the benchmarks: ``python -m benchmarks accuracy|speed|all --corpus FOLDER``.

Results go to ``benchmarks/results/``: JSON, a Markdown table and plots.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import accuracy, speed

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Parse the command line and run what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("accuracy", "speed", "all"))
    parser.add_argument("--corpus", type=Path, required=True, help="folder with wcxb-dev.parquet")
    parser.add_argument("--model", default="web", help="model whose speed is measured")
    parser.add_argument(
        "--evaluation",
        type=Path,
        default=Path("models/web/evaluation.json"),
        help="figures of a cross-validation, as `boilerplate-ds train --folds 5` writes them beside a model",
    )
    parser.add_argument("--pages", type=int, default=100, help="pages that speed is measured on")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.what in ("accuracy", "all"):
        accuracy.run(options.corpus, options.evaluation, options.out)
    if options.what in ("speed", "all"):
        speed.run(options.corpus, options.model, options.pages, options.out)


if __name__ == "__main__":
    main()
