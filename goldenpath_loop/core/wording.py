"""Small words that reasons, verdicts and pull requests share."""

from __future__ import annotations

from collections.abc import Sized

__all__ = ["counted"]


def counted(things: Sized | int, noun: str) -> str:
    """`1 test`, `2 tests`."""
    number = things if isinstance(things, int) else len(things)
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
