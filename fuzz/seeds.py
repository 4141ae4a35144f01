"""Seeds for the fuzzers: small files of every format, from what the tests and examples hold.

Run: python fuzz/seeds.py fuzz/corpus
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from boilerplate_ds.sources import FORMATS
from sources import archives

RECORDS = [{"id": "a", "text": "one\n\ntwo", "url": "https://a.example/x"}, {"id": "b", "html": "<p>c"}]
LABELS = {"doc_id": "a", "annotator": "ann", "labels": "2c 1n", "text_sha256": "0" * 64, "seconds": 3.5}
WRITERS = {
    "jsonl": archives.as_jsonl,
    "csv": archives.as_csv,
    "parquet": archives.as_parquet,
    "arrow": archives.as_arrow,
}


def write(folder: Path, seeds: list[bytes]) -> None:
    """Write each seed to a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number:03}").write_bytes(seed)


def main() -> None:
    """Write the seeds of all fuzzers."""
    corpus = Path(sys.argv[1])
    page = (ROOT / "examples" / "page.html").read_bytes()
    text = (ROOT / "examples" / "page.txt").read_bytes()
    write(
        corpus / "html",
        [page, b"<p>a<b>b<table><td>c<svg><title>d", b"<!--x--><script>y</script><select><option>z"],
    )
    files = {name: writer(RECORDS[:1]) for name, writer in WRITERS.items()}
    files |= {
        "html": page[:2000],
        "text": text[:500],
        "json": json.dumps(RECORDS).encode(),
        "warc": archives.as_warc(),
    }
    seeds = [bytes((number,)) + files[name] for number, name in enumerate(FORMATS) if name in files]
    seeds += [
        bytes((len(FORMATS),)) + compress(files["jsonl"]) for compress in archives.COMPRESSIONS.values()
    ]
    write(corpus / "text", seeds)
    documents = [{"id": "a", "lines": ["one", "two", "three"], "separators": ["", "\n", "\n", ""]}]
    suggestions = {"doc_id": "a", "text_sha256": "0" * 64, "source": "rules", "labels": "1c", "scores": [0.5]}
    write(
        corpus / "store",
        [archives.as_jsonl(records) for records in ([LABELS], [LABELS, LABELS], documents, [suggestions])],
    )


if __name__ == "__main__":
    main()
