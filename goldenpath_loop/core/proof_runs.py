"""The runs that a proof rests on beside the whole suites: the cured tests again with the remedy, and once without it.

A test that always tells the same is run a fixed number of times. One that passes and fails by chance is run until a
sequential test says which of its two rates this is: the one before its culprit or the one since.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from goldenpath_loop.core import verdicts
from goldenpath_loop.core.comparing import probe_outcome, run_problem
from goldenpath_loop.core.deployments import cycle_deployment, cycle_tree
from goldenpath_loop.core.remedies import Remedy
from goldenpath_loop.core.step import Scene
from goldenpath_loop.core.targets import aimed_at, own_signature, rates_of, selections_of
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.base import TestId
from goldenpath_loop.records.effects import RunSuite, Selection
from goldenpath_loop.records.receipts import SuiteReceipt
from goldenpath_loop.records.results import SuiteRun, TestResult
from goldenpath_loop.science.statistics import which_rate

__all__ = [
    "cured_selections",
    "not_red",
    "red_again",
    "repeat_words",
    "repeats",
    "shaky_tests",
    "sound",
    "uncured_tests",
    "with_remedy",
]

_REPEATS = 3
"""Extra runs of tests that always tell the same, on base plus the remedy."""
_MOST_REPEATS = 60
_UNLUCKY = 0.01
"""Chance at which a test that fails by chance would pass every time without the remedy."""


def cured_selections(scene: Scene, remedy: Remedy) -> tuple[Selection, ...]:
    """The tests that the remedy is to cure, by suite."""
    return selections_of(scene.state, (test for _, test in aimed_at(scene, remedy)))


def with_remedy(scene: Scene, remedy: Remedy, selection: Selection, stage: str) -> RunSuite:
    """A run on the remedy's own tree and preview."""
    assert remedy.head is not None
    return RunSuite(
        key=f"stability/{remedy.id}/{stage}/{selection.suite}",
        suite=selection.suite,
        tests=selection.tests,
        tree=remedy.tree,
        deployment=remedy.tree if scene.policy.services else "",
        revision=remedy.head,
    )


def repeats(scene: Scene, remedy: Remedy) -> Iterator[RunSuite]:
    """The cured tests with the remedy, again and again: as often as it takes to tell."""
    chosen = cured_selections(scene, remedy)
    for number in range(1, _MOST_REPEATS + 1):
        if number > _REPEATS and not _undecided(scene, remedy, number - 1):
            return
        yield from (with_remedy(scene, remedy, selection, f"again-{number}") for selection in chosen)


def red_again(scene: Scene, remedy: Remedy) -> Iterator[RunSuite]:
    """The same tests once the remedy is taken away; those that fail by chance until they failed once."""
    rates = _rates(scene, remedy)
    most = max((_tries(since) for _, since in rates.values()), default=1)
    for number in range(1, most + 1):
        if number > 1 and not _not_yet_red(scene, remedy, _without(scene, remedy, number - 1)):
            return
        yield from _without(scene, remedy, number)[-len(cured_selections(scene, remedy)) :]


def _without(scene: Scene, remedy: Remedy, count: int) -> list[RunSuite]:
    """The first `count` rounds without the remedy."""
    return [
        RunSuite(
            key=f"stability/{remedy.id}/{'without' if number == 1 else f'without-{number}'}/{selection.suite}",
            suite=selection.suite,
            tests=selection.tests,
            tree=cycle_tree(scene),
            deployment=cycle_deployment(scene),
            revision=remedy.onto,
        )
        for number in range(1, count + 1)
        for selection in cured_selections(scene, remedy)
    ]


def sound(scene: Scene, asked: Iterable[RunSuite]) -> list[SuiteRun]:
    """What came back of the runs whose results count."""
    found: list[SuiteRun] = []
    for run in asked:
        receipt = scene.state.settled(run.key, SuiteReceipt)
        if receipt and not run_problem(receipt.run, expected=run.revision):
            found.append(receipt.run)
    return found


def uncured_tests(scene: Scene, remedy: Remedy, results: Sequence[TestResult]) -> list[TestId]:
    """Targets that are not green in the whole suites with the remedy; one that fails by chance may be red once."""
    rates = _rates(scene, remedy)
    shown = {test: {one.outcome for one in results if one.id == test} for test in _targets(scene, remedy)}
    return sorted(
        test for test, said in shown.items() if said != {"green"} and (test not in rates or not said)
    )


def shaky_tests(scene: Scene, remedy: Remedy) -> Iterator[str]:
    """Why the repeats are not enough."""
    rates = _rates(scene, remedy)
    rounds = sound(scene, repeats(scene, remedy))
    for test in _targets(scene, remedy):
        seen = [one.outcome for run in rounds for one in run.results if one.id == test]
        if test in rates:
            said = _said(seen, rates[test])
            if said != "low":
                rate = f"{sum(one != 'green' for one in seen)} of {len(seen)} runs"
                yield f"{test} failed in {rate} with the remedy: its old rate is not shown to be back"
        elif any(outcome != "green" for outcome in seen):
            yield f"not green every time: {test}"
        elif len(seen) < _REPEATS:
            yield "not green every time: a repeat is missing"


def not_red(scene: Scene, remedy: Remedy) -> Iterator[str]:
    """Why the tests are not seen to fail in the same way once the remedy is taken away."""
    targets = _targets(scene, remedy)
    others = _not_yet_red(scene, remedy, list(red_again(scene, remedy)))
    if others:
        test, outcome = next(iter(others.items()))
        yield (
            f"without the remedy {len(targets) - len(others)} of {counted(targets, 'test')} fail as before: "
            f"{test} is {outcome}"
        )


def repeat_words(scene: Scene, remedy: Remedy, times: int) -> str:
    """What the repeats say about the failure rate, for people."""
    rates = _rates(scene, remedy)
    if not rates:
        return verdicts.repeat_bound(times)
    before, since = max(rates.values(), key=lambda pair: pair[1])
    return f"{times} runs speak for its old failure rate ({before:.0%}) against that of the culprit ({since:.0%})"


def _targets(scene: Scene, remedy: Remedy) -> list[TestId]:
    return [test for _, test in aimed_at(scene, remedy)]


def _rates(scene: Scene, remedy: Remedy) -> dict[TestId, tuple[float, float]]:
    """Failure rates before and since the culprit, of targets that fail by chance."""
    found = ((test, rates_of(scene.state, cluster.id)) for cluster, test in aimed_at(scene, remedy))
    return {test: rates for test, rates in found if rates is not None}


def _undecided(scene: Scene, remedy: Remedy, count: int) -> bool:
    """Whether some target's rate is still open after `count` rounds."""
    rates = _rates(scene, remedy)
    rounds = sound(
        scene,
        (
            with_remedy(scene, remedy, selection, f"again-{number}")
            for number in range(1, count + 1)
            for selection in cured_selections(scene, remedy)
        ),
    )
    return any(
        _said([one.outcome for run in rounds for one in run.results if one.id == test], pair) is None
        for test, pair in rates.items()
    )


def _said(outcomes: Sequence[str], rates: tuple[float, float]) -> str | None:
    greens = sum(outcome == "green" for outcome in outcomes)
    return which_rate(len(outcomes) - greens, greens, low=rates[0], high=rates[1])


def _tries(since: float) -> int:
    """How often a test of this failure rate has to be run to fail at least once, nearly always."""
    return 1 if since > 1 - _UNLUCKY else math.ceil(math.log(_UNLUCKY) / math.log1p(-since))


def _not_yet_red(scene: Scene, remedy: Remedy, asked: Sequence[RunSuite]) -> dict[TestId, str]:
    """Targets that were not seen red in the same way in those runs, with what they showed."""
    runs = sound(scene, asked)
    rates = _rates(scene, remedy)
    found: dict[TestId, str] = {}
    for cluster, test in aimed_at(scene, remedy):
        signature = own_signature(scene.state, cluster, test)
        if test in rates:
            shown = [probe_outcome(signature, test, (run,)) for run in runs]
            if "red" not in shown:
                found[test] = f"green in {counted(shown.count('green'), 'run')}"
        elif (
            outcome := probe_outcome(signature, test, runs[: len(cured_selections(scene, remedy))])
        ) != "red":
            found[test] = outcome
    return found
