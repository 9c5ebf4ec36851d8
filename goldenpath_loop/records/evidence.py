"""What an instrument saw: the metadata of stored bytes, and exact pointers into them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from goldenpath_loop.records.base import EvidenceId, Record, Revision

__all__ = ["Citation", "Digest", "Evidence", "EvidenceKind", "Obtained"]

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 of the stored bytes, lower-case hexadecimal."""

EvidenceKind = Literal[
    "http_exchange",
    "websocket_handshake",
    "socket_check",
    "setting",
    "test_result",
    "command_output",
    "service_log",
    "history",
    "diff",
    "source",
    "coverage",
    "audit",
]


class Obtained(Record):
    """How evidence came about, so that a person can do it again."""

    how: str
    """The command line or request, as it was made."""
    started_at: AwareDatetime
    duration_s: float = Field(ge=0)
    exit_code: int | None = None
    served_revision: Revision | None = None
    """Revision the system served while this was seen; None when no system was involved or it did not say."""


class Evidence(Record):
    """One immutable piece of evidence. Its bytes lie under `evidence/<digest>`."""

    id: EvidenceId
    kind: EvidenceKind
    digest: Digest
    size_bytes: int = Field(ge=0)
    subject: str
    """What it is about, for people: `probe edge.chat`, a test id, a commit."""
    obtained: Obtained
    redactions: int = Field(default=0, ge=0)
    """How many secrets were taken out before the bytes were stored."""


class Citation(Record):
    """An exact place in evidence.

    `start` and `end` are byte offsets into the stored bytes; `quote` is the text between them. A citation
    that was only proposed may leave both offsets at -1; the gate then looks for the quote and fills them in.
    """

    evidence: EvidenceId
    quote: Annotated[str, StringConstraints(min_length=1)]
    start: int = Field(default=-1, ge=-1)
    end: int = Field(default=-1, ge=-1)

    @property
    def is_located(self) -> bool:
        """Whether the offsets are known."""
        return 0 <= self.start < self.end
