"""What runs show: outcomes counted, runs that do not count, and what one commit says about one failure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from goldenpath_loop.records.base import Revision, TestId
from goldenpath_loop.records.results import Signature, SuiteRun, TestResult

__all__ = ["RepeatTally", "is_same_failure", "probe_outcome", "run_problem", "tally"]


@dataclass(frozen=True, slots=True)
class RepeatTally:
    """How often each outcome was seen."""

    green: int = 0
    red: int = 0
    timeout: int = 0
    unresolved: int = 0

    @property
    def total(self) -> int:
        """All results together."""
        return self.green + self.red + self.timeout + self.unresolved

    @property
    def bad(self) -> int:
        """Tests that ran and did not pass."""
        return self.red + self.timeout


def tally(results: Iterable[TestResult]) -> RepeatTally:
    """Count the outcomes of `results`."""
    counts = {"green": 0, "red": 0, "timeout": 0, "unresolved": 0}
    for result in results:
        counts[result.outcome] += 1
    return RepeatTally(**counts)


def run_problem(run: SuiteRun, *, expected: Revision | None) -> str:
    """Why no result of `run` counts, in one sentence; empty when they count."""
    if run.foreign_modules:
        return f"the code under test was imported from another tree: {run.foreign_modules[0]}"
    if run.silent_services:
        return f"{run.silent_services[0]} did not say which revision it serves"
    if expected and run.revision_before and run.revision_before != expected:
        return f"the system served {run.revision_before[:10]} instead of {expected[:10]}"
    if run.revision_before != run.revision_after:
        return (
            f"the served revision changed during the run, from {_short(run.revision_before)} "
            f"to {_short(run.revision_after)}"
        )
    return ""


def _short(revision: Revision | None) -> str:
    return revision[:10] if revision else "unknown"


def is_same_failure(one: Signature, other: Signature) -> bool:
    """Whether two failures count as the same: same exception, same place, and a message alike.

    Numbers that survived the masking (an HTTP status, an expected value) have to agree exactly.
    """
    if one.key != other.key:
        return False
    if one.message == other.message:
        return True
    if re.findall(r"\d+", one.message) != re.findall(r"\d+", other.message):
        return False
    left, right = set(one.message.split()), set(other.message.split())
    return len(left & right) >= 0.6 * len(left | right)


def probe_outcome(
    signature: Signature, test: TestId, runs: Sequence[SuiteRun], *, expected: Revision | None = None
) -> Literal["green", "red", "unresolved"]:
    """What one commit says about one failure.

    Red only with the same signature. Another failure, a test that could not be collected, a run in the wrong
    tree or of the wrong revision: cannot tell.
    """
    said: set[Literal["green", "red", "unresolved"]] = set()
    for run in runs:
        if run_problem(run, expected=expected):
            continue
        for result in run.results:
            if result.id == test:
                said.add(_against(signature, result, run))
    # In two suites at once a test may show two things; then the commit has not told.
    return said.pop() if len(said) == 1 else "unresolved"


def _against(
    signature: Signature, result: TestResult, run: SuiteRun
) -> Literal["green", "red", "unresolved"]:
    if result.outcome == "green":
        # A run that completed and still ended with an error says that something went wrong unseen.
        return "unresolved" if run.ended == "completed" and run.problem else "green"
    if result.outcome in ("red", "timeout") and result.signature is not None:
        return "red" if is_same_failure(result.signature, signature) else "unresolved"
    return "unresolved"
