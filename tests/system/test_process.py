"""Programs are started, watched and ended, with everything they started themselves."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.errors import ProcessError
from goldenpath_loop.system import process
from goldenpath_loop.system.environment import own_environment
from goldenpath_loop.system.process import Command, Completed, run, running
from goldenpath_loop.system.process_tree import MARKER, end_left_over

pytestmark = pytest.mark.anyio

LIMIT_S = 30.0
"""No test needs as long; a slow machine does."""


def python(
    code: str,
    cwd: Path,
    *args: str,
    timeout_s: float | None = LIMIT_S,
    idle_timeout_s: float | None = None,
    grace_s: float = 5.0,
    max_output_bytes: int = 4_000_000,
    stdin: bytes = b"",
) -> Command:
    return Command(
        argv=(sys.executable, "-u", "-c", code, *args),
        cwd=cwd,
        env=own_environment(),
        timeout_s=timeout_s,
        idle_timeout_s=idle_timeout_s,
        grace_s=grace_s,
        max_output_bytes=max_output_bytes,
        stdin=stdin,
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


FOREVER = "import signal, threading; threading.Event().wait()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); signal.pause()"

# Prints the id of a child that runs until it is killed, then does as the argument says.
PARENT = """
import os, subprocess, sys, threading
child = subprocess.Popen(
    [sys.executable, "-u", "-c", sys.argv[1]],
    start_new_session="setsid" in sys.argv,
    stdout=subprocess.PIPE if "ready" in sys.argv else None,
)
if "ready" in sys.argv:
    child.stdout.readline()
print(child.pid, flush=True)
if "leave" not in sys.argv:
    threading.Event().wait()
os._exit(0)
"""


async def test_output_and_exit_code_are_values(tmp_path: Path) -> None:
    done = await run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", tmp_path))
    assert (done.ended, done.exit_code, done.output) == ("exited", 3, b"out\nerr\n")
    assert not done.truncated
    assert done.duration_s > 0
    assert done.started_at.tzinfo is not None


async def test_streams_can_be_kept_apart(tmp_path: Path) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr)"
    done = await run(python(code, tmp_path), separate=True)
    assert (done.output, done.errors) == (b"out\n", b"err\n")


async def test_a_signal_is_a_negative_exit_code(tmp_path: Path) -> None:
    done = await run(python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", tmp_path))
    assert (done.ended, done.exit_code) == ("exited", -signal.SIGKILL)


async def test_standard_input_is_given_and_ends(tmp_path: Path) -> None:
    done = await run(python("import sys; print(sys.stdin.read()[::-1])", tmp_path, stdin=b"abc"))
    assert done.output == b"cba\n"


async def test_nothing_is_read_from_our_own_standard_input(tmp_path: Path) -> None:
    done = await run(python("import sys; print(repr(sys.stdin.read()))", tmp_path))
    assert done.output == b"''\n"


async def test_lines_come_while_the_program_runs(tmp_path: Path) -> None:
    go = tmp_path / "go"
    code = """
import pathlib, sys, time
print("first")
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.005)
print("second\\r")
print("no newline", end="")
"""
    lines: list[str] = []

    def heard(line: str) -> None:
        lines.append(line)
        go.touch()  # the program ends only after its first line was heard

    done = await run(python(code, tmp_path, str(go)), on_line=heard)
    assert done.ended == "exited"
    assert lines == ["first", "second", "no newline"]


async def test_a_chatty_program_keeps_head_and_tail(tmp_path: Path) -> None:
    code = "print('head'); print('x' * 3_000_000); print('tail')"
    done = await run(python(code, tmp_path, max_output_bytes=1000))
    assert done.truncated
    assert len(done.output) < 1100
    assert done.output.startswith(b"head\n")
    assert done.output.endswith(b"tail\n")
    assert b"bytes left out" in done.output


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 250])
async def test_the_cap_counts_every_byte(tmp_path: Path, size: int) -> None:
    done = await run(python(f"import sys; sys.stdout.write('x' * {size})", tmp_path, max_output_bytes=100))
    assert done.truncated == (size > 100)
    assert done.output.count(b"x") == min(size, 100)
    if size > 100:
        assert f"[{size - 100} bytes left out]".encode() in done.output


async def test_a_time_out_keeps_what_was_printed(tmp_path: Path) -> None:
    done = await run(python(f"print('so far'); {FOREVER}", tmp_path, timeout_s=1.0))
    assert (done.ended, done.exit_code) == ("timed_out", -signal.SIGTERM)
    assert done.output == b"so far\n"


async def test_what_is_printed_on_the_way_out_is_kept(tmp_path: Path) -> None:
    code = """
import signal, sys
def bye(*_):
    print("bye")
    sys.exit(7)
signal.signal(signal.SIGTERM, bye)
print("ready")
signal.pause()
"""
    done = await run(python(code, tmp_path, idle_timeout_s=1.0))
    assert (done.ended, done.exit_code, done.output) == ("idle", 7, b"ready\nbye\n")


async def test_silence_ends_a_program_that_may_be_idle_only_so_long(tmp_path: Path) -> None:
    done = await run(python(f"print('one'); {FOREVER}", tmp_path, idle_timeout_s=0.5))
    assert done.ended == "idle"
    assert done.output == b"one\n"


async def test_growth_of_a_watched_file_is_activity_and_output_is_not(tmp_path: Path) -> None:
    watched = tmp_path / "stream"
    code = """
import sys, time
began = time.monotonic()
with open(sys.argv[1], "ab", 0) as stream:
    while time.monotonic() < began + 1.2:
        stream.write(b"x")
        time.sleep(0.02)
print("stream ends")
while True:
    print("noise")
    time.sleep(0.02)
"""
    done = await run(python(code, tmp_path, str(watched), idle_timeout_s=0.8), watched=watched)
    assert done.ended == "idle"
    assert done.output.startswith(b"stream ends\n")
    assert 2.0 <= done.duration_s < LIMIT_S


async def test_a_program_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    done = await run(python(STUBBORN, tmp_path, idle_timeout_s=1.0, grace_s=0.2))
    assert (done.ended, done.exit_code) == ("idle", -signal.SIGKILL)


async def test_cancellation_ends_the_whole_group(tmp_path: Path) -> None:
    pids: list[int] = []
    heard = anyio.Event()

    def on_line(line: str) -> None:
        pids.append(int(line))
        heard.set()

    async with anyio.create_task_group() as tasks:

        async def work() -> None:
            await run(python(PARENT, tmp_path, STUBBORN, "ready", grace_s=0.2), on_line=on_line)

        tasks.start_soon(work)
        await heard.wait()
        assert is_alive(pids[0])
        tasks.cancel_scope.cancel()
    assert not is_alive(pids[0])


async def test_a_grandchild_that_holds_the_output_open_does_not_hold_us_up(tmp_path: Path) -> None:
    done = await run(python(PARENT, tmp_path, FOREVER, "leave"))
    assert (done.ended, done.exit_code) == ("exited", 0)
    assert done.duration_s < LIMIT_S / 2
    assert not is_alive(int(done.output))


async def test_programs_beside_each_other_do_not_touch_each_other(tmp_path: Path) -> None:
    results: list[Completed] = []

    async def one(number: int) -> None:
        results.append(await run(python(f"print({number})", tmp_path)))

    async with running(python(f"print('up'); {FOREVER}", tmp_path)) as other:
        async with anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(one, number)
        assert other.exit_code is None
    assert sorted(int(done.output) for done in results) == list(range(8))
    assert {done.exit_code for done in results} == {0}


async def test_a_long_lived_program_is_stopped_with_its_children(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with running(python(PARENT, tmp_path, STUBBORN, "ready", grace_s=0.2), log=log) as program:
        while not program.tail().endswith(b"\n"):
            await anyio.lowlevel.checkpoint()
        child = int(program.tail())
        assert program.exit_code is None
        assert is_alive(child)
        assert is_alive(program.pid)
    assert program.exit_code == -signal.SIGTERM
    assert not is_alive(child)
    assert int(log.read_bytes()) == child


async def test_a_long_lived_program_may_end_by_itself(tmp_path: Path) -> None:
    async with running(python("print('a'); print('bc'); raise SystemExit(4)", tmp_path)) as program:
        assert await program.wait() == 4
        assert program.exit_code == 4
        assert program.tail() == b"a\nbc\n"
        assert program.tail(3) == b"bc\n"
        await program.stop()


async def test_an_error_in_the_block_stops_the_program_and_comes_out_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        async with running(python(FOREVER, tmp_path)) as program:
            raise KeyError("mine")
    assert program.exit_code == -signal.SIGTERM


async def test_long_lived_programs_may_be_left_in_any_order(tmp_path: Path) -> None:
    first, second = running(python(FOREVER, tmp_path)), running(python(FOREVER, tmp_path))
    one, two = await first.__aenter__(), await second.__aenter__()
    await first.__aexit__(None, None, None)
    assert one.exit_code is not None
    assert two.exit_code is None
    await second.__aexit__(None, None, None)
    assert two.exit_code is not None


async def test_a_missing_program_is_an_error_with_advice(tmp_path: Path) -> None:
    command = Command(argv=("no-such-program", "a b"), cwd=tmp_path, env=own_environment())
    with pytest.raises(ProcessError) as caught:
        await run(command)
    assert caught.value.where == "no-such-program 'a b'"
    assert "no-such-program" in caught.value.message
    assert caught.value.advice


async def test_a_missing_folder_is_named_not_the_program(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="working directory"):
        await run(python("", tmp_path / "gone"))


async def test_a_missing_interpreter_is_told_from_a_missing_program(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    with pytest.raises(ProcessError, match="may not be executed"):
        await run(Command(argv=(str(script),), cwd=tmp_path, env=own_environment()))
    script.chmod(0o755)
    with pytest.raises(ProcessError, match="interpreter"):
        await run(Command(argv=(str(script),), cwd=tmp_path, env=own_environment()))


@pytest.mark.parametrize("argv", [(), ("a\0b",)])
async def test_an_impossible_command_is_an_error(tmp_path: Path, argv: tuple[str, ...]) -> None:
    with pytest.raises(ProcessError):
        await run(Command(argv=argv, cwd=tmp_path, env=own_environment()))


async def test_variables_that_steer_git_and_pytest_do_not_reach_children(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "PYTEST_ADDOPTS", "GOLDENPATH_STREAM"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "kept")
    environment = own_environment({"EXTRA": "1"})
    assert {"GIT_DIR", "GIT_INDEX_FILE", "PYTEST_ADDOPTS", "GOLDENPATH_STREAM"}.isdisjoint(environment)
    assert environment["GIT_AUTHOR_NAME"] == "kept"
    assert environment["EXTRA"] == "1"


if sys.platform == "linux":  # elsewhere a process that left its group is out of reach

    @pytest.mark.parametrize("leave", [(), ("leave",)])
    async def test_a_child_in_its_own_session_is_ended_too(tmp_path: Path, leave: tuple[str, ...]) -> None:
        command = python(
            PARENT, tmp_path, STUBBORN, "ready", "setsid", *leave, idle_timeout_s=2.0, grace_s=0.2
        )
        done = await run(command)
        assert done.ended == ("exited" if leave else "idle")
        assert not is_alive(int(done.output))

    async def test_no_zombie_stays_behind(tmp_path: Path) -> None:
        code = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
"""
        done = await run(python(PARENT, tmp_path, code, "leave", "setsid"))
        assert done.exit_code == 0
        children = [
            stat.read_text().rsplit(")", 1)[1].split()[:2] for stat in Path("/proc").glob("[0-9]*/stat")
        ]
        assert ["Z", str(os.getpid())] not in children


def test_what_a_killed_process_left_running_is_found_by_its_mark() -> None:
    """Also in a session of its own, with nobody left who knew it; where nothing can be recognised, nothing is."""
    mark = f"test-{os.getpid()}-left-over"
    parent = subprocess.Popen(
        [sys.executable, "-c", LEAVES_A_CHILD],
        env={**os.environ, MARKER: mark},
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
    try:
        assert end_left_over(mark) == (1 if sys.platform == "linux" else 0)
        assert end_left_over(mark) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


LEAVES_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"],
                         start_new_session=True, stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
"""


STOPPED = """
import os, signal, sys, time
import anyio
from pathlib import Path
from goldenpath_loop.system.process import (
    Command,
    run,
)
from goldenpath_loop.system.environment import own_environment

async def main():
    code = "import time; print('on', flush=True); time.sleep(2.5); print('done', flush=True)"
    command = Command((sys.executable, "-u", "-c", code), Path.cwd(), own_environment(), 4.0, 4.0)
    done = await run(command, on_line=lambda line: print(line, flush=True))
    print(done.ended, flush=True)

anyio.run(main)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="finds the program in /proc")
def test_time_in_which_the_loop_was_stopped_is_not_held_against_a_program(tmp_path: Path) -> None:
    """It and the program are stopped for longer than the program may take, and go on as if nothing had been."""
    with subprocess.Popen(
        [sys.executable, "-u", "-c", STOPPED], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as loop:
        assert loop.stdout is not None
        assert loop.stdout.readline() == "on\n"
        (program,) = Path(f"/proc/{loop.pid}/task/{loop.pid}/children").read_text().split()
        both = (loop.pid, int(program))
        for pid in both:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(5.0)  # longer than it may take: what is tested is that this time passes
        for pid in both:
            os.kill(pid, signal.SIGCONT)
        assert loop.stdout.read() == "done\nexited\n"


_DIES_ONCE = "if [ -e begun ]; then echo fine; else touch begun; {how}; fi"


@pytest.mark.parametrize(
    ("how", "output"),
    [
        ("kill -TERM $$", b"fine\n"),
        ("kill -KILL $$", b""),
        ("echo heard; kill -TERM $$", b"heard\n"),
        ("exit 1", b""),
    ],
)
async def test_what_a_signal_for_us_hit_before_it_began_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, output: bytes
) -> None:
    """Ctrl-C goes to a whole group, and a program is in ours until it has a session of its own."""
    monkeypatch.setattr(process, "_AT_ONCE_S", 60.0)  # however busy the machine is
    command = Command(("sh", "-c", _DIES_ONCE.format(how=how)), cwd=tmp_path, env=own_environment())
    assert (await run(command)).output == output
