"""The agents' part of the worklog: who was asked, what came of it, what the gate refused, and what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from goldenpath_loop.records.effects import DispatchAgent
from goldenpath_loop.review.charges import Charge, cost_words, token_words
from goldenpath_loop.review.dispatch_table import result_words
from goldenpath_loop.review.dispatches import Dispatch, dispatches_of, total_of
from goldenpath_loop.review.reading import Reading
from goldenpath_loop.review.wording import percent

__all__ = ["AgentRow", "Refused", "TeamReport", "agents_by_dispatch", "team_report"]


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One dispatch, or all of them."""

    key: str
    agent: str
    subject: str
    result: str
    turns: int
    tokens: str
    cost: str
    cached: str
    transcript: str


@dataclass(frozen=True, slots=True)
class Refused:
    """What the gate told an agent about one of its answers."""

    key: str
    agent: str
    turn: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TeamReport:
    """Every dispatch of a run."""

    rows: tuple[AgentRow, ...]
    total: AgentRow
    refused: tuple[Refused, ...]


def team_report(reading: Reading) -> TeamReport | None:
    """What stands in the section; None when no agent was asked."""
    dispatches = dispatches_of(reading)
    if not dispatches:
        return None
    return TeamReport(
        rows=tuple(map(_row, dispatches)),
        total=_priced(total_of(dispatches), turns=sum(one.turns for one in dispatches)),
        refused=tuple(_refused(dispatches)),
    )


def agents_by_dispatch(reading: Reading) -> Mapping[str, str]:
    """Names of agents by the keys of their dispatches."""
    effects = (record.effect for record in reading.effects.values())
    return {effect.key: effect.agent for effect in effects if isinstance(effect, DispatchAgent)}


def _row(one: Dispatch) -> AgentRow:
    return _priced(
        one.charge,
        turns=one.turns,
        key=one.key,
        agent=one.agent,
        subject=one.subject,
        result=result_words(one),
        transcript=one.transcript,
    )


def _priced(
    charge: Charge,
    *,
    turns: int,
    key: str = "",
    agent: str = "",
    subject: str = "",
    result: str = "",
    transcript: str = "",
) -> AgentRow:
    return AgentRow(
        key=key,
        agent=agent,
        subject=subject,
        result=result,
        turns=turns,
        tokens=token_words(charge),
        cost=cost_words(charge),
        cached=percent(charge.cached_share),
        transcript=transcript,
    )


def _refused(dispatches: Sequence[Dispatch]) -> Iterator[Refused]:
    for one in dispatches:
        for refusal in one.refusals:
            yield Refused(one.key, one.agent, refusal.turn, refusal.reasons)
