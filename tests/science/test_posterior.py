"""The posterior over culprits: a distribution, whatever was seen, that follows the evidence."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.science.posterior import Model, Observation, best_probes, posterior, transitions

COUNTS = st.integers(2, 60)


def observations(count: int) -> st.SearchStrategy[list[Observation]]:
    """Runs anywhere in a history."""
    return st.lists(
        st.builds(Observation, st.integers(0, count - 1), st.booleans(), st.booleans()), max_size=25
    )


CASES = COUNTS.flatmap(lambda count: st.tuples(st.just(count), observations(count)))


@given(CASES, st.sampled_from([0.1, 0.25, 0.5]))
def test_it_is_a_distribution_whatever_was_seen(case: tuple[int, list[Observation]], delta: float) -> None:
    """Nothing negative, all together one, the oldest commit never blamed."""
    count, seen = case
    found = posterior(Model(weights=(1.0,) * count, delta=delta, flaky=0.1), seen)
    shares = (*found.culprits, found.flaky, found.never_good, found.environment)
    assert all(share >= 0 for share in shares)
    assert math.isclose(sum(shares), 1.0, rel_tol=1e-9)
    assert found.culprits[-1] == 0
    assert 0 <= found.p_old <= found.p_new <= 1


@given(CASES, st.randoms())
def test_the_order_of_runs_does_not_matter(case: tuple[int, list[Observation]], random: object) -> None:
    """A run counts the same whenever it was made."""
    count, seen = case
    model = Model(weights=(1.0,) * count)
    shuffled = sorted(seen, key=lambda one: (one.failed, -one.index, one.past))
    for one, other in zip(posterior(model, seen).culprits, posterior(model, shuffled).culprits, strict=True):
        assert math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-12)


@given(CASES, st.integers(1, 4))
def test_what_is_asked_lies_in_history_and_is_no_dead_commit(
    case: tuple[int, list[Observation]], width: int
) -> None:
    """At most as many as wanted, none twice."""
    count, seen = case
    dead = frozenset(range(1, count, 3))
    asked = best_probes(Model(weights=(1.0,) * count), seen, width=width, dead=dead)
    assert 1 <= len(asked) <= width
    assert len(set(asked)) == len(asked)
    assert not dead & set(asked)
    assert all(0 <= index < count for index in asked)


def test_a_commit_of_little_weight_is_believed_less_and_never_ruled_out() -> None:
    """Before any run belief is the weight."""
    found = posterior(Model(weights=(1.0, 0.02, 1.0, 1.0)), [])
    assert found.culprits[0] > found.culprits[1] > 0


@pytest.mark.parametrize(
    ("seen", "answer"),
    [
        ([Observation(9, True)] * 14 + [Observation(0, True)] * 14, "never_good"),
        (
            [Observation(9, False, past=True)] * 20 + [Observation(9, True)] * 8 + [Observation(0, True)] * 8,
            "environment",
        ),
        ([Observation(index % 10, index % 3 == 0) for index in range(60)], "flaky"),
    ],
)
def test_three_answers_blame_no_commit(seen: list[Observation], answer: str) -> None:
    """Red at both ends; red where it was green before; now and then red everywhere.

    That the environment changed is only worth a thought when somebody saw it green before.
    """
    environment = 0.01 if any(one.past for one in seen) else 1e-6
    model = Model(weights=(1.0,) * 10, flaky=0.2, never_good=0.01, environment=environment)
    found = posterior(model, seen)
    assert getattr(found, answer) > 0.95


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        ([], ()),
        ([(0, True), (5, False)], ((0, 5),)),
        ([(0, True), (3, False), (5, True), (9, False)], ((0, 3), (5, 9))),
        ([(0, True), (3, False), (3, True), (9, False)], ((0, 9),)),
        ([(0, False), (5, True)], ()),
    ],
)
def test_transitions_are_places_where_red_begins(
    seen: list[tuple[int, bool]], found: tuple[tuple[int, int], ...]
) -> None:
    assert transitions([Observation(index, failed) for index, failed in seen]) == found


@pytest.mark.parametrize(
    ("weights", "seen"), [((1.0, 1.0), [Observation(2, True)]), ((0.0, 1.0), []), ((1.0,), [])]
)
def test_a_history_without_a_suspect_or_a_run_outside_of_it_is_refused(
    weights: tuple[float, ...], seen: list[Observation]
) -> None:
    with pytest.raises(ValueError, match=r"outside|no commit"):
        posterior(Model(weights=weights), seen)
