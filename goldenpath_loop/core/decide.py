"""The coordinator: from state, policy and time to the next step of the run. No model is ever asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from goldenpath_loop.core.culprit_run import decide_culprit
from goldenpath_loop.core.hand_off import handed_off
from goldenpath_loop.core.limits import in_force
from goldenpath_loop.core.outcome import finish, outcome_of
from goldenpath_loop.core.phases import FIRST, PHASES
from goldenpath_loop.core.remedies import is_shown, remedies
from goldenpath_loop.core.state import State
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.effects import InspectBase
from goldenpath_loop.records.events import (
    CycleFinished,
    CycleStarted,
    DecisionMade,
    LimitReached,
    PhaseName,
    PhaseStarted,
    RunFinished,
)
from goldenpath_loop.records.policy import Policy

__all__ = ["decide"]


def decide(state: State, policy: Policy, now: datetime) -> Step:
    """What happens next.

    Returns:
        A step to carry out; an empty one means that everything waits for effects in flight, or that the run
        is finished.
    """
    if state.finished is not None or state.started is None:
        return Step()
    policy = in_force(policy, state)
    step = _decided(state, policy, now)
    if not step.events or not isinstance(step.events[-1], RunFinished):
        return step
    last = [event for event in step.events if isinstance(event, LimitReached)]
    finished = handed_off(step.events[-1], Scene(state=state, policy=policy, now=now), last)
    return replace(step, events=(*step.events[:-1], finished))


def _decided(state: State, policy: Policy, now: datetime) -> Step:
    used = state.active_until(now)
    if used > policy.limits.duration_s:
        if state.in_flight:
            return Step()  # the engine ends them
        limit = LimitReached(limit="duration_s", allowed=policy.limits.duration_s, used=round(used, 1))
        reason = f"the run went on for {used:.0f} s of {policy.limits.duration_s:.0f} s allowed"
        return Step(events=(limit, finish(state, "budget", reason)))
    if state.started is not None and state.started.question is not None:
        return decide_culprit(state, policy)
    if state.in_flight:
        return _phase(state, policy, now) if state.phase else Step()
    if state.cycle == 0:
        return _begin(state, policy)
    if state.phase is not None:
        return _phase(state, policy, now)
    return _next_phase(state, policy)


def _begin(state: State, policy: Policy) -> Step:
    assert state.started is not None
    inspect = InspectBase(key="base", branch=policy.target.branch, allow_dirty=state.started.allow_dirty)
    step = request(state, [inspect])
    if step is not None:
        return step
    base = state.base
    failed = state.failed("base")
    if failed or base is None:
        return Step(events=(finish(state, "blocked", failed.error if failed else "no base"),))
    if base.problem:
        return Step(events=(finish(state, "blocked", base.problem),))
    if base.dirty and not state.started.allow_dirty:
        shown = ", ".join(base.dirty[:3]) + (" and more" if len(base.dirty) > 3 else "")
        reason = (
            f"the checkout has changes that are not committed ({shown}) and would not be tested; "
            "commit or stash them, or say --allow-dirty to test the last commit"
        )
        return Step(events=(finish(state, "blocked", reason),))
    return Step(events=(CycleStarted(cycle=1),))


def _phase(state: State, policy: Policy, now: datetime) -> Step:
    assert state.phase is not None
    return PHASES[state.phase.phase].decide(Scene(state=state, policy=policy, now=now))


def _next_phase(state: State, policy: Policy) -> Step:
    last = state.closed[-1] if state.closed else None
    if last is None or last.cycle != state.cycle:
        return _start(state, FIRST)
    following = PHASES[last.phase].then[last.result]
    if last.phase == policy.stop_after and following != "end":
        reason = f"stopped after {last.phase}, as asked: {last.summary}"
        return Step(events=(finish(state, "inconclusive", reason),))
    if following == "end":
        return Step(events=(outcome_of(state, last),))
    if following == "cycle":
        return _next_cycle(state, policy, last.summary)
    if last.result == "sent_back":
        back = DecisionMade(
            cycle=state.cycle, phase=last.phase, subject="arrow back", choice=following, reason=last.summary
        )
        started = _start(state, following)
        return Step(events=(back, *started.events))
    return _start(state, following)


def _start(state: State, phase: PhaseName) -> Step:
    attempt = state.attempts_of(phase) + 1
    return Step(events=(PhaseStarted(cycle=state.cycle, phase=phase, attempt=attempt),))


def _next_cycle(state: State, policy: Policy, summary: str) -> Step:
    over = CycleFinished(cycle=state.cycle, summary=summary)
    if state.cycle >= policy.limits.cycles:
        limit = LimitReached(limit="cycles", allowed=policy.limits.cycles, used=state.cycle)
        reason = f"{counted(state.cycle, 'cycle')} of {policy.limits.cycles} allowed used"
        return Step(events=(over, limit, finish(state, "budget", reason)))
    shown = tuple(one.id for one in remedies(state) if is_shown(state, one))
    return Step(events=(over, CycleStarted(cycle=state.cycle + 1, remedies=shown)))
