"""What a run has come to so far: a pure fold of its session log.

`evolve` applies one line and returns the next state; `fold` is that in a loop. Nothing here is written to
disk and nothing here can be changed by hand: to change the state, append an event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal, TypeVar

from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.events import (
    ApprovalDecided,
    ApprovalRequested,
    CycleStarted,
    DecisionMade,
    EffectFailed,
    EffectRequested,
    EffectSettled,
    EvidenceCaptured,
    FindingAppended,
    FindingRejected,
    LimitReached,
    LimitsChanged,
    Line,
    PhaseFinished,
    PhaseStarted,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    UsageRecorded,
    UsageReserved,
    VerdictReached,
)
from goldenpath_loop.records.findings import Cluster, Finding, Plan, Verdict
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.records.receipts import AnyReceipt, BaseReceipt
from goldenpath_loop.records.usage import Usage

__all__ = ["EffectRecord", "State", "evolve", "fold"]

ReceiptT = TypeVar("ReceiptT")


@dataclass(frozen=True, slots=True)
class EffectRecord:
    """One effect and what became of it."""

    effect: AnyEffect
    status: Literal["requested", "settled", "failed"]
    receipt: AnyReceipt | None = None
    error: str = ""
    advice: str = ""
    evidence: tuple[str, ...] = ()
    generation: int = 0
    """Which engine process asked for it; a resume starts the next generation."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything a decision may look at."""

    started: RunStarted | None = None
    started_at: datetime | None = None
    last_at: datetime | None = None
    last_seq: int = 0
    before_last: str = ""
    """SHA-256 of the line before the last one."""
    active_s: float = 0.0
    """Seconds the run was going on in finished stretches, pauses left out."""
    stretch_began: datetime | None = None
    paused: bool = False
    generation: int = 0
    finished: RunFinished | None = None
    cycle: int = 0
    phase: PhaseStarted | None = None
    """The phase that is open now."""
    closed: tuple[PhaseFinished, ...] = ()
    effects: Mapping[str, EffectRecord] = field(default_factory=lambda: MappingProxyType({}))
    decisions: tuple[DecisionMade, ...] = ()
    findings: tuple[Finding, ...] = ()
    rejected: tuple[Finding, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    evidence_count: int = 0
    limits_reached: tuple[str, ...] = ()
    cycle_remedies: tuple[str, ...] = ()
    """Remedies that the current cycle tests together with base, by id."""
    limits: Limits | None = None
    """What a person set while the run was going on; None while those of the policy hold."""
    approvals: Mapping[str, ApprovalDecided | None] = field(default_factory=lambda: MappingProxyType({}))
    """Effects that a person was asked about, and what was decided; None while nothing was."""
    usage: Usage = field(default_factory=Usage)
    """What models have used so far in finished calls."""
    open_calls: Mapping[tuple[str, int], Usage] = field(default_factory=lambda: MappingProxyType({}))
    """Reserved and not settled; a call that a crash cut off stays here, and counts in full."""
    proposed: frozenset[tuple[int, str, str]] = frozenset()
    """What was put before the gate: cycle, kind of finding, and the cluster or service it is about."""

    @property
    def charged(self) -> Usage:
        """What counts against the limits: what was used, and what is reserved."""
        return sum(self.open_calls.values(), self.usage)

    def judged(self, dispatch: str) -> int:
        """How many claims of one dispatch stood before the gate."""
        return sum(one.dispatch == dispatch for one in (*self.findings, *self.rejected))

    def was_proposed(self, kind: str, subject: str) -> bool:
        """Whether a finding of `kind` about `subject` stood before the gate in this cycle, whatever became of it."""
        return (self.cycle, kind, subject) in self.proposed

    def settled(self, key: str, kind: type[ReceiptT]) -> ReceiptT | None:
        """The receipt of effect `key`, or None while there is none of that kind."""
        record = self.effects.get(key)
        if record is None or not isinstance(record.receipt, kind):
            return None
        return record.receipt

    def failed(self, key: str) -> EffectRecord | None:
        """The record of effect `key` when it could not be carried out, else None."""
        record = self.effects.get(key)
        return record if record is not None and record.status == "failed" else None

    def with_receipt(self, key: str, receipt: AnyReceipt) -> State:
        """The state as if effect `key` had settled."""
        return _with_effect(self, key, replace(self.effects[key], status="settled", receipt=receipt))

    def is_over(self, key: str) -> bool:
        """Whether effect `key` has settled or failed."""
        record = self.effects.get(key)
        return record is not None and record.status != "requested"

    @property
    def in_flight(self) -> tuple[AnyEffect, ...]:
        """Effects that were requested and have not come back."""
        return tuple(record.effect for record in self.effects.values() if record.status == "requested")

    @property
    def base(self) -> BaseReceipt | None:
        """State of the user's repository, once it was read."""
        return self.settled("base", BaseReceipt)

    @property
    def plan(self) -> Plan | None:
        """The plan of the current cycle."""
        for decision in reversed(self.decisions):
            if decision.plan is not None:
                return decision.plan if decision.cycle == self.cycle else None
        return None

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """Clusters of failures of the current cycle."""
        for decision in reversed(self.decisions):
            if decision.subject == "clusters":
                return decision.clusters if decision.cycle == self.cycle else ()
        return ()

    def decided(self, subject: str, *, cycle: int | None = None) -> DecisionMade | None:
        """The latest decision about `subject` in `cycle` (default: the current one)."""
        wanted = self.cycle if cycle is None else cycle
        for decision in reversed(self.decisions):
            if decision.subject == subject and decision.cycle == wanted:
                return decision
        return None

    def verdict(self, kind: str, subject: str) -> Verdict | None:
        """The latest verdict of `kind` about `subject`."""
        for verdict in reversed(self.verdicts):
            if verdict.kind == kind and verdict.subject == subject:
                return verdict
        return None

    def attempts_of(self, phase: str) -> int:
        """How often `phase` was finished in the current cycle."""
        return sum(1 for done in self.closed if done.phase == phase and done.cycle == self.cycle)

    def active_until(self, now: datetime) -> float:
        """Seconds the run has been going on, pauses and the time it lay dead left out."""
        running = (now - self.stretch_began).total_seconds() if self.stretch_began else 0.0
        return self.active_s + max(0.0, running)


def fold(lines: Iterable[Line]) -> State:
    """The state after `lines`."""
    state = State()
    for line in lines:
        state = evolve(state, line)
    return state


def evolve(state: State, line: Line) -> State:
    """The state after one more line."""
    at = datetime.fromisoformat(line.at)
    return replace(_applied(state, line, at), last_at=at, last_seq=line.seq, before_last=line.prev)


def _applied(state: State, line: Line, at: datetime) -> State:
    match line.event:
        case RunStarted() as event:
            return replace(state, started=event, started_at=at, stretch_began=at)
        case RunPaused():
            return replace(state, paused=True, active_s=state.active_until(at), stretch_began=None)
        case RunResumed():
            return _resumed(state, at)
        case RunFinished() as event:
            return replace(state, finished=event, active_s=state.active_until(at), stretch_began=None)
        case CycleStarted(cycle=cycle, remedies=ids):
            return replace(state, cycle=cycle, cycle_remedies=ids)
        case PhaseStarted() as event:
            return replace(state, phase=event)
        case PhaseFinished() as event:
            return replace(state, phase=None, closed=(*state.closed, event))
        case DecisionMade() as event:
            return replace(state, decisions=(*state.decisions, event))
        case EffectRequested(effect=effect):
            record = EffectRecord(effect=effect, status="requested", generation=state.generation)
            return _with_effect(state, effect.key, record)
        case EffectSettled() as event:
            known = state.effects[event.key]
            record = replace(known, status="settled", receipt=event.receipt, evidence=event.evidence)
            return _with_effect(state, event.key, record)
        case EffectFailed() as event:
            known = state.effects[event.key]
            record = replace(known, status="failed", error=event.error, advice=event.advice)
            return _with_effect(state, event.key, record)
        case EvidenceCaptured():
            return replace(state, evidence_count=state.evidence_count + 1)
        case FindingAppended(finding=finding):
            proposed = state.proposed | {_proposal(state, finding)}
            return replace(state, findings=(*state.findings, finding), proposed=proposed)
        case FindingRejected(proposed=finding):
            proposed = state.proposed | {_proposal(state, finding)}
            return replace(state, rejected=(*state.rejected, finding), proposed=proposed)
        case LimitsChanged(limits=limits):
            return replace(state, limits=limits)
        case ApprovalRequested(effect=effect):
            return replace(state, approvals=MappingProxyType({**state.approvals, effect.key: None}))
        case ApprovalDecided() as event:
            return replace(state, approvals=MappingProxyType({**state.approvals, event.key: event}))
        case UsageReserved() as event:
            calls = {**state.open_calls, (event.dispatch, event.call): event.most}
            return replace(state, open_calls=MappingProxyType(calls))
        case UsageRecorded() as event:
            calls = {
                key: most for key, most in state.open_calls.items() if key != (event.dispatch, event.call)
            }
            return replace(state, open_calls=MappingProxyType(calls), usage=state.usage + event.usage)
        case LimitReached(limit=limit):
            return replace(state, limits_reached=(*state.limits_reached, limit))
        case VerdictReached(verdict=verdict):
            return replace(state, verdicts=(*state.verdicts, verdict))
        case _:
            return state


def _proposal(state: State, finding: Finding) -> tuple[int, str, str]:
    about = finding.cluster or (finding.action.service if finding.action else "")
    return state.cycle, finding.kind, about


def _with_effect(state: State, key: str, record: EffectRecord) -> State:
    return replace(state, effects=MappingProxyType({**state.effects, key: record}))


def _cut_off(record: EffectRecord) -> EffectRecord:
    return replace(
        record,
        status="failed",
        error="the loop was cut off while it was under way, and the system does not say whether it took effect",
        advice="Look at the system, then start a new run.",
    )


def _resumed(state: State, at: datetime) -> State:
    # After a kill there is no pause event: the stretch ended with the last line that reached the disk.
    ended = state.active_until(state.last_at) if state.last_at and not state.paused else state.active_s
    # What was in flight is asked for again by the next decision, after whatever it needs is there again; the
    # performers of changes look at the world first, so nothing is done twice. What nobody can look at is left to
    # a person.
    known = {
        key: _cut_off(record) if record.status == "requested" else record
        for key, record in state.effects.items()
        if record.status != "requested" or record.effect.on_crash == "ask"
    }
    return replace(
        state,
        paused=False,
        active_s=ended,
        stretch_began=at,
        generation=state.generation + 1,
        effects=MappingProxyType(known),
    )
