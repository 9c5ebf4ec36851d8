"""What a sweep found, and the one line that says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Found", "Tally", "lost_lines"]


@dataclass(frozen=True, slots=True)
class Found:
    """How one run that was killed came out.

    Args:
        point: Where it was killed, in words.
        kills: How many processes were really killed; one that was through before its point was not.
        differs: What is not as in the uninterrupted run.
        lost: What was in the log when a process died, and is not in it at the end.
        doubled: What was done to the world, or asked of it, twice.
    """

    point: str
    kills: int
    differs: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()

    @property
    def problems(self) -> str:
        """All of it as text; empty when all is well."""
        words = [*self.differs, *(f"lost: {one}" for one in self.lost)]
        words += [f"doubled: {one}" for one in self.doubled]
        return "\n".join(f"{self.point}: {one}" for one in words)


class Tally:
    """The sum of a sweep."""

    def __init__(self, name: str, found: Iterable[Found]) -> None:
        self.name = name
        self.found = list(found)

    def __str__(self) -> str:
        points = len(self.found)
        same = sum(not one.differs for one in self.found)
        share = f"{100 * same / points:g} %" if points else "none"
        return (
            f"{self.name}: {points} points, {self.kills} processes killed, {same} ({share}) ended the same, "
            f"{sum(len(one.lost) for one in self.found)} acknowledged records lost, "
            f"{sum(len(one.doubled) for one in self.found)} effects doubled"
        )

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return sum(one.kills for one in self.found)

    @property
    def problems(self) -> str:
        """Everything that is not as it should be."""
        return "\n".join(one.problems for one in self.found if one.problems)


def lost_lines(standing: bytes, after: bytes) -> tuple[str, ...]:
    """Whole lines of the log as a killed process left it that the log of a later process does not begin with."""
    lines = standing.split(b"\n")[:-1]
    kept = after.split(b"\n")[: len(lines)]
    kept += [b""] * (len(lines) - len(kept))
    return tuple(
        old[:80].decode(errors="replace") for old, new in zip(lines, kept, strict=True) if old != new
    )
