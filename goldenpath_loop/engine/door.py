"""Whether anything new may start, and the turn of what is about to: a pause falls before it or after, never between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

__all__ = ["Door"]


class Door:
    """Everything that begins goes through here, one at a time, until it is closed."""

    def __init__(self) -> None:
        self.is_closed = False
        self._turn = anyio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Whether something may begin; while the block runs nobody closes the door."""
        async with self._turn:
            yield not self.is_closed

    async def close(self) -> None:
        """Let nothing begin any more. What has had its turn is in the log when this returns."""
        async with self._turn:
            self.is_closed = True
