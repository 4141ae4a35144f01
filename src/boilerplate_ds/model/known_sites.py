"""Which sites a model has learned from, as short hashes: figures on their pages are better than on others."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint32]

MOST_SITES = 100_000
"""Of more sites those with the lowest hashes are kept."""


def hashes_of(sites: Iterable[str]) -> Hashes:
    """Hash sites; shape (n_sites,), dtype uint32, in the order that they come in.

    These are the first four bytes of SHA-256: of a million other sites, three thousand known ones are
    mistaken for less than one.
    """
    digests = (hashlib.sha256(site.encode("utf-8", "surrogatepass")).digest()[:4] for site in sites)
    return np.frombuffer(b"".join(digests), dtype="<u4")


def encoded(hashes: Hashes) -> str:
    """Write hashes for a model's config, in order and each once."""
    return base64.b64encode(np.unique(hashes)[:MOST_SITES].astype("<u4").tobytes()).decode("ascii")


def decoded(written: object) -> Hashes:
    """Read what :func:`encoded` wrote; nothing where it is anything else, as in the config of a stranger."""
    if not isinstance(written, str):
        return hashes_of(())
    try:
        found = base64.b64decode(written, validate=True)
    except ValueError:
        return hashes_of(())
    return np.frombuffer(found[: len(found) // 4 * 4], dtype="<u4")
