"""What asking a model cost, call by call."""

from __future__ import annotations

from pydantic import Field

from goldenpath_loop.records.base import Record

__all__ = ["Usage"]


class Usage(Record):
    """Tokens and money of one call, or of several."""

    prompt_tokens: int = Field(default=0, ge=0)
    cached_tokens: int = Field(default=0, ge=0)
    """Those of the prompt that the server had at hand."""
    answer_tokens: int = Field(default=0, ge=0)
    cost_usd: float = Field(default=0.0, ge=0)
    is_estimated: bool = False
    """Whether the server did not count, so that the loop had to guess from the length of the text."""

    @property
    def tokens(self) -> int:
        """Prompt and answer together."""
        return self.prompt_tokens + self.answer_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            answer_tokens=self.answer_tokens + other.answer_tokens,
            cost_usd=self.cost_usd + other.cost_usd,
            is_estimated=self.is_estimated or other.is_estimated,
        )
