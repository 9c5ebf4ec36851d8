"""A library with one test that waits for the test outside of it: a run can be met exactly while a suite runs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.library import LIBRARY_CONFIG, build_library, git

__all__ = ["Gated", "build_gated"]

_TEST = """import os
import time
from pathlib import Path


def test_waits():
    Path({waiting!r}).write_text(str(os.getpid()))
    while not Path({gate!r}).exists():
        time.sleep(0.02)
"""
_WITHIN_S = 120.0


@dataclass(frozen=True)
class Gated:
    """Where it lies, and what its test waits for."""

    root: Path
    gate: Path
    waiting: Path

    def met(self, *, without: int = 0) -> int:
        """Wait until the test waits, and return the id of its process; not the one that is called `without`."""
        give_up_at = time.monotonic() + _WITHIN_S
        while time.monotonic() < give_up_at:
            text = self.waiting.read_text() if self.waiting.exists() else ""
            if text and int(text) != without:
                return int(text)
            time.sleep(0.02)
        raise AssertionError("the suite never came to the gate")

    def open(self) -> None:
        """Let the test go on."""
        self.gate.touch()


def build_gated(folder: Path, *, config: str = LIBRARY_CONFIG, signs: Path | None = None) -> Gated:
    """Write the library into `folder`; nothing is wrong with it.

    Args:
        folder: An empty folder.
        config: The text of its goldenpath.toml.
        signs: Where test and gate meet; `folder` when None.
    """
    root = build_library(folder, commits=2, culprit=9, config=config).root
    gated = Gated(root, (signs or folder) / "gate", (signs or folder) / "waiting")
    (root / "tests" / "test_gate.py").write_text(
        _TEST.format(waiting=str(gated.waiting), gate=str(gated.gate))
    )
    git(root, "add", "--all")
    git(root, "commit", "-qm", "A test that waits")
    return gated
