"""Commits, their changes, and what earlier runs knew of each test."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from goldenpath_loop.records.base import EvidenceId, Record, Revision, TestId

__all__ = ["Commit", "Hunk", "TestHistory"]


class Commit(Record):
    """One commit as history shows it."""

    revision: Revision
    parents: tuple[Revision, ...]
    subject: str
    author: str
    committed_at: AwareDatetime
    files: tuple[str, ...] = ()
    """Paths it touches, relative to the repository."""


class Hunk(Record):
    """One hunk of a commit's change against its first parent."""

    path: str
    header: str
    """The `@@ ... @@` line, verbatim."""
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    old_start: int = Field(default=0, ge=0)
    new_start: int = Field(default=0, ge=0)


class TestHistory(Record):
    """What earlier runs of this target saw of one test."""

    __test__ = False  # the name is the field's word; keeps pytest from collecting it

    id: TestId
    runs: int = Field(ge=0)
    reds: int = Field(ge=0)
    last_outcome: str = ""
    last_green_revision: Revision | None = None
    last_run_at: AwareDatetime | None = None
    mean_duration_s: float = Field(default=0.0, ge=0)
    evidence: EvidenceId | None = None
