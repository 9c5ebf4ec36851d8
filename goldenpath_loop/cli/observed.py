"""A run that another process writes, seen from outside as it goes on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from goldenpath_loop.records.line import Line
    from goldenpath_loop.session.folder import RunFolder

__all__ = ["Observed"]


class Observed:
    """What its log has come to; each look reads only what is new.

    Args:
        folder: The run.
    """

    def __init__(self, folder: RunFolder) -> None:
        from goldenpath_loop.core.state import State
        from goldenpath_loop.session.chain import Chain

        self._log = folder.log
        self._chain = Chain(folder.log)
        self.state = State()

    def look(self) -> list[Line]:
        """Read on; the new lines.

        Raises:
            DamagedLogError: One of them does not check.
        """
        from goldenpath_loop.core.state import evolve

        new = list(self._chain)
        for line in new:
            self.state = evolve(self.state, line)
        return new

    def settle(self) -> None:
        """Have what was seen brought to the disk, before a person is told of it."""
        from goldenpath_loop.system.disk import flush

        fd = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)
        try:
            flush(fd)
        finally:
            os.close(fd)
