"""Change: results against history, test by test, as a whole and by pattern."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenpath_loop.science.change import (
    changed_tests,
    is_new_signature,
    paired,
    pattern_change,
    raised_tests,
)


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


@pytest.mark.parametrize(
    ("times", "runs", "is_new"),
    [(1, 298, False), (1, 299, True), (2, 20, False), (2, 21, True), (8, 1, False), (9, 1, True)],
)
def test_a_failure_is_new_from_where_poisson_says_so(times: int, runs: int, is_new: bool) -> None:
    """The tails of scipy cross one in a hundred between these."""
    assert is_new_signature(times, runs) == is_new


@given(st.integers(1, 2000), st.integers(1, 2000))
def test_another_sighting_never_makes_a_failure_less_new(times: int, runs: int) -> None:
    """Also hundreds of sightings, as one outage brings them, have a probability."""
    assert is_new_signature(times, runs) <= is_new_signature(times + 1, runs)


@pytest.mark.parametrize(
    ("history", "now", "expected"),
    [
        ((0, 100), (4, 4), 2.1747990376949214e-07),
        ((3, 30), (4, 10), 0.05195574235821914),
        ((5, 100), (4, 10), 0.0036252177013556307),
        ((0, 0), (3, 5), 1.0),
        ((10, 10), (2, 2), 1.0),
        ((20, 200), (0, 9), 1.0),
    ],
)
def test_a_raised_rate_has_the_chance_that_fisher_gives(
    history: tuple[int, int], now: tuple[int, int], expected: float
) -> None:
    """Values of scipy; with hardly any limit everything is reported with its chance."""
    found = raised_tests({"x": history}, {"x": now}, rate=1 - 1e-12)
    assert [one.p_value for one in found] == ([pytest.approx(expected, rel=1e-9)] if expected < 1 else [])


def test_a_test_that_fails_now_and_then_is_seen_in_ten_runs() -> None:
    """Five of ten, where it failed two times of a hundred; its neighbours are as flaky as ever."""
    others = {f"t{number}": (5, 100) for number in range(59)}
    found = raised_tests(others | {"x": (2, 100)}, dict.fromkeys(others, (1, 10)) | {"x": (5, 10)})
    assert [(one.test, one.fails) for one in found] == [("x", 5)]


_RATES = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: (min(pair), max(pair)))


@given(st.dictionaries(st.sampled_from("abcdef"), _RATES), st.dictionaries(st.sampled_from("abcdef"), _RATES))
def test_only_what_fails_more_often_than_before_is_raised(
    history: dict[str, tuple[int, int]], now: dict[str, tuple[int, int]]
) -> None:
    """Whatever else there is; and nothing that only one side has."""
    for one in raised_tests(history, now):
        (old_fails, old_runs), (fails, runs) = history[one.test], now[one.test]
        assert fails * old_runs > old_fails * runs
        assert 0 <= one.p_value <= 0.05


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("aaabcc", "abcccccdd", 0.23194111635827105),
        ("aaaaaaabbb", "abb", 0.09940498762104884),
        ("a", "bbbb", 1.0),
        ("ab", "aabb", 0.0),
    ],
)
def test_the_divergence_has_the_known_values(before: str, after: str, expected: float) -> None:
    """The square of what scipy calls the Jensen-Shannon distance, to base 2."""
    assert pattern_change([before], [after], random.Random(1).shuffle, permutations=1)[0] == pytest.approx(
        expected
    )


def test_another_pattern_at_equal_counts_is_a_change() -> None:
    """Two failures a run each, of other kinds."""
    divergence, chance = pattern_change([["a", "b"]] * 10, [["a", "c"]] * 10, random.Random(1).shuffle)
    assert divergence == pytest.approx(0.5)
    assert chance < 0.01


def test_one_outage_is_one_sighting() -> None:
    """Twenty tests that failed together in one run of ten show nothing, twenty in each of them do."""
    quiet, outage = ["flaky"], [f"t{number}" for number in range(20)]
    once = pattern_change([quiet] * 10, [quiet] * 9 + [outage], random.Random(1).shuffle)
    always = pattern_change([quiet] * 10, [outage] * 10, random.Random(1).shuffle)
    assert once[1] > 0.5
    assert always[1] < 0.01


def test_the_same_seed_gives_the_same_answer() -> None:
    """A person can check what was said."""
    before, after = ["ab", "a", "", "b"], ["b", "bc", "c", "a"]
    one, other = (pattern_change(before, after, random.Random(7).shuffle) for _ in range(2))
    assert one == other


_RUNS = st.lists(st.text("abcd", max_size=5), min_size=1, max_size=8).filter(any)


@settings(deadline=None, max_examples=50)
@given(_RUNS, _RUNS, st.integers(0, 99))
def test_a_pattern_has_a_share_and_a_chance_the_same_from_either_side(
    before: list[str], after: list[str], seed: int
) -> None:
    """The divergence is symmetric and between none and all."""
    divergence, chance = pattern_change(before, after, random.Random(seed).shuffle, permutations=20)
    assert 0 <= divergence <= 1
    assert 1 / 21 <= chance <= 1
    back, _ = pattern_change(after, before, random.Random(seed).shuffle, permutations=1)
    assert back == pytest.approx(divergence)


@settings(deadline=None, max_examples=50)
@given(_RUNS, st.integers(0, 99))
def test_the_same_failures_in_any_order_are_no_change(runs: list[str], seed: int) -> None:
    """The divergence is none and every deal is as far."""
    other = list(runs)
    random.Random(seed).shuffle(other)
    divergence, chance = pattern_change(runs, other, random.Random(seed).shuffle, permutations=20)
    assert divergence == pytest.approx(0.0)
    assert chance == 1.0


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(st.sampled_from("abcdef"), st.booleans()),
    st.dictionaries(st.sampled_from("abcdef"), st.booleans()),
)
def test_every_test_of_either_side_is_told_of_once(before: dict[str, bool], after: dict[str, bool]) -> None:
    """Vanished, appeared, broken, mended, or as it was."""
    found = paired(before, after)
    as_it_was = {test for test in before.keys() & after.keys() if before[test] == after[test]}
    told = [*found.vanished, *found.appeared, *found.broken, *found.mended, *as_it_was]
    assert sorted(told) == sorted(before.keys() | after.keys())
    assert paired(after, before).p_value == found.p_value


@pytest.mark.parametrize(
    "call",
    [
        lambda: pattern_change([], ["a"], random.Random(1).shuffle),
        lambda: pattern_change(["", ""], ["a"], random.Random(1).shuffle),
        lambda: pattern_change(["b"], ["a"], random.Random(1).shuffle, permutations=0),
        lambda: is_new_signature(-1, 3),
        lambda: changed_tests({"a": (0, 3)}, {"a": -1}),
        lambda: changed_tests({"a": (4, 3)}, {"a": 1}),
        lambda: raised_tests({"a": (4, 3)}, {"a": (1, 2)}),
        lambda: raised_tests({"a": (0, 3)}, {"a": (3, 2)}),
    ],
)
def test_impossible_counts_are_refused(call: object) -> None:
    """They raise instead of giving a number."""
    assert callable(call)
    with pytest.raises(ValueError, match=r"."):
        call()
