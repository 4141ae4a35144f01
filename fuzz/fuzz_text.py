"""Any bytes as a file of any format: read or rejected; cleaning keeps lines whole and in order.

Run: make fuzz, or python fuzz/fuzz_text.py fuzz/corpus/text -max_total_time=300
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["boilerplate_ds"]):
    from boilerplate_ds import Cleaner
    from boilerplate_ds.errors import Rejects
    from boilerplate_ds.sources import FORMATS, read_documents

CLEANER = Cleaner()
FILE = Path(tempfile.mkdtemp()) / "input"


def read(data: bytes) -> None:
    """Read the bytes behind the first one in the format that it names, then clean what they hold."""
    if not data:
        return
    name = (*FORMATS, None)[data[0] % (len(FORMATS) + 1)]
    FILE.write_bytes(data[1:])
    rejects = Rejects()
    documents = list(read_documents(FILE, format=name, rejects=rejects))
    assert all(reject.file == str(FILE) and reject.reason for reject in rejects.items)
    for document, keep in zip(documents, CLEANER.keep(documents), strict=True):
        assert len(keep) == len(document.lines)
        kept = [line for line, stays in zip(document.lines, keep.tolist(), strict=True) if stays]
        if document.markup is None:
            assert list(type(document).from_text(document.select(keep)).lines) == kept


atheris.Setup(sys.argv, read)
atheris.Fuzz()
