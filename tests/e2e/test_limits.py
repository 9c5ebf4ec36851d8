"""Limits can be changed while a run goes on or is paused, and nothing that was used starts again at zero."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.e2e.command import LOOP, environment, only_run, state_of, typed
from tests.e2e.library import LIBRARY_CONFIG, build_library, git


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


def test_a_run_whose_time_is_up_hands_over_where_the_search_stood(tmp_path: Path) -> None:
    """In the middle of a search in which old commits take their time; a person sees the same everywhere."""
    library = build_library(tmp_path, commits=12, culprit=5)
    waits = (
        "import time\nfrom pathlib import Path\n\n"
        "if not Path('shop/steps/step_12.py').exists():\n    time.sleep(6)\n\n"
    )
    tests = library.root / "tests" / "test_prices.py"
    tests.write_text(waits + tests.read_text())
    git(library.root, "commit", "-qam", "Tests that take their time on old commits")
    with subprocess.Popen(
        [*LOOP, "start", "--json"],
        cwd=library.root,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        while not any(
            b'"key":"probe/' in log.read_bytes() for log in library.root.glob("runs/*/session.jsonl")
        ):
            assert process.poll() is None
        done = typed("limits", "--set", "duration=1s", folder=library.root, cache=tmp_path)
        assert done.exit_code == 0, done.errors
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 13
    ended = json.loads(said)
    record = ended["hand_off"]
    assert (ended["outcome"], record["ended_by"], record["reached"]) == (
        "budget",
        "duration_s",
        ["duration_s"],
    )
    assert (record["cycle"], record["phase"]) == (1, "five_whys")
    assert all(key.startswith("probe/") for key in record["unfinished"])
    (stand,) = record["clusters"]
    assert (stand["cluster"], stand["stage"]) == ("K1", "triaged")
    assert 1 < stand["left"] <= 13
    listed = git(library.root, "log", "--format=%H", "main").splitlines()
    between = listed[listed.index(stand["newest"]) : listed.index(stand["oldest"]) + 1]
    assert library.culprit in between and len(between) == stand["left"]
    config = library.root / "goldenpath.toml"
    assert record["next_run"] == (
        f"GOLDENPATH_LIMITS__DURATION_S=60 loop start --config {config} --focus goldenpath"
    )
    run = only_run(library.root / "runs")
    assert state_of(run).limits_reached == ("duration_s",)
    assert "### Hand-off" in run.worklog.read_text()
    for words in (("show",), ("status",), ("resume",)):
        told = typed(*words, folder=library.root, cache=tmp_path)
        assert f"its culprit is one of {stand['left']} commits" in told.output, words
    (found,) = json.loads(typed("list", "--json", folder=library.root, cache=tmp_path).output)
    assert found["hand_off"] == record


def test_a_run_that_used_its_cycles_hands_over_what_is_shown(tmp_path: Path) -> None:
    """And the command in it begins a run that goes further."""
    library = build_library(
        tmp_path, commits=6, culprit=3, config=f"{LIBRARY_CONFIG}\n[limits]\ncycles = 1\n"
    )
    done = typed("start", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 13, done.errors
    record = done.record["hand_off"]
    assert (record["ended_by"], record["phase"], record["unfinished"]) == ("cycles", "", [])
    assert [(one["stage"], one["culprit"]) for one in record["clusters"]] == [("shown", library.culprit)]
    assert record["remedies"] == []
    assert {one["limit"]: one["used"] for one in record["spent"]}["pull_requests"] == 1
    again = subprocess.run(
        ["sh", "-c", record["next_run"].replace("loop", " ".join(LOOP), 1)],
        cwd=library.root,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert "repaired" in again.stdout
