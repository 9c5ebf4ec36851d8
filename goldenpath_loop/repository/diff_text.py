"""Reads a unified diff without context into hunks. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from goldenpath_loop.records.history import Hunk

__all__ = ["parse_diff", "unquoted"]

_HUNK = re.compile(r"@@ -(\d{1,15})(?:,(\d{1,15}))? \+(\d{1,15})(?:,(\d{1,15}))? @@", re.ASCII)
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


@dataclass(slots=True)
class _Open:
    path: str
    header: str
    old_start: int
    new_start: int
    old_left: int
    new_left: int
    removed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    def takes(self, line: str) -> bool:
        """Whether the line belongs to this hunk; the counts of its header say how far it goes."""
        if line.startswith("-") and self.old_left:
            self.removed.append(line[1:])
            self.old_left -= 1
        elif line.startswith("+") and self.new_left:
            self.added.append(line[1:])
            self.new_left -= 1
        else:
            return False
        return True

    def closed(self) -> Hunk:
        return Hunk(
            path=self.path,
            header=self.header,
            removed=tuple(self.removed),
            added=tuple(self.added),
            old_start=self.old_start,
            new_start=self.new_start,
        )


def parse_diff(text: str) -> tuple[Hunk, ...]:
    """Hunks of a diff made with `-U0 --no-renames --no-prefix`, in its order.

    Binary files, mode changes and empty files have none. What stands around the diff is passed over.
    """
    hunks: list[Hunk] = []
    current: _Open | None = None
    old_path = path = ""
    for line in text.split("\n"):
        # Asked first, so that a removed line `-- x` is never taken for a file name.
        if current is not None and current.takes(line):
            continue
        if match := _HUNK.match(line):
            if current is not None:
                hunks.append(current.closed())
            current = _Open(
                path=path,
                header=line,
                old_start=int(match[1]),
                new_start=int(match[3]),
                old_left=int(match[2] or 1),
                new_left=int(match[4] or 1),
            )
        elif line.startswith("--- "):
            old_path = _name(line)
        elif line.startswith("+++ "):
            new = _name(line)
            path = old_path if new == "/dev/null" else new
        elif line.startswith("diff --git ") and current is not None:
            hunks.append(current.closed())
            current = None
    if current is not None:
        hunks.append(current.closed())
    return tuple(hunks)


def _name(line: str) -> str:
    # Git ends a name that holds a space by a tab of its own.
    return unquoted(line[4:].removesuffix("\t"))


def unquoted(name: str) -> str:
    """A path as git prints it, without the quotes and escapes git puts around unusual ones."""
    if len(name) < 2 or not (name.startswith('"') and name.endswith('"')):
        return name
    return _ESCAPE.sub(_byte, name[1:-1].encode("utf-8", "replace")).decode("utf-8", "replace")


def _byte(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if len(escape) == 3:
        return bytes([int(escape, 8) & 0xFF])
    return _LETTERS.get(escape, escape)
