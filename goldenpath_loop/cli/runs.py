"""Where the runs of this place lie."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["NETWORK_ADVICE", "runs_folder", "warn_of_network"]

NETWORK_ADVICE = "locks and fsync there are promises of the server; keep `[loop] runs` on a local disk"


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


def warn_of_network(runs: Path) -> None:
    """One line on standard error when `runs` lies on a network file system."""
    from goldenpath_loop.system.mounts import network_kind_of
    from goldenpath_loop.system.standard_streams import say_last

    kind = network_kind_of(runs)
    if kind:
        say_last(sys.stderr, f"loop: {runs} lies on a network file system ({kind}): {NETWORK_ADVICE}")
