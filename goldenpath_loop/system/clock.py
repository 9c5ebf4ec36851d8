"""The time of this machine."""

from __future__ import annotations

import time
from datetime import UTC, datetime

__all__ = ["monotonic_s", "now"]


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def monotonic_s() -> float:
    """Seconds since some fixed moment; never goes backwards."""
    return time.monotonic()
