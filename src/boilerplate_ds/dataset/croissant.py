"""Croissant: what a published set holds, in the JSON-LD that data set search and loaders read.

After the Croissant format specification 1.0 (MLCommons, 2024). Files are named relative to the folder, with
their SHA-256; left out are the properties of Responsible AI, which the card answers in words, and the date of
publication, so that the same labels give the same bytes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from boilerplate_ds.checksums import sha256_of_file
from boilerplate_ds.dataset.columns import DOCUMENT_COLUMNS, LINE_COLUMNS
from boilerplate_ds.dataset.licences import licence_address
from boilerplate_ds.document import LABEL_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from datasets import DatasetInfo

    from boilerplate_ds.dataset.card import CardText

CROISSANT = "croissant.json"
_PARQUET = "application/x-parquet"
_COLUMNS = {"documents": DOCUMENT_COLUMNS, "lines": LINE_COLUMNS}
_TYPES = {"string": "sc:Text", "float32": "sc:Float", "float64": "sc:Float"}
_PROPERTIES = (
    "citeAs column conformsTo:dct dataType equivalentProperty examples extract field fileProperty fileObject "
    "fileSet format includes isLiveDataset jsonPath key md5 parentField path recordSet references regex "
    "repeated replace samplingRate separator source subField transform"
)


def croissant(folder: Path, infos: Mapping[str, DatasetInfo], text: CardText) -> str:
    """Describe an exported set.

    Parameters
    ----------
    folder : Path
        With the Parquet files of each configuration in place.
    infos : mapping of str to datasets.DatasetInfo
        Features by name of the configuration.
    text : CardText
    """
    description = {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": text.name,
        "description": text.description or f"{text.name}: web pages with a label for every line.",
        "license": licence_address(text.licence),
        "citeAs": f"{text.name}. boilerplate-ds contributors.",
        "version": "1.0.0",
        "isLiveDataset": False,
        "keywords": ["boilerplate removal", "web text", "line classification"],
        "distribution": [part for config in infos for part in _files(folder, config)],
        "recordSet": [_labels(), *(_records(config, info) for config, info in infos.items())],
    }
    return json.dumps(description, indent=2, ensure_ascii=False) + "\n"


def _context() -> dict[str, Any]:
    """Give the JSON-LD context that the specification prescribes."""
    names = [name.partition(":")[::2] for name in _PROPERTIES.split()]
    return {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
        "sc": "https://schema.org/",
        **{name: f"{space or 'cr'}:{name}" for name, space in names},
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
    }


def _files(folder: Path, config: str) -> list[dict[str, Any]]:
    """Describe the files of a configuration, one by one for their checksums and together for readers."""
    shards: list[dict[str, Any]] = [
        {
            "@type": "cr:FileObject",
            "@id": path.relative_to(folder).as_posix(),
            "name": path.name,
            "contentUrl": path.relative_to(folder).as_posix(),
            "contentSize": f"{path.stat().st_size} B",
            "encodingFormat": _PARQUET,
            "sha256": sha256_of_file(path),
        }
        for path in sorted((folder / config).iterdir())
    ]
    together = {
        "@type": "cr:FileSet",
        "@id": f"{config}-files",
        "name": f"{config}-files",
        "description": f"All Parquet files of the configuration {config}; a file name begins with its split.",
        "encodingFormat": _PARQUET,
        "includes": f"{config}/*.parquet",
    }
    return [*shards, together]


def _labels() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "label-names",
        "name": "label-names",
        "description": "The name of each label by its class id.",
        "key": {"@id": "label-names/id"},
        "field": [
            {"@type": "cr:Field", "@id": f"label-names/{name}", "name": name, "dataType": kind}
            for name, kind in (("id", "sc:Integer"), ("name", "sc:Text"))
        ],
        "data": [
            {"label-names/id": number, "label-names/name": name} for number, name in enumerate(LABEL_NAMES)
        ],
    }


def _records(config: str, info: DatasetInfo) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": config,
        "name": config,
        "description": f"One row a {config.removesuffix('s')}.",
        "key": {"@id": f"{config}/id"},
        "field": [
            *(_field(config, name, feature) for name, feature in info.features.items()),
            {
                "@type": "cr:Field",
                "@id": f"{config}/split",
                "name": "split",
                "description": "train, validation or test",
                "dataType": "sc:Text",
                "source": {
                    "fileSet": {"@id": f"{config}-files"},
                    "extract": {"fileProperty": "filename"},
                    "transform": {"regex": r"^([a-z]+)-"},
                },
            },
        ],
    }


def _field(config: str, name: str, feature: Any) -> dict[str, Any]:
    value = getattr(feature, "feature", feature)
    field = {
        "@type": "cr:Field",
        "@id": f"{config}/{name}",
        "name": name,
        "description": _COLUMNS[config][name],
        "dataType": _TYPES.get(value.dtype, "sc:Integer"),
        "source": {"fileSet": {"@id": f"{config}-files"}, "extract": {"column": name}},
    }
    return field | ({"repeated": True} if value is not feature else {})
