"""Clean Parquet or WARC files with datatrove: on this machine, on a Ray cluster, or on Slurm.

    pip install 'boilerplate-ds[scale]'
    python examples/datatrove_clean.py pages/ cleaned/ --tasks 8 --workers 2
    python examples/datatrove_clean.py s3://crawl/warc/ s3://crawl/clean/ --warc --tasks 1000 --executor slurm

A task reads its share of the files; the tasks that are done are noted in ``<output>/logs``, so the same
command goes on with the others after an interruption. Paths may be anything that fsspec knows.
"""

from __future__ import annotations

import argparse
from typing import Any

from datatrove.executor import LocalPipelineExecutor, RayPipelineExecutor, SlurmPipelineExecutor
from datatrove.pipeline.readers import ParquetReader, WarcReader
from datatrove.pipeline.writers import JsonlWriter

from boilerplate_ds import Cleaner
from boilerplate_ds.cleaning.integrations.datatrove import BoilerplateCleaner


def pipeline(source: str, out: str, *, warc: bool = False) -> list[Any]:
    """Reader, cleaner, writer; documents of which nothing is left go to ``<out>/left_out``."""
    return [
        WarcReader(source, glob_pattern="**/*.warc.gz")
        if warc
        else ParquetReader(source, glob_pattern="**/*.parquet"),
        BoilerplateCleaner(
            Cleaner(),
            html=warc,
            exclusion_writer=JsonlWriter(f"{out}/left_out", compression=None),
        ),
        JsonlWriter(f"{out}/data", compression=None),
    ]


def main() -> None:
    """Run the pipeline with the executor that was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", help="folder of .parquet files (columns text, id …) or of .warc.gz files")
    parser.add_argument("out", help="folder for the results")
    parser.add_argument("--warc", action="store_true", help="the files are WARC, their pages HTML")
    parser.add_argument("--tasks", type=int, default=2, help="into how many shares the files are dealt")
    parser.add_argument("--workers", type=int, default=2, help="how many tasks run at once")
    parser.add_argument("--executor", choices=["local", "ray", "slurm"], default="local")
    parser.add_argument("--partition", default="cpu", help="Slurm partition")
    options = parser.parse_args()

    common: dict[str, Any] = {
        "pipeline": pipeline(options.source, options.out, warc=options.warc),
        "tasks": options.tasks,
        "workers": options.workers,
        "logging_dir": f"{options.out}/logs",
    }
    if options.executor == "local":
        LocalPipelineExecutor(**common).run()
    elif options.executor == "ray":
        import ray

        ray.init(ignore_reinit_error=True)  # RAY_ADDRESS names a running cluster
        RayPipelineExecutor(**common, cpus_per_task=1, mem_per_cpu_gb=2).run()
    else:
        SlurmPipelineExecutor(
            **common, time="24:00:00", partition=options.partition, cpus_per_task=1, mem_per_cpu_gb=2
        ).run()


if __name__ == "__main__":
    main()
