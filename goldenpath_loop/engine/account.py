"""Charges calls to the run: reserved in the log before they are made, settled in it after."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from goldenpath_loop.core.state import CallsOf
from goldenpath_loop.engine.desk import Desk
from goldenpath_loop.errors import PutOffError
from goldenpath_loop.records.agents import AgentLimits
from goldenpath_loop.records.base import EffectKey
from goldenpath_loop.records.events import UsageRecorded, UsageReserved
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.records.usage import Usage

__all__ = ["DispatchAccount"]


class DispatchAccount:
    """The account of one dispatch, inside that of the run.

    Args:
        desk: Whose session is charged.
        dispatch: Key of the effect.
        own: What the agent may use.
        run: What the whole run may use now.
    """

    def __init__(self, desk: Desk, dispatch: EffectKey, own: AgentLimits, run: Callable[[], Limits]) -> None:
        self._desk = desk
        self._dispatch = dispatch
        self._own = own
        self._run = run
        # A dispatch that is asked again after a crash goes on counting where the first one ended.
        self._calls = desk.state().calls.get(dispatch, CallsOf()).last
        self.used = desk.state().charged_to(dispatch)

    async def reserve(self, model: str, most: Usage) -> int | str:
        """Number of the call when there is room for it, else which limit stands in the way.

        What is reserved is on the disk when this returns.

        Raises:
            PutOffError: The run is to pause.
        """
        async with self._desk.door.turn() as may_begin:
            if not may_begin:
                raise PutOffError(where=self._dispatch)
            call = self._reserved(model, most)
            # Whoever is cancelled here would leave a reservation behind that nobody settles.
            with anyio.CancelScope(shield=True):
                await self._desk.session.commit()
            return call

    def _reserved(self, model: str, most: Usage) -> int | str:
        charged, run = self._desk.state().charged, self._run()
        for name, used, more, allowed in (
            ("this agent's tokens", self.used.tokens, most.tokens, self._own.tokens),
            ("this agent's money in USD", self.used.cost_usd, most.cost_usd, self._own.cost_usd),
            ("the run's tokens", charged.tokens, most.tokens, run.tokens),
            ("the run's money in USD", charged.cost_usd, most.cost_usd, run.cost_usd),
        ):
            if used + more > allowed:
                return f"no room for another call: {used:g} of {allowed:g} used of {name}, and it may take {more:g}"
        self._calls += 1
        self._desk.session.append(
            UsageReserved(dispatch=self._dispatch, call=self._calls, model=model, most=most)
        )
        return self._calls

    def settle(self, call: int, usage: Usage, *, duration_s: float, problem: str = "") -> None:
        """Charge what the call used."""
        self.used += usage
        self._desk.session.append(
            UsageRecorded(
                dispatch=self._dispatch, call=call, usage=usage, duration_s=duration_s, problem=problem
            )
        )
