"""Models on disk: plain arrays (safetensors) beside a JSON config, checked before anything is allocated.

``config.json`` names every tensor with its shape and the SHA-256 of ``model.safetensors``. A stranger's
model can be wrong, it can not run code: no pickle is ever read.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.document import LABEL_NAMES
from boilerplate_ds.errors import ModelError
from boilerplate_ds.features.context import N_CONTEXT, READ_OF
from boilerplate_ds.features.markup_tokens import MARKUP_BITS
from boilerplate_ds.features.text_tokens import TEXT_BITS
from boilerplate_ds.model.linear import N_OPINIONS, LinearModel
from boilerplate_ds.model.network import MOST_WEIGHT, Network
from boilerplate_ds.model.runtime import LineModel
from boilerplate_ds.model.trees import GROVES, LEAVES, TESTS, Trees

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
FORMAT = "boilerplate-ds/4"
"""What models are saved as, and the only one that is read.

Changes whenever features, terms, network or trees change shape or meaning; older models are then refused by
name. Trees are optional: a model without them reads as it did before there were any.
"""
_FORMATS = "boilerplate-ds/"
_TREE_TENSORS = ("feature", "threshold", "out", "value", "bias")
MAX_ROUNDS = 1000
"""Of a grove of trees: what reading a line may cost is bounded."""
MAX_FIGURE = 1e6
"""Of a network: its logits then are numbers, whatever it reads."""
MAX_WEIGHT_BYTES = 64 * 2**20
MAX_CONFIG_BYTES = 2**20


def check_model_folder(folder: str | Path) -> None:
    """Refuse to save a model where no folder can be, or among files that are not a model of ours.

    Raises
    ------
    ModelError
        If ``folder`` holds files and no model of ours, of whatever format, or can't be made or written to.
    """
    folder = Path(folder)
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(path))
    if not place.is_dir():
        raise ModelError(f"{place}: is a file; name a folder for the model")
    if not os.access(place, os.W_OK | os.X_OK):
        raise ModelError(f"{place}: can't be written to; name another folder for the model")
    held = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if held and not _is_ours(folder):
        raise ModelError(
            f"{folder}: holds {held[0]}, and no boilerplate-ds model; name a new or an empty folder"
        )


def _is_ours(folder: Path) -> bool:
    """Whether a folder's config says that it is a model of this package, of this format or an older one."""
    try:
        config = _read_json(folder)
    except ModelError:
        return False
    return isinstance(config, dict) and str(config.get("format")).startswith(_FORMATS)


def save_model(model: LineModel, folder: str | Path, facts: Mapping[str, Any] | None = None) -> Path:
    """Write ``model`` to ``folder``; ``facts`` (what it was trained on) are kept in its config.

    The weights are renamed into place before the config that vouches for them.

    Raises
    ------
    ModelError
        If there are more facts than a config may hold, or the folder is not one for a model (see
        :func:`check_model_folder`); nothing is written then.
    """
    from safetensors.numpy import save

    folder = Path(folder)
    check_model_folder(folder)
    tensors = _tensors(model)
    data = save(tensors)
    config = {
        "format": FORMAT,
        "labels": list(LABEL_NAMES),
        "sha256": hashlib.sha256(data).hexdigest(),
        "tensors": {
            name: {"shape": list(t.shape), "dtype": str(t.dtype)} for name, t in sorted(tensors.items())
        },
        "facts": dict(facts or {}),
    }
    written = (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    if len(written) > MAX_CONFIG_BYTES:
        raise ModelError(
            f"{folder}: its {CONFIG} would have {len(written):,} bytes; {MAX_CONFIG_BYTES:,} may be"
        )
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / WEIGHTS, data)
    _write(folder / CONFIG, written)
    return folder


def _write(path: Path, data: bytes) -> None:
    aside = path.with_name(path.name + ".tmp")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)  # what a full disk left would keep a model from being saved there


def _tensors(model: LineModel) -> dict[str, NDArray[Any]]:
    tensors: dict[str, NDArray[Any]] = {
        f"network.{name}": values for name, values in model.network.parameters.items()
    }
    for grove, trees in model.trees.items():
        tensors |= {f"trees.{grove}.{name}": getattr(trees, name) for name in _TREE_TENSORS}
    for name, linear in (("text", model.text), ("markup", model.markup)):
        if linear is not None:
            tensors[f"{name}.weights"] = linear.weights.astype(np.float16)
            tensors[f"{name}.bias"] = linear.bias
    return {name: np.ascontiguousarray(values) for name, values in tensors.items()}


def _expected(*, with_markup: bool, rounds: Mapping[str, int]) -> dict[str, tuple[list[int], str]]:
    """Shape and dtype of every tensor that a model has to have."""
    tensors = {
        "text.weights": ([1 << TEXT_BITS, N_OPINIONS], "float16"),
        "text.bias": ([N_OPINIONS], "float32"),
    }
    for name, shape in Network.shapes(N_CONTEXT).items():
        dtype = "int8" if name.endswith((".weight", ".page")) else "float32"
        tensors[f"network.{name}"] = (list(shape), dtype)
    if with_markup:
        tensors["markup.weights"] = ([1 << MARKUP_BITS, N_OPINIONS], "float16")
        tensors["markup.bias"] = ([N_OPINIONS], "float32")
    for grove, of_grove in rounds.items():
        n_questions = GROVES[grove].questions
        n_trees = of_grove * n_questions
        tensors[f"trees.{grove}.feature"] = ([n_trees, TESTS], "uint8")
        tensors[f"trees.{grove}.threshold"] = ([n_trees, TESTS], "float32")
        tensors[f"trees.{grove}.out"] = ([n_trees, TESTS], "uint32")
        tensors[f"trees.{grove}.value"] = ([n_trees, LEAVES], "int32")
        tensors[f"trees.{grove}.bias"] = ([n_questions], "float32")
    return tensors


def _groves(tensors: Collection[str]) -> list[str]:
    return [grove for grove in GROVES if f"trees.{grove}.value" in tensors]


def _rounds(tensors: Mapping[str, Any]) -> dict[str, int]:
    """Count the rounds of boosting of each grove that a config names; what it names may be anything."""
    rounds = {}
    for grove in _groves(tensors):
        tensor = tensors[f"trees.{grove}.value"]
        shape = tensor.get("shape") if isinstance(tensor, dict) else None
        n_trees = shape[0] if isinstance(shape, list) and shape and isinstance(shape[0], int) else 0
        rounds[grove] = min(max(n_trees // GROVES[grove].questions, 1), MAX_ROUNDS)
    return rounds


def read_config(folder: str | Path) -> dict[str, Any]:
    """Read and check a model's config.

    Raises
    ------
    ModelError
        If the folder holds no model, or one that is not ours, or of another format.
    """
    path = Path(folder) / CONFIG
    config = _read_json(folder)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        found = config.get("format") if isinstance(config, dict) else None
        raise ModelError(
            f"{path}: format is {found!r}, this version reads {FORMAT!r}; "
            "train the model again, or install a newer version"
        )
    if config.get("labels") != list(LABEL_NAMES):
        raise ModelError(f"{path}: labels are {config.get('labels')!r}, expected {list(LABEL_NAMES)}")
    tensors = config.get("tensors")
    named: dict[str, Any] = tensors if isinstance(tensors, dict) else {}
    expected = _expected(with_markup="markup.weights" in named, rounds=_rounds(named))
    if tensors != {name: {"shape": shape, "dtype": dtype} for name, (shape, dtype) in expected.items()}:
        raise ModelError(f"{path}: names other tensors than a model has")
    return config


def _read_json(folder: str | Path) -> Any:
    path = Path(folder) / CONFIG
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ModelError(f"{path}: over {MAX_CONFIG_BYTES:,} bytes, this is no model config")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{folder}: holds no model ({CONFIG}: {error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not JSON ({error})") from error


def load_model(folder: str | Path) -> LineModel:
    """Read a model that :func:`save_model` wrote.

    Raises
    ------
    ModelError
        If something is missing, of another shape than the config promises, or fails its checksum. Sizes
        and checksum are compared before any tensor is allocated.
    """
    return load_with_facts(folder)[0]


def load_with_facts(folder: str | Path) -> tuple[LineModel, dict[str, Any]]:
    """Read a model as :func:`load_model` does, and the facts in its config, which may be anything."""
    config = read_config(folder)
    path = Path(folder) / WEIGHTS
    try:
        size = path.stat().st_size
        if size > MAX_WEIGHT_BYTES:
            raise ModelError(f"{path}: {size:,} bytes; a model has at most {MAX_WEIGHT_BYTES:,}")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != config.get("sha256"):
        raise ModelError(
            f"{path}: checksum differs from the one in {CONFIG}; the file is damaged or was exchanged"
        )
    tensors = _read_tensors(path, data, config["tensors"])
    network = {name.removeprefix("network."): t for name, t in tensors.items() if name.startswith("network.")}
    markup = None
    if "markup.weights" in tensors:
        markup = LinearModel(tensors["markup.weights"].astype(np.float32), tensors["markup.bias"])
    trees = {
        grove: Trees(**{name: tensors[f"trees.{grove}.{name}"] for name in _TREE_TENSORS})
        for grove in _groves(tensors)
    }
    model = LineModel(
        LinearModel(tensors["text.weights"].astype(np.float32), tensors["text.bias"]),
        markup,
        Network(network),
        trees,
    )
    facts = config.get("facts")
    return model, facts if isinstance(facts, dict) else {}


def _read_tensors(path: Path, data: bytes, promised: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors: dict[str, NDArray[Any]] = load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelError(f"{path}: not a safetensors file ({error})") from error
    found = {name: {"shape": list(t.shape), "dtype": str(t.dtype)} for name, t in tensors.items()}
    if found != promised:
        raise ModelError(f"{path}: its tensors are not those that {CONFIG} names")
    for name, values in tensors.items():
        if not np.isfinite(values).all():
            raise ModelError(f"{path}: tensor {name} holds values that are not finite")
        if name.startswith("network.") and np.abs(values.astype(np.float32)).max() > MAX_FIGURE:
            raise ModelError(f"{path}: tensor {name} holds values that nothing can be calculated with")
        if name.startswith("network.") and name.endswith("grid") and values.min() < 0:
            raise ModelError(f"{path}: tensor {name} holds values below zero")
    if np.abs(tensors["network.in.weight"].astype(np.int64)).sum(axis=0).max() > MOST_WEIGHT:
        raise ModelError(f"{path}: tensor network.in.weight holds more than single precision can add up")
    for grove in _groves(tensors):
        read = READ_OF[grove.partition(".")[0]]
        if tensors[f"trees.{grove}.feature"].max() >= read.stop - read.start:
            raise ModelError(f"{path}: tensor trees.{grove}.feature names features that there are not")
    return tensors
