"""Scenarios of the built-in target end as they should, started as a person starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from goldenpath_loop.core.remedies import remedies
from goldenpath_loop.demo import write_demo
from tests.e2e.command import leftovers, only_run, state_of, typed
from tests.e2e.library import git

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "scenario", ["websocket-route", pytest.param("event-payload", marks=pytest.mark.full)]
)
def test_a_regression_is_found_reverted_and_proven(tmp_path: Path, scenario: str) -> None:
    """The planted commit is named, the branch makes the suite green, and nothing of the user's is touched."""
    planted = write_demo(tmp_path / "twin", scenario)
    done = typed("start", "--demo", scenario, "--json", folder=tmp_path)
    assert done.exit_code == 0, done.errors
    assert done.record["outcome"] == "repaired"
    run = only_run(tmp_path / "runs")
    state = state_of(run)
    named = {verdict.revision for verdict in state.verdicts if verdict.kind == "culprit"}
    assert named == {planted.culprit}
    assert any(finding.kind == "why_chain" and len(finding.chain) >= 4 for finding in state.findings)
    assert not state.rejected
    checkout = run.path / "demo" / "chat"
    assert git(checkout, "status", "--porcelain") == ""
    assert git(checkout, "rev-parse", "main") == git(planted.root, "rev-parse", "main")
    assert git(checkout, "rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert len(git(checkout, "worktree", "list").splitlines()) == 1
    (remedy,) = remedies(state)
    assert git(checkout, "ls-remote", "--heads", "origin", remedy.branch).split()[0] == remedy.head
    assert (run.path / "pull_request.md").read_text().count(remedy.branch) >= 1
    assert "repaired" in run.worklog.read_text()
    assert leftovers(str(tmp_path)) == []


def test_a_missing_secret_blocks_the_run_with_one_precise_action(tmp_path: Path) -> None:
    """No code is at fault: what can run runs, and a person is told exactly what to set."""
    done = typed("start", "--demo", "missing-secret", "--json", folder=tmp_path)
    assert done.exit_code == 10, done.errors
    assert done.record["outcome"] == "blocked"
    assert done.record["next_actions"] == [
        "Set SERVICE_SECRET in ../staging.env for service auth, then run the loop again."
    ]
    state = state_of(only_run(tmp_path / "runs"))
    assert remedies(state) == ()
    assert state.plan is not None
    assert state.plan.suites
    assert state.plan.left_out
    assert leftovers(str(tmp_path)) == []


def test_nothing_wrong_passes_and_changes_nothing(tmp_path: Path) -> None:
    """All green ends `passed`: no branch, no worktree, no pull request."""
    done = typed("start", "--demo", "all-green", "--json", folder=tmp_path)
    assert done.exit_code == 0, done.errors
    assert done.record["outcome"] == "passed"
    run = only_run(tmp_path / "runs")
    checkout = run.path / "demo" / "chat"
    assert git(checkout, "branch", "--format=%(refname:short)").split() == ["main"]
    assert not list(run.path.glob("pull_request*.md"))
    assert leftovers(str(tmp_path)) == []


def test_no_value_of_the_settings_file_reaches_the_run_folder(tmp_path: Path) -> None:
    """Secrets never reach the disk, whoever prints them."""
    typed("start", "--demo", "all-green", "--json", folder=tmp_path)
    run = only_run(tmp_path / "runs")
    secrets = [
        line.split("=", 1)[1].strip()
        for line in (run.path / "demo" / "staging.env").read_text().splitlines()
        if "=" in line and not line.startswith("#")
    ]
    assert secrets
    written = [run.log, run.worklog, *run.evidence.iterdir()]
    for secret in secrets:
        assert [path for path in written if secret.encode() in path.read_bytes()] == []


def test_the_target_of_a_clone_is_the_built_in_one(tmp_path: Path) -> None:
    """`[tool.goldenpath] demo` in a project file stands for `--demo`, and its limits count."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.goldenpath]\ndemo = "all-green"\n[tool.goldenpath.limits]\ncycles = 2\n'
    )
    done = typed("start", "--focus", "smoke", "--json", folder=tmp_path)
    assert done.exit_code == 0, done.errors
    state = state_of(only_run(tmp_path / "runs"))
    assert state.started is not None
    assert state.started.policy is not None
    assert state.started.policy.limits.cycles == 2
    assert state.started.policy.focus.name == "smoke"


def test_the_command_is_installed() -> None:
    """`loop --version` works from the environment the tests run in."""
    loop = Path(sys.executable).with_name("loop")
    done = subprocess.run(
        [loop, "--version"], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.startswith("loop 0.")
