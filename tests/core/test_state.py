"""The state is a fold of the log: what time counts, what a resume drops, what the latest word is."""

from __future__ import annotations

import math
from collections.abc import MutableMapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.core.state import State, evolve, fold
from goldenpath_loop.core.step import Scene, request
from goldenpath_loop.records.effects import InspectBase, ReadHistory
from goldenpath_loop.records.events import (
    AnyEvent,
    ClockJumped,
    CycleStarted,
    DecisionMade,
    EffectFailed,
    EffectRequested,
    EffectSettled,
    PhaseFinished,
    PhaseStarted,
    RunFinished,
    RunPaused,
    RunResumed,
    VerdictReached,
)
from goldenpath_loop.records.findings import Plan, Verdict
from goldenpath_loop.records.receipts import BaseReceipt, HistoryReceipt
from goldenpath_loop.testing import paper_policy

from .builders import NOON, REVISION, cluster, lines, started, state

PAUSED, RESUMED = RunPaused(reason="SIGINT"), RunResumed(version="0")
ENDED = RunFinished(outcome="passed", reason="r", exit_code=0)
TICK = CycleStarted(cycle=1)


@pytest.mark.parametrize(
    ("log", "now", "active"),
    [
        ([(0, started())], 10, 10),
        ([(0, started()), (5, PAUSED)], 100, 5),
        ([(0, started()), (5, PAUSED), (100, RESUMED)], 110, 15),
        ([(0, started()), (5, TICK), (100, RESUMED)], 110, 15),
        ([(0, started()), (100, RESUMED)], 110, 10),
        ([(0, started()), (5, PAUSED), (100, RESUMED), (101, TICK), (200, RESUMED)], 203, 9),
        ([(0, started()), (5, PAUSED), (6, PAUSED), (100, RESUMED)], 101, 6),
        ([(0, started()), (7, ENDED)], 100, 7),
        ([(0, started()), (5, PAUSED), (50, ENDED)], 100, 5),
        ([], 100, 0),
        ([(0, started()), (28_804, ClockJumped(by_s=28_800))], 28_810, 10),
        ([(0, started()), (-3_595, ClockJumped(by_s=-3_600))], -3_590, 10),
        ([(0, started()), (5, PAUSED), (100, ClockJumped(by_s=50))], 110, 5),
        ([(0, started()), (-95, ClockJumped(by_s=-100)), (-94, TICK), (0, RESUMED)], 4, 10),
    ],
    ids=[
        "running", "paused", "resumed", "killed", "killed at once", "paused and killed", "paused twice",
        "finished", "finished while paused", "not begun", "slept", "set back", "set while paused",
        "set back and killed",
    ],
)  # fmt: skip
def test_only_the_time_it_went_on_counts(
    log: list[tuple[float, AnyEvent]], now: float, active: float
) -> None:
    """Not pauses, and not the time it lay dead: after a kill the stretch ended with its last line."""
    folded = fold(lines([event for _, event in log], seconds=[at for at, _ in log]))
    assert folded.active_until(NOON + timedelta(seconds=now)) == active


@given(
    st.lists(st.tuples(st.floats(-100, 100), st.sampled_from([TICK, PAUSED, RESUMED, ENDED])), max_size=20),
    st.floats(-1000, 1000),
)
def test_a_clock_that_goes_backwards_never_gives_time_back(
    log: list[tuple[float, AnyEvent]], now: float
) -> None:
    """Used time only grows, whatever the machine's clock does."""
    used = 0.0
    events = [(0.0, started()), *log]
    state = State()
    for line in lines([event for _, event in events], seconds=[at for at, _ in events]):
        state = evolve(state, line)
        assert state.active_s >= used
        used = state.active_s
    active = state.active_until(NOON + timedelta(seconds=now))
    assert math.isfinite(active)
    assert active >= used


BASE, HISTORY = InspectBase(key="base", branch="main"), ReadHistory(key="history")
ASKED = EffectRequested(effect=BASE)
SETTLED = EffectSettled(key="base", receipt=BaseReceipt(revision=REVISION), evidence=("E1",))
FAILED = EffectFailed(key="base", error="no git", advice="install it")


def test_an_effect_is_requested_then_settled_or_failed() -> None:
    """And its record keeps what came back."""
    asked, settled, failed = state(ASKED), state(ASKED, SETTLED), state(ASKED, FAILED)
    assert asked.in_flight == (BASE,)
    assert [one.is_over("base") for one in (state(), asked, settled, failed)] == [False, False, True, True]
    assert settled.base == BaseReceipt(revision=REVISION)
    assert settled.settled("base", HistoryReceipt) is None
    assert settled.effects["base"].evidence == ("E1",)
    assert settled.failed("base") is None
    record = failed.failed("base")
    assert record is not None
    assert (record.error, record.advice) == ("no git", "install it")
    assert failed.settled("base", BaseReceipt) is None


def test_a_resume_forgets_what_was_under_way_and_nothing_else() -> None:
    """So that it is asked for again; what had come back stays."""
    resumed = state(ASKED, SETTLED, EffectRequested(effect=HISTORY), RESUMED)
    assert list(resumed.effects) == ["base"]
    assert resumed.in_flight == ()
    assert resumed.generation == 1
    step = request(resumed, [BASE, HISTORY])
    assert step is not None
    assert step.effects == (HISTORY,)


def test_an_effect_knows_which_process_asked_for_it() -> None:
    """A resume starts the next generation."""
    resumed = state(ASKED, SETTLED, RESUMED, EffectRequested(effect=HISTORY))
    assert {key: record.generation for key, record in resumed.effects.items()} == {"base": 0, "history": 1}


def test_what_dies_with_the_process_has_a_new_key_after_a_resume() -> None:
    """A deployment of the earlier engine is gone; its key must not look settled."""
    opened = PhaseStarted(cycle=1, phase="deploy_check")

    def keys(*events: AnyEvent) -> tuple[str, str]:
        scene = Scene(state(TICK, opened, *events), paper_policy(), NOON)
        return scene.live_key("deploy"), scene.key("probe", "edge")

    assert keys() == ("c1/deploy", "c1/deploy_check/probe/edge")
    assert keys(RESUMED) == ("c1/deploy@1", "c1/deploy_check/probe/edge")
    assert keys(RESUMED, RESUMED) == ("c1/deploy@2", "c1/deploy_check/probe/edge")


def test_a_request_asks_for_each_effect_once() -> None:
    """First what is missing, then it waits, then it is over; a failure is over too."""
    fresh = request(state(), [BASE, HISTORY])
    assert fresh is not None
    assert fresh.effects == (BASE, HISTORY)
    waiting = request(state(ASKED), [BASE])
    assert waiting is not None
    assert waiting.is_wait
    assert request(state(ASKED, SETTLED), [BASE]) is None
    assert request(state(ASKED, FAILED), [BASE]) is None
    assert request(state(), []) is None


def test_plan_and_clusters_are_those_of_the_current_cycle() -> None:
    """What the cycle before planned is not a plan for this one."""
    plan = Plan(suites=())
    planned = DecisionMade(cycle=1, subject="plan", choice="run", reason="r", plan=plan)
    clustered = DecisionMade(cycle=1, subject="clusters", choice="1", reason="r", clusters=(cluster(),))
    first = state(TICK, planned, clustered)
    assert (first.plan, first.clusters) == (plan, (cluster(),))
    second = state(TICK, planned, clustered, CycleStarted(cycle=2))
    assert (second.plan, second.clusters) == (None, ())
    assert second.decided("plan") is None
    assert second.decided("plan", cycle=1) == planned


def test_the_latest_verdict_about_a_thing_counts() -> None:
    """Earlier ones stay in the log."""

    def said(number: int, value: str, subject: str = "K1") -> VerdictReached:
        verdict = Verdict(id=f"V{number}", kind="triage", subject=subject, value=value, statement="s")
        return VerdictReached(verdict=verdict)

    folded = state(said(1, "unresolved"), said(2, "flaky"), said(3, "regression", "K2"))
    found = folded.verdict("triage", "K1")
    assert found is not None
    assert found.value == "flaky"
    assert folded.verdict("culprit", "K1") is None
    assert len(folded.verdicts) == 3


def test_attempts_are_counted_within_a_cycle() -> None:
    """An arrow back raises them, a new cycle begins anew."""

    def done(cycle: int) -> PhaseFinished:
        return PhaseFinished(cycle=cycle, phase="five_whys", result="done", summary="s")

    assert state(TICK, done(1), done(1)).attempts_of("five_whys") == 2
    assert state(TICK, done(1), CycleStarted(cycle=2)).attempts_of("five_whys") == 0


def test_a_state_cannot_be_changed_by_hand() -> None:
    """Only an event changes it."""
    folded = state(ASKED)
    with pytest.raises(AttributeError):
        folded.cycle = 3  # type: ignore[misc]
    assert not isinstance(folded.effects, MutableMapping)


def test_folding_in_one_go_or_line_by_line_is_the_same() -> None:
    """The engine does one, a reader the other."""
    log = lines([started(), ASKED, SETTLED, TICK, RESUMED, PAUSED, ENDED])
    stepwise = State()
    for line in log:
        stepwise = evolve(stepwise, line)
    assert stepwise == fold(log)
    assert replace(stepwise, last_seq=0) != stepwise
