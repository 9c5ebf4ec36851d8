"""Small values for tests of pure functions, with only what the test is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from goldenpath_loop.core.state import State, fold
from goldenpath_loop.records.effects import ProbeCommit, Selection
from goldenpath_loop.records.events import AnyEvent, EffectRequested, EffectSettled, RunStarted
from goldenpath_loop.records.findings import Cluster
from goldenpath_loop.records.line import Line
from goldenpath_loop.records.receipts import CommitProbeReceipt
from goldenpath_loop.records.results import Outcome, Signature, SuiteRun, TestResult
from goldenpath_loop.testing import paper_policy, paper_run

__all__ = [
    "NOON",
    "PARENT",
    "REVISION",
    "SIGNATURE",
    "TEST",
    "cluster",
    "lines",
    "probed",
    "result",
    "run",
    "started",
    "state",
]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REVISION, PARENT = "a" * 40, "b" * 40
TEST = "tests/test_cart.py::test_total"
SIGNATURE = Signature(exception="AssertionError", place="cart.py::total", message="assert total == 3")


def result(
    outcome: Outcome, *, id: str = TEST, signature: Signature | None = SIGNATURE, evidence: str | None = None
) -> TestResult:
    """One test's result, with a signature when it failed."""
    failed = outcome in ("red", "timeout")
    return TestResult(
        id=id,
        outcome=outcome,
        signature=signature if failed else None,
        not_run="skipped" if outcome == "unresolved" else "",
        evidence=evidence,
    )


def run(*outcomes: Outcome, **fields: object) -> SuiteRun:
    """A run of `unit` whose tests are called `t0`, `t1`, ..."""
    results = tuple(result(outcome, id=f"t{number}") for number, outcome in enumerate(outcomes))
    return SuiteRun.model_validate({"suite": "unit", "ended": "completed", "results": results, **fields})


def lines(events: Iterable[AnyEvent], *, seconds: Sequence[float] = ()) -> list[Line]:
    """Events with their places in a log, one second apart or at `seconds` after noon."""
    return [
        Line(
            seq=number,
            at=(NOON + timedelta(seconds=seconds[number - 1] if seconds else number)).isoformat(),
            prev="0" * 64,
            event=event,
        )
        for number, event in enumerate(events, start=1)
    ]


def started() -> RunStarted:
    """The first event of a run on paper."""
    return paper_run(paper_policy())


def state(*events: AnyEvent) -> State:
    """The state after a run began and `events` happened."""
    return fold(lines([started(), *events]))


def cluster(id: str = "K1", tests: tuple[str, ...] = (TEST,)) -> Cluster:
    """Failures with the usual signature."""
    return Cluster(id=id, signature=SIGNATURE, suites=("unit",), tests=tests)


def probed(
    key: str, revision: str, *results: TestResult, evidence: tuple[str, ...] = ("E7",)
) -> tuple[AnyEvent, AnyEvent]:
    """A commit that was run, and what it showed."""
    effect = ProbeCommit(
        key=key, revision=revision, protected=REVISION, selections=(Selection(suite="unit", tests=(TEST,)),)
    )
    shown = SuiteRun(suite="unit", ended="completed", results=results)
    receipt = CommitProbeReceipt(revision=revision, runs=(shown,))
    return EffectRequested(effect=effect), EffectSettled(key=key, receipt=receipt, evidence=evidence)
