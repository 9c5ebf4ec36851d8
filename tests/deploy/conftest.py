"""A witness that remembers, and asyncio as the one backend."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from goldenpath_loop.records.base import EvidenceId
from goldenpath_loop.records.evidence import EvidenceKind, Obtained


@dataclass(frozen=True)
class Captured:
    """One piece of evidence as an edge handed it over."""

    id: EvidenceId
    kind: EvidenceKind
    data: bytes
    subject: str
    obtained: Obtained

    @property
    def text(self) -> str:
        return self.data.decode()


@dataclass
class RecordingWitness:
    """Keeps everything in memory, numbered as the engine would."""

    captured: list[Captured] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def capture(
        self, kind: EvidenceKind, data: bytes, *, subject: str, obtained: Obtained
    ) -> EvidenceId:
        one = Captured(f"E{len(self.captured) + 1}", kind, data, subject, obtained)
        self.captured.append(one)
        return one.id

    def progress(self, text: str) -> None:
        self.said.append(text)

    def named(self, evidence: EvidenceId | None) -> Captured:
        return next(one for one in self.captured if one.id == evidence)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def witness() -> RecordingWitness:
    return RecordingWitness()
