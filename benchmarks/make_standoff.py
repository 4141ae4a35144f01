"""Make ``labels/standoff/`` from the development corpora: labels, hashes and addresses, no text.

    python benchmarks/make_standoff.py --corpus ../shared/corpus

Writes two collections, the same bytes on every run:

- ``lines-dev``: the settled labels of all pages, by annotator ``llm-pages``;
- ``lines-dev-passes``: the two independent passes over some of them, by ``pass-a`` and ``pass-b``. They stand
  in a collection of their own so that they have no vote in the gold labels of the first.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.checksums import sha256_of_file
from boilerplate_ds.document import Annotation, Label, sha256_of_lines
from boilerplate_ds.labeling.jsonl import read_records, write_records
from boilerplate_ds.labeling.store import LabelStore, annotation_record

if TYPE_CHECKING:
    from collections.abc import Sequence

CREATED_AT = "2026-11-24T00:00:00Z"
GUIDELINES = "1"
EXTRA = ("url", "site", "language", "page_type", "variant")
MANIFEST = {
    "name": "lines-dev",
    "title": "lines-dev: 614 web pages with a label for every line",
    "revision": "2026-11-24",
    "url": None,
    "obtain": (
        "The pages are evaluation pages of github.com/adbar/trafilatura (tests), test pages of "
        "github.com/mozilla/readability and the development split of WCXB "
        "(github.com/Murrough-Foley/web-content-extraction-benchmark, commit c039d5e). The file with their "
        "lines is not published; ask the maintainers of boilerplate-ds for a copy of lines-dev.jsonl."
    ),
    "licence": (
        "Text: copyright of each page's publisher, not part of this repository; the WCXB pages come from a "
        "set under CC-BY-4.0 (Murrough Foley, 2026). Labels: the licence of this repository."
    ),
    "fields": {"id": "id", "lines": "lines"} | {name: name for name in EXTRA},
}


def main() -> None:
    """Read the corpora, write the collections."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder with lines-dev.jsonl")
    parser.add_argument("--out", type=Path, default=Path("labels/standoff"), help="where the collections go")
    options = parser.parse_args()
    file = options.corpus / "lines-dev.jsonl"
    pages = {page["id"]: page for _, page in read_records(file)}
    passes = [record for _, record in read_records(options.corpus / "lines-dev.passes.jsonl")]
    write_collection(
        options.out / "lines-dev", file, {"llm-pages": [record_of(p, p, "llm-pages") for p in pages.values()]}
    )
    write_collection(
        options.out / "lines-dev-passes",
        file,
        {
            f"pass-{name}": [
                record_of(pages[p["id"]], p, f"pass-{name}") for p in passes if p["annotator"] == name
            ]
            for name in ("a", "b")
        },
    )


def record_of(page: dict[str, Any], labeling: dict[str, Any], annotator: str) -> dict[str, Any]:
    """Give the annotation record for a page of the corpus and a list of label names."""
    labels = np.array([Label.parse(name).id for name in labeling["labels"]], dtype=np.int8)
    if len(labels) != len(page["lines"]):
        raise SystemExit(f"{page['id']}: {len(labels)} labels for {len(page['lines'])} lines")
    annotation = Annotation(
        doc_id=page["id"],
        text_sha256=sha256_of_lines(page["lines"]),
        annotator=annotator,
        labels=labels,
        guidelines=GUIDELINES,
        created_at=CREATED_AT,
    )
    return annotation_record(annotation, {name: page[name] for name in EXTRA if page[name]})


def write_collection(folder: Path, file: Path, by_annotator: dict[str, Sequence[dict[str, Any]]]) -> None:
    """Write the manifest and one annotation file an annotator, in order of document ids."""
    for annotator, records in by_annotator.items():
        write_records(
            LabelStore(folder).path_of(annotator), sorted(records, key=lambda record: record["doc_id"])
        )
    manifest = MANIFEST | {"file": file.name, "sha256": sha256_of_file(file), "size": file.stat().st_size}
    (folder / "corpus.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
