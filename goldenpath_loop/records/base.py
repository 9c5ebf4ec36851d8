"""The one base of every record, and the names that records use to point at each other."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

__all__ = [
    "EffectKey",
    "EvidenceId",
    "Record",
    "Reference",
    "Revision",
    "ServiceName",
    "SuiteName",
    "TestId",
    "pull_request_ref",
]

EvidenceId = Annotated[str, StringConstraints(pattern=r"^E[0-9]+$")]
"""Short name of one piece of evidence within its run: `E17`."""

EffectKey = Annotated[str, StringConstraints(min_length=1, max_length=400)]
"""Deterministic name of one effect within its run: asking twice for the same thing gives the same key."""

Reference = Annotated[str, StringConstraints(min_length=1)]
"""Names an earlier record of the run: evidence `E17`, finding `F2`, verdict `V3`, or an effect key."""

Revision = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
"""Full commit id, SHA-1 or SHA-256."""

ServiceName = Annotated[str, StringConstraints(min_length=1)]
SuiteName = Annotated[str, StringConstraints(min_length=1)]
TestId = Annotated[str, StringConstraints(min_length=1)]
"""A test's own name, relative to its tree: `tests/e2e/test_chat.py::test_stream[en]`."""


class Record(BaseModel):
    """A value that never changes after it was made and refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def pull_request_ref(branch: str) -> str:
    """Ref of the remote by which the pull request of `branch` is entered there, so that all engines open one."""
    return f"refs/goldenpath/pull-requests/{branch}"
