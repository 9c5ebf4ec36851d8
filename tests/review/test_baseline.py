"""What is different from before, counted test by test."""

from __future__ import annotations

from pathlib import Path

import anyio

from goldenpath_loop.records.history import TestHistory
from goldenpath_loop.records.results import Signature, TestResult
from goldenpath_loop.review.baseline import Baseline
from goldenpath_loop.review.worklog import render_worklog
from goldenpath_loop.session.store import EvidenceStore
from tests.core.worlds import World, live, start

_ONE = Signature(exception="E", place="a.py::f", message="m")
_OTHER = Signature(exception="F", place="a.py::f", message="m")


def _result(id: str, outcome: str, signature: Signature | None = None) -> TestResult:
    return TestResult.model_validate({"id": id, "outcome": outcome, "signature": signature})


def test_rate_and_error_pattern_are_compared() -> None:
    """The same number of failures with another error is a change."""
    before = Baseline(
        "cycle 1",
        {"a": "green", "b": "red", "c": "red", "d": "red", "gone": "green"},
        {"b": _ONE.key, "c": _ONE.key},
        is_complete=True,
    )
    now = [
        _result("a", "timeout"),
        _result("b", "red", _ONE),
        _result("c", "red", _OTHER),
        _result("d", "green"),
        _result("e", "green"),
        _result("f", "unresolved"),
    ]
    change = before.change(now)
    assert change == "1 newly failing, 1 green again, 1 failing as before, 1 failing in another way, 1 new"
    assert before.change(now, is_all=True) == f"{change}, 1 without a result now"


def test_without_a_baseline_nothing_is_called_a_change() -> None:
    """A first run has nothing to be compared with."""
    assert Baseline("", {}, {}).change([_result("a", "red")]) == "no baseline"


def test_equal_results_are_no_change() -> None:
    """Green then, green now."""
    assert Baseline("earlier runs", {"a": "green"}, {}).change([_result("a", "green")]) == "no change"


def test_a_later_cycle_says_whether_so_much_changed_by_chance(tmp_path: Path) -> None:
    """The tests that were mended are counted against those that broke."""
    tests = tuple(f"tests/test_cart.py::test_{name}" for name in ("a", "b", "c", "d"))
    world = World(commits=12, tests=tests, culprits=dict.fromkeys(tests[:3], 5))
    life = anyio.run(lambda: live(start(tmp_path / "run"), world))
    text = render_worklog(life.lines, EvidenceStore(life.folder.evidence))
    assert "3 passed for the first time and 0 no more; so uneven by chance alone: 0.25 (McNemar)." in text


def test_the_first_cycle_is_judged_by_each_tests_history(tmp_path: Path) -> None:
    """Sixty runs without a failure, and now one in every run."""
    tests = ("tests/test_cart.py::test_a", "tests/test_cart.py::test_b")
    world = World(commits=12, tests=tests, culprits={tests[0]: 5})
    world.past = tuple(
        TestHistory(id=test, runs=60, reds=0, last_outcome="green", last_green_revision=world.revision(2))
        for test in tests
    )
    life = anyio.run(lambda: live(start(tmp_path / "run"), world))
    text = render_worklog(life.lines, EvidenceStore(life.folder.evidence))
    assert "More failures in a row than history allows: 1 test, most of all" in text
    assert "6 times, against 0 of 60 before" in text
