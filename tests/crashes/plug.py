"""Pulls the plug of a process at a chosen byte of its session log; the one place that knows how the log is written.

A line is one `os.write` and a promise is one `os.fsync`, both of the log's own file descriptor. Whoever arms a plug
replaces these two in a process of its own, from outside: the product has no hook for it.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["Point", "arm"]

_LOG = "session.jsonl"


@dataclass(frozen=True, slots=True)
class Point:
    """The moment of one kill.

    Args:
        line: Which line that the process writes, counted from 1. Of those alone that `type` and `key` name.
        keep: How many bytes of it still reach the file, modulo its length; None for all of it.
        type: Event type of the line.
        key: How the key of its effect begins.
        is_power_cut: Whether the log also loses what was not synced: the machine dies, not just the process.
    """

    line: int = 1
    keep: int | None = None
    type: str = ""
    key: str = ""
    is_power_cut: bool = False

    def __str__(self) -> str:
        named = f" {self.type} {self.key}".rstrip() if self.type or self.key else ""
        where = "after" if self.keep is None else "before" if self.keep == 0 else f"{self.keep} bytes into"
        return f"{where} line {self.line}{named}{' and the power is gone' if self.is_power_cut else ''}"

    def to_json(self) -> str:
        """As one word for a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Point:
        """What `to_json` made."""
        return cls(**json.loads(text))

    def names(self, data: bytes) -> bool:
        """Whether the line is one of those that are counted."""
        if not self.type and not self.key:
            return True
        record: dict[str, Any] = json.loads(data)
        if record["type"] != (self.type or record["type"]):
            return False
        payload = record["payload"]
        about = payload["effect"] if record["type"] == "effect.requested" else payload
        return str(about.get("key", "")).startswith(self.key)


def arm(point: Point) -> None:
    """Let this process be killed, by the kernel and without a word, at `point`."""
    seen = 0
    synced: dict[int, int] = {}
    write = os.write

    def dying(fd: int, data: bytes) -> int:
        nonlocal seen
        if not _is_log(fd):
            return write(fd, data)
        assert data.endswith(b"\n") and data.count(b"\n") == 1, "a line is no longer one write"
        inode = os.fstat(fd).st_ino
        # Whatever an earlier process left there has survived.
        synced.setdefault(inode, os.fstat(fd).st_size)
        seen += point.names(data)
        if seen != point.line or not point.names(data):
            return write(fd, data)
        write(fd, data if point.keep is None else data[: point.keep % len(data)])
        if point.is_power_cut:
            os.ftruncate(fd, synced[inode])
        _die()

    def noting(sync: Callable[[int], None]) -> Callable[[int], None]:
        def noted(fd: int) -> None:
            stat = os.fstat(fd)
            sync(fd)
            if _is_log(fd):
                synced[stat.st_ino] = stat.st_size

        return noted

    os.write = dying  # type: ignore[assignment]
    os.fsync = noting(os.fsync)  # type: ignore[assignment]
    os.fdatasync = noting(os.fdatasync)  # type: ignore[assignment]


def _is_log(fd: int) -> bool:
    return Path(f"/proc/self/fd/{fd}").readlink().name == _LOG


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    while True:
        signal.pause()
