"""Any bytes as files of labels, suggestions and documents: read or rejected, and appending loses nothing.

Run: make fuzz, or python fuzz/fuzz_store.py fuzz/corpus/store -max_total_time=300
"""

import shutil
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["boilerplate_ds"]):
    import numpy as np

    from boilerplate_ds.document import Annotation
    from boilerplate_ds.errors import DatasetError, Rejects
    from boilerplate_ds.labeling.collection import load_collection
    from boilerplate_ds.labeling.store import LabelStore
    from boilerplate_ds.labeling.suggestions import read_suggestions

MEMORY = Path("/dev/shm")  # noqa: S108  each append waits for its disk
FOLDER = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
ADDED = Annotation("added", "0" * 64, "ann", np.zeros(2, dtype=np.int8))


def read(data: bytes) -> None:
    """Read the bytes as each kind of file; then append to the labels, as after a crash."""
    shutil.rmtree(FOLDER)
    for name in ("annotations", "suggestions", "documents"):
        (FOLDER / name).mkdir(parents=True)
        (FOLDER / name / "ann.jsonl").write_bytes(data)
    store = LabelStore(FOLDER)
    before = [annotation.doc_id for annotation in store.annotations(Rejects())]
    read_suggestions(FOLDER, Rejects())
    try:
        load_collection(FOLDER, Rejects())
    except DatasetError as error:
        assert "holds no documents" in str(error)
    store.append(ADDED)
    assert [annotation.doc_id for annotation in store.annotations(Rejects())] == [*before, "added"]


atheris.Setup(sys.argv, read)
atheris.Fuzz()
