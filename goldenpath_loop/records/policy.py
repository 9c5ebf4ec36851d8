"""The part of the configuration that decisions depend on; it stands in the session log."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from goldenpath_loop.records.base import Record
from goldenpath_loop.records.target import (
    DeploySpec,
    FocusSpec,
    ForgeSpec,
    LoopSpec,
    ModelSpec,
    ServiceSpec,
    SuiteSpec,
    TargetSpec,
)

__all__ = ["Approvable", "Limits", "Policy", "Settings"]

Approvable = Literal["deploy", "push", "pull_request"]
"""Effects that change what others see."""

_GATES = {"P1": 0.0, "P2": 0.05, "P3": 0.10, "P4": 0.10, "P5": 0.20, "P6": 0.20}


class Limits(Record):
    """What a run may use up. Limits count across pause, crash and resume."""

    cycles: int = Field(default=5, ge=1)
    pull_requests: int = Field(default=3, ge=0)
    duration_s: float = Field(default=7200.0, gt=0)
    cost_usd: float = Field(default=20.0, ge=0)
    """Money for models; when it is used up, the run goes on from instruments alone."""
    tokens: int = Field(default=5_000_000, ge=0)
    attempts: int = Field(default=3, ge=1)
    """Patches that may be tried for one cluster."""


class Settings(Record):
    """A whole configuration, every default filled in."""

    target: TargetSpec
    deploy: DeploySpec = DeploySpec()
    services: tuple[ServiceSpec, ...] = ()
    suites: tuple[SuiteSpec, ...] = ()
    focuses: tuple[FocusSpec, ...] = ()
    gates: dict[str, float] = Field(default_factory=lambda: dict(_GATES))
    """Share of red tests from which a priority counts as breached, `P1` to `P6`; 0 tolerates none. Failures of
    breached priorities are worked on first. Only green is `passed`, whatever a gate tolerates."""
    limits: Limits = Limits()
    forge: ForgeSpec = ForgeSpec()
    model: ModelSpec = ModelSpec()
    loop: LoopSpec = LoopSpec()


class Policy(Record):
    """What `decide` may know about the target and about what the person asked for."""

    target: TargetSpec
    deploy: DeploySpec
    services: tuple[ServiceSpec, ...]
    suites: tuple[SuiteSpec, ...]
    focus: FocusSpec
    gates: dict[str, float]
    limits: Limits
    model: ModelSpec = ModelSpec()
    jobs: int = Field(default=2, ge=1)
    observe: bool = False
    """Nothing outside of the run's own folders is changed: no deployment by script, no push, no pull request."""
    stop_after: str = ""
    """Phase after which the run ends."""
    approve: tuple[Approvable, ...] = ()
    """What a person decides about before it is done."""

    @property
    def focus_suites(self) -> tuple[SuiteSpec, ...]:
        """Suites of the focus in configuration order."""
        return tuple(suite for suite in self.suites if self.focus.selects(suite))

    def suite(self, name: str) -> SuiteSpec:
        """The suite called `name`. Raises KeyError when there is none."""
        for suite in self.suites:
            if suite.name == name:
                return suite
        raise KeyError(name)

    def service(self, name: str) -> ServiceSpec:
        """The service called `name`. Raises KeyError when there is none."""
        for service in self.services:
            if service.name == name:
                return service
        raise KeyError(name)

    @property
    def can_preview(self) -> bool:
        """Whether any revision can be run on its own: no service needed, or each has a start command."""
        return all(service.start for service in self.services)
