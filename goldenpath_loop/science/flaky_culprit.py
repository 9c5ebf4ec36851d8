"""Search of the commit that changed a test, one decision at a time, right also when the test is flaky.

What was measured is a sequence of runs; what to run next and what follows are pure functions of it, so a search
survives a kill between any two runs. First the newest commit is run a few times, alone: what fails every time is
looked for as a regression, what also passes as a change of a rate. Then each run is the one expected to tell most,
until one answer holds the stated share of belief. The answer is confirmed by runs of its own: red on the culprit,
green on its parent, as often as the learned rates ask for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from goldenpath_loop.science.posterior import (
    Model,
    Observation,
    Posterior,
    best_probes,
    posterior,
    transitions,
)

__all__ = ["Answer", "Ask", "Kind", "Outcome", "Run", "Search", "next_step", "view"]

_SURER = 5
_USUAL_DELTA = 0.25
_SURER_OF_RATES = 2

Kind = Literal["culprit", "range", "not_red", "flaky", "never_good", "environment", "undecided"]


Outcome = Literal["green", "red", "unresolved"]


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of one commit showed; `unresolved` when it could not be built, started or compared."""

    index: int
    outcome: Outcome
    past: bool = False
    """Seen before the search began, in the environment of that time."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked.

    Args:
        weights: How likely each commit is the culprit before anything was run, newest first; the last one is the good
            end. Unlikely is never zero.
        is_flaky: Whether the test may pass and fail on one commit.
        confidence: Share of belief at which an answer counts.
        delta: Least change of the failure rate that is looked for once the newest commit was seen to pass.
        most_runs: The search gives up after so many.
        tries: How often a commit that gave no result is tried before it counts as dead.
    """

    weights: tuple[float, ...]
    is_flaky: bool = False
    confidence: float = 0.99
    delta: float = _USUAL_DELTA
    most_runs: int = 1000
    first_runs: int = 4
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Ask:
    """Run these commits next; they may run at once."""

    indices: tuple[int, ...]
    why: Literal["first", "search", "confirm"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the runs add up to."""

    kind: Kind
    confidence: float
    """Share of belief that this answer holds."""
    index: int | None = None
    """The culprit, or the newest commit of a range."""
    oldest: int | None = None
    """The oldest commit of a range; the culprit again when there is one."""
    is_confirmed: bool = False
    """Culprit red and parent green in runs of their own."""
    others: tuple[tuple[int, int], ...] = ()
    """Older places where red begins, as (red, green)."""


def next_step(
    search: Search,
    runs: Sequence[Run],
    *,
    width: int = 1,
    cost: Callable[[int], float] = lambda _index: 1.0,
) -> Ask | Answer:
    """What to run next, or the answer.

    Raises:
        ValueError: A run lies outside of history.
    """
    now = [run for run in runs if not run.past]
    if search.is_flaky:
        first = [run for run in now if run.index == 0 and run.outcome != "unresolved"]
        unresolved = sum(run.index == 0 and run.outcome == "unresolved" for run in now)
        if unresolved >= search.tries and not first:
            return Answer("undecided", 0.0)
        if len(first) < search.first_runs and all(run.outcome == "red" for run in first):
            return Ask((0,) * min(width, search.first_runs - len(first)), "first")
    dead = _dead(search, runs)
    model, seen = _model(search, runs)
    if model is None:
        return Answer("not_red", 1.0)
    believed = posterior(model, seen)
    answer = _answer(search, believed, dead, seen)
    if answer is not None:
        missing = _unconfirmed(search, answer, believed, now)
        if missing and len(now) < search.most_runs:
            return Ask(missing[:width] if width > 1 else missing[:1], "confirm")
        return _with_others(
            replace(answer, is_confirmed=answer.kind == "culprit" and not missing), search, runs
        )
    if len(now) >= search.most_runs:
        return _with_others(Answer("undecided", max(believed.culprits), believed.best), search, runs)
    wanted = best_probes(model, seen, width=width, dead=dead, cost=cost)
    useful = tuple(index for index in wanted if search.is_flaky or not _is_known(index, now))
    if not useful:
        return _with_others(Answer("undecided", max(believed.culprits), believed.best), search, runs)
    return Ask(useful, "search")


def view(search: Search, runs: Sequence[Run]) -> Posterior | None:
    """What is believed after `runs`; None when the newest commit is not red."""
    model, seen = _model(search, runs)
    return posterior(model, seen) if model else None


def _is_known(index: int, runs: Sequence[Run]) -> bool:
    return any(run.index == index and run.outcome != "unresolved" for run in runs)


def _dead(search: Search, runs: Sequence[Run]) -> frozenset[int]:
    """Commits that gave no result however often they were tried."""
    known = {run.index for run in runs if run.outcome != "unresolved"}
    tried: dict[int, int] = {}
    for run in runs:
        if run.outcome == "unresolved":
            tried[run.index] = tried.get(run.index, 0) + 1
    return frozenset(index for index, times in tried.items() if times >= search.tries and index not in known)


def _model(search: Search, runs: Sequence[Run]) -> tuple[Model | None, list[Observation]]:
    seen = [
        Observation(run.index, run.outcome == "red", run.past) for run in runs if run.outcome != "unresolved"
    ]
    if not search.is_flaky:
        return _deterministic(search, seen)
    first = [one for one in seen if one.index == 0 and not one.past][: search.first_runs]
    always = all(one.failed for one in first)
    model = Model(
        weights=search.weights,
        delta=search.delta,
        flaky=1e-4 if always else 0.6,
        never_good=0.01,
        environment=0.01 if any(one.past for one in seen) else 1e-6,
    )
    return model, seen


def _deterministic(search: Search, seen: list[Observation]) -> tuple[Model | None, list[Observation]]:
    """Only the newest broken stretch explains why it is red now: what lies behind its green end is another story."""
    shown = {one.index: one.failed for one in seen}
    if shown.get(0) is False:
        return None, seen
    green = min((index for index, failed in shown.items() if not failed), default=len(search.weights) - 1)
    weights = tuple(weight if index < green else 0.0 for index, weight in enumerate(search.weights))
    kept = [one for one in seen if one.index <= green]
    return Model(weights=weights, deterministic=True, flaky=1e-9, never_good=1e-9, environment=1e-9), kept


def _answer(
    search: Search, believed: Posterior, dead: frozenset[int], seen: Sequence[Observation]
) -> Answer | None:
    none: tuple[tuple[Kind, float], ...] = (
        ("flaky", believed.flaky),
        ("never_good", believed.never_good),
        ("environment", believed.environment),
    )
    if not search.is_flaky and any(one.index == len(search.weights) - 1 and one.failed for one in seen):
        return Answer("never_good", 1.0)
    kind, share = max(none, key=lambda one: one[1])
    # Blaming no commit ends the search for good, and costs few runs to be surer of.
    # A small rise is easily overlooked, so where one is looked for it takes more.
    surer = _SURER * max(1.0, (_USUAL_DELTA / search.delta) ** 2)
    if 1 - share <= (1 - search.confidence) / surer:
        return Answer(kind, share)
    best = believed.best
    # The rates are guessed from a grid: what is believed has to be somewhat surer than what is asked for to be as true.
    enough = 1 - (1 - search.confidence) / (_SURER_OF_RATES if search.is_flaky else 1)
    if believed.culprits[best] >= enough:
        return Answer("culprit", believed.culprits[best], best, best)
    # Commits that nothing can tell apart: the culprit and the dead ones on its older side.
    living = [index for index in range(len(search.weights)) if index not in dead]
    for newer, older in pairwise(living):
        share = sum(believed.culprits[newer:older])
        if older - newer > 1 and share >= enough:
            return Answer("range", share, newer, older - 1)
    return None


def _unconfirmed(search: Search, answer: Answer, believed: Posterior, runs: Sequence[Run]) -> tuple[int, ...]:
    """Runs that are still missing before the culprit counts as seen: red on it, green before it."""
    if answer.kind != "culprit" or answer.index is None:
        return ()
    culprit, parent = answer.index, answer.index + 1
    red = sum(run.index == culprit and run.outcome == "red" for run in runs)
    green = sum(run.index == parent and run.outcome == "green" for run in runs)
    if not search.is_flaky:
        return (*((culprit,) if not red else ()), *((parent,) if not green else ()))
    # Enough greens that the new rate would hardly have let them pass.
    enough = math.ceil(math.log(0.05) / math.log1p(-min(believed.p_new, 0.999)))
    return (*((culprit,) if not red else ()), *((parent,) * max(0, enough - green)))


def _with_others(answer: Answer, search: Search, runs: Sequence[Run]) -> Answer:
    if search.is_flaky:
        return answer
    seen = [Observation(run.index, run.outcome == "red") for run in runs if run.outcome != "unresolved"]
    edge = answer.index if answer.index is not None else -1
    return replace(answer, others=tuple(pair for pair in transitions(seen) if pair[0] > edge))
