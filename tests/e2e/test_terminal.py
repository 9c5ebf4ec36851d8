"""The terminal closes, the reader leaves, the parent dies: the run goes on or pauses, and nothing is left behind."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from goldenpath_loop.records.events import ControlRequested, RunPaused
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.lock import is_held
from tests.e2e.command import LOOP, environment, leftovers, only_run, state_of, typed
from tests.e2e.gated import Gated, build_gated
from tests.e2e.library import LIBRARY_CONFIG

_AS_LEADER = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
# Whoever runs these tests may have been told to outlive a terminal, and that is inherited.
signal.signal(signal.SIGHUP, signal.SIG_IGN if sys.argv[1] == "nohup" else signal.SIG_DFL)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Makes the terminal on standard input its own, as the shell of a new window does, and becomes another program."""


@contextmanager
def on_terminal(
    *argv: str, folder: Path, cache: Path, nohup: bool = False
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a program as the first one of a terminal; the number of our end of it comes with it."""
    ours, theirs = pty.openpty()
    lead = (sys.executable, "-c", _AS_LEADER, "nohup" if nohup else "plain")
    with subprocess.Popen(
        [*lead, *argv],
        cwd=folder,
        env=environment(cache) | {"TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            yield process, ours
        finally:
            if process.poll() is None:
                process.kill()


def _shown(ours: int) -> bytes:
    """Everything the terminal showed until nobody writes to it any more."""
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # this is how Linux says that the other end is closed
            return shown
        if not piece:
            return shown
        shown += piece


def _passed(library: Gated, marker: Path) -> None:
    """The run came to its outcome, wrote it down, and left nothing behind."""
    run = only_run(library.root / "runs")
    finished = state_of(run).finished
    assert finished is not None
    assert finished.outcome == "passed"
    assert "passed" in run.worklog.read_text()
    assert not [line for line in read(run.log) if isinstance(line.event, ControlRequested | RunPaused)]
    give_up_at = time.monotonic() + 30
    while leftovers(str(marker)) and time.monotonic() < give_up_at:
        time.sleep(0.05)  # a detached engine lets go of its log a moment before it is gone itself
    assert leftovers(str(marker)) == []


def test_a_terminal_that_closes_pauses_the_run(tmp_path: Path) -> None:
    """The system says so with SIGHUP: what runs is ended, the log names the signal, and a resume goes on."""
    library = build_gated(tmp_path)
    with on_terminal(*LOOP, "start", folder=library.root, cache=tmp_path) as (process, ours):
        library.met()
        os.close(ours)
        assert process.wait(timeout=60) == 130
    assert leftovers(str(tmp_path)) == []
    run = only_run(library.root / "runs")
    last = list(read(run.log))[-1].event
    assert isinstance(last, RunPaused)
    assert "SIGHUP" in last.reason
    assert "SIGHUP" in run.worklog.read_text()
    library.open()
    assert typed("resume", "--json", folder=library.root, cache=tmp_path).record["outcome"] == "passed"


def test_a_run_that_was_to_outlive_its_terminal_does(tmp_path: Path) -> None:
    """With `nohup` only the view is lost."""
    library = build_gated(tmp_path)
    with on_terminal(*LOOP, "start", folder=library.root, cache=tmp_path, nohup=True) as (process, ours):
        library.met()
        os.close(ours)
        library.open()
        assert process.wait(timeout=60) == 0
    _passed(library, tmp_path)


def test_a_terminal_that_was_told_to_stop_does_not_stop_the_run(tmp_path: Path) -> None:
    """Ctrl-S, or a connection that hangs: nobody takes what is shown, and it is shown when somebody does."""
    library = build_gated(tmp_path)
    with on_terminal(*LOOP, "start", folder=library.root, cache=tmp_path) as (process, ours):
        library.met()
        run = only_run(library.root / "runs")
        library.open()
        give_up_at = time.monotonic() + 60
        while is_held(run.log) and time.monotonic() < give_up_at:
            time.sleep(0.05)
        assert not is_held(run.log)
        assert process.poll() is None
        assert b"worklog" in _shown(ours)
        assert process.wait(timeout=60) == 0
        os.close(ours)
    _passed(library, tmp_path)


@pytest.mark.parametrize("words", [(), pytest.param(("--json",), marks=pytest.mark.full)])
def test_a_reader_that_leaves_takes_the_view_and_nothing_else(tmp_path: Path, words: tuple[str, ...]) -> None:
    """As `loop start | head -1` does; the exit code is that of the run."""
    library = build_gated(tmp_path)
    with subprocess.Popen(
        [*LOOP, "start", *words],
        cwd=library.root,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        library.met()
        process.stdout.close()
        library.open()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0
    _passed(library, tmp_path)


def test_no_standard_stream_is_needed(tmp_path: Path) -> None:
    """All three closed: nothing that is opened takes their place, so the log stays a log."""
    library = build_gated(tmp_path)
    library.open()
    command = 'exec "$@" <&- >&- 2>&-'
    done = subprocess.run(
        ["sh", "-c", command, "sh", *LOOP, "start"], cwd=library.root, env=environment(tmp_path), timeout=120
    )
    assert done.returncode == 0
    _passed(library, tmp_path)


@pytest.mark.full
def test_a_parent_that_is_killed_leaves_the_run_alone(tmp_path: Path) -> None:
    """Its shell dies without a word, and with it whoever read what it printed."""
    library = build_gated(tmp_path)
    with subprocess.Popen(
        ["sh", "-c", '"$@"; true', "sh", *LOOP, "start"],
        cwd=library.root,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as shell:
        library.met()
        shell.kill()
        assert shell.wait(timeout=60) == -signal.SIGKILL
        assert shell.stdout is not None
        shell.stdout.close()
    library.open()
    done = typed("wait", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 0
    _passed(library, tmp_path)


def test_a_detached_run_outlives_its_shell_and_its_terminal(tmp_path: Path) -> None:
    """The shell is killed and the window closed while it goes on."""
    library = build_gated(tmp_path)
    words = ("sh", "-c", '"$@"; sleep 600', "sh", *LOOP, "start", "--detach")
    with on_terminal("/usr/bin/env", *words, folder=library.root, cache=tmp_path) as (shell, ours):
        shown = b""
        while not shown.endswith(b"\n"):
            shown += os.read(ours, 65_536)
        engine = json.loads(shown)["pid"]
        library.met()
        shell.kill()
        assert shell.wait(timeout=60) == -signal.SIGKILL
        os.close(ours)
    os.kill(engine, 0)
    library.open()
    done = typed("wait", "--json", folder=library.root, cache=tmp_path)
    assert done.exit_code == 0, done.errors
    _passed(library, tmp_path)


def test_the_suite_of_a_killed_engine_is_ended_by_the_resume(tmp_path: Path) -> None:
    """Nobody could end it; the next engine does before it asks anything anew."""
    library = build_gated(tmp_path)
    with subprocess.Popen(
        [*LOOP, "start", "--json"],
        cwd=library.root,
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        left = library.met()
        process.kill()
        assert process.wait(timeout=60) == -signal.SIGKILL
    os.kill(left, 0)
    with subprocess.Popen(
        [*LOOP, "resume", "--json"],
        cwd=library.root,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
    ) as process:
        library.met(without=left)
        assert not Path(f"/proc/{left}").exists() or "\nState:\tZ" in Path(f"/proc/{left}/status").read_text()
        library.open()
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["outcome"] == "passed"
    _passed(library, tmp_path)


@pytest.mark.full
def test_a_run_that_was_stopped_and_goes_on_calls_nothing_hung(tmp_path: Path) -> None:
    """Loop and suite are stopped for longer than a test may be silent."""
    config = LIBRARY_CONFIG.replace('path = "tests"', 'path = "tests"\nidle_timeout_s = 8')
    library = build_gated(tmp_path, config=config)
    with subprocess.Popen(
        [*LOOP, "start", "--json"], cwd=library.root, env=environment(tmp_path), stdout=subprocess.PIPE
    ) as process:
        both = (process.pid, library.met())
        for pid in both:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(10)  # longer than it may be silent: what is tested is that this time passes
        for pid in both:
            os.kill(pid, signal.SIGCONT)
        library.open()
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["outcome"] == "passed"
    _passed(library, tmp_path)
