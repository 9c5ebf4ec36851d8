"""Reads a session log line by line, each checked against the one before, in the memory of one line."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from goldenpath_loop.errors import DamagedLogError, LogError
from goldenpath_loop.records.events import SCHEMA_VERSION, RunResumed, RunStarted
from goldenpath_loop.records.line import Line, UnknownEvent
from goldenpath_loop.session.line import NOT_AN_EVENT, first_line_of, parsed, parsed_of_any_version

__all__ = ["GENESIS", "Chain", "last_line", "read"]

GENESIS = "0" * 64
_BUFFER_BYTES = 1 << 20
_TAIL_BYTES = 1 << 16
_SAY_VERSION = ("run.started", "run.resumed")


class Chain:
    """A log as far as it was read; iterating goes on from there, also when the log has grown since.

    A last line without its newline is torn, or being written: it is left alone.

    Args:
        path: `session.jsonl` of a run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seq = 0
        """Number of the last line that was read."""
        self.digest = GENESIS
        """Its hash."""
        self.end = 0
        """Offset in bytes behind it."""
        self.schema_version = SCHEMA_VERSION
        """The newest version that wrote to the log."""

    def __iter__(self) -> Iterator[Line]:
        """New whole lines.

        Raises:
            DamagedLogError: A line does not check. Those before it were given out.
            LogError: There is no log.
        """
        try:
            file = self.path.open("rb", buffering=_BUFFER_BYTES)
        except OSError as error:
            raise LogError("no session log", where=str(self.path), advice=error.strerror or "") from error
        with file:
            file.seek(self.end)
            for raw in file:
                if not raw.endswith(b"\n"):
                    return  # one write, one line, its newline last: without one it is torn, with one it was whole
                yield self.follow(raw[:-1])

    def follow(self, raw: bytes) -> Line:
        """Take `raw` for the next line, without its newline.

        Raises:
            DamagedLogError: It is not.
        """
        number = self.seq + 1
        try:
            line = self._parsed(raw)
        except NOT_AN_EVENT as error:
            raise DamagedLogError(
                f"line {number} is not an event: {first_line_of(error)}", where=str(self.path)
            ) from error
        if line.prev != self.digest or line.seq != number:
            raise DamagedLogError(
                f"line {number} does not follow line {self.seq}: the chain is broken", where=str(self.path)
            )
        self.advance(raw)
        return line

    def advance(self, raw: bytes) -> None:
        """Go on behind `raw`, which is known to be the next line."""
        self.seq += 1
        self.digest = hashlib.sha256(raw).hexdigest()
        self.end += len(raw) + 1

    def _parsed(self, raw: bytes) -> Line:
        try:
            line = parsed(raw)
        except NOT_AN_EVENT:
            line = parsed_of_any_version(raw)
            self.schema_version = max(self.schema_version, _version_in(line))
            if self.schema_version == SCHEMA_VERSION:
                raise
        else:
            if isinstance(line.event, RunStarted | RunResumed):
                self.schema_version = max(self.schema_version, line.event.schema_version)
        return line


def last_line(path: Path) -> Line | None:
    """The last whole line of a log, without looking at those before it; None when it has none that can be read.

    Raises:
        LogError: There is no log.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            data, wanted = b"", _TAIL_BYTES
            while data.rstrip(b"\n").count(b"\n") < 2 and len(data) < size:
                file.seek(max(0, size - wanted))
                data, wanted = file.read(wanted), wanted * 4
    except OSError as error:
        raise LogError("no session log", where=str(path), advice=error.strerror or "") from error
    whole = data[: data.rfind(b"\n")].rsplit(b"\n", 1)[-1]
    try:
        return parsed_of_any_version(whole)
    except NOT_AN_EVENT:
        return None


def _version_in(line: Line) -> int:
    """The version that an engine says it writes, when it says so in this line."""
    if not isinstance(line.event, UnknownEvent) or line.event.name not in _SAY_VERSION:
        return 0
    version = line.event.payload.get("schema_version")
    return version if isinstance(version, int) else 0


def read(path: Path) -> Iterator[Line]:
    """All whole lines of a log, each checked when it is taken; a torn last line is left out.

    Raises:
        DamagedLogError: While reading: a line other than the last does not check.
        LogError: There is no log.
    """
    if not path.is_file():
        raise LogError("no session log", where=str(path))
    return iter(Chain(path))
