"""Whether programs may be started: not any more once a run comes to rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar

from goldenpath_loop.errors import PutOffError

__all__ = ["Turn", "admitted", "only_in_turn"]

Turn = Callable[[], AbstractAsyncContextManager[bool]]
"""Gives a block in which something may begin, or may not, and nobody changes that meanwhile."""

_turn: ContextVar[Turn | None] = ContextVar("_turn", default=None)


@contextmanager
def only_in_turn(turn: Turn) -> Iterator[None]:
    """In this block, and in every task that is started from it, programs start only in a `turn` that lets them."""
    token = _turn.set(turn)
    try:
        yield
    finally:
        _turn.reset(token)


@asynccontextmanager
async def admitted(program: str) -> AsyncIterator[None]:
    """In this block `program` may be started; a run that comes to rest meanwhile waits until it was.

    Raises:
        PutOffError: It may not.
    """
    turn = _turn.get()
    if turn is None:
        yield
        return
    async with turn() as may_begin:
        if not may_begin:
            raise PutOffError(where=program)
        yield
