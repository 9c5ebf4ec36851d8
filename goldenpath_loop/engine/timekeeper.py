"""Keeps a run's time right: a clock that was set or a machine that slept is told in the log before anybody counts."""

from __future__ import annotations

from datetime import datetime

from goldenpath_loop.core.clock_jump import Reading, jumped_by_s
from goldenpath_loop.records.events import ClockJumped
from goldenpath_loop.session.session import Session
from goldenpath_loop.system import clock

__all__ = ["Timekeeper", "behind_s"]

_AT_ONCE_S = 0.5
"""Two looks at one clock that are further apart do not frame one moment: the process was stopped between them."""


class Timekeeper:
    """Compares the machine's two clocks and appends `clock.jumped` when they went apart.

    Args:
        session: The open run.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._before = _reading()

    def now(self) -> datetime:
        """The time that the run's limits are measured to: never from a jump that the log does not know."""
        self.look()
        return clock.now()

    def look(self) -> None:
        """Tell a jump, if there was one since the last."""
        after = _reading()
        if after is None:
            return
        if self._before is None:
            self._before = after
            return
        by_s = jumped_by_s(self._before, after)
        if by_s:
            self._before = after
            self._session.append(ClockJumped(by_s=round(by_s, 3)))


def behind_s(last: datetime) -> float:
    """Seconds that the machine's clock stands before the stamp of a log's last line; 0 when it does not.

    How long such a run lay dead cannot be told; that the clock was set back can.
    """
    return max(0.0, round((last - clock.now()).total_seconds(), 3))


def _reading() -> Reading | None:
    steady_s = clock.monotonic_s()
    wall = clock.now()
    return Reading(wall, steady_s) if clock.monotonic_s() - steady_s < _AT_ONCE_S else None
