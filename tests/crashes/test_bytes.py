"""An append that is cut off at any byte: what was whole stays, what was torn lies beside it, and it goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from goldenpath_loop.records.events import AnyEvent, RunResumed
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.log import (
    SessionLog,
)
from tests.crashes.apart import each_apart, is_killed
from tests.crashes.plug import Point, arm
from tests.crashes.tally import Found, Tally
from tests.session.examples import EVENTS

_BEFORE = EVENTS[:2]
_STRIDE = 199
"""Prime, so that places in lines of different lengths do not fall together."""


def _size_of(folder: Path, event: AnyEvent) -> int:
    """How long the line of `event` is after those before it; the time in it always has the same length."""
    path = folder / "session.jsonl"
    with SessionLog(path) as log:
        for one in (*_BEFORE, event):
            log.append(one)
    return len(path.read_bytes().splitlines(keepends=True)[-1])


def _cut(given: tuple[Path, int, int, tuple[int, ...]]) -> list[Found]:
    """Kill the append of one event at each of some places of its line."""
    folder, number, size, places = given
    return [_cut_at(folder / str(place), EVENTS[number], size, place) for place in places]


def _cut_at(folder: Path, event: AnyEvent, size: int, place: int) -> Found:
    folder.mkdir(parents=True)
    path = folder / "session.jsonl"
    with SessionLog(path) as log:
        for one in _BEFORE:
            log.append(one)
    good = path.read_bytes()
    is_whole = place == size
    """Killed when the line is there and before anybody is told so."""

    def append() -> None:
        arm(Point(keep=None if is_whole else place))
        with SessionLog(path) as log:
            log.append(event)

    killed = is_killed(append)
    left = path.read_bytes()
    tail, differs = left[len(good) :], []
    if not left.startswith(good) or len(tail) != place:
        differs.append(f"{len(tail)} bytes were written")
    torn = b"" if is_whole else tail
    stands = [*_BEFORE, event] if is_whole else [*_BEFORE]
    if [line.event for line in read(path)] != stands:
        differs.append("a reader sees something else")
    with SessionLog(path) as log:
        if log.torn_bytes != len(torn):
            differs.append(f"{log.torn_bytes} torn bytes are reported")
        log.append(RunResumed(version="2"))
    if [one.read_bytes() for one in folder.iterdir() if one != path] != ([torn] if torn else []):
        differs.append("the torn bytes are not kept as they were")
    kept = [line.event for line in read(path)]
    lost = tuple(one.type for one in stands if one not in kept)
    if kept != [*stands, RunResumed(version="2")]:
        differs.append("what follows does not follow")
    shutil.rmtree(folder)
    return Found(f"{event.type} at byte {place}", int(killed), tuple(differs), lost)


def _sizes(folder: Path) -> dict[int, int]:
    """The length of the line of one event of every type, by its place among the examples."""
    first = {event.type: number for number, event in reversed(list(enumerate(EVENTS)))}
    sizes: dict[int, int] = {}
    for number in sorted(first.values()):
        below = folder / f"size-{number}"
        below.mkdir()
        sizes[number] = _size_of(below, EVENTS[number])
    return sizes


def test_an_append_that_is_killed_at_a_byte_leaves_everything_before_it(tmp_path: Path) -> None:
    """Every byte of the shortest line, and some of a line of every other type."""
    sizes = _sizes(tmp_path)
    shortest = min(sizes, key=lambda number: sizes[number])
    given = [
        (
            tmp_path / str(number),
            number,
            size,
            tuple(range(size + 1) if number == shortest else range(number, size + 1, _STRIDE)),
        )
        for number, size in sizes.items()
    ]
    tally = Tally("bytes of an append", [one for some in each_apart(_cut, given, workers=1) for one in some])
    assert not tally.problems, tally.problems
    assert tally.kills == len(tally.found) > sizes[shortest] + len(sizes)


@pytest.mark.full
def test_an_append_that_is_killed_at_any_byte_leaves_everything_before_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every byte of a line of every type."""
    given = [
        (tmp_path / str(number), number, size, tuple(range(size + 1)))
        for number, size in _sizes(tmp_path).items()
    ]
    tally = Tally("bytes of an append", [one for some in each_apart(_cut, given, workers=2) for one in some])
    with capsys.disabled():
        print(f"\n{tally}")  # noqa: T201
    assert not tally.problems, tally.problems
    assert tally.kills == len(tally.found)
