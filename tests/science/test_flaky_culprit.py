"""The search as a whole, played against made-up histories."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from goldenpath_loop.science.flaky_culprit import Answer, Run, Search, next_step

Outcome = Callable[[int], str]


def played(
    search: Search, show: Outcome, *, width: int = 1, past: tuple[Run, ...] = ()
) -> tuple[Answer, list[Run]]:
    """Ask and run until there is an answer."""
    runs: list[Run] = list(past)
    while True:
        step = next_step(search, runs, width=width)
        if isinstance(step, Answer):
            return step, [run for run in runs if not run.past]
        assert 1 <= len(step.indices) <= width
        runs += [Run(index, show(index)) for index in step.indices]  # type: ignore[arg-type]


HISTORIES = st.integers(2, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 2)))


@given(HISTORIES)
@example((202, 101))
def test_a_deterministic_search_costs_what_bisecting_costs(case: tuple[int, int]) -> None:
    """And it is confirmed: the culprit was run and so was its parent."""
    count, culprit = case
    answer, runs = played(Search((1.0,) * count), lambda index: "red" if index <= culprit else "green")
    assert (answer.kind, answer.index, answer.is_confirmed) == ("culprit", culprit, True)
    # The two ends are taken on trust, as bisecting does, and only run when they are part of the answer.
    assert len(runs) <= math.ceil(math.log2(count)) + 2


@given(HISTORIES, st.integers(2, 4))
def test_several_at_once_need_fewer_rounds(case: tuple[int, int], width: int) -> None:
    """And find the same."""
    count, culprit = case
    answer, _ = played(
        Search((1.0,) * count), lambda index: "red" if index <= culprit else "green", width=width
    )
    assert (answer.kind, answer.index) == ("culprit", culprit)


@given(HISTORIES, st.data())
def test_what_cannot_be_run_is_never_blamed_alone(case: tuple[int, int], data: st.DataObject) -> None:
    """The answer is the culprit, or a range that holds it and in which nothing older than its head can be run."""
    count, culprit = case
    begin = data.draw(st.integers(1, count))
    dead = set(range(begin, min(count - 1, begin + data.draw(st.integers(0, 12)))))

    def show(index: int) -> str:
        return "unresolved" if index in dead else "red" if index <= culprit else "green"

    answer, _ = played(Search((1.0,) * count), show)
    if answer.kind == "culprit":
        assert answer.index == culprit
    else:
        assert answer.kind == "range"
        assert answer.index is not None
        assert answer.oldest is not None
        assert answer.index <= culprit <= answer.oldest
        assert set(range(answer.index + 1, answer.oldest + 1)) <= dead


THREE_PLACES = st.integers(6, 100).flatmap(
    lambda n: st.tuples(st.just(n), st.lists(st.integers(0, n - 2), min_size=3, max_size=3, unique=True))
)


@given(THREE_PLACES)
def test_of_several_broken_stretches_the_newest_is_the_answer(case: tuple[int, list[int]]) -> None:
    """It is why it is red now. A red commit before the answer's own green end is told as another story."""
    count, places = case
    first, mended, older = sorted(places)

    def show(index: int) -> str:
        return "red" if index <= first or mended < index <= older else "green"

    answer, runs = played(Search((1.0,) * count), show)
    assert answer.kind == "culprit"
    assert answer.index in (first, older)
    if answer.index == older:
        assert not any(run.outcome == "green" and run.index <= older for run in runs)


def test_green_now_is_nothing_to_search() -> None:
    answer, runs = played(Search((1.0, 1.0)), lambda _: "green")
    assert answer.kind == "not_red"
    assert len(runs) <= 2


def test_red_as_far_back_as_it_goes_is_no_culprit() -> None:
    answer, _ = played(Search((1.0,) * 20), lambda _: "red")
    assert answer.kind == "never_good"


def test_a_newest_commit_that_cannot_be_run_leaves_it_undecided() -> None:
    answer, runs = played(Search((1.0,) * 8, is_flaky=True), lambda _: "unresolved")
    assert answer.kind == "undecided"
    assert len(runs) == 1


def test_the_search_gives_up_after_its_most_runs() -> None:
    """A change too small to see is not looked for for ever."""
    rng = random.Random(7)
    search = Search((1.0,) * 64, is_flaky=True, delta=0.1, most_runs=30)
    answer, runs = played(
        search, lambda index: "red" if rng.random() < (0.3 if index < 20 else 0.2) else "green"
    )
    assert len(runs) <= 30
    assert answer.kind in ("undecided", "flaky")


def _accuracy(p_old: float, p_new: float, *, cases: int = 60) -> tuple[float, float]:
    rng = random.Random(20261121)
    right = spent = 0
    for _ in range(cases):
        culprit = rng.randrange(127)
        past = tuple(Run(127, "red" if rng.random() < p_old else "green", past=True) for _ in range(30))

        def show(index: int, culprit: int = culprit) -> str:
            return "red" if rng.random() < (p_new if index <= culprit else p_old) else "green"

        answer, runs = played(Search((1.0,) * 128, is_flaky=True), show, past=past)
        right += answer.kind == "culprit" and answer.index == culprit
        spent += len(runs)
    return right / cases, spent / cases


def test_a_flaky_test_is_searched_as_surely_as_a_steady_one() -> None:
    """Seeded; `tests/benchmarks/culprit.py` prints the whole table beside other ways."""
    assert _accuracy(0.0, 1.0)[0] == 1.0
    assert _accuracy(0.1, 1.0)[0] >= 0.98
    assert _accuracy(0.02, 0.5)[0] >= 0.95
