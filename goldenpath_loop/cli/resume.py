"""`loop resume`: go on with a run that was paused, killed or cut off."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from goldenpath_loop.errors import ConfigurationError, LogError
from goldenpath_loop.records.events import RunFinished, RunStarted
from goldenpath_loop.records.policy import Policy, Settings

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
    import anyio

    from goldenpath_loop.cli.runs import runs_folder
    from goldenpath_loop.cli.watch import say_again, watch_run, write_worklog
    from goldenpath_loop.core.state import fold
    from goldenpath_loop.engine.left_over import clear_up
    from goldenpath_loop.session.chain import last_line, read
    from goldenpath_loop.session.folder import find_run
    from goldenpath_loop.session.lock import is_held
    from goldenpath_loop.session.session import load

    folder = find_run(runs_folder(runs), run)
    first, last = next(read(folder.log), None), last_line(folder.log)
    if first is None or not isinstance(first.event, RunStarted):
        raise LogError("the log has no beginning", where=str(folder.log))
    if last is not None and isinstance(last.event, RunFinished):
        if not is_held(folder.log):
            # Its engine may have been killed after its last event and before it had cleared up.
            anyio.run(clear_up, folder, first.event)
        if not folder.worklog.exists() or folder.worklog.stat().st_mtime < folder.log.stat().st_mtime:
            # The disk may have been full when it ended.
            write_worklog(folder, *load(folder))
        raise typer.Exit(say_again(folder, fold(read(folder.log)), last.event, as_json=as_json))
    settings, policy = _configuration_of(first.event, str(folder.log))
    raise typer.Exit(watch_run(folder, settings, policy, as_json=as_json))


def _configuration_of(started: RunStarted, log: str) -> tuple[Settings, Policy]:
    """The configuration that the run began with.

    The log holds it without its secrets, so it is read from its file again and compared; one that has none needs
    no file.

    Raises:
        ConfigurationError: It holds secrets, and the file does not say the same any more.
        LogError: The run never had one.
    """
    from goldenpath_loop.cli.focus import policy_of
    from goldenpath_loop.config.load import load
    from goldenpath_loop.engine.secret_values import redactor_of

    if started.settings is None or started.policy is None:
        raise LogError("the run never had a configuration that could be used", where=log)
    recorded = started.settings.model_dump(mode="json")
    file = Path(started.config_file)
    try:
        # Limits and the loop's own settings hold no secret, and may have come from elsewhere.
        kept = {name: getattr(started.settings, name) for name in ("limits", "loop")}
        settings = load(file, environ=os.environ).settings.model_copy(update=kept)
        clean = redactor_of(settings, file.parent).record(settings.model_dump(mode="json"))
    except ConfigurationError:
        clean = None
    if clean == recorded:
        asked = {name: getattr(started.policy, name) for name in ("observe", "stop_after", "approve")}
        return settings, policy_of(settings, started.focus).model_copy(update=asked)
    if redactor_of(started.settings, file.parent).mark not in started.settings.model_dump_json():
        return started.settings, started.policy
    raise ConfigurationError(
        "the configuration is not the one that this run began with, and that one held secrets",
        where=str(file),
        advice="Bring the file back to what it was, or begin a new run with `loop start`.",
    )
