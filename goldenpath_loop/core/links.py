"""What each kind of why-link has to show before it counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from goldenpath_loop.core.comparing import probe_outcome
from goldenpath_loop.core.state import State
from goldenpath_loop.core.targets import rates_of, representative, result_of
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.effects import ProbeCommit
from goldenpath_loop.records.findings import Cluster, Finding, WhyLink
from goldenpath_loop.records.receipts import ChangeReceipt, CommitProbeReceipt, CommitsReceipt

__all__ = ["broken_link"]


_BY_READING = frozenset({"call_path", "time_order", "configuration"})


def broken_link(
    link: WhyLink, previous: WhyLink | None, finding: Finding, state: State, *, is_read: bool = False
) -> str:
    """Why `link` does not hold, in one sentence; empty when it does.

    Args:
        link: The link, its citations located.
        previous: The one above it.
        finding: The claim it belongs to.
        state: The state of the run the claim is about.
        is_read: Whether an agent made it and how its two ends hang together was looked at already: what it reads
            from source, logs and times then needs no search behind it.
    """
    if link.refuter.found:
        return f"its refuter was found: {link.refuter.looked_for}"
    if previous is not None and link.effect != previous.cause:
        return "it does not start where the link above it ends"
    if link.effect == link.cause:
        return "it explains something by itself"
    problem = "" if is_read and link.kind in _BY_READING else _unshown(link, finding, state)
    if not problem and previous is None and finding.cluster and not _is_symptom(link, finding, state):
        problem = "it does not start at what a test of the cluster said"
    return problem


def _unshown(link: WhyLink, finding: Finding, state: State) -> str:
    match link.kind:
        case "intervention":
            return _intervention(link, finding, state)
        case "call_path":
            return _call_path(link, finding, state)
        case "introduced_by":
            return _introduced_by(link, finding, state)
        case "time_order":
            return _time_order(link, finding, state)
        case "configuration":
            return _configuration(link, state)
        case _:
            assert_never(link.kind)


def _is_symptom(link: WhyLink, finding: Finding, state: State) -> bool:
    cluster = _cluster(finding, state)
    results = (result_of(state, test) for test in cluster.tests) if cluster else ()
    return any(found and found[1].evidence == link.effect_citation.evidence for found in results)


def _cluster(finding: Finding, state: State) -> Cluster | None:
    return next((one for one in state.clusters if one.id == finding.cluster), None)


def _outcomes(keys: Iterable[str], finding: Finding, state: State) -> dict[str, str]:
    """What the runs called `keys` say about the finding's cluster, by revision."""
    cluster = _cluster(finding, state)
    found: dict[str, str] = {}
    if cluster is None:
        return found
    for key in keys:
        record = state.effects.get(key)
        if record is None or not isinstance(record.effect, ProbeCommit):
            continue
        if isinstance(record.receipt, CommitProbeReceipt):
            revision = record.receipt.revision
            outcome = probe_outcome(
                cluster.signature, representative(cluster), record.receipt.runs, expected=revision
            )
            if found.get(revision, outcome) != outcome:
                outcome = "unresolved"
            found[revision] = outcome
    return found


def _intervention(link: WhyLink, finding: Finding, state: State) -> str:
    outcomes = set(_outcomes(link.measured_by, finding, state).values())
    if not {"red", "green"} <= outcomes:
        return "an intervention needs two runs, one red and one green, and the log does not hold both"
    seen = {name for key in link.measured_by if key in state.effects for name in state.effects[key].evidence}
    if link.cause_citation.evidence not in seen:
        return "what it cites was not seen in the runs it names"
    return ""


def _guilty_change(finding: Finding, state: State) -> ChangeReceipt | None:
    """The change of the commit that the search confirmed for the finding's cluster."""
    verdict = state.verdict("culprit", finding.cluster)
    if verdict is None or verdict.value != "confirmed":
        return None
    for record in state.effects.values():
        receipt = record.receipt
        if isinstance(receipt, ChangeReceipt) and receipt.commit.revision == verdict.revision:
            return receipt
    return None


def _call_path(link: WhyLink, finding: Finding, state: State) -> str:
    """The cited line has to come from the change that the search confirmed."""
    change = _guilty_change(finding, state)
    if change is None or link.cause_citation.evidence != change.diff:
        return "a call path has to cite the change that the search confirmed"
    return ""


def _introduced_by(link: WhyLink, finding: Finding, state: State) -> str:
    verdict = state.verdict("culprit", finding.cluster)
    if verdict is None or verdict.value != "confirmed" or verdict.revision is None:
        return "no search has confirmed a culprit"
    change = _guilty_change(finding, state)
    is_cited = change is not None and link.cause_citation.evidence == change.diff
    if not is_cited or verdict.revision not in link.cause_citation.quote:
        return "it names another commit than the search confirmed"
    is_rate = rates_of(state, finding.cluster) is not None
    if not is_rate and _older_red(finding, state, verdict.revision):
        return "the test was seen red in the same way on an older commit"
    if _outcomes(link.measured_by, finding, state).get(verdict.revision) != "red":
        return "the runs it names do not show the test red on that commit"
    return ""


def _older_red(finding: Finding, state: State, culprit: Revision) -> bool:
    """Whether a commit before the culprit was seen red in the same way."""
    listed = next(
        (one.receipt for one in state.effects.values() if isinstance(one.receipt, CommitsReceipt)), None
    )
    order = [commit.revision for commit in listed.commits] if listed else []
    older = set(order[order.index(culprit) + 1 :]) if culprit in order else set()
    everything = tuple(key for key, record in state.effects.items() if isinstance(record.effect, ProbeCommit))
    shown = _outcomes(everything, finding, state)
    return any(shown.get(revision) == "red" for revision in older)


def _time_order(link: WhyLink, finding: Finding, state: State) -> str:
    """Rests on the history of the test file and on the change, so both have to be in the log."""
    for record in state.effects.values():
        receipt = record.receipt
        if isinstance(receipt, ChangeReceipt) and receipt.origins_evidence == link.cause_citation.evidence:
            if link.effect_citation.evidence != receipt.diff:
                return "its two citations do not speak of the same change"
            dated = receipt.commit.committed_at
            for origin in receipt.origins:
                if origin.first_committed_at and origin.existed and origin.first_committed_at > dated:
                    return "the test is younger than the change"
            return ""
    return "the history it cites was not read by this run"


def _configuration(link: WhyLink, state: State) -> str:
    """Effect and cause have to be different observations."""
    one, other = link.effect_citation, link.cause_citation
    if (one.evidence, one.start, one.end) == (other.evidence, other.start, other.end):
        return "effect and cause are the same observation"
    return ""
