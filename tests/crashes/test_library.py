"""A whole scenario on a real repository, killed where the world is being changed, and resumed by the plain command."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.crashes.plug import Point
from tests.crashes.real import Life, armed, boundaries, compared, life
from tests.crashes.tally import Found, Tally
from tests.e2e.command import typed
from tests.e2e.library import LIBRARY_CONFIG, build_library, git

# What the machine's own plugins for pytest do would take most of the time.
_CONFIG = LIBRARY_CONFIG.replace(
    'path = "tests"\n', 'path = "tests"\nenv = { PYTEST_DISABLE_PLUGIN_AUTOLOAD = "1" }\n'
)
_WORDS = ("start", "--json")
_CHANGES = ("remedy/revert/", "push/", "pull_request/")


_KILL = """#!/bin/sh
# Up from here to the engine that pushes, if it is one whose plug is armed.
process=$PPID
until tr '\\0' ' ' </proc/$process/cmdline | grep -q tests.crashes.launcher; do
    process=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$process/status)
    [ "$process" -gt 1 ] || exit 0
done
kill -9 $process
"""
_NEVER = Point(1_000_000)


def _lived(folder: Path, points: Sequence[Point], *, hook: str = "") -> Life:
    """One run on a library of its own, whose remote keeps count of what is done to it.

    Args:
        folder: Where everything lies; made here.
        points: Where its processes are killed.
        hook: Name of a hook of the remote that kills the engine while it pushes.
    """
    folder.mkdir()
    library = build_library(folder, commits=4, culprit=3, config=_CONFIG)
    git(library.origin, "config", "core.logAllRefUpdates", "always")
    if hook:
        path = library.origin / "hooks" / hook
        path.write_text(_KILL)
        path.chmod(0o755)
    return life(library.root, folder, _WORDS, points)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """The run that nobody interrupts."""
    found = _lived(tmp_path_factory.mktemp("uninterrupted") / "whole", ())
    assert found.exit_code == 0, found.errors
    assert found.record["outcome"] == "repaired"
    assert found.picture["verified"] == 0
    assert found.orphans == ()
    assert found.changes["pull requests"] == 1
    assert [name for name in found.changes if name.startswith("origin.git: goldenpath/")]
    return found


def test_killed_while_the_world_is_changed_it_ends_the_same(tmp_path: Path, whole: Life) -> None:
    """Each change was made and the log does not know it, or was announced and is not made."""
    unsaid = [Point(type="effect.settled", key=key, keep=17 * number) for number, key in enumerate(_CHANGES)]
    undone = [Point(type="effect.requested", key=key) for key in _CHANGES]
    lives = {"unsaid": unsaid, "undone": undone}
    tally = Tally(
        "changes under way",
        [compared(_lived(tmp_path / name, points), whole, points) for name, points in lives.items()],
    )
    assert not tally.problems, tally.problems
    assert tally.kills == len(lives) * len(_CHANGES)


@pytest.mark.parametrize("hook", ["pre-receive", "post-receive"])
def test_killed_in_the_middle_of_a_push_it_ends_the_same(tmp_path: Path, whole: Life, hook: str) -> None:
    """The remote has the commits and not yet the branch, or has the branch and did not say so."""
    found = compared(_lived(tmp_path / hook, [_NEVER], hook=hook), whole, [_NEVER])
    assert not found.problems, found.problems
    assert found.kills == 1


@pytest.mark.full
def test_killed_anywhere_it_ends_the_same(
    tmp_path: Path, whole: Life, capsys: pytest.CaptureFixture[str]
) -> None:
    """At every boundary; where the world is changed, before the change, after it, and when it is in the log."""
    points = boundaries(len(whole.run.log.read_bytes().splitlines()))
    for key in _CHANGES:
        asked, settled = Point(type="effect.requested", key=key), Point(type="effect.settled", key=key)
        points += [asked, replace(settled, keep=0), settled]

    def survived(number: int) -> Found:
        folder = tmp_path / str(number)
        found = compared(_lived(folder, points[number : number + 1]), whole, points[number : number + 1])
        if not found.problems:
            shutil.rmtree(folder)
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tally = Tally("boundaries of a real run", pool.map(survived, range(len(points))))
    with capsys.disabled():
        print(f"\n{tally}")  # noqa: T201
    assert not tally.problems, tally.problems
    # Of two units at once one may be through sooner than last time: a run of fewer lines never comes to the last.
    assert tally.kills >= len(points) * 0.9


@pytest.mark.parametrize("keep", [0, 1000])
def test_killed_before_its_first_line_is_whole_it_never_began(tmp_path: Path, keep: int) -> None:
    """Nothing was done; a resume says so, and a new run is not held up by what is left of it."""
    library = build_library(tmp_path, commits=2, culprit=9, config=_CONFIG)
    code, _, _ = armed(library.root, tmp_path, _WORDS, Point(keep=keep))
    assert code == -signal.SIGKILL
    resumed = typed("resume", "--json", folder=library.root, cache=tmp_path)
    assert resumed.exit_code == 1
    assert "the log has no beginning" in resumed.errors
    again = typed(*_WORDS, folder=library.root, cache=tmp_path)
    assert again.exit_code == 0, again.errors
    assert again.record["outcome"] == "passed"
