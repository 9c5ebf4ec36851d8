"""What a run has come to so far: a pure fold of its session log.

`evolve` applies one line and returns the next state; `fold` is that in a loop. Nothing here is written to
disk and nothing here can be changed by hand: to change the state, append an event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from goldenpath_loop.core.persistent import PersistentList, PersistentMap
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.events import (
    AnyEvent,
    ApprovalDecided,
    ApprovalRequested,
    ClockJumped,
    CycleStarted,
    DecisionMade,
    EffectFailed,
    EffectPutOff,
    EffectRequested,
    EffectSettled,
    EvidenceCaptured,
    FindingAppended,
    FindingRejected,
    LimitReached,
    LimitsChanged,
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
from goldenpath_loop.records.line import Line, UnknownEvent
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.records.receipts import AnyReceipt, BaseReceipt
from goldenpath_loop.records.usage import Usage

__all__ = ["CallsOf", "EffectRecord", "State", "evolve", "fold"]

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
class CallsOf:
    """Calls of one dispatch, those before a crash included."""

    last: int = 0
    """Number of the latest."""
    used: Usage = field(default_factory=Usage)


@dataclass(frozen=True)
class State:
    """Everything a decision may look at."""

    started: RunStarted | None = None
    started_at: datetime | None = None
    last_at: datetime | None = None
    worked_at: datetime | None = None
    """When an engine last wrote a line; people also write into a run that lies dead."""
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
    closed: PersistentList[PhaseFinished] = field(default_factory=PersistentList)
    effects: PersistentMap[str, EffectRecord] = field(default_factory=PersistentMap)
    decisions: PersistentList[DecisionMade] = field(default_factory=PersistentList)
    findings: PersistentList[Finding] = field(default_factory=PersistentList)
    rejected: PersistentList[Finding] = field(default_factory=PersistentList)
    verdicts: PersistentList[Verdict] = field(default_factory=PersistentList)
    evidence_count: int = 0
    limits_reached: tuple[str, ...] = ()
    cycle_remedies: tuple[str, ...] = ()
    """Remedies that the current cycle tests together with base, by id."""
    limits: Limits | None = None
    """What a person set while the run was going on; None while those of the policy hold."""
    approvals: PersistentMap[str, ApprovalDecided | None] = field(default_factory=PersistentMap)
    """Effects that a person was asked about, and what was decided; None while nothing was."""
    usage: Usage = field(default_factory=Usage)
    """What models have used so far in finished calls."""
    open_calls: PersistentMap[tuple[str, int], Usage] = field(default_factory=PersistentMap)
    """Reserved and not settled; a call that a crash cut off stays here, and counts in full."""
    calls: PersistentMap[str, CallsOf] = field(default_factory=PersistentMap)
    """What each dispatch has asked of models."""
    proposed: frozenset[tuple[int, str, str]] = frozenset()
    """What was put before the gate: cycle, kind of finding, and the cluster or service it is about."""

    @property
    def charged(self) -> Usage:
        """What counts against the limits: what was used, and what is reserved."""
        return sum(self.open_calls.values(), self.usage)

    def charged_to(self, dispatch: str) -> Usage:
        """What counts against the limits of one dispatch, also when a crash cut it off and it is asked again."""
        still_open = (most for (whose, _), most in self.open_calls.items() if whose == dispatch)
        return sum(still_open, self.calls.get(dispatch, CallsOf()).used)

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
        record = replace(self.effects[key], status="settled", receipt=receipt)
        return _with(self, effects=self.effects.plus(key, record))

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
    changes = _changes(state, line.event, at)
    if not isinstance(line.event, LimitsChanged | ApprovalDecided):
        changes["worked_at"] = at
    return _with(state, **changes, last_at=at, last_seq=line.seq, before_last=line.prev)


def _with(state: State, **changes: Any) -> State:
    # `dataclasses.replace` takes ten times as long, and this is done for every line of a log.
    new = object.__new__(State)
    new.__dict__.update(state.__dict__, **changes)
    return new


def _changes(state: State, event: AnyEvent | UnknownEvent, at: datetime) -> dict[str, Any]:
    """Fields of the state that `event` gives another value."""
    match event:
        case EvidenceCaptured():
            return {"evidence_count": state.evidence_count + 1}
        case EffectRequested(effect=effect):
            asked = EffectRecord(effect=effect, status="requested", generation=state.generation)
            return {"effects": state.effects.plus(effect.key, asked)}
        case EffectSettled():
            record = replace(
                state.effects[event.key], status="settled", receipt=event.receipt, evidence=event.evidence
            )
            return {"effects": state.effects.plus(event.key, record)}
        case EffectFailed():
            record = replace(
                state.effects[event.key], status="failed", error=event.error, advice=event.advice
            )
            return {"effects": state.effects.plus(event.key, record)}
        case EffectPutOff(key=key):
            others = {name: record for name, record in state.effects.items() if name != key}
            return {"effects": PersistentMap(others)}
        case VerdictReached(verdict=verdict):
            return {"verdicts": state.verdicts.plus(verdict)}
        case DecisionMade():
            return {"decisions": state.decisions.plus(event)}
        case FindingAppended(finding=finding):
            return {"findings": state.findings.plus(finding), "proposed": _proposed(state, finding)}
        case FindingRejected(proposed=finding):
            return {"rejected": state.rejected.plus(finding), "proposed": _proposed(state, finding)}
        case CycleStarted(cycle=cycle, remedies=ids):
            return {"cycle": cycle, "cycle_remedies": ids}
        case PhaseStarted():
            return {"phase": event}
        case PhaseFinished():
            return {"phase": None, "closed": state.closed.plus(event)}
        case UsageReserved() | UsageRecorded():
            return _charged(state, event)
        case LimitsChanged(limits=limits):
            return {"limits": limits}
        case LimitReached(limit=limit):
            return {"limits_reached": (*state.limits_reached, limit)}
        case ApprovalRequested(effect=effect):
            return {"approvals": state.approvals.plus(effect.key, None)}
        case ApprovalDecided():
            return {"approvals": state.approvals.plus(event.key, event)}
        case RunStarted():
            return {"started": event, "started_at": at, "stretch_began": at}
        case RunPaused():
            return {"paused": True, "active_s": state.active_until(at), "stretch_began": None}
        case RunResumed():
            return _resumed(state, at)
        case RunFinished():
            return {"finished": event, "active_s": state.active_until(at), "stretch_began": None}
        case ClockJumped(by_s=by_s):
            # As if the stretch had begun by the clock as it goes now, so that the jump is nobody's time.
            began = state.stretch_began + timedelta(seconds=by_s) if state.stretch_began else None
            return {"stretch_began": began}
        case _:
            return {}


def _charged(state: State, event: UsageReserved | UsageRecorded) -> dict[str, Any]:
    call = (event.dispatch, event.call)
    its = state.calls.get(event.dispatch, CallsOf())
    if isinstance(event, UsageReserved):
        its = replace(its, last=event.call)
        return {
            "open_calls": state.open_calls.plus(call, event.most),
            "calls": state.calls.plus(event.dispatch, its),
        }
    its = replace(its, used=its.used + event.usage)
    return {
        "open_calls": PersistentMap({key: most for key, most in state.open_calls.items() if key != call}),
        "calls": state.calls.plus(event.dispatch, its),
        "usage": state.usage + event.usage,
    }


def _proposed(state: State, finding: Finding) -> frozenset[tuple[int, str, str]]:
    about = finding.cluster or (finding.action.service if finding.action else "")
    return state.proposed | {(state.cycle, finding.kind, about)}


def _cut_off(record: EffectRecord) -> EffectRecord:
    return replace(
        record,
        status="failed",
        error="the loop was cut off while it was under way, and the system does not say whether it took effect",
        advice="Look at the system, then start a new run.",
    )


def _resumed(state: State, at: datetime) -> dict[str, Any]:
    # After a kill there is no pause event: the stretch ended with the last line that reached the disk.
    ended = state.active_until(state.worked_at) if state.worked_at and not state.paused else state.active_s
    # What was in flight is asked for again by the next decision, after whatever it needs is there again; the
    # performers of changes look at the world first, so nothing is done twice. What nobody can look at is left to
    # a person.
    known = {
        key: _cut_off(record) if record.status == "requested" else record
        for key, record in state.effects.items()
        if record.status != "requested" or record.effect.on_crash == "ask"
    }
    return {
        "paused": False,
        "active_s": ended,
        "stretch_began": at,
        "generation": state.generation + 1,
        "effects": PersistentMap(known),
    }
