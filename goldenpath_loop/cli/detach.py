"""`--detach` and `loop wait`: a run that goes on without a terminal, and the way to meet its end."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldenpath_loop.errors import LogError, UsageError

if TYPE_CHECKING:
    from goldenpath_loop.session.folder import RunFolder

__all__ = ["detach", "wait"]

_LOOK_EVERY_S = 0.1
_LIVES_WITHIN_S = 30.0
_PAUSED = 130
_OUTPUT = "engine.out"


def detach(folder: RunFolder) -> int:
    """Give a run that was begun to a process of its own; one line of JSON once that holds it.

    Raises:
        LogError: It ended before it held the run.
    """
    from goldenpath_loop.cli.runs import warn_of_network
    from goldenpath_loop.core.state import fold
    from goldenpath_loop.session.chain import read
    from goldenpath_loop.session.lock import is_held
    from goldenpath_loop.system.detached import start_detached
    from goldenpath_loop.system.standard_streams import say_last

    warn_of_network(folder.path.parent)
    argv = (sys.executable, "-m", "goldenpath_loop", "resume", str(folder.path))
    output = folder.path / _OUTPUT
    engine = start_detached(argv, cwd=Path.cwd(), env=os.environ, output=output)
    give_up_at = time.monotonic() + _LIVES_WITHIN_S
    while time.monotonic() < give_up_at:
        if is_held(folder.log) or fold(read(folder.log)).finished is not None:
            # Whoever does not read it still has a run that lives.
            say_last(
                sys.stdout, json.dumps({"run": folder.id, "folder": str(folder.path), "pid": engine.pid})
            )
            return 0
        if engine.exit_code is not None:
            break
        time.sleep(_LOOK_EVERY_S)
    raise LogError(
        "the engine ended before it held the run", where=str(output), advice="That file has its words."
    )


def wait(
    run: Annotated[
        str | None, typer.Argument(help="Run id, its beginning, or a path; default: the newest.")
    ] = None,
    timeout_s: Annotated[
        float | None, typer.Option("--timeout", help="Give up after so many seconds, with exit code 1.")
    ] = None,
    runs: Annotated[Path | None, typer.Option(help="Folder of all runs.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Wait until a run is finished or paused, and end with its exit code."""
    from goldenpath_loop.cli.runs import runs_folder
    from goldenpath_loop.cli.watch import say_again
    from goldenpath_loop.core.state import fold
    from goldenpath_loop.session.chain import read
    from goldenpath_loop.session.folder import find_run
    from goldenpath_loop.session.lock import is_held

    folder = find_run(runs_folder(runs), run)
    began = time.monotonic()
    while is_held(folder.log):
        if timeout_s is not None and time.monotonic() - began > timeout_s:
            raise LogError(f"{folder.id} still goes on after {timeout_s:g} s", where=str(folder.path))
        time.sleep(_LOOK_EVERY_S)
    state = fold(read(folder.log))
    if state.finished is not None:
        raise typer.Exit(say_again(folder, state, state.finished, as_json=as_json))
    if not state.paused:
        raise UsageError(f"{folder.id} was cut off", advice=f"`loop resume {folder.id}` goes on with it.")
    if as_json:
        typer.echo(json.dumps({"run": folder.id, "outcome": None, "exit_code": _PAUSED}))
    else:
        typer.echo(f"{folder.id} is paused; `loop resume {folder.id}` goes on")
    raise typer.Exit(_PAUSED)
