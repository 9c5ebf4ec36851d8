"""Holds the processes of one deployment: starts them, waits until they answer, ends them together."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.lowlevel

from goldenpath_loop.deploy.last_words import ending, is_address_in_use, log_text
from goldenpath_loop.deploy.ports import holder_of, is_taken
from goldenpath_loop.deploy.readiness import Doorbell, wait_until_answers
from goldenpath_loop.errors import ProcessError, PutOffError
from goldenpath_loop.records.receipts import DeployReceipt
from goldenpath_loop.records.target import ServiceSpec
from goldenpath_loop.system.clock import monotonic_s
from goldenpath_loop.system.process import Command, Running, running

__all__ = ["Deployment", "Outcome", "Start", "host", "log_of", "lost_its_port", "remove", "wait_for"]

_LOG_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Start:
    """One service, ready to be started."""

    service: ServiceSpec
    url: str
    has_fixed_port: bool
    command: Command
    log: Path
    bell: Doorbell


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one start went, before its log is stored."""

    started: bool
    summary: str
    ended_early: bool = False


@dataclass(slots=True)
class Deployment:
    """One deployment and its processes."""

    name: str
    tree: Path
    revision: str
    preview: bool
    folder: Path
    """Where its services write their logs."""
    urls: dict[str, str]
    ports: dict[str, int]
    variables: dict[str, str]
    starts: tuple[Start, ...]
    programs: dict[str, Running] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    """Services that could not even be started, and why."""
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    """Cancelled to end it."""
    launched: anyio.Event = field(default_factory=anyio.Event)
    ended: anyio.Event = field(default_factory=anyio.Event)
    failure: str = ""
    """Why nothing at all could be started; empty otherwise."""
    is_put_off: bool = False
    """Whether the run came to rest before all was started."""
    receipt: DeployReceipt | None = None

    @property
    def is_running(self) -> bool:
        """Whether every service has a living process."""
        return len(self.programs) == len(self.starts) and all(
            program.exit_code is None for program in self.programs.values()
        )


async def host(deployment: Deployment) -> None:
    """Start a deployment's processes and hold them until its scope is cancelled; then all are ended."""
    try:
        with deployment.scope:
            await anyio.lowlevel.checkpoint()
            remove(deployment.folder)
            deployment.folder.mkdir(mode=0o700, parents=True)
            async with contextlib.AsyncExitStack() as stack:
                for start in deployment.starts:
                    await _launch(deployment, start, stack)
                # Called before the programs' own exits: all are asked to end at once, not one by one.
                stack.push_async_callback(_stop_together, deployment)
                deployment.launched.set()
                await anyio.sleep_forever()
    except OSError as failure:
        deployment.failure = f"its logs cannot be written: {(failure.strerror or 'unknown reason').lower()}"
    except PutOffError:
        deployment.is_put_off = True
    finally:
        deployment.launched.set()
        deployment.ended.set()


async def wait_for(program: Running, bell: Doorbell, *, timeout_s: float) -> Outcome:
    """Wait until a started service answers, ends, or has had `timeout_s`."""
    began = monotonic_s()
    answer: str | None = None

    async def knock() -> None:
        nonlocal answer
        answer = await wait_until_answers(bell)
        group.cancel_scope.cancel()

    with anyio.move_on_after(timeout_s):
        async with anyio.create_task_group() as group:
            group.start_soon(knock)
            await program.wait()
            group.cancel_scope.cancel()
    took = f"{monotonic_s() - began:.1f} s"
    # First the process: another program may have answered on the port that ours did not get.
    if program.exit_code is not None:
        return Outcome(False, f"{ending(program.exit_code)} before it was ready", ended_early=True)
    if answer is None:
        return Outcome(False, f"not ready within {timeout_s:g} s")
    return Outcome(True, f"{answer} after {took}" if answer else f"ready in {took}")


async def _launch(deployment: Deployment, start: Start, stack: contextlib.AsyncExitStack) -> None:
    name, port = start.service.name, deployment.ports[start.service.name]
    if start.has_fixed_port and is_taken(port):
        holder = holder_of(port)
        deployment.problems[name] = f"port {port} is taken{f' by {holder}' if holder else ''}"
        return
    try:
        program = await stack.enter_async_context(running(start.command, log=start.log))
    except ProcessError as failure:
        deployment.problems[name] = failure.message
        return
    deployment.programs[name] = program


async def _stop_together(deployment: Deployment) -> None:
    with anyio.CancelScope(shield=True):
        async with anyio.create_task_group() as group:
            for program in deployment.programs.values():
                group.start_soon(program.stop)


def lost_its_port(deployment: Deployment, start: Start, outcome: Outcome) -> bool:
    """Whether a service on a free port ended because somebody took that port before it could."""
    if start.has_fixed_port or not outcome.ended_early:
        return False
    return is_address_in_use(log_of(deployment.programs[start.service.name]))


def log_of(program: Running) -> str:
    """The end of what a program printed so far, as text to store."""
    data = program.tail(_LOG_BYTES + 1)
    return log_text(data[-_LOG_BYTES:], cut=len(data) > _LOG_BYTES)


def remove(folder: Path) -> None:
    """Remove a folder of raw logs; what cannot be removed stays."""
    shutil.rmtree(folder, ignore_errors=True)
