"""What a log has come to, and what follows from its last receipt but was not said before the engine was killed."""

from __future__ import annotations

from collections.abc import Iterable

from goldenpath_loop.core.interpret import interpret
from goldenpath_loop.core.state import State, evolve
from goldenpath_loop.records.events import (
    AnyEvent,
    ApprovalDecided,
    ClockJumped,
    ControlRequested,
    EffectSettled,
    LimitsChanged,
    RunPaused,
    RunResumed,
    VerdictReached,
)
from goldenpath_loop.records.line import Line

__all__ = ["Past", "unsaid"]


class Past:
    """Takes in a log line by line, in the memory of its state."""

    def __init__(self) -> None:
        self.state = State()
        self._before: State | None = None
        self._settled: EffectSettled | None = None
        self._said = 0

    def see(self, line: Line) -> None:
        """Take in the next line."""
        before, self.state = self.state, evolve(self.state, line)
        match line.event:
            case EffectSettled() as event:
                self._before, self._settled, self._said = before, event, 0
            case VerdictReached():
                self._said += 1
            case (
                RunPaused()
                | RunResumed()
                | ControlRequested()
                | LimitsChanged()
                | ApprovalDecided()
                | ClockJumped()
            ):
                pass  # these may come at any moment, also before what follows from the receipt was said
            case _:
                self._settled = None

    def unsaid(self) -> tuple[AnyEvent, ...]:
        """Events that the last receipt gives and that are missing."""
        if self._settled is None or self._before is None:
            return ()
        effect = self._before.effects[self._settled.key].effect
        events = interpret(self._before, effect, self._settled.receipt, evidence=(), duration_s=0.0)
        return events[1 + self._said :]


def unsaid(lines: Iterable[Line]) -> tuple[AnyEvent, ...]:
    """What follows from the last receipt of a log and is not in it."""
    past = Past()
    for line in lines:
        past.see(line)
    return past.unsaid()
