"""How long a program may go on, not counting the time in which nobody could look after it."""

from __future__ import annotations

from typing import Literal

from goldenpath_loop.system.clock import monotonic_s
from goldenpath_loop.system.output import Pulse

__all__ = ["Patience"]

_LOOK_S = 1.0
"""Longest time between two looks."""
_STOPPED_S = 1.0
"""A look that comes so much too late was kept from it: this process was stopped (SIGSTOP, Ctrl-Z, a frozen group)."""


class Patience:
    """The deadline and the longest silence of one program.

    When this process was stopped, most likely the program was stopped with it, and if not, nobody saw what it did:
    that time is given back to both.

    Args:
        timeout_s: How long it may go on; None for ever.
        idle_timeout_s: How long nothing may happen; None for ever.
        pulse: When something happened last.
    """

    def __init__(self, timeout_s: float | None, idle_timeout_s: float | None, pulse: Pulse) -> None:
        self._looked_s = monotonic_s()
        self._wait_s = 0.0
        self._deadline_s = None if timeout_s is None else self._looked_s + timeout_s
        self._idle_timeout_s = idle_timeout_s
        self._pulse = pulse

    def wait_s(self) -> float:
        """How long to wait before `over` is asked."""
        self._looked_s = now_s = monotonic_s()
        waits = [_LOOK_S]
        if self._deadline_s is not None:
            waits.append(self._deadline_s - now_s)
        if self._idle_timeout_s is not None:
            waits.append(self._pulse.last_s() + self._idle_timeout_s - now_s)
        self._wait_s = max(0.0, min(waits))
        return self._wait_s

    def over(self) -> Literal["timed_out", "idle"] | None:
        """What ran out, if anything did."""
        now_s = monotonic_s()
        stopped_s = now_s - self._looked_s - self._wait_s
        if stopped_s > _STOPPED_S:
            if self._deadline_s is not None:
                self._deadline_s += stopped_s
            self._pulse.forgive(stopped_s)
        if self._deadline_s is not None and now_s >= self._deadline_s:
            return "timed_out"
        if self._idle_timeout_s is not None and now_s >= self._pulse.last_s() + self._idle_timeout_s:
            return "idle"
        return None
