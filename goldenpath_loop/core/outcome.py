"""How a run ends, computed from what was measured, and the exit code that says the same."""

from __future__ import annotations

from goldenpath_loop.core.limits import cut_short
from goldenpath_loop.core.remedies import (
    Remedy,
    has_pull_request,
    is_proven,
    is_shown,
    is_superseded,
    push_problem,
    remedies,
)
from goldenpath_loop.core.state import State
from goldenpath_loop.records.base import pull_request_ref
from goldenpath_loop.records.events import PhaseFinished, RunFinished, RunOutcome
from goldenpath_loop.records.receipts import PullRequestReceipt

__all__ = ["EXIT_CODES", "finish", "outcome_of"]

EXIT_CODES: dict[RunOutcome, int] = {
    "passed": 0,
    "repaired": 0,
    "found": 0,
    "blocked": 10,
    "inconclusive": 11,
    "pull_request_limit": 12,
    "budget": 13,
    "aborted": 14,
}


_SHOWN_FAILURES = 3


def finish(state: State, outcome: RunOutcome, reason: str) -> RunFinished:
    """The last event of a run."""
    code = EXIT_CODES[outcome]
    actions = (
        _next_actions(state)
        if code == 0
        else tuple(dict.fromkeys((*_next_actions(state), *_failures(state))))
    )
    return RunFinished(outcome=outcome, reason=reason, exit_code=code, next_actions=actions)


def outcome_of(state: State, last: PhaseFinished) -> RunFinished:
    """The outcome when the phase table ends the run after `last`."""
    if last.phase == "execute" and last.result == "nothing_to_do":
        if state.cycle == 1:
            return finish(state, "passed", f"all focus tests are green on what is deployed: {last.summary}")
        branches = ", ".join(one.branch for one in remedies(state) if one.id in state.cycle_remedies)
        return finish(state, "repaired", f"green on base plus {branches}: {last.summary}")
    if last.phase == "deploy_check":
        return finish(state, "blocked", last.summary)
    if last.phase == "test_select":
        return finish(state, "blocked", last.summary)
    if "pull_requests" in state.limits_reached:
        return finish(state, "pull_request_limit", last.summary)
    actions = [finding.action.instruction for finding in state.findings if finding.action]
    if any(is_proven(state, one) and not is_shown(state, one) for one in remedies(state)):
        return finish(state, "blocked", last.summary)
    if actions:
        return finish(state, "blocked", " ".join(actions))
    return finish(state, "inconclusive", last.summary)


def _next_actions(state: State) -> tuple[str, ...]:
    """What a person should do now, most urgent first."""
    found = [finding.action.instruction for finding in state.findings if finding.action]
    for remedy in remedies(state):
        pull_request = has_pull_request(state, remedy)
        if pull_request is None:
            found += _by_hand(state, remedy)
            continue
        found.append(_shown(remedy, pull_request))
    for cluster in state.clusters:
        verdict = state.verdict("culprit", cluster.id) or state.verdict("triage", cluster.id)
        if verdict is not None and verdict.value not in ("confirmed", "regression"):
            found.append(f"Look at {cluster.id} ({cluster.tests[0]}): {verdict.statement}")
    return tuple(dict.fromkeys(found))


def _failures(state: State) -> list[str]:
    """What could not be carried out at all; evidence is missing because of it."""
    ended = cut_short(state)  # by a limit; that is no failure, and the hand-off says so
    failed = [
        (key, record)
        for key, record in state.effects.items()
        if record.status == "failed" and key not in ended
    ]
    found = [
        " ".join(f"{key} could not be carried out: {record.error}. {record.advice}".split())
        for key, record in failed[:_SHOWN_FAILURES]
    ]
    if len(failed) > _SHOWN_FAILURES:
        found.append(f"{len(failed) - _SHOWN_FAILURES} more effects could not be carried out.")
    return found


def _shown(remedy: Remedy, opened: PullRequestReceipt) -> str:
    """What is left to a person of a pull request."""
    if opened.opened_by:
        state = "as a draft " if opened.draft else ""
        place = f"{opened.address} there, and its text in {pull_request_ref(remedy.branch)} of the remote"
        return f"Review and merge {remedy.branch}: already opened {state}by {opened.opened_by} ({place})."
    unasked = f" Other runs could not be asked whether they opened it too: {opened.problem}."
    unasked = unasked if opened.problem else ""
    if opened.draft:
        return f"Decide about the draft {opened.address}: its proof is not complete.{unasked}"
    return f"Review and merge {opened.address} (branch {remedy.branch}).{unasked}"


def _by_hand(state: State, remedy: Remedy) -> list[str]:
    """What is left to a person of a remedy that did not become a pull request."""
    if remedy.receipt is None or is_superseded(state, remedy):
        return []
    problem = push_problem(state, remedy)
    if problem:
        return [f"Push {remedy.branch} ({remedy.head}) by hand: {problem}."]
    failed = state.failed(f"pull_request/{remedy.branch}")
    if failed is not None:
        return [f"Open the pull request of {remedy.branch} by hand: {failed.error}."]
    is_observed = (
        state.started is not None and state.started.policy is not None and state.started.policy.observe
    )
    if is_proven(state, remedy) and is_observed:
        return [f"Begin a run without --observe to push {remedy.branch}: it is proven."]
    if is_proven(state, remedy):
        by_hand = f"take {remedy.commit[:12]} back" if remedy.commit else f"apply {remedy.head}"
        return [f"Raise [limits] pull_requests, or {by_hand} by hand: that is proven."]
    if remedy.commit is None:
        return []
    verdict = state.verdict("stability", remedy.id) or state.verdict("audit", remedy.id)
    why = remedy.receipt.problem or (verdict.statement if verdict else "it was not judged")
    where = f" in {', '.join(remedy.receipt.conflicts)}" if remedy.receipt.conflicts else ""
    conflict = f"; later changes stand in the way{where}" if where and remedy.head else where
    return [f"Take {remedy.commit[:12]} back by hand: {why}{conflict}."]
