"""Whoever goes on after a limit learns how far it came, what is left and how it gets more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from goldenpath_loop.core.hand_off import hand_off, handed_off
from goldenpath_loop.core.outcome import finish
from goldenpath_loop.core.step import Scene
from goldenpath_loop.records.effects import InspectBase, ListCommits, ProbeCommit, Selection
from goldenpath_loop.records.events import (
    AnyEvent,
    CycleStarted,
    DecisionMade,
    EffectFailed,
    EffectRequested,
    EffectSettled,
    LimitReached,
    PhaseStarted,
    RunOutcome,
    VerdictReached,
)
from goldenpath_loop.records.findings import Verdict, VerdictKind
from goldenpath_loop.records.hand_off import HandOff
from goldenpath_loop.records.history import Commit
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.records.receipts import CommitsReceipt
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.testing import paper_policy

from .builders import NOON, PARENT, REVISION, TEST, cluster, probed, result, state
from .test_outcome import BRANCH, opened, reverted
from .worlds import World, live, start

CLUSTERS = (
    CycleStarted(cycle=1),
    PhaseStarted(cycle=1, phase="five_whys"),
    DecisionMade(cycle=1, subject="clusters", choice="1", reason="r", clusters=(cluster(),)),
)


def commit(number: int) -> str:
    """Id of the commit that is `number` before base."""
    return f"{number:040x}"


def history(count: int) -> tuple[AnyEvent, ...]:
    """The commits there are."""
    listed = tuple(
        Commit(
            revision=commit(number),
            parents=(commit(number + 1),),
            subject="s",
            author="Ada",
            committed_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for number in range(count)
    )
    asked = ListCommits(key="commits", bad=REVISION)
    return EffectRequested(effect=asked), EffectSettled(key="commits", receipt=CommitsReceipt(commits=listed))


def said(kind: VerdictKind, value: str, subject: str = "K1", revision: str | None = None) -> VerdictReached:
    """A verdict."""
    verdict = Verdict(
        id="V1", kind=kind, subject=subject, value=value, statement="it is so", revision=revision
    )
    return VerdictReached(verdict=verdict)


def handed(
    *events: AnyEvent, limits: Limits | None = None, reached: tuple[str, ...] = ("cycles",)
) -> HandOff:
    """The record of a run in which `events` happened."""
    scene = Scene(state(*events), paper_policy(limits=limits), NOON)
    return hand_off(scene, reached, reached[-1])


RED = said("triage", "regression")
GUILTY = said("culprit", "confirmed", revision=REVISION)
GREEN_AT_6 = probed("probe/6/K1", commit(6), result("green", id=TEST))
RED_AT_3 = probed("probe/3/K1", commit(3), result("red", id=TEST))
LOST_AT_4 = (
    EffectRequested(
        effect=ProbeCommit(
            key="probe/4/K1",
            revision=commit(4),
            protected=REVISION,
            selections=(Selection(suite="unit", tests=(TEST,)),),
        )
    ),
    EffectFailed(key="probe/4/K1", error="cancelled"),
)
PROVEN = (*reverted(), said("stability", "proven", "R1"))


@pytest.mark.parametrize(
    ("events", "stage", "statement", "left"),
    [
        ((), "found", "its tests failed; they were not run again yet", 0),
        ((said("triage", "flaky"),), "triaged", "flaky: it is so", 0),
        ((RED,), "triaged", "regression; its culprit was not searched", 0),
        ((RED, *history(20)), "triaged", "regression; its culprit is one of 20 commits", 20),
        ((RED, *history(20), *GREEN_AT_6), "triaged", "regression; its culprit is one of 6 commits", 6),
        (
            (RED, *history(20), *GREEN_AT_6, *RED_AT_3, *LOST_AT_4),
            "triaged",
            "regression; its culprit is one of 3 commits",
            3,
        ),
        (
            (said("triage", "intermittent"), *history(20)),
            "triaged",
            "intermittent; its culprit was not searched",
            0,
        ),
        ((RED, said("culprit", "never_good")), "searched", "never good: it is so", 0),
        ((RED, *history(20), *GREEN_AT_6, said("culprit", "range")), "searched", "range: it is so", 6),
        ((RED, GUILTY), "culprit", "it is so", 0),
        ((RED, GUILTY, *reverted()), "remedy", f"R1 on {BRANCH} is not proven yet", 0),
        (
            (RED, GUILTY, *reverted(), said("audit", "clean", "R1")),
            "remedy",
            f"R1 on {BRANCH} is not proven yet",
            0,
        ),
        (
            (RED, GUILTY, *reverted(), said("audit", "violations", "R1")),
            "remedy",
            f"R1 on {BRANCH} is violations: it is so",
            0,
        ),
        (
            (RED, GUILTY, *reverted(), said("stability", "trade_off", "R1")),
            "remedy",
            f"R1 on {BRANCH} is trade off: it is so",
            0,
        ),
        ((RED, GUILTY, *PROVEN), "proven", f"R1 is proven on {BRANCH} and has no pull request", 0),
        (
            (RED, GUILTY, *PROVEN, *opened(draft=False)),
            "shown",
            "R1 is proven, and its pull request is https://x/1",
            0,
        ),
    ],
    ids=[
        "found", "flaky", "triaged", "history", "green", "narrowed", "intermittent", "never good", "range",
        "culprit", "remedy", "audited", "violations", "trade-off", "proven", "shown",
    ],
)  # fmt: skip
def test_it_says_how_far_a_cluster_came(
    events: tuple[AnyEvent, ...], stage: str, statement: str, left: int
) -> None:
    """And which commits its culprit is still among."""
    (stand,) = handed(*CLUSTERS, *events).clusters
    assert (stand.cluster, stand.test, stand.tests) == ("K1", TEST, 1)
    assert (stand.stage, stand.statement, stand.left) == (stage, statement, left)
    if left == 3:
        assert (stand.newest, stand.oldest) == (commit(3), commit(5))
    assert (stand.newest is None) == (left == 0)
    assert stand.culprit == (REVISION if GUILTY in events else None)


def test_what_is_proven_and_not_shown_is_named_with_its_head() -> None:
    """So that nobody has to prove it again."""
    (left,) = handed(*CLUSTERS, RED, GUILTY, *PROVEN).remedies
    assert (left.remedy, left.branch, left.head, left.clusters) == ("R1", BRANCH, PARENT, ("K1",))
    assert handed(*CLUSTERS, RED, GUILTY, *reverted()).remedies == ()
    assert handed(*CLUSTERS, RED, GUILTY, *PROVEN, *opened(draft=False)).remedies == ()


def test_an_earlier_cycle_is_not_forgotten() -> None:
    """What it left is left still."""
    record = handed(*CLUSTERS, RED, CycleStarted(cycle=2))
    assert (record.cycle, [one.cluster for one in record.clusters]) == (2, ["K1"])


def test_what_was_under_way_is_named() -> None:
    """What could not be carried out is something else."""
    asked = (InspectBase(key=name, branch="main") for name in ("a", "b", "c"))
    events: list[AnyEvent] = [EffectRequested(effect=one) for one in asked]
    record = handed(*events, EffectFailed(key="a", error="cancelled"), EffectFailed(key="b", error="no git"))
    assert record.unfinished == ("a", "c")
    assert (record.cycle, record.phase) == (0, "")
    assert handed(*CLUSTERS).phase == "five_whys"


@pytest.mark.parametrize(
    ("limits", "reached", "more", "variables"),
    [
        ({"duration_s": 7200}, ("duration_s",), "duration=4h", "DURATION_S=14400"),
        ({"duration_s": 45.5}, ("duration_s",), "duration=91s", "DURATION_S=91"),
        ({"duration_s": 300}, ("duration_s",), "duration=10m", "DURATION_S=600"),
        ({"duration_s": 1e-9}, ("duration_s",), "duration=1m", "DURATION_S=60"),
        ({"cycles": 1}, ("cycles",), "cycles=2", "CYCLES=2"),
        ({"tokens": 5_000_000}, ("tokens",), "tokens=10000000", "TOKENS=10000000"),
        ({"cost_usd": 0.5}, ("cost_usd",), "cost=1", "COST_USD=1"),
        ({"cost_usd": 0}, ("cost_usd",), "cost=20", "COST_USD=20"),
        ({"pull_requests": 0}, ("pull_requests",), "pull_requests=1", "PULL_REQUESTS=1"),
        ({"attempts": 2}, ("attempts/K1", "attempts/K4"), "attempts=4", "ATTEMPTS=4"),
    ],
)
def test_it_names_the_command_that_gives_more(
    limits: dict[str, Any], reached: tuple[str, ...], more: str, variables: str
) -> None:
    """While the run went on, and for the next one."""
    record = handed(*CLUSTERS, limits=Limits.model_validate(limits), reached=reached)
    assert record.while_it_ran == f"loop limits paper --set {more}"
    assert record.next_run == f"GOLDENPATH_LIMITS__{variables} loop start --focus goldenpath"


def test_every_limit_is_told_with_what_is_spent() -> None:
    """Also those that were not reached."""
    record = handed(*CLUSTERS, *PROVEN, *opened(draft=False))
    assert {one.limit: one.used for one in record.spent} == {
        "cycles": 1, "pull_requests": 1, "duration_s": 0, "cost_usd": 0, "tokens": 0, "attempts": 0,
    }  # fmt: skip
    assert {one.limit: one.allowed for one in record.spent} == Limits().model_dump()


@pytest.mark.parametrize(
    ("outcome", "before", "last", "ended_by"),
    [
        ("budget", (), ("duration_s",), "duration_s"),
        ("budget", ("cost_usd",), ("cycles",), "cycles"),
        ("pull_request_limit", ("attempts/K1", "pull_requests"), (), "pull_requests"),
        ("inconclusive", ("cost_usd",), (), ""),
        ("blocked", ("attempts/K1",), (), ""),
    ],
)
def test_only_a_limit_that_ended_the_run_is_said_to_have(
    outcome: RunOutcome, before: tuple[str, ...], last: tuple[str, ...], ended_by: str
) -> None:
    """Others kept it from going further, and are named as well."""
    folded = state(*CLUSTERS, *(LimitReached(limit=one, allowed=1, used=1) for one in before))
    ending = [LimitReached(limit=one, allowed=1, used=1) for one in last]
    done = handed_off(finish(folded, outcome, "r"), Scene(folded, paper_policy(), NOON), ending)
    assert done.hand_off is not None
    assert (done.hand_off.ended_by, done.hand_off.reached) == (ended_by, (*before, *last))


def test_without_a_limit_there_is_nothing_to_hand_over() -> None:
    """Nor after a good end."""
    scene = Scene(state(LimitReached(limit="cost_usd", allowed=1, used=1)), paper_policy(), NOON)
    assert handed_off(finish(scene.state, "repaired", "r"), scene, ()).hand_off is None
    scene = Scene(state(), paper_policy(), NOON)
    assert handed_off(finish(scene.state, "blocked", "r"), scene, ()).hand_off is None


@dataclass
class Hanging(World):
    """A world in which old commits never come to an end."""

    async def perform(self, effect: Any, witness: Witness) -> Any:
        """Answer one effect, or never."""
        if isinstance(effect, ProbeCommit):
            await anyio.sleep_forever()
        return await World.perform(self, effect, witness)


@pytest.mark.parametrize(
    ("world", "limits", "ended_by", "stages"),
    [
        (World(), Limits(cycles=1), "cycles", ["shown"]),
        (World(), Limits(pull_requests=0), "pull_requests", ["proven"]),
        (World(), Limits(duration_s=1e-9), "duration_s", []),
        (Hanging(), Limits(duration_s=1.5), "duration_s", ["triaged"]),
    ],
    ids=["cycles", "pull requests", "no time", "in the middle of a search"],
)
def test_a_run_that_meets_a_limit_leaves_a_record(
    tmp_path: Path, world: World, limits: Limits, ended_by: str, stages: list[str]
) -> None:
    """In its log, with the limit said to be reached before."""
    policy = paper_policy(limits=limits)
    life = anyio.run(lambda: live(start(tmp_path / "run", policy), world, policy))
    assert life.state.finished is not None
    record = life.state.finished.hand_off
    assert record is not None
    assert life.state.limits_reached == (ended_by,) == record.reached
    assert record.ended_by == ended_by
    assert [one.stage for one in record.clusters] == stages
    if isinstance(world, Hanging):
        assert record.phase == "five_whys"
        assert len(record.unfinished) == 1 and record.unfinished[0].startswith("probe/")
        assert record.clusters[0].left == world.commits
        # What was ended for want of time is no failure that a person should look at.
        assert "could not be carried out" not in " ".join(life.state.finished.next_actions)
