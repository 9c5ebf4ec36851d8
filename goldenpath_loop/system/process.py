"""Starts other programs, and leaves none of them behind."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Literal

import anyio
from anyio.abc import Process

from goldenpath_loop.errors import ProcessError
from goldenpath_loop.system.admission import admitted
from goldenpath_loop.system.clock import monotonic_s, now
from goldenpath_loop.system.output import Pulse, Sink
from goldenpath_loop.system.patience import Patience
from goldenpath_loop.system.process_tree import MARKER, ProcessTree, adopt_orphans, starting

__all__ = ["Command", "Completed", "Running", "run", "running"]

_CHUNK_BYTES = 65_536
_QUIET_S = 0.25
"""How long output may still come after the program itself ended, before what it left behind is ended too."""
_REAP_S = 2.0
"""How long a killed process may take to disappear before it is given up (a process stuck in the kernel)."""
_POLL_S = 0.01
_AT_ONCE_S = 0.25
_SENT_TO_GROUPS = (-signal.SIGINT, -signal.SIGHUP, -signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Command:
    """A program to start, complete: nothing is taken from the surroundings."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    """The complete environment; `system.environment` gives the usual one."""
    timeout_s: float | None = None
    idle_timeout_s: float | None = None
    """Longest time without output (or without growth of the watched file)."""
    grace_s: float = 5.0
    """Time between asking a program to end and killing it."""
    max_output_bytes: int = 4_000_000
    """Output kept; of more, the first and the last half of this are kept."""
    stdin: bytes = b""
    is_bookkeeping: bool = False
    """Quick, and needed to bring what was begun to its end: started also when nothing new should be."""

    @property
    def line(self) -> str:
        """The command as a person would type it in a shell."""
        return shlex.join(self.argv)


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program went. Time-outs and exit codes are values, not exceptions."""

    command: Command
    ended: Literal["exited", "timed_out", "idle"]
    exit_code: int | None
    """Negative: killed by that signal. None: it could not even be killed."""
    output: bytes
    """Standard output and standard error as they came; standard output alone when they were kept apart."""
    errors: bytes
    """Standard error when it was kept apart; empty otherwise."""
    truncated: bool
    started_at: datetime
    duration_s: float


async def run(
    command: Command,
    *,
    on_line: Callable[[str], None] | None = None,
    separate: bool = False,
    watched: Path | None = None,
) -> Completed:
    """Run a program to its end and keep what it printed.

    When this returns or raises, the program and everything it started are gone. On cancellation they are
    ended first (asked, then killed after `command.grace_s`), then the cancellation goes on.

    Args:
        command: What to run.
        on_line: Called with each line as it comes, without its newline.
        separate: Keep standard error apart from standard output.
        watched: A file whose growth counts against `idle_timeout_s` instead of output.

    Raises:
        ProcessError: The program could not be started.
        PutOffError: The run comes to rest.
    """
    done = await _run(command, on_line, separate=separate, watched=watched)
    if _was_hit_in_our_place(done):
        done = await _run(command, on_line, separate=separate, watched=watched)
    return done


def _was_hit_in_our_place(done: Completed) -> bool:
    """Between its fork and its own session a program still gets what is sent to all of us, like Ctrl-C."""
    is_silent = not done.output and not done.errors
    is_at_once = is_silent and done.duration_s < _AT_ONCE_S
    return is_at_once and done.ended == "exited" and done.exit_code in _SENT_TO_GROUPS


async def _run(
    command: Command, on_line: Callable[[str], None] | None, *, separate: bool, watched: Path | None
) -> Completed:
    pulse = Pulse(watched)
    sinks = [Sink(command.max_output_bytes, on_line, pulse) for _ in range(2 if separate else 1)]
    with contextlib.ExitStack() as pipes:
        ends = [_pipe(pipes) for _ in sinks]
        started_at, began_s = now(), monotonic_s()
        child = await _start(command, ends[0].write.fileno(), ends[-1].write.fileno())
        for end in ends:
            end.write.close()
        ended: Literal["exited", "timed_out", "idle"] = "exited"
        try:
            async with anyio.create_task_group() as readers:
                drained = [anyio.Event() for _ in sinks]
                for end, sink, event in zip(ends, sinks, drained, strict=True):
                    readers.start_soon(_drain, end.read.fileno(), sink, event)
                ended = await _wait(child, Patience(command.timeout_s, command.idle_timeout_s, pulse))
                if ended == "exited":
                    await _all_set(drained, _QUIET_S)
                with anyio.CancelScope(shield=True):
                    await _end(child, command.grace_s)
                # Nobody writes any more, unless out of our reach: what the pipes hold is read, no more.
                await _all_set(drained, _REAP_S)
                readers.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await _end(child, command.grace_s)
    for sink in sinks:
        sink.flush()
    return Completed(
        command=command,
        ended=ended,
        exit_code=child.process.returncode,
        output=sinks[0].kept(),
        errors=sinks[1].kept() if separate else b"",
        truncated=any(sink.left_out for sink in sinks),
        started_at=started_at,
        duration_s=monotonic_s() - began_s,
    )


class Running:
    """A program that runs beside us until it is stopped."""

    def __init__(self, child: _Child, command: Command, log: IO[bytes]) -> None:
        self._child = child
        self._log = log
        self.command = command
        self.started_at = now()

    @property
    def pid(self) -> int:
        """Process id, which is also its process group."""
        return self._child.process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs. Negative: killed by that signal."""
        return self._child.process.returncode

    def tail(self, max_bytes: int = 65_536) -> bytes:
        """The last `max_bytes` of what it printed so far."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), max_bytes, max(0, size - max_bytes))

    async def wait(self) -> int:
        """Wait until it ends by itself; its exit code."""
        return await self._child.process.wait()

    async def stop(self) -> None:
        """End it and everything it started: asked, then killed after `command.grace_s`. Safe to repeat."""
        with anyio.CancelScope(shield=True):
            await _end(self._child, self.command.grace_s)


@asynccontextmanager
async def running(command: Command, *, log: Path | None = None) -> AsyncIterator[Running]:
    """Run a long-lived program while the block runs; its whole group is ended on every way out.

    The program writes its output to `log` itself (appended; a nameless file when None), so nothing is lost
    and nothing blocks when we are slow. Blocks may be left in any order. The command's time-outs and output
    cap do not apply here.

    Raises:
        ProcessError: The program could not be started.
        PutOffError: The run comes to rest.
    """
    with tempfile.TemporaryFile("a+b") if log is None else log.open("a+b") as file:
        program = Running(await _start(command, file.fileno(), file.fileno()), command, file)
        try:
            yield program
        finally:
            await program.stop()


@dataclass(frozen=True, slots=True)
class _Child:
    process: Process
    tree: ProcessTree


@dataclass(frozen=True, slots=True)
class _PipeEnds:
    read: IO[bytes]
    write: IO[bytes]


def _pipe(stack: contextlib.ExitStack) -> _PipeEnds:
    # Pipes of our own, not asyncio's: before Python 3.12.4 its `wait` also waits for pipes to close, which
    # a surviving grandchild prevents.
    read, write = os.pipe()
    os.set_blocking(read, False)
    return _PipeEnds(
        stack.enter_context(os.fdopen(read, "rb", buffering=0)),
        stack.enter_context(os.fdopen(write, "wb", buffering=0)),
    )


async def _start(command: Command, stdout: int, stderr: int) -> _Child:
    if not command.argv:
        raise ProcessError("there is no program to start", advice="Correct the configured command.")
    adopt_orphans()
    mark = uuid.uuid4().hex
    outer = command.env.get(MARKER, "")
    env = {**command.env, MARKER: f"{outer}:{mark}" if outer else mark}
    try:
        # A file, not a pipe, so that a program that never reads cannot block us.
        with tempfile.TemporaryFile() as stdin:
            stdin.write(command.stdin)
            stdin.seek(0)
            turn = contextlib.nullcontext() if command.is_bookkeeping else admitted(command.argv[0])
            async with turn:
                # Shielded, or a cancellation between fork and return would lose the process.
                with starting(), anyio.CancelScope(shield=True):
                    process = await anyio.open_process(
                        command.argv,
                        stdin=stdin,
                        stdout=stdout,
                        stderr=stderr,
                        cwd=command.cwd,
                        env=env,
                        start_new_session=True,
                    )
                    tree = ProcessTree(process.pid, mark)
    except (OSError, ValueError) as error:
        raise _cannot_start(command, error) from error
    return _Child(process, tree)


def _cannot_start(command: Command, error: Exception) -> ProcessError:
    program = command.argv[0]
    if not command.cwd.is_dir():
        return ProcessError(
            f"its working directory {command.cwd} does not exist",
            where=command.line,
            advice="Create the folder or correct the configuration.",
        )
    if isinstance(error, FileNotFoundError) and (command.cwd / program).is_file():
        message, advice = f"the interpreter of {program!r} was not found", "Look at the file's first line."
    elif isinstance(error, FileNotFoundError):
        message, advice = f"the program {program!r} was not found", "Install it, or give its full path."
    elif isinstance(error, PermissionError):
        message, advice = f"the program {program!r} may not be executed", "Make the file executable."
    else:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message, advice = f"the program {program!r} could not be started: {reason}", ""
    return ProcessError(message, where=command.line, advice=advice)


async def _wait(child: _Child, patience: Patience) -> Literal["exited", "timed_out", "idle"]:
    while True:
        with anyio.move_on_after(patience.wait_s()):
            await child.process.wait()
        if child.process.returncode is not None:
            return "exited"
        if over := patience.over():
            return over


async def _all_set(events: list[anyio.Event], timeout_s: float) -> None:
    with anyio.move_on_after(timeout_s):
        for event in events:
            await event.wait()


async def _drain(fd: int, sink: Sink, done: anyio.Event) -> None:
    while True:
        await anyio.wait_readable(fd)
        try:
            chunk = os.read(fd, _CHUNK_BYTES)
        except BlockingIOError:
            continue
        if not chunk:
            done.set()
            return
        sink.feed(chunk)


async def _end(child: _Child, grace_s: float) -> None:
    """Ask, then kill, then reap; comes back in bounded time whatever the processes do."""
    if not child.tree.signal(kill=False) and child.process.returncode is not None:
        return
    if not await _gone(child, grace_s):
        child.tree.signal(kill=True)
        await _gone(child, _REAP_S, kill=True)


async def _gone(child: _Child, within_s: float, *, kill: bool = False) -> bool:
    deadline_s = monotonic_s() + within_s
    while True:
        # Asked again each time: a process may have started others after it was asked.
        left = child.tree.signal(kill=True) if kill else child.tree.alive()
        if not left and child.process.returncode is not None:
            return True
        if monotonic_s() >= deadline_s:
            return False
        with anyio.move_on_after(_POLL_S):
            await (anyio.sleep(_POLL_S) if child.process.returncode is not None else child.process.wait())
