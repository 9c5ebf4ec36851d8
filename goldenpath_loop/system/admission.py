"""Whether programs may be started: not any more once a run comes to rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from goldenpath_loop.errors import PutOffError

__all__ = ["admit", "closed_when"]


def _never() -> bool:
    return False


_is_closed: ContextVar[Callable[[], bool]] = ContextVar("_is_closed", default=_never)


@contextmanager
def closed_when(is_closed: Callable[[], bool]) -> Iterator[None]:
    """In this block, and in every task that is started from it, programs start only while `is_closed` says False."""
    token = _is_closed.set(is_closed)
    try:
        yield
    finally:
        _is_closed.reset(token)


def admit(program: str) -> None:
    """Come back when `program` may be started.

    Raises:
        PutOffError: It may not.
    """
    if _is_closed.get()():
        raise PutOffError(where=program)
