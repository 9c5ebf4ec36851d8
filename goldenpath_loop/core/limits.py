"""Which limits hold now, and what of them is used up."""

from __future__ import annotations

from datetime import datetime

from goldenpath_loop.core.state import State
from goldenpath_loop.records.policy import Limits, Policy
from goldenpath_loop.records.receipts import PullRequestReceipt

__all__ = ["in_force", "limits_of", "used"]


def limits_of(policy: Policy, state: State) -> Limits:
    """Those of the policy, or what a person set since."""
    return state.limits or policy.limits


def in_force(policy: Policy, state: State) -> Policy:
    """The policy with the limits that hold now."""
    return policy if state.limits is None else policy.model_copy(update={"limits": state.limits})


def used(state: State, now: datetime) -> dict[str, float]:
    """What counts against each limit of the whole run, by its name; patches are counted for each failure."""
    opened = sum(isinstance(record.receipt, PullRequestReceipt) for record in state.effects.values())
    charged = state.charged
    return {
        "cycles": state.cycle,
        "pull_requests": opened,
        "duration_s": round(state.active_until(now), 1),
        "cost_usd": round(charged.cost_usd, 4),
        "tokens": charged.tokens,
    }
