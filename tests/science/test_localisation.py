"""Localisation: how near a hunk is to what failed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.records.history import Hunk
from goldenpath_loop.records.receipts import ExecutedFile, ExecutedLine
from goldenpath_loop.science.localisation import line_words, nearest_line, ochiai, standing


def hunk(start: int, *, added: int = 1, removed: int = 1, path: str = "a.py") -> Hunk:
    return Hunk(
        path=path,
        header="@@",
        added=tuple("new" for _ in range(added)),
        removed=tuple("old" for _ in range(removed)),
        new_start=start,
    )


def ran(path: str, **lines: tuple[int, int, bool]) -> ExecutedFile:
    return ExecutedFile(
        path=path,
        lines=tuple(
            ExecutedLine(line=int(name[1:]), failed=failed, passed=passed, in_function=inside)
            for name, (failed, passed, inside) in lines.items()
        ),
    )


EXECUTED = (
    ran("a.py", _1=(1, 3, False), _10=(1, 3, True), _20=(1, 0, True), _40=(1, 3, False)),
    ran("settings.py", _3=(1, 3, False)),
)


@pytest.mark.parametrize(
    ("one", "kind", "suspicion"),
    [
        (hunk(20), 0, 1.0),
        (hunk(10), 0, 0.5),
        (hunk(1), 1, 0.5),
        (hunk(3, path="settings.py"), 2, 0.5),
        (hunk(30), 3, 0.0),
        (hunk(10, path="b.py"), 3, 0.0),
        (hunk(23), 0, 1.0),
        (hunk(19, added=0), 0, 1.0),
        (hunk(35, added=10), 1, 0.5),
    ],
)
def test_what_the_failure_goes_through_is_nearest(one: Hunk, kind: int, suspicion: float) -> None:
    """Called functions, then imports of the same file, other imports, and what never ran."""
    found = standing(one, EXECUTED, failing=1)
    assert found.kind == kind
    assert found.remoteness == pytest.approx(1 - suspicion)
    assert found.is_run == (kind < 3)
    assert (nearest_line(one, EXECUTED) is not None) == found.is_run


@given(st.integers(1, 50).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, 50))))
def test_suspicion_is_a_share_that_passing_tests_lower(case: tuple[int, int, int]) -> None:
    """From 0 to 1; a line that only failing tests run is the most suspect."""
    failing, failed, passed = case
    assert 0 <= ochiai(failed, passed + 1, failing=failing) <= ochiai(failed, passed, failing=failing) <= 1


def test_impossible_counts_are_refused() -> None:
    """More failing tests than there are."""
    with pytest.raises(ValueError, match="2 of 1"):
        ochiai(2, 0, failing=1)


def test_a_line_is_spoken_of_in_one_way() -> None:
    """Evidence and citations use the same words."""
    line = EXECUTED[0].lines
    assert line_words("a.py", line[0]) == "a.py:1 run by 1 failing, 3 passing, on import"
    assert line_words("a.py", line[2]) == "a.py:20 run by 1 failing, 0 passing"
