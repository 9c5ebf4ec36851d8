"""Processes that may be killed: a clean one to fork from, and forks that die.

A test process has threads and must not fork. A worker of a fork server is a process of one thread that never ran a
test, so a fork of it is as good as a new process and hundreds of times as quick.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

__all__ = ["each_apart", "is_killed"]

_Given = TypeVar("_Given")
_Found = TypeVar("_Found")
_FAILED = 70


def each_apart(
    function: Callable[[_Given], _Found], given: Sequence[_Given], *, workers: int
) -> Iterator[_Found]:
    """What `function` returns for each of `given`, from processes that may fork."""
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(max_workers=workers, mp_context=context) as pool:
        yield from pool.map(function, given)


def is_killed(work: Callable[[], object]) -> bool:
    """Do `work` in a fork; whether that was killed on the way, False when it came to its end.

    Raises:
        AssertionError: It ended in any other way.
    """
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(_FAILED)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), f"the process ended with {code}"
    return code != 0
