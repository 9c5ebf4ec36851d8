"""What a person asks `loop culprit`: which commit between two revisions turned a command red."""

from __future__ import annotations

from pydantic import Field

from goldenpath_loop.records.base import Record, Revision

__all__ = ["CulpritQuestion"]


class CulpritQuestion(Record):
    """A question about history; the command stands in the run's only suite."""

    bad: Revision
    """Where the command fails."""
    good: Revision | None = None
    """Where it passed; None lets the search find such a commit by itself."""
    named_good: Revision | None = None
    """The revision that was named, when it lies on a branch of its own; `good` is then where that branch began."""
    is_flaky: bool = False
    """Whether the command may pass and fail on one commit."""
    confidence: float = Field(default=0.99, gt=0.5, lt=1.0)
    """Share of belief at which an answer counts."""
    delta: float = Field(default=0.25, gt=0.0, lt=1.0)
    """Least change of the failure rate that is looked for, when the command is flaky."""
    most_runs: int = Field(default=1000, ge=1)
    hunks: bool = False
    """Whether to look for the guilty hunks of the culprit as well."""
