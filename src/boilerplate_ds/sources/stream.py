"""One input file as the readers see it: its name and its bytes, decompressed and bounded."""

from __future__ import annotations

import io
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from boilerplate_ds.errors import Reject, SourceError
from boilerplate_ds.sources.compression import ByteSource, chunks_of, compression_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_RECORD_BYTES = 64 * 2**20
"""A record (a JSON line, a CSV row, a WARC record) over this size is refused."""
MAX_SPOOLED_BYTES = 64 * 2**30
"""Most bytes that a compressed or piped Parquet or Arrow file may take on the temporary disk."""

STDIN = "-"
"""The path that stands for standard input."""

_BUFFER = 256 * 2**10


class _Bytes(io.RawIOBase):
    """Decompressed bytes that end where their compression breaks; ``broken`` then says why.

    Ending instead of raising keeps what a buffer above has read but not yet given.
    """

    def __init__(self, source: ByteSource) -> None:
        super().__init__()
        self.broken: SourceError | None = None
        self._chunks = chunks_of(source)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        filled = 0
        while filled < len(buffer) and (self._rest or self._fetch()):
            n = min(len(buffer) - filled, len(self._rest))
            buffer[filled : filled + n] = self._rest[:n]
            self._rest = self._rest[n:]
            filled += n
        return filled

    def _fetch(self) -> bool:
        try:
            self._rest = memoryview(next(self._chunks, b""))
        except SourceError as error:
            self.broken = error
        return bool(self._rest)


class PageStream(io.BufferedReader):
    """The decompressed bytes of a source; the reader calls :meth:`finish` once it has read them all."""

    def __init__(self, source: ByteSource) -> None:
        self._bytes = _Bytes(source)
        super().__init__(self._bytes, _BUFFER)

    def head(self) -> bytes:
        """Give the first bytes (up to 256 KiB) without reading past them."""
        return self.peek(_BUFFER)

    def finish(self) -> None:
        """Raise :class:`SourceError` if the bytes ended because their compression is broken."""
        if self._bytes.broken is not None:
            raise self._bytes.broken

    def read_bounded(self, limit: int) -> bytes:
        """Read everything.

        Raises
        ------
        SourceError
            If there are more than ``limit`` bytes, or the compression breaks.
        """
        chunks: list[bytes] = []
        size = 0
        while chunk := self.read(_BUFFER):
            size += len(chunk)
            if size > limit:
                raise SourceError(f"more than {limit:,} bytes, the most that is read as one page")
            chunks.append(chunk)
        self.finish()
        return b"".join(chunks)

    def bounded_lines(self, limit: int) -> Iterator[bytes | None]:
        """Give line after line with its line end; None stands for a line over ``limit`` bytes, left out.

        Raises
        ------
        SourceError
            Where the compression breaks; the line that it cuts is not given.
        """
        while line := self.readline(limit + 1):
            if not line.endswith(b"\n") and len(line) > limit:
                while (rest := self.readline(_BUFFER)) and not rest.endswith(b"\n"):
                    pass
                yield None
                continue
            if not line.endswith(b"\n"):
                self.finish()
            yield line
        self.finish()


@dataclass(frozen=True, slots=True)
class PageFile:
    """One input file.

    Parameters
    ----------
    path : str
        The path as given (``-`` for standard input): :attr:`Document.source`, and the file named in rejects.
    name : str
        What document ids start with: the file name, or the path within the folder that was given.
    stream : PageStream
    text_column : str, optional
        The field that holds the text of a record; None: guess.
    """

    path: str
    name: str
    stream: PageStream
    text_column: str | None = None

    def reject(self, record: str, reason: str) -> Reject:
        """Turn one record of this file away."""
        return Reject(self.path, record, reason)

    @contextmanager
    def random_access(self) -> Iterator[IO[bytes]]:
        """Open the decompressed bytes for reading at any offset.

        A plain file is opened as it is. A compressed or piped one goes to a temporary file first.
        """
        if self._is_plain():
            with Path(self.path).open("rb") as plain:
                yield plain
            return
        with tempfile.TemporaryFile() as spool:
            shutil.copyfileobj(_Counted(self.stream), spool, _BUFFER)
            self.stream.finish()
            spool.seek(0)
            yield spool

    def _is_plain(self) -> bool:
        if self.path == STDIN or not Path(self.path).is_file():
            return False
        with Path(self.path).open("rb") as file:
            return not compression_of(file.read(4))


class _Counted:
    """A stream that refuses to give more than :data:`MAX_SPOOLED_BYTES`."""

    def __init__(self, stream: PageStream) -> None:
        self._stream = stream
        self._size = 0

    def read(self, size: int = _BUFFER, /) -> bytes:
        chunk = self._stream.read(size)
        self._size += len(chunk)
        if self._size > MAX_SPOOLED_BYTES:
            raise SourceError(
                f"more than {MAX_SPOOLED_BYTES:,} bytes when decompressed; decompress the file first"
            )
        return chunk
