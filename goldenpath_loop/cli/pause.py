"""`loop pause`: stop a run from another terminal, and know when it has stopped."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldenpath_loop.cli.person import person
from goldenpath_loop.errors import LogError, UsageError

if TYPE_CHECKING:
    from goldenpath_loop.cli.observed import Observed
    from goldenpath_loop.session.folder import RunFolder

__all__ = ["pause"]

_LOOK_EVERY_S = 0.1
_ACKNOWLEDGED_WITHIN_S = 10.0


def pause(
    run: Annotated[
        str | None, typer.Argument(help="Run id, its beginning, or a path; default: the newest.")
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="End what is in flight too, instead of waiting for it.")
    ] = False,
    runs: Annotated[Path | None, typer.Option(help="Folder of all runs.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Pause a run. After it acknowledged that, nothing new starts; `loop resume` goes on with it."""
    from goldenpath_loop.cli.observed import Observed
    from goldenpath_loop.cli.runs import runs_folder
    from goldenpath_loop.session.folder import find_run
    from goldenpath_loop.session.lock import is_held
    from goldenpath_loop.session.requests import Request, ask

    folder = find_run(runs_folder(runs), run)
    if not is_held(folder.log):
        raise UsageError(f"{folder.id} is not running", advice="`loop status` says how it stands.")
    observed = Observed(folder)
    observed.look()
    ask(folder, Request("pause_now" if now else "pause", person()))
    in_flight = _acknowledged(folder, observed)
    if not as_json and in_flight is not None:
        typer.echo(f"{folder.id} acknowledged: nothing new starts")
        for key in in_flight:
            typer.echo(f"  {'ends' if now else 'waits for'} {key}")
        if in_flight and not now:
            typer.echo("  `loop pause --now` does not wait")
    while is_held(folder.log):
        time.sleep(_LOOK_EVERY_S)
    observed.look()
    state = observed.state
    is_finished = state.finished is not None
    if as_json:
        record = {
            "run": folder.id,
            "paused": state.paused,
            "finished": is_finished,
            "in_flight": in_flight or [],
        }
        typer.echo(json.dumps(record))
    elif is_finished:
        typer.echo(f"{folder.id} is finished")
    elif state.paused:
        typer.echo(f"{folder.id} is paused; `loop resume` goes on")
    else:
        typer.echo(f"{folder.id} was killed before it came to rest; `loop resume` goes on")
    if not (is_finished or state.paused):
        raise typer.Exit(1)


def _acknowledged(folder: RunFolder, observed: Observed) -> list[str] | None:
    """Wait until the log says that the request was seen; what was in flight then, None when the run was over before."""
    from goldenpath_loop.records.events import ControlRequested
    from goldenpath_loop.session.lock import is_held

    give_up_at = time.monotonic() + _ACKNOWLEDGED_WITHIN_S
    while time.monotonic() < give_up_at:
        is_over = not is_held(folder.log)
        if any(isinstance(line.event, ControlRequested) for line in observed.look()):
            observed.settle()
            return [effect.key for effect in observed.state.in_flight]
        if is_over:
            return None
        time.sleep(_LOOK_EVERY_S)
    raise LogError(
        "the run did not acknowledge the pause",
        where=str(folder.path),
        advice="Stop it with Ctrl-C where it runs; a run that was begun by an older version knows no requests.",
    )
