"""Statistics: values of scipy 1.17 to twelve digits, the published tables, and the laws between them."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.science.statistics import (
    benjamini_hochberg,
    beta_cdf,
    beta_quantile,
    jeffreys,
    jeffreys_lower,
    jeffreys_upper,
    mcnemar,
    rate_bound,
    repeats_for,
    triage_reruns,
    which_rate,
    wilson,
)


@pytest.mark.parametrize(
    ("x", "a", "b", "expected"),
    [
        (0.5, 0.5, 0.5, 0.5),
        (0.1, 2, 3, 0.0523),
        (0.9, 2, 3, 0.9963),
        (0.3, 0.5, 30.5, 0.9999966148715688),
        (0.01, 3.5, 297.5, 0.4608370488861664),
        (0.999, 50, 2, 0.9987659096068829),
        (0.5, 1000.5, 1000.5, 0.5),
        (0.002, 0.5, 3000.5, 0.9994716973873469),
        (0.6, 1e5, 7e4, 1.0),
        (0.0, 2, 3, 0.0),
        (-1.0, 2, 3, 0.0),
        (1.0, 2, 3, 1.0),
    ],
)
def test_beta_distribution_has_the_known_values(x: float, a: float, b: float, expected: float) -> None:
    """The continued fraction agrees with scipy from tiny to large parameters."""
    assert beta_cdf(x, a, b) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("p", "a", "b", "expected"),
    [
        (0.95, 0.5, 10.5, 0.1707731082448478),
        (0.95, 0.5, 30.5, 0.06151672455730088),
        (0.95, 0.5, 100.5, 0.01897688770307349),
        (0.95, 3.5, 27.5, 0.21729721245601158),
        (0.975, 5.5, 95.5, 0.10610007388310305),
        (0.025, 5.5, 95.5, 0.019331811985866736),
        (0.5, 0.5, 0.5, 0.5),
        (0.999, 20.5, 0.5, 0.9999999612178404),
    ],
)
def test_beta_quantiles_have_the_known_values(p: float, a: float, b: float, expected: float) -> None:
    """Bisection down to neighbouring floats agrees with scipy."""
    assert beta_quantile(p, a, b) == pytest.approx(expected, rel=1e-12)


_SHAPES = st.floats(0.5, 500)


@given(st.floats(1e-6, 1 - 1e-6), _SHAPES, _SHAPES)
def test_beta_distribution_is_symmetric(x: float, a: float, b: float) -> None:
    """What lies below x lies above 1 - x when the parameters change places."""
    assert beta_cdf(x, a, b) == pytest.approx(1.0 - beta_cdf(1.0 - x, b, a), abs=1e-9)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.001, 0.999))
def test_beta_distribution_is_a_binomial_tail(a: int, b: int, x: float) -> None:
    """For whole parameters the integral is a finite sum."""
    n = a + b - 1
    tail = sum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert beta_cdf(x, a, b) == pytest.approx(tail, abs=1e-10)


@given(st.floats(0.001, 0.999), _SHAPES, _SHAPES)
def test_quantile_undoes_the_distribution(p: float, a: float, b: float) -> None:
    """The quantile of p has p below it."""
    quantile = beta_quantile(p, a, b)
    below, above = math.nextafter(quantile, 0.0), math.nextafter(quantile, 1.0)
    assert beta_cdf(below, a, b) - 1e-9 <= p <= beta_cdf(above, a, b) + 1e-9


@pytest.mark.parametrize(
    ("successes", "n", "confidence", "low", "high"),
    [
        (0, 10, 0.95, 0.0, 0.27753279986288926),
        (5, 10, 0.95, 0.236593090512564, 0.7634069094874361),
        (10, 10, 0.95, 0.7224672001371109, 1.0),
        (1, 29, 0.95, 0.006113214292762667, 0.17175521879320282),
        (81, 263, 0.95, 0.2552885198782742, 0.36620957698280004),
        (57, 60, 0.99, 0.8231121811092803, 0.9872740092276973),
        (0, 0, 0.95, 0.0, 1.0),
    ],
)
def test_wilson_interval_has_the_known_values(
    successes: int, n: int, confidence: float, low: float, high: float
) -> None:
    """Among them 81 of 263, the example of Newcombe 1998: 25.5 % to 36.6 %."""
    assert wilson(successes, n, confidence) == pytest.approx((low, high), abs=1e-12)


_COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(_COUNTS)
def test_intervals_hold_the_rate(counts: tuple[int, int]) -> None:
    """Both lie within 0 to 1, around the observed rate, and are narrower the less confidence is asked for."""
    hits, n = counts
    for interval in (wilson, jeffreys):
        low, high = interval(hits, n)
        assert 0.0 <= low <= hits / n <= high <= 1.0
        tighter = interval(hits, n, 0.8)
        assert low <= tighter[0] + 1e-12
        assert tighter[1] <= high + 1e-12


@given(_COUNTS)
def test_jeffreys_bounds_mirror_each_other(counts: tuple[int, int]) -> None:
    """A bound of failures is the other bound of successes; none and all touch the end."""
    fails, n = counts
    assert jeffreys_lower(fails, n) == pytest.approx(1.0 - jeffreys_upper(n - fails, n))
    assert (jeffreys_upper(fails, n) == 1.0) == (fails == n)
    assert (jeffreys_lower(fails, n) == 0.0) == (fails == 0)


@pytest.mark.parametrize(
    ("fails", "runs", "reruns"),
    [(0, 10, 6), (0, 30, 4), (0, 100, 3), (3, 30, 7), (0, 0, 24), (5, 5, 24), (29, 30, 24), (0, 10**6, 1)],
)
def test_triage_asks_for_the_known_number_of_reruns(fails: int, runs: int, reruns: int) -> None:
    """A long clean history needs few failures in a row; none, or a bad one, cannot settle it quickly."""
    assert triage_reruns(fails, runs) == reruns


@given(_COUNTS)
def test_reruns_suffice_for_the_doubt_allowed(counts: tuple[int, int]) -> None:
    """So many failures in a row are too unlikely for the old rate, and one fewer is not."""
    rate = jeffreys_upper(*counts)
    k = triage_reruns(*counts, most=10_000_000)
    assert rate == 1.0 or rate**k <= 1e-4 * (1 + 1e-6)
    assert k == 1 or rate ** (k - 1) > 1e-4 * (1 - 1e-6)


@pytest.mark.parametrize(("n", "percent"), [(0, 100), (3, 63), (10, 26), (30, 9.5), (59, 5), (299, 1)])
def test_bound_after_runs_without_failure(n: int, percent: float) -> None:
    """The published table, to the digits it has."""
    assert rate_bound(n) * 100 == pytest.approx(percent, rel=0.015)


@pytest.mark.parametrize(
    ("rate", "confidence", "runs"), [(0.05, 0.95, 59), (0.01, 0.95, 299), (0.5, 0.75, 2), (0.9, 0.5, 1)]
)
def test_repeats_for_a_bound(rate: float, confidence: float, runs: int) -> None:
    """59 clean runs bound the rate at 5 %, 299 at 1 %; whole numbers are not rounded up."""
    assert repeats_for(rate, confidence) == runs


@given(st.floats(0.001, 0.999), st.floats(0.01, 0.999))
def test_repeats_are_enough_and_not_one_too_many(rate: float, confidence: float) -> None:
    """The bound after so many runs is the rate asked for, and after one fewer it is not."""
    runs = repeats_for(rate, confidence)
    assert rate_bound(runs, confidence) <= rate * (1 + 1e-6)
    assert runs == 1 or rate_bound(runs - 1, confidence) >= rate * (1 - 1e-6)


@pytest.mark.parametrize(
    ("broken", "mended", "p"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 0, 0.0625),
        (10, 2, 0.03857421875),
        (6, 6, 1.0),
        (3, 12, 0.03515625),
        (700, 600, 0.0060157938610449395),
    ],
)
def test_mcnemar_is_exact(broken: int, mended: int, p: float) -> None:
    """Values of the two-sided binomial test, the same either way round, and no overflow for thousands."""
    assert mcnemar(broken, mended) == pytest.approx(p, rel=1e-9)
    assert mcnemar(mended, broken) == mcnemar(broken, mended)


def test_benjamini_hochberg_of_the_original_paper() -> None:
    """The fifteen p-values of Benjamini and Hochberg 1995: four stand out at 5 %."""
    p_values = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
        0.6528, 0.7590, 1.0000,
    ]  # fmt: skip
    assert benjamini_hochberg(p_values) == (True,) * 4 + (False,) * 11
    assert benjamini_hochberg(p_values[::-1]) == (False,) * 11 + (True,) * 4


def test_benjamini_hochberg_steps_up() -> None:
    """A p-value that misses its own limit is carried by a larger one that meets its limit."""
    assert benjamini_hochberg([0.03, 0.04]) == (True, True)
    assert benjamini_hochberg([0.03, 0.06]) == (False, False)
    assert benjamini_hochberg([]) == ()


@given(st.lists(st.floats(0.0, 1.0), max_size=30))
def test_benjamini_hochberg_lies_between_its_neighbours(p_values: list[float]) -> None:
    """It names all that Bonferroni names, and nothing above the rate itself."""
    named = benjamini_hochberg(p_values)
    for p, stands_out in zip(p_values, named, strict=True):
        assert stands_out or p > 0.05 / len(p_values)
        assert not stands_out or p <= 0.05


@pytest.mark.parametrize(
    "call",
    [
        lambda: wilson(3, 2),
        lambda: wilson(-1, 2),
        lambda: wilson(1, 2, 1.0),
        lambda: jeffreys(3, 2),
        lambda: jeffreys(1, 2, 0.0),
        lambda: jeffreys_upper(1, 2, 1.5),
        lambda: triage_reruns(2, 1),
        lambda: triage_reruns(0, 1, doubt=0.0),
        lambda: rate_bound(-1),
        lambda: repeats_for(0.0),
        lambda: repeats_for(0.5, 1.0),
        lambda: mcnemar(-1, 0),
        lambda: benjamini_hochberg([1.5]),
        lambda: benjamini_hochberg([math.nan]),
        lambda: benjamini_hochberg([0.5], 0.0),
        lambda: beta_cdf(0.5, 0.0, 1.0),
        lambda: beta_cdf(0.5, math.nan, 1.0),
        lambda: beta_cdf(0.5, 1e15, 1e15),
        lambda: beta_quantile(1.0, 1.0, 1.0),
        lambda: which_rate(1, 1, low=0.5, high=0.5),
        lambda: which_rate(1, 1, low=0.1, high=0.5, error=0.0),
    ],
)
def test_what_cannot_be_counted_is_refused(call: object) -> None:
    """Impossible counts and shares raise instead of giving a number."""
    assert callable(call)
    with pytest.raises(ValueError, match=r"."):
        call()


@pytest.mark.parametrize(
    ("fails", "passes", "low", "high", "expected"),
    [
        (0, 1, 0.0, 1.0, None),
        (0, 2, 0.0, 1.0, "low"),
        (2, 0, 0.0, 1.0, "high"),
        (1, 1, 0.0, 1.0, None),
        (0, 7, 0.0, 0.5, "low"),
        (0, 6, 0.0, 0.5, None),
        (1, 6, 0.0, 0.5, None),
        (3, 3, 0.1, 0.9, None),
    ],
)
def test_which_of_two_rates_is_said_when_it_is_sure(
    fails: int, passes: int, low: float, high: float, expected: str | None
) -> None:
    """One run never decides, and the further apart the rates are the fewer it takes."""
    assert which_rate(fails, passes, low=low, high=high) == expected


@given(st.floats(0.0, 0.4), st.floats(0.2, 0.6), st.integers(0, 2**32))
def test_which_rate_is_seldom_wrong(low: float, gap: float, seed: int) -> None:
    """Looking after every run, it errs about as often as it may."""
    high = min(1.0, low + gap)
    chance = random.Random(seed)
    wrong = 0
    for _ in range(100):
        fails = passes = 0
        while (said := which_rate(fails, passes, low=low, high=high)) is None:
            red = chance.random() < max(low, 0.02)
            fails, passes = fails + red, passes + (not red)
        wrong += said == "high"
    assert wrong <= 8
