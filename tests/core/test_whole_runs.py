"""Whole runs through the real engine, session and workers; whatever the world is like, the outcome is right."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from pathlib import Path

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from goldenpath_loop.core.remedies import is_proven, remedies
from goldenpath_loop.core.state import fold
from goldenpath_loop.records.effects import ProbeCommit
from goldenpath_loop.records.history import TestHistory
from goldenpath_loop.records.policy import Limits, Policy
from goldenpath_loop.records.receipts import PullRequestReceipt
from goldenpath_loop.session.session import load
from goldenpath_loop.testing import PaperTarget, paper_policy

from .worlds import Life, World, live, start

NAMES = ("total", "empty", "tax", "discount", "refund")
TESTS = tuple(f"tests/test_cart.py::test_{name}" for name in NAMES)
APART = tuple(f"tests/test_{name}.py::test_{name}" for name in NAMES)
"""Tests of different files: their failures are never taken for one."""


def lived(target: PaperTarget, policy: Policy | None = None) -> Life:
    """The whole run of `target`, written to disk and read back."""
    with tempfile.TemporaryDirectory() as folder:
        life = anyio.run(lambda: live(start(Path(folder), policy), target, policy))
        lines = list(load(life.folder)[0])
        assert lines == life.lines
        assert fold(lines) == life.engine_state
        return life


def confirmed(life: Life) -> set[str]:
    """Commits that a search confirmed."""
    return {
        verdict.revision
        for verdict in life.state.verdicts
        if verdict.kind == "culprit" and verdict.value == "confirmed" and verdict.revision
    }


def pull_requests(life: Life) -> list[PullRequestReceipt]:
    """What was opened."""
    found = [record.receipt for record in life.state.effects.values()]
    return [receipt for receipt in found if isinstance(receipt, PullRequestReceipt)]


@st.composite
def one_culprit(draw: st.DrawFn) -> tuple[World, int]:
    """A world with at most one culprit, and the number of jobs."""
    commits = draw(st.integers(2, 200))
    culprit = draw(st.none() | st.integers(0, commits - 1))
    near = st.integers(max(0, (culprit or 0) - 3), min(commits - 1, (culprit or 0) + 3))
    dead = draw(st.frozensets(st.integers(0, commits - 1) | near, max_size=12))
    broken = draw(st.lists(st.sampled_from(TESTS), min_size=1, max_size=4, unique=True))
    whole = [test for test in TESTS if test not in broken]
    world = World(
        commits=commits,
        culprit=culprit,
        tests=TESTS,
        broken=tuple(broken) if culprit is not None else (),
        dead=dead,
        conflict=draw(st.booleans()) and draw(st.booleans()),
        side_effect=draw(st.sampled_from(["", "", *whole])),
    )
    return world, draw(st.integers(1, 4))


def expected_outcome(world: World) -> str:
    """What a person who knows everything would say."""
    culprit = world.culprit
    if culprit is None:
        return "passed"
    if culprit == 0 or {culprit, culprit - 1} & world.dead or world.conflict or world.side_effect:
        return "inconclusive"
    return "repaired"


@settings(max_examples=70, deadline=None)
@given(one_culprit())
@example((World(commits=2, culprit=1, tests=TESTS, broken=TESTS[:1]), 1))
@example((World(commits=200, culprit=199, tests=TESTS, broken=TESTS[:1], dead=frozenset({199})), 4))
def test_whatever_the_world_the_outcome_is_right(case: tuple[World, int]) -> None:
    """Any length, any culprit, any commits that cannot be tested, any number of workers."""
    world, jobs = case
    life = lived(world, paper_policy(jobs=jobs))
    assert life.outcome == expected_outcome(world)
    if world.culprit is not None:
        assert confirmed(life) <= {world.revision(world.culprit)}
    opened = pull_requests(life)
    assert len(opened) <= Limits().pull_requests
    assert max(Counter(one.branch for one in opened).values(), default=0) <= 1
    assert sum(is_proven(life.state, remedy) for remedy in remedies(life.state)) == (
        1 if life.outcome == "repaired" else 0
    )
    if world.side_effect:
        assert all(one.draft for one in opened)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n - 1))))
def test_a_search_costs_twice_the_logarithm(case: tuple[int, int]) -> None:
    """When every commit can be tested: back in doubling steps, then bisect, then confirm both sides."""
    commits, culprit = case
    world = World(commits=commits, culprit=culprit)
    life = lived(world)
    assert life.outcome == "repaired"
    assert world.count("probe_commit") <= 2 * math.log2(commits) + 5


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 60).flatmap(
        lambda n: st.tuples(
            st.just(n),
            st.dictionaries(st.sampled_from(APART), st.integers(1, n - 1), min_size=1),
            st.frozensets(st.integers(1, n - 1)),
        )
    ),
    st.integers(1, 3),
    st.integers(0, 5),
)
def test_several_culprits_are_told_apart(
    case: tuple[int, dict[str, int], frozenset[int]], jobs: int, limit: int
) -> None:
    """Each broken test leads to its own commit; one remedy a commit; never more pull requests than allowed."""
    commits, culprits, documents = case
    guilty = set(culprits.values())
    world = World(commits=commits, tests=APART, culprits=culprits, documents=documents - guilty)
    life = lived(world, paper_policy(jobs=jobs, limits=Limits(pull_requests=limit)))
    assert confirmed(life) == {world.revision(number) for number in guilty}
    assert len(pull_requests(life)) == min(limit, len(guilty))
    assert life.outcome == ("repaired" if len(guilty) <= limit else "pull_request_limit")
    if len(guilty) > 1:
        return
    probed = {effect.revision for effect in world.asked if isinstance(effect, ProbeCommit)}
    parents = {number - 1 for number in guilty}
    assert not probed & {world.revision(number) for number in world.documents - parents}


@settings(max_examples=30, deadline=None)
@given(
    st.integers(3, 40).flatmap(
        lambda n: st.tuples(st.just(n), st.integers(1, n - 1), st.frozensets(st.integers(1, n - 1)))
    )
)
def test_a_document_that_breaks_a_test_is_found(case: tuple[int, int, frozenset[int]]) -> None:
    """That documents do not matter is a guess; the innocent commit after the guilty document is never blamed."""
    commits, culprit, documents = case
    world = World(commits=commits, culprit=culprit, documents=documents | {culprit})
    assert confirmed(lived(world)) == {world.revision(culprit)}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=7), st.integers(1, 2))
def test_what_passes_when_run_again_is_flaky_and_nothing_is_reverted(shown: list[bool], jobs: int) -> None:
    """The first runs decide: red in the suite and green in any of the two runs alone is a flake."""
    world = World(tests=TESTS, culprit=None, flaky={TESTS[0]: (False, *shown)})
    life = lived(world, paper_policy(jobs=jobs, limits=Limits(duration_s=60)))
    alone = [shown[index % (len(shown) + 1) - 1] if index % (len(shown) + 1) else False for index in (1, 2)]
    triage = life.state.verdict("triage", "K1")
    assert triage is not None
    assert triage.value == ("flaky" if any(alone) else "regression")
    if any(alone):
        assert world.count("probe_commit") == 0
        assert world.count("revert_commit") == 0
        assert life.outcome == "inconclusive"


def often_red(test: str, seed: int, *, culprit: int | None, rates: tuple[float, float]) -> World:
    """Forty commits, and a test that failed once in sixty earlier runs."""
    world = World(
        commits=40,
        tests=TESTS,
        culprits={test: 40 if culprit is None else culprit},
        rates={test: rates},
        seed=seed,
    )
    world.past = (TestHistory(id=test, runs=60, reds=1, last_green_revision=world.revision(2)),)
    return world


def test_a_test_that_began_to_fail_more_often_is_searched_by_its_rate_and_repaired() -> None:
    """It fails in six of ten runs since its culprit: a pass on retry makes it no flake, and three passes no proof."""
    ended: Counter[str] = Counter()
    for seed in range(24):
        world = often_red(TESTS[0], seed, culprit=25, rates=(0.0, 0.6))
        life = lived(world, paper_policy(limits=Limits(duration_s=3600)))
        triage = life.state.verdict("triage", "K1")
        if triage is None or triage.value != "intermittent":
            ended[f"triage: {triage.value if triage else 'passed by chance'}"] += 1
            continue
        assert confirmed(life) <= {world.revision(25)}
        for remedy in remedies(life.state):
            ended["proven" if is_proven(life.state, remedy) else "unproven"] += 1
        proof = life.state.verdict("stability", remedies(life.state)[0].id) if remedies(life.state) else None
        if proof is not None and proof.value == "proven":
            assert "old failure rate" in proof.statement
    assert ended["proven"] >= 6, ended
    assert ended["unproven"] <= 1, ended


def test_a_test_that_fails_as_often_as_ever_is_reverted_by_nobody() -> None:
    """Even when it was searched for by bad luck."""
    for seed in range(30):
        world = often_red(TESTS[0], seed, culprit=None, rates=(0.15, 0.15))
        world.past = (TestHistory(id=TESTS[0], runs=60, reds=9, last_green_revision=world.revision(2)),)
        life = lived(world, paper_policy(limits=Limits(duration_s=3600)))
        assert confirmed(life) == set()
        assert world.count("revert_commit") == 0


def test_a_flake_does_not_hide_the_regression_beside_it() -> None:
    """Both are red in the suite; only the one that stays red is repaired, and the flake stays a person's to judge."""
    flaky = {APART[0]: (False, True, True, True, True)}
    world = World(commits=12, tests=APART, culprits={APART[1]: 5}, flaky=flaky)
    life = lived(world)
    assert confirmed(life) == {world.revision(5)}
    assert [is_proven(life.state, remedy) for remedy in remedies(life.state)] == [True]


def test_failures_that_look_alike_and_are_not_one_are_never_called_repaired() -> None:
    """Two tests of one file, broken by two commits with the same words: what is claimed stays true."""
    world = World(commits=12, tests=TESTS, culprits={TESTS[0]: 4, TESTS[1]: 8})
    life = lived(world)
    assert confirmed(life) <= {world.revision(4), world.revision(8)}
    proven = [remedy for remedy in remedies(life.state) if is_proven(life.state, remedy)]
    assert (life.outcome == "repaired") == (len(proven) == 2)


@pytest.mark.parametrize("which", [1, None])
@pytest.mark.parametrize(
    "kind",
    [
        "inspect_base",
        "read_history",
        "prepare_worktree",
        "collect_tests",
        "run_suite",
        "list_commits",
        "probe_commit",
        "describe_change",
        "revert_commit",
        "compose_remedies",
        "audit_tree",
        "push_branch",
        "open_pull_request",
    ],
)
def test_an_edge_that_fails_ends_in_an_outcome(kind: str, which: int | None) -> None:
    """Once or always: the run terminates, claims nothing, and its outcome says what failed."""
    world = World(commits=12, culprit=5, failing={kind: which})
    life = lived(world, paper_policy(limits=Limits(duration_s=20)))
    assert life.outcome in ("blocked", "inconclusive", "repaired")
    assert len(life.lines) < 400
    assert life.state.finished is not None
    if life.outcome != "repaired":
        assert life.state.finished.exit_code != 0
        said = " ".join((life.state.finished.reason, *life.state.finished.next_actions))
        assert "this edge is broken today" in said


def test_a_run_that_takes_too_long_hands_over() -> None:
    """The limit of time ends it between two effects, with an outcome and an exit code of its own."""
    life = lived(PaperTarget(), paper_policy(limits=Limits(duration_s=1e-6)))
    assert life.outcome == "budget"
    assert life.state.limits_reached == ("duration_s",)


def test_the_limit_of_cycles_ends_the_run() -> None:
    """A repair whose second look is not allowed any more is a matter of budget, not of success."""
    life = lived(PaperTarget(), paper_policy(limits=Limits(cycles=1)))
    assert life.outcome == "budget"
    assert len(pull_requests(life)) == 1
