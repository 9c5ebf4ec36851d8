"""A written demo has the layout the loop works on."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from goldenpath_loop.demo import SCENARIOS, DemoSite, write_demo
from goldenpath_loop.demo.scenarios import FAULTS, WITHOUT_SECRET
from goldenpath_loop.errors import UsageError

from .deployment import clean_environment, git

Sites = Callable[[str], DemoSite]

INDEX_ROW = re.compile(
    r"^\| P(?P<priority>[1-6]) \| (?P<suite>\S+) \| `(?P<path>\S+)` \| (?P<tests>\d+) \| (?P<needs>[^|]+?) "
    r"\| \$(?P<usd>[\d,]+) \| (?P<markers>[^|]+?) \|$",
    re.MULTILINE,
)


@pytest.mark.parametrize("scenario", [scenario.name for scenario in SCENARIOS])
def test_the_checkout_tracks_the_bare_origin(site: Sites, scenario: str) -> None:
    """`chat` is clean, on main, at origin/main; `origin.git` is bare with main as its head."""
    demo = site(scenario)
    assert demo.root.name == "chat" and demo.origin.name == "origin.git"
    assert git(demo.root, "status", "--porcelain", "--branch") == "## main...origin/main"
    assert git(demo.root, "rev-parse", "HEAD") == git(demo.origin, "rev-parse", "main")
    assert git(demo.origin, "rev-parse", "--is-bare-repository") == "true"
    assert git(demo.origin, "symbolic-ref", "HEAD") == "refs/heads/main"
    fault = FAULTS.get(scenario)
    assert (demo.culprit is not None) == (fault is not None and fault.step != "")


@pytest.mark.parametrize("scenario", [scenario.name for scenario in SCENARIOS])
def test_the_secret_is_with_the_operator_and_not_in_the_repository(site: Sites, scenario: str) -> None:
    """`staging.env` beside the checkout holds SERVICE_SECRET, unless that is what is wrong."""
    demo = site(scenario)
    settings = dict(re.findall(r"^(\w+)=(.+)$", (demo.root.parent / "staging.env").read_text(), re.MULTILINE))
    assert ("SERVICE_SECRET" in settings) == (scenario not in WITHOUT_SECRET)
    for value in settings.values():
        assert len(value) >= 32
        assert git(demo.root, "log", "--all", "--format=%h", f"-S{value}") == ""


def test_commits_and_pushes_work_without_an_identity_of_the_person(fresh: Sites) -> None:
    """A machine where git knows nobody can still commit a repair."""
    demo = fresh("all-green")
    git(demo.root, "commit", "--quiet", "--allow-empty", "--message", "A repair")
    git(demo.root, "push", "--quiet", "origin", "HEAD:refs/heads/repair")
    assert git(demo.origin, "rev-parse", "repair") == git(demo.root, "rev-parse", "HEAD")


def test_a_directory_with_something_in_it_is_refused(tmp_path: Path) -> None:
    """Nothing is overwritten, and the message says what to do."""
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(UsageError) as refused:
        write_demo(tmp_path, "all-green")
    assert str(tmp_path) in str(refused.value) and "new directory" in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    """A file is no place for a demo."""
    (tmp_path / "file").write_text("precious")
    with pytest.raises(UsageError):
        write_demo(tmp_path / "file", "all-green")


def test_an_unknown_scenario_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    """The message lists what can be chosen, and nothing is written."""
    with pytest.raises(UsageError) as refused:
        write_demo(tmp_path / "demo", "surprise")
    assert all(scenario.name in str(refused.value) for scenario in SCENARIOS)
    assert not (tmp_path / "demo").exists()


def test_scenarios_have_names_and_summaries() -> None:
    """Names are unique; each summary is one sentence for a person."""
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    assert {scenario.name for scenario in SCENARIOS} >= FAULTS.keys() | WITHOUT_SECRET
    assert all(scenario.summary.endswith(".") for scenario in SCENARIOS)


def test_index_configuration_and_tests_agree(site: Sites) -> None:
    """The Markdown index, goldenpath.toml and what pytest collects say the same of every suite."""
    root = site("all-green").root
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/e2e", "--collect-only", "-q", "-p", "no:cacheprovider"],
        cwd=root,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    tests = Counter(line.partition("::")[0] for line in collected.splitlines() if "::" in line)
    index = {
        row["suite"]: (
            row["path"],
            int(row["priority"]),
            sorted(row["needs"].split(", ")),
            int(row["usd"].replace(",", "")),
        )
        for row in INDEX_ROW.finditer((root / "tests/e2e/TEST_INDEX.md").read_text())
    }
    counts = {
        row["path"]: int(row["tests"])
        for row in INDEX_ROW.finditer((root / "tests/e2e/TEST_INDEX.md").read_text())
    }
    configured = {
        name: (suite["path"], suite["priority"], sorted(suite["needs"]), suite["value_at_risk_usd"])
        for name, suite in tomllib.loads((root / "goldenpath.toml").read_text())["suites"].items()
    }
    assert index == configured
    assert counts == dict(tests)
    assert {suite[1] for suite in index.values()} == {1, 2, 3, 4, 5, 6}


def test_the_index_names_the_markers_each_suite_has(site: Sites) -> None:
    """Markers of the index are those the file uses."""
    root = site("all-green").root
    for row in INDEX_ROW.finditer((root / "tests/e2e/TEST_INDEX.md").read_text()):
        used = set(re.findall(r"pytest\.mark\.(\w+)", (root / row["path"]).read_text())) - {"e2e"}
        assert used == set(row["markers"].split(", ")), row["path"]


def test_ci_of_the_target_runs_unit_tests_only(site: Sites) -> None:
    """Why a fault could pass: the target's own CI can be run and does not touch the E2E suite."""
    root = site("websocket-route").root
    done = subprocess.run(
        [root / "ci/run"],
        env=clean_environment(
            PATH=f"{Path(sys.executable).parent}:/usr/bin:/bin", PYTEST_ADDOPTS="-p no:cacheprovider"
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert re.search(r"\d+ passed", done.stdout)
    assert "e2e" not in (root / "ci/run").read_text().partition("set -eu")[2]
