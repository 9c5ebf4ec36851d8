"""Raw facts to events: what a receipt means, without looking anywhere but at the state and the receipt."""

from __future__ import annotations

from typing import assert_never

from goldenpath_loop.core import verdicts
from goldenpath_loop.core.comparing import probe_outcome
from goldenpath_loop.core.culprit_run import believed_after
from goldenpath_loop.core.state import State
from goldenpath_loop.core.targets import representative
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.effects import AnyEffect, AuditTree, ProbeCommit, ProbeService, RunSuite
from goldenpath_loop.records.events import AnyEvent, EffectSettled, VerdictReached
from goldenpath_loop.records.findings import Measurement
from goldenpath_loop.records.receipts import (
    AnyReceipt,
    AuditReceipt,
    BaseReceipt,
    ChangeReceipt,
    CollectionReceipt,
    CommitProbeReceipt,
    CommitsReceipt,
    DeployReceipt,
    DispatchReceipt,
    HistoryReceipt,
    HunkFitReceipt,
    HunkProbeReceipt,
    ProbeReceipt,
    PullRequestReceipt,
    PushReceipt,
    RemedyReceipt,
    StopReceipt,
    SuiteReceipt,
    TraceReceipt,
    WorktreeReceipt,
)
from goldenpath_loop.records.services import StartReport

__all__ = ["interpret"]


def interpret(
    state: State, effect: AnyEffect, receipt: AnyReceipt, *, evidence: tuple[str, ...], duration_s: float
) -> tuple[AnyEvent, ...]:
    """The events that `receipt` of `effect` gives: that it settled, and what code concludes from it."""
    settled = EffectSettled(key=effect.key, receipt=receipt, evidence=evidence, duration_s=duration_s)
    found = verdicts.numbered(_conclusions(state, effect, receipt), after=len(state.verdicts))
    return (
        settled,
        *(VerdictReached(verdict=verdict, causes=(effect.key, *verdict.because)) for verdict in found),
    )


def _conclusions(state: State, effect: AnyEffect, receipt: AnyReceipt) -> list[verdicts.Conclusion]:
    match receipt:
        case ProbeReceipt(report=report):
            assert isinstance(effect, ProbeService)
            start = _start_of(state, effect)
            return [verdicts.service(effect.deployment, report, (effect.key,), start=start)]
        case SuiteReceipt():
            assert isinstance(effect, RunSuite)
            return _suite(state, effect, receipt)
        case CommitProbeReceipt():
            assert isinstance(effect, ProbeCommit)
            if state.started is not None and state.started.question is not None:
                assert state.started.policy is not None
                return believed_after(
                    state.with_receipt(effect.key, receipt), state.started.policy, effect, receipt
                )
            return _commit_probe(state, effect, receipt)
        case AuditReceipt():
            assert isinstance(effect, AuditTree)
            remedy = effect.key.rsplit("/", 1)[-1]
            return [verdicts.audit(remedy, receipt, (effect.key,), files=_files_at(state, effect.head))]
        case DeployReceipt():
            return [_deployment(receipt, effect.key)]
        case (
            BaseReceipt()
            | HistoryReceipt()
            | WorktreeReceipt()
            | StopReceipt()
            | CollectionReceipt()
            | CommitsReceipt()
            | ChangeReceipt()
            | HunkProbeReceipt()
            | HunkFitReceipt()
            | TraceReceipt()
            | RemedyReceipt()
            | PushReceipt()
            | PullRequestReceipt()
            | DispatchReceipt()
        ):
            return []
        case _:
            assert_never(receipt)


def _start_of(state: State, effect: ProbeService) -> StartReport | None:
    """How the probed service was started, if it was us who started it."""
    for record in reversed(list(state.effects.values())):
        receipt = record.receipt
        if isinstance(receipt, DeployReceipt) and receipt.deployment == effect.deployment:
            return next((start for start in receipt.starts if start.service == effect.service), None)
    return None


def _files_at(state: State, head: Revision) -> tuple[str, ...]:
    """Files that the remedy at `head` says it changes."""
    for record in state.effects.values():
        if isinstance(record.receipt, RemedyReceipt) and record.receipt.head == head:
            return record.receipt.files
    return ()


def _suite(state: State, effect: RunSuite, receipt: SuiteReceipt) -> list[verdicts.Conclusion]:
    """Only whole suites of `execute` are judged as suites; reruns of single tests are judged where they serve."""
    if "/execute/" not in effect.key:
        return []
    planned = (
        next((one.tests for one in state.plan.suites if one.suite == effect.suite), ()) if state.plan else ()
    )
    policy = state.started.policy if state.started else None
    return [
        verdicts.suite(
            receipt.run,
            planned or effect.tests,
            subject=f"cycle {state.cycle}: {effect.suite}",
            expected=effect.revision,
            may_skip=policy.suite(effect.suite).may_skip if policy else (),
            because=(effect.key, *((receipt.run.console,) if receipt.run.console else ())),
        )
    ]


def _commit_probe(
    state: State, effect: ProbeCommit, receipt: CommitProbeReceipt
) -> list[verdicts.Conclusion]:
    chosen = {test for selection in effect.selections for test in selection.tests}
    found: list[verdicts.Conclusion] = []
    for cluster in state.clusters:
        test = representative(cluster)
        if test not in chosen:
            continue
        outcome = probe_outcome(cluster.signature, test, receipt.runs, expected=receipt.revision)
        detail = f": {receipt.problem}" if receipt.problem else ""
        found.append(
            verdicts.Conclusion(
                kind="probe",
                subject=f"{cluster.id} on {receipt.revision[:12]}",
                value=outcome,
                statement=f"{test} is {outcome} on {receipt.revision[:10]}{detail}",
                because=(effect.key,),
                revision=receipt.revision,
            )
        )
    return found


def _deployment(receipt: DeployReceipt, key: str) -> verdicts.Conclusion:
    started = [start for start in receipt.starts if start.started]
    lost = [start for start in receipt.starts if not start.started]
    if receipt.problem:
        value, statement = "failed", receipt.problem
    elif lost:
        value = "partial"
        statement = "; ".join(f"{start.service} {start.summary}" for start in lost)
    else:
        value, statement = "running", f"{len(started)} services run {receipt.revision[:10]}"
    return verdicts.Conclusion(
        kind="deployment",
        subject=receipt.deployment,
        value=value,
        statement=statement,
        measurements=(
            Measurement(name="started", value=len(started)),
            Measurement(name="lost", value=len(lost)),
        ),
        because=(key,),
        revision=receipt.revision,
    )
