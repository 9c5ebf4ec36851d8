"""What is to be run, where, and with what."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from goldenpath_loop.records.base import TestId
from goldenpath_loop.records.target import SuiteSpec

__all__ = ["SuiteRequest", "exit_in_words"]


@dataclass(frozen=True, slots=True)
class SuiteRequest:
    """One run of one suite in one tree."""

    suite: SuiteSpec
    tree: Path
    """Folder that holds the revision under test; the run's working directory."""
    tests: tuple[TestId, ...]
    """Tests that are meant to run; empty for all that the suite has."""
    python: str
    """Interpreter of the tests."""
    env: Mapping[str, str]
    """Variables on top of this process's own."""
    foreign_root: Path | None
    """The user's checkout: code under test that is imported from there spoils the run."""
    scratch: Path
    """Folder for this run alone: events, reports, temporary files."""
    environment: Path | None = None
    """What the suite's setup built for this tree; `{environment}` in its words."""
    packages: tuple[str, ...] = ()
    """Import names of the code under test, which must come from the tree; empty for those the tree shows."""

    def said(self, word: str) -> str:
        """One word of a command with this run's places put in."""
        if self.environment is not None:
            word = word.replace("{environment}", str(self.environment))
        return word.replace("{python}", self.python)

    def python_path(self, *first: str) -> str:
        """`PYTHONPATH` by which the tree's own code is found before any that is installed."""
        source = self.tree / "src"
        places = [*first, str(self.tree), *([str(source)] if source.is_dir() else [])]
        before = self.env.get("PYTHONPATH") or os.environ.get("PYTHONPATH")
        return os.pathsep.join([*places, *([before] if before else [])])


def exit_in_words(exit_code: int | None) -> str:
    """`exit code 3`, or the name of the signal that killed it."""
    if exit_code is None:
        return "it could not be ended"
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return f"killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"killed by signal {-exit_code}"
