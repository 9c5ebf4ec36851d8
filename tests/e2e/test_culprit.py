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


def test_another_exception_is_another_failure(tmp_path: Path) -> None:
    """Python ends with 1 for both; the older one hides what is looked for."""
    root = tmp_path / "repo"
    revisions = history(root, ["good"] * 4 + ["broken"] * 3 + ["bad"] * 4)
    code = (
        "v = open('value.txt').read().strip()\n"
        "assert v != 'bad', 'value'\n"
        "if v == 'broken': raise KeyError(v)"
    )
    for says in ((), ("--says", "AssertionError: value")):
        found = typed(*ask(root, "--good", revisions[0], *says, code=code), folder=root, cache=tmp_path)
        assert found.record["answer"] == "range"
        assert found.record["culprit"] == revisions[7]


def test_commits_that_need_the_same_share_an_environment(tmp_path: Path) -> None:
    """It is built once for each content of the file that names what is needed; where that fails nothing is told."""
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    revisions: list[str] = []
    for number in range(16):
        (root / "needs.txt").write_text("old\n" if number < 6 else "nonsense\n" if number < 8 else "new\n")
        (root / "value.txt").write_text("good\n" if number < 11 else "bad\n")
        (root / "number.txt").write_text(f"{number}\n")
        git(root, "add", "-A")
        git(root, "commit", "-qm", f"Change {number}")
        revisions.append(git(root, "rev-parse", "HEAD"))
    (tmp_path / "setup.py").write_text(
        "import pathlib, shutil, sys\n"
        "said = pathlib.Path('needs.txt').read_text()\n"
        f"pathlib.Path({str(tmp_path / 'built')!r}).open('a').write(said)\n"
        "assert said != 'nonsense\\n'\n"
        "shutil.copy('value.txt' if said == 'x' else 'needs.txt', sys.argv[1])\n"
    )
    code = f"import sys; open(sys.argv[1] + '/needs.txt'); {CHECK}"
    setup = f"{sys.executable} {tmp_path / 'setup.py'} {{environment}}"
    words = ("culprit", "--json", "--good", revisions[0], "--setup", setup, "--setup-file", "needs.txt")
    command = ("--", sys.executable, "-c", code, "{environment}")
    found = typed(*words, *command, folder=root, cache=tmp_path)
    assert found.exit_code == 0, found.errors
    assert found.record["culprit"] == revisions[11]
    built = (tmp_path / "built").read_text().splitlines()
    assert built.count("new") == 1
    assert built.count("old") <= 1


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
        (("--good", "stranger"), 2, "no history in common"),
        (("--good", "HEAD"), 2, "not the other way round"),
        (("--hunks", "--guard", "'"), 2, "--guard cannot be split"),
    ],
)
def test_a_question_that_cannot_be_asked_says_why(
    tmp_path: Path, words: tuple[str, ...], exit_code: int, said: str
) -> None:
    """In one line, with an exit code that fits."""
    root = tmp_path / "repo"
    history(root, ["good", "bad", "bad"])
    git(root, "checkout", "-q", "--orphan", "stranger")
    git(root, "commit", "-qm", "Elsewhere", "--allow-empty")
    git(root, "checkout", "-q", "main")
    found = typed(*ask(root, *words), folder=root, cache=tmp_path)
    assert found.exit_code == exit_code
    assert said in found.output + found.errors


@pytest.mark.parametrize("is_mended", [False, True])
def test_a_good_revision_on_a_branch_leads_to_where_it_began(tmp_path: Path, is_mended: bool) -> None:
    """It proves nothing about that commit: what repaired it may lie on the branch alone."""
    root = tmp_path / "repo"
    revisions = history(root, ["bad" if is_mended else "good"] * 3 + ["bad"] * 3)
    git(root, "checkout", "-q", "-b", "side", revisions[0])
    (root / "value.txt").write_text("good\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "Elsewhere", "--allow-empty")
    git(root, "checkout", "-q", "main")
    found = typed(*ask(root, "--good", "side"), folder=root, cache=tmp_path)
    if is_mended:
        assert found.record["answer"] == "never_good"
        assert "on that branch" in found.record["reason"]
    else:
        assert found.record["culprit"] == revisions[3]


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


GUARDED = """
import sys, unittest
import shop
class Shop(unittest.TestCase):
    def test_total(self): self.assertEqual(shop.total([1, 2]), 3)
    def test_first(self): self.assertEqual(shop.first(), 1)
    def test_second(self): self.assertEqual(shop.second(), {second})
"""


@pytest.mark.parametrize(("second", "answer"), [("2", "minimal"), ("4", "trade_off")])
def test_a_cure_that_costs_another_test_is_widened_or_called_a_trade_off(
    tmp_path: Path, second: str, answer: str
) -> None:
    """`second` needs what `total` needs, until the hunk beside goes back too; or it is the commit's own feature."""
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    before = (
        "BASE = 0\n\n\ndef total(prices):\n    return sum(prices) + BASE\n\n\ndef first():\n    return 1\n"
    )
    seconds = "\n\ndef second():\n    return {} + BASE\n"
    (root / "shop.py").write_text(before + seconds.format("2"))
    git(root, "add", "-A")
    git(root, "commit", "-qm", "Begin")
    feature = "3" if answer == "trade_off" else "1"
    (root / "shop.py").write_text(before.replace("BASE = 0", "BASE = 1") + seconds.format(feature))
    (root / "test_shop.py").write_text(GUARDED.format(second=second))
    git(root, "add", "-A")
    git(root, "commit", "-qm", "Another base")
    check = "import shop; assert shop.total([1, 2]) == 3"
    guard = f"{sys.executable} -m pytest -q -p no:cacheprovider --junitxml=guard.xml test_shop.py"
    words = ("--hunks", "--guard", guard, "--guard-report", "guard.xml")
    found = typed(*ask(root, *words, code=check), folder=root, cache=tmp_path)
    assert found.exit_code == 0, found.errors
    assert found.record["hunks"]["answer"] == answer
    changed = [one for one in Path(found.record["patch"]).read_text().splitlines() if one.startswith("-B")]
    assert changed == ["-BASE = 1"]
    said = found.record["hunks"]["statement"]
    if answer == "minimal":
        assert "All 2 tests of the guard that passed before still pass" in said
    else:
        assert "it costs 1 test that passed before: test_shop.Shop::test_second" in said
        assert "fail without the commit too" in said
