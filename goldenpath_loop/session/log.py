"""The session log: one JSON line an event, chained by hash, written once and never changed.

Writing: one `write` a line, `fsync` where something was promised (see `COMMIT_POINTS`). Reading: a torn last
line is the trace of a crash, it is moved aside; damage anywhere else stops with the line's number.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from goldenpath_loop.errors import DamagedLogError, LogError, RunLockedError
from goldenpath_loop.records.events import AnyEvent, Line, event_adapter
from goldenpath_loop.session.redaction import Redactor
from goldenpath_loop.system import clock

__all__ = ["COMMIT_POINTS", "GENESIS", "SessionLog", "is_held", "read"]

GENESIS = "0" * 64

_LOOKER_S = 0.1
"""Longer than anybody who only looks holds the lock."""

_NOT_AN_EVENT = (ValueError, KeyError, TypeError)
"""What bytes that are no event may raise when they are read as one; pydantic's own error is a ValueError."""

COMMIT_POINTS = frozenset(
    {
        "approval.decided",
        "approval.requested",
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
"""Events after which somebody or something relies on the log: these are on the disk before anything follows."""


class SessionLog:
    """The one writer of one run's log. Holds an exclusive lock for as long as it is open.

    Args:
        path: `session.jsonl` of the run; created when absent.
        redactor: Takes secrets out of every line before it is written.

    Raises:
        RunLockedError: Another process is writing this log.
        DamagedLogError: A line other than the last does not check.
        LogError: The file cannot be opened for writing.
    """

    def __init__(self, path: Path, redactor: Redactor | None = None) -> None:
        self.path = path
        self.redactor = redactor or Redactor()
        self.torn_bytes = 0
        try:
            is_new = not path.exists()
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise LogError(f"the session log cannot be opened: {error.strerror}", where=str(path)) from error
        self._poisoned = ""
        try:
            self._lock()
            self.lines = self._recover()
        except BaseException:
            os.close(self._fd)
            raise
        self._seq = self.lines[-1].seq if self.lines else 0
        self._prev = self._tail_hash
        if is_new:
            _sync_folder(path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the log and of its lock."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def append(self, event: AnyEvent) -> Line:
        """Write one event; on the disk before this returns when it is a commit point.

        Raises:
            LogError: The line could not be written whole. The log then takes no further event, because whatever
                follows a fragment would be lost with it.
        """
        if self._poisoned:
            raise LogError(f"the session log takes no more events: {self._poisoned}", where=str(self.path))
        at = clock.now().isoformat(timespec="microseconds")
        payload = event.model_dump(mode="json", by_alias=True)
        kind = payload.pop("type", event.type)
        clean = self.redactor.record(payload)
        record = {"seq": self._seq + 1, "at": at, "type": kind, "prev": self._prev, "payload": clean}
        try:
            raw = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
            line = _parsed(raw)
        except _NOT_AN_EVENT as error:
            # Written as it is, it would make the whole log unreadable.
            raise LogError(
                f"a {kind} event could not be written: {_first_line(error)}",
                where=str(self.path),
                advice="A value of the settings file may be part of a name; give either another value.",
            ) from error
        self._write(raw + b"\n")
        if kind in COMMIT_POINTS:
            self._sync()
        self._seq, self._prev = line.seq, hashlib.sha256(raw).hexdigest()
        return line

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

    def _sync(self) -> None:
        try:
            os.fsync(self._fd)
        except OSError as error:
            # After a failed fsync the kernel may have dropped the pages: trying again would lie.
            self._poisoned = f"the disk did not take the log: {error.strerror}"
            raise LogError(self._poisoned, where=str(self.path)) from error

    def _lock(self) -> None:
        give_up_at_s = clock.monotonic_s() + _LOOKER_S
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                # `is_held` takes the lock for a moment to see whether it is free; a writer keeps it.
                if clock.monotonic_s() < give_up_at_s:
                    time.sleep(_LOOKER_S / 10)
                    continue
                raise RunLockedError(
                    "another loop is working on this run",
                    where=str(self.path.parent),
                    advice="Wait for it, or stop it with Ctrl-C where it runs.",
                ) from error

    def _recover(self) -> list[Line]:
        data = self.path.read_bytes()
        lines, good, self._tail_hash = _checked(data, self.path)
        if good < len(data):
            torn = data[good:]
            self.torn_bytes = len(torn)
            names = (f"{self.path.name}.torn-{number}" for number in itertools.count(1))
            aside = next(path for name in names if not (path := self.path.with_name(name)).exists())
            aside.write_bytes(torn)
            os.ftruncate(self._fd, good)
            os.fsync(self._fd)
        return lines


def read(path: Path) -> list[Line]:
    """All whole lines of a log, checked; a torn last line is left out.

    Raises:
        DamagedLogError: A line other than the last does not check.
        LogError: There is no log.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LogError("no session log", where=str(path), advice=error.strerror or "") from error
    return _checked(data, path)[0]


def is_held(path: Path) -> bool:
    """Whether some process holds the lock of the log at `path` now; False when there is no log."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two lookers never take each other for a writer.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _checked(data: bytes, path: Path) -> tuple[list[Line], int, str]:
    """The good lines, the offset where they end, and the hash of the last one."""
    lines: list[Line] = []
    prev, offset = GENESIS, 0
    for number, (end, raw) in enumerate(_split(data), start=1):
        if not raw.endswith(b"\n"):
            break  # one write, one line, its newline last: a line without one is torn, one with it was whole
        raw = raw[:-1]
        try:
            line = _parsed(raw)
        except _NOT_AN_EVENT as error:
            raise DamagedLogError(
                f"line {number} is not an event: {_first_line(error)}", where=str(path)
            ) from error
        if line.prev != prev or line.seq != number:
            raise DamagedLogError(
                f"line {number} does not follow line {number - 1}: the chain is broken", where=str(path)
            )
        lines.append(line)
        prev, offset = hashlib.sha256(raw).hexdigest(), end
    return lines, offset, prev


def _split(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Lines with their newlines, and where each ends."""
    end = 0
    for raw in data.split(b"\n"):
        whole = data[end : end + len(raw) + 1]
        end += len(whole)
        if whole:
            yield end, whole


def _parsed(raw: bytes) -> Line:
    record: dict[str, Any] = json.loads(raw)
    event = event_adapter.validate_python({"type": record["type"], **record["payload"]}, strict=False)
    return Line(seq=record["seq"], at=record["at"], prev=record["prev"], event=event)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
