"""Decisions of a run that only searches a culprit: list history, run commits, confirm, answer.

The method is `science.flaky_culprit`; here its indices become commits, its wishes effects, and receipts its runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from goldenpath_loop.core.culprit_answer import culprit_verdict, is_found
from goldenpath_loop.core.culprit_evidence import (
    COMMITS_KEY,
    GUARD,
    TRACE_KEY,
    Search,
    is_guard,
    runs_of,
    search_in,
    search_of,
)
from goldenpath_loop.core.hunk_search import search_hunks
from goldenpath_loop.core.hunk_task import Guard, HunkTask, green_of
from goldenpath_loop.core.outcome import finish
from goldenpath_loop.core.state import State
from goldenpath_loop.core.step import Step, request
from goldenpath_loop.core.verdicts import Conclusion, numbered
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.effects import ListCommits, ProbeCommit, Selection, TraceTests
from goldenpath_loop.records.events import RunOutcome, VerdictReached
from goldenpath_loop.records.findings import Measurement
from goldenpath_loop.records.history import Commit
from goldenpath_loop.records.policy import Policy
from goldenpath_loop.records.question import CulpritQuestion
from goldenpath_loop.records.receipts import CommitProbeReceipt, CommitsReceipt
from goldenpath_loop.science import flaky_culprit as science

__all__ = ["HUNKS", "SUBJECT", "believed_after", "decide_culprit"]

SUBJECT, HUNKS = "command", "hunks"
"""Subjects of the verdicts."""
_LONG, _LONG_FLAKY = 256, 16
"""From so many commits on it is worth a run to see what the failure goes through."""


def decide_culprit(state: State, policy: Policy) -> Step:
    """The next step of the search, or its outcome."""
    assert state.started is not None
    question = state.started.question
    assert question is not None
    if state.in_flight:
        return Step()
    step = request(state, [ListCommits(key=COMMITS_KEY, bad=question.bad, limit=100_000)])
    if step is not None:
        return step
    search = search_of(state, policy)
    if isinstance(search, str):
        return Step(events=(finish(state, "blocked", search),))
    step = request(state, _trace(policy, question, search))
    if step is not None:
        return step
    reach = _reach(question, search, policy.jobs)
    if reach:
        return _ask(state, policy, question, search, reach)
    wanted = science.next_step(search.asked, search.runs, width=policy.jobs, cost=search.cost)
    if isinstance(wanted, science.Ask):
        return _ask(state, policy, question, search, _with_bad_end(policy, search, wanted.indices))
    if state.verdict("culprit", SUBJECT) is None:
        return _step(state, culprit_verdict(SUBJECT, search, wanted))
    if not is_found(wanted) or wanted.index is None:
        return _end(state, wanted)
    culprit = _inside(state, policy, search.history[wanted.index])
    if isinstance(culprit, Step):
        return culprit
    if question.hunks and state.verdict("stability", HUNKS) is None:
        hunks = _hunks(state, policy, question, search, culprit.revision)
        return hunks if isinstance(hunks, Step) else _step(state, hunks)
    return _end(state, wanted)


def _trace(policy: Policy, question: CulpritQuestion, search: Search) -> list[TraceTests]:
    """The run that shows what the failure goes through, where that is likely to save more runs than it costs."""
    paths = {path for commit in search.history for path in commit.files if path.endswith(".py")}
    if not paths or len(search.history) < (_LONG if not question.is_flaky else _LONG_FLAKY):
        return []
    selections = (Selection(suite=policy.suites[0].name, tests=()),)
    return [
        TraceTests(
            key=TRACE_KEY,
            revision=question.bad,
            protected=question.bad,
            selections=selections,
            paths=tuple(sorted(paths)),
        )
    ]


def _with_bad_end(policy: Policy, search: Search, indices: tuple[int, ...]) -> tuple[int, ...]:
    """The bad revision is run too, because only there it shows which failure is looked for."""
    is_known = bool(policy.suites[0].fails_with) or any(run.index == 0 for run in search.runs)
    return indices if is_known else (0, *(index for index in indices if index))[: policy.jobs]


def _hunks(
    state: State, policy: Policy, question: CulpritQuestion, search: Search, culprit: Revision
) -> Step | Conclusion:
    guard = _guard(state, policy, question.bad)
    if isinstance(guard, Step):
        return guard
    if guard is not None and not guard.green:
        return Conclusion(
            kind="stability",
            subject=HUNKS,
            value="none",
            statement=f"no hunk was tried: no test of the guard passes on {question.bad[:10]}",
            because=(_guard_key(question.bad),),
            revision=culprit,
        )
    belief = science.view(search.asked, search.runs) if question.is_flaky else None
    return search_hunks(
        HunkTask(
            state,
            policy,
            culprit,
            question.bad,
            (Selection(suite=policy.suites[0].name, tests=()),),
            HUNKS,
            rates=(belief.p_old, belief.p_new) if belief else None,
            spoken_of=_first_words(state),
            guard=guard,
        )
    )


def _guard(state: State, policy: Policy, bad: Revision) -> Step | Guard | None:
    """What passes on the bad revision and has to go on passing."""
    if all(suite.name != GUARD for suite in policy.suites):
        return None
    selections = (Selection(suite=GUARD, tests=()),)
    step = request(
        state, [ProbeCommit(key=_guard_key(bad), revision=bad, protected=bad, selections=selections)]
    )
    if step is not None:
        return step
    receipt = state.settled(_guard_key(bad), CommitProbeReceipt)
    return Guard(selections, green_of(receipt.runs if receipt else (), bad))


def _guard_key(revision: Revision) -> str:
    return f"guard/{revision[:12]}"


def _inside(state: State, policy: Policy, culprit: Commit) -> Step | Commit:
    """Down into a guilty merge: which commit of its branch did it, or the merge itself when the branch passes."""
    while len(culprit.parents) > 1:
        marker = f"{SUBJECT} inside {culprit.revision[:12]}"
        key = f"{COMMITS_KEY}/{culprit.revision[:12]}"
        listing = ListCommits(key=key, bad=culprit.parents[1], without=culprit.parents[0], limit=100_000)
        step = request(state, [listing])
        if step is not None:
            return step
        receipt = state.settled(key, CommitsReceipt)
        branch = receipt.commits if receipt else ()
        known = state.verdict("culprit", marker)
        if known is not None:
            inner = next((one for one in branch if one.revision == known.revision), None)
            if inner is None:
                return culprit
            culprit = inner
            continue
        if not branch or not branch[-1].parents:
            return culprit
        fork = Commit(
            revision=branch[-1].parents[0],
            parents=(),
            subject="where the branch began",
            author="",
            committed_at=branch[-1].committed_at,
        )
        return _search_branch(state, policy, culprit, (*branch, fork), marker)
    return culprit


def _search_branch(
    state: State, policy: Policy, merge: Commit, history: tuple[Commit, ...], marker: str
) -> Step:
    assert state.started is not None
    question = state.started.question
    assert question is not None
    search = search_in(state, policy, question, history)
    wanted = science.next_step(search.asked, search.runs, width=policy.jobs, cost=search.cost)
    if isinstance(wanted, science.Ask):
        return _ask(state, policy, question, search, wanted.indices)
    found = culprit_verdict(SUBJECT, search, wanted)
    name = f"merge {merge.revision[:10]} “{merge.subject}”"
    if not is_found(wanted):
        alone = f"{name} itself turned it red; of its branch alone: {found.statement}"
        itself = replace(found, subject=marker, value="itself", statement=alone, revision=merge.revision)
        return _step(state, itself)
    inner = replace(found, statement=f"inside {name}: {found.statement}")
    return _step(state, replace(inner, subject=marker), inner)


def _reach(question: CulpritQuestion, search: Search, width: int) -> tuple[int, ...]:
    """Without a good revision: back in doubling steps until the command passes. A flaky one is bisected at once."""
    if question.good is not None or question.is_flaky:
        return ()
    if any(run.outcome == "green" for run in search.runs):
        return ()
    tried = {run.index for run in search.runs}
    last = len(search.history) - 1
    steps = [0, *(2**power for power in range(last.bit_length()) if 2**power < last), last]
    return tuple(index for index in steps if index not in tried)[:width]


def _ask(
    state: State, policy: Policy, question: CulpritQuestion, search: Search, indices: Sequence[int]
) -> Step:
    times: dict[Revision, int] = {}
    for record in state.effects.values():
        if isinstance(record.effect, ProbeCommit):
            times[record.effect.revision] = times.get(record.effect.revision, 0) + 1
    probes: list[ProbeCommit] = []
    for index in indices:
        revision = search.history[index].revision
        times[revision] = times.get(revision, 0) + 1
        probes.append(
            ProbeCommit(
                key=f"probe/{revision[:12]}/{times[revision]}",
                revision=revision,
                protected=question.bad,
                selections=(Selection(suite=policy.suites[0].name, tests=()),),
            )
        )
    return request(state, probes) or Step()


def believed_after(
    state: State, policy: Policy, effect: ProbeCommit, receipt: CommitProbeReceipt
) -> list[Conclusion]:
    """What one more run shows, and what is believed after it. `state` holds it already."""
    search = search_of(state, policy)
    if isinstance(search, str) or is_guard(effect):
        return []
    if effect.key not in search.effects:
        return [_on_branch(state, effect, receipt)]
    run = search.runs[search.effects.index(effect.key)]
    detail = f": {receipt.problem}" if receipt.problem else ""
    belief = science.view(search.asked, search.runs)
    measurements = [Measurement(name="run", value=len(search.runs))]
    statement = f"run {len(search.runs)} is {run.outcome} on {receipt.revision[:10]}{detail}"
    if belief is not None:
        best = search.history[belief.best]
        share = belief.culprits[belief.best]
        statement += f"; likeliest culprit {best.revision[:10]} with {share:.1%}"
        measurements += [
            Measurement(name="likeliest culprit", value=best.revision[:12]),
            Measurement(name="share", value=round(share, 6)),
            Measurement(name="blames no commit", value=round(1 - sum(belief.culprits), 6)),
        ]
    return [
        Conclusion(
            kind="probe",
            subject=f"{SUBJECT} on {receipt.revision[:12]}",
            value=run.outcome,
            statement=statement,
            measurements=tuple(measurements),
            because=(effect.key,),
            revision=receipt.revision,
        )
    ]


def _on_branch(state: State, effect: ProbeCommit, receipt: CommitProbeReceipt) -> Conclusion:
    """A run inside of a merged branch, where belief is another one."""
    runs, keys = runs_of(state, {receipt.revision: 0})
    outcome = runs[keys.index(effect.key)].outcome
    detail = f": {receipt.problem}" if receipt.problem else ""
    return Conclusion(
        kind="probe",
        subject=f"{SUBJECT} on {receipt.revision[:12]}",
        value=outcome,
        statement=f"{receipt.revision[:10]} on the merged branch is {outcome}{detail}",
        measurements=(Measurement(name="run", value=len(runs_of(state, None)[0])),),
        because=(effect.key,),
        revision=receipt.revision,
    )


def _first_words(state: State) -> str:
    """What the command said when it failed first."""
    for record in state.effects.values():
        if isinstance(record.receipt, CommitProbeReceipt):
            for result in (one for run in record.receipt.runs for one in run.results):
                if result.outcome == "red" and result.failure is not None:
                    return result.failure.message
    return ""


def _step(state: State, *found: Conclusion) -> Step:
    verdicts = numbered(found, after=len(state.verdicts))
    return Step(events=tuple(VerdictReached(verdict=one, causes=one.because) for one in verdicts))


def _end(state: State, answer: science.Answer) -> Step:
    outcome: RunOutcome = "found" if is_found(answer) else "inconclusive"
    said = [state.verdict("culprit", SUBJECT), state.verdict("stability", HUNKS)]
    return Step(events=(finish(state, outcome, "; ".join(one.statement for one in said if one)),))
