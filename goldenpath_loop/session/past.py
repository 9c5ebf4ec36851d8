"""What earlier runs of the same target measured, one summary a test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from goldenpath_loop.errors import LogError
from goldenpath_loop.records.events import EffectRequested, EffectSettled, RunStarted
from goldenpath_loop.records.history import TestHistory
from goldenpath_loop.records.line import Line
from goldenpath_loop.records.receipts import HistoryReceipt, SuiteReceipt
from goldenpath_loop.records.results import TestResult
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.folder import all_runs

__all__ = ["read_past"]


@dataclass(slots=True)
class _Tally:
    runs: int = 0
    reds: int = 0
    last_outcome: str = ""
    last_green_revision: str | None = None
    last_run_at: str | None = None
    seconds: list[float] = field(default_factory=list)

    def add(self, result: TestResult, revision: str, at: str) -> None:
        if result.outcome == "unresolved":
            return
        self.runs += 1
        self.reds += result.outcome in ("red", "timeout")
        self.seconds.append(result.duration_s)
        # Runs come newest first: what is there already is more recent.
        if not self.last_outcome:
            self.last_outcome, self.last_run_at = result.outcome, at
        if result.outcome == "green" and self.last_green_revision is None:
            self.last_green_revision = revision


def read_past(runs: Path, *, target: str, root: str, without: str, limit: int = 20) -> HistoryReceipt:
    """Summarise the newest `limit` earlier runs of `target` below `runs`, leaving out the run called `without`.

    Only results on base count: the first cycle's `execute`. A run whose log does not check is passed over.
    """
    tallies: dict[str, _Tally] = {}
    seen = 0
    for folder in all_runs(runs):
        if folder.id == without or seen >= limit:
            continue
        try:
            lines = read(folder.log)
            if not _is_same_target(next(lines, None), target, root):
                continue
            found = list(_results(lines))
        except LogError:
            continue
        seen += 1
        for result, revision, at in found:
            tallies.setdefault(result.id, _Tally()).add(result, revision, at)
    tests = tuple(
        TestHistory.model_validate(
            {
                "id": name,
                "runs": one.runs,
                "reds": one.reds,
                "last_outcome": one.last_outcome,
                "last_green_revision": one.last_green_revision,
                "last_run_at": one.last_run_at,
                "mean_duration_s": sum(one.seconds) / len(one.seconds) if one.seconds else 0.0,
            }
        )
        for name, one in sorted(tallies.items())
    )
    return HistoryReceipt(tests=tests, runs=seen)


def _is_same_target(first: Line | None, target: str, root: str) -> bool:
    started = first.event if first else None
    return (
        isinstance(started, RunStarted)
        and started.policy is not None
        and started.policy.target.name == target
        and started.root == root
    )


def _results(lines: Iterable[Line]) -> Iterator[tuple[TestResult, str, str]]:
    """Results on base with the revision they are of and when they were known."""
    revisions: dict[str, str] = {}
    for line in lines:
        event = line.event
        if isinstance(event, EffectRequested) and event.effect.kind == "run_suite":
            revisions[event.effect.key] = event.effect.revision
        if (
            isinstance(event, EffectSettled)
            and isinstance(event.receipt, SuiteReceipt)
            and event.key.startswith("c1/execute/")
        ):
            for result in event.receipt.run.results:
                yield result, revisions.get(event.key, ""), line.at
