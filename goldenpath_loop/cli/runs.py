"""Where the runs of this place lie."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["runs_folder"]


def runs_folder(given: Path | None) -> Path:
    """The folder named on the command line, else the one of the nearest configuration, else `./runs`."""
    from goldenpath_loop.config.load import find_config, load
    from goldenpath_loop.errors import ConfigurationError

    if given is not None:
        return given.resolve()
    config = find_config(Path.cwd())
    if config is None:
        return Path.cwd() / "runs"
    try:
        loaded = load(config, environ=os.environ)
    except ConfigurationError:
        return config.parent / "runs"
    return config.parent / loaded.settings.loop.runs
