"""Change: results against history, test by test, as a whole and by pattern."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenpath_loop.science.change import changed_tests, is_new_signature, paired, pattern_change


def test_tests_that_only_one_side_has_are_told_apart() -> None:
    """A test that vanished is neither mended nor broken."""
    found = paired(
        {"a": True, "b": True, "c": False, "gone": False}, {"a": True, "b": False, "c": True, "new": True}
    )
    assert (found.vanished, found.appeared) == (("gone",), ("new",))
    assert (found.broken, found.mended) == (("b",), ("c",))
    assert found.p_value == 1.0


def test_eight_broken_and_none_mended_is_a_change() -> None:
    """At two in 256."""
    before = {f"t{number}": True for number in range(20)}
    after = before | {f"t{number}": False for number in range(8)}
    assert paired(before, after).p_value == pytest.approx(2 / 256)


@pytest.mark.parametrize(
    ("history", "in_a_row", "is_changed"),
    [
        ((0, 100), 4, True),
        ((0, 100), 1, False),
        ((3, 30), 4, False),
        ((3, 30), 7, True),
        ((30, 100), 4, False),
        ((0, 0), 4, False),
    ],
)
def test_one_test_of_sixty_is_judged_by_its_own_history(
    history: tuple[int, int], in_a_row: int, is_changed: bool
) -> None:
    """Four failures in a row mean something else for a flaky test."""
    others = {f"t{number}": (0, 100) for number in range(59)}
    rows = dict.fromkeys(others, 0)
    found = changed_tests(others | {"x": history}, rows | {"x": in_a_row})
    assert [one.test for one in found] == (["x"] if is_changed else [])


def test_nothing_to_compare_is_no_change() -> None:
    """No test is on both sides."""
    assert changed_tests({"a": (0, 10)}, {"b": 4}) == ()


@pytest.mark.parametrize(
    ("times", "runs", "is_new"),
    [
        (1, 1000, True),
        (1, 100, False),
        (2, 100, True),
        (1, 10, False),
        (4, 10, True),
        (0, 10, False),
        (5, 0, False),
    ],
)
def test_a_failure_never_seen_is_new_when_it_was_looked_for_long_enough(
    times: int, runs: int, is_new: bool
) -> None:
    """Once in ten runs may be bad luck."""
    assert is_new_signature(times, runs) == is_new


def test_another_pattern_at_equal_counts_is_a_change() -> None:
    """Twenty failures each, of other kinds."""
    before, after = ["a"] * 10 + ["b"] * 10, ["a"] * 10 + ["c"] * 10
    divergence, chance = pattern_change(before, after, random.Random(1).shuffle)
    assert divergence == pytest.approx(0.5)
    assert chance < 0.01


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=20), st.integers(0, 99))
def test_the_same_failures_in_any_order_are_no_change(failures: list[str], seed: int) -> None:
    """The divergence is none and every deal is as far."""
    other = list(failures)
    random.Random(seed).shuffle(other)
    divergence, chance = pattern_change(failures, other, random.Random(seed).shuffle, permutations=20)
    assert divergence == pytest.approx(0.0)
    assert chance == 1.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: pattern_change([], ["a"], random.Random(1).shuffle),
        lambda: is_new_signature(-1, 3),
        lambda: changed_tests({"a": (0, 3)}, {"a": -1}),
        lambda: changed_tests({"a": (4, 3)}, {"a": 1}),
    ],
)
def test_impossible_counts_are_refused(call: object) -> None:
    """They raise instead of giving a number."""
    assert callable(call)
    with pytest.raises(ValueError, match=r"."):
        call()
