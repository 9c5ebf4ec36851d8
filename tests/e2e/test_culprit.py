"""`loop culprit` as a person types it, in repositories of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.command import LOOP, environment, leftovers, only_run, state_of, typed
from tests.e2e.library import git

CHECK = "import sys; sys.exit(0 if open('value.txt').read().strip() == 'good' else 1)"
"""Fails where the file does not say what it should."""


def history(root: Path, values: list[str]) -> list[str]:
    """A repository with one commit for each of `values`; their ids, oldest first."""
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    revisions: list[str] = []
    for number, value in enumerate(values):
        (root / "value.txt").write_text(f"{value}\n")
        (root / "number.txt").write_text(f"{number}\n")
        git(root, "add", "-A")
        git(root, "commit", "-qm", f"Change {number}")
        revisions.append(git(root, "rev-parse", "HEAD"))
    return revisions


def ask(root: Path, *words: str, code: str = CHECK) -> tuple[str, ...]:
    """The words of one question."""
    return ("culprit", "--json", *words, "--", sys.executable, "-c", code)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("is_told", [True, False])
def test_a_culprit_is_found_and_proven(tmp_path: Path, jobs: str, is_told: bool) -> None:
    """With a good revision, and without one: then it steps back until it finds one itself."""
    root = tmp_path / "repo"
    revisions = history(root, ["good"] * 12 + ["bad"] * 6)
    told = ("--good", revisions[0]) if is_told else ()
    found = typed(*ask(root, "--jobs", jobs, *told), folder=root, cache=tmp_path)
    assert found.exit_code == 0, found.errors
    assert found.record["outcome"] == "found"
    assert found.record["answer"] == "confirmed"
    assert found.record["culprit"] == revisions[12]
    assert found.record["confidence"] >= 0.99
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "worktree", "list").count("\n") == 0
    assert leftovers(str(tmp_path)) == []


def test_a_flaky_command_is_searched_by_its_rates(tmp_path: Path) -> None:
    """It fails three times of five since the culprit and passes before; a counter outside stands for chance."""
    root = tmp_path / "repo"
    revisions = history(root, ["good"] * 9 + ["bad"] * 7)
    counter = tmp_path / "counter"
    counter.write_text("0")
    code = (
        f"import pathlib, sys; c = pathlib.Path({str(counter)!r}); n = int(c.read_text()) + 1; c.write_text(str(n));"
        "sys.exit(1 if open('value.txt').read().strip() == 'bad' and n * 7 % 5 < 3 else 0)"
    )
    words = ask(root, "--flaky", "--jobs", "1", "--good", revisions[0], code=code)
    found = typed(*words, folder=root, cache=tmp_path)
    assert found.exit_code == 0, found.errors
    assert found.record["culprit"] == revisions[9]


@pytest.mark.parametrize(
    ("exit_code", "what"), [(125, "says so"), (3, "fails in another way"), (139, "dies")]
)
def test_what_cannot_be_compared_is_no_failure(tmp_path: Path, exit_code: int, what: str) -> None:
    """The answer is the stretch in which nothing can be told, never one of its commits."""
    root = tmp_path / "repo"
    revisions = history(root, ["good"] * 6 + ["broken"] * 4 + ["bad"] * 6)
    code = (
        "import sys; v = open('value.txt').read().strip();"
        f"sys.exit(0 if v == 'good' else {exit_code} if v == 'broken' else 1)"
    )
    found = typed(*ask(root, "--good", revisions[0], code=code), folder=root, cache=tmp_path)
    assert found.exit_code == 11, what
    assert found.record["answer"] == "range"
    assert found.record["culprit"] == revisions[10]
    assert "one of 5 commits" in found.record["reason"]


@pytest.mark.parametrize(
    ("values", "answer"), [(["good"] * 5, "not_red"), (["bad"] * 5, "never_good")], ids=["green", "red"]
)
def test_no_culprit_is_an_answer(tmp_path: Path, values: list[str], answer: str) -> None:
    """It is green now, or red as far back as history goes."""
    root = tmp_path / "repo"
    history(root, values)
    found = typed(*ask(root), folder=root, cache=tmp_path)
    assert found.exit_code == 11
    assert found.record["answer"] == answer


def test_the_newest_of_several_broken_stretches_is_why_it_is_red_now(tmp_path: Path) -> None:
    """And the report says that there are others."""
    root = tmp_path / "repo"
    revisions = history(root, ["good", "bad", "bad", "good", "good", "good", "bad", "bad"])
    found = typed(*ask(root), folder=root, cache=tmp_path)
    assert found.record["culprit"] == revisions[6]


def test_a_new_test_is_carried_to_old_commits(tmp_path: Path) -> None:
    """The file did not exist then."""
    root = tmp_path / "repo"
    revisions = history(root, ["good"] * 5 + ["bad"] * 3)
    (root / "check.py").write_text(CHECK)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "A test for it")
    words = ("culprit", "--json", "--carry", "check.py", "--", sys.executable, "check.py")
    found = typed(*words, folder=root, cache=tmp_path)
    assert found.exit_code == 0, found.errors
    assert found.record["culprit"] == revisions[5]


def test_a_killed_search_goes_on_where_it_was(tmp_path: Path) -> None:
    """What was run is not run again."""
    root = tmp_path / "repo"
    revisions = history(root, ["good"] * 20 + ["bad"] * 20)
    words = ("culprit", "--jobs", "1", "--good", revisions[0], "--", sys.executable, "-c", CHECK)
    with subprocess.Popen(
        [*LOOP, *words],
        cwd=root,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "V3 " in line:
                break
        os.killpg(process.pid, signal.SIGKILL)
    run = only_run(root / "runs")
    before = {key for key, one in state_of(run).effects.items() if one.status == "settled"}
    resumed = typed("resume", "--json", folder=root, cache=tmp_path)
    assert resumed.exit_code == 0, resumed.errors
    assert resumed.record["culprit"] == revisions[20]
    assert resumed.record["runs"] <= 7
    state = state_of(run)
    assert all(state.effects[key].generation == 0 for key in before)


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (("--good", "nonsense"), 2, "nonsense is no commit"),
        (("--confidence", "2"), 2, "not between 0.5 and 1"),
        (("--delta", "0"), 2, "not between 0 and 1"),
        (("--good", "side"), 10, "is not among the"),
        (("--good", "HEAD"), 10, "good and bad are the same commit"),
    ],
)
def test_a_question_that_cannot_be_asked_says_why(
    tmp_path: Path, words: tuple[str, ...], exit_code: int, said: str
) -> None:
    """In one line, with an exit code that fits."""
    root = tmp_path / "repo"
    revisions = history(root, ["good", "bad", "bad"])
    git(root, "checkout", "-q", "-b", "side", revisions[0])
    git(root, "commit", "-qm", "Elsewhere", "--allow-empty")
    git(root, "checkout", "-q", "main")
    found = typed(*ask(root, *words), folder=root, cache=tmp_path)
    assert found.exit_code == exit_code
    assert said in found.output + found.errors


def test_the_report_tells_every_run_and_draws_the_belief(tmp_path: Path) -> None:
    """A table of runs, then bars."""
    root = tmp_path / "repo"
    revisions = history(root, ["good"] * 6 + ["bad"] * 6)
    words = ("culprit", "--good", revisions[0], "--", sys.executable, "-c", CHECK)
    found = typed(*words, folder=root, cache=tmp_path)
    lines = found.output.splitlines()
    table = lines[next(number for number, line in enumerate(lines) if line.startswith("run ")) :]
    assert sum(revisions[6][:12] in line for line in table) >= 2
    assert any("█" in line and "Change 6" in line for line in table)


CONSOLIDATED = "import shop; assert shop.total([1, 2]) == 3, 'total is wrong'; assert shop.rate(2) == 4"


def consolidated(root: Path, *, later: str = "", both: bool = False) -> str:
    """A repository in which one of twenty-odd hunks of a large commit is guilty; the id of that commit."""
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    plain = "".join(f"def f{number}(x):\n    return x + {number}\n\n\n" for number in range(20))
    (root / "shop.py").write_text(
        f"{plain}def total(prices):\n    return sum(prices)\n\n\ndef rate(x):\n    return 2 * x\n"
    )
    git(root, "add", "-A")
    git(root, "commit", "-qm", "Begin")
    text = (root / "shop.py").read_text().replace("sum(prices)", "max(prices)")
    for number in range(20):
        text = text.replace(f"return x + {number}\n", f"return {number} + x\n")
    if both:
        text = text.replace("2 * x", "3 * x")
    (root / "shop.py").write_text(text)
    git(root, "commit", "-qam", "Consolidate")
    guilty = git(root, "rev-parse", "HEAD")
    (root / "shop.py").write_text(
        f"# later\n{text}".replace("return max(prices)", later or "return max(prices)")
    )
    git(root, "commit", "-qam", "Go on", "--allow-empty")
    return guilty


@pytest.mark.parametrize("both", [False, True])
def test_the_guilty_hunks_of_a_large_commit_are_taken_back_on_the_newest(tmp_path: Path, both: bool) -> None:
    """Later edits stay; the patch applies to the user's checkout and makes the command pass."""
    root = tmp_path / "repo"
    guilty = consolidated(root, both=both)
    found = typed(*ask(root, "--hunks", code=CONSOLIDATED), folder=root, cache=tmp_path)
    assert found.exit_code == 0, found.errors
    assert found.record["culprit"] == guilty
    assert found.record["hunks"]["answer"] == "minimal"
    patch = Path(found.record["patch"])
    changed = [line for line in patch.read_text().splitlines() if line.startswith("-") and line[:3] != "---"]
    assert changed == ["-    return max(prices)", *(["-    return 3 * x"] if both else [])]
    git(root, "apply", str(patch))
    subprocess.run([sys.executable, "-c", CONSOLIDATED], cwd=root, check=True)
    assert (root / "shop.py").read_text().startswith("# later\n")


def test_hunks_that_later_changes_stand_in_the_way_of_are_no_patch(tmp_path: Path) -> None:
    """It says which file, and invents nothing."""
    root = tmp_path / "repo"
    guilty = consolidated(root, later="return max(prices, default=0)")
    found = typed(*ask(root, "--hunks", code=CONSOLIDATED), folder=root, cache=tmp_path)
    assert found.record["culprit"] == guilty
    assert found.record["hunks"]["answer"] == "none"
    assert found.record["patch"] is None
    assert not list((root / "runs").glob("*/culprit.patch"))


@pytest.mark.parametrize("place", ["branch", "merge"])
def test_inside_a_guilty_merge_the_commit_of_its_branch_is_named(tmp_path: Path, place: str) -> None:
    """Or the merge itself, when the branch passes alone."""
    root = tmp_path / "repo"
    history(root, ["good"] * 4)
    git(root, "checkout", "-q", "-b", "feature")
    named: dict[str, str] = {}
    for number in range(5):
        (root / f"feature{number}.txt").write_text("x")
        if number == 2 and place == "branch":
            (root / "value.txt").write_text("bad\n")
        git(root, "add", "-A")
        git(root, "commit", "-qm", f"Feature {number}")
        named.setdefault(f"feature {number}", git(root, "rev-parse", "HEAD"))
    git(root, "checkout", "-q", "main")
    git(root, "commit", "-qm", "Meanwhile", "--allow-empty")
    git(root, "merge", "-q", "--no-ff", "--no-commit", "feature")
    if place == "merge":
        (root / "value.txt").write_text("bad\n")
        git(root, "add", "-A")
    git(root, "commit", "-qm", "Merge feature")
    merge = git(root, "rev-parse", "HEAD")
    for number in range(3):
        git(root, "commit", "-qm", f"After {number}", "--allow-empty")
    found = typed(*ask(root), folder=root, cache=tmp_path)
    assert found.exit_code == 0, found.errors
    assert found.record["culprit"] == (named["feature 2"] if place == "branch" else merge)
    assert "merge" in found.record["reason"] or place == "merge"
