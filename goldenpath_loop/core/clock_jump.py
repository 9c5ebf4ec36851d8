"""Tells a clock that was set, or a machine that slept, from time that simply went by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["LEAST_S", "Reading", "jumped_by_s"]

LEAST_S = 5.0
"""Less is what a clock that is kept right by small steps does all day; more would be felt in a limit."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks of a machine at one moment."""

    wall: datetime
    """What the day's time is; it can be set, and goes on while the machine sleeps."""
    steady_s: float
    """Seconds the machine was awake since some fixed moment."""


def jumped_by_s(before: Reading, after: Reading) -> float:
    """Seconds by which the day's time went further than time really did; negative when it was set back.

    0 while the difference is below `LEAST_S`. Small differences add up as long as `before` stays the same, so a
    drift is told as well, once it comes to that much.
    """
    passed_s = after.steady_s - before.steady_s
    by_s = (after.wall - before.wall).total_seconds() - passed_s
    return by_s if abs(by_s) >= LEAST_S else 0.0
