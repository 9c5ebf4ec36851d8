"""One run, opened for writing: its log, its evidence, and everybody who wants to hear of new lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

import anyio
from anyio import to_thread

from goldenpath_loop.records.base import EffectKey, EvidenceId
from goldenpath_loop.records.events import AnyEvent, EvidenceCaptured
from goldenpath_loop.records.evidence import Evidence, EvidenceKind, Obtained
from goldenpath_loop.records.line import Line
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.evidence_index import EvidenceIndex
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.log import SessionLog
from goldenpath_loop.session.redaction import Redactor
from goldenpath_loop.session.store import EvidenceStore

__all__ = ["Listener", "Session", "load"]

Listener = Callable[[Line], None]


class Session:
    """The only writer of one run.

    Args:
        folder: The run's folder.
        redactor: Takes secrets out of everything that is written.
        readers: Each is called with every line that is there already, in order.
        listeners: The same, and with every new line as soon as it is written.

    Raises:
        RunLockedError: Another process is writing this run.
        DamagedLogError: The log does not check.
        LogError: It cannot be written.
    """

    def __init__(
        self,
        folder: RunFolder,
        redactor: Redactor | None = None,
        *,
        readers: Sequence[Listener] = (),
        listeners: Sequence[Listener] = (),
    ) -> None:
        self.folder = folder
        self.redactor = redactor or Redactor()
        self.store = EvidenceStore(folder.evidence, self.redactor)
        self._evidence = EvidenceIndex(folder.log)
        self._listeners = list(listeners)
        self._watchers: list[Listener] = []
        self._untold: deque[Line] = deque()
        self._turn = anyio.Lock()
        past = (*listeners, *readers)

        def remember(line: Line, start: int) -> None:
            self._evidence.note(line, start)
            for reader in past:
                reader(line)

        self._log = SessionLog(folder.log, self.redactor, readers=[remember])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log.close()
        self._tell()

    @property
    def torn_bytes(self) -> int:
        """How many bytes of a torn last line were moved aside when the run was opened."""
        return self._log.torn_bytes

    @property
    def seq(self) -> int:
        """Number of the last line; 0 while there is none."""
        return self._log.seq

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every line from now on, as soon as it is written."""
        self._listeners.append(listener)

    def watch(self, watcher: Listener) -> None:
        """Call `watcher` with every line from now on, once it cannot be lost any more: made for people."""
        self._watchers.append(watcher)

    def replay(self) -> Iterator[Line]:
        """Every line from the first on, read from the disk again."""
        return read(self.folder.log)

    def append(self, event: AnyEvent) -> Line:
        """Write one event and tell everybody who listens; see `commit` for when it is on the disk.

        Raises:
            LogError: It could not be written.
        """
        start = self._log.end
        line = self._log.append(event)
        self._evidence.note(line, start)
        for listener in self._listeners:
            listener(line)
        self._untold.append(line)
        if not self._log.is_owing:
            self._tell()
        return line

    async def commit(self) -> None:
        """Come back when everything appended before is on the disk. Who comes meanwhile shares the next turn of it.

        Raises:
            LogError: The disk did not take it.
        """
        seq = self._log.seq
        async with self._turn:
            if self._log.is_owing and self._log.synced_seq < seq:
                await to_thread.run_sync(self._log.sync)
        self._tell()

    def _tell(self) -> None:
        while self._untold and (not self._log.is_owing or self._untold[0].seq <= self._log.synced_seq):
            line = self._untold.popleft()
            for watcher in self._watchers:
                watcher(line)

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
        self.append(EvidenceCaptured(evidence=evidence, effect=effect))
        return evidence.id

    def evidence(self, id: EvidenceId) -> Evidence | None:
        """Metadata of one piece of evidence; None when the run has no such."""
        return self._evidence.get(id)

    def all_evidence(self) -> list[Evidence]:
        """Metadata of every piece of evidence, oldest first."""
        return list(self._evidence.all())

    def bytes_of(self, id: EvidenceId) -> bytes | None:
        """Stored bytes of one piece of evidence; None when the run has no such."""
        evidence = self.evidence(id)
        return self.store.get(evidence.digest) if evidence else None


def load(folder: RunFolder) -> tuple[Iterator[Line], EvidenceStore]:
    """A run to read, also a dead one or one that another process is writing; reading it may raise `DamagedLogError`."""
    return read(folder.log), EvidenceStore(folder.evidence)
