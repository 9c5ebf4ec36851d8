"""Whole runs, written once a session by the real engine on a platform that exists on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.core.state import fold
from goldenpath_loop.records.events import EvidenceCaptured
from goldenpath_loop.records.line import Line
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import load
from goldenpath_loop.session.store import EvidenceStore

from .staging import RUN, Staging, write_run
from .talks import write_talks

NASTY = "](x) | `` ` ``` <script>alert(1)</script> **bold** __init__ $a$ # no \x1b[31m\u202e\r\n\n# Heading\n- item"


@dataclass(frozen=True)
class Recorded:
    """One run on disk, read back."""

    folder: RunFolder
    lines: list[Line]
    store: EvidenceStore

    def verdict(self, kind: str, subject: str) -> str:
        """Id of the latest verdict of `kind` about `subject`."""
        found = fold(self.lines).verdict(kind, subject)
        assert found is not None
        return found.id

    def finding(self, kind: str) -> str:
        """Id of the first finding of `kind`."""
        return next(one.id for one in fold(self.lines).findings if one.kind == kind)

    def evidence(self, subject: str, effect: str) -> str:
        """Id of the evidence about `subject` that the first effect whose key begins with `effect` left."""
        return next(
            line.event.evidence.id
            for line in self.lines
            if isinstance(line.event, EvidenceCaptured)
            and line.event.evidence.subject.endswith(subject)
            and line.event.effect.startswith(effect)
        )


def loaded(folder: RunFolder) -> tuple[list[Line], EvidenceStore]:
    lines, store = load(folder)
    return list(lines), store


def _recorded(folder: RunFolder, target: Staging) -> Recorded:
    async def write() -> None:
        await write_run(folder, target)

    anyio.run(write)
    return Recorded(folder, *loaded(folder))


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Staging], Recorded]:
    """Writes the run of one target."""

    def write(target: Staging) -> Recorded:
        return _recorded(RunFolder(tmp_path_factory.mktemp("runs") / RUN), target)

    return write


@pytest.fixture(scope="session")
def repaired(record: Callable[[Staging], Recorded]) -> Recorded:
    """The chat route is gone; found, reverted, proven, green in the second cycle."""
    return record(Staging())


@pytest.fixture(scope="session")
def blocked(record: Callable[[Staging], Recorded]) -> Recorded:
    """Auth lacks a setting that only a person can set."""
    return record(Staging(auth_starts=False, culprit=None))


@pytest.fixture(scope="session")
def green(record: Callable[[Staging], Recorded]) -> Recorded:
    """Nothing is wrong."""
    return record(Staging(culprit=None))


@pytest.fixture(scope="session")
def conflicting(record: Callable[[Staging], Recorded]) -> Recorded:
    """The culprit is known and cannot be taken back."""
    return record(Staging(conflict=True, known=False))


@pytest.fixture(scope="session")
def nasty(record: Callable[[Staging], Recorded]) -> Recorded:
    """Everything that comes from outside tries to be markup."""

    def renamed(test: str) -> str:
        return f"{test}[a|b `c` <d> \n # e]"

    return record(Staging(said=NASTY, subject=NASTY, renamed=renamed))


@pytest.fixture(scope="session")
def talked(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Agents were asked; what they said is as nasty as can be."""
    folder = write_talks(RunFolder(tmp_path_factory.mktemp("runs") / RUN), said=NASTY)
    return Recorded(folder, *loaded(folder))


@pytest.fixture
def killed(repaired: Recorded, tmp_path: Path) -> Recorded:
    """The repaired run, cut off in the middle of writing a line while a suite was under way."""
    folder = RunFolder(tmp_path / RUN)
    folder.path.mkdir()
    data = repaired.folder.log.read_bytes()
    asked = re.search(rb'"type":"effect.requested"[^\n]*"c1/execute/', data)
    assert asked is not None
    end = data.index(b"\n", data.index(b"\n", asked.end()) + 1)
    folder.log.write_bytes(data[: end + 41])
    folder.evidence.symlink_to(repaired.folder.evidence)
    return Recorded(folder, *loaded(folder))
