"""Tracing: real interpreters, and the lines they ran."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from goldenpath_loop.suites.tracing import Tracing
from goldenpath_loop.system.environment import own_environment, with_extra

SHOP = "RATE = 2\n\n\ndef total(x):\n    return x + 1\n\n\ndef unused():\n    return 0\n"
TESTS = (
    "import shop\n\n\ndef test_right():\n    assert shop.RATE == 2\n\n\n"
    "def test_wrong():\n    assert shop.total(1) == 1\n"
)


@pytest.fixture
def tracing(tmp_path: Path) -> Tracing:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "shop.py").write_text(SHOP)
    (tmp_path / "tree" / "test_shop.py").write_text(TESTS)
    (tmp_path / "lines").mkdir()
    return Tracing(tmp_path / "tree", tmp_path / "lines")


def around(tracing: Tracing) -> dict[str, str]:
    return with_extra(own_environment({"PYTHONPATH": str(tracing.tree)}), tracing.environment())


def test_lines_are_told_apart_by_test(tracing: Tracing) -> None:
    """What only the failing test runs has no passing one; imports belong to all; what never ran is absent."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shop.py"]
    done = subprocess.run(command, cwd=tracing.tree, env=around(tracing), capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    (found,) = tracing.read(
        ["shop.py", "other.py", "notes.md"],
        failing=["test_shop.py::test_wrong"],
        passing=["test_shop.py::test_right"],
    )
    shown = {line.line: (line.failed, line.passed, line.in_function) for line in found.lines}
    assert shown == {1: (1, 1, False), 4: (1, 1, False), 5: (1, 0, True), 8: (1, 1, False)}


def test_a_command_that_is_no_test_runs_everything_it_runs(tracing: Tracing) -> None:
    """There are no tests to tell apart."""
    subprocess.run(
        [sys.executable, "-c", "import shop; shop.total(1)"],
        cwd=tracing.tree,
        env=around(tracing),
        check=True,
    )
    (found,) = tracing.read(["shop.py"], failing=["command"], passing=[])
    assert [line.line for line in found.lines] == [1, 4, 5, 8]
    assert {line.failed for line in found.lines} == {1}


def test_a_service_that_is_asked_to_end_leaves_its_lines(tracing: Tracing) -> None:
    """It is ended by a signal, as every preview is."""
    code = "import shop, time; shop.total(1); print('up', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tracing.tree, env=around(tracing), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGTERM)
    (found,) = tracing.read(["shop.py"], failing=["t"], passing=[])
    assert 5 in {line.line for line in found.lines}


def test_the_targets_own_start_up_module_still_runs(tracing: Tracing) -> None:
    """Only one module of that name is found by Python; ours makes way."""
    own = tracing.folder / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import os; os.environ['OWN'] = 'ran'\n")
    environment = around(tracing)
    environment["PYTHONPATH"] += f"{os.pathsep}{own}"
    code = "import os; print(os.environ['OWN'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tracing.tree,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "ran\n"


def test_an_empty_module_has_no_lines(tracing: Tracing) -> None:
    """Coverage says that its line 0 ran."""
    (tracing.tree / "empty.py").write_text("")
    subprocess.run([sys.executable, "-c", "import empty"], cwd=tracing.tree, env=around(tracing), check=True)
    assert [one.lines for one in tracing.read(["empty.py"], failing=["t"], passing=[])] in ([], [()])


def test_nothing_seen_is_nothing_said(tracing: Tracing) -> None:
    """Another language, or a process that was killed."""
    (tracing.folder / "lines.broken").write_bytes(b"no database")
    assert tracing.read(["shop.py"], failing=["t"], passing=[]) == ()
