"""Events as lines of a story: what happened, when, how much it matters, and whether it is good news."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Literal

from goldenpath_loop.core.state import State, evolve
from goldenpath_loop.records.effects import DispatchAgent
from goldenpath_loop.records.events import (
    ApprovalDecided,
    ApprovalRequested,
    ClockJumped,
    ControlRequested,
    CycleFinished,
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
    VerdictReached,
)
from goldenpath_loop.records.findings import Verdict
from goldenpath_loop.records.line import Line, UnknownEvent
from goldenpath_loop.records.receipts import (
    DispatchReceipt,
    PullRequestReceipt,
    RemedyReceipt,
    SuiteReceipt,
)
from goldenpath_loop.records.results import SuiteRun
from goldenpath_loop.review.facts import subject_of
from goldenpath_loop.review.handing_over import hand_off_rows
from goldenpath_loop.review.wording import (
    dispatch_words,
    effect_words,
    first_line,
    jump_words,
    purpose,
    receipt_words,
    resumed_words,
    seconds,
    short,
)
from goldenpath_loop.system.plain import plain_line

__all__ = ["Entry", "Story", "Tone", "Weight", "timeline"]

Tone = Literal["good", "bad", "doubtful", "plain", "quiet"]

_MAX_CHARS = 1000
_GOOD = {"healthy", "running", "green", "held", "confirmed", "clean", "proven", "done", "passed", "repaired"}
_BAD = {"down", "failed", "red", "breached", "violations", "not_cured", "stopped", "blocked", "aborted"}


class Weight(IntEnum):
    """How much a line matters to whoever watches."""

    HEADLINE = 0
    DETAIL = 1
    TRACE = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the story."""

    seq: int
    elapsed_s: float
    """Seconds of work since the run began, pauses left out."""
    phase: str
    """`cycle 1, execute`; empty outside of phases."""
    weight: Weight
    tone: Tone
    text: str


def timeline(lines: Iterable[Line]) -> Iterator[Entry]:
    """The whole story of a log."""
    story = Story()
    for line in lines:
        yield from story.tell(line)


class Story:
    """Tells a log line by line, while it grows."""

    def __init__(self) -> None:
        self.state = State()
        """What the lines so far have come to."""
        self._phase_began_s: float | None = None

    def pass_over(self, line: Line) -> None:
        """Note what later entries need of a line that is not told; the state after it is there already."""
        if isinstance(line.event, PhaseStarted):
            self._phase_began_s = self.state.active_until(datetime.fromisoformat(line.at))

    def tell(self, line: Line) -> tuple[Entry, ...]:
        """Take in one more line; the entries it gives."""
        before, self.state = self.state, evolve(self.state, line)
        at = datetime.fromisoformat(line.at)
        self.pass_over(line)
        # In seconds of work: pauses and jumps of the clock are not the phase's time.
        elapsed_s = self.state.active_until(at)
        took_s = max(0.0, elapsed_s - self._phase_began_s) if self._phase_began_s is not None else 0.0
        phase = self.state.phase or before.phase
        name = f"cycle {phase.cycle}, {phase.phase}" if phase else ""
        return tuple(
            Entry(
                line.seq,
                elapsed_s,
                name,
                weight,
                tone,
                plain_line(text, max_chars=_MAX_CHARS),
            )
            for weight, tone, text in _told(line, self.state, took_s)
        )


_Told = Iterator[tuple[Weight, Tone, str]]


def _told(line: Line, after: State, took_s: float) -> _Told:
    match line.event:
        case RunStarted() as event:
            target = event.policy.target.name if event.policy else "no usable configuration"
            yield Weight.HEADLINE, "plain", f"run {event.run}: target {target}, focus {event.focus or 'none'}"
        case RunResumed() as event:
            yield Weight.HEADLINE, "doubtful", resumed_words(event)
        case ClockJumped(by_s=by_s):
            yield Weight.HEADLINE, "doubtful", jump_words(by_s)
        case RunPaused(reason=reason):
            yield Weight.HEADLINE, "doubtful", f"paused: {reason}"
        case RunFinished(outcome=outcome, reason=reason, hand_off=hand_off):
            yield Weight.HEADLINE, _tone(outcome), f"outcome {outcome}: {reason}"
            for label, words in hand_off_rows(hand_off) if hand_off is not None else ():
                # Whoever watches is told at the end; this is for whoever reads the story later.
                yield Weight.TRACE, "quiet", f"hand-off, {label}: {words}" if label else f"hand-off: {words}"
        case CycleStarted(cycle=cycle, remedies=made):
            yield (
                Weight.HEADLINE,
                "plain",
                f"cycle {cycle} begins" + (f", with {', '.join(made)}" if made else ""),
            )
        case CycleFinished(cycle=cycle, summary=summary):
            yield Weight.DETAIL, "plain", f"cycle {cycle} is over: {summary}"
        case PhaseStarted(phase=phase, attempt=attempt):
            again = f", attempt {attempt}" if attempt > 1 else ""
            yield Weight.DETAIL, "plain", f"{phase} started{again}"
        case PhaseFinished() as event:
            yield Weight.HEADLINE, _phase_tone(event), _phase_words(event, took_s)
        case DecisionMade(subject=subject, choice=choice, reason=reason):
            yield Weight.DETAIL, "plain", f"decided {subject}: {choice} ({reason})"
        case EffectRequested(effect=DispatchAgent(agent=agent, subject=subject)):
            yield Weight.DETAIL, "plain", f"{agent} is asked about {subject}"
        case EffectRequested(effect=effect):
            yield Weight.TRACE, "quiet", f"asked: {effect_words(effect)}"
        case EffectSettled() as event:
            yield from _settled(event, after)
        case EffectFailed(key=key, error=error):
            record = after.effects.get(key)
            what = effect_words(record.effect) if record else key
            yield Weight.HEADLINE, "bad", f"failed: {what}: {error}"
        case EffectPutOff(key=key):
            yield Weight.TRACE, "quiet", f"put off: {key}"
        case UnknownEvent(name=name):
            yield (
                Weight.DETAIL,
                "quiet",
                f"{name}: a newer version wrote it, and this one does not know what it means",
            )
        case EvidenceCaptured(evidence=evidence):
            yield (
                Weight.TRACE,
                "quiet",
                f"{evidence.id} {evidence.kind.replace('_', ' ')}: {evidence.subject}",
            )
        case FindingAppended(finding=finding):
            kind = finding.kind.replace("_", " ")
            yield Weight.HEADLINE, "plain", f"{finding.id} {kind}: {finding.title}"
        case FindingRejected(proposed=proposed, reasons=reasons):
            why = "; ".join(reasons)
            yield Weight.HEADLINE, "doubtful", f"{proposed.id} rejected: {proposed.title} ({why})"
        case VerdictReached(verdict=verdict):
            weight = Weight.HEADLINE if verdict.kind == "culprit" else Weight.DETAIL
            yield weight, _verdict_tone(verdict), _verdict_words(verdict, after)
        case _:
            yield from _of_people(line)


def _of_people(line: Line) -> _Told:
    """What persons decided and asked for, and which limits they set."""
    match line.event:
        case ApprovalRequested(effect=effect):
            how = "`loop approve` or `loop reject`, then `loop resume`"
            yield Weight.HEADLINE, "doubtful", f"a person has to decide: {effect_words(effect)} ({how})"
        case ApprovalDecided(key=key, approved=approved, by=by, reason=reason):
            said = f"{'approved' if approved else 'rejected'} by {by}{f': {reason}' if reason else ''}"
            yield Weight.HEADLINE, "good" if approved else "doubtful", f"{key} {said}"
        case LimitsChanged(limits=limits, by=by):
            said = ", ".join(f"{name} {value:g}" for name, value in limits.model_dump().items())
            yield Weight.HEADLINE, "quiet", f"limits set by {by}: {said}"
        case LimitReached(limit=limit, allowed=allowed, used=used):
            yield Weight.HEADLINE, "bad", f"limit reached: {limit}, {used:g} of {allowed:g}"
        case ControlRequested(request=request, by=by):
            what = "what is under way may end" if request == "pause" else "what is under way is ended"
            again = "; Ctrl-C once more ends it at once" if (request, by) == ("pause", "Ctrl-C") else ""
            asked = f"{request.replace('_', ' ')} asked for by {by}"
            yield Weight.HEADLINE, "doubtful", f"{asked}: nothing new starts, {what}{again}"


def _settled(event: EffectSettled, after: State) -> _Told:
    took = f", {seconds(event.duration_s)}"
    match event.receipt:
        case SuiteReceipt(run=run) if "/execute/" in event.key:
            yield Weight.TRACE, "quiet", f"settled: {receipt_words(event.receipt)}{took}"
            for text in _failures(run):
                yield Weight.DETAIL, "bad", text
        case SuiteReceipt():
            yield Weight.DETAIL, "plain", f"{purpose(event.key)}{receipt_words(event.receipt)}{took}"
        case RemedyReceipt(head=head) as receipt:
            yield Weight.HEADLINE, "plain" if head else "bad", f"remedy: {receipt_words(receipt)}"
        case PullRequestReceipt() as receipt:
            yield Weight.HEADLINE, "good", receipt_words(receipt)
        case DispatchReceipt() as receipt:
            effect = after.effects[event.key].effect
            about = f" about {effect.subject}" if isinstance(effect, DispatchAgent) else ""
            tone: Tone = "plain" if receipt.answer is not None else "doubtful"
            yield Weight.HEADLINE, tone, f"{receipt.agent}{about}: {dispatch_words(receipt)}"
        case receipt:
            yield Weight.TRACE, "quiet", f"settled: {receipt_words(receipt)}{took}"


def _failures(run: SuiteRun) -> Iterator[str]:
    for result in run.results:
        if result.outcome in ("red", "timeout"):
            failure = result.failure
            said = first_line(failure.message) if failure else ""
            if failure and failure.exception not in said:
                said = f"{failure.exception}: {said}"
            yield f"{result.outcome} {result.id}" + (f": {said}" if said else "")


def _phase_tone(event: PhaseFinished) -> Tone:
    if event.result in ("done", "nothing_to_do"):
        return "good"
    return "bad" if event.result == "stopped" else "doubtful"


def _phase_words(event: PhaseFinished, took_s: float) -> str:
    result = event.result.replace("_", " ").replace("nothing to do", "done, nothing left to do,")
    return f"{event.phase} {result} in {seconds(took_s)}: {event.summary}"


def _verdict_words(verdict: Verdict, state: State) -> str:
    value = verdict.value.replace("_", " ")
    if verdict.kind == "service":
        return f"{verdict.id} {verdict.subject.split('/', 1)[0]}: {verdict.statement}"
    if verdict.kind == "suite":
        return f"{verdict.id} {verdict.subject.split(': ', 1)[-1]} is {value}: {verdict.statement}"
    if verdict.kind == "probe":
        cluster = verdict.subject.split(" ", 1)[0]
        subject = subject_of(state, verdict.revision)
        named = f", “{subject}”" if subject else ""
        return f"{verdict.id} commit {short(verdict.revision)}: {value} for {cluster}{named}"
    return f"{verdict.id} {verdict.subject} {value}: {verdict.statement}"


def _verdict_tone(verdict: Verdict) -> Tone:
    return "plain" if verdict.kind in ("probe", "triage") else _tone(verdict.value)


def _tone(value: str) -> Tone:
    return "good" if value in _GOOD else "bad" if value in _BAD else "doubtful"
