"""Drives one run from start or resume to its outcome or its pause, and cleans up on every way out."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

import anyio

from goldenpath_loop.core.approval import waiting_for
from goldenpath_loop.core.past import Past
from goldenpath_loop.engine.bench import Bench, open_bench
from goldenpath_loop.engine.desk import open_desk
from goldenpath_loop.engine.door import Door
from goldenpath_loop.engine.left_over import end_processes_of, mark_of
from goldenpath_loop.engine.loop import Engine
from goldenpath_loop.engine.perform import perform, tidy
from goldenpath_loop.engine.timekeeper import Timekeeper
from goldenpath_loop.engine.units import LocalWorkers
from goldenpath_loop.engine.witness import OnProgress, SessionWitness
from goldenpath_loop.errors import PutOffError, WorldError
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.events import ControlRequested, LimitsChanged, RunFinished, RunPaused
from goldenpath_loop.records.policy import Policy, Settings
from goldenpath_loop.records.receipts import AnyReceipt
from goldenpath_loop.session.requests import take
from goldenpath_loop.session.session import Session
from goldenpath_loop.system.admission import only_in_turn
from goldenpath_loop.system.disk import require_room
from goldenpath_loop.system.process_tree import mark_from_now_on
from goldenpath_loop.team.load import team_of

__all__ = ["drive"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


_CTRL_C = "Ctrl-C"
_LOOK_EVERY_S = 0.2


class _Interruption:
    """Who or what asked for a pause, if anything did."""

    def __init__(self) -> None:
        self.name = ""
        self.door = Door()


async def drive(
    session: Session,
    *,
    past: Past,
    settings: Settings,
    policy: Policy,
    root: Path,
    config_folder: Path,
    on_progress: OnProgress | None = None,
) -> RunFinished | RunPaused:
    """Go on until the run is finished, or until a signal pauses it.

    Whatever an engine of this run left running when it was killed is ended first. After this returns no process that
    the run started is left, and the log says how it ended.

    Args:
        session: The open run.
        past: What its log has come to; it goes on to take in every line.
        settings: Its configuration, with its secrets.
        policy: What decisions depend on.
        root: Top of the user's checkout.
        config_folder: Where the configuration lies.
        on_progress: Told what is under way; never stored.

    Raises:
        LoopError: The run cannot go on; the log stays as it is and `loop resume` may try again.
    """
    interruption, timekeeper = _Interruption(), Timekeeper(session)
    finished: RunFinished | None = None
    async with anyio.create_task_group() as outer:
        with (
            anyio.CancelScope() as work,
            only_in_turn(interruption.door.turn),
            # Of what was not even opened nothing has to be taken down.
            contextlib.suppress(PutOffError),
        ):
            outer.start_soon(_pause_on_signal, session, past, work, interruption)
            outer.start_soon(_follow_requests, session, past, timekeeper, work, interruption)
            await end_processes_of(session.folder)
            mark_from_now_on(mark_of(session.folder))
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
                finished = await _work(session, past, timekeeper, bench, on_progress, interruption)
                if finished is not None:
                    await tidy(bench)
        outer.cancel_scope.cancel()
    # A run that was finished by its last event stays finished, also when the signal came while it tidied up.
    finished = finished or past.state.finished
    if finished is not None:
        await session.commit()
        return finished
    waiting = waiting_for(past.state) if not interruption.name else ()
    how = "everything it started was ended" if work.cancel_called else "what was under way came to its end"
    reason = f"{interruption.name or 'cancelled'}: {how}"
    if waiting:
        reason = f"it waits for a person to decide about {', '.join(waiting)}"
    timekeeper.look()
    paused = RunPaused(reason=reason)
    session.append(paused)
    await session.commit()
    return paused


async def _work(
    session: Session,
    past: Past,
    timekeeper: Timekeeper,
    bench: Bench,
    on_progress: OnProgress | None,
    interruption: _Interruption,
) -> RunFinished | None:
    async def perform_one(effect: AnyEffect) -> AnyReceipt:
        try:
            receipt = await perform(effect, bench, SessionWitness(session, effect.key, on_progress))
        except WorldError:
            require_room(session.folder.path, bench.trees)
            raise
        require_room(session.folder.path, bench.trees)
        return receipt

    async with LocalWorkers(perform_one, jobs=bench.policy.jobs, door=interruption.door) as workers:
        engine = Engine(
            session, bench.policy, workers, past=past, door=interruption.door, timekeeper=timekeeper
        )
        bench.desk.state = lambda: engine.state
        bench.desk.door = interruption.door
        return await engine.run()


async def _follow_requests(
    session: Session,
    past: Past,
    timekeeper: Timekeeper,
    work: anyio.CancelScope,
    interruption: _Interruption,
) -> None:
    """Acknowledge what people ask from other terminals, and do it."""
    while True:
        for request in take(session.folder):
            if request.kind == "limits":
                if request.limits is not None and past.state.finished is None:
                    session.append(LimitsChanged(limits=request.limits, by=request.by))
                    await session.commit()
                continue
            await interruption.door.close()
            if past.state.finished is not None:
                continue  # It only tidies up; whoever asked sees that nobody holds the run any more.
            interruption.name = interruption.name or f"{request.by} asked for it"
            session.append(ControlRequested(request=request.kind, by=request.by))
            await session.commit()
            if request.kind == "pause_now":
                work.cancel()
        if past.state.finished is None:
            timekeeper.look()
        await anyio.sleep(_LOOK_EVERY_S)


async def _pause_on_signal(
    session: Session, past: Past, work: anyio.CancelScope, interruption: _Interruption
) -> None:
    """Ctrl-C once lets what is under way end, twice ends it; whoever sends another signal has no time to wait."""
    # Whoever starts it with `nohup` wants it to outlive the terminal.
    heard = [one for one in _SIGNALS if one != signal.SIGHUP or signal.getsignal(one) != signal.SIG_IGN]
    with anyio.open_signal_receiver(*heard) as signals:
        async for number in signals:
            name = _CTRL_C if number == signal.SIGINT else signal.Signals(number).name
            is_soft = name == _CTRL_C and not interruption.name
            await interruption.door.close()
            interruption.name = interruption.name or name
            if not work.cancel_called and past.state.finished is None:
                session.append(ControlRequested(request="pause" if is_soft else "pause_now", by=name))
                await session.commit()
            if not is_soft:
                work.cancel()
            # Later signals change nothing: the clean-up is on its way and bounded.
