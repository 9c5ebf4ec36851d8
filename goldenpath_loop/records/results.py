"""What a test run showed: one result a test, in four outcomes, and the run around them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from goldenpath_loop.records.base import EvidenceId, Record, Revision, ServiceName, SuiteName, TestId

__all__ = ["Failure", "Outcome", "Signature", "SuiteEnd", "SuiteRun", "TestResult"]

Outcome = Literal["green", "red", "unresolved", "timeout"]
"""Green: it ran and passed. Red: it ran and failed. Timeout: it was cut off. Unresolved: everything else."""

SuiteEnd = Literal["completed", "hung", "timed_out", "crashed", "not_started", "nothing_collected"]


class Signature(Record):
    """What makes two failures the same failure.

    `key` groups by exception type and the last frame of the code under test or of the test itself; `message`
    is the failure's text with everything masked that changes from run to run.
    """

    exception: str
    place: str
    """`path::function` of the last frame inside the tree; empty when there is none."""
    message: str

    @property
    def key(self) -> str:
        """Root-cause key: equal keys are taken for one cause until something shows otherwise."""
        return f"{self.exception} @ {self.place}" if self.place else self.exception


class Failure(Record):
    """A failure in the test's own words."""

    exception: str
    message: str
    path: str = ""
    line: int = Field(default=0, ge=0)
    function: str = ""
    frames: tuple[str, ...] = ()
    """`path:line:function`, outermost first, paths relative to the tree where they lie in it."""


class TestResult(Record):
    """One test of one run."""

    __test__ = False  # the name is the field's word; keeps pytest from collecting it

    id: TestId
    outcome: Outcome
    stage: Literal["collect", "setup", "call", "teardown", "none"] = "call"
    duration_s: float = Field(default=0.0, ge=0)
    failure: Failure | None = None
    signature: Signature | None = None
    not_run: Literal["", "skipped", "xfailed", "deselected", "missing", "not_collected", "never_started"] = ""
    """Why the test gave no verdict; a test that was not run is never green."""
    reason: str = ""
    """The skip's or xfail's own reason."""
    evidence: EvidenceId | None = None


class SuiteRun(Record):
    """Everything one run of one suite showed, also when it was cut off."""

    suite: SuiteName
    ended: SuiteEnd
    collected: tuple[TestId, ...] = ()
    results: tuple[TestResult, ...] = ()
    exit_code: int | None = None
    duration_s: float = Field(default=0.0, ge=0)
    revision_before: Revision | None = None
    revision_after: Revision | None = None
    silent_services: tuple[ServiceName, ...] = ()
    """Services that should have named the revision they serve, before or after the run, and did not."""
    hanging_test: TestId | None = None
    foreign_modules: tuple[str, ...] = ()
    """Modules of the code under test that were imported from outside the tree (`name -> file`)."""
    problem: str = ""
    """One sentence when the run as such went wrong; empty otherwise."""
    console: EvidenceId | None = None
    """What the runner printed."""
