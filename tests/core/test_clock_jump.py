"""What is a jump of the clock, and what is time that went by."""

from __future__ import annotations

from datetime import timedelta

import pytest

from goldenpath_loop.core.clock_jump import Reading, jumped_by_s

from .builders import NOON


@pytest.mark.parametrize(
    ("wall_s", "steady_s", "by_s"),
    [
        (0, 0, 0),
        (3600, 3600, 0),
        (28_800.2, 0.2, 28_800),
        (-3_600, 0.2, -3_600.2),
        (4.9, 0, 0),
        (-4.9, 0, 0),
        (5, 0, 5),
        (-5, 0, -5),
        (0, 5, -5),
    ],
    ids=[
        "no time", "an hour", "slept", "set back", "a little ahead", "a little back", "ahead", "back",
        "stood still",
    ],
)  # fmt: skip
def test_a_jump_is_what_the_day_went_further_than_time(wall_s: float, steady_s: float, by_s: float) -> None:
    """Small steps are what keeps a clock right, and no jump."""
    before = Reading(NOON, 100.0)
    after = Reading(NOON + timedelta(seconds=wall_s), 100.0 + steady_s)
    assert jumped_by_s(before, after) == pytest.approx(by_s)
