"""As many calls at once as the server takes, found out from what it refuses."""

from __future__ import annotations

import pytest

from goldenpath_loop.model.width import Width
from tests.model.asking import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def width(clock: Clock) -> Width:
    """Sixty-four places of a server that takes sixteen; forty-eight calls were refused, one by one."""
    width = Width(64, now=clock.now)
    for still_open in range(63, 15, -1):
        width.refused(still_open)
    return width


def serve(width: Width, count: int) -> None:
    """Answers, one after another."""
    for _ in range(count):
        width.served()


def test_a_burst_leaves_as_many_places_as_were_served(width: Width) -> None:
    assert width.places.total_tokens == 16


def test_it_widens_only_after_a_time_without_refusals(width: Width, clock: Clock) -> None:
    serve(width, 100)
    assert width.places.total_tokens == 16
    clock.at += 2
    serve(width, 15)
    assert width.places.total_tokens == 16
    serve(width, 1 + 17)
    assert width.places.total_tokens == 18


def test_each_refusal_after_a_quiet_time_makes_the_next_one_longer(width: Width, clock: Clock) -> None:
    quiet = []
    for _ in range(7):
        began = clock.at
        while width.places.total_tokens == 16:
            clock.at += 1
            serve(width, 16)
        quiet.append(clock.at - began)
        width.refused(16)
    assert quiet == [2, 4, 8, 16, 32, 60, 60]


def test_it_never_gets_wider_than_configured(clock: Clock) -> None:
    width = Width(2, now=clock.now)
    width.refused(1)
    for _ in range(9):
        clock.at += 60
        serve(width, 2)
    assert width.places.total_tokens == 2


def test_who_is_alone_and_refused_exceeded_a_rate(clock: Clock) -> None:
    width = Width(4, now=clock.now)
    width.refused(0)
    assert width.places.total_tokens == 4
