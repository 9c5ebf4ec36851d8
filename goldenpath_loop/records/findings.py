"""What the loop claims: clusters, plans, checked why-chains, verdicts, operator actions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from goldenpath_loop.records.base import Record, Reference, Revision, ServiceName, SuiteName, TestId
from goldenpath_loop.records.evidence import Citation
from goldenpath_loop.records.results import Signature

__all__ = [
    "Cluster",
    "Finding",
    "FindingKind",
    "LeftOut",
    "LinkKind",
    "Measurement",
    "OperatorAction",
    "Plan",
    "PlannedSuite",
    "Refuter",
    "Verdict",
    "VerdictKind",
    "WhyLink",
]


class Cluster(Record):
    """Failures that look like one cause."""

    id: str = Field(pattern=r"^K[0-9]+$")
    signature: Signature
    suites: tuple[SuiteName, ...]
    tests: tuple[TestId, ...]
    """Red tests of the cluster, worst first; the first stands for the others in searches."""


class PlannedSuite(Record):
    """One suite of the plan, with the reason for its place."""

    suite: SuiteName
    tests: tuple[TestId, ...]
    reason: str
    whole: bool = False
    """Run the suite as it is instead of test by test, because part of it cannot be collected."""

    @property
    def asked(self) -> tuple[TestId, ...]:
        """Tests to name to the runner; empty means all of the suite."""
        return () if self.whole else self.tests


class LeftOut(Record):
    """A suite of the focus that cannot run now, and why."""

    suite: SuiteName
    reason: str
    services: tuple[ServiceName, ...] = ()


class Plan(Record):
    """Which tests run, in which order, and which cannot."""

    suites: tuple[PlannedSuite, ...]
    left_out: tuple[LeftOut, ...] = ()


LinkKind = Literal["intervention", "call_path", "time_order", "configuration", "introduced_by"]


class Refuter(Record):
    """What would have shown a link to be false, and that somebody looked."""

    looked_for: str
    found: bool
    citation: Citation | None = None


class WhyLink(Record):
    """One answer to one why: `cause` made `effect`, both shown."""

    kind: LinkKind
    effect: str
    cause: str
    effect_citation: Citation
    cause_citation: Citation
    refuter: Refuter
    measured_by: tuple[Reference, ...] = ()
    """Effects whose receipts establish the link: the two runs of an intervention, the probes of a search."""


class OperatorAction(Record):
    """Something only a person with access can do, said precisely enough to do it."""

    instruction: str
    service: str = ""
    setting: str = ""


FindingKind = Literal["why_chain", "contradiction", "operator_action", "observation"]


class Finding(Record):
    """A claim about the target whose every citation the gate has resolved."""

    id: str = Field(pattern=r"^F[0-9]+$")
    kind: FindingKind
    title: str
    statement: str
    cluster: str = ""
    citations: tuple[Citation, ...] = ()
    chain: tuple[WhyLink, ...] = ()
    hypotheses: tuple[str, ...] = ()
    """What lies below the cut of the chain: not shown, worth looking at."""
    action: OperatorAction | None = None
    dispatch: str = ""
    """The dispatch whose agent proposed it; empty when the loop's own instruments did."""


class Measurement(Record):
    """One number or word a verdict rests on."""

    name: str
    value: float | int | str | bool
    unit: str = ""


VerdictKind = Literal[
    "deployment", "service", "suite", "priority", "triage", "probe", "culprit", "audit", "stability"
]


class Verdict(Record):
    """A conclusion that code computed from measurements."""

    id: str = Field(pattern=r"^V[0-9]+$")
    kind: VerdictKind
    subject: str
    value: str
    statement: str
    measurements: tuple[Measurement, ...] = ()
    because: tuple[Reference, ...] = ()
    revision: Revision | None = None
