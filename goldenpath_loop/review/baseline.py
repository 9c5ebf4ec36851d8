"""How results compare with what was known before: rate and error pattern, test by test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from goldenpath_loop.core.readings import HISTORY_KEY, cycle_runs
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.receipts import HistoryReceipt, SuiteReceipt
from goldenpath_loop.records.results import TestResult
from goldenpath_loop.review.reading import Reading
from goldenpath_loop.science.change import changed_tests, paired

__all__ = ["Baseline", "baseline_of", "shift_of"]

_BAD = ("red", "timeout")


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was known of each test before."""

    name: str
    """`earlier runs` or `cycle 1`; empty when nothing was known."""
    outcomes: Mapping[str, str]
    signatures: Mapping[str, str]
    is_complete: bool = False
    """Whether it covers the same tests, so that one that is gone means something."""

    def change(self, results: Sequence[TestResult], *, is_all: bool = False) -> str:
        """What is different now, in words.

        Args:
            results: What was measured now.
            is_all: Whether these are all results of the cycle; tests of the baseline that gave none are then
                counted as well.
        """
        if not self.name:
            return "no baseline"
        counts = dict.fromkeys(
            ("newly failing", "green again", "failing as before", "failing in another way", "new"), 0
        )
        for result in results:
            was = self.outcomes.get(result.id)
            now_bad = result.outcome in _BAD
            if result.outcome == "unresolved":
                continue
            if was is None:
                counts["new"] += 1
            elif now_bad and was in _BAD:
                known = self.signatures.get(result.id)
                now = result.signature.key if result.signature else known
                counts["failing as before" if known in (None, now) else "failing in another way"] += 1
            elif now_bad:
                counts["newly failing"] += 1
            elif was in _BAD:
                counts["green again"] += 1
        if is_all and self.is_complete:
            ran = {result.id for result in results if result.outcome != "unresolved"}
            counts["without a result now"] = len(self.outcomes.keys() - ran)
        return ", ".join(f"{number} {name}" for name, number in counts.items() if number) or "no change"


def baseline_of(reading: Reading, cycle: int) -> Baseline:
    """Cycle 1 is compared with earlier runs of the target, every later cycle with cycle 1."""
    if cycle > 1:
        results = [one for run in cycle_runs(reading.state, 1).values() for one in run.results]
        return Baseline(
            name="cycle 1",
            outcomes={one.id: one.outcome for one in results if one.outcome != "unresolved"},
            signatures={one.id: one.signature.key for one in results if one.signature},
            is_complete=True,
        )
    history = reading.state.settled(HISTORY_KEY, HistoryReceipt)
    if history is None or not history.runs:
        return Baseline("", {}, {})
    known = {one.id: one.last_outcome for one in history.tests if one.last_outcome}
    return Baseline("earlier runs", known, {})


def shift_of(reading: Reading, cycle: int) -> str:
    """Whether the difference is more than chance, in one sentence; empty when there is nothing to compare with."""
    results = [one for run in cycle_runs(reading.state, cycle).values() for one in run.results]
    now = {one.id: one.outcome == "green" for one in results if one.outcome != "unresolved"}
    if cycle > 1:
        earlier = [one for run in cycle_runs(reading.state, 1).values() for one in run.results]
        pair = paired({one.id: one.outcome == "green" for one in earlier if one.outcome != "unresolved"}, now)
        return (
            f"Of the tests that both ran, {len(pair.mended)} passed for the first time and {len(pair.broken)} no more; "
            f"so uneven by chance alone: {pair.p_value:.3g} (McNemar)."
        )
    history = reading.state.settled(HISTORY_KEY, HistoryReceipt)
    if history is None or not history.tests or not now:
        return ""
    past = {one.id: (one.reds, one.runs) for one in history.tests}
    changed = changed_tests(past, {test: _in_a_row(reading, test, passed) for test, passed in now.items()})
    if not changed:
        return "No test fails more often in a row than its history allows."
    worst = min(changed, key=lambda one: one.p_value)
    reds, runs = past[worst.test]
    return (
        f"More failures in a row than history allows: {counted(changed, 'test')}, most of all `{worst.test}`: "
        f"{worst.fails} times, against {reds} of {runs} before."
    )


def _in_a_row(reading: Reading, test: str, passed: bool) -> int:
    """Failures of a test from its run in the suite on; 0 when any run of it passed."""
    if passed:
        return 0
    alone = [
        result.outcome
        for key, record in reading.effects.items()
        if key.startswith("triage/") and isinstance(record.receipt, SuiteReceipt)
        for result in record.receipt.run.results
        if result.id == test and result.outcome != "unresolved"
    ]
    return 1 + len(alone) if all(outcome in _BAD for outcome in alone) else 0
