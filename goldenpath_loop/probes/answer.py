"""What a probe's outcome comes to, before it is stored: the verdict, the transcript, how it was obtained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from goldenpath_loop.records.evidence import EvidenceKind
from goldenpath_loop.records.services import DependencyReport

__all__ = ["Answer", "Seen", "line_with", "said_by_service"]

_ANSWERS_KEPT = 100
_ANSWER_CHARS = 2000


@dataclass(frozen=True, slots=True)
class Answer:
    """One outcome, classified."""

    answered: bool
    summary: str
    quote: str
    """A line of the transcript, verbatim."""
    status: int | None = None
    latency_ms: float | None = None
    dependencies: tuple[DependencyReport, ...] = ()
    revision: str | None = None
    answers: tuple[str, ...] = ()
    """Lines of the transcript that the service itself said; nothing measured is among them."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One outcome with everything needed to store it as evidence."""

    answer: Answer
    kind: EvidenceKind
    transcript: str
    how: str
    started_at: datetime
    duration_s: float


def line_with(lines: Sequence[str], *starts: str) -> str:
    """The last line beginning with the first of `starts` that any line begins with; empty when none does."""
    for start in starts:
        for line in reversed(lines):
            if line.startswith(start):
                return line
    return ""


def said_by_service(lines: Iterable[str]) -> tuple[str, ...]:
    """As much of `lines` as a report carries: no empty ones, long ones from their beginning."""
    return tuple(line[:_ANSWER_CHARS] for line in lines if line.strip())[:_ANSWERS_KEPT]
