"""The smallest guilty set is found, shown to be minimal, and the search is a function of its runs."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.science.hunks.search import Found, Outcome, Try, next_candidates

Show = Callable[[frozenset[int]], Outcome]


def played(
    ranked: list[int], show: Show, *, groups: tuple[frozenset[int], ...] = (), width: int = 1
) -> tuple[Found, dict[frozenset[int], Outcome]]:
    """Try until there is an answer."""
    shown: dict[frozenset[int], Outcome] = {}
    while True:
        step = next_candidates(ranked, shown, groups=groups, width=width)
        if isinstance(step, Found):
            return step, shown
        assert isinstance(step, Try)
        assert 1 <= len(step.candidates) <= max(width, 1)
        for candidate in step.candidates:
            assert candidate not in shown, "nothing is run twice"
            shown[candidate] = show(candidate)


CASES = st.integers(1, 60).flatmap(
    lambda n: st.tuples(
        st.permutations(list(range(n))), st.frozensets(st.integers(0, n - 1), min_size=1, max_size=5)
    )
)


@given(CASES, st.integers(1, 3))
def test_the_guilty_hunks_and_no_others_are_found(case: tuple[list[int], frozenset[int]], width: int) -> None:
    """Whatever the ranking: it costs runs, never the answer."""
    ranked, guilty = case
    found, shown = played(ranked, lambda tried: "green" if guilty <= tried else "red", width=width)
    assert found.hunks == guilty
    assert found.is_minimal
    assert shown[guilty] == "green"
    if len(guilty) > 1:
        assert all(shown[guilty - {one}] != "green" for one in guilty)


@given(CASES, st.data())
def test_groups_cost_or_save_runs_and_never_change_the_answer(
    case: tuple[list[int], frozenset[int]], data: st.DataObject
) -> None:
    """Whatever was joined by mistake is told apart."""
    ranked, guilty = case
    marks = {one: data.draw(st.integers(0, 5)) for one in ranked}
    groups = tuple(frozenset(one for one in ranked if marks[one] == mark) for mark in set(marks.values()))
    found, shown = played(ranked, lambda tried: "green" if guilty <= tried else "red", groups=groups)
    assert found.hunks == guilty
    assert shown[guilty] == "green"


@given(CASES, st.data())
def test_what_cannot_be_tried_alone_brings_the_others_along(
    case: tuple[list[int], frozenset[int]], data: st.DataObject
) -> None:
    """A hunk that does not apply without another: the answer holds both, and is minimal all the same."""
    ranked, guilty = case
    needs = {one: data.draw(st.sampled_from(ranked)) for one in guilty}

    def show(tried: frozenset[int]) -> Outcome:
        if any(one in tried and other not in tried for one, other in needs.items()):
            return "unresolved"
        return "green" if guilty <= tried else "red"

    found, shown = played(ranked, show)
    assert found.hunks == guilty | set(needs.values())
    assert shown[found.hunks] == "green"


@given(CASES)
def test_no_set_that_cures_is_an_answer(case: tuple[list[int], frozenset[int]]) -> None:
    ranked, _ = case
    found, shown = played(ranked, lambda _tried: "red")
    assert found == Found(frozenset(), is_minimal=False)
    assert frozenset(ranked) in shown


def test_the_likeliest_hunk_alone_takes_one_run() -> None:
    """The empty set is red already, so nothing smaller is left to show."""
    found, shown = played([7, 1, 2, 3], lambda tried: "green" if 7 in tried else "red")
    assert found.hunks == {7}
    assert len(shown) == 1


def test_a_change_without_hunks_has_no_answer() -> None:
    assert next_candidates([], {}) == Found(frozenset(), is_minimal=False)
