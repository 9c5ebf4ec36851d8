"""A target without any service is repaired as well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from goldenpath_loop.core.remedies import remedies
from goldenpath_loop.session.folder import RunFolder
from tests.e2e.command import leftovers, only_run, state_of, typed
from tests.e2e.library import build_library, git


def test_a_regression_among_two_hundred_commits_is_repaired(tmp_path: Path) -> None:
    """The culprit is found in about two binary searches, reverted, proven; the branch is green by hand."""
    library = build_library(tmp_path)
    done = typed("start", "--focus", "goldenpath", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 0, done.errors
    assert done.record["outcome"] == "repaired"
    state = state_of(only_run(library.root / "runs"))
    verdict = state.verdict("culprit", "K1")
    assert verdict is not None
    assert verdict.revision == library.culprit
    probed = {key for key in state.effects if key.startswith("probe/")}
    assert len(probed) <= 6
    (remedy,) = remedies(state)
    assert git(library.root, "rev-parse", "main") == library.head
    assert git(library.root, "status", "--porcelain", "--untracked-files=no") == ""
    by_hand = tmp_path / "by-hand"
    git(tmp_path, "clone", "-q", "--branch", remedy.branch, str(library.origin), str(by_hand))
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=by_hand,
        capture_output=True,
        text=True,
    )
    assert tests.returncode == 0, tests.stdout
    assert leftovers(str(tmp_path)) == []


def test_a_revert_that_conflicts_is_handed_to_a_person(tmp_path: Path) -> None:
    """The culprit is still named; the run does not pretend to have repaired anything."""
    library = build_library(tmp_path, commits=40, culprit=21, crowded=True)
    done = typed("start", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 11, done.errors
    assert done.record["outcome"] == "inconclusive"
    assert "shop/prices.py" in done.record["next_actions"][0]
    assert library.culprit[:12] in done.record["next_actions"][0]
    state = state_of(only_run(library.root / "runs"))
    verdict = state.verdict("culprit", "K1")
    assert verdict is not None
    assert verdict.revision == library.culprit
    assert git(library.root, "branch", "--format=%(refname:short)").split() == ["main"]


def test_a_second_run_knows_the_first(tmp_path: Path) -> None:
    """Results of earlier runs are read from their logs and put what failed in front."""
    library = build_library(tmp_path, commits=12, culprit=9)
    typed("start", "--json", folder=library.root, cache=tmp_path)
    again = typed("start", "--json", folder=library.root, cache=tmp_path)
    assert again.exit_code == 0, again.errors
    newest = sorted((library.root / "runs").glob("*/session.jsonl"))[-1].parent
    state = state_of(RunFolder(newest))
    assert state.plan is not None
    assert "red in the last run" in state.plan.suites[0].reason
    assert state.plan.suites[0].tests[0].endswith("test_net_is_rounded")


BIGGEST = """

def biggest(prices):
    return max(prices)
"""


def test_of_a_commit_that_brought_a_feature_and_a_fault_only_the_fault_is_taken_back(tmp_path: Path) -> None:
    """Reverting it whole would break what uses the feature; the guilty hunk alone costs nothing."""
    library = build_library(tmp_path, commits=3, culprit=99)
    prices = library.root / "shop" / "prices.py"
    text = prices.read_text()
    assert "return sum(prices)" in text
    prices.write_text(text.replace("return sum(prices)", "return max(prices, default=0)" + BIGGEST.rstrip()))
    uses = "def test_biggest():\n    from shop.prices import biggest\n\n    assert biggest([1, 3]) == 3\n"
    (library.root / "tests" / "test_biggest.py").write_text(uses)
    git(library.root, "add", "-A")
    git(library.root, "commit", "-qm", "Know the biggest price")
    guilty = git(library.root, "rev-parse", "HEAD")
    git(library.root, "push", "-q", "origin", "main")
    done = typed("start", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 0, done.errors
    run = only_run(library.root / "runs")
    state = state_of(run)
    whole, part = remedies(state)
    assert (whole.commit, part.commit) == (guilty, guilty)
    assert not whole.hunks
    assert part.hunks
    assert [
        record.effect.branch for record in state.effects.values() if record.effect.kind == "push_branch"
    ] == [part.branch]
    repaired = git(library.root, "show", f"{part.branch}:shop/prices.py")
    assert "def biggest" in repaired
    told = (run.path / "pull_request.md").read_text()
    assert "Revert part of “Know the biggest price”" in told
    assert "taking back the whole commit instead: **violations**" in told
