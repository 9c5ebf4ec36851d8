"""Ctrl-C at any moment: everything it started is ended, the log says so, and a resume reaches the outcome."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from goldenpath_loop.engine.left_over import mark_of
from goldenpath_loop.records.events import ControlRequested, EffectRequested, RunPaused
from goldenpath_loop.session.chain import read
from goldenpath_loop.system.process_tree import MARKER, end_left_over
from tests.e2e.command import LOOP, environment, leftovers, only_run, state_of, typed
from tests.e2e.library import build_library, git


def _interrupted(words: list[str], folder: Path, cache: Path, ready: str, number: int) -> int:
    """Start the command, wait until it says `ready`, send it a signal, and return its exit code."""
    with subprocess.Popen(
        [*LOOP, *words],
        cwd=folder,
        env=environment(cache),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        seen: list[str] = []
        for line in process.stdout:
            seen.append(line)
            if ready in line:
                break
        else:
            pytest.fail(f"it never said {ready!r}:\n{''.join(seen)}")
        os.killpg(process.pid, number)
        process.stdout.read()
        return process.wait(timeout=60)


@pytest.mark.parametrize(
    "ready",
    [
        pytest.param("deploy_check", marks=pytest.mark.full),
        "execute",
        "five_whys",
        pytest.param("stability_proof", marks=pytest.mark.full),
        "pull_request",
    ],
)
def test_ctrl_c_leaves_nothing_and_a_resume_finishes(tmp_path: Path, ready: str) -> None:
    """Whatever phase it hits."""
    library = build_library(tmp_path, commits=12, culprit=9)
    exit_code = _interrupted(["start"], library.root, tmp_path, ready, signal.SIGINT)
    assert exit_code == 130
    assert leftovers(str(tmp_path)) == []
    run = only_run(library.root / "runs")
    assert state_of(run).paused
    assert not list(tmp_path.rglob("*.scratch"))
    resumed = typed("resume", "--json", folder=library.root, cache=tmp_path)
    assert resumed.exit_code == 0, resumed.errors
    assert resumed.record["outcome"] == "repaired"
    assert leftovers(str(tmp_path)) == []


def test_ctrl_c_waits_for_what_is_under_way_and_twice_does_not(tmp_path: Path) -> None:
    """A test that hangs holds a soft pause up; the second Ctrl-C ends it."""
    library = build_library(tmp_path, commits=2, culprit=9)
    (library.root / "tests" / "test_hang.py").write_text(
        "import time\n\n\ndef test_hang():\n    time.sleep(300)\n"
    )
    git(library.root, "add", "--all")
    git(library.root, "commit", "-qm", "A test that hangs")
    with subprocess.Popen(
        [*LOOP, "start"],
        cwd=library.root,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "execute started" in line:
                break
        while not any("test_hang" in one for one in leftovers(str(tmp_path))):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        for line in process.stdout:
            if "Ctrl-C once more" in line:
                break
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(timeout=60) == 130
    state = state_of(only_run(library.root / "runs"))
    assert state.paused
    assert leftovers(str(tmp_path)) == []


@pytest.mark.slow
@pytest.mark.parametrize("ready", ["deploy_check", "test_select", "execute"])
def test_ctrl_c_ends_every_service(tmp_path: Path, ready: str) -> None:
    """Services are processes of their own; none outlives the run."""
    words = ["start", "--demo", "missing-secret"]
    assert _interrupted(words, tmp_path, tmp_path, ready, signal.SIGINT) == 130
    assert leftovers(str(tmp_path)) == []
    resumed = typed("resume", "--json", folder=tmp_path)
    assert resumed.exit_code == 10, resumed.errors


def test_a_killed_engine_is_resumed(tmp_path: Path) -> None:
    """After kill -9 nothing was said in the log; the resume folds what is there and goes on."""
    library = build_library(tmp_path, commits=12, culprit=9)
    exit_code = _interrupted(["start"], library.root, tmp_path, "five_whys", signal.SIGKILL)
    assert exit_code == -signal.SIGKILL
    run = only_run(library.root / "runs")
    assert not state_of(run).paused
    with run.log.open("ab") as log:
        log.write(b'{"seq":')
    resumed = typed("resume", "--json", folder=library.root, cache=tmp_path)
    assert resumed.exit_code == 0, resumed.errors
    assert resumed.record["outcome"] == "repaired"
    assert (run.path / "session.jsonl.torn-1").read_bytes() == b'{"seq":'
    told = typed("show", "--runs", str(library.root / "runs"), folder=library.root).output
    assert "the last line was torn, its 7 bytes were moved aside" in told


@pytest.mark.parametrize("ready", ["test_select", "execute"])
def test_a_killed_engines_services_are_ended_by_the_resume(tmp_path: Path, ready: str) -> None:
    """They outlive it, for nobody could end them; the next engine does, and still knows what was missing."""
    words = ["start", "--demo", "missing-secret"]
    assert _interrupted(words, tmp_path, tmp_path, ready, signal.SIGKILL) == -signal.SIGKILL
    assert leftovers(str(tmp_path)) != []
    resumed = typed("resume", "--json", folder=tmp_path)
    assert resumed.exit_code == 10, resumed.errors
    assert resumed.record["next_actions"][0].startswith("Set SERVICE_SECRET in ")
    assert leftovers(str(tmp_path)) == []
    assert not list(tmp_path.rglob("*.scratch"))


def test_a_finished_run_is_left_alone(tmp_path: Path) -> None:
    """Resuming it says the outcome again and appends nothing."""
    library = build_library(tmp_path, commits=3, culprit=99)
    assert typed("start", "--json", folder=library.root, cache=tmp_path).exit_code == 0
    run = only_run(library.root / "runs")
    before = run.log.read_bytes()
    again = typed("resume", "--json", folder=library.root, cache=tmp_path)
    assert again.exit_code == 0
    assert again.record["outcome"] == "passed"
    assert run.log.read_bytes() == before


def test_an_engine_that_was_killed_after_its_last_event_is_cleared_up_after(tmp_path: Path) -> None:
    """The run is finished, and what its engine could not end any more is ended by the resume."""
    library = build_library(tmp_path, commits=3, culprit=99)
    assert typed("start", "--json", folder=library.root, cache=tmp_path).exit_code == 0
    run = only_run(library.root / "runs")
    before = run.log.read_bytes()
    (trees,) = (tmp_path / "cache" / "goldenpath-loop").iterdir()
    scratch, tree = trees / f"{run.id}.scratch", trees / run.id / "cycle-1"
    scratch.mkdir()
    git(library.root, "worktree", "add", "--quiet", "--detach", str(tree), "HEAD")
    environ = {**os.environ, MARKER: mark_of(run)}
    with subprocess.Popen(["sleep", "600"], env=environ, start_new_session=True) as left:
        assert typed("resume", "--json", folder=library.root, cache=tmp_path).exit_code == 0
        assert left.wait(timeout=60) == -signal.SIGKILL
    assert not scratch.exists()
    assert not tree.exists()
    assert run.log.read_bytes() == before


@pytest.mark.parametrize(("ready", "words"), [("execute", ()), ("five_whys", ()), ("five_whys", ("--now",))])
def test_a_pause_from_another_terminal_is_acknowledged_and_nothing_starts_after_it(
    tmp_path: Path, ready: str, words: tuple[str, ...]
) -> None:
    """Soft: what is in flight ends by itself. Now: it is ended. A resume reaches the outcome either way."""
    library = build_library(tmp_path, commits=12, culprit=9)
    with subprocess.Popen(
        [*LOOP, "start"],
        cwd=library.root,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if ready in line:
                break
        paused = typed("pause", "--json", *words, folder=library.root, cache=tmp_path)
        assert paused.exit_code == 0, paused.errors
        assert paused.record["paused"]
        process.stdout.read()
        assert process.wait(timeout=60) == 130
    run = only_run(library.root / "runs")
    events = [line.event for line in read(run.log)]
    acknowledged = next(number for number, one in enumerate(events) if isinstance(one, ControlRequested))
    assert not [one for one in events[acknowledged:] if isinstance(one, EffectRequested)]
    assert isinstance(events[-1], RunPaused)
    assert leftovers(str(tmp_path)) == []
    resumed = typed("resume", "--json", folder=library.root, cache=tmp_path)
    assert resumed.record["outcome"] == "repaired", resumed.errors


def test_a_run_that_does_not_run_cannot_be_paused(tmp_path: Path) -> None:
    """It says how to see where it stands."""
    library = build_library(tmp_path, commits=4, culprit=9)
    typed("start", "--json", folder=library.root, cache=tmp_path)
    refused = typed("pause", folder=library.root, cache=tmp_path)
    assert refused.exit_code == 2
    assert "is not running" in refused.errors


def test_who_pauses_a_run_that_is_killed_meanwhile_is_told_so(tmp_path: Path) -> None:
    """It did not come to rest, and nobody says that it did."""
    library = build_library(tmp_path, commits=2, culprit=9)
    (library.root / "tests" / "test_hang.py").write_text(
        "import time\n\n\ndef test_hang():\n    time.sleep(300)\n"
    )
    git(library.root, "add", "--all")
    git(library.root, "commit", "-qm", "A test that hangs")
    with subprocess.Popen(
        [*LOOP, "start", "--json"],
        cwd=library.root,
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        while not any("test_hang" in one for one in leftovers(str(tmp_path))):
            time.sleep(0.05)
        with subprocess.Popen(
            [*LOOP, "pause"],
            cwd=library.root,
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            text=True,
        ) as pausing:
            assert pausing.stdout is not None
            assert "acknowledged: nothing new starts" in pausing.stdout.readline()
            assert pausing.stdout.readline() == "  waits for c1/execute/unit\n"
            os.killpg(process.pid, signal.SIGKILL)
            assert "was killed before it came to rest" in pausing.stdout.read()
            assert pausing.wait(timeout=60) == 1
    assert end_left_over(str(tmp_path)) > 0
