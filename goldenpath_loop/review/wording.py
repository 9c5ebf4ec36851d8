"""Words and numbers as people read them: effects, receipts, durations, revisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from goldenpath_loop.core.comparing import RepeatTally, tally
from goldenpath_loop.core.state import EffectRecord
from goldenpath_loop.core.wording import pull_request_words
from goldenpath_loop.records import effects as asked
from goldenpath_loop.records import receipts
from goldenpath_loop.records.base import EffectKey, Revision
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.events import RunResumed
from goldenpath_loop.records.receipts import AnyReceipt, DispatchReceipt
from goldenpath_loop.records.results import SuiteRun, TestResult

__all__ = [
    "amount",
    "counted",
    "dispatch_words",
    "effect_words",
    "first_line",
    "jump_words",
    "percent",
    "price",
    "purpose",
    "receipt_words",
    "resumed_words",
    "seconds",
    "short",
    "tally_words",
    "unsettled",
    "usd",
]


def seconds(duration_s: float) -> str:
    """`0.31 s`, `12.4 s`, `3 min 05 s`, `2 h 04 min`."""
    if duration_s < 9.995:
        return f"{max(0.0, duration_s):.2f} s"
    if duration_s < 59.95:
        return f"{duration_s:.1f} s"
    whole = round(duration_s)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def jump_words(by_s: float) -> str:
    """A jump of the clock: what can be meant by it, and that it counts for nothing."""
    if by_s > 0:
        what = f"the clock went {seconds(by_s)} ahead: the machine slept, or its clock was set"
    else:
        what = f"the clock was set back by {seconds(-by_s)}"
    return f"{what}; limits do not count it"


def resumed_words(event: RunResumed) -> str:
    """A resume, what a crash left of a last line, and whether the time before it can be told from the log."""
    words = f"resumed by version {event.version}"
    if event.torn_bytes:
        words += f"; the last line was torn, its {amount(event.torn_bytes, 'byte')} were moved aside"
    if event.behind_s:
        words += f"; the clock stood {seconds(event.behind_s)} before the last line of the log"
    return words


def short(revision: Revision | None) -> str:
    """The beginning of a commit id."""
    return revision[:12] if revision else "unknown"


def usd(value: float) -> str:
    """`USD 120,000`. No dollar sign: two of them in one paragraph are taken for a formula by some readers."""
    return f"USD {value:,.0f}"


def price(value_usd: float) -> str:
    """`0.1057`, `12.40`: US dollars without their sign, fine enough for one call of a model."""
    return f"{value_usd:,.4f}" if 0 < value_usd < 1 else f"{value_usd:,.2f}"


def percent(share: float | None) -> str:
    """`82 %`; a dash when there is nothing to take a share of."""
    return "-" if share is None else f"{100 * share:.0f} %"


def amount(number: int, noun: str) -> str:
    """`1 test`, `2 tests`, `95,984 tokens`."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def counted(names: Sequence[str], *, shown: int = 3) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def first_line(text: str) -> str:
    """The first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def tally_words(seen: RepeatTally) -> str:
    """`2 of 5 passed, 3 failed, 1 not run`: of the tests that ran, how many passed."""
    ran = seen.green + seen.bad
    words = f"{seen.green} of {ran} passed"
    if seen.bad:
        words += f", {seen.bad} failed"
    if seen.unresolved:
        words += f", {seen.unresolved} not run"
    return words


def unsettled(record: EffectRecord) -> str:
    """Why an effect has no receipt."""
    return f"could not be done: {record.error}" if record.status == "failed" else "not over when the log ends"


def effect_words(effect: AnyEffect) -> str:
    """What is asked for, in a few words."""
    match effect:
        case asked.InspectBase():
            return f"read base branch {effect.branch}"
        case asked.ReadHistory():
            return "read earlier runs"
        case asked.PrepareWorktree():
            return f"worktree {effect.tree} at {short(effect.revision)}"
        case asked.Deploy():
            return f"deploy {short(effect.revision)} as {effect.deployment}"
        case asked.StopDeployment():
            return f"stop {effect.deployment}"
        case asked.ProbeService():
            return f"probe {effect.service} of {effect.deployment}"
        case asked.CollectTests():
            return f"collect {effect.suite}"
        case asked.RunSuite():
            which = amount(len(effect.tests), "test") if effect.tests else "all tests"
            return f"{purpose(effect.key)}run {effect.suite}, {which}, on {short(effect.revision)}"
        case asked.ListCommits():
            return f"list commits up to {short(effect.bad)}"
        case asked.ProbeCommit():
            tests = sum(len(chosen.tests) for chosen in effect.selections)
            why = "confirm" if effect.key.startswith("confirm/") else "search"
            return f"{why}: {amount(tests, 'test')} on commit {short(effect.revision)}"
        case asked.ProbeHunks():
            taken = amount(len(effect.hunks), "hunk")
            return f"try {short(effect.revision)} with {taken} of {short(effect.commit)} taken back"
        case asked.FitHunks():
            return f"see which hunks of {short(effect.commit)} can be taken back on {short(effect.revision)}"
        case asked.TraceTests():
            return f"see which lines of {amount(len(effect.paths), 'file')} run on {short(effect.revision)}"
        case asked.DescribeChange():
            return f"read change {short(effect.revision)}"
        case asked.ApplyPatch():
            return f"put the patch for {effect.cluster} on {effect.branch}"
        case asked.DispatchAgent():
            return f"ask {effect.agent} about {effect.subject}"
        case asked.RevertCommit():
            return f"revert {short(effect.commit)} on {effect.branch}"
        case asked.ComposeRemedies():
            return f"put {amount(len(effect.heads), 'remedy').replace('remedys', 'remedies')} on base"
        case asked.AuditTree():
            return f"audit {effect.key.rsplit('/', 1)[-1]}"
        case asked.PushBranch():
            return f"push {effect.branch}"
        case asked.OpenPullRequest():
            return f"open pull request of {effect.branch}"
        case _:
            assert_never(effect)


def purpose(key: EffectKey) -> str:
    """What a run of a suite is for, to stand before it; empty for the cycle's own run."""
    parts = key.split("/")
    match parts:
        case ["triage", cluster, number]:
            return f"triage of {cluster}, rerun {number}: "
        case ["stability", remedy, stage, *_]:
            return f"proof of {remedy}, {stage}: "
        case _:
            return ""


def receipt_words(receipt: AnyReceipt) -> str:
    """What came back, in one line."""
    match receipt:
        case receipts.BaseReceipt():
            return receipt.problem or f"base is {short(receipt.revision)}{_dirty(receipt.dirty)}"
        case receipts.HistoryReceipt():
            return f"{amount(receipt.runs, 'earlier run')}, {amount(len(receipt.tests), 'test')} known"
        case receipts.WorktreeReceipt():
            return receipt.problem or f"{receipt.tree} is at {short(receipt.revision)}"
        case receipts.DeployReceipt():
            started = sum(start.started for start in receipt.starts)
            return receipt.problem or f"{started} of {amount(len(receipt.starts), 'service')} started"
        case receipts.StopReceipt():
            return f"{receipt.deployment} is gone"
        case receipts.ProbeReceipt(report=report):
            answers = "; ".join(f"{one.probe} {one.summary}" for one in report.reports)
            return f"{report.service}: {answers or 'no probe'}"
        case receipts.CollectionReceipt():
            problem = f"; {receipt.run.problem}" if receipt.run.problem else ""
            return f"{amount(len(receipt.tests), 'test')} in {receipt.run.suite}{problem}"
        case receipts.SuiteReceipt(run=run):
            return f"{run.suite}: {_run_words(run)}"
        case receipts.CommitsReceipt():
            older = "" if receipt.complete else ", older ones not listed"
            return f"{amount(len(receipt.commits), 'commit')}{older}"
        case receipts.CommitProbeReceipt():
            results = _results(receipt.runs)
            return f"{short(receipt.revision)}: {receipt.problem or tally_words(tally(results))}"
        case receipts.HunkProbeReceipt():
            return receipt.problem or tally_words(tally(_results(receipt.runs)))
        case receipts.HunkFitReceipt():
            return f"{amount(len(receipt.misfits), 'hunk')} cannot be" if receipt.misfits else "all can be"
        case receipts.TraceReceipt():
            lines = sum(len(one.lines) for one in receipt.files)
            return receipt.problem or f"{amount(lines, 'line')} in {amount(len(receipt.files), 'file')}"
        case receipts.ChangeReceipt(commit=commit):
            return f"{short(commit.revision)} {commit.subject}: {amount(len(receipt.hunks), 'hunk')}"
        case receipts.RemedyReceipt():
            return receipt.problem or f"{receipt.branch} at {short(receipt.head)}, {counted(receipt.files)}"
        case receipts.AuditReceipt():
            return f"{amount(len(receipt.issues), 'issue')} in {amount(receipt.scanned, 'file')} read"
        case receipts.DispatchReceipt():
            return f"{dispatch_words(receipt)} ({receipt.transcript})"
        case receipts.PushReceipt():
            return receipt.problem or f"{receipt.branch} is at {short(receipt.remote_head)} on the remote"
        case receipts.PullRequestReceipt():
            found = ", found" if receipt.found and not receipt.opened_by else ""
            return f"pull request {pull_request_words(receipt)}{found}"
        case _:
            assert_never(receipt)


def dispatch_words(receipt: DispatchReceipt) -> str:
    """What came of asking an agent: `answered after 7 turns, 95,984 tokens`."""
    used = f"after {amount(receipt.turns, 'turn')}, {amount(receipt.usage.tokens, 'token')}"
    refused = f", {amount(len(receipt.refusals), 'answer')} refused" if receipt.refusals else ""
    if receipt.answer is not None:
        return f"answered {used}{refused}"
    return f"inconclusive {used}{refused}: {receipt.problem}"


def _dirty(files: Sequence[str]) -> str:
    return f", with changes that are not committed: {counted(files)}" if files else ""


def _run_words(run: SuiteRun) -> str:
    words = tally_words(tally(run.results))
    if run.ended != "completed":
        words += f", {run.ended.replace('_', ' ')}"
    return f"{words}{'; ' + run.problem if run.problem else ''}"


def _results(runs: Iterable[SuiteRun]) -> list[TestResult]:
    return [result for run in runs for result in run.results]
