"""Limits can be changed while a run goes on or is paused, and nothing that was used starts again at zero."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.e2e.command import LOOP, environment, only_run, state_of, typed
from tests.e2e.library import build_library, git


def test_a_run_that_goes_on_takes_other_limits(tmp_path: Path) -> None:
    """The log says who set them; less time than was used ends the run as out of budget."""
    library = build_library(tmp_path, commits=2, culprit=9)
    sleeps = "import time\n\n\ndef test_long():\n    time.sleep(8)\n"
    (library.root / "tests" / "test_long.py").write_text(sleeps)
    git(library.root, "add", "--all")
    git(library.root, "commit", "-qm", "A test that takes its time")
    with subprocess.Popen(
        [*LOOP, "start", "--json"], cwd=library.root, env=environment(tmp_path), stdout=subprocess.DEVNULL
    ) as process:
        while not list((library.root / "runs").glob("*/evidence")):
            assert process.poll() is None
        words = ("limits", "--set", "duration=1s", "--set", "cost=5", "--json")
        done = typed(*words, folder=library.root, cache=tmp_path)
        assert done.exit_code == 0, done.errors
        assert done.record["limits"]["duration_s"]["allowed"] == 1
        assert done.record["limits"]["duration_s"]["used"] > 0
        assert process.wait(timeout=60) == 13
    state = state_of(only_run(library.root / "runs"))
    assert state.limits is not None
    assert state.limits.cost_usd == 5
    assert state.finished is not None
    assert state.finished.outcome == "budget"
    late = typed("limits", "--set", "cycles=9", folder=library.root, cache=tmp_path)
    assert late.exit_code == 2


def test_a_paused_run_takes_other_limits(tmp_path: Path) -> None:
    """It is resumed under them; a limit that is none, or cannot be, is refused."""
    library = build_library(tmp_path, commits=6, culprit=3)
    assert typed("start", "--approve", "push", folder=library.root, cache=tmp_path).exit_code == 130
    for wrong in ("speed=3", "cycles=0", "cycles=many", "cost"):
        refused = typed("limits", "--set", wrong, folder=library.root, cache=tmp_path)
        assert refused.exit_code == 2, wrong
    assert typed("limits", "--set", "pull_requests=0", folder=library.root, cache=tmp_path).exit_code == 0
    assert typed("approve", folder=library.root, cache=tmp_path).exit_code == 0
    done = typed("resume", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 12, done.errors
    assert done.record["outcome"] == "pull_request_limit"
