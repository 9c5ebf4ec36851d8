"""Reads a unified diff without context into hunks. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from goldenpath_loop.records.history import Hunk

__all__ = ["parse_diff"]

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


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
    """Hunks of a diff made with `-U0 --no-renames --no-prefix`, in its order; binary changes have none."""
    hunks: list[Hunk] = []
    current: _Open | None = None
    old_path = path = ""
    for line in text.split("\n"):
        # The counts of the header say how far a hunk goes, so that a removed `-- x` is never taken for a file name.
        if current is not None and (current.old_left or current.new_left):
            if line.startswith("-") and current.old_left:
                current.removed.append(line[1:])
                current.old_left -= 1
                continue
            if line.startswith("+") and current.new_left:
                current.added.append(line[1:])
                current.new_left -= 1
                continue
        match = _HUNK.match(line)
        if match:
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
            old_path = line[4:].rstrip("\t")
        elif line.startswith("+++ "):
            new = line[4:].rstrip("\t")
            path = old_path if new == "/dev/null" else new
        elif line.startswith("diff --git ") and current is not None:
            hunks.append(current.closed())
            current = None
    if current is not None:
        hunks.append(current.closed())
    return tuple(hunks)
