"""Stays with one run: opens it, drives it, shows it, and says how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from goldenpath_loop.cli.runs import warn_of_network
from goldenpath_loop.core.state import State
from goldenpath_loop.errors import LogError, LoopError
from goldenpath_loop.records.events import RunFinished, RunPaused
from goldenpath_loop.records.line import Line
from goldenpath_loop.records.policy import Policy, Settings
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import Session
from goldenpath_loop.session.store import EvidenceStore
from goldenpath_loop.system.disk import advice_for
from goldenpath_loop.system.standard_streams import ViewStream, say_last

if TYPE_CHECKING:
    from goldenpath_loop.core.past import Past
    from goldenpath_loop.engine.witness import OnProgress

__all__ = ["say_again", "watch_run", "write_worklog"]

_PATCH = "culprit.patch"
_PAUSED = 130
_BEGINS_WITHIN_S = 60.0
"""A run whose first line is older was not begun by this command: nobody worked on it meanwhile."""


def watch_run(folder: RunFolder, settings: Settings, policy: Policy, *, as_json: bool) -> int:
    """Drive the run in `folder` until it is finished or paused, and return the exit code.

    Args:
        folder: A run that was begun.
        settings: Its configuration as it stands in the file: the log holds it without secrets.
        policy: What decisions depend on.
        as_json: Say nothing but one JSON object at the end.

    Raises:
        LogError: The log has no beginning, is damaged, or another process writes it.
    """
    from rich.console import Console

    from goldenpath_loop.core.past import Past
    from goldenpath_loop.engine.secret_values import redactor_of
    from goldenpath_loop.records.events import RunStarted
    from goldenpath_loop.review.live import LiveView
    from goldenpath_loop.review.search_report import search_report
    from goldenpath_loop.session.lock import is_held
    from goldenpath_loop.session.requests import take
    from goldenpath_loop.session.session import load

    first = next(load(folder)[0], None)
    started = first.event if first else None
    if not isinstance(started, RunStarted):
        raise LogError("the log has no beginning", where=str(folder.log))
    warn_of_network(folder.path.parent)
    past = Past()
    if not is_held(folder.log):
        # Requests to an earlier engine died with it. Whoever sees this one hold the run may ask from then on.
        take(folder)
    with ViewStream(None if as_json else sys.stdout) as view_stream:
        console = Console(file=cast("TextIO", view_stream), quiet=as_json)
        view = LiveView(console, live=console.is_terminal and not as_json, worklog=folder.worklog)
        redactor = redactor_of(settings, Path(started.config_file).parent)

        def remember(line: Line) -> None:
            view.remember(line, past.state)

        with Session(folder, redactor, readers=[remember], listeners=[past.see]) as session, view:
            view.caught_up()
            session.watch(view.line)
            # Another engine may have come to its end between our look and our turn.
            end = past.state.finished or _driven(session, past, settings, policy, view.progress)
        if not as_json and started.question is not None:
            patch = folder.path / _PATCH
            if patch.exists():
                console.print(f"  [dim]patch[/]         {patch}", highlight=False, soft_wrap=True)
            console.print()
            console.print(search_report(session.replay()))
    if as_json:
        say_last(sys.stdout, _record(folder, end, past.state))
    return end.exit_code if isinstance(end, RunFinished) else _PAUSED


def _driven(
    session: Session, past: Past, settings: Settings, policy: Policy, on_progress: OnProgress
) -> RunFinished | RunPaused:
    """Go on with the open run, and leave what a person reads behind on every way out."""
    import anyio

    from goldenpath_loop.engine.control import drive

    started = past.state.started
    assert started is not None
    _note_resume(session, past.state)
    try:
        end = anyio.run(
            lambda: drive(
                session,
                past=past,
                settings=settings,
                policy=policy,
                root=Path(started.root),
                config_folder=Path(started.config_file).parent,
                on_progress=on_progress,
            )
        )
    except BaseException:
        # The first error is the one to tell; what can be made again from the log is not worth a second.
        with contextlib.suppress(LoopError):
            _write_files(session, past.state)
        raise
    _write_files(session, past.state)
    return end


def _note_resume(session: Session, state: State) -> None:
    """Write down that an engine goes on with a run, unless this one is the first."""
    from goldenpath_loop import __version__
    from goldenpath_loop.engine.timekeeper import behind_s
    from goldenpath_loop.records.events import RunResumed
    from goldenpath_loop.system import clock

    assert state.last_at is not None
    lay_s = (clock.now() - state.last_at).total_seconds()
    if session.seq > 1 or lay_s > _BEGINS_WITHIN_S:
        behind = behind_s(state.last_at)
        session.append(RunResumed(version=__version__, torn_bytes=session.torn_bytes, behind_s=behind))


def _write_files(session: Session, state: State) -> None:
    """What a person reads, made from the log.

    Raises:
        LogError: A file cannot be written, or evidence for it is missing.
    """
    write_worklog(session.folder, session.replay(), session.store)
    patch = _patch(session, state)
    if patch is not None:
        _write(session.folder.path / _PATCH, patch)


def write_worklog(folder: RunFolder, lines: Iterable[Line], store: EvidenceStore) -> None:
    """The worklog as the log has it now.

    Raises:
        LogError: It cannot be written, or evidence for it is missing.
    """
    from goldenpath_loop.review.worklog import render_worklog

    _write(folder.worklog, render_worklog(lines, store).encode())


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing: a signal or a full disk leaves no half of a file."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            fresh.write_bytes(data)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        message = f"it cannot be written: {error.strerror}"
        raise LogError(message, where=str(path), advice=advice_for(error)) from error


def _patch(session: Session, state: State) -> bytes | None:
    """The guilty hunks of a culprit as `git apply` takes them; None when there are none."""
    from goldenpath_loop.core.culprit_run import HUNKS

    found = state.verdict("stability", HUNKS)
    patches = [one for one in found.because if session.evidence(one)] if found else []
    return session.bytes_of(patches[0]) if patches else None


def say_again(folder: RunFolder, state: State, finished: RunFinished, *, as_json: bool) -> int:
    """Say how a finished run ended, and return its exit code."""
    from goldenpath_loop.review.handing_over import hand_off_rows

    if as_json:
        say_last(sys.stdout, _record(folder, finished, state))
    else:
        say_last(sys.stdout, f"{folder.id} is finished. {finished.outcome}: {finished.reason}")
        for label, words in hand_off_rows(finished.hand_off) if finished.hand_off is not None else ():
            say_last(sys.stdout, f"{label}: {words}" if label else words)
        say_last(sys.stdout, f"worklog: {folder.worklog}")
    return finished.exit_code


def _record(folder: RunFolder, end: RunFinished | RunPaused, state: State) -> str:
    """How it ended, as one line of JSON."""
    record: dict[str, object] = {"run": folder.id, "folder": str(folder.path), "worklog": str(folder.worklog)}
    if isinstance(end, RunPaused):
        record |= {"outcome": None, "paused": end.reason, "exit_code": _PAUSED}
    else:
        record |= {
            "outcome": end.outcome,
            "reason": end.reason,
            "exit_code": end.exit_code,
            "next_actions": list(end.next_actions),
        }
        if end.hand_off is not None:
            record["hand_off"] = end.hand_off.model_dump(mode="json")
    if state.started is not None and state.started.question is not None:
        answer = state.verdict("culprit", "command")
        record["answer"] = answer.value if answer else None
        record["culprit"] = answer.revision if answer else None
        record |= {one.name.replace(" ", "_"): one.value for one in answer.measurements} if answer else {}
        hunks = state.verdict("stability", "hunks")
        if hunks is not None:
            record["hunks"] = {"answer": hunks.value, "statement": hunks.statement}
            record["patch"] = str(folder.path / _PATCH) if hunks.value in ("minimal", "trade_off") else None
    return json.dumps(record)
