"""Where in the log each piece of evidence is described: read again when asked for, so that a long run needs no room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from goldenpath_loop.records.base import EvidenceId
from goldenpath_loop.records.events import EvidenceCaptured
from goldenpath_loop.records.evidence import Evidence
from goldenpath_loop.records.line import Line
from goldenpath_loop.session.line import parsed

__all__ = ["EvidenceIndex"]


class EvidenceIndex:
    """Evidence of one run by its short name.

    Args:
        log: The session log.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._starts: dict[EvidenceId, int] = {}

    def note(self, line: Line, start: int) -> None:
        """Take in a line of the log that begins at the byte `start`."""
        if isinstance(line.event, EvidenceCaptured):
            self._starts[line.event.evidence.id] = start

    def __len__(self) -> int:
        return len(self._starts)

    def get(self, id: EvidenceId) -> Evidence | None:
        """What the log says about `id`; None when it does not."""
        start = self._starts.get(id)
        return next(self._read([start])) if start is not None else None

    def all(self) -> Iterator[Evidence]:
        """All of it, oldest first."""
        return self._read(self._starts.values())

    def _read(self, starts: Iterable[int]) -> Iterator[Evidence]:
        with self._log.open("rb") as file:
            for start in starts:
                file.seek(start)
                event = parsed(file.readline()[:-1]).event
                assert isinstance(event, EvidenceCaptured)
                yield event.evidence
