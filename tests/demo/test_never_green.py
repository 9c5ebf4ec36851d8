"""Two scenarios no revert can mend: the code was wrong when it came, and a small patch makes it right."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from goldenpath_loop.demo import DemoSite
from goldenpath_loop.demo.chronicle import STEPS
from goldenpath_loop.demo.history import write_history
from goldenpath_loop.demo.scenarios import FAULTS
from goldenpath_loop.demo.site import final_tree

from .deployment import Platform, git, run_suites, running

Sites = Callable[[str], DemoSite]

ALL_TESTS = 48
HOME = "backend/chat.py"
CAME_WITH = "Backend: the chat socket"
FIRST_COMPLETE = "Let clients discover services, agents and tools"
LOOKUP = "record(log, REFUSALS[bad.code], user=user)"
TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ")
LOUD = re.compile(r"WARNING edge tunnel\.late .* limit=OPEN_BUDGET_S=\S+ in edge/tunnel\.py risk=")


@dataclass(frozen=True)
class Case:
    """What such a scenario looks like at head, and what mends it."""

    scenario: str
    red: str
    """The one test that fails."""
    told: str
    """What the failing test says."""
    wrong: str
    right: str


CASES = (
    Case(
        "missing-case",
        red="test_chat_into_a_foreign_thread",
        told="ConnectionClosedError: received 1011 (internal error)",
        wrong='    "text_too_long": "message.text_too_long",\n}',
        right='    "text_too_long": "message.text_too_long",\n    "no_such_thread": "message.no_such_thread",\n}',
    ),
    Case(
        "innocent-warning",
        red="test_long_conversation",
        told="expected 20 answers on one socket, got 19",
        wrong="while turn < MAX_TURNS:",
        right="while turn <= MAX_TURNS:",
    ),
)

by_scenario = pytest.mark.parametrize("case", CASES, ids=lambda case: case.scenario)


def patch(tree: Path, path: str, old: str, new: str) -> None:
    """Change one place of a file."""
    text = (tree / path).read_text()
    assert text.count(old) == 1, (path, old)
    (tree / path).write_text(text.replace(old, new))


def log_of(platform: Platform, service: str) -> str:
    """What a service that has ended wrote, without the times."""
    return "\n".join(TIME.sub("", line) for line in platform.services[service].lines)


@by_scenario
def test_every_commit_that_has_the_code_has_the_fault(case: Case) -> None:
    """It came with its file, each later commit keeps it and changes nothing about it, and none is to blame."""
    healthy = write_history(STEPS, final_tree(), None)
    faulty = write_history(STEPS, final_tree(), FAULTS[case.scenario])
    titles = [commit.message.partition("\n")[0] for commit in faulty]
    assert not any(commit.faulty for commit in faulty)
    assert [HOME in commit.tree for commit in faulty].index(True) == titles.index(CAME_WITH)
    for one, other in zip(healthy, faulty, strict=True):
        differing = {path for path in one.tree if one.tree[path] != other.tree[path]}
        assert differing == ({HOME} if HOME in one.tree else set())
        if HOME in one.tree:
            assert other.tree[HOME].count(case.wrong) == 1
            assert other.tree[HOME].replace(case.wrong, case.right) == one.tree[HOME]


@by_scenario
def test_one_test_is_red_until_the_patch(fresh: Sites, case: Case) -> None:
    """At head one test of the focus is red and says why; the patch makes everything green."""
    root = fresh(case.scenario).root
    with running(root) as platform:
        suites = run_suites(platform)
    assert (suites.passed, suites.red) == (ALL_TESTS - 1, frozenset({case.red})), suites.output
    assert case.told in suites.output

    patch(root, HOME, case.wrong, case.right)
    with running(root) as platform:
        repaired = run_suites(platform)
    assert (repaired.passed, repaired.red) == (ALL_TESTS, frozenset()), repaired.output


@by_scenario
def test_an_early_commit_is_no_better(fresh: Sites, case: Case) -> None:
    """The tests of head say the same of the first commit that has all they ask, and the patch mends that too."""
    root = fresh(case.scenario).root
    early = git(root, "log", "--format=%H", f"--grep=^{FIRST_COMPLETE}$")
    git(root, "checkout", "--quiet", "--detach", early)
    git(root, "checkout", "--quiet", "main", "--", "tests/e2e", "pytest.ini")
    with running(root) as platform:
        suites = run_suites(platform, "tests/e2e", "-k", case.red)
    assert suites.red == {case.red} and case.told in suites.output, suites.output

    patch(root, HOME, case.wrong, case.right)
    with running(root) as platform:
        repaired = run_suites(platform, "tests/e2e", "-k", case.red)
    assert (repaired.passed, repaired.red) == (1, frozenset()), repaired.output


def test_a_missing_case_is_a_traceback_in_the_log(site: Sites) -> None:
    """The backend writes which line of which file missed which key; after that it goes on serving."""
    root = site("missing-case").root
    with running(root) as platform:
        suites = run_suites(platform, "tests/e2e/test_user_isolation.py")
        assert platform.get("backend", "/health").json()["status"] == "healthy"
    log = log_of(platform, "backend")
    assert suites.passed == 2
    at = (root / HOME).read_text().partition(LOOKUP)[0].count("\n") + 1
    traceback = log.partition("ERROR backend chat.failed user=")[2]
    assert f'File "{root}/{HOME}", line {at}, in answer_messages\n    {LOOKUP}\n' in traceback
    assert "\nKeyError: 'no_such_thread'" in traceback
    assert log.count("KeyError") == 1


def test_a_warning_points_at_another_file_and_is_there_when_nothing_is_wrong(site: Sites) -> None:
    """Every socket is warned of, red or green; no other line of the edge is louder."""
    seen = {}
    for scenario in ("innocent-warning", "all-green"):
        with running(site(scenario).root) as platform:
            run_suites(platform, "tests/e2e/test_agent_pipeline.py")
        log = log_of(platform, "edge").splitlines()
        assert sum(bool(LOUD.match(line)) for line in log) == sum("tunnel.opened" in line for line in log)
        seen[scenario] = {line.split()[2] for line in log if not line.startswith("INFO ")}
    assert seen["innocent-warning"] == seen["all-green"] == {"tunnel.late"}


def test_what_the_warning_names_is_innocent(fresh: Sites) -> None:
    """Neither the limit it names, nor the other limit of that file, nor a longer promise changes the result."""
    root = fresh("innocent-warning").root
    patch(root, "edge/tunnel.py", "OPEN_BUDGET_S = 0.0005\n", "OPEN_BUDGET_S = 30.0\n")
    patch(root, "edge/tunnel.py", "OPEN_TIMEOUT_S = 10.0\n", "OPEN_TIMEOUT_S = 60.0\n")
    patch(root, "backend/limits.py", "MAX_TURNS = 20\n", "MAX_TURNS = 21\n")
    with running(root) as platform:
        suites = run_suites(platform, "tests/e2e/test_agent_pipeline.py")
    log = log_of(platform, "edge")
    assert suites.red == {"test_long_conversation"}
    assert "expected 21 answers on one socket, got 20" in suites.output
    assert not LOUD.search(log)
