"""A JUnit report of any writer is read; what cannot be read is never a pass."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenpath_loop.suites.evidence_text import evidence_text
from goldenpath_loop.suites.junit import read_junit

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites>
  <testsuite name="cart" tests="6">
    <testcase classname="cart.total" name="adds" time="0.25"/>
    <testcase classname="cart.total" name="rounds" time="1,000.5" file="cart.test.js" line="12">
      <failure type="java.lang.AssertionError" message="expected 3 &#10;but got 4">the trace</failure>
      <system-out>printed</system-out>
    </testcase>
    <testcase classname="cart.total" name="explodes"><error>TypeError: x is not a function
    at cart.js:3</error></testcase>
    <testcase classname="cart.total" name="waits"><skipped message="not on CI"/></testcase>
    <testcase classname="cart.total" name="known"><skipped type="pytest.xfail" message="bug 3"/></testcase>
    <testcase name="flaky"><flakyFailure message="once"/></testcase>
    <testcase name="off" status="disabled"/>
  </testsuite>
</testsuites>
"""


def test_cases_are_judged() -> None:
    report = read_junit(REPORT)
    assert report.problem == ""
    seen = {case.result.id: case.result for case in report.cases}
    assert {name: (result.outcome, result.not_run, result.reason) for name, result in seen.items()} == {
        "cart.total::adds": ("green", "", ""),
        "cart.total::rounds": ("red", "", ""),
        "cart.total::explodes": ("red", "", ""),
        "cart.total::waits": ("unresolved", "skipped", "not on CI"),
        "cart.total::known": ("unresolved", "xfailed", "bug 3"),
        "flaky": ("green", "", "passed after 1 failed attempt of the same run"),
        "off": ("unresolved", "skipped", "the report says: disabled"),
    }
    rounds = seen["cart.total::rounds"]
    assert rounds.duration_s == 1000.5
    assert rounds.failure is not None
    assert rounds.failure.exception == "AssertionError"
    assert rounds.failure.message == "expected 3 \nbut got 4"
    assert (rounds.failure.path, rounds.failure.line) == ("cart.test.js", 12)
    assert rounds.signature is not None
    explodes = seen["cart.total::explodes"].failure
    assert explodes is not None
    assert (explodes.exception, explodes.message) == (
        "Error",
        "TypeError: x is not a function\n    at cart.js:3",
    )


def test_the_message_stands_word_for_word_in_the_evidence() -> None:
    for case in read_junit(REPORT).cases:
        text = evidence_text(case.result, [case.stage])
        if case.result.failure:
            assert case.result.failure.message in text
        if case.stage.stdout:
            assert f"--- captured stdout ---\n{case.stage.stdout}\n" in text


def test_cases_with_the_same_name_do_not_hide_each_other() -> None:
    text = '<testsuite><testcase name="a"/><testcase name="a"><failure/></testcase></testsuite>'
    results = [case.result for case in read_junit(text).cases]
    assert [(result.id, result.outcome) for result in results] == [("a", "green"), ("a #2", "red")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not XML"),
        ("<testsuite><testcase name='a'/>", "is not XML"),
        ("<html/>", "root is <html>"),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]><testsuite/>", "declares a document type"),
    ],
)
def test_what_is_no_report_is_a_problem(text: str, problem: str) -> None:
    for form in (text, text.encode()):
        report = read_junit(form)
        assert problem in report.problem
        assert report.cases == ()


def test_an_encoding_nobody_knows_is_a_problem() -> None:
    assert read_junit(b"<?xml version='1.0' encoding='no-such'?><testsuite/>").problem


def test_a_suite_that_failed_as_a_whole_is_a_problem() -> None:
    report = read_junit('<testsuite><error message="no database"/><testcase name="a"/></testsuite>')
    assert report.problem == "a suite as a whole failed: no database"
    assert len(report.cases) == 1


@settings(deadline=None)  # a slow machine is no failure
@given(st.integers(0, len(REPORT) - 2))
def test_a_report_that_was_cut_off_is_never_read_as_a_pass(end: int) -> None:
    report = read_junit(REPORT[:end])
    assert report.problem or REPORT[end:].strip() == ""
