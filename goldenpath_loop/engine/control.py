"""Drives one run from start or resume to its outcome or its pause, and cleans up on every way out."""

from __future__ import annotations

import hashlib
import signal
from pathlib import Path

import anyio
from anyio import to_thread

from goldenpath_loop.core.approval import waiting_for
from goldenpath_loop.core.state import fold
from goldenpath_loop.engine.bench import Bench, open_bench
from goldenpath_loop.engine.desk import open_desk
from goldenpath_loop.engine.loop import Engine
from goldenpath_loop.engine.perform import perform, tidy
from goldenpath_loop.engine.units import LocalWorkers
from goldenpath_loop.engine.witness import OnProgress, SessionWitness
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.events import ControlRequested, LimitsChanged, RunFinished, RunPaused
from goldenpath_loop.records.policy import Policy, Settings
from goldenpath_loop.records.receipts import AnyReceipt
from goldenpath_loop.session.requests import take
from goldenpath_loop.session.session import Session
from goldenpath_loop.system.process_tree import end_left_over, mark_from_now_on
from goldenpath_loop.team.load import team_of

__all__ = ["drive"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


_CTRL_C = "Ctrl-C"
_LOOK_EVERY_S = 0.2


class _Interruption:
    """Who or what asked for a pause, if anything did."""

    def __init__(self) -> None:
        self.name = ""
        self.engine: Engine | None = None


async def drive(
    session: Session,
    *,
    settings: Settings,
    policy: Policy,
    root: Path,
    config_folder: Path,
    on_progress: OnProgress | None = None,
) -> RunFinished | RunPaused:
    """Go on until the run is finished, or until a signal pauses it.

    Whatever an engine of this run left running when it was killed is ended first.

    After this returns no process that the run started is left, and the log says how it ended.

    Raises:
        LoopError: The run cannot go on; the log stays as it is and `loop resume` may try again.
    """
    own = f"run-{hashlib.sha256(str(session.folder.path.resolve()).encode()).hexdigest()[:20]}"
    await to_thread.run_sync(end_left_over, own)
    mark_from_now_on(own)
    interruption = _Interruption()
    # Requests to an earlier engine died with it.
    take(session.folder)
    finished: RunFinished | None = None
    async with anyio.create_task_group() as outer:
        with anyio.CancelScope() as work:
            outer.start_soon(_pause_on_signal, session, work, interruption)
            outer.start_soon(_follow_requests, session, work, interruption)
            async with (
                open_desk(session, team_of(root), policy.model) as desk,
                open_bench(
                    settings=settings,
                    policy=policy,
                    root=root,
                    config_folder=config_folder,
                    folder=session.folder,
                    desk=desk,
                ) as bench,
            ):
                finished = await _work(session, bench, on_progress, interruption)
                await tidy(bench)
        outer.cancel_scope.cancel()
    if finished is not None:
        return finished
    # A run that was finished by its last event stays finished, also when the signal came while it tidied up.
    done = fold(session.lines).finished
    if done is not None:
        return done
    waiting = waiting_for(fold(session.lines)) if not interruption.name else ()
    reason = f"{interruption.name or 'cancelled'}: everything it started was ended"
    if waiting:
        reason = f"it waits for a person to decide about {', '.join(waiting)}"
    paused = RunPaused(reason=reason)
    session.append(paused)
    return paused


async def _work(
    session: Session, bench: Bench, on_progress: OnProgress | None, interruption: _Interruption
) -> RunFinished | None:
    async def perform_one(effect: AnyEffect) -> AnyReceipt:
        return await perform(effect, bench, SessionWitness(session, effect.key, on_progress))

    async with LocalWorkers(perform_one, jobs=bench.policy.jobs) as workers:
        engine = interruption.engine = Engine(session, bench.policy, workers)
        bench.desk.state = lambda: engine.state
        bench.desk.is_pausing = lambda: engine.is_pausing
        if interruption.name:
            return None
        return await interruption.engine.run()


async def _follow_requests(session: Session, work: anyio.CancelScope, interruption: _Interruption) -> None:
    """Acknowledge what people ask from other terminals, and do it."""
    while True:
        for request in take(session.folder):
            if request.kind == "limits":
                if request.limits is not None:
                    session.append(LimitsChanged(limits=request.limits, by=request.by))
                continue
            session.append(ControlRequested(request=request.kind, by=request.by))
            interruption.name = interruption.name or f"{request.by} asked for it"
            if request.kind == "pause_now":
                work.cancel()
            elif interruption.engine is not None:
                interruption.engine.is_pausing = True
        await anyio.sleep(_LOOK_EVERY_S)


async def _pause_on_signal(session: Session, work: anyio.CancelScope, interruption: _Interruption) -> None:
    """Ctrl-C once lets what is under way end, twice ends it; whoever sends another signal has no time to wait."""
    with anyio.open_signal_receiver(*_SIGNALS) as signals:
        async for number in signals:
            name = _CTRL_C if number == signal.SIGINT else signal.Signals(number).name
            engine = interruption.engine
            is_soft = name == _CTRL_C and not interruption.name and engine is not None
            interruption.name = interruption.name or name
            if not work.cancel_called and (engine is None or engine.state.finished is None):
                session.append(ControlRequested(request="pause" if is_soft else "pause_now", by=name))
            if is_soft and engine is not None:
                engine.is_pausing = True
            else:
                work.cancel()
            # Later signals change nothing: the clean-up is on its way and bounded.
