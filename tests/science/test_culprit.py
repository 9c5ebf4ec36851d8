"""Culprit search: the true culprit is always in the answer, in few probes, whatever cannot be tested."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.science.culprit import (
    Conclusion,
    Contradiction,
    Culprit,
    NeverGood,
    NotRed,
    Probe,
    Range,
    conclude,
    next_probes,
    so_far,
)


def search(
    count: int,
    look: Callable[[int], Probe],
    *,
    width: int = 1,
    hopeless: Collection[int] = frozenset(),
    given: Sequence[Probe] = (),
) -> tuple[Conclusion, list[list[int]]]:
    """Probe until there is an answer; the answer, and what was asked in each round."""
    probes, rounds = list(given), list[list[int]]()
    while wanted := next_probes(count, probes, width=width, hopeless=hopeless):
        assert conclude(count, probes, hopeless) is None
        assert len(wanted) <= width
        assert sorted(set(wanted)) == list(wanted)
        assert not {probe.index for probe in probes} & set(wanted)
        rounds.append(list(wanted))
        probes += [look(index) for index in wanted]
    answer = conclude(count, probes, hopeless)
    assert answer is not None
    assert answer == so_far(count, probes, hopeless)
    return answer, rounds


def monotone(culprit: int, blind: Collection[int] = ()) -> Callable[[int], Probe]:
    """Commits 0 to `culprit` are red, older ones green, `blind` ones cannot be tested."""

    def look(index: int) -> Probe:
        if index in blind:
            return Probe(index, "unresolved")
        return Probe(index, "red" if index <= culprit else "green")

    return look


def outcomes(text: str) -> Callable[[int], Probe]:
    """One letter a commit, newest first: r, g, or ? for unresolved."""
    names = {"r": "red", "g": "green", "?": "unresolved"}
    return lambda index: Probe(index, names[text[index]])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("rg", Culprit(0, 1)),
        ("rrrrg", Culprit(3, 4)),
        ("rrrrggggg", Culprit(3, 4)),
        ("g", NotRed()),
        ("ggg", NotRed()),
        ("r", NeverGood(0)),
        ("rrrrrr", NeverGood(5)),
        ("?", Range(0, 0, None)),
        ("?g", Range(0, 0, 1)),
        ("?rg", Culprit(1, 2)),
        ("r?g", Range(0, 1, 2)),
        ("rr??gg", Range(1, 3, 4)),
        ("rr?rgg", Culprit(3, 4)),
        ("rrr??", Range(2, 4, None)),
        ("r????g?", Range(0, 4, 5)),
        ("?????", Range(0, 4, None)),
    ],
)
@pytest.mark.parametrize("width", [1, 2, 4])
def test_each_kind_of_history_has_its_answer(history: str, expected: Conclusion, width: int) -> None:
    """One row a kind; the width never changes the answer."""
    assert search(len(history), outcomes(history), width=width)[0] == expected


def test_steps_back_double() -> None:
    """Without a green commit the search looks 1, 2, 4, 8, ... commits back, and last at the oldest one."""
    assert search(100, monotone(99))[1] == [[0], [1], [2], [4], [8], [16], [32], [64], [99]]
    assert search(100, monotone(99), width=4)[1] == [[0, 1, 2, 4], [8, 16, 32, 64], [99]]


def test_a_known_good_commit_is_bisected_at_once() -> None:
    """Between red and green the middle is asked; with more width, even parts."""
    known = (Probe(0, "red"), Probe(64, "green"))
    assert next_probes(100, known) == (32,)
    assert next_probes(100, known, width=3) == (16, 32, 48)
    assert next_probes(100, known[1:]) == (0,)
    assert next_probes(3, (Probe(0, "red"), Probe(2, "green")), width=8) == (1,)


def test_a_stretch_that_cannot_be_tested_is_left_behind() -> None:
    """The probes after an unresolved one do not crawl along its neighbours."""
    known = [Probe(0, "red"), Probe(200, "green")]
    _, rounds = search(201, monotone(30, blind=range(80, 121)), given=known)
    assert len([index for (index,) in rounds if 80 <= index <= 120]) <= 3


def test_every_commit_is_tried_before_a_range_is_answered() -> None:
    """A range says that no probe can tell more."""
    answer, rounds = search(40, monotone(20, blind=range(10, 30)))
    assert answer == Range(9, 29, 30)
    assert {index for asked in rounds for index in asked} >= set(range(10, 30))


def test_commits_that_cannot_matter_are_passed_over() -> None:
    """The culprit's green neighbour may lie behind documents; those are never probed nor blamed."""
    answer, rounds = search(8, monotone(3), hopeless={0, 4, 5})
    assert answer == Culprit(3, 6)
    assert not {0, 4, 5} & {index for asked in rounds for index in asked}


def test_a_red_that_cannot_matter_speaks_for_the_next_older_commit() -> None:
    """The newest commit touched documents only, so its parent's code is what was red."""
    given = (Probe(0, "red"), Probe(2, "green"))
    assert conclude(3, given, hopeless={0}) == Culprit(1, 2)


def test_the_oldest_commit_is_probed_even_when_it_cannot_matter() -> None:
    """Without it, red as far as history goes could not be told from red that began in it."""
    assert search(3, monotone(2), hopeless={0, 1, 2})[0] == NeverGood(2)


def test_red_behind_green_means_older_changes() -> None:
    """The change nearest to the bad end is the answer, and the log says that there are others."""
    given = [Probe(0, "red"), Probe(8, "green"), Probe(20, "red")]
    answer, _ = search(30, monotone(5), given=given)
    assert answer == Contradiction(Culprit(5, 6), others=True)


def test_a_commit_seen_green_and_red_settles_nothing() -> None:
    """It is passed over like one that could not be tested, and named."""
    given = [Probe(2, "red"), Probe(2, "green")]
    answer, _ = search(6, monotone(3), given=given)
    assert answer == Contradiction(Culprit(3, 4), others=False, unsteady=(2,))
    assert search(1, monotone(0), given=[Probe(0, "red"), Probe(0, "green")]) == (
        Contradiction(None, others=False, unsteady=(0,)),
        [],
    )


def test_green_and_red_with_only_documents_between_is_unsteady() -> None:
    """Both commits have the same code, so no commit between them is to blame."""
    answer = conclude(2, [Probe(0, "red"), Probe(1, "green")], hopeless={0})
    assert answer == Contradiction(None, others=False, unsteady=(0, 1))


def test_a_later_resolved_probe_beats_an_unresolved_one() -> None:
    """Asked again, a commit may be testable after all."""
    given = [Probe(0, "red"), Probe(1, "unresolved"), Probe(1, "red"), Probe(2, "green")]
    assert conclude(3, given) == Culprit(1, 2)


def test_an_interrupted_search_says_what_it_knows() -> None:
    """Between two probes there is no answer yet, but a range."""
    given = [Probe(0, "red"), Probe(8, "green"), Probe(4, "red")]
    assert conclude(20, given) is None
    assert so_far(20, given) == Range(4, 7, 8)
    assert so_far(20, given[:1]) == Range(0, 19, None)


@pytest.mark.parametrize(
    ("count", "probes", "width"),
    [(0, (), 1), (3, (Probe(3, "red"),), 1), (3, (Probe(-1, "red"),), 1), (3, (), 0)],
)
def test_impossible_questions_are_refused(count: int, probes: Sequence[Probe], width: int) -> None:
    """No commit, a commit that is not there, no width."""
    with pytest.raises(ValueError, match="no"):
        next_probes(count, probes, width=width)


@given(st.data())
def test_true_culprit_is_always_in_the_answer(data: st.DataObject) -> None:
    """Any monotone history, any commits that cannot be tested, any documents, any width."""
    count = data.draw(st.integers(1, 60))
    hopeless = data.draw(st.frozensets(st.integers(0, count - 1), max_size=count))
    able = [index for index in range(count) if index not in hopeless or index == count - 1]
    culprit = data.draw(st.sampled_from(able))
    blind = data.draw(st.frozensets(st.integers(0, count - 1), max_size=count))
    width = data.draw(st.sampled_from([1, 2, 3, 4, 9]))
    look = monotone(culprit, blind)
    answer, rounds = search(count, look, width=width, hopeless=hopeless)
    assert sum(len(asked) for asked in rounds) <= len(able)
    match answer:
        case Culprit(index, parent):
            assert index == culprit
            assert look(parent).outcome == "green"
            assert set(range(index + 1, parent)) <= hopeless
        case Range(newest, oldest, green):
            assert newest <= culprit <= oldest
            assert all(
                index in blind or index in hopeless or index == newest for index in range(newest, oldest + 1)
            )
            assert (green is None) == (oldest == count - 1)
        case NeverGood(oldest_red):
            assert oldest_red == culprit == count - 1
        case _:
            pytest.fail(f"{answer} in a monotone history")


@given(st.integers(2, 3000), st.data())
def test_probes_are_logarithmic(count: int, data: st.DataObject) -> None:
    """At most 2 ceil(log2 d) + 2 for a change d commits back, and ceil(log2 n) between red and green."""
    culprit = data.draw(st.integers(0, count - 2))
    _, rounds = search(count, monotone(culprit))
    assert len(rounds) <= 2 * math.ceil(math.log2(culprit + 1)) + 2
    known = [Probe(0, "red"), Probe(count - 1, "green")]
    answer, rounds = search(count, monotone(culprit), given=known)
    assert isinstance(answer, Culprit)
    assert len(rounds) <= math.ceil(math.log2(count - 1))


@given(st.integers(2, 3000), st.sampled_from([2, 3, 4, 8]), st.data())
def test_width_saves_rounds(count: int, width: int, data: st.DataObject) -> None:
    """Between red and green every round leaves one of `width` + 1 even parts."""
    culprit = data.draw(st.integers(0, count - 2))
    known = [Probe(0, "red"), Probe(count - 1, "green")]
    _, rounds = search(count, monotone(culprit), given=known, width=width)
    left, bound = count - 1, 0
    while left > 1:
        left, bound = -(-left // (width + 1)), bound + 1
    assert len(rounds) <= bound


@given(st.text(alphabet="rg?", min_size=1, max_size=60), st.sampled_from([1, 2, 4]), st.data())
def test_any_history_gets_a_true_answer(history: str, width: int, data: st.DataObject) -> None:
    """A culprit is a real change from green to red, and the newest one among the commits that were probed."""
    start = data.draw(st.frozensets(st.integers(0, len(history) - 1), max_size=5))
    look = outcomes(history)
    given = [look(index) for index in sorted(start)]
    answer, rounds = search(len(history), look, width=width, given=given)
    probed = start | {index for asked in rounds for index in asked}
    inner = answer.answer if isinstance(answer, Contradiction) else answer
    greens = sorted(index for index in probed if history[index] == "g")
    if isinstance(inner, NotRed):
        assert history[0] == "g"
        return
    assert inner is not None
    match inner:
        case Culprit(index, parent):
            assert (history[index], history[parent]) == ("r", "g")
            assert parent == index + 1 == greens[0]
        case Range(newest, oldest, green):
            assert history[newest] == "r" or newest == 0
            assert set(history[newest + 1 : oldest + 1]) <= {"?"}
            assert green == (greens[0] if greens else None)
        case NeverGood(oldest_red):
            assert oldest_red == len(history) - 1
            assert not greens
    reds_behind = any(history[index] == "r" for index in probed if greens and index > greens[0])
    assert isinstance(answer, Contradiction) == reds_behind
