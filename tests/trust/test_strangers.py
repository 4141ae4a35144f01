"""Labels and models from strangers: refused before anything is allocated or executed."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from boilerplate_ds import Cleaner
from boilerplate_ds.document import Document
from boilerplate_ds.errors import LabelError, ModelError, Rejects
from boilerplate_ds.labeling.collection import load_collection
from boilerplate_ds.labeling.store import LabelStore
from boilerplate_ds.model import load_model

ROOT = Path(__file__).resolve().parents[2]
RECORD: dict[str, Any] = {"doc_id": "a", "annotator": "ann", "labels": "2c", "text_sha256": "0" * 64}


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was loaded",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "models" / "web", tmp_path / "model"))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_pickle_is_never_opened(name: str, folder: Path) -> None:
    (folder / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelError):
        load_model(folder)


def safetensors_of(header: dict[str, Any], data: bytes = b"") -> bytes:
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data


@pytest.mark.parametrize(
    "data",
    [
        (2**62).to_bytes(8, "little") + b"{}",
        safetensors_of(
            {"text.weights": {"dtype": "F16", "shape": [2**40, 2**20], "data_offsets": [0, 2**61]}}
        ),
        safetensors_of({"a": {"dtype": "F32", "shape": [2**62], "data_offsets": [0, 4]}}, b"abcd"),
        safetensors_of({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]}}, b"abcd"),
        b"",
    ],
    ids=["header of 4 EiB", "tensor of 2 EiB", "shape beyond its data", "negative shape", "nothing"],
)
def test_absurd_weights_are_refused_even_with_the_right_checksum(data: bytes, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(data)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"sha256": hashlib.sha256(data).hexdigest()}))
    with pytest.raises(ModelError, match="not a safetensors file"):
        load_model(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="sparse files and limits as Linux has them")
def test_a_weight_file_of_a_terabyte_is_not_read(folder: Path) -> None:
    with (folder / "model.safetensors").open("wb") as handle:
        handle.truncate(2**40)
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30));"
        "from boilerplate_ds.model import load_model; load_model(sys.argv[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False
    )
    assert "ModelError" in done.stderr
    assert "1,099,511,627,776 bytes" in done.stderr


@pytest.mark.parametrize("name", ["../../etc", "/etc", "a/../../b", "..", "", "web\0", "http://host/model"])
def test_a_model_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises((ModelError, ValueError)):
        Cleaner(name)


@pytest.mark.parametrize(
    "change",
    [
        {"annotator": "../../evil"},
        {"annotator": "/etc/passwd"},
        {"annotator": "a\0b"},
        {"annotator": "con\n"},
        {"labels": "999999999c 999999999c"},
        {"labels": "9" * 5000 + "c"},
        {"labels": "-1c"},
        {"labels": ["2c"]},
        {"text_sha256": "../../etc/passwd"},
        {"doc_id": ""},
        {"doc_id": 5},
        {"seconds": float("inf")},
        {"seconds": -1},
        {"created_at": {}},
    ],
)
def test_a_label_record_that_lies_is_rejected_and_its_neighbours_are_read(
    change: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "annotations" / "ann.jsonl"
    path.parent.mkdir()
    path.write_text("".join(json.dumps(record) + "\n" for record in (RECORD, RECORD | change, RECORD)))
    rejects = Rejects()
    assert len(list(LabelStore(tmp_path).annotations(rejects))) == 2
    assert [(Path(item.file).name, item.record) for item in rejects.items] == [("ann.jsonl", "line 2")]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["ann.jsonl", "annotations"]


def test_an_annotator_cannot_write_outside_of_the_collection(tmp_path: Path) -> None:
    for name in ("../evil", "/tmp/evil", "..", "a/b", "a\\b", ".hidden"):
        with pytest.raises(LabelError, match="not usable"):
            LabelStore(tmp_path).path_of(name)


def test_labels_of_another_text_are_never_joined_to_it(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    document = {"id": "a", "lines": ["one", "two"]}
    (tmp_path / "documents" / "a.jsonl").write_text(json.dumps(document) + "\n")
    (tmp_path / "annotations").mkdir()
    good = RECORD | {"text_sha256": Document("a", ("one", "two")).text_sha256}
    (tmp_path / "annotations" / "ann.jsonl").write_text(json.dumps(good) + "\n" + json.dumps(RECORD) + "\n")
    rejects = Rejects()
    assert load_collection(tmp_path, rejects).annotations == ()
    assert "is not the one that was labelled" in rejects.items[0].reason
