"""How many calls are open at once: as many as configured, fewer while the server takes no more."""

from __future__ import annotations

from collections.abc import Callable

import anyio

__all__ = ["Width"]

_FIRST_QUIET_S = 2.0
_MOST_QUIET_S = 60.0


class Width:
    """Narrows to what a server was seen to take at once, and widens again carefully.

    Args:
        most: Calls at once, however willing the server is.
        now: The clock.
    """

    def __init__(self, most: int, *, now: Callable[[], float]) -> None:
        self.places = anyio.CapacityLimiter(most)
        """Each open call holds one."""
        self._most = most
        self._now = now
        self._quiet_s = _FIRST_QUIET_S
        self._wider_from = 0.0
        self._served = 0

    def refused(self, still_open: int) -> None:
        """The server had no room for one more call beside those that are still open."""
        if not still_open:
            return  # It is a rate that was exceeded: fewer calls at once would change nothing.
        if self._wider_from and self._now() >= self._wider_from:
            self._quiet_s = min(2 * self._quiet_s, _MOST_QUIET_S)
        self._wider_from = self._now() + self._quiet_s
        self._served = 0
        # Of a burst that is refused one by one, those that stay open in the end are what the server takes.
        self.places.total_tokens = min(self.places.total_tokens, still_open)

    def served(self) -> None:
        """The server answered. After a round of answers without a refusal there is one place more."""
        if self.places.total_tokens >= self._most or self._now() < self._wider_from:
            return
        self._served += 1
        if self._served >= self.places.total_tokens:
            self._served = 0
            self.places.total_tokens += 1
