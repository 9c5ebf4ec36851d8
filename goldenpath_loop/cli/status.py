"""`loop status`: how one run stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["status"]


def status(
    run: Annotated[
        str | None, typer.Argument(help="Run id, its beginning, or a path; default: the newest.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print an array with one object, as `loop list` does.")
    ] = False,
    runs: Annotated[Path | None, typer.Option(help="Folder of all runs.", show_default=False)] = None,
) -> None:
    """Say whether a run goes on, is paused, was cut off or is finished, and what it has found so far."""
    from goldenpath_loop.cli.list import summary_of, wide_console
    from goldenpath_loop.cli.runs import runs_folder
    from goldenpath_loop.review.summary import status_of
    from goldenpath_loop.session.folder import find_run

    folder = find_run(runs_folder(runs), run)
    found = summary_of(folder)
    if as_json:
        typer.echo(json.dumps([found.model_dump(mode="json")], indent=2, ensure_ascii=False))
        return
    wide_console().print(status_of(found))
    if folder.worklog.exists():
        typer.echo(f"worklog: {folder.worklog}")
