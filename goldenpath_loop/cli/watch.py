"""Stays with one run: opens it, drives it, shows it, and says how it ended."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from goldenpath_loop.errors import LogError
from goldenpath_loop.records.events import RunFinished, RunPaused
from goldenpath_loop.session.folder import RunFolder

__all__ = ["watch_run"]

_PAUSED = 130


def watch_run(folder: RunFolder, *, as_json: bool) -> int:
    """Drive the run in `folder` until it is finished or paused, and return the exit code.

    A run that is finished already is left alone; its outcome is said again.

    Raises:
        LogError: The log has no beginning, is damaged, or another process writes it.
    """
    import anyio
    from rich.console import Console

    from goldenpath_loop import __version__
    from goldenpath_loop.core.state import fold
    from goldenpath_loop.engine.bench import redactor_of
    from goldenpath_loop.engine.control import drive
    from goldenpath_loop.records.events import RunResumed
    from goldenpath_loop.review.live import LiveView
    from goldenpath_loop.review.worklog import render_worklog
    from goldenpath_loop.session.session import Session, load

    lines, _ = load(folder)
    state = fold(lines)
    if state.started is None:
        raise LogError("the log has no beginning", where=str(folder.log))
    if state.finished is not None:
        if as_json:
            typer.echo(_record(folder, state.finished))
        else:
            typer.echo(f"{folder.id} is finished. {state.finished.outcome}: {state.finished.reason}")
            typer.echo(f"worklog: {folder.worklog}")
        return state.finished.exit_code
    settings, policy = state.started.settings, state.started.policy
    if settings is None or policy is None:
        raise LogError("the run never had a configuration that could be used", where=str(folder.log))
    config_folder = Path(state.started.config_file).parent
    console = Console(file=sys.stderr if as_json else sys.stdout, quiet=as_json)
    view = LiveView(console, live=console.is_terminal and not as_json, worklog=folder.worklog)
    with Session(folder, redactor_of(settings, config_folder)) as session, view:
        view.catch_up(session.lines)
        session.listen(view.line)
        if len(session.lines) > 1:
            session.append(RunResumed(version=__version__))
        try:
            end = anyio.run(
                lambda: drive(
                    session,
                    settings=settings,
                    policy=policy,
                    root=Path(state.started.root) if state.started else Path.cwd(),
                    config_folder=config_folder,
                    on_progress=view.progress,
                )
            )
        finally:
            folder.worklog.write_text(render_worklog(session.lines, session.store), encoding="utf-8")
    if as_json:
        typer.echo(_record(folder, end))
    return end.exit_code if isinstance(end, RunFinished) else _PAUSED


def _record(folder: RunFolder, end: RunFinished | RunPaused) -> str:
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
    return json.dumps(record)
