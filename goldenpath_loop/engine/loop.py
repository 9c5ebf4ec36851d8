"""The engine: decide, request, perform, interpret, append; again.

Resuming is nothing special: the state is folded from the log, what was requested and never settled is decided
again, and the same loop goes on. Measurements repeat; performers of changes look at the world first.
"""

from __future__ import annotations

import anyio
import anyio.lowlevel

from goldenpath_loop.core.approval import weigh
from goldenpath_loop.core.claims import Origin, origin_of
from goldenpath_loop.core.decide import decide
from goldenpath_loop.core.grounding import cited, judge
from goldenpath_loop.core.interpret import interpret
from goldenpath_loop.core.limits import limits_of
from goldenpath_loop.core.past import Past
from goldenpath_loop.core.state import State
from goldenpath_loop.engine.door import Door
from goldenpath_loop.engine.timekeeper import Timekeeper
from goldenpath_loop.engine.units import Outcome, Workers
from goldenpath_loop.errors import InternalError
from goldenpath_loop.records.effects import AnyEffect, DispatchAgent
from goldenpath_loop.records.events import (
    AnyEvent,
    EffectFailed,
    EffectPutOff,
    EffectRequested,
    EvidenceCaptured,
    FindingAppended,
    FindingRejected,
    LimitsChanged,
    RunFinished,
)
from goldenpath_loop.records.findings import Finding
from goldenpath_loop.records.line import Line
from goldenpath_loop.records.policy import Policy
from goldenpath_loop.records.receipts import DispatchReceipt
from goldenpath_loop.session.session import Session

__all__ = ["Engine"]


class Engine:
    """Drives one run until it has an outcome.

    Args:
        session: The open run; the engine is the only one that appends decisions and effects to it.
        policy: What decisions depend on.
        workers: Carries out effects.
        past: A listener of the session from its first line on; None to read the log again.
        door: Closed from outside when the run is to pause: what is in flight may end, and nothing new starts.
        timekeeper: What tells the time.
    """

    def __init__(
        self,
        session: Session,
        policy: Policy,
        workers: Workers,
        *,
        past: Past | None = None,
        door: Door | None = None,
        timekeeper: Timekeeper | None = None,
    ) -> None:
        self.session = session
        self.policy = policy
        self.workers = workers
        self.door = door or Door()
        self.timekeeper = timekeeper or Timekeeper(session)
        self._past = past or _replayed(session)
        self._unsaid = self._past.unsaid()
        self._evidence: dict[str, list[str]] = {}
        self._last_claim: Finding | None = None
        self._waiting = anyio.CancelScope()
        session.listen(self._hear)

    @property
    def state(self) -> State:
        """What the run has come to."""
        return self._past.state

    async def run(self) -> RunFinished | None:
        """Go on until the run is finished, and return its last event.

        None when it is to pause and all is quiet, or when nothing is left to do before a person has decided.
        """
        for event in self._unsaid:
            self._append(event)
        while self.state.finished is None:
            # Also a run whose every step is at hand can be interrupted between two of them.
            await anyio.lowlevel.checkpoint()
            if self.door.is_closed:
                if not self.workers.is_busy:
                    return None
                self._settle(await self.workers.next_outcome())
                continue
            now = self.timekeeper.now()  # first of all: it may change the state
            step = decide(self.state, self.policy, now)
            for event in step.events:
                self._append(event)
            for finding in step.proposals:
                self._refuse_repetition(finding)
                self._append(self._gate(finding))
            sorted_effects = weigh(self.state, self.policy, step.effects)
            for event in sorted_effects.events:
                self._append(event)
            if sorted_effects.held and not (sorted_effects.free or self.state.in_flight):
                return None
            if sorted_effects.free:
                await self._begin(sorted_effects.free)
            if step.is_wait or (sorted_effects.held and not sorted_effects.free):
                await self._wait()
        # Whoever watches hears how it ended before everything is taken down.
        await self.session.commit()
        return self.state.finished

    async def _begin(self, effects: tuple[AnyEffect, ...]) -> None:
        """Ask for effects; none begins before the disk has what was asked for."""
        async with self.door.turn() as may_begin:
            if may_begin:
                for effect in effects:
                    self._append(EffectRequested(effect=effect))
            await self.session.commit()
            if may_begin:
                for effect in effects:
                    if not await self.workers.adopt(effect):
                        await self.workers.submit(effect)

    async def _wait(self) -> None:
        if not self.state.in_flight:
            phase = self.state.phase.phase if self.state.phase else "between phases"
            raise InternalError("nothing is in flight and nothing is decided", where=phase)
        await self.session.commit()
        with anyio.move_on_after(max(0.0, self._left_s())) as self._waiting:
            self._settle(await self.workers.next_outcome())
            return
        if self._left_s() > 0:
            return  # somebody changed the limits meanwhile
        for effect in self.state.in_flight:
            await self.workers.cancel(effect.key)
        self._settle(await self.workers.next_outcome())

    def _left_s(self) -> float:
        now = self.timekeeper.now()
        return limits_of(self.policy, self.state).duration_s - self.state.active_until(now)

    def _refuse_repetition(self, finding: Finding) -> None:
        """A decision that never takes note of its own claim would be made for ever; agents may say a thing twice."""
        if finding.dispatch:
            return
        claim = finding.model_copy(update={"id": "F0"})
        if claim == self._last_claim:
            raise InternalError("the same claim is made twice in a row", where=finding.title)
        self._last_claim = claim

    def _settle(self, outcome: Outcome) -> None:
        key = outcome.effect.key
        if self.state.is_over(key):
            return  # a unit may run twice; the first outcome of a key wins
        if outcome.is_put_off:
            self._append(EffectPutOff(key=key))
            return
        if outcome.receipt is None:
            self._append(
                EffectFailed(
                    key=key,
                    error=outcome.error,
                    advice=outcome.advice,
                    duration_s=round(outcome.duration_s, 3),
                )
            )
            return
        evidence = tuple(self._evidence.pop(key, ()))
        for event in interpret(
            self.state,
            outcome.effect,
            outcome.receipt,
            evidence=evidence,
            duration_s=round(outcome.duration_s, 3),
        ):
            self._append(event)

    def _gate(self, finding: Finding) -> AnyEvent:
        stored = {id: data for id in cited(finding) if (data := self.session.bytes_of(id)) is not None}
        judgement = judge(finding, stored, self.state, origin=self._origin(finding, stored))
        if judgement.finding is None:
            return FindingRejected(proposed=finding, reasons=judgement.reasons)
        return FindingAppended(finding=judgement.finding, causes=tuple(sorted(stored)))

    def _origin(self, finding: Finding, stored: dict[str, bytes]) -> Origin | None:
        """What the agent behind a claim was shown; None for a claim of the loop's own instruments."""
        if not finding.dispatch:
            return None
        record = self.state.effects[finding.dispatch]
        assert isinstance(record.effect, DispatchAgent) and isinstance(record.receipt, DispatchReceipt)
        records = {id: one for id in stored if (one := self.session.evidence(id)) is not None}
        return origin_of(
            self.state,
            read=record.receipt.read,
            revision=record.effect.revision,
            records=records,
            data=stored,
        )

    def _append(self, event: AnyEvent) -> None:
        self.session.append(event)

    def _hear(self, line: Line) -> None:
        if isinstance(line.event, LimitsChanged):
            self._waiting.cancel()
        if isinstance(line.event, EvidenceCaptured):
            self._evidence.setdefault(line.event.effect, []).append(line.event.evidence.id)


def _replayed(session: Session) -> Past:
    past = Past()
    for line in session.replay():
        past.see(line)
    session.listen(past.see)
    return past
