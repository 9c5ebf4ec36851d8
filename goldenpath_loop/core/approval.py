"""Which effects wait for a person, and what becomes of them once one has decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from goldenpath_loop.core.state import State
from goldenpath_loop.records.effects import AnyEffect, Deploy, OpenPullRequest, PushBranch
from goldenpath_loop.records.events import AnyEvent, ApprovalRequested, EffectFailed, EffectRequested
from goldenpath_loop.records.policy import Approvable, Policy

__all__ = ["Sorted", "waiting_for", "weigh"]


@dataclass(frozen=True, slots=True)
class Sorted:
    """Effects of one step by what may happen to them."""

    free: tuple[AnyEffect, ...]
    """Nobody has to be asked, or somebody agreed."""
    events: tuple[AnyEvent, ...]
    """Questions to a person, and effects that were refused."""
    held: tuple[AnyEffect, ...]
    """Nobody has decided yet."""


def weigh(state: State, policy: Policy, effects: Iterable[AnyEffect]) -> Sorted:
    """Sort `effects` by what a person said, or has still to say."""
    free: list[AnyEffect] = []
    held: list[AnyEffect] = []
    events: list[AnyEvent] = []
    for effect in effects:
        if _kind(effect, policy) not in policy.approve:
            free.append(effect)
        elif effect.key not in state.approvals:
            events.append(ApprovalRequested(effect=effect))
            held.append(effect)
        elif (decided := state.approvals[effect.key]) is None:
            held.append(effect)
        elif decided.approved:
            free.append(effect)
        else:
            why = f": {decided.reason}" if decided.reason else ""
            events += [
                EffectRequested(effect=effect),
                EffectFailed(key=effect.key, error=f"{decided.by} rejected it{why}"),
            ]
    return Sorted(tuple(free), tuple(events), tuple(held))


def waiting_for(state: State) -> tuple[str, ...]:
    """Keys of effects that a person was asked about and nobody has decided yet."""
    return tuple(key for key, decided in state.approvals.items() if decided is None)


def _kind(effect: AnyEffect, policy: Policy) -> Approvable | None:
    match effect:
        case Deploy(preview=False) if policy.deploy.adapter == "command":
            # Processes of our own are seen by nobody else, and die with us.
            return "deploy"
        case PushBranch():
            return "push"
        case OpenPullRequest():
            return "pull_request"
        case _:
            return None
