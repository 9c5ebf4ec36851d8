"""A run that is cut off anywhere reaches the same outcome, and does nothing to the world twice."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.core.past import unsaid
from goldenpath_loop.core.remedies import is_proven, remedies
from goldenpath_loop.core.state import State, fold
from goldenpath_loop.records.effects import AnyEffect, Change, ComposeRemedies, PrepareWorktree
from goldenpath_loop.records.events import (
    AnyEvent,
    ApprovalDecided,
    ClockJumped,
    EffectSettled,
    EvidenceCaptured,
    LimitsChanged,
    RunResumed,
    VerdictReached,
)
from goldenpath_loop.records.line import Line
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import Session, load
from goldenpath_loop.testing import paper_policy

from .team_worlds import TeamWorld, team_policy
from .worlds import Crash, Life, World, live, start


def simple() -> World:
    """One culprit; the run is repaired in its second cycle."""
    return World(commits=9, culprit=5)


def double() -> World:
    """Two culprits, two remedies, two pull requests."""
    return World(commits=6, tests=("a.py::a", "b.py::b", "c.py::c"), culprits={"a.py::a": 2, "b.py::b": 4})


def costly() -> World:
    """The repair costs another test, so it stays a draft."""
    return World(commits=6, culprit=3, side_effect="tests/test_cart.py::test_empty")


def green() -> World:
    """Nothing is wrong."""
    return World(commits=4, culprit=None)


def asking() -> TeamWorld:
    """The fault is older than the history; the second patch of an agent mends it."""
    return TeamWorld(commits=3, culprit=0, cures=2)


def asking_twice() -> TeamWorld:
    """Two faults as old as that, each mended by a patch of its own."""
    tests = ("a.py::a", "b.py::b")
    return TeamWorld(commits=3, culprit=0, tests=tests, broken=tests)


def crash_after(seq: int) -> Callable[[Session], None]:
    """The process dies when line `seq` is on the disk; nothing it had under way writes another."""

    def arm(session: Session) -> None:
        append = session.append

        def dying(event: AnyEvent) -> Line:
            if session.seq >= seq:
                raise Crash
            line = append(event)
            if line.seq == seq:
                raise Crash
            return line

        session.append = dying  # type: ignore[method-assign]

    return arm


def fates(state: State) -> list[tuple[str, str, bool]]:
    """Every remedy, where it stands and whether it is proven."""
    return [(one.branch, one.head or "", is_proven(state, one)) for one in remedies(state)]


def conclusions(life: Life) -> dict[tuple[str, str], str]:
    """The latest verdict about everything but single commits: which of them a search asks may differ."""
    return {(one.kind, one.subject): one.value for one in life.state.verdicts if one.kind != "probe"}


def cut(whole: Life, folder: Path, size_bytes: int) -> RunFolder:
    """What a crash left of a run: the first bytes of its log, and all evidence."""
    folder.mkdir()
    run = RunFolder(folder)
    run.log.write_bytes(whole.folder.log.read_bytes()[:size_bytes])
    if whole.folder.evidence.exists():
        run.evidence.symlink_to(whole.folder.evidence)
    return run


def _identity(effect: AnyEffect) -> dict[str, object]:
    """What an effect is recognised by; the text of a pull request names evidence, and a crash shifts its numbers."""
    return effect.model_dump(exclude={"body"})


def check(life: Life, whole: Life) -> None:
    """What holds for every life, however often it was interrupted."""
    assert life.outcome == whole.outcome
    assert fates(life.state) == fates(whole.state)
    assert conclusions(life) == conclusions(whole)
    assert [one.kind for one in life.state.findings] == [one.kind for one in whole.state.findings]
    assert life.state == life.engine_state
    captured = [line.event.evidence.id for line in life.lines if isinstance(line.event, EvidenceCaptured)]
    assert len(captured) == len(set(captured))
    settled = Counter(line.event.key for line in life.lines if isinstance(line.event, EffectSettled))
    assert max(settled.values()) == 1
    verdicts = [one.id for one in life.state.verdicts]
    assert len(verdicts) == len(set(verdicts))


@pytest.mark.parametrize(
    ("world", "jobs", "step"),
    [(simple, 1, 1), (green, 2, 1), (costly, 2, 3), (double, 3, 2), (asking, 2, 2), (asking_twice, 2, 1)],
)
def test_cut_off_after_any_line_it_ends_the_same(
    tmp_path: Path, world: Callable[[], World], jobs: int, step: int
) -> None:
    """What the log holds is never done again; what it asked for and did not get is asked in the same words."""
    is_team = world in (asking, asking_twice)
    policy = team_policy(jobs=jobs) if is_team else paper_policy(jobs=jobs)
    first = world()
    whole = anyio.run(lambda: live(start(tmp_path / "whole", policy), first, policy))
    sizes = list(itertools.accumulate(map(len, whole.folder.log.read_bytes().splitlines(keepends=True))))
    asked = {effect.key: effect for effect in first.asked}
    for seq in range(1, len(whole.lines), step):
        # Every other time the next line was half written.
        run = cut(whole, tmp_path / str(seq), sizes[seq - 1] + (60 if seq % 2 else 0))
        target = dataclasses.replace(world(), reverted=dict(first.reverted))
        if isinstance(target, TeamWorld) and isinstance(first, TeamWorld):
            target.patched.update(first.patched)
        life = anyio.run(partial(live, run, target, policy))
        check(life, whole)
        known = {line.event.key for line in whole.lines[:seq] if isinstance(line.event, EffectSettled)}
        assert not known & set(target.performed)
        for effect in target.asked:
            if isinstance(effect, Change) and not isinstance(effect, PrepareWorktree | ComposeRemedies):
                assert _identity(effect) == _identity(asked[effect.key])


@pytest.mark.parametrize("seq", range(4, 76, 9))
def test_killed_while_units_are_under_way_it_ends_the_same(tmp_path: Path, seq: int) -> None:
    """A process with three workers dies; the next one goes on in the world as it was left."""
    policy = paper_policy(jobs=3)
    whole = anyio.run(lambda: live(start(tmp_path / "whole", policy), double(), policy))
    target = double()
    run = start(tmp_path / "cut", policy)
    with pytest.raises((BaseExceptionGroup, Crash)):
        anyio.run(lambda: live(run, target, policy, before=crash_after(seq)))
    assert len(list(load(run)[0])) == seq
    check(anyio.run(lambda: live(run, target, policy)), whole)
    changes = [key for key in target.performed if key.startswith(("push/", "pull_request/"))]
    assert len(changes) == len(set(changes)) == 4


@pytest.mark.parametrize("every", [8, 13])
def test_killed_again_and_again_it_still_arrives(tmp_path: Path, every: int) -> None:
    """Each life gets a few lines further than the one before."""
    target = simple()
    run = start(tmp_path / "run")
    lives = 0
    while True:
        lives += 1
        assert lives < 100
        seq = len(list(load(run)[0])) + 1 + every
        try:
            life = anyio.run(partial(live, run, target, before=crash_after(seq)))
        except (BaseExceptionGroup, Crash):
            continue
        break
    assert life.outcome == "repaired"
    assert lives > 5
    assert life.state.generation >= lives - 1
    assert [proven for _, _, proven in fates(life.state)] == [True]


def test_a_log_that_ends_between_receipt_and_verdict_is_completed_first(tmp_path: Path) -> None:
    """What code concludes from a receipt is said before anything is decided, with the same number and words."""
    whole = anyio.run(lambda: live(start(tmp_path / "whole"), simple()))
    for line in whole.lines:
        after = unsaid(whole.lines[: line.seq])
        following = whole.lines[line.seq].event if line.seq < len(whole.lines) else None
        if after:
            assert isinstance(line.event, EffectSettled)
            assert after[0] == following
        elif isinstance(line.event, EffectSettled) and isinstance(following, VerdictReached):
            assert line.event.key not in following.verdict.because or following.verdict.kind in _OF_PHASES


def test_what_people_write_into_a_dead_run_takes_no_verdict_from_it(tmp_path: Path) -> None:
    """Other limits, a decision or a clock that was set may stand between a receipt and what follows from it."""
    whole = anyio.run(lambda: live(start(tmp_path / "whole"), simple()))
    lines = next(whole.lines[: line.seq] for line in whole.lines if len(unsaid(whole.lines[: line.seq])) > 0)
    after = unsaid(lines)
    last = lines[-1]
    for event in (
        LimitsChanged(limits=Limits(), by="ada"),
        ClockJumped(by_s=60),
        ApprovalDecided(key="k", approved=True, by="ada"),
    ):
        assert unsaid([*lines, dataclasses.replace(last, seq=last.seq + 1, event=event)]) == after


def test_the_time_a_run_lay_dead_is_not_its_own(tmp_path: Path) -> None:
    """Also when a person gave it other limits before it was resumed."""
    whole = anyio.run(lambda: live(start(tmp_path / "whole"), simple()))
    lines = whole.lines[:40]
    worked_s = fold(lines).active_until(datetime.fromisoformat(lines[-1].at))
    later = datetime.fromisoformat(lines[-1].at) + timedelta(hours=6)
    changed = dataclasses.replace(
        lines[-1], seq=41, at=later.isoformat(), event=LimitsChanged(limits=Limits(), by="ada")
    )
    resumed = dataclasses.replace(
        lines[-1], seq=42, at=(later + timedelta(hours=1)).isoformat(), event=RunResumed(version="1")
    )
    assert fold([*lines, changed, resumed]).active_s == pytest.approx(worked_s)


_OF_PHASES = ("triage", "culprit", "stability", "priority")
"""Verdicts that a phase reaches from several receipts; they are decided again after a crash."""
