"""Ranking: what failed comes first, what is new next, what just passed last; nothing is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.records.findings import PlannedSuite
from goldenpath_loop.records.history import TestHistory
from goldenpath_loop.records.target import SuiteSpec
from goldenpath_loop.science.ranking import failure_chance, rank_suites

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)


def suite(name: str, value: float = 0.0, priority: int = 3) -> SuiteSpec:
    return SuiteSpec(name=name, path=f"tests/{name}.py", value_at_risk_usd=value, priority=priority)


def seen(
    test: str,
    last: str = "green",
    *,
    runs: int = 10,
    reds: int = 0,
    hours_ago: float = 1.0,
    mean_duration_s: float = 1.0,
) -> TestHistory:
    return TestHistory(
        id=test,
        runs=runs,
        reds=reds,
        last_outcome=last,
        last_run_at=NOW - timedelta(hours=hours_ago),
        mean_duration_s=mean_duration_s,
    )


def rank(
    suites: list[SuiteSpec],
    tests: dict[str, list[str]],
    history: list[TestHistory],
    now: datetime | None = None,
) -> tuple[PlannedSuite, ...]:
    return rank_suites(suites, tests, {entry.id: entry for entry in history}, now=now)


def test_groups_come_in_their_order_with_their_reasons() -> None:
    """Failing before, new, known, recently passed: the group goes before the value."""
    tests = {
        "passed": ["p::1", "p::2"],
        "old": ["o::1"],
        "new": ["n::1"],
        "partly": ["m::1", "m::2", "m::3"],
        "failed": [f"f::{n}" for n in range(5)],
    }
    history = [
        seen("p::1", mean_duration_s=1.0),
        seen("p::2", mean_duration_s=1.1),
        seen("o::1", hours_ago=100, mean_duration_s=2.0),
        seen("m::1", mean_duration_s=0.5),
        *(seen(f"f::{n}", last) for n, last in enumerate(("green", "red", "timeout", "red", "green"))),
    ]
    plan = rank(
        [suite("passed", 900_000), suite("old", 120_000), suite("new"), suite("partly", 1), suite("failed")],
        tests,
        history,
        now=NOW,
    )
    assert [(planned.suite, planned.reason) for planned in plan] == [
        ("failed", "3 of 5 were red in the last run, 5.0 s"),
        ("partly", "2 of 3 are new, $1 a month, 1.5 s"),
        ("new", "new: never run"),
        ("old", "$120,000 a month, 2.0 s"),
        ("passed", "passed in the last run, $900,000 a month, 2.1 s"),
    ]


def test_one_red_and_one_new_read_well() -> None:
    """One is singular, and both facts are told."""
    (plan,) = rank([suite("s")], {"s": ["a", "b"]}, [seen("a", "red")], now=NOW)
    assert plan.reason == "1 of 2 was red in the last run, 1 of 2 is new, 2.0 s"
    assert plan.tests == ("a", "b")


def test_value_a_second_decides_within_a_group() -> None:
    """Half the value in a tenth of the time goes first; without any value the quicker one."""
    tests = {"slow": ["s"], "quick": ["q"]}
    history = [
        seen("s", hours_ago=99, mean_duration_s=10.0),
        seen("q", hours_ago=99, mean_duration_s=1.0),
    ]
    plan = rank([suite("slow", 1000), suite("quick", 500)], tests, history, now=NOW)
    assert [planned.suite for planned in plan] == ["quick", "slow"]
    plan = rank([suite("slow"), suite("quick")], tests, history, now=NOW)
    assert [planned.suite for planned in plan] == ["quick", "slow"]


def test_chance_of_failure_weighs() -> None:
    """Of two equal suites the one that failed more often goes first."""
    tests = {"steady": ["s"], "shaky": ["t"]}
    history = [seen("s", hours_ago=99), seen("t", hours_ago=99, reds=5)]
    plan = rank([suite("steady", 100), suite("shaky", 100)], tests, history, now=NOW)
    assert [planned.suite for planned in plan] == ["shaky", "steady"]


def test_equals_go_by_priority_then_name() -> None:
    """Nothing known: the configuration decides, and the order of the configuration does not."""
    plan = rank([suite("b"), suite("a"), suite("c", priority=1)], {}, [], now=NOW)
    assert [planned.suite for planned in plan] == ["c", "a", "b"]
    assert {planned.reason for planned in plan} == {"new: never run"}
    assert plan[0].tests == ()


def test_tests_of_a_suite_are_ordered_too() -> None:
    """Failing first, then new, then likely failures, else the order of collection."""
    history = [seen("a"), seen("b"), seen("shaky", reds=5), seen("red", "red"), seen("empty", runs=0)]
    (plan,) = rank([suite("s")], {"s": ["b", "a", "shaky", "new", "empty", "red"]}, history, now=NOW)
    assert plan.tests == ("red", "new", "empty", "shaky", "b", "a")


@pytest.mark.parametrize(
    ("last", "hours_ago", "reason"),
    [
        ("green", 1, "passed in the last run, 1.0 s"),
        ("green", 25, "1.0 s"),
        ("unresolved", 1, "1.0 s"),
        ("red", 1, "1 of 1 was red in the last run, 1.0 s"),
        ("timeout", 99, "1 of 1 was red in the last run, 1.0 s"),
    ],
)
def test_only_a_green_of_today_counts_as_recently_passed(last: str, hours_ago: float, reason: str) -> None:
    """No verdict is not a pass, and an old pass is no recent one."""
    (plan,) = rank([suite("s")], {"s": ["t"]}, [seen("t", last, hours_ago=hours_ago)], now=NOW)
    assert plan.reason == reason


def test_without_a_clock_the_newest_result_is_now() -> None:
    """The last run itself is recent; a test without a time is not."""
    untimed = TestHistory(id="u", runs=1, reds=0, last_outcome="green")
    tests = {"s": ["t"], "u": ["u"]}
    plan = rank([suite("s"), suite("u")], tests, [seen("t", hours_ago=9999), untimed])
    assert [planned.suite for planned in plan] == ["u", "s"]
    assert plan[1].reason.startswith("passed in the last run")
    (alone,) = rank([suite("u")], tests, [untimed])
    assert alone.reason == "0.0 s"


def test_old_failures_count_less() -> None:
    """After a half-life a history weighs half; no history is an even chance."""
    fresh, old = seen("t", reds=9), seen("t", reds=9, hours_ago=24 * 140)
    assert failure_chance(fresh, NOW) > failure_chance(old, NOW) > 0.5
    assert failure_chance(old, None) == pytest.approx(9.5 / 11)
    assert failure_chance(None, NOW) == 0.5
    future = seen("t", reds=9, hours_ago=-5)
    assert failure_chance(future, NOW) == pytest.approx(9.5 / 11)


_HISTORY = st.builds(
    seen,
    st.sampled_from("abcdef"),
    st.sampled_from(["green", "red", "timeout", "unresolved", ""]),
    runs=st.integers(0, 9),
    reds=st.integers(0, 12),
    hours_ago=st.sampled_from([0.0, 30.0]),
    mean_duration_s=st.sampled_from([0.0, 0.5, 60.0]),
)


@given(
    st.permutations([suite("x", 5), suite("y"), suite("z", 10, 1)]),
    st.lists(_HISTORY, max_size=6, unique_by=lambda history: history.id),
)
def test_nothing_is_left_out_and_order_of_input_does_not_matter(
    suites: list[SuiteSpec], history: list[TestHistory]
) -> None:
    """Every suite and every test once; the same plan for any order of suites."""
    tests = {"x": ["a", "b"], "y": ["c", "d", "e"], "z": ["f"]}
    plan = rank(suites, tests, history, now=NOW)
    assert {planned.suite: sorted(planned.tests) for planned in plan} == tests
    assert all(planned.reason for planned in plan)
    assert plan == rank(sorted(suites, key=lambda spec: spec.name), tests, history, now=NOW)
