"""From the answer of an agent to findings that the gate can look at."""

from __future__ import annotations

from goldenpath_loop.core.readings import next_finding_id
from goldenpath_loop.core.state import State
from goldenpath_loop.records.agents import AnyAnswer, Objections, ProposedFindings
from goldenpath_loop.records.findings import Finding

__all__ = ["claims_of"]


def claims_of(answer: AnyAnswer, *, dispatch: str, subject: str, state: State) -> tuple[Finding, ...]:
    """Every claim of `answer`, in its order; none for an answer that is no claim, like a patch.

    Args:
        answer: What the agent said.
        dispatch: Where it said so.
        subject: The cluster it was asked about; claims about anything else are about nothing in particular.
        state: Gives the next number of a finding.
    """
    number = int(next_finding_id(state)[1:])
    cluster = subject if any(one.id == subject for one in state.clusters) else ""
    if isinstance(answer, ProposedFindings):
        return tuple(
            Finding(
                id=f"F{at}",
                kind=one.kind,
                title=one.title,
                statement=one.statement,
                cluster=cluster,
                citations=one.citations,
                chain=one.chain,
                hypotheses=one.hypotheses,
                action=one.action,
                dispatch=dispatch,
            )
            for at, one in enumerate(answer.findings, start=number)
        )
    if isinstance(answer, Objections):
        return tuple(
            Finding(
                id=f"F{at}",
                kind="observation",
                title=f"Objection to link {one.link}",
                statement=f"{one.statement} (looked for: {one.refuter.looked_for})",
                cluster=cluster,
                citations=(one.refuter.citation,) if one.refuter.citation else (),
                dispatch=dispatch,
            )
            for at, one in enumerate(answer.objections, start=number)
        )
    return ()
