"""A run without a terminal: it lives on its own, and its end can be waited for."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from tests.e2e.command import leftovers, only_run, typed
from tests.e2e.library import build_library


def test_a_detached_run_is_repaired_alone(tmp_path: Path) -> None:
    """One line says where it lives; waiting ends with its outcome, and again when it is long over."""
    library = build_library(tmp_path, commits=12, culprit=9)
    begun = typed("start", "--detach", folder=library.root, cache=tmp_path)
    assert begun.exit_code == 0, begun.errors
    record = json.loads(begun.output)
    assert record["run"] == only_run(library.root / "runs").id
    os.kill(record["pid"], 0)
    done = typed("wait", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 0, done.errors
    assert done.record["outcome"] == "repaired"
    assert typed("wait", folder=library.root, cache=tmp_path).exit_code == 0
    assert leftovers(str(tmp_path)) == []


def test_a_detached_run_that_was_paused_or_killed_says_so(tmp_path: Path) -> None:
    """Waiting is no answer to either; resuming is."""
    library = build_library(tmp_path, commits=12, culprit=9)
    typed("start", "--detach", folder=library.root, cache=tmp_path)
    assert typed("pause", "--now", folder=library.root, cache=tmp_path).exit_code == 0
    paused = typed("wait", folder=library.root, cache=tmp_path)
    assert paused.exit_code == 130
    assert "loop resume" in paused.output
    begun = typed("start", "--detach", folder=library.root, cache=tmp_path)
    os.killpg(json.loads(begun.output)["pid"], signal.SIGKILL)
    cut = typed("wait", folder=library.root, cache=tmp_path)
    assert cut.exit_code == 2
    assert "was cut off" in cut.errors
    done = typed("resume", "--json", folder=library.root, cache=tmp_path)
    assert done.record["outcome"] == "repaired"
