"""One log read once: the state it folds to, and where and when each record came about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from goldenpath_loop.core.state import EffectRecord, State, evolve
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.events import (
    ClockJumped,
    CycleStarted,
    EffectFailed,
    EffectRequested,
    EffectSettled,
    EvidenceCaptured,
    FindingAppended,
    FindingRejected,
    LimitReached,
    PhaseFinished,
    PhaseStarted,
    RunPaused,
    RunResumed,
    VerdictReached,
)
from goldenpath_loop.records.evidence import Evidence
from goldenpath_loop.records.findings import Finding, Verdict
from goldenpath_loop.records.history import Commit
from goldenpath_loop.records.line import Line
from goldenpath_loop.records.policy import Policy
from goldenpath_loop.records.receipts import ChangeReceipt, CommitsReceipt
from goldenpath_loop.records.target import SuiteSpec
from goldenpath_loop.review.charges import Calls, count_calls
from goldenpath_loop.review.wording import jump_words, resumed_words

__all__ = ["PhaseSpan", "Reading", "add_line", "read_lines"]


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """One stay in one phase."""

    started: PhaseStarted
    began_s: float
    """Seconds of work that the run had behind it when the phase began."""
    finished: PhaseFinished | None
    ended_s: float

    @property
    def duration_s(self) -> float:
        """Seconds of work from its first line to its last; to the end of the log while it is open."""
        return max(0.0, self.ended_s - self.began_s)


@dataclass(slots=True)
class Reading:
    """Everything the worklog's sections look at."""

    state: State = field(default_factory=State)
    began: datetime | None = None
    last: datetime | None = None
    evidence: dict[str, Evidence] = field(default_factory=dict)
    effects: dict[str, EffectRecord] = field(default_factory=dict)
    """Every effect ever asked for, also those a resume asked for again, by key in order of asking."""
    durations: dict[str, float] = field(default_factory=dict)
    asked_at: dict[str, datetime] = field(default_factory=dict)
    """When an effect was asked for, the last time."""
    calls: dict[str, Calls] = field(default_factory=dict)
    """What models were asked, by dispatch."""
    cycle_of: dict[str, int] = field(default_factory=dict)
    """Cycle in which an effect was asked for, a verdict reached, a finding appended or rejected."""
    rejections: list[FindingRejected] = field(default_factory=list)
    spans: list[PhaseSpan] = field(default_factory=list)
    cycles: list[CycleStarted] = field(default_factory=list)
    limits: list[LimitReached] = field(default_factory=list)
    breaks: list[tuple[datetime, str]] = field(default_factory=list)
    """Pauses, resumes and jumps of the clock in words."""

    def effects_of(self, cycle: int) -> Iterator[tuple[str, EffectRecord]]:
        """Effects asked for in `cycle`, in order."""
        return ((key, one) for key, one in self.effects.items() if self.cycle_of.get(key) == cycle)

    def verdicts_of(self, cycle: int, *kinds: str) -> Iterator[Verdict]:
        """Verdicts of `kinds` reached in `cycle`, in order."""
        return (
            one for one in self.state.verdicts if one.kind in kinds and self.cycle_of.get(one.id) == cycle
        )

    def findings_of(self, cycle: int, *kinds: str) -> Iterator[Finding]:
        """Findings of `kinds` appended in `cycle`, in order."""
        return (
            one for one in self.state.findings if one.kind in kinds and self.cycle_of.get(one.id) == cycle
        )

    @property
    def policy(self) -> Policy | None:
        """The policy of the run; None when its configuration could not be read."""
        return self.state.started.policy if self.state.started else None

    @property
    def suites(self) -> Mapping[str, SuiteSpec]:
        """Configured suites by name."""
        return {suite.name: suite for suite in self.policy.suites} if self.policy else {}

    @property
    def commits(self) -> Mapping[str, Commit]:
        """Every commit some receipt described, by revision."""
        found: dict[str, Commit] = {}
        for record in self.effects.values():
            if isinstance(record.receipt, CommitsReceipt):
                found.update((commit.revision, commit) for commit in record.receipt.commits)
            elif isinstance(record.receipt, ChangeReceipt):
                found[record.receipt.commit.revision] = record.receipt.commit
        return found

    @property
    def active_s(self) -> float:
        """Seconds the run was going on by its log, pauses and the time it lay dead left out."""
        return self.state.active_until(self.last) if self.last else 0.0

    def evidence_behind(self, references: Sequence[str]) -> tuple[str, ...]:
        """Ids of the evidence that `references` come down to, each once."""
        verdicts = {verdict.id: verdict for verdict in self.state.verdicts}
        found: dict[str, None] = {}
        waiting, seen = list(references), set[str]()
        while waiting:
            name = waiting.pop(0)
            if name in seen:
                continue
            seen.add(name)
            if name in self.evidence:
                found[name] = None
            elif name in self.effects:
                waiting += self.effects[name].evidence
            elif name in verdicts:
                waiting += verdicts[name].because
        return tuple(found)


def read_lines(lines: Iterable[Line]) -> Reading:
    """Read a log, also one that ends in the middle of anything."""
    reading = Reading()
    for line in lines:
        add_line(reading, line)
    return reading


def add_line(reading: Reading, line: Line) -> None:
    """Read one line more."""
    at = datetime.fromisoformat(line.at)
    state = reading.state = evolve(reading.state, line)
    reading.began = reading.began or at
    reading.last = at
    count_calls(reading.calls, line.event)
    active_s = state.active_until(at)
    match line.event:
        case CycleStarted() as event:
            reading.cycles.append(event)
        case PhaseStarted() as event:
            reading.spans.append(PhaseSpan(event, active_s, None, active_s))
        case PhaseFinished() as event if reading.spans:
            span = reading.spans[-1]
            reading.spans[-1] = PhaseSpan(span.started, span.began_s, event, active_s)
        case EffectRequested(effect=effect):
            _ask(reading, effect, state)
            reading.asked_at[effect.key] = at
        case EffectSettled(key=key, duration_s=duration_s) | EffectFailed(key=key, duration_s=duration_s):
            reading.effects[key] = state.effects[key]
            reading.durations[key] = duration_s
        case EvidenceCaptured(evidence=evidence):
            reading.evidence[evidence.id] = evidence
        case VerdictReached(verdict=verdict):
            reading.cycle_of[verdict.id] = state.cycle
        case FindingAppended(finding=finding):
            reading.cycle_of[finding.id] = state.cycle
        case FindingRejected() as event:
            reading.cycle_of[event.proposed.id] = state.cycle
            reading.rejections.append(event)
        case LimitReached() as event:
            reading.limits.append(event)
        case RunPaused(reason=reason):
            reading.breaks.append((at, f"paused: {reason}"))
        case RunResumed() as event:
            reading.breaks.append((at, resumed_words(event)))
        case ClockJumped(by_s=by_s):
            reading.breaks.append((at, jump_words(by_s)))
        case _:
            pass
    if reading.spans and reading.spans[-1].finished is None:
        open_span = reading.spans[-1]
        reading.spans[-1] = PhaseSpan(open_span.started, open_span.began_s, None, active_s)


def _ask(reading: Reading, effect: AnyEffect, state: State) -> None:
    reading.effects[effect.key] = state.effects[effect.key]
    reading.cycle_of[effect.key] = state.cycle
