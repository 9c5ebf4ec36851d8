"""What tokens cost."""

from __future__ import annotations

from dataclasses import dataclass

from goldenpath_loop.records.usage import Usage

__all__ = ["Prices"]

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for a million tokens; None where nobody knows."""

    prompt: float | None = None
    cached: float | None = None
    answer: float | None = None
    ceiling: float = 0.0
    """What a million tokens of unknown price are taken to cost."""

    def priced(self, usage: Usage) -> Usage:
        """`usage` with its cost; an unknown price counts as the ceiling, never as nothing."""
        prompt = self.ceiling if self.prompt is None else self.prompt
        cached = prompt if self.cached is None else self.cached
        answer = self.ceiling if self.answer is None else self.answer
        fresh = usage.prompt_tokens - usage.cached_tokens
        cost = (fresh * prompt + usage.cached_tokens * cached + usage.answer_tokens * answer) / _MILLION
        return usage.model_copy(update={"cost_usd": cost})
