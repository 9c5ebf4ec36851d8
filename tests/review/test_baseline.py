"""What is different from before, counted test by test."""

from __future__ import annotations

from goldenpath_loop.records.results import Signature, TestResult
from goldenpath_loop.review.baseline import Baseline

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
