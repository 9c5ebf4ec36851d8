"""Asks an agent and puts what it claims before the gate, one claim after the other; what a phase decides is its own."""

from __future__ import annotations

from collections.abc import Sequence

from goldenpath_loop.core.agent_claims import claims_of
from goldenpath_loop.core.limits import refused_by, used
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.records.effects import DispatchAgent
from goldenpath_loop.records.events import LimitReached
from goldenpath_loop.records.receipts import DispatchReceipt

__all__ = ["answered", "consult", "limit_reached"]


def limit_reached(scene: Scene) -> LimitReached | None:
    """Which limit of the run leaves no room for another question."""
    limits, charged = scene.policy.limits, scene.state.charged
    if charged.cost_usd >= limits.cost_usd:
        return LimitReached(limit="cost_usd", allowed=limits.cost_usd, used=round(charged.cost_usd, 4))
    if charged.tokens >= limits.tokens:
        return LimitReached(limit="tokens", allowed=limits.tokens, used=charged.tokens)
    return None


def _refused(scene: Scene) -> LimitReached | None:
    """The limit that left too little for a call, and of which nothing was said yet; smaller calls may still fit."""
    allowed, spent = scene.policy.limits.model_dump(), used(scene.state, scene.now)
    for record in scene.state.effects.values():
        if isinstance(record.receipt, DispatchReceipt):
            limit = refused_by(record.receipt.problem)
            if limit and limit not in scene.state.limits_reached:
                return LimitReached(limit=limit, allowed=allowed[limit], used=spent[limit])
    return None


def consult(scene: Scene, asked: Sequence[DispatchAgent]) -> Step | None:
    """Ask what nobody asked yet, then hand on the claims in the order of `asked`.

    Returns:
        The next step; None when all is said, when no model is configured, or when its limits are used up.
    """
    if not scene.policy.model.name:
        return None
    refused = _refused(scene)
    if refused is not None:
        return Step(events=(refused,))
    begun = [one for one in asked if one.key in scene.state.effects]
    reached = limit_reached(scene)
    if reached is not None and len(begun) < len(asked):
        if reached.limit not in scene.state.limits_reached:
            return Step(events=(reached,))
        asked = begun
    step = request(scene.state, asked)
    if step is not None:
        return step
    for one in asked:
        receipt = scene.state.settled(one.key, DispatchReceipt)
        if receipt is None or receipt.answer is None:
            continue
        claims = claims_of(receipt.answer, dispatch=one.key, subject=one.subject, state=scene.state)
        done = scene.state.judged(one.key)
        if done < len(claims):
            number = len(scene.state.findings) + len(scene.state.rejected) + 1
            return Step(proposals=(claims[done].model_copy(update={"id": f"F{number}"}),))
    return None


def answered(scene: Scene, key: str) -> DispatchReceipt | None:
    """What came of one question; None while there is no answer, or never will be one."""
    receipt = scene.state.settled(key, DispatchReceipt)
    return receipt if receipt is not None and receipt.answer is not None else None
