"""Which limits hold now, and what of them is used up."""

from __future__ import annotations

import re
from datetime import datetime

from goldenpath_loop.core.state import State
from goldenpath_loop.records.policy import Limits, Policy
from goldenpath_loop.records.receipts import PullRequestReceipt

__all__ = ["cut_short", "in_force", "limits_of", "opened", "refused_by", "used"]

_CUT_SHORT = "cancelled"
"""What stands in the log of an effect that was ended because the time was up."""
_REFUSED = re.compile(r"no room for another call: .* used of the run's (money|tokens)")
_LIMIT_OF = {"money": "cost_usd", "tokens": "tokens"}


def limits_of(policy: Policy, state: State) -> Limits:
    """Those of the policy, or what a person set since."""
    return state.limits or policy.limits


def in_force(policy: Policy, state: State) -> Policy:
    """The policy with the limits that hold now."""
    return policy if state.limits is None else policy.model_copy(update={"limits": state.limits})


def opened(state: State) -> int:
    """How many pull requests this run has opened. One that another run opened is nothing more to read for anybody."""
    receipts = (record.receipt for record in state.effects.values())
    return sum(isinstance(one, PullRequestReceipt) and not one.opened_by for one in receipts)


def used(state: State, now: datetime) -> dict[str, float]:
    """What counts against each limit of the whole run, by its name; patches are counted for each failure."""
    charged = state.charged
    return {
        "cycles": state.cycle,
        "pull_requests": opened(state),
        "duration_s": round(state.active_until(now), 1),
        "cost_usd": round(charged.cost_usd, 4),
        "tokens": charged.tokens,
    }


def cut_short(state: State) -> tuple[str, ...]:
    """Keys of effects that were ended before they came to anything, and of those that are under way."""
    ended = (
        key
        for key, record in state.effects.items()
        if record.status == "requested" or (record.status == "failed" and record.error == _CUT_SHORT)
    )
    return tuple(ended)


def refused_by(problem: str) -> str:
    """The limit of the run that left no room for a call of a dispatch; empty when none did.

    Args:
        problem: Why the dispatch has no answer.
    """
    found = _REFUSED.match(problem)
    return _LIMIT_OF[found.group(1)] if found else ""
