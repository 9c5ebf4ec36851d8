"""Pull the plug at any moment: after the acknowledgement nothing starts, nothing is left, and nothing is lost."""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from goldenpath_loop.core.remedies import remedies
from goldenpath_loop.core.state import State
from goldenpath_loop.records.events import (
    AnyEvent,
    EffectFailed,
    EffectRequested,
    EffectSettled,
    RunFinished,
    RunPaused,
    RunResumed,
    UsageRecorded,
    UsageReserved,
)
from goldenpath_loop.records.receipts import SuiteReceipt
from goldenpath_loop.records.usage import Usage
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.lock import is_held
from goldenpath_loop.system.process_tree import MARKER
from tests.e2e.command import leftovers
from tests.e2e.library import build_library, git
from tests.e2e.paused_shop import Moody, build_hanging, build_team, mended
from tests.e2e.pausing import How, Plan, Run, Seen, Stretch, random_plan
from tests.model_server import serve

_REVISION = re.compile(r"[0-9a-f]{8,}")

SETTLING = {
    "evidence.captured",
    "effect.put_off",
    "effect.settled",
    "effect.failed",
    "verdict.reached",
    "usage.recorded",
    "control.requested",
    "run.paused",
}
"""What may stand in a log after it acknowledged a pause: the end of what was under way."""


@pytest.fixture(autouse=True)
def _own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches below the test's own folder, by which its processes are recognised too; nobody's git configuration."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # The engine marks the process that it runs in.
    monkeypatch.setenv(MARKER, os.environ.get(MARKER, ""))


@contextmanager
def team(folder: Path, *goods: str, seed: int = 0) -> Iterator[Run]:
    """A run in which agents have to find and mend every one of `goods`."""
    with serve(Moody(seed), pace_s=0.005) as server:
        yield Run(build_team(folder, server.base_url, goods=goods), server)
    assert server.problems == []


def check(stretch: Stretch, run: Run, folder: Path) -> None:
    """What every pause promises, whenever it comes and however it is asked for."""
    where = f"{stretch.plan}"
    assert stretch.tasks_left == [], where
    assert leftovers(str(folder)) == [], where
    assert not is_held(run.folder.log), where
    assert not stretch.state.open_calls, where
    place = stretch.acknowledged
    if place is None:
        assert isinstance(stretch.end, RunFinished), where
        return
    after = stretch.seen[place:]
    if stretch.state.finished is None:
        assert isinstance(stretch.end, RunPaused), where
        assert stretch.lines[-1].event.type == "run.paused", where
        assert {one.line.event.type for one in after if one.line} <= SETTLING, where
    begun = [one.program for one in after if one.program and one.program[0] != "git"]
    assert begun == [], where
    reserved = sum(isinstance(line.event, UsageReserved) for line in stretch.lines)
    assert stretch.requests <= reserved, where
    if stretch.plan.is_soft:
        # What was reserved before is asked and answered.
        assert stretch.requests == reserved, where
    failed = [line.event.error for line in stretch.lines if isinstance(line.event, EffectFailed)]
    assert failed == [], where
    assert "this is done again later" not in run.folder.log.read_text(), where


def undisturbed(stretch: Stretch) -> bool:
    """Whether what was under way when a pause was acknowledged was left to itself."""
    place = stretch.acknowledged
    return place is None or not [one for one in stretch.seen[place:] if one.sent]


def books_balance(run: Run, state: State) -> None:
    """What was used is the sum over all calls, each reserved once and settled once."""
    events = [line.event for line in read(run.folder.log)]
    reserved = [(one.dispatch, one.call) for one in events if isinstance(one, UsageReserved)]
    recorded = [one for one in events if isinstance(one, UsageRecorded)]
    assert len(set(reserved)) == len(reserved)
    assert sorted((one.dispatch, one.call) for one in recorded) == sorted(reserved)
    assert state.usage == sum((one.usage for one in recorded), Usage())


def result(run: Run, state: State) -> tuple[object, ...]:
    """What a run came to, without what differs from run to run: revisions, and the numbers of evidence."""
    assert state.finished is not None
    branches = [one.branch for one in remedies(state)]
    texts = sorted(run.folder.path.glob("pull_request*.md"))
    return (
        state.finished.outcome,
        _REVISION.sub("*", state.finished.reason),
        sorted(
            (_REVISION.sub("*", one), git(run.library.origin, "diff", f"main...{one}")) for one in branches
        ),
        sorted(_REVISION.sub("*", one.read_text().splitlines()[0]) for one in texts),
        git(run.library.root, "worktree", "list").count("\n"),
        git(run.library.root, "status", "--porcelain"),
    )


def campaign(
    folder: Path, run_on: Callable[[Path, int], AbstractContextManager[Run]], seed: int, pauses: int
) -> list[tuple[object, ...]]:
    """Pause runs until it was done so often, and go on with each to its end; what they came to."""
    chance, done, number = random.Random(seed), 0, 0
    results: list[tuple[object, ...]] = []
    while done < pauses:
        number += 1
        place = folder / str(number)
        place.mkdir()
        with run_on(place, seed + number) as run:
            while True:
                plan = random_plan(chance, asks=run.has_model) if done < pauses else Plan("never")
                stretch = run.stretch(plan)
                check(stretch, run, folder)
                # A test that hangs is ended by us, whatever the pause.
                assert not run.has_model or not plan.is_soft or undisturbed(stretch), plan
                done += stretch.acknowledged is not None
                if stretch.state.finished is not None:
                    break
            books_balance(run, stretch.state)
            results.append(result(run, stretch.state))
    return results


@contextmanager
def hanging(folder: Path, seed: int = 0) -> Iterator[Run]:
    """A run in which a commit has to be found that makes a test hang."""
    yield Run(build_hanging(folder))


def agents(folder: Path, seed: int) -> AbstractContextManager[Run]:
    """More dispatches at once than the model's server has places for."""
    return team(folder, "fare", "toll", "duty", seed=seed)


@pytest.mark.full
@pytest.mark.parametrize(
    ("run_on", "seed", "pauses"),
    [*((agents, seed, 80) for seed in (100, 200, 300, 400, 500)), (hanging, 600, 50), (hanging, 700, 50)],
)
def test_five_hundred_pauses(
    tmp_path: Path, run_on: Callable[[Path, int], AbstractContextManager[Run]], seed: int, pauses: int
) -> None:
    """Runs that are paused all the time end as one that nobody disturbs."""
    results = campaign(tmp_path, run_on, seed, pauses)
    (tmp_path / "undisturbed").mkdir()
    with run_on(tmp_path / "undisturbed", seed) as run:
        whole = result(run, run.stretch(Plan("never")).state)
    assert results == [whole] * len(results)


def test_a_sample_of_pauses(tmp_path: Path) -> None:
    """One run, paused early and often; it still mends what is broken, once."""
    chance = random.Random(7)
    with team(tmp_path, "fare", seed=7) as run:
        for _ in range(14):
            plan = random_plan(chance, asks=True, most=0.25)
            stretch = run.stretch(plan)
            check(stretch, run, tmp_path)
            assert not plan.is_soft or undisturbed(stretch), plan
        stretch = run.stretch(Plan("never"))
        assert stretch.state.finished is not None
        assert stretch.state.finished.outcome == "repaired"
        assert mended(run.library, [one.branch for one in remedies(stretch.state)]) == ["fare"]
        books_balance(run, stretch.state)


def begins(prefix: str) -> Callable[[Seen], bool]:
    """The moment at which an effect is asked for."""
    return lambda seen: (
        seen.line is not None
        and isinstance(seen.line.event, EffectRequested)
        and seen.line.event.effect.key.startswith(prefix)
    )


def starts(word: str) -> Callable[[Seen], bool]:
    """The moment at which a program is started that has `word` among its own."""
    return lambda seen: any(word in one for one in seen.program)


def is_a(event: type[AnyEvent]) -> Callable[[Seen], bool]:
    """The moment at which such a line is written."""
    return lambda seen: seen.line is not None and isinstance(seen.line.event, event)


def programs(stretch: Stretch) -> list[str]:
    """Every program but git that was started."""
    return [" ".join(one.program) for one in stretch.seen if one.program and one.program[0] != "git"]


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
def test_a_pause_while_the_key_is_fetched(tmp_path: Path, how: How) -> None:
    """The command that prints it may end, or is ended; nothing follows."""
    with team(tmp_path, "fare") as run:
        stretch = run.stretch(Plan("seen", how=(how,), sign=starts("print('key')")))
        check(stretch, run, tmp_path)
        assert isinstance(stretch.end, RunPaused)
        assert len(programs(stretch)) == 1
        assert undisturbed(stretch) == (how == "SIGINT")


@pytest.mark.parametrize("how", ["pause", "pause_now"])
def test_a_pause_before_anything_was_opened(tmp_path: Path, how: How) -> None:
    """A request that comes the moment the run is taken up is not lost, and not even the key is fetched."""
    with team(tmp_path, "fare") as run:
        run.stretch(Plan("line", 1, how=("pause_now",)))
        stretch = run.stretch(Plan("seen", how=(how,), sign=is_a(RunResumed)))
        check(stretch, run, tmp_path)
        assert stretch.acknowledged is not None
        assert programs(stretch) == []


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
def test_a_pause_while_an_environment_is_built(tmp_path: Path, how: How) -> None:
    """It is used afterwards when it was finished, and built again when it was not."""
    with team(tmp_path, "fare") as run:
        stretch = run.stretch(Plan("seen", how=(how,), sign=starts("write_text('yes')")))
        check(stretch, run, tmp_path)
        assert bool(list(tmp_path.rglob(".ready"))) == (how == "SIGINT")
        settled = run.stretch(Plan("seen", how=("pause_now",), sign=is_a(EffectSettled)))
        check(settled, run, tmp_path)
        again = run.stretch(Plan("seen", how=("pause",), sign=begins("c1/execute")))
        check(again, run, tmp_path)
        built = [one for one in (*programs(settled), *programs(again)) if "write_text('yes')" in one]
        assert bool(built) == (how == "SIGTERM")


def test_a_pause_does_not_wait_for_what_another_run_builds(tmp_path: Path) -> None:
    """Somebody else holds the environment's lock, for as long as he likes."""
    with team(tmp_path, "fare") as run:
        run.stretch(Plan("seen", how=("pause_now",), sign=starts("write_text('yes')")))
        (lock,) = tmp_path.rglob("environments/*.lock")
        with lock.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            stretch = run.stretch(Plan("seen", how=("pause",), sign=begins("c1/test_select/collect")))
        check(stretch, run, tmp_path)
        assert isinstance(stretch.end, RunPaused)


def test_tests_are_collected_after_a_pause_that_put_it_off(tmp_path: Path) -> None:
    """Their tree, which is not of the resumed engine's making, is made again before."""
    with hanging(tmp_path) as run:
        check(run.stretch(Plan("seen", how=("pause",), sign=begins("c1/test_select/collect"))), run, tmp_path)
        shutil.rmtree(tmp_path / "cache")
        stretch = run.stretch(Plan("seen", how=("pause",), sign=begins("c1/execute")))
        check(stretch, run, tmp_path)
        assert isinstance(stretch.end, RunPaused)
        assert stretch.state.plan is not None


@pytest.mark.parametrize("how", ["pause", "pause_now", "SIGTERM"])
def test_a_pause_while_a_test_hangs(tmp_path: Path, how: How) -> None:
    """Soft, it is waited for until its time is over, and what it shows counts; now, it is ended at once."""
    with hanging(tmp_path) as run:
        run.stretch(Plan("seen", how=("pause",), sign=begins("c1/execute")))
        stretch = run.stretch(Plan("seen", how=(how,), sign=starts("tests/test_waiting.py::test_wait")))
        check(stretch, run, tmp_path)
        receipts = [line.event.receipt for line in stretch.lines if isinstance(line.event, EffectSettled)]
        suites = [one for one in receipts if isinstance(one, SuiteReceipt)]
        assert [one.run.ended for one in suites] == (["hung"] if how == "pause" else [])
        assert not undisturbed(stretch)


@pytest.mark.parametrize("how", ["pause", "pause_now", "SIGINT"])
def test_a_pause_while_a_run_is_tidied_up(tmp_path: Path, how: How) -> None:
    """It is over: nothing is said any more, and nothing is left."""
    run = Run(build_library(tmp_path, commits=2, culprit=99))
    stretch = run.stretch(Plan("seen", how=(how,), sign=is_a(RunFinished)))
    check(stretch, run, tmp_path)
    assert isinstance(stretch.end, RunFinished)
    assert isinstance(stretch.lines[-1].event, RunFinished)
    assert git(run.library.root, "worktree", "list").count("\n") == 0


@pytest.mark.slow
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
def test_a_pause_while_a_patch_is_tried(tmp_path: Path, how: How) -> None:
    """The agent hears nothing of it: its conversation ends there, and is held again."""
    asked: list[str] = []

    def tries(seen: Seen) -> bool:
        """A tree is made for a patch, and its tests are to follow."""
        if begins("c1/fix")(seen):
            asked.append("fixer")
        return bool(asked) and starts("probe-1")(seen)

    with team(tmp_path, "fare") as run:
        stretch = run.stretch(Plan("seen", how=(how,), sign=tries))
        check(stretch, run, tmp_path)
        assert stretch.acknowledged is not None
        (fixer,) = [one for one in run.folder.path.glob("transcripts/*.jsonl") if "fix" in one.name]
        told = fixer.read_text()
        assert json.loads(told.splitlines()[-1])["type"] == ("put_off" if how == "SIGINT" else "reply")
        assert "again later" not in told
