"""What a probe saw of a service, and what a deployment came to."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from goldenpath_loop.records.base import EvidenceId, Record, Revision, ServiceName

__all__ = ["DependencyReport", "ProbeReport", "ServiceReport", "StartReport"]


class DependencyReport(Record):
    """One line of a service's own list of dependencies."""

    name: str
    status: str
    response_time_ms: float | None = None


class ProbeReport(Record):
    """The raw outcome of one probe."""

    probe: str
    kind: Literal["http", "websocket", "tcp", "tls", "dns", "setting"]
    answered: bool
    """Whether the answer is the one the configuration asks for."""
    summary: str
    """One line for people: `200 in 12 ms`, `handshake refused: HTTP 200, application/json`."""
    status: int | None = None
    latency_ms: float | None = Field(default=None, ge=0)
    dependencies: tuple[DependencyReport, ...] = ()
    quote: str = ""
    """A line of the evidence that shows it, verbatim, so that a finding can cite it; empty when there is none."""
    answers: tuple[str, ...] = ()
    """Lines of the evidence with what the service itself said, verbatim; compared between revisions."""
    evidence: EvidenceId | None = None


class ServiceReport(Record):
    """All probes of one service, asked together."""

    service: ServiceName
    reports: tuple[ProbeReport, ...]
    served_revision: Revision | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether every probe answered as configured."""
        return all(report.answered for report in self.reports)


class StartReport(Record):
    """How the start of one service went."""

    service: ServiceName
    started: bool
    url: str = ""
    summary: str = ""
    """One line: `ready in 0.8 s`, `exited with 78 before it was ready`, `port 8080 is taken`."""
    exit_code: int | None = None
    quote: str = ""
    """The line of its log that says why it did not start, verbatim; empty when it started."""
    log: EvidenceId | None = None
