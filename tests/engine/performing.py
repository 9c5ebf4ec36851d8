"""Engines that perform real effects in processes of their own, and die where they are told to.

`python -m tests.engine.performing` reads one JSON object a line, a list of lives that begin at the same moment, forks a
process for each, and answers with how they ended. Forking saves each of a thousand lives the time of its imports.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import anyio

from goldenpath_loop.cli.focus import policy_of
from goldenpath_loop.config.load import load
from goldenpath_loop.engine.bench import Bench, open_bench
from goldenpath_loop.engine.desk import Desk
from goldenpath_loop.engine.perform import perform, tidy
from goldenpath_loop.engine.witness import SessionWitness
from goldenpath_loop.records.effects import AnyEffect, OpenPullRequest, effect_adapter
from goldenpath_loop.records.events import EffectRequested, EffectSettled, RunResumed, RunStarted
from goldenpath_loop.records.receipts import PushReceipt
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import Session
from goldenpath_loop.system.process_tree import end_left_over, mark_from_now_on
from goldenpath_loop.team.load import Team
from tests.e2e.command import leftovers

__all__ = ["Engines", "Kill", "Life"]

Where = Literal["spawn", "spawned", "write", "moment"]


@dataclass(frozen=True)
class Kill:
    """When a life ends: at the nth process that is about to start or was just started, at the nth write, or in time."""

    at: Where
    number: int = 0
    delay_s: float = 0.0


@dataclass(frozen=True)
class Life:
    """One engine process.

    Args:
        root: The checkout it works in.
        run: The run's folder.
        home: Where caches, and so worktrees, go.
        effects: What it performs, in order; what is settled already is left out.
        kill: Where it dies; None lets it live to the end.
        again: Whether each effect is performed a second time at once.
        tidies: Whether it takes its worktrees away at the end.
    """

    root: str
    run: str
    home: str
    effects: tuple[str, ...]
    kill: Kill | None = None
    again: bool = False
    tidies: bool = True

    @property
    def mark(self) -> str:
        """By which the next life recognises what this one left running, as `engine/control.py` does."""
        return f"run-{hashlib.sha256(self.run.encode()).hexdigest()[:20]}"


class Engines:
    """The process that forks lives."""

    def __enter__(self) -> Self:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.performing"],
            env=environment,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def told(self, life: Life) -> dict[str, Any]:
        """What a life that was lived told of itself."""
        found = json.loads(Path(f"{life.run}.said").read_text())
        assert isinstance(found, dict)
        return found

    def live(self, *lives: Life) -> list[str]:
        """Let `lives` begin at once; how each ended: `lived`, `killed`, or what went wrong."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([asdict(one) for one in lives]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process that forks engines is gone"
        found = json.loads(line)
        assert isinstance(found, list)
        return [str(one) for one in found]


@dataclass
class _Counter:
    """Dies at the point that is asked for, and knows how many points there were."""

    kill: Kill | None
    below: str
    passed: dict[str, int] = field(default_factory=dict)
    begun: dict[str, int] = field(default_factory=dict)
    """How many processes had been started when each effect began."""
    alive: list[str] = field(default_factory=list)
    """Command lines of what it had started and was running at its end."""

    @property
    def said(self) -> str:
        """What a life that was lived tells of itself."""
        return json.dumps({"points": self.passed, "begun": self.begun, "alive": self.alive})

    def point(self, at: Where) -> None:
        self.passed[at] = self.passed.get(at, 0) + 1
        if self.kill is not None and (self.kill.at, self.kill.number) == (at, self.passed[at]):
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self) -> None:
        start, sync = anyio.open_process, os.fsync

        async def counted(*arguments: Any, **options: Any) -> Any:
            self.point("spawn")
            process = await start(*arguments, **options)
            self.point("spawned")
            return process

        def synced(fd: int) -> None:
            self.point("write")
            sync(fd)
            self.point("write")

        setattr(anyio, "open_process", counted)  # noqa: B010 -- the type checker may not see this
        setattr(os, "fsync", synced)  # noqa: B010
        sys.addaudithook(self._audit)
        if self.kill is not None and self.kill.at == "moment":
            threading.Thread(target=self._die_later, args=(self.kill.delay_s,), daemon=True).start()

    def _die_later(self, delay_s: float) -> None:
        time.sleep(delay_s)  # the moment is what is tested; nobody waits for it
        os.kill(os.getpid(), signal.SIGKILL)

    def _audit(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name in ("os.rename", "os.mkdir", "os.remove") or (name == "open" and _writes(arguments)):
            path = arguments[0]
            if isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self.below):
                self.point("write")


def _writes(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


async def _live(life: Life, counter: _Counter) -> None:
    end_left_over(life.mark)
    mark_from_now_on(life.mark)
    folder, root = RunFolder(Path(life.run)), Path(life.root)
    settings = load(root / "goldenpath.toml", environ=os.environ).settings
    policy = policy_of(settings, None)
    folder.path.mkdir(parents=True, exist_ok=True)
    with Session(folder) as session:
        if session.seq:
            session.append(RunResumed(version="0"))
        else:
            started = RunStarted(
                run=folder.id,
                version="0",
                root=str(root),
                config_file="",
                focus=policy.focus.name,
                policy=policy,
            )
            session.append(started)
        async with open_bench(
            settings=settings,
            policy=policy,
            root=root,
            config_folder=root,
            folder=folder,
            desk=Desk(session, Team({}, {}, {}, {}), settings.model, None),
        ) as bench:
            for text in life.effects:
                effect = effect_adapter.validate_json(text)
                counter.begun[effect.kind] = counter.passed.get("spawn", 0)
                await _perform(effect, bench, session, again=life.again)
            counter.alive = sorted(leftovers(life.mark))
            if life.tidies:
                await tidy(bench)


async def _perform(effect: AnyEffect, bench: Bench, session: Session, *, again: bool) -> None:
    """One effect as the engine does it: requested, done, settled; not if it is settled."""
    settled = {
        line.event.key: line.event.receipt
        for line in session.replay()
        if isinstance(line.event, EffectSettled)
    }
    if effect.key in settled:
        return
    pushed = next((one for one in settled.values() if isinstance(one, PushReceipt)), None)
    if isinstance(effect, OpenPullRequest) and pushed is not None:
        assert pushed.local_only or not pushed.problem, pushed.problem
        effect = effect.model_copy(update={"is_pushed": not pushed.local_only})
    session.append(EffectRequested(effect=effect))
    await session.commit()
    witness = SessionWitness(session, effect.key, None)
    receipt = await perform(effect, bench, witness)
    if again:
        receipt = await perform(effect, bench, witness)
    session.append(EffectSettled(key=effect.key, receipt=receipt, evidence=(), duration_s=0.0))


def _fork(life: Life) -> int:
    pid = os.fork()
    if pid:
        return pid
    os.environ["XDG_CACHE_HOME"] = life.home
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    said = Path(f"{life.run}.said")
    said.parent.mkdir(parents=True, exist_ok=True)
    said.unlink(missing_ok=True)
    counter = _Counter(life.kill, str(Path(life.root).parent))
    counter.arm()
    code = 1
    try:
        anyio.run(_live, life, counter)
        said.write_text(counter.said)
        code = 0
    except BaseException:
        said.write_text(traceback.format_exc())
        raise
    finally:
        os._exit(code)


def _ended(life: Life, status: int) -> str:
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return "killed"
    if os.waitstatus_to_exitcode(status) == 0:
        return "lived"
    said = Path(f"{life.run}.said")
    return said.read_text() if said.exists() else f"ended with status {status}"


def _serve(lines: Iterable[str]) -> None:
    for line in lines:
        lives = [
            Life(
                **{
                    **one,
                    "effects": tuple(one["effects"]),
                    "kill": Kill(**one["kill"]) if one["kill"] else None,
                }
            )
            for one in json.loads(line)
        ]
        pids = [_fork(life) for life in lives]
        ended = [_ended(life, os.waitpid(pid, 0)[1]) for life, pid in zip(lives, pids, strict=True)]
        sys.stdout.write(json.dumps(ended) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(iter(sys.stdin.readline, ""))
