"""Batches cleaned by several processes, in order, whatever happens to one of the processes."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from typing import TYPE_CHECKING, Any

from boilerplate_ds.errors import CorpusError, Reject

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from boilerplate_ds.cleaning.batches import BatchCleaner, CleanedBatch
    from boilerplate_ds.cleaning.positions import Batch
    from boilerplate_ds.sources.page import Page

    _Waiting = deque[tuple[Batch, Future[CleanedBatch]]]

KILLED = "the process that cleaned it was killed, twice; did it run out of memory?"
_AHEAD = 2
"""Batches a process may have waiting: enough to keep it busy, few enough to keep memory constant."""


class Processes:
    """Processes that clean batches; a process that dies is replaced and its batch done again.

    Parameters
    ----------
    clean : BatchCleaner
    workers : int
        How many processes.
    """

    def __init__(self, clean: BatchCleaner, workers: int) -> None:
        self._clean = clean
        self._workers = workers
        self._pool = self._new_pool(workers)

    def map(self, batches: Iterable[Batch]) -> Generator[tuple[Batch, CleanedBatch]]:
        """Give each batch with its result, in order; reads only as far ahead as the processes need."""
        waiting: _Waiting = deque()
        try:
            for batch in batches:
                waiting.append((batch, self._submit(batch)))
                if len(waiting) > self._workers * _AHEAD:
                    yield self._next(waiting)
            while waiting:
                yield self._next(waiting)
        except BaseException:  # Ctrl-C above all: a page may take long, and nobody wants its result
            _kill(self._pool)
            raise
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _next(self, waiting: _Waiting) -> tuple[Batch, CleanedBatch]:
        batch, future = waiting.popleft()
        try:
            return batch, future.result()
        except BrokenProcessPool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._check_start()
            self._pool = self._new_pool(self._workers)
            for i, (other, result) in enumerate(waiting):
                if result.cancelled() or not result.done() or result.exception() is not None:
                    waiting[i] = other, self._submit(other)
            return batch, self._apart(batch.items)

    def _check_start(self) -> None:
        """Tell processes that a page killed from those that never came to a page."""
        try:
            self._alone([])
        except BrokenProcessPool as error:
            raise CorpusError(
                "the processes that clean cannot start: a script must be a file, and call this under "
                "if __name__ == '__main__':"
            ) from error

    def _submit(self, batch: Batch) -> Future[CleanedBatch]:
        try:
            return self._pool.submit(_run, batch.items)
        except BrokenProcessPool as error:
            failed: Future[CleanedBatch] = Future()
            failed.set_exception(error)
            return failed

    def _apart(self, items: Sequence[Page | Reject], attempts: int = 2) -> CleanedBatch:
        """Clean a batch that may have killed its process; halve it until the page that kills stands alone."""
        try:
            return self._alone(items)
        except BrokenProcessPool:
            if len(items) > 1:
                half = len(items) // 2
                cleaned = self._apart(items[:half])
                cleaned.add(self._apart(items[half:]))
                return cleaned
            if attempts > 1:
                return self._apart(items, attempts - 1)
            page = items[0]
            return self._clean([Reject(page.file, page.record, KILLED)])

    def _alone(self, items: Sequence[Page | Reject]) -> CleanedBatch:
        """Clean a batch in a process for it alone."""
        with self._new_pool(1) as pool:
            try:
                return pool.submit(_run, items).result()
            except BaseException:
                _kill(pool)
                raise

    def _new_pool(self, workers: int) -> ProcessPoolExecutor:
        # Not fork: a thread that draws a progress bar may hold a lock that the child would wait for.
        return ProcessPoolExecutor(workers, get_context("spawn"), _start, (self._clean,))


def _kill(pool: Any) -> None:
    """End a pool's processes whatever they are at, which Python offers from 3.14 on.

    The pool's threads may be in the middle of a message to or from one of them. It must not be waited for, so
    this process gives up its own copies of the other ends of their pipes.
    """
    if hasattr(pool, "kill_workers"):
        pool.kill_workers()
        return
    if pool._processes is None or pool._broken:  # it is ending already
        return
    for pipe in (pool._call_queue._reader, pool._result_queue._writer):
        pipe.close()
    for process in list(pool._processes.values()):
        process.kill()


_cleaning: list[BatchCleaner] = []


def _start(clean: BatchCleaner) -> None:
    """Prepare a process: one thread for its arithmetic, no Ctrl-C of its own, no life without its parent."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _cleaning[:] = [clean]


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _run(items: Sequence[Page | Reject]) -> CleanedBatch:
    return _cleaning[0](items)
