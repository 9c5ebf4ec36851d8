"""Drives a run in this process, asks it to pause at a chosen moment, and keeps what independent witnesses saw."""

from __future__ import annotations

import asyncio
import math
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import anyio

from goldenpath_loop.cli.focus import policy_of
from goldenpath_loop.config.load import load
from goldenpath_loop.core.past import Past
from goldenpath_loop.core.state import State
from goldenpath_loop.engine.control import drive
from goldenpath_loop.records.events import ControlRequested, RunFinished, RunPaused, RunResumed, RunStarted
from goldenpath_loop.records.line import Line
from goldenpath_loop.session.folder import RunFolder, create_run
from goldenpath_loop.session.requests import Request, ask, take
from goldenpath_loop.session.session import Session
from goldenpath_loop.system import clock
from tests.audited import audited
from tests.e2e.library import Library
from tests.model_server import ModelServer

__all__ = ["How", "Plan", "Run", "Seen", "Stretch", "random_plan"]

How = Literal["pause", "pause_now", "SIGINT", "SIGTERM"]
When = Literal["after", "line", "program", "request", "seen", "never"]
_SOFT: tuple[tuple[How, ...], ...] = (("pause",), ("SIGINT",), ("pause", "pause"))
_NOW: tuple[tuple[How, ...], ...] = (
    ("pause_now",),
    ("SIGTERM",),
    ("pause", "pause_now"),
    ("SIGINT", "SIGINT"),
    ("SIGINT", "pause_now"),
    ("pause", "SIGTERM"),
    ("pause_now", "pause_now"),
)
_MOST: dict[When, tuple[float, float]] = {
    "after": (0.02, 12.0),
    "line": (1, 100),
    "program": (1, 40),
    "request": (1, 12),
}


@dataclass(frozen=True)
class Seen:
    """One thing that happened in this process; their order is that in which they happened.

    Attributes:
        line: A line of the log, once it was written.
        program: Words of a program, before it was started.
        sent: A process and the signal that is sent to it.
    """

    at: float
    line: Line | None = None
    program: tuple[str, ...] = ()
    sent: tuple[int, int] | None = None


@dataclass(frozen=True)
class Plan:
    """When a pause is asked for, and how.

    Attributes:
        when: What is counted: seconds, lines of the log, starts of programs, or requests to the model.
        number: Of what is counted.
        how: One after the other.
        gap_s: Time between them.
        sign: What makes out the moment, when it is one that can be seen; it is asked for right there.
    """

    when: When
    number: float = 0.0
    how: tuple[How, ...] = ()
    gap_s: float = 0.0
    sign: Callable[[Seen], bool] = lambda _: False

    @property
    def is_soft(self) -> bool:
        """Whether all that was in flight may end by itself."""
        return self.how in _SOFT


def random_plan(chance: random.Random, *, asks: bool, most: float = 1.0) -> Plan:
    """Early moments as often as late ones, soft as often as now.

    Args:
        chance: What is drawn from.
        asks: Whether there is a model whose requests can be counted.
        most: Share of the longest wait.
    """
    kinds: list[When] = ["after", "after", "line", "program"]
    when = chance.choice([*kinds, "request"] if asks else kinds)
    low, high = _MOST[when]
    number = math.exp(chance.uniform(math.log(low), math.log(max(low, most * high))))
    how = chance.choice(chance.choice((_SOFT, _NOW)))
    return Plan(when, number if when == "after" else round(number), how, gap_s=chance.uniform(0.0, 0.5))


@dataclass
class Stretch:
    """What one engine did, from its beginning until it was quiet.

    Attributes:
        asked_at: When the first pause was asked for, on the clock of `Seen.at`; None when it came to none.
        quiet_at: When `drive` came back.
        requests: How many requests the model's server got.
        late_requests: How many of them after the acknowledgement.
        tasks_left: Names of tasks that outlived it.
    """

    plan: Plan
    state: State
    end: RunFinished | RunPaused | None = None
    seen: list[Seen] = field(default_factory=list)
    asked_at: float | None = None
    quiet_at: float = 0.0
    requests: int = 0
    late_requests: int = 0
    tasks_left: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> int | None:
        """Where among what was seen the log acknowledged the pause."""
        for number, one in enumerate(self.seen):
            if one.line is not None and isinstance(one.line.event, ControlRequested):
                return number
        return None

    @property
    def lines(self) -> list[Line]:
        """What was written."""
        return [one.line for one in self.seen if one.line is not None]


class Run:
    """One run of one target, driven stretch by stretch.

    Args:
        library: The target.
        server: The model that it asks, if any.
    """

    def __init__(self, library: Library, server: ModelServer | None = None) -> None:
        self.library = library
        self._server = server
        config = library.root / "goldenpath.toml"
        self._settings = load(config, environ={}).settings
        self._policy = policy_of(self._settings, None)
        self._config = config
        self.folder: RunFolder = create_run(library.root / "runs", clock.now(), "goldenpath")
        with Session(self.folder) as session:
            session.append(
                RunStarted(
                    run=self.folder.id,
                    version="0",
                    root=str(library.root),
                    config_file=str(config),
                    focus=self._policy.focus.name,
                    settings=self._settings,
                    policy=self._policy,
                )
            )

    @property
    def has_model(self) -> bool:
        """Whether it asks agents."""
        return self._server is not None

    def stretch(self, plan: Plan) -> Stretch:
        """Go on with the run until it is finished or paused as planned."""
        past = Past()
        take(self.folder)
        with Session(self.folder, listeners=[past.see]) as session:
            stretch = Stretch(plan, past.state)
            asking = _Asking(self.folder, plan, stretch, self._server)
            session.listen(asking.hear)
            if session.seq > 1:
                session.append(RunResumed(version="0"))
            before = len(self._server.requests) if self._server else 0
            with audited(asking.note):
                anyio.run(self._drive, session, past, asking)
            stretch.state = past.state
        if self._server is not None:
            new = self._server.requests[before:]
            stretch.requests = len(new)
            if (place := stretch.acknowledged) is not None:
                # Its clock is the wall's.
                acknowledged = time.time() - (time.monotonic() - stretch.seen[place].at)
                stretch.late_requests = sum(one["at"] > acknowledged for one in new)
        return stretch

    async def _drive(self, session: Session, past: Past, asking: _Asking) -> None:
        others = asyncio.all_tasks()
        stretch = asking.stretch
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(asking.carry_out)
            others |= asyncio.all_tasks()
            stretch.end = await drive(
                session,
                past=past,
                settings=self._settings,
                policy=self._policy,
                root=self.library.root,
                config_folder=self._config.parent,
            )
            stretch.quiet_at = time.monotonic()
            stretch.tasks_left = [str(one) for one in asyncio.all_tasks() - others]
            tasks.cancel_scope.cancel()


class _Asking:
    """Watches for the moment of the plan, and asks."""

    def __init__(self, folder: RunFolder, plan: Plan, stretch: Stretch, server: ModelServer | None) -> None:
        self.stretch = stretch
        self._folder = folder
        self._plan = plan
        self._server = server
        self._lines = self._programs = 0
        self._is_time = False

    def _see(self, seen: Seen) -> None:
        self.stretch.seen.append(seen)
        if self._plan.when == "seen" and not self._is_time and self._plan.sign(seen):
            self._begin()

    def hear(self, line: Line) -> None:
        self._see(Seen(time.monotonic(), line=line))
        self._lines += 1
        if self._plan.when == "line" and self._lines == self._plan.number:
            self._begin()

    def note(self, event: str, args: tuple[object, ...]) -> None:
        now = time.monotonic()
        if event == "subprocess.Popen":
            words = args[1]
            assert isinstance(words, list | tuple)
            self._see(Seen(now, program=tuple(os.fsdecode(word) for word in words)))
            self._programs += 1
            if self._plan.when == "program" and self._programs == self._plan.number:
                self._begin()
            return
        pid, number = args
        assert isinstance(pid, int) and isinstance(number, int)
        if pid != os.getpid() and number:
            self.stretch.seen.append(Seen(now, sent=(pid, number)))

    async def carry_out(self) -> None:
        """Wait for the moment, then ask as planned."""
        began, asked = time.monotonic(), len(self._server.requests) if self._server else 0
        if self._plan.when == "never":
            return
        while not self._is_time:
            is_late = self._plan.when == "after" and time.monotonic() - began >= self._plan.number
            new = len(self._server.requests) - asked if self._server else 0
            if is_late or (self._plan.when == "request" and new >= self._plan.number):
                self._begin()
            await anyio.sleep(0.002)
        for how in self._plan.how[1:]:
            await anyio.sleep(self._plan.gap_s)
            self._ask(how)

    def _begin(self) -> None:
        """Ask at this very moment, in the middle of whatever is being done."""
        self._is_time = True
        self._ask(self._plan.how[0])

    def _ask(self, how: How) -> None:
        if how.startswith("SIG"):
            # Before it listens and after, a signal ends the process, which is another test's matter.
            if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
                how = "pause" if how == "SIGINT" else "pause_now"
            else:
                self._note_asked()
                os.kill(os.getpid(), getattr(signal, how))
                return
        self._note_asked()
        assert how in ("pause", "pause_now")
        ask(self._folder, Request(how, "a test"))

    def _note_asked(self) -> None:
        if self.stretch.asked_at is None:
            self.stretch.asked_at = time.monotonic()
