"""What an edge may do while it performs an effect: hand over evidence, and say how far it is."""

from __future__ import annotations

from typing import Protocol

from goldenpath_loop.records.base import EvidenceId
from goldenpath_loop.records.evidence import EvidenceKind, Obtained

__all__ = ["Witness"]


class Witness(Protocol):
    """The engine's ear. Everything captured stands in the session log before `capture` returns."""

    async def capture(
        self, kind: EvidenceKind, data: bytes, *, subject: str, obtained: Obtained
    ) -> EvidenceId:
        """Store `data` (secrets are taken out first) and return the name it can be cited by."""
        ...

    def progress(self, text: str) -> None:
        """Say one short line to whoever watches; never stored."""
        ...
