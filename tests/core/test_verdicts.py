"""Every verdict as a table: what was measured, and the one word that follows."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from goldenpath_loop.core.comparing import is_same_failure, probe_outcome, run_problem, tally
from goldenpath_loop.core.verdicts import (
    Conclusion,
    audit,
    numbered,
    priority,
    repeat_bound,
    service,
    suite,
    triage,
)
from goldenpath_loop.records.receipts import AuditIssue, AuditReceipt
from goldenpath_loop.records.results import Outcome, Signature, SuiteRun, TestResult
from goldenpath_loop.records.services import ProbeReport, ServiceReport, StartReport

from .builders import PARENT, REVISION, SIGNATURE, TEST, result, run

ProbeKind = Literal["http", "websocket", "tcp", "tls", "dns", "setting"]


def _probe(name: str, kind: ProbeKind, answered: bool) -> ProbeReport:
    return ProbeReport(
        probe=name, kind=kind, answered=answered, summary=f"{name} said", latency_ms=1.234, evidence="E1"
    )


@pytest.mark.parametrize(
    ("probes", "value"),
    [
        ((), "healthy"),
        ((("http", True), ("websocket", True)), "healthy"),
        ((("http", False), ("websocket", True)), "down"),
        ((("tcp", False),), "down"),
        ((("tls", False),), "down"),
        ((("dns", False),), "down"),
        ((("http", True), ("websocket", False)), "impaired"),
        ((("http", True), ("setting", False)), "impaired"),
        ((("http", False), ("setting", False)), "down"),
    ],
)
def test_a_service_is_healthy_impaired_or_down(
    probes: tuple[tuple[ProbeKind, bool], ...], value: str
) -> None:
    """Down is what cannot be reached; a refused handshake or a missing setting impairs."""
    reports = tuple(_probe(f"p{number}", *probe) for number, probe in enumerate(probes))
    report = ServiceReport(service="edge", reports=reports, served_revision=REVISION)
    found = service("staging", report, ("c1/probe/edge",))
    assert (found.kind, found.subject, found.value) == ("service", "staging/edge", value)
    assert found.because == ("c1/probe/edge", *("E1" for _ in probes))
    assert found.revision == REVISION
    assert [(one.value, one.unit) for one in found.measurements] == [(1.23, "ms")] * len(probes)


def test_a_service_that_could_not_be_started_is_down_whoever_answers() -> None:
    """Somebody else may sit on its port and answer every probe."""
    report = ServiceReport(service="edge", reports=(_probe("health", "http", True),))
    start = StartReport(service="edge", started=False, summary="port 8080 is taken")
    found = service("staging", report, start=start)
    assert found.value == "down"
    assert found.statement == "edge is down (port 8080 is taken)"
    assert service("staging", report, start=start.model_copy(update={"started": True})).value == "healthy"


PLANNED = ("t0", "t1")


@pytest.mark.parametrize(
    ("shown", "planned", "value", "said"),
    [
        (run("green", "green"), PLANNED, "green", "2 of 2 passed"),
        (run("green", "green", "green"), PLANNED, "green", "3 of 3 passed"),
        (run("green", "unresolved"), PLANNED, "incomplete", "1 of 2 passed; 1 test skipped"),
        (run("green"), (), "green", "1 of 1 passed"),
        (run("green", "red"), PLANNED, "red", "1 of 2 passed, 1 failed"),
        (run("green", "timeout"), PLANNED, "red", "1 failed"),
        (run("red", ended="hung"), PLANNED, "red", "0 of 1 passed, 1 failed; the run hung and was ended"),
        (run("green", "red", ended="crashed"), PLANNED, "red", "the run crashed"),
        (run("unresolved", "unresolved"), PLANNED, "incomplete", "0 of 2 passed; 2 tests skipped"),
        (run(), (), "incomplete", "no test ran and passed"),
        (run(), PLANNED, "incomplete", "2 planned tests gave no result, first t0"),
        (run("green"), PLANNED, "incomplete", "1 planned test gave no result, first t1"),
        (run("green", ended="hung"), PLANNED, "incomplete", "1 planned test gave no result"),
        (run("green", "green", ended="hung"), PLANNED, "incomplete", "the run hung and was ended"),
        (run("green", "green", ended="timed_out"), PLANNED, "incomplete", "the run ran out of time"),
        (run("green", "green", ended="crashed"), PLANNED, "incomplete", "the run crashed"),
        (run(ended="not_started"), (), "incomplete", "the run did not start"),
        (run(ended="nothing_collected"), (), "incomplete", "the run collected no test"),
        (
            run("green", "green", foreign_modules=("cart -> /x/cart.py",)),
            PLANNED,
            "incomplete",
            "another tree",
        ),
        (run("red", foreign_modules=("cart -> /x/cart.py",)), PLANNED, "incomplete", "cart -> /x/cart.py"),
        (
            run("green", "green", revision_before=PARENT, revision_after=PARENT),
            PLANNED,
            "incomplete",
            "the system served bbbbbbbbbb instead of aaaaaaaaaa",
        ),
        (
            run("green", "green", revision_before=REVISION, revision_after=PARENT),
            PLANNED,
            "incomplete",
            "the served revision changed during the run, from aaaaaaaaaa to bbbbbbbbbb",
        ),
        (
            run("green", "green", revision_before=REVISION),
            PLANNED,
            "incomplete",
            "changed during the run, from aaaaaaaaaa to unknown",
        ),
        (
            run("green", "green", revision_after=REVISION),
            PLANNED,
            "incomplete",
            "changed during the run, from unknown to aaaaaaaaaa",
        ),
        (
            run("green", "green", revision_before=REVISION, revision_after=REVISION),
            PLANNED,
            "green",
            "2 of 2",
        ),
        (run("red", "red", revision_before=PARENT, revision_after=PARENT), PLANNED, "incomplete", "served"),
    ],
)
def test_a_suite_is_green_only_when_all_that_was_planned_ran_and_passed(
    shown: SuiteRun, planned: tuple[str, ...], value: str, said: str
) -> None:
    """Fake greens are incomplete: skipped alone, cut off, shrunk, from another tree or of another revision."""
    found = suite(shown, planned, expected=REVISION, because=("k",))
    assert found.value == value, found.statement
    assert said in found.statement
    assert (found.kind, found.subject, found.because) == ("suite", "unit", ("k",))


@pytest.mark.parametrize(
    ("not_run", "value"),
    [
        ("skipped", "incomplete"),
        ("xfailed", "incomplete"),
        ("deselected", "incomplete"),
        ("missing", "incomplete"),
        ("not_collected", "incomplete"),
        ("never_started", "incomplete"),
        ("", "incomplete"),
    ],
)
def test_a_planned_test_that_vanished_is_no_pass(not_run: Any, value: str) -> None:
    """A pass is a test that ran, whatever the reason why another one did not."""
    gone = TestResult(id="t1", outcome="unresolved", not_run=not_run)
    shown = SuiteRun(suite="unit", ended="completed", results=(result("green", id="t0"), gone))
    assert suite(shown, PLANNED).value == value


@pytest.mark.parametrize("not_run", ["skipped", "xfailed"])
@pytest.mark.parametrize(
    ("id", "pattern", "value"),
    [
        ("tests/a.py::t[x-1]", "tests/a.py::t[x-1]", "green"),
        ("tests/a.py::t[x-1]", "tests/a.py::*", "green"),
        ("tests/a.py::t[x-1]", "*", "green"),
        ("tests/a.py::t[x-1]", "tests/a.py::t", "incomplete"),
        ("tests/a.py::t[x-1]", "tests/b.py::*", "incomplete"),
    ],
)
def test_only_named_tests_may_skip_themselves(not_run: Any, id: str, pattern: str, value: str) -> None:
    """A new skip looks like peace; a person says which ones are meant."""
    gone = TestResult(id=id, outcome="unresolved", not_run=not_run)
    shown = SuiteRun(suite="unit", ended="completed", results=(result("green", id="t0"), gone))
    assert suite(shown, ("t0", id), may_skip=(pattern,)).value == value


@pytest.mark.parametrize("exit_code", [1, 3])
def test_a_run_that_ended_with_an_error_is_no_pass_although_no_test_failed(exit_code: int) -> None:
    """Coverage too low, a hook that raised, a report that says less than the exit code."""
    shown = run(
        "green", "green", exit_code=exit_code, problem="it ended with an error although no test failed"
    )
    assert suite(shown, PLANNED).value == "incomplete"
    assert probe_outcome(SIGNATURE, "t0", [shown]) == "unresolved"


def test_a_service_that_does_not_name_its_revision_spoils_the_run() -> None:
    """Nobody knows what was tested then."""
    shown = run("green", "green", silent_services=("backend",))
    found = suite(shown, PLANNED, expected=REVISION)
    assert (found.value, found.statement) == (
        "incomplete",
        "backend did not say which revision it serves",
    )


def test_what_was_never_planned_may_be_deselected() -> None:
    """A marker expression leaves out tests of the same file."""
    other = TestResult(id="other", outcome="unresolved", not_run="deselected")
    shown = SuiteRun(suite="unit", ended="completed", results=(result("green", id="t0"), other))
    assert suite(shown, ("t0",)).value == "green"


def test_a_suite_counts_what_did_not_run_once() -> None:
    """Results without a verdict and planned tests without a result, together."""
    found = suite(run("green", "red", "unresolved"), ("t0", "t1", "t2", "t9"))
    assert {one.name: one.value for one in found.measurements} == {
        "passed": 1,
        "failed": 1,
        "not run": 2,
        "duration": 0.0,
    }


def test_without_an_expected_revision_any_steady_one_will_do() -> None:
    """A target without services serves nothing; one that does not say which revision is taken at its word."""
    assert run_problem(run("green", revision_before=PARENT, revision_after=PARENT), expected=None) == ""
    assert run_problem(run("green"), expected=REVISION) == ""


@pytest.mark.parametrize(
    ("green", "bad", "unresolved", "limit", "value"),
    [
        (10, 0, 0, 0.0, "held"),
        (10, 1, 0, 0.0, "breached"),
        (1000, 1, 0, 0.0, "breached"),
        (20, 0, 0, 0.05, "held"),
        (96, 4, 0, 0.05, "held"),
        (95, 5, 0, 0.05, "breached"),
        (19, 1, 0, 0.05, "breached"),
        (20, 1, 0, 0.05, "held"),
        (94, 6, 0, 0.05, "breached"),
        (0, 1, 0, 1.0, "breached"),
        (1, 1, 0, 1.0, "held"),
        (0, 0, 0, 0.0, "not measured"),
        (0, 0, 5, 0.2, "not measured"),
        (19, 1, 1000, 0.05, "breached"),
    ],
)
def test_a_priority_is_held_below_its_limit(
    green: int, bad: int, unresolved: int, limit: float, value: str
) -> None:
    """Of the tests that ran; skipped ones do not water it down, and nothing measured is nothing held."""
    shown = [result("green")] * green + [result("red")] * bad + [result("unresolved")] * unresolved
    found = priority(2, shown, limit)
    assert (found.kind, found.subject, found.value) == ("priority", "P2", value)


def _signature(**fields: str) -> Signature:
    return SIGNATURE.model_copy(update=fields)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (SIGNATURE, True),
        (_signature(exception="KeyError"), False),
        (_signature(place="cart.py::tax"), False),
        (_signature(message="assert total == 4"), False),
        (_signature(message="assert total == 3 again"), True),
        (_signature(message="assert sum == 3"), True),
        (_signature(message="reject sum == 3"), False),
        (_signature(message=""), False),
        (_signature(message="expected 200, got 3"), False),
        (_signature(message="== 3 assert total"), True),
    ],
)
def test_two_failures_are_the_same_or_not(other: Signature, same: bool) -> None:
    """Same exception, same place, the same numbers, and words mostly alike; whichever comes first."""
    assert is_same_failure(SIGNATURE, other) is same
    assert is_same_failure(other, SIGNATURE) is same


OTHER = _signature(exception="KeyError")


@pytest.mark.parametrize(
    ("shown", "value"),
    [
        ((result("red"),), "red"),
        ((result("timeout"),), "red"),
        ((result("green"),), "green"),
        ((result("unresolved"),), "unresolved"),
        ((result("red", signature=OTHER),), "unresolved"),
        ((result("red", signature=None),), "unresolved"),
        ((), "unresolved"),
        ((result("red", id="another"),), "unresolved"),
        ((result("green", id="another"), result("red")), "red"),
    ],
)
def test_a_commit_is_green_red_or_cannot_tell(shown: tuple[TestResult, ...], value: str) -> None:
    """Red only with the same failure; what failed otherwise or did not run says nothing."""
    ran = SuiteRun(suite="unit", ended="completed", results=shown)
    assert probe_outcome(SIGNATURE, TEST, (ran,)) == value
    elsewhere = SuiteRun(suite="other", ended="completed", results=(result("green", id="another"),))
    assert probe_outcome(SIGNATURE, TEST, (elsewhere, ran)) == value


@pytest.mark.parametrize("outcome", ["red", "green"])
@pytest.mark.parametrize(
    "spoiled",
    [
        {"foreign_modules": ("cart -> /x/cart.py",)},
        {"revision_before": PARENT, "revision_after": PARENT},
        {"revision_before": REVISION, "revision_after": PARENT},
        {"revision_before": REVISION},
    ],
)
def test_a_commit_that_was_not_what_ran_cannot_tell(outcome: Outcome, spoiled: dict[str, Any]) -> None:
    """Neither its red nor its green counts."""
    ran = SuiteRun(suite="unit", ended="completed", results=(result(outcome),), **spoiled)
    assert probe_outcome(SIGNATURE, TEST, (ran,), expected=REVISION) == "unresolved"


def test_no_run_says_nothing() -> None:
    """A commit that could not be built has none."""
    assert probe_outcome(SIGNATURE, TEST, ()) == "unresolved"


@pytest.mark.parametrize(
    ("outcomes", "value"),
    [
        (("red", "red", "red"), "regression"),
        (("red", "timeout"), "regression"),
        (("red",), "regression"),
        (("red", "green"), "flaky"),
        (("red", "red", "green"), "flaky"),
        (("red", "unresolved", "green"), "flaky"),
        (("green", "green"), "flaky"),
        (("red", "unresolved"), "unresolved"),
        (("unresolved", "unresolved"), "unresolved"),
        ((), "unresolved"),
    ],
)
def test_a_failure_is_a_regression_a_flake_or_neither(outcomes: tuple[str, ...], value: str) -> None:
    """One pass on the same revision is enough for a flake; one run that cannot tell is enough for doubt."""
    found = triage("K1", outcomes, ("k",))
    assert (found.kind, found.subject, found.value) == ("triage", "K1", value)
    assert {one.name: one.value for one in found.measurements}["runs"] == len(outcomes)


@pytest.mark.parametrize(
    ("fields", "value", "said"),
    [
        ({"scanned": 3}, "clean", "1 changed files, all intended; no new issue in 3"),
        ({"changed": ()}, "incomplete", "it looked at 0 changed files, the remedy has 1"),
        ({"changed": ("a.py", "b.py")}, "incomplete", "it looked at 2 changed files, the remedy has 1"),
        ({"blind": ("a.py",)}, "incomplete", "changed files could not be read, first a.py"),
        ({"protected": ("tests/t.py",)}, "violations", "touches tests/t.py, which is protected"),
        ({"unintended": ("b.py",)}, "violations", "touches b.py, which it does not mean to"),
        (
            {"issues": (AuditIssue(rule="r", path="a.py", line=3, message="calls it twice"),)},
            "violations",
            "a.py:3 calls it twice",
        ),
        ({"unintended": ("a", "b", "c", "d", "e")}, "violations", "and 2 more"),
        ({"unread": ("x.bin",)}, "clean", "1 file could not be read, first x.bin"),
    ],
)
def test_an_audit_is_clean_or_not(fields: dict[str, Any], value: str, said: str) -> None:
    """Anything that a change must not touch, remove or double; and an audit of nothing says nothing."""
    receipt = AuditReceipt(**{"changed": ("a.py",), **fields})
    found = audit("R1", receipt, ("audit/R1",), files=("a.py",))
    assert (found.kind, found.subject, found.value) == ("audit", "R1", value)
    assert said in found.statement
    assert found.because == ("audit/R1",)


def test_outcomes_are_counted_apart() -> None:
    """Bad is what ran and did not pass."""
    seen = tally(run("green", "red", "red", "timeout", "unresolved").results)
    assert (seen.green, seen.red, seen.timeout, seen.unresolved) == (1, 2, 1, 1)
    assert (seen.total, seen.bad) == (5, 3)


def test_verdicts_are_numbered_after_those_there_are() -> None:
    """And lose nothing on the way."""
    one = Conclusion("triage", "K1", "flaky", "s", because=("k",), revision=REVISION)
    found = numbered([one, one], after=7)
    assert [verdict.id for verdict in found] == ["V8", "V9"]
    assert (found[0].kind, found[0].subject, found[0].value) == ("triage", "K1", "flaky")
    assert (found[0].statement, found[0].because, found[0].revision) == ("s", ("k",), REVISION)


@pytest.mark.parametrize(("runs", "bound"), [(3, "63%"), (10, "26%"), (59, "5%"), (299, "1%")])
def test_green_runs_bound_the_rate_of_failure(runs: int, bound: str) -> None:
    """No number of green runs shows that a test never fails."""
    assert f"the failure rate is below {bound} with 95 %" in repeat_bound(runs)
