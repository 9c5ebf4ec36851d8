"""What asking a model came to, in numbers and in words that say how sure they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from goldenpath_loop.core.state import State
from goldenpath_loop.records.base import EffectKey, Record
from goldenpath_loop.records.effects import DispatchAgent
from goldenpath_loop.records.events import AnyEvent, EffectRequested, UsageRecorded, UsageReserved
from goldenpath_loop.records.line import UnknownEvent
from goldenpath_loop.records.usage import Usage
from goldenpath_loop.review.wording import amount, percent, price

__all__ = [
    "Calls",
    "Charge",
    "charge_of",
    "charge_words",
    "cost_words",
    "count_calls",
    "is_uncounted",
    "token_words",
]


class Charge(Record):
    """What some calls of a model came to."""

    calls: int = 0
    usage: Usage = Usage()
    is_least: bool = False
    """Whether some call was never counted by anybody, so that it may have been more."""
    model_s: float = 0.0
    """Seconds that were spent waiting for the model."""

    @property
    def latency_s(self) -> float | None:
        """Seconds of waiting a call; None without a call that came back."""
        return self.model_s / self.calls if self.calls else None

    @property
    def cached_share(self) -> float | None:
        """How much of the prompts the server had at hand, from 0 to 1; None without a prompt."""
        return self.usage.cached_tokens / self.usage.prompt_tokens if self.usage.prompt_tokens else None


@dataclass(slots=True)
class Calls:
    """Calls of one dispatch, as the log tells them."""

    open: set[int] = field(default_factory=set)
    usage: Usage = field(default_factory=Usage)
    settled: int = 0
    answered: int = 0
    uncounted: bool = False
    model_s: float = 0.0


def count_calls(calls: dict[EffectKey, Calls], event: AnyEvent | UnknownEvent) -> None:
    """Add to `calls`, by dispatch, what `event` says about them."""
    match event:
        case EffectRequested(effect=DispatchAgent(key=key)) if key in calls:
            # Asked for again after a crash: what was open then is never settled.
            calls[key].uncounted |= bool(calls[key].open)
            calls[key].open.clear()
        case UsageReserved(dispatch=key, call=call):
            calls.setdefault(key, Calls()).open.add(call)
        case UsageRecorded():
            its = calls.setdefault(event.dispatch, Calls())
            its.open.discard(event.call)
            its.usage += event.usage
            its.settled += 1
            its.answered += not event.problem
            its.uncounted |= is_uncounted(event)
            its.model_s += event.duration_s
        case _:
            pass


def is_uncounted(event: UsageRecorded) -> bool:
    """A call that ended in the middle may have used what nobody counted; one that was refused used nothing."""
    return bool(event.problem) and not event.usage.tokens and not event.problem.startswith("HTTP ")


def charge_of(calls: Mapping[EffectKey, Calls], state: State) -> Charge | None:
    """What models came to in a run so far; None when none was asked.

    Args:
        calls: What was counted in its session log.
        state: What that folds to.
    """
    if not calls:
        return None
    return Charge(
        calls=sum(one.settled for one in calls.values()) + len(state.open_calls),
        usage=state.usage,
        is_least=bool(state.open_calls) or any(one.uncounted for one in calls.values()),
        model_s=round(sum(one.model_s for one in calls.values()), 3),
    )


def charge_words(charge: Charge) -> str:
    """`23 calls, 361,351 tokens, $0.3675 (79 % cached)`."""
    least = "at least " if charge.is_least else ""
    words = f"{amount(charge.calls, 'call')}, {least}{amount(charge.usage.tokens, 'token')}, "
    words += f"{least}${price(charge.usage.cost_usd)} ({percent(charge.cached_share)} cached)"
    return f"{words}, estimated" if charge.usage.is_estimated else words


def token_words(charge: Charge) -> str:
    """`361,351`, `at least 810 (estimated)`."""
    return _bounded(charge, f"{charge.usage.tokens:,}")


def cost_words(charge: Charge) -> str:
    """`USD 0.3675`, `at least USD 1.50 (estimated)`."""
    return _bounded(charge, f"USD {price(charge.usage.cost_usd)}")


def _bounded(charge: Charge, number: str) -> str:
    estimated = " (estimated)" if charge.usage.is_estimated else ""
    return f"{'at least ' if charge.is_least else ''}{number}{estimated}"
