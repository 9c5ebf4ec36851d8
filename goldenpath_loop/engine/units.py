"""Where work is carried out: a narrow interface, and the local way of doing it.

A unit is one effect to perform. Measurements change nothing in the world, so a unit may run twice, here or on
another machine, and the first outcome for its key wins.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from goldenpath_loop.engine.door import Door
from goldenpath_loop.errors import DiskError, InternalError, LogError, LoopError, PutOffError
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.receipts import AnyReceipt
from goldenpath_loop.system import clock
from goldenpath_loop.system.disk import disk_error

__all__ = ["LocalWorkers", "Outcome", "Perform", "Workers"]

Perform = Callable[[AnyEffect], Awaitable[AnyReceipt]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back for one unit: a receipt, or why there is none."""

    effect: AnyEffect
    receipt: AnyReceipt | None
    error: str = ""
    advice: str = ""
    duration_s: float = 0.0
    is_put_off: bool = False
    """Whether it was left off because the run is to pause: there is no outcome then, and it is asked for again."""


class Workers(Protocol):
    """Carries out units."""

    async def submit(self, effect: AnyEffect) -> None:
        """Start a unit; returns at once."""
        ...

    async def adopt(self, effect: AnyEffect) -> bool:
        """Take over a unit that an earlier engine submitted; False when it is not running any more."""
        ...

    async def cancel(self, key: str) -> None:
        """End a unit; its outcome, if there is one yet, still counts."""
        ...

    async def next_outcome(self) -> Outcome:
        """Wait until any unit is over."""
        ...

    @property
    def is_busy(self) -> bool:
        """Whether a unit is not over, or an outcome was not fetched yet."""
        ...


_HEAVY = {"run_suite", "collect_tests", "probe_commit", "probe_hunks", "trace_tests"}


class LocalWorkers:
    """Units as tasks of this process, heavy ones behind one limiter; leaving the block ends them all.

    Args:
        perform: Carries out one effect.
        jobs: How many heavy units run at once.
        door: Once it is closed no unit begins.
    """

    def __init__(self, perform: Perform, *, jobs: int, door: Door | None = None) -> None:
        self._perform = perform
        self._limiter = anyio.CapacityLimiter(jobs)
        self._scopes: dict[str, anyio.CancelScope] = {}
        self._door = door or Door()
        self._unfetched = 0
        self._tasks = anyio.create_task_group()
        send, receive = anyio.create_memory_object_stream[Outcome](1000)
        self._send: MemoryObjectSendStream[Outcome] = send
        self._receive: MemoryObjectReceiveStream[Outcome] = receive

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._tasks.cancel_scope.cancel()
        try:
            return await self._tasks.__aexit__(kind, error, trace)
        finally:
            self._send.close()
            self._receive.close()

    async def submit(self, effect: AnyEffect) -> None:
        """Start a unit; returns at once."""
        scope = self._scopes[effect.key] = anyio.CancelScope()
        self._tasks.start_soon(self._run, effect, scope, name=f"unit {effect.key}")

    async def adopt(self, effect: AnyEffect) -> bool:
        """Local units die with their engine, so there is never one to take over."""
        return effect.key in self._scopes

    async def cancel(self, key: str) -> None:
        """End a unit and everything it started."""
        scope = self._scopes.get(key)
        if scope is not None:
            scope.cancel()

    async def next_outcome(self) -> Outcome:
        """Wait until any unit is over."""
        outcome = await self._receive.receive()
        self._unfetched -= 1
        return outcome

    @property
    def is_busy(self) -> bool:
        """Whether a unit is not over, or an outcome was not fetched yet."""
        return bool(self._scopes) or self._unfetched > 0

    async def _run(self, effect: AnyEffect, scope: anyio.CancelScope) -> None:
        outcome = Outcome(effect, None, error="cancelled")
        try:
            with scope:
                if effect.kind in _HEAVY:
                    async with self._limiter:
                        outcome = await self._begun(effect)
                else:
                    outcome = await self._begun(effect)
        finally:
            del self._scopes[effect.key]
            self._unfetched += 1
        await self._send.send(outcome)

    async def _begun(self, effect: AnyEffect) -> Outcome:
        if self._door.is_closed:
            # Whoever does not know yet that the door is closed may be waiting for this very outcome.
            return Outcome(effect, None, is_put_off=True)
        return await self._performed(effect)

    async def _performed(self, effect: AnyEffect) -> Outcome:
        began = clock.monotonic_s()
        try:
            receipt = await self._perform(effect)
        except (DiskError, InternalError, LogError):
            raise
        except OSError as error:
            ours = disk_error(error)
            if ours is None:
                raise
            raise ours from error
        except PutOffError:
            return Outcome(effect, None, is_put_off=True)
        except LoopError as error:
            message = f"{error.where}: {error.message}" if error.where else error.message
            return Outcome(effect, None, message, error.advice, clock.monotonic_s() - began)
        return Outcome(effect, receipt, duration_s=clock.monotonic_s() - began)
