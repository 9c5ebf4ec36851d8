"""A session as long as a night: what a search on old commits writes, again and again, with new keys each time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from goldenpath_loop.records.effects import ProbeCommit, Selection
from goldenpath_loop.records.events import (
    AnyEvent,
    EffectRequested,
    EffectSettled,
    EvidenceCaptured,
    VerdictReached,
)
from goldenpath_loop.records.evidence import Evidence, Obtained
from goldenpath_loop.records.findings import Measurement, Verdict
from goldenpath_loop.records.receipts import CommitProbeReceipt
from goldenpath_loop.records.results import SuiteRun, TestResult
from goldenpath_loop.testing import paper_policy, paper_run

__all__ = ["events_of_a_night"]

_TESTS = ("tests/e2e/test_cart.py::test_total[en]", "tests/e2e/test_cart.py::test_empty[en]")
_STARTED_AT = "2026-11-21T01:02:03.456789Z"


def events_of_a_night(count: int) -> Iterator[AnyEvent]:
    """`count` events: half of them evidence, as in the logs of real runs, at some 700 bytes an event."""
    return islice(_events(), count)


def _events() -> Iterator[AnyEvent]:
    yield paper_run(paper_policy())
    number = 0
    while True:
        number += 1
        yield from _unit(number)


def _unit(number: int) -> Iterator[AnyEvent]:
    key, revision = f"c1/five_whys/culprit/K1/{number}", f"{number:040x}"
    effect = ProbeCommit(
        key=key,
        revision=revision,
        protected=revision,
        selections=(Selection(suite="unit", tests=_TESTS),),
        services=("backend",),
    )
    yield EffectRequested(effect=effect)
    names = tuple(f"E{(number - 1) * 3 + at}" for at in (1, 2, 3))
    for at, name in enumerate(names):
        obtained = Obtained.model_validate(
            {
                "how": f"python -m pytest {_TESTS[0]}",
                "started_at": _STARTED_AT,
                "duration_s": 1.25,
                "exit_code": 1,
            }
        )
        evidence = Evidence(
            id=name,
            kind="test_result",
            digest=f"{number * 3 + at:064x}",
            size_bytes=2048,
            subject=_TESTS[at % 2],
            obtained=obtained,
        )
        yield EvidenceCaptured(evidence=evidence, effect=key)
    results = tuple(
        TestResult(id=test, outcome="red" if at else "green", duration_s=0.625, evidence=names[at])
        for at, test in enumerate(_TESTS)
    )
    run = SuiteRun(
        suite="unit",
        ended="completed",
        collected=_TESTS,
        results=results,
        exit_code=1,
        duration_s=2.5,
        revision_before=revision,
        revision_after=revision,
        console=names[2],
    )
    yield EffectSettled(
        key=key, receipt=CommitProbeReceipt(revision=revision, runs=(run,)), evidence=names, duration_s=3.125
    )
    verdict = Verdict(
        id=f"V{number}",
        kind="probe",
        subject=f"K1 on {revision[:12]}",
        value="bad",
        statement=f"{_TESTS[1]} is bad on {revision[:10]}",
        measurements=(Measurement(name="run", value=number),),
        because=(key,),
        revision=revision,
    )
    yield VerdictReached(verdict=verdict, causes=(key,))
