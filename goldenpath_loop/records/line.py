"""One line of a session log: an event with its place in the chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from goldenpath_loop.records.base import Reference
from goldenpath_loop.records.events import AnyEvent

__all__ = ["Line", "UnknownEvent"]


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event of a newer version, as it stands in the log: it can be shown and hashed, and means nothing here."""

    name: str
    """The type that the log names."""
    payload: Mapping[str, Any]
    causes: tuple[Reference, ...] = ()
    type: Literal["unknown"] = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a session log: an event with its place in the chain."""

    seq: int
    """From 1."""
    at: str
    """UTC, ISO 8601 with microseconds."""
    prev: str
    """SHA-256 of the previous line without its newline; 64 zeros for the first."""
    event: AnyEvent | UnknownEvent
