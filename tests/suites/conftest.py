"""A witness that remembers, and suites to run."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.records.base import EvidenceId
from goldenpath_loop.records.evidence import EvidenceKind, Obtained
from goldenpath_loop.records.target import SuiteSpec
from goldenpath_loop.suites.run import SuiteRequest

PROJECTS = Path(__file__).parent.parent / "projects"


@dataclass(frozen=True, slots=True)
class Captured:
    kind: EvidenceKind
    text: str
    subject: str
    obtained: Obtained


@dataclass(slots=True)
class RecordingWitness:
    """Keeps in memory what is handed over, and lets a test wait for it."""

    evidence: dict[EvidenceId, Captured] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    heard: anyio.Event = field(default_factory=anyio.Event)

    async def capture(
        self, kind: EvidenceKind, data: bytes, *, subject: str, obtained: Obtained
    ) -> EvidenceId:
        name = f"E{len(self.evidence) + 1}"
        self.evidence[name] = Captured(kind, data.decode("utf-8"), subject, obtained)
        return name

    def progress(self, text: str) -> None:
        self.said.append(text)
        self.heard.set()


MakeRequest = Callable[..., SuiteRequest]


@pytest.fixture
def witness() -> RecordingWitness:
    return RecordingWitness()


@pytest.fixture
def request_for(tmp_path: Path) -> MakeRequest:
    """Make a request for a copy of one of the stored projects, or for a folder of the test's own."""

    def make(
        project: str | Path,
        *,
        tests: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
        python: str = sys.executable,
        foreign_root: Path | None = None,
        **spec: object,
    ) -> SuiteRequest:
        tree = tmp_path / "tree"
        if isinstance(project, Path):
            tree = project
        elif not tree.exists():
            shutil.copytree(PROJECTS / project, tree)
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        limits = {"timeout_s": 60.0, "idle_timeout_s": 60.0}
        return SuiteRequest(
            suite=SuiteSpec.model_validate({"name": "suite", **limits, **spec}),
            tree=tree,
            tests=tests,
            python=python,
            env=env or {},
            foreign_root=foreign_root,
            scratch=scratch,
        )

    return make
