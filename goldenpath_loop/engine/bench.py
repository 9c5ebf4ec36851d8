"""The workbench of one engine process: everything performers need, set up once and taken down on every way out."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from goldenpath_loop.config.variables import expand
from goldenpath_loop.deploy.process import ProcessDeployments
from goldenpath_loop.deploy.variables import standing_urls, variables_of
from goldenpath_loop.engine.desk import Desk
from goldenpath_loop.engine.secret_values import operator_settings_of
from goldenpath_loop.records.policy import Policy, Settings
from goldenpath_loop.records.target import ServiceSpec, SuiteSpec
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.redaction import Redactor
from goldenpath_loop.system.environment import own_environment

__all__ = ["Bench", "open_bench", "python_of", "worktrees_folder"]


@dataclass(frozen=True, slots=True)
class Bench:
    """Tools and places of one run."""

    settings: Settings
    policy: Policy
    root: Path
    """The user's checkout; read through git only."""
    folder: RunFolder
    runs: Path
    trees: Path
    """Where this run's worktrees lie, outside of the checkout."""
    scratches: Path
    """Service logs, temporary files of tests and others of no lasting worth. Outside of the checkout as well: tools
    look upward from where they stand, and would take its settings for theirs."""
    python: str
    operator_settings: dict[str, str]
    """What the settings file says; values are secrets."""
    redactor: Redactor
    """Takes secrets out of texts that leave by another door than the session."""
    deployments: ProcessDeployments
    desk: Desk
    """Where agents are asked."""
    _free_slots: list[str] = field(default_factory=list)
    _slot_numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def environment(self) -> dict[str, str]:
        """What services and deploy scripts find around them."""
        return {**own_environment(), **self.operator_settings}

    def scratch(self, key: str) -> Path:
        """An empty folder for one unit of work."""
        folder = self.scratches / re.sub(r"[^A-Za-z0-9_.-]+", "-", key)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    @contextmanager
    def slot(self) -> Iterator[str]:
        """The name of a worktree and preview that nobody else uses now; used again and again, so few are made."""
        name = self._free_slots.pop() if self._free_slots else f"probe-{next(self._slot_numbers)}"
        try:
            yield name
        finally:
            self._free_slots.append(name)

    def tree(self, name: str) -> Path:
        """Folder of the worktree called `name`."""
        return self.trees / name

    def urls(self, deployment: str) -> dict[str, str]:
        """Addresses of the services of one deployment."""
        if not deployment:
            return {}
        if deployment == "staging" and self.policy.deploy.adapter != "process":
            return standing_urls(self.policy.services, self.environment)
        return self.deployments.urls(deployment)

    def suite_environment(self, suite: SuiteSpec, deployment: str, tree: Path) -> dict[str, str]:
        """The complete environment of one suite's run. Secrets are in it only where the suite names them."""
        variables = variables_of(
            self.urls(deployment), python=self.python, worktree=str(tree), settings=self.environment
        )
        own = {
            name: expand(value, variables, where=f"suites.{suite.name}.env.{name}")
            for name, value in suite.env.items()
        }
        return {**own_environment(), **own}

    def revision_services(self) -> tuple[ServiceSpec, ...]:
        """Services that say which revision they serve."""
        return tuple(service for service in self.policy.services if service.revision)


@asynccontextmanager
async def open_bench(
    *,
    settings: Settings,
    policy: Policy,
    root: Path,
    config_folder: Path,
    folder: RunFolder,
    desk: Desk,
) -> AsyncIterator[Bench]:
    """Set up the bench; leaving ends every process that was started from it and clears the scratch folder.

    Raises:
        ConfigurationError: The settings file cannot be read.
    """
    operator_settings = operator_settings_of(settings, config_folder)
    python = python_of(settings)
    worktrees = worktrees_folder(settings, root)
    scratches = worktrees / f"{folder.id}.scratch"
    try:
        async with ProcessDeployments(
            services=settings.services,
            settings=operator_settings,
            python=python,
            folder=scratches / "services",
            ready_timeout_s=settings.deploy.ready_timeout_s,
        ) as deployments:
            yield Bench(
                settings=settings,
                policy=policy,
                root=root,
                folder=folder,
                runs=folder.path.parent,
                trees=worktrees / folder.id,
                scratches=scratches,
                python=python,
                operator_settings=operator_settings,
                redactor=desk.session.redactor,
                deployments=deployments,
                desk=desk,
            )
    finally:
        # What services and tests wrote there was never redacted.
        shutil.rmtree(scratches, ignore_errors=True)


def python_of(settings: Settings) -> str:
    """Interpreter of the target's pytest suites and services."""
    return settings.target.python.replace("{python}", sys.executable)


def worktrees_folder(settings: Settings, root: Path) -> Path:
    """Where worktrees of this checkout lie: outside of it, so that no tool takes one for a part of it."""
    if settings.loop.worktrees:
        return Path(settings.loop.worktrees).expanduser().resolve()
    if sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = hashlib.sha256(str(root).encode()).hexdigest()[:12]
    return cache / "goldenpath-loop" / f"{root.name}-{name}"
