"""How a run ends, and the exit code that says the same."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import anyio
import pytest

from goldenpath_loop.core.outcome import EXIT_CODES, finish, outcome_of
from goldenpath_loop.core.state import State
from goldenpath_loop.records.effects import InspectBase, OpenPullRequest, PushBranch, RevertCommit
from goldenpath_loop.records.events import (
    AnyEvent,
    CycleStarted,
    EffectFailed,
    EffectRequested,
    EffectSettled,
    FindingAppended,
    LimitReached,
    PhaseFinished,
    PhaseName,
    PhaseResult,
    RunOutcome,
    VerdictReached,
)
from goldenpath_loop.records.findings import Finding, OperatorAction, Verdict
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.records.receipts import PullRequestReceipt, PushReceipt, RemedyReceipt
from goldenpath_loop.testing import paper_policy

from .builders import PARENT, REVISION, state
from .worlds import World, live, start

BRANCH = "goldenpath/revert-aaaaaaaaaaaa"


def test_every_outcome_has_its_exit_code() -> None:
    """Good ends are 0; the others can be told apart by a script, and are none of the usual error codes."""
    assert set(EXIT_CODES) == set(get_args(RunOutcome))
    assert {name for name, code in EXIT_CODES.items() if code == 0} == {"passed", "repaired", "found"}
    bad = [code for code in EXIT_CODES.values() if code]
    assert len(bad) == len(set(bad))
    assert min(bad) >= 10
    for outcome in get_args(RunOutcome):
        assert finish(state(), outcome, "r").exit_code == EXIT_CODES[outcome]


def done(phase: PhaseName, result: PhaseResult) -> PhaseFinished:
    """The phase that ended the run."""
    return PhaseFinished(cycle=1, phase=phase, result=result, summary="so it was")


def reverted(receipt: RemedyReceipt | None = None) -> tuple[AnyEvent, ...]:
    """A remedy."""
    effect = RevertCommit(
        key="remedy/revert/aaaaaaaaaaaa",
        commit=REVISION,
        onto=PARENT,
        branch=BRANCH,
        tree="remedy-aaaaaaaaaaaa",
        message="m",
    )
    made = receipt or RemedyReceipt(branch=BRANCH, head=PARENT, files=("cart.py",))
    return EffectRequested(effect=effect), EffectSettled(key=effect.key, receipt=made)


def judged(value: str) -> VerdictReached:
    """What became of its proof."""
    return VerdictReached(
        verdict=Verdict(id="V1", kind="stability", subject="R1", value=value, statement="it is so")
    )


def pushed(problem: str = "") -> tuple[AnyEvent, ...]:
    """Its branch on the remote, or not."""
    key = f"push/{BRANCH}"
    return (
        EffectRequested(effect=PushBranch(key=key, branch=BRANCH, head=PARENT)),
        EffectSettled(key=key, receipt=PushReceipt(branch=BRANCH, problem=problem)),
    )


def opened(*, draft: bool) -> tuple[AnyEvent, ...]:
    """Its pull request."""
    effect = OpenPullRequest(
        key=f"pull_request/{BRANCH}",
        branch=BRANCH,
        head=PARENT,
        base_branch="main",
        title="t",
        body="b",
        draft=draft,
    )
    receipt = PullRequestReceipt(branch=BRANCH, address="https://x/1", draft=draft)
    return EffectRequested(effect=effect), EffectSettled(key=effect.key, receipt=receipt)


def unopened() -> tuple[AnyEvent, ...]:
    """The forge did not take it."""
    asked, _ = opened(draft=False)
    assert isinstance(asked, EffectRequested)
    return asked, EffectFailed(key=asked.effect.key, error="the forge is down")


BROKEN_FORGE = f"pull_request/{BRANCH} could not be carried out: the forge is down."
ACTION = FindingAppended(
    finding=Finding(
        id="F1",
        kind="operator_action",
        title="t",
        statement="s",
        action=OperatorAction(instruction="Set SERVICE_SECRET."),
    )
)
LIMIT = LimitReached(limit="pull_requests", allowed=1, used=1)
PROVEN = (*reverted(), judged("proven"))


@pytest.mark.parametrize(
    ("log", "last", "outcome", "reason"),
    [
        ((CycleStarted(cycle=1),), done("execute", "nothing_to_do"), "passed", "green on what is deployed"),
        (
            (CycleStarted(cycle=1), *PROVEN, *pushed(), *opened(draft=False), CycleStarted(cycle=2, remedies=("R1",))),
            done("execute", "nothing_to_do"),
            "repaired",
            f"green on base plus {BRANCH}: so it was",
        ),
        ((), done("deploy_check", "stopped"), "blocked", "so it was"),
        ((), done("test_select", "stopped"), "blocked", "so it was"),
        ((), done("five_whys", "stopped"), "inconclusive", "so it was"),
        ((ACTION,), done("five_whys", "stopped"), "blocked", "Set SERVICE_SECRET."),
        ((LIMIT,), done("pull_request", "stopped"), "pull_request_limit", "so it was"),
        ((*PROVEN, *pushed("rejected")), done("pull_request", "stopped"), "blocked", "so it was"),
        ((*PROVEN, *pushed(), *unopened()), done("pull_request", "stopped"), "blocked", "so it was"),
        (
            (*reverted(), judged("trade_off"), *pushed(), *opened(draft=True)),
            done("pull_request", "stopped"),
            "inconclusive",
            "so",
        ),
    ],
    ids=[
        "passed", "repaired", "not deployed", "no tests", "evidence ends", "operator", "limit", "not pushed",
        "no pull request", "draft",
    ],
)  # fmt: skip
def test_the_end_follows_from_the_last_phase_and_the_log(
    log: tuple[AnyEvent, ...], last: PhaseFinished, outcome: str, reason: str
) -> None:
    """One outcome for each way out of the table."""
    found = outcome_of(state(*log), last)
    assert found.outcome == outcome
    assert reason in found.reason


NO_HEAD = reverted(RemedyReceipt(branch=BRANCH, conflicts=("cart.py",), problem="the revert conflicts"))


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ((ACTION,), ("Set SERVICE_SECRET.",)),
        (
            (*PROVEN, *pushed(), *opened(draft=False)),
            (f"Review and merge https://x/1 (branch {BRANCH}).",),
        ),
        (
            (*reverted(), judged("unproven"), *pushed(), *opened(draft=True)),
            ("Decide about the draft https://x/1: its proof is not complete.",),
        ),
        ((*PROVEN, *pushed("rejected")), (f"Push {BRANCH} ({PARENT}) by hand: rejected.",)),
        (
            NO_HEAD,
            ("Take aaaaaaaaaaaa back by hand: the revert conflicts in cart.py.",),
        ),
        (
            (*PROVEN, *pushed(), *unopened()),
            (f"Open the pull request of {BRANCH} by hand: the forge is down.", BROKEN_FORGE),
        ),
        ((*reverted(), judged("not_cured")), ("Take aaaaaaaaaaaa back by hand: it is so.",)),
        ((*reverted(),), ("Take aaaaaaaaaaaa back by hand: it was not judged.",)),
    ],
    ids=["operator", "merge", "draft", "push", "conflict", "no pull request", "not cured", "not judged"],
)
def test_a_person_is_told_what_to_do_next(log: tuple[AnyEvent, ...], said: tuple[str, ...]) -> None:
    """In one sentence each."""
    assert finish(state(*log), "inconclusive", "r").next_actions == said


def broken(number: int) -> tuple[AnyEvent, ...]:
    """An edge that failed."""
    key = f"edge-{number}"
    return (
        EffectRequested(effect=InspectBase(key=key, branch="main")),
        EffectFailed(key=key, error=f"error {number}", advice="Look at it."),
    )


def test_what_could_not_be_carried_out_is_said_when_the_run_ends_badly() -> None:
    """The first three, and how many more; a run that ended well does not dwell on them."""
    failing = state(*(event for number in range(5) for event in broken(number)))
    assert finish(failing, "inconclusive", "r").next_actions == (
        "edge-0 could not be carried out: error 0. Look at it.",
        "edge-1 could not be carried out: error 1. Look at it.",
        "edge-2 could not be carried out: error 2. Look at it.",
        "2 more effects could not be carried out.",
    )
    assert finish(failing, "repaired", "r").next_actions == ()


@pytest.mark.parametrize(
    ("world", "limits", "outcome", "action"),
    [
        (World(culprit=None), Limits(), "passed", ""),
        (World(), Limits(), "repaired", "Review and merge pull_request.md"),
        (World(conflict=True), Limits(), "inconclusive", "by hand: the revert conflicts in cart.py"),
        (World(culprit=0), Limits(), "inconclusive", "red as far back as it can be tested"),
        (
            World(side_effect="tests/test_cart.py::test_empty"),
            Limits(),
            "inconclusive",
            "Decide about the draft",
        ),
        (
            World(side_effect="tests/test_cart.py::test_empty", hunks=3),
            Limits(),
            "inconclusive",
            "Decide about the draft",
        ),
        (
            World(),
            Limits(pull_requests=0),
            "pull_request_limit",
            "Raise [limits] pull_requests, or take 000000000009 back by hand",
        ),
        (World(), Limits(cycles=1), "budget", "Review and merge pull_request.md"),
        (World(), Limits(duration_s=1e-9), "budget", ""),
    ],
    ids=[
        "passed",
        "repaired",
        "conflict",
        "root",
        "trade-off",
        "trade-off of many hunks",
        "limit",
        "cycles",
        "time",
    ],
)
def test_whole_runs_end_as_they_should(
    tmp_path: Path, world: World, limits: Limits, outcome: RunOutcome, action: str
) -> None:
    """With an exit code and a next action that fit."""
    policy = paper_policy(limits=limits)
    life = anyio.run(lambda: live(start(tmp_path / "run", policy), world, policy))
    finished: State = life.state
    assert finished.finished is not None
    assert finished.finished.outcome == outcome
    assert finished.finished.exit_code == EXIT_CODES[outcome]
    assert action in " ".join(finished.finished.next_actions)
