"""The command as a person types it, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenpath_loop.core.state import State, fold
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.folder import RunFolder

__all__ = ["LOOP", "Typed", "environment", "leftovers", "only_run", "state_of", "typed"]

LOOP = (sys.executable, "-m", "goldenpath_loop")


@dataclass(frozen=True)
class Typed:
    """What one command did."""

    exit_code: int
    output: str
    errors: str

    @property
    def record(self) -> dict[str, Any]:
        """The one JSON object it printed."""
        found = json.loads(self.output)
        assert isinstance(found, dict)
        return found


def environment(folder: Path) -> dict[str, str]:
    """An environment whose caches lie below `folder`, with nobody's git configuration."""
    return {
        **os.environ,
        "XDG_CACHE_HOME": str(folder / "cache"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "NO_COLOR": "1",
    }


def typed(*words: str, folder: Path, cache: Path | None = None, timeout_s: float = 300) -> Typed:
    """Run `loop` with `words` in `folder` to its end."""
    done = subprocess.run(
        [*LOOP, *words],
        cwd=folder,
        env=environment(cache or folder),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
    )
    return Typed(done.returncode, done.stdout, done.stderr)


def only_run(runs: Path) -> RunFolder:
    """The one run below `runs`."""
    (found,) = [path for path in runs.iterdir() if (path / "session.jsonl").exists()]
    return RunFolder(found)


def state_of(run: RunFolder) -> State:
    """The state of a run, folded from its log."""
    return fold(read(run.log))


def leftovers(marker: str) -> list[str]:
    """Command lines of living processes whose environment or command line holds `marker`."""
    found: list[str] = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            spoken = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            zombie = ") Z " in (process / "stat").read_text()
        except OSError:
            continue
        if marker.encode() in spoken and not zombie:
            found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
