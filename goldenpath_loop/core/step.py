"""What one decision says: events to append, effects to request, findings to put before the gate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from goldenpath_loop.core.state import State
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.events import AnyEvent, PhaseFinished, PhaseName, PhaseResult
from goldenpath_loop.records.findings import Finding
from goldenpath_loop.records.policy import Policy
from goldenpath_loop.records.receipts import BaseReceipt

__all__ = ["Scene", "Step", "request"]


@dataclass(frozen=True, slots=True)
class Step:
    """The next thing to do. All empty means: wait for what is in flight."""

    events: tuple[AnyEvent, ...] = ()
    effects: tuple[AnyEffect, ...] = ()
    proposals: tuple[Finding, ...] = ()

    @property
    def is_wait(self) -> bool:
        """Whether there is nothing to do but wait."""
        return not (self.events or self.effects or self.proposals)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a phase sees when it is asked for its next step."""

    state: State
    policy: Policy
    now: datetime

    @property
    def cycle(self) -> int:
        """Number of the current cycle."""
        return self.state.cycle

    @property
    def base(self) -> BaseReceipt:
        """State of the user's repository; it is read before the first phase."""
        base = self.state.base
        assert base is not None
        return base

    def key(self, *parts: str) -> str:
        """A key for an effect of this cycle's open phase."""
        assert self.state.phase is not None
        return "/".join((f"c{self.cycle}", self.state.phase.phase, *parts))

    def live_key(self, *parts: str) -> str:
        """A key for something that dies with the engine process, like a deployment: new after a resume."""
        suffix = f"@{self.state.generation}" if self.state.generation else ""
        return "/".join((f"c{self.cycle}", *parts)) + suffix

    def finish(self, result: PhaseResult, summary: str, *causes: str) -> PhaseFinished:
        """The event that closes the open phase."""
        phase = self.state.phase
        assert phase is not None
        return PhaseFinished(
            cycle=self.cycle,
            phase=phase.phase,
            attempt=phase.attempt,
            result=result,
            summary=summary,
            causes=causes,
        )

    @property
    def phase(self) -> PhaseName:
        """Name of the open phase."""
        assert self.state.phase is not None
        return self.state.phase.phase


def request(state: State, effects: Iterable[AnyEffect]) -> Step | None:
    """Ask for those of `effects` nobody asked for yet.

    Returns:
        A step that requests them, an empty step while some are still in flight, or None when all are over.
    """
    wanted = list(effects)
    missing = tuple(effect for effect in wanted if effect.key not in state.effects)
    if missing:
        return Step(effects=missing)
    if any(not state.is_over(effect.key) for effect in wanted):
        return Step()
    return None
