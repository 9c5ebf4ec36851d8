"""One open run: events in, state out, evidence stored and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from goldenpath_loop.records.base import EffectKey, EvidenceId
from goldenpath_loop.records.events import AnyEvent, EvidenceCaptured, Line
from goldenpath_loop.records.evidence import Evidence, EvidenceKind, Obtained
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.log import SessionLog, read
from goldenpath_loop.session.redaction import Redactor
from goldenpath_loop.session.store import EvidenceStore

__all__ = ["Listener", "Session", "load"]

Listener = Callable[[Line], None]


class Session:
    """The only writer of one run.

    Args:
        folder: The run's folder.
        redactor: Takes secrets out of everything that is written.

    Raises:
        RunLockedError: Another process is writing this run.
        DamagedLogError: The log does not check.
    """

    def __init__(self, folder: RunFolder, redactor: Redactor | None = None) -> None:
        self.folder = folder
        self.redactor = redactor or Redactor()
        self.store = EvidenceStore(folder.evidence, self.redactor)
        self._log = SessionLog(folder.log, self.redactor)
        self.lines: list[Line] = list(self._log.lines)
        self._listeners: list[Listener] = []
        self._evidence = {
            line.event.evidence.id: line.event.evidence
            for line in self.lines
            if isinstance(line.event, EvidenceCaptured)
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log.close()

    @property
    def torn_bytes(self) -> int:
        """How many bytes of a torn last line were moved aside when the run was opened."""
        return self._log.torn_bytes

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every line from now on."""
        self._listeners.append(listener)

    def append(self, event: AnyEvent) -> Line:
        """Write one event and tell everybody who listens."""
        line = self._log.append(event)
        self.lines.append(line)
        for listener in self._listeners:
            listener(line)
        return line

    def capture(
        self, kind: EvidenceKind, data: bytes, *, subject: str, obtained: Obtained, effect: EffectKey
    ) -> EvidenceId:
        """Store evidence and write its name into the log."""
        stored = self.store.put(data)
        evidence = Evidence(
            id=f"E{len(self._evidence) + 1}",
            kind=kind,
            digest=stored.digest,
            size_bytes=stored.size_bytes,
            subject=subject,
            obtained=obtained,
            redactions=stored.redactions,
        )
        self._evidence[evidence.id] = evidence
        self.append(EvidenceCaptured(evidence=evidence, effect=effect))
        return evidence.id

    def evidence(self, id: EvidenceId) -> Evidence | None:
        """Metadata of one piece of evidence; None when the run has no such."""
        return self._evidence.get(id)

    def all_evidence(self) -> list[Evidence]:
        """Metadata of every piece of evidence, oldest first."""
        return list(self._evidence.values())

    def bytes_of(self, id: EvidenceId) -> bytes | None:
        """Stored bytes of one piece of evidence; None when the run has no such."""
        evidence = self._evidence.get(id)
        return self.store.get(evidence.digest) if evidence else None


def load(folder: RunFolder) -> tuple[list[Line], EvidenceStore]:
    """A run to read, also a dead one or one that another process is writing.

    Raises:
        DamagedLogError: The log does not check.
    """
    return read(Path(folder.log)), EvidenceStore(folder.evidence)
