"""Triage: what a history and re-runs add up to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.science.triage import triage

RED, GREEN = True, False


@pytest.mark.parametrize(
    ("reds", "runs", "reruns", "expected"),
    [
        (0, 0, [], "again"),
        (0, 0, [RED], "again"),
        (0, 0, [RED, RED], "regression"),
        (0, 0, [RED, GREEN], "flaky"),
        (0, 100, [RED] * 4, "again"),
        (0, 100, [RED] * 5, "regression"),
        (0, 10, [RED] * 5, "again"),
        (0, 10, [RED] * 6, "regression"),
        (3, 30, [RED] * 6, "again"),
        (3, 30, [RED] * 7, "regression"),
        (0, 100, [RED, GREEN, RED], "intermittent"),
        (0, 100, [RED, GREEN], "intermittent"),
        (3, 30, [RED, GREEN], "again"),
        (30, 100, [GREEN] * 6, "flaky"),
        (10, 20, [RED, GREEN, GREEN, RED, GREEN, GREEN, GREEN], "flaky"),
    ],
)
def test_what_history_and_reruns_say(reds: int, runs: int, reruns: list[bool], expected: str) -> None:
    """A test that never failed in a hundred runs and now fails twice in three is no flake."""
    assert triage(reds, runs, reruns) == expected


@given(
    st.integers(0, 200).flatmap(lambda runs: st.tuples(st.integers(0, runs), st.just(runs))),
    st.lists(st.booleans(), max_size=40),
)
def test_it_comes_to_an_end(history: tuple[int, int], reruns: list[bool]) -> None:
    """No history and no luck keep it going for more than 24 re-runs."""
    answer = triage(*history, reruns)
    assert answer in ("again", "regression", "flaky", "intermittent")
    assert len(reruns) < 24 or answer != "again"


@given(st.integers(10, 200), st.lists(st.booleans(), min_size=1, max_size=24))
def test_more_failures_never_speak_for_a_flake(runs: int, reruns: list[bool]) -> None:
    """With one red more of as many runs, "it has become worse" is no less likely."""
    if GREEN not in reruns or triage(0, runs, reruns) != "intermittent":
        return
    worse = list(reruns)
    worse[worse.index(GREEN)] = RED
    assert triage(0, runs, worse) != "flaky"


def test_impossible_counts_are_refused() -> None:
    """More failures than runs."""
    with pytest.raises(ValueError, match=r"."):
        triage(20, 12, [RED])
