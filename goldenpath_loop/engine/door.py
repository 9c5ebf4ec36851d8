"""Whether anything new may start, and the turn of what is about to: a pause falls before it or after, never between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from goldenpath_loop.errors import PutOffError

__all__ = ["Door"]


class Door:
    """Everything that begins goes through here, until it is closed."""

    def __init__(self) -> None:
        self._closed = anyio.Event()
        self._inside = 0
        self._all_left = anyio.Event()

    @property
    def is_closed(self) -> bool:
        """Whether nothing may begin any more."""
        return self._closed.is_set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Whether something may begin; who closes the door waits for the block to end."""
        if self.is_closed:
            yield False
            return
        if not self._inside:
            self._all_left = anyio.Event()
        self._inside += 1
        try:
            yield True
        finally:
            self._inside -= 1
            if not self._inside:
                self._all_left.set()

    async def close(self) -> None:
        """Let nothing begin any more. What has had its turn has begun, and is in the log, when this returns."""
        self._closed.set()
        if self._inside:
            await self._all_left.wait()

    async def sleep(self, seconds: float) -> None:
        """Wait before something is begun; nobody waits for what may not begin any more.

        Raises:
            PutOffError: The door was closed meanwhile.
        """
        with anyio.move_on_after(seconds):
            await self._closed.wait()
            raise PutOffError(where="a wait")
