"""Writes the session log: one JSON line an event, chained by hash, written once and never changed.

One `write` a line; `sync` brings what was promised (see `COMMIT_POINTS`) to the disk. A torn last line is the trace
of a crash, it is moved aside; damage anywhere else stops with the line's number.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from goldenpath_loop.errors import LogError
from goldenpath_loop.records.events import SCHEMA_VERSION, AnyEvent
from goldenpath_loop.records.line import Line
from goldenpath_loop.session.chain import Chain
from goldenpath_loop.session.line import NOT_AN_EVENT, encoded, first_line_of, parsed
from goldenpath_loop.session.lock import lock, release
from goldenpath_loop.session.redaction import Redactor
from goldenpath_loop.system import clock
from goldenpath_loop.system.collection import without_collection
from goldenpath_loop.system.disk import advice_for, flush

__all__ = ["COMMIT_POINTS", "SessionLog"]

COMMIT_POINTS = frozenset(
    {
        "approval.decided",
        "approval.requested",
        "clock.jumped",
        "control.requested",
        "run.started",
        "run.paused",
        "run.resumed",
        "run.finished",
        "cycle.started",
        "phase.started",
        "phase.finished",
        "decision.made",
        "effect.requested",
        "effect.settled",
        "effect.failed",
        "finding.appended",
        "limits.changed",
        "usage.reserved",
        "verdict.reached",
    }
)
"""Events that somebody or something relies on: these are on the disk before anything follows from them."""


class SessionLog:
    """The one writer of one run's log. Holds an exclusive lock for as long as it is open.

    Args:
        path: `session.jsonl` of the run; created when absent.
        redactor: Takes secrets out of every line before it is written.
        readers: Each is called with every line that is there already, and the offset in bytes where it begins.

    Raises:
        RunLockedError: Another process is writing this log.
        DamagedLogError: A line other than the last does not check.
        LogError: The file cannot be opened for writing, or a newer version wrote it.
    """

    def __init__(
        self,
        path: Path,
        redactor: Redactor | None = None,
        *,
        readers: Sequence[Callable[[Line, int], None]] = (),
    ) -> None:
        self.path = path
        self.redactor = redactor or Redactor()
        self.torn_bytes = 0
        self.synced_seq = 0
        """Number of the last line that is known to be on the disk."""
        self._promised_seq = 0
        self._poisoned = ""
        self._writing = threading.Lock()
        try:
            is_new = not path.exists()
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            message = f"the session log cannot be opened: {error.strerror}"
            raise LogError(message, where=str(path), advice=advice_for(error)) from error
        try:
            lock(self._fd, path)
            self._chain = self._recover(readers)
            if is_new:
                _sync_folder(path.parent)
        except BaseException:
            os.close(self._fd)
            raise
        self.synced_seq = self._promised_seq = self.seq
        self._synced_end = self.end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def seq(self) -> int:
        """Number of the last line; 0 while there is none."""
        return self._chain.seq

    @property
    def end(self) -> int:
        """Offset in bytes behind the last line."""
        return self._chain.end

    @property
    def is_owing(self) -> bool:
        """Whether a line that somebody relies on may not be on the disk yet."""
        return self._promised_seq > self.synced_seq

    def close(self) -> None:
        """Bring what is owed to the disk, and let go of the log and of its lock. Safe to repeat.

        Raises:
            LogError: The disk did not take it.
        """
        if self._fd < 0:
            return
        try:
            if self.is_owing and not self._poisoned:
                self.sync()
        finally:
            release(self.path)
            os.close(self._fd)
            self._fd = -1

    def append(self, event: AnyEvent) -> Line:
        """Write one event. The process may be killed after this, the machine only after `sync`.

        Raises:
            LogError: The line could not be written whole. The log then takes no further event, because whatever
                follows a fragment would be lost with it.
        """
        self._refuse_if_poisoned()
        payload = event.model_dump(mode="json", by_alias=True)
        kind = payload.pop("type", event.type)
        try:
            raw = encoded(
                seq=self.seq + 1,
                at=clock.now().isoformat(timespec="microseconds"),
                kind=kind,
                prev=self._chain.digest,
                payload=self.redactor.record(payload),
            )
            line = parsed(raw)
        except NOT_AN_EVENT as error:
            # Written as it is, it would make the whole log unreadable.
            raise LogError(
                f"a {kind} event could not be written: {first_line_of(error)}",
                where=str(self.path),
                advice="A value of the settings file may be part of a name; give either another value.",
            ) from error
        with self._writing:
            self._refuse_if_poisoned()
            self._write(raw + b"\n")
            self._chain.advance(raw)
        if kind in COMMIT_POINTS:
            self._promised_seq = line.seq
        return line

    def sync(self) -> None:
        """Bring every line so far to the disk. May be called by another thread than `append`.

        Raises:
            LogError: The disk did not take them, or the log is not where it was any more.
        """
        self._refuse_if_poisoned()
        seq, end = self.seq, self.end
        self._check_place()
        try:
            flush(self._fd)
        except OSError as error:
            # After a failed fsync the kernel may have dropped the pages: trying again would lie, and so would they,
            # for they can still be read. What was not brought to the disk was not relied on either.
            with self._writing:
                self._poisoned = f"the disk did not take the log: {error.strerror}"
                with contextlib.suppress(OSError):
                    os.ftruncate(self._fd, self._synced_end)
            raise LogError(self._poisoned, where=str(self.path)) from error
        self.synced_seq, self._synced_end = seq, end

    def _refuse_if_poisoned(self) -> None:
        if self._poisoned:
            raise LogError(f"the session log takes no more events: {self._poisoned}", where=str(self.path))

    def _check_place(self) -> None:
        """Writing goes on without complaint into a file that somebody has removed."""
        own = os.fstat(self._fd)
        try:
            standing = self.path.stat()
        except OSError:
            self._poisoned = "it was removed while the run went on"
        else:
            if (standing.st_dev, standing.st_ino) == (own.st_dev, own.st_ino):
                return
            self._poisoned = "another file was put in its place while the run went on"
        raise LogError(
            f"the session log takes no more events: {self._poisoned}",
            where=str(self.path),
            advice="What it held since then is lost; what is in the repository is not. Begin a new run.",
        )

    def _write(self, data: bytes) -> None:
        good = os.lseek(self._fd, 0, os.SEEK_END)
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            self._poison(good, error.strerror or str(error))
        else:
            if written != len(data):
                self._poison(good, f"only {written} of {len(data)} bytes were written")

    def _poison(self, good_offset: int, reason: str) -> None:
        self._poisoned = reason
        os.ftruncate(self._fd, good_offset)
        raise LogError(
            f"an event could not be written: {reason}",
            where=str(self.path),
            advice="Make room or mend the disk, then `loop resume`: everything before it is safe.",
        )

    def _recover(self, readers: Sequence[Callable[[Line, int], None]]) -> Chain:
        chain = Chain(self.path)
        start = 0
        with without_collection():
            for line in chain:
                for reader in readers:
                    reader(line, start)
                start = chain.end
        if chain.schema_version > SCHEMA_VERSION:
            raise LogError(
                f"a newer version wrote it (log version {chain.schema_version}; this one writes {SCHEMA_VERSION})",
                where=str(self.path),
                advice="Go on with the version that began it; `loop show` and `loop verify` read it with this one too.",
            )
        torn = os.pread(self._fd, os.fstat(self._fd).st_size - chain.end, chain.end)
        if torn:
            self.torn_bytes = len(torn)
            names = (f"{self.path.name}.torn-{number}" for number in itertools.count(1))
            aside = next(path for name in names if not (path := self.path.with_name(name)).exists())
            aside.write_bytes(torn)
            os.ftruncate(self._fd, chain.end)
            os.fsync(self._fd)
        return chain


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
