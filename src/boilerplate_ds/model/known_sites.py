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
    """Hash sites, in any case; shape (n_sites,), dtype uint32, in the order that they come in.

    These are the first four bytes of SHA-256: a model that knows 3,000 sites takes less than one of a million
    others for one of them.
    """
    digests = (hashlib.sha256(site.lower().encode("utf-8", "surrogatepass")).digest()[:4] for site in sites)
    return np.frombuffer(b"".join(digests), dtype="<u4")


def kept(hashes: Hashes) -> Hashes:
    """Give hashes in order and each once, ``MOST_SITES`` at most."""
    return np.unique(hashes)[:MOST_SITES]


def encoded(hashes: Hashes) -> str:
    """Write hashes for a model's config."""
    return base64.b64encode(hashes.astype("<u4").tobytes()).decode("ascii")


def decoded(written: object) -> Hashes:
    """Read what :func:`encoded` wrote; nothing where it is anything else, as in the config of a stranger."""
    try:
        found = base64.b64decode(written, validate=True) if isinstance(written, str) else b""
    except ValueError:
        found = b""
    return np.frombuffer(found if len(found) % 4 == 0 else b"", dtype="<u4")
