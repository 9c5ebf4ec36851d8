"""The events of a session log, the only truth about a run.

An event never changes after it was written. A line of `session.jsonl` is one envelope (`seq`, `at`, `type`,
`prev`) with the payload of one event. `run.started` and `run.resumed` carry the schema version.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from goldenpath_loop.records.base import EffectKey, Record, Reference
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.evidence import Evidence
from goldenpath_loop.records.findings import Cluster, Finding, Plan, Verdict
from goldenpath_loop.records.hand_off import HandOff
from goldenpath_loop.records.policy import Limits, Policy, Settings
from goldenpath_loop.records.question import CulpritQuestion
from goldenpath_loop.records.receipts import AnyReceipt
from goldenpath_loop.records.usage import Usage

__all__ = [
    "SCHEMA_VERSION",
    "AnyEvent",
    "ApprovalDecided",
    "ApprovalRequested",
    "ClockJumped",
    "ControlRequested",
    "CycleFinished",
    "CycleStarted",
    "DecisionMade",
    "EffectFailed",
    "EffectPutOff",
    "EffectRequested",
    "EffectSettled",
    "Event",
    "EvidenceCaptured",
    "FindingAppended",
    "FindingRejected",
    "LimitReached",
    "LimitsChanged",
    "PhaseFinished",
    "PhaseName",
    "PhaseResult",
    "PhaseStarted",
    "RunFinished",
    "RunOutcome",
    "RunPaused",
    "RunResumed",
    "RunStarted",
    "UsageRecorded",
    "UsageReserved",
    "VerdictReached",
    "event_adapter",
]

SCHEMA_VERSION = 1
"""Raised when the versions released before could not read what is written now."""

PhaseName = Literal[
    "deploy_check", "test_select", "execute", "five_whys", "ssot_audit", "stability_proof", "pull_request"
]

RunOutcome = Literal[
    "passed", "repaired", "found", "pull_request_limit", "blocked", "inconclusive", "budget", "aborted"
]
PhaseResult = Literal["done", "degraded", "sent_back", "stopped", "nothing_to_do"]


class Event(Record):
    """What all events share."""

    causes: tuple[Reference, ...] = ()
    """Earlier records this one follows from."""


class RunStarted(Event):
    """A run begins; everything a resume needs is here."""

    type: Literal["run.started"] = "run.started"
    schema_version: int = SCHEMA_VERSION
    run: str
    version: str
    root: str
    """Folder of the target's checkout."""
    config_file: str
    focus: str
    settings: Settings | None = None
    """None when the configuration could not be read; the run then ends at once."""
    policy: Policy | None = None
    agents: dict[str, str] = Field(default_factory=dict)
    """Digest of every agent definition and prompt, by file name."""
    allow_dirty: bool = False
    question: CulpritQuestion | None = None
    """Set for a run that only searches a culprit."""
    platform: str = ""


class RunPaused(Event):
    """Nothing new starts after this."""

    type: Literal["run.paused"] = "run.paused"
    reason: str


class RunResumed(Event):
    """Another engine process goes on; deployments of the earlier one are gone."""

    type: Literal["run.resumed"] = "run.resumed"
    version: str
    schema_version: int = SCHEMA_VERSION
    torn_bytes: int = Field(default=0, ge=0)
    """Bytes of a last line that was not written whole; they were moved aside."""
    behind_s: float = Field(default=0.0, ge=0)
    """Seconds that the clock stood before the last line of the log: it was set back while nobody looked."""


class RunFinished(Event):
    """The run has its outcome."""

    type: Literal["run.finished"] = "run.finished"
    outcome: RunOutcome
    reason: str
    exit_code: int
    next_actions: tuple[str, ...] = ()
    hand_off: HandOff | None = None
    """Set when a limit ended the run, or stood in the way of more."""


class CycleStarted(Event):
    """A walk through the phases, on base plus the remedies made so far."""

    type: Literal["cycle.started"] = "cycle.started"
    cycle: int = Field(ge=1)
    remedies: tuple[str, ...] = ()


class CycleFinished(Event):
    """One walk is over."""

    type: Literal["cycle.finished"] = "cycle.finished"
    cycle: int = Field(ge=1)
    summary: str


class PhaseStarted(Event):
    """A phase begins."""

    type: Literal["phase.started"] = "phase.started"
    cycle: int = Field(ge=1)
    phase: PhaseName
    attempt: int = Field(default=1, ge=1)
    """Counts how often this phase was entered in this cycle; an arrow back raises it."""


class PhaseFinished(Event):
    """A phase is over."""

    type: Literal["phase.finished"] = "phase.finished"
    cycle: int = Field(ge=1)
    phase: PhaseName
    attempt: int = Field(default=1, ge=1)
    result: PhaseResult
    summary: str


class DecisionMade(Event):
    """A choice of the coordinator and its reason."""

    type: Literal["decision.made"] = "decision.made"
    cycle: int = Field(ge=0)
    phase: PhaseName | None = None
    subject: str
    """What is decided about: `deployment`, `plan`, `clusters`, `K1 search`, `next cycle`."""
    choice: str
    reason: str
    plan: Plan | None = None
    clusters: tuple[Cluster, ...] = ()


class EffectRequested(Event):
    """The engine is about to touch the world."""

    type: Literal["effect.requested"] = "effect.requested"
    effect: AnyEffect


class EffectSettled(Event):
    """The touch is over, and this came back."""

    type: Literal["effect.settled"] = "effect.settled"
    key: EffectKey
    receipt: AnyReceipt
    evidence: tuple[str, ...] = ()
    """Evidence captured while it was performed, in order."""
    duration_s: float = Field(default=0.0, ge=0)


class EffectFailed(Event):
    """The touch could not be carried out."""

    type: Literal["effect.failed"] = "effect.failed"
    key: EffectKey
    error: str
    advice: str = ""
    duration_s: float = Field(default=0.0, ge=0)


class EffectPutOff(Event):
    """The touch was asked for and not begun, because the run came to rest; it is asked for again."""

    type: Literal["effect.put_off"] = "effect.put_off"
    key: EffectKey


class EvidenceCaptured(Event):
    """Bytes were stored and have a name now."""

    type: Literal["evidence.captured"] = "evidence.captured"
    evidence: Evidence
    effect: EffectKey = ""


class FindingAppended(Event):
    """A claim passed the gate."""

    type: Literal["finding.appended"] = "finding.appended"
    finding: Finding


class FindingRejected(Event):
    """A claim did not pass the gate; it is kept with the reasons and is never a finding."""

    type: Literal["finding.rejected"] = "finding.rejected"
    proposed: Finding
    reasons: tuple[str, ...]


class VerdictReached(Event):
    """Code concluded something from measurements."""

    type: Literal["verdict.reached"] = "verdict.reached"
    verdict: Verdict


class UsageReserved(Event):
    """A model is about to be asked; counts in full until what it used is recorded."""

    type: Literal["usage.reserved"] = "usage.reserved"
    dispatch: EffectKey
    call: int = Field(ge=1)
    model: str
    most: Usage
    """The most that the call can use."""


class UsageRecorded(Event):
    """What one call used, whatever came of it."""

    type: Literal["usage.recorded"] = "usage.recorded"
    dispatch: EffectKey
    call: int = Field(ge=1)
    usage: Usage
    duration_s: float = Field(default=0.0, ge=0)
    problem: str = ""
    """Why its answer could not be used."""


class LimitReached(Event):
    """Something ran out."""

    type: Literal["limit.reached"] = "limit.reached"
    limit: str
    allowed: float
    used: float


class ApprovalRequested(Event):
    """A person has to decide before an effect is carried out."""

    type: Literal["approval.requested"] = "approval.requested"
    effect: AnyEffect


class ApprovalDecided(Event):
    """What a person decided about an effect."""

    type: Literal["approval.decided"] = "approval.decided"
    key: EffectKey
    approved: bool
    by: str
    reason: str = ""


class LimitsChanged(Event):
    """A person gave the run other limits; what was used up before counts against them."""

    type: Literal["limits.changed"] = "limits.changed"
    limits: Limits
    by: str


class ClockJumped(Event):
    """The day's time went further than time did, or less far: the machine slept, or its clock was set."""

    type: Literal["clock.jumped"] = "clock.jumped"
    by_s: float = Field(ge=-1e10, le=1e10)
    """Positive: forward. Negative: back. Stamps from here on are that much off against those before."""


class ControlRequested(Event):
    """A person asked for something while the run was going on."""

    type: Literal["control.requested"] = "control.requested"
    request: Literal["pause", "pause_now", "abort"]
    by: str


AnyEvent = Annotated[
    RunStarted
    | RunPaused
    | RunResumed
    | RunFinished
    | CycleStarted
    | CycleFinished
    | PhaseStarted
    | PhaseFinished
    | DecisionMade
    | EffectRequested
    | EffectSettled
    | EffectFailed
    | EffectPutOff
    | EvidenceCaptured
    | FindingAppended
    | FindingRejected
    | VerdictReached
    | UsageReserved
    | UsageRecorded
    | LimitReached
    | ApprovalRequested
    | ApprovalDecided
    | LimitsChanged
    | ClockJumped
    | ControlRequested,
    Field(discriminator="type"),
]

event_adapter: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
