"""The history of the target is long, honest, and the same every time."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from goldenpath_loop.demo import SCENARIOS, DemoSite, write_demo
from goldenpath_loop.demo.chronicle import STEPS
from goldenpath_loop.demo.edits import Added, Tree, Was
from goldenpath_loop.demo.history import Commit, Fault, Step, working_time, write_history
from goldenpath_loop.demo.scenarios import FAULTS
from goldenpath_loop.demo.site import final_tree
from goldenpath_loop.errors import InternalError

from .deployment import git

Sites = Callable[[str], DemoSite]

FIRST_RUNNABLE = "Edge: one address in front of the services"
UNBUILDABLE = "WIP: export of threads"
PLANTED = sorted(name for name, fault in FAULTS.items() if fault.step)


def hunks(root: Path) -> dict[str, int]:
    """Number of hunks by title of the commit."""
    log = git(root, "log", "--format=%x00%s", "-p")
    commits = (part.partition("\n") for part in log.split("\0")[1:])
    return {title: len(re.findall(r"^@@ ", patch, re.MULTILINE)) for title, _, patch in commits}


def imported_and_absent(tree: Tree) -> set[str]:
    """Imports of the target's own modules that lead nowhere, as "file: module.name"."""
    found: set[str] = set()
    sources = {path: ast.parse(text) for path, text in tree.items() if path.endswith(".py")}
    modules = {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in sources}
    for path, source in sources.items():
        for node in source.body:
            if not isinstance(node, ast.ImportFrom) or (node.module or "").partition(".")[0] not in modules:
                continue
            home = sources.get(modules.get(node.module or "", ""))
            defined = {
                name
                for line in (home.body if home else [])
                for name in (
                    [line.name]
                    if isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                    else [target.id for target in line.targets if isinstance(target, ast.Name)]
                    if isinstance(line, ast.Assign)
                    else [line.target.id]
                    if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
                    else []
                )
            }
            for alias in node.names:
                if alias.name not in defined and f"{node.module}.{alias.name}" not in modules:
                    found.add(f"{path}: {node.module}.{alias.name}")
    return found


def test_the_history_is_long_and_by_several_people(site: Sites) -> None:
    """At least sixty commits by at least three authors, dates in order, nothing merged."""
    root = site("all-green").root
    assert len(git(root, "rev-list", "HEAD").split()) >= 60
    assert len(set(git(root, "log", "--format=%an").splitlines())) >= 3
    dates = [int(date) for date in git(root, "log", "--reverse", "--format=%at").split()]
    assert dates == sorted(set(dates))
    assert git(root, "rev-list", "--merges", "HEAD") == ""


@pytest.mark.parametrize("scenario", [scenario.name for scenario in SCENARIOS])
def test_large_consolidations_hide_among_small_commits(site: Sites, scenario: str) -> None:
    """At least four consolidations of 20 to 60 hunks; everything else is small."""
    counted = hunks(site(scenario).root)
    large = {title: count for title, count in counted.items() if count >= 20}
    assert len(large) >= 4
    assert all(title.startswith("Consolidate") and count <= 60 for title, count in large.items()), large


@pytest.mark.parametrize("scenario", [scenario.name for scenario in SCENARIOS])
def test_the_same_scenario_gives_the_same_commits(
    site: Sites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: str
) -> None:
    """Neither the folder nor anything the person configured for git has a say."""
    config = tmp_path / "gitconfig"
    config.write_text(
        "[user]\nname = Somebody\nemail = s@x\n[commit]\ngpgsign = true\n[core]\nautocrlf = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    again = write_demo(tmp_path / "again", scenario)
    assert git(again.root, "rev-parse", "HEAD") == git(site(scenario).root, "rev-parse", "HEAD")
    assert again.culprit == site(scenario).culprit


def test_only_the_planted_commit_differs_from_a_healthy_history() -> None:
    """Before the culprit all trees are the same; from it on, each differs in the planted lines alone."""
    healthy = write_history(STEPS, final_tree(), None)
    for fault in (FAULTS[name] for name in PLANTED):
        faulty = write_history(STEPS, final_tree(), fault)
        culprit = next(number for number, commit in enumerate(faulty) if commit.faulty)
        planted = {path for path, _, _ in fault.slips}
        for number, (one, other) in enumerate(zip(healthy, faulty, strict=True)):
            differing = {path for path in one.tree if one.tree[path] != other.tree.get(path)}
            assert differing == (planted if number >= culprit else set())
            assert one.message == other.message


@pytest.mark.parametrize("scenario", PLANTED)
def test_the_culprit_lies_deep_in_the_history_and_leaves_tests_alone(site: Sites, scenario: str) -> None:
    """A large commit, some twenty commits back, after the E2E suites had come, that touches no test."""
    demo = site(scenario)
    assert demo.culprit is not None
    assert 20 <= int(git(demo.root, "rev-list", "--count", f"{demo.culprit}..HEAD")) <= 30
    changed = git(demo.root, "show", "--format=", "--name-only", demo.culprit).splitlines()
    assert len(changed) >= 10
    assert not [path for path in changed if path.startswith("tests/")]
    present = git(demo.root, "ls-tree", "-r", "--name-only", demo.culprit, "tests/e2e/")
    assert "test_priority1_critical.py" in present and "test_websocket_events.py" in present


@pytest.mark.parametrize("scenario", sorted(FAULTS))
def test_nothing_in_the_target_gives_the_culprit_away(site: Sites, scenario: str) -> None:
    """Neither the culprit's id nor a scenario's name stands in any file, message or reference."""
    demo = site(scenario)
    words = {one.name for one in SCENARIOS} | ({demo.culprit[:12]} if demo.culprit else set())
    messages = git(demo.root, "log", "--format=%B")
    files = "".join(
        path.read_text() for path in demo.root.rglob("*") if path.is_file() and ".git" not in path.parts
    )
    config = (demo.root / ".git" / "config").read_text().replace(str(demo.origin), "")
    assert [word for word in sorted(words) if word in messages + files + config] == []
    assert git(demo.origin, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


@pytest.mark.parametrize("scenario", PLANTED)
def test_reverting_the_culprit_is_clean(fresh: Sites, scenario: str) -> None:
    """No later commit stands in the way, and what is left imports only what is there."""
    demo = fresh(scenario)
    assert demo.culprit is not None
    git(demo.root, "revert", "--no-edit", demo.culprit)
    assert git(demo.root, "status", "--porcelain") == ""
    tracked = git(demo.root, "ls-files").splitlines()
    assert imported_and_absent({path: (demo.root / path).read_text() for path in tracked}) == set()


def test_every_commit_but_one_imports_only_what_it_has() -> None:
    """From the first that has all services on; one commit left a file behind, as happens."""
    commits = write_history(STEPS, final_tree(), None)
    titles = [commit.message.partition("\n")[0] for commit in commits]
    broken = {
        title: absent
        for title, commit in zip(titles, commits, strict=True)
        if (absent := imported_and_absent(commit.tree))
    }
    assert broken == {UNBUILDABLE: {"backend/app.py: backend.export.export_thread"}}
    assert titles.index(FIRST_RUNNABLE) < 20 < titles.index(UNBUILDABLE)


def test_commits_are_made_on_working_days() -> None:
    """Dates look like people's, whatever the number of commits."""
    times = [working_time(number) for number in range(200)]
    assert times == sorted(set(times))
    assert all(time.weekday() < 5 and 9 <= time.hour < 18 for time in times)


def tiny_history(fault: Fault | None, *, final: Tree) -> list[Commit]:
    """One commit that adds one file."""
    return write_history([Step("mara", "Add it", (Added("a"),))], final, fault)


def test_a_file_nobody_added_is_an_error() -> None:
    """The history must account for the whole source."""
    with pytest.raises(InternalError, match="who added"):
        tiny_history(None, final={"a": "x", "b": "y"})


def test_a_fault_without_a_commit_is_an_error() -> None:
    """A fault names a commit of the history."""
    with pytest.raises(InternalError, match="no commit"):
        tiny_history(Fault("Absent", ()), final={"a": "x"})


def test_a_fault_from_the_beginning_has_no_commit() -> None:
    """It is there since the text is, through every later change, and nobody made it."""
    steps = [
        Step("mara", "Begin", (Added("a"),)),
        Step("mara", "Add it", (Added("b"),)),
        Step("mara", "Change it", (Was("b", "new x\n", "old x\n"),)),
    ]
    history = write_history(steps, {"a": "x\n", "b": "new x\n"}, Fault("", (("b", " x", " y"),)))
    assert [commit.tree.get("b") for commit in history] == [None, "old y\n", "new y\n"]
    assert [commit.tree["a"] for commit in history] == ["x\n"] * 3
    assert not any(commit.faulty for commit in history)


def test_a_fault_that_comes_and_goes_is_an_error() -> None:
    """A fault from the beginning whose text a later commit takes away would be mended in the history."""
    steps = [Step("mara", "Add it", (Added("a"),)), Step("mara", "Lose it", (Was("a", "y", "x"),))]
    with pytest.raises(InternalError, match="finds 0 times"):
        write_history(steps, {"a": "y"}, Fault("", (("a", "x", "z"),)))


@pytest.mark.parametrize("step", ["Add it", ""])
def test_a_fault_without_a_place_is_an_error(step: str) -> None:
    """The text a fault spoils must be there."""
    with pytest.raises(InternalError, match="finds 0 times"):
        tiny_history(Fault(step, (("a", "absent", "y"),)), final={"a": "x"})
