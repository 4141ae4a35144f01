"""What the targets of links say: hashed words of each address, and what it looks like."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.compiled import kernel
from boilerplate_ds.document import Document
from boilerplate_ds.features import lines as c
from boilerplate_ds.features.lines import SPREAD, LineBatch, mix

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_LINK, FRAGMENT, RELATIVE, ABSOLUTE, OTHER = range(5)
"""Kinds of targets; ``OTHER`` are schemes such as ``mailto:``."""
N_KINDS = 5
_HOST, _PATH, _QUERY = range(3)
_KERNEL = kernel("boilerplate_ds.features.link_kernel")
_SLASH, _HASH, _QUESTION, _HYPHEN, _UNDERSCORE, _COLON = map(ord, "/#?-_:")


@cache
def _code_of_length() -> NDArray[np.int64]:
    codes: NDArray[np.int64] = np.minimum(2 * np.log1p(np.arange(c.MAX_READ + 1)), 11).astype(np.int64)
    return codes


@dataclass(frozen=True)
class LinkTargets:
    """The distinct link targets of a batch of documents, number 0 standing for none.

    Parameters
    ----------
    batch : LineBatch
        The targets, each a line.
    """

    batch: LineBatch

    @classmethod
    def of(cls, targets: list[tuple[str, ...]]) -> LinkTargets:
        """Read each document's targets."""
        return cls(LineBatch.of([Document(id="", lines=own) for own in targets]))

    @cached_property
    def _read(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]]:
        """Give what the kernel reads: kinds, parts of words, keys of hosts, and counts of characters."""
        batch = self.batch
        read: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]]
        read = _KERNEL.targets(
            batch.normal,
            batch.classes,
            batch.start,
            batch.length,
            batch.word_start,
            batch.word_ends,
            batch.word_hash,
            batch.document,
        )
        return read

    def _count(self, *codes: int) -> NDArray[np.int64]:
        """How many of some characters stand in each target."""
        found = np.isin(self.batch.normal, codes)
        return self._within(np.cumsum(found))

    def _within(self, running: NDArray[np.int64]) -> NDArray[np.int64]:
        start = self.batch.start  # the pad before a target is no part of it
        within: NDArray[np.int64] = running[start + self.batch.length - 1] - running[start - 1]
        return within

    @cached_property
    def kind(self) -> NDArray[np.int64]:
        """Kind of each target; shape (n_targets,)."""
        if _KERNEL is not None:
            return self._read[0]
        first = self.batch.normal[self.batch.start]
        scheme = self._count(_COLON) > 0
        web = scheme & (self._count(_SLASH) >= 2) | self._starts_with(_SLASH, _SLASH)
        kind = np.where(web, ABSOLUTE, np.where(scheme, OTHER, RELATIVE))
        kind = np.where(first == _HASH, FRAGMENT, kind)
        return np.where(self.batch.length == 0, NO_LINK, kind)

    def _starts_with(self, first: int, second: int) -> NDArray[np.bool_]:
        start, normal = self.batch.start, self.batch.normal
        following = np.minimum(start + 1, len(normal) - 1)
        starts: NDArray[np.bool_] = (normal[start] == first) & (normal[following] == second)
        return starts

    @property
    def n_words(self) -> NDArray[np.int64]:
        """Words of each target; shape (n_targets,)."""
        return np.diff(self.batch.word_ends)

    @cached_property
    def word_part(self) -> NDArray[np.int64]:
        """Whether each word is of the host, the path, or what follows; shape (n_words,)."""
        if _KERNEL is not None:
            return self._read[1]
        normal, batch = self.batch.normal, self.batch
        slashes = np.cumsum(normal == _SLASH)
        marks = np.cumsum((normal == _QUESTION) | (normal == _HASH))
        before = batch.start[batch.word_line] - 1
        n_slashes = slashes[batch.word_start] - slashes[before]
        asked = marks[batch.word_start] > marks[before]
        in_host = (self.kind[batch.word_line] == ABSOLUTE) & (n_slashes <= 2)
        return np.where(asked, _QUERY, np.where(in_host, _HOST, _PATH))

    @cached_property
    def host_share(self) -> NDArray[np.float64]:
        """Share of a document's absolute targets that have the same host; 0 for the others."""
        batch = self.batch
        if _KERNEL is not None:
            key = self._read[2]
            shares: NDArray[np.float64] = _KERNEL.host_shares(
                key, np.argsort(key), self.kind, batch.document, len(batch.documents)
            )
            return shares
        words = np.where(self.word_part == _HOST, batch.word_hash, np.uint64(0))
        running = np.zeros(len(words) + 1, dtype=np.uint64)
        np.cumsum(words, out=running[1:])
        host = running[batch.word_ends[1:]] - running[batch.word_ends[:-1]]
        key = mix(host + batch.document.astype(np.uint64) * SPREAD)
        is_absolute = self.kind == ABSOLUTE
        _, group = np.unique(key, return_inverse=True)
        same = np.bincount(group, is_absolute)[group]
        total = np.bincount(batch.document, is_absolute, minlength=len(batch.documents))[batch.document]
        return np.where(is_absolute, same / np.maximum(total, 1), 0)

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """Give numbers below 1024 to what targets look like; shape (n_targets, 4)."""
        kind = self.kind
        if _KERNEL is not None:
            numbers: NDArray[np.int64] = _KERNEL.target_codes(
                kind, self._read[3], self.batch.length, self.host_share, _code_of_length()
            )
            return numbers
        depth = np.minimum(self._count(_SLASH), 7)
        hyphens = np.minimum(self._count(_HYPHEN, _UNDERSCORE), 7)
        digits = np.minimum(self._within(np.cumsum(self.batch.classes == c.DIGIT)), 7)
        length = _code_of_length()[self.batch.length]
        asks = np.minimum(self._count(_QUESTION), 1)
        host = np.minimum((4 * self.host_share).astype(np.int64), 3)
        return np.stack(
            (
                (kind * 8 + depth) * 2 + asks,
                kind * 64 + hyphens * 8 + digits,
                kind * 16 + length,
                (kind * 4 + host) * 8 + hyphens,
            ),
            axis=1,
        )
