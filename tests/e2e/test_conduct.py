"""How far a run may go: only look, stop after a phase, or ask a person first."""

from __future__ import annotations

from pathlib import Path

from goldenpath_loop.core.remedies import is_proven, remedies
from goldenpath_loop.records.events import ApprovalDecided
from goldenpath_loop.session.chain import read
from tests.e2e.command import only_run, state_of, typed
from tests.e2e.library import Library, build_library, git


def _branches(library: Library) -> list[str]:
    here = git(library.root, "branch", "--format=%(refname:short)").split()
    there = git(library.origin, "branch", "--format=%(refname:short)").split()
    return [one for one in (*here, *there) if one != "main"]


def test_who_only_observes_changes_nothing(tmp_path: Path) -> None:
    """The repair is made and proven, and nobody else can see it."""
    library = build_library(tmp_path, commits=6, culprit=3)
    done = typed("start", "--observe", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 10, done.errors
    assert "without --observe" in done.record["next_actions"][0]
    state = state_of(only_run(library.root / "runs"))
    assert [is_proven(state, one) for one in remedies(state)] == [True]
    assert _branches(library) == []
    assert not (only_run(library.root / "runs").path / "pull_request.md").exists()


def test_a_run_ends_after_the_phase_that_was_named(tmp_path: Path) -> None:
    """Whatever would have come next; a name that is no phase is refused with those there are."""
    library = build_library(tmp_path, commits=6, culprit=3)
    wrong = typed("start", "--stop-after", "six_whys", folder=library.root, cache=tmp_path)
    assert wrong.exit_code == 2
    assert "five_whys" in wrong.errors
    done = typed("start", "--stop-after", "execute", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 11, done.errors
    assert done.record["reason"].startswith("stopped after execute, as asked")
    assert state_of(only_run(library.root / "runs")).closed[-1].phase == "execute"


def test_a_person_decides_before_anything_is_pushed(tmp_path: Path) -> None:
    """The run pauses and says what it would do; approved it goes on, and who approved it stands in the log."""
    library = build_library(tmp_path, commits=6, culprit=3)
    asked = typed("start", "--approve", "push,pull_request", folder=library.root, cache=tmp_path)
    assert asked.exit_code == 130, asked.errors
    assert "a person has to decide: push goldenpath/revert-" in asked.output
    assert _branches(library) == []
    run = only_run(library.root / "runs")
    assert typed("approve", "--reason", "looks right", folder=library.root, cache=tmp_path).exit_code == 0
    again = typed("resume", folder=library.root, cache=tmp_path)
    assert again.exit_code == 130, again.errors
    assert _branches(library) != []
    assert not (run.path / "pull_request.md").exists()
    assert typed("approve", folder=library.root, cache=tmp_path).exit_code == 0
    done = typed("resume", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 0, done.errors
    assert done.record["outcome"] == "repaired"
    decided = [line.event for line in read(run.log) if isinstance(line.event, ApprovalDecided)]
    assert [one.approved for one in decided] == [True, True]
    assert decided[0].reason == "looks right"
    assert typed("approve", folder=library.root, cache=tmp_path).exit_code == 2


def test_what_a_person_rejects_is_not_done(tmp_path: Path) -> None:
    """Nothing is pushed, and the end says by whom it was rejected."""
    library = build_library(tmp_path, commits=6, culprit=3)
    assert typed("start", "--approve", "push", folder=library.root, cache=tmp_path).exit_code == 130
    assert typed("reject", "--reason", "not tonight", folder=library.root, cache=tmp_path).exit_code == 0
    done = typed("resume", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 10, done.errors
    assert "not tonight" in " ".join(done.record["next_actions"])
    assert _branches(library) == []
