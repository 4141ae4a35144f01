"""One cleaner in many threads and processes: the same results, and nobody waits for ever."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from boilerplate_ds import Cleaner

PAGES = [
    f"Home | News\nThe ferry number {i} will run every hour from May, the operator said on Monday.\n"
    f"Read more: {i}\n© 2024 Harbour Post. All rights reserved." * (1 + i % 3)
    for i in range(24)
]


@pytest.fixture(scope="module")
def expected() -> list[str]:
    cleaner = Cleaner()
    return [cleaner.clean(page) for page in PAGES]


def test_threads_that_start_at_once_share_one_cleaner(expected: list[str]) -> None:
    cleaner = Cleaner()  # not loaded yet: all of them ask for the model at the same moment
    start = threading.Barrier(16)

    def work(first: int) -> list[str]:
        start.wait(60)
        return [cleaner.clean(page) for page in PAGES[first:] + PAGES[:first]]

    with ThreadPoolExecutor(16) as pool:
        for first, cleaned in enumerate(pool.map(work, range(16), timeout=120)):
            assert cleaned == expected[first:] + expected[:first]


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_cleaner_works_in_processes_however_they_start(method: str, expected: list[str]) -> None:
    cleaner = Cleaner()
    cleaner.clean("loaded before the processes start")
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        assert list(pool.map(cleaner.clean, PAGES, chunksize=6, timeout=120)) == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.skipif(sys.version_info >= (3, 14), reason="forking with threads is refused there")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded")
def test_a_fork_while_another_thread_loads_the_model_does_not_wait_for_ever(expected: list[str]) -> None:
    for _ in range(5):
        cleaner = Cleaner()
        loading = threading.Thread(target=lambda cleaner=cleaner: cleaner.model)
        loading.start()
        child = os.fork()
        if child == 0:
            os._exit(0 if cleaner.clean(PAGES[0]) == expected[0] else 1)
        loading.join()
        assert waited(child, seconds=60) == 0


def waited(child: int, seconds: int) -> int:
    """Give a child's exit status; a child that hangs is ended and fails the test."""
    alarm = threading.Timer(seconds, os.kill, (child, 9))
    alarm.start()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    alarm.cancel()
    return status
