"""`loop resume`: go on with a run that was paused, killed or cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["resume"]


def resume(
    run: Annotated[
        str | None, typer.Argument(help="Run id, its beginning, or a path; default: the newest.")
    ] = None,
    runs: Annotated[Path | None, typer.Option(help="Folder of all runs.", show_default=False)] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object at the end instead of progress.")
    ] = False,
) -> None:
    """Go on where a run stopped. A finished run is left alone and its outcome said again."""
    from goldenpath_loop.cli.runs import runs_folder
    from goldenpath_loop.cli.watch import watch_run
    from goldenpath_loop.session.folder import find_run

    folder = find_run(runs_folder(runs), run)
    raise typer.Exit(watch_run(folder, as_json=as_json))
