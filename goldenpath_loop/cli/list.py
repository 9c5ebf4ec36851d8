"""`loop list`: the runs there are, newest first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from goldenpath_loop.review.summary import RunSummary
    from goldenpath_loop.session.folder import RunFolder

__all__ = ["list_runs", "summary_of", "wide_console"]

_WIDE = 160


def list_runs(
    as_json: Annotated[bool, typer.Option("--json", help="Print an array with one object a run.")] = False,
    runs: Annotated[Path | None, typer.Option(help="Folder of all runs.", show_default=False)] = None,
) -> None:
    """List runs with their state, outcome, tests, culprits and pull requests."""
    from goldenpath_loop.cli.runs import runs_folder
    from goldenpath_loop.review.summary import table_of
    from goldenpath_loop.session.folder import all_runs

    place = runs_folder(runs)
    found = [summary_of(folder) for folder in all_runs(place)]
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in found], indent=2, ensure_ascii=False))
    elif found:
        wide_console().print(table_of(found))
    else:
        typer.echo(f"no run yet in {place}")


def wide_console() -> Console:
    """Standard output; a pipe has no width of its own, and a cut id is of no use there."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_WIDE)


def summary_of(folder: RunFolder) -> RunSummary:
    """The facts of the run in `folder`; a log that cannot be read is a fact as well."""
    from goldenpath_loop.errors import LogError
    from goldenpath_loop.review.summary import damaged, summarise
    from goldenpath_loop.session.chain import read
    from goldenpath_loop.session.lock import is_held
    from goldenpath_loop.system import clock

    # The lock first: a run that ends in between is then seen as finished, never as cut off.
    held = is_held(folder.log)
    try:
        return summarise(
            read(folder.log), run=folder.id, folder=str(folder.path), is_held=held, now=clock.now()
        )
    except LogError as error:
        return damaged(folder.id, error.message, folder=str(folder.path))
