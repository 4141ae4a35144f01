"""Collect the web pages that some source packages on PyPI ship for their tests into one Parquet file.

``labels/standoff/package-pages`` labels these pages; the file (columns ``id, url, site, language, html``) is
what ``hydrate`` and ``train --html`` read. Get the packages first, then run:

    pip download --no-deps --no-binary :all: formasaurus==0.10.0 gne==0.4.3 -d sdists
    python tools/package_pages.py sdists -o package-pages.parquet
"""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pyarrow as pa
from pyarrow import parquet

from boilerplate_ds.sources.encoding import decode_html
from boilerplate_ds.sources.site import site_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    Row = dict[str, str]

FORMASAURUS, GNE = "formasaurus-0.10.0", "gne-0.4.3"
_GNE_PAGE = re.compile(rf"{GNE}/((?:tests|visiable_test|test_list_page)/([^/]+)/.+)\.html")
_LANGUAGE = re.compile(r"<html[^>]*?\slang\s*=\s*[\"']?([a-z]{2})\b", re.IGNORECASE)
_ADDRESS = re.compile(r"<link[^>]+rel=[\"']canonical[\"'][^>]+href=[\"'](https?://[^\"']+)", re.IGNORECASE)
_UNDER_COUNTRIES = {"ac", "co", "com", "edu", "gov", "net", "org", "narod"}


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True)
def main(folder: Path, out: Path) -> None:
    """Read the source packages in FOLDER; see the docstring of this file for how to get them."""
    rows = [*_formasaurus(folder), *_gne(folder)]
    parquet.write_table(pa.Table.from_pylist(rows), out, compression="zstd")
    click.echo(f"{len(rows)} pages in {out}")


def _formasaurus(folder: Path) -> Iterator[Row]:
    """Pages with forms, of all kinds of sites; ``index.json`` has their addresses."""
    with tarfile.open(folder / f"{FORMASAURUS}.tar.gz") as archive:
        data = f"{FORMASAURUS}/formasaurus/data/"
        index = json.loads(_bytes(archive, data + "index.json"))
        for name, page in index.items():
            number = Path(name).stem
            yield _row(f"formasaurus-{number}", page["url"], _bytes(archive, data + name))


def _gne(folder: Path) -> Iterator[Row]:
    """Chinese news, forums and blogs, without addresses but for what the pages say themselves."""
    with tarfile.open(folder / f"{GNE}.tar.gz") as archive:
        for name in sorted(archive.getnames()):
            if match := _GNE_PAGE.fullmatch(name):
                row = _row(f"gne-{match[1].replace('/', '-')}", "", _bytes(archive, name))
                yield {**row, "site": match[2], "language": row["language"] or "zh"}


def _bytes(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise click.ClickException(f"{archive.name}: {name} is no file")
    return member.read()


def _row(name: str, url: str, data: bytes) -> Row:
    html = decode_html(data)
    address, language = _ADDRESS.search(html), _LANGUAGE.search(html)
    url = url or (address[1] if address else "")
    return {
        "id": name,
        "url": url,
        "site": _domain(site_of(url)),
        "language": language[1].lower() if language else "",
        "html": html,
    }


def _domain(host: str) -> str:
    """Domain that somebody registered, near enough: sites of one owner stay together."""
    parts = host.split(".")
    kept = 3 if len(parts) > 2 and parts[-2] in _UNDER_COUNTRIES else 2
    return ".".join(parts[-kept:])


if __name__ == "__main__":
    main()
