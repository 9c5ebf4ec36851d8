"""The folder of one run, and the folder of all runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from goldenpath_loop.errors import UsageError

__all__ = ["RunFolder", "all_runs", "create_run", "find_run"]


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where everything about one run lies."""

    path: Path

    @property
    def id(self) -> str:
        """The run's name: `20261120-221500-goldenpath`."""
        return self.path.name

    @property
    def log(self) -> Path:
        """The session log, the only truth about the run."""
        return self.path / "session.jsonl"

    @property
    def evidence(self) -> Path:
        """Evidence bytes under their digests."""
        return self.path / "evidence"

    @property
    def worklog(self) -> Path:
        """What a person reads first; made from the log alone."""
        return self.path / "worklog.md"


def create_run(runs: Path, now: datetime, focus: str) -> RunFolder:
    """Make the folder of a new run below `runs`.

    Raises:
        UsageError: The folder cannot be written.
    """
    stem = f"{now:%Y%m%d-%H%M%S}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', focus)[:40] or 'run'}"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        ignore = runs / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        for number in range(1, 1000):
            path = runs / (stem if number == 1 else f"{stem}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return RunFolder(path)
    except OSError as error:
        raise UsageError(
            f"the runs folder cannot be written: {error.strerror}",
            where=str(runs),
            advice="Set [loop] runs to a folder you may write.",
        ) from error
    raise UsageError("too many runs were started within one second", where=str(runs))


def all_runs(runs: Path) -> Iterator[RunFolder]:
    """Every run below `runs`, newest first."""
    if not runs.is_dir():
        return
    for path in sorted(runs.iterdir(), reverse=True):
        if (path / "session.jsonl").is_file():
            yield RunFolder(path)


def find_run(runs: Path, name: str | None) -> RunFolder:
    """The run called `name` (a prefix or a path will do), or the newest when no name is given.

    Raises:
        UsageError: There is no such run, or more than one.
    """
    if name and (Path(name) / "session.jsonl").is_file():
        return RunFolder(Path(name).resolve())
    found = [run for run in all_runs(runs) if name is None or run.id.startswith(name)]
    if not found:
        wanted = f"no run called {name}" if name else "no run yet"
        raise UsageError(wanted, where=str(runs), advice="`loop list` shows the runs there are.")
    exact = [run for run in found if run.id == name]
    if name and len(found) > 1 and not exact:
        raise UsageError(
            f"{name} fits {len(found)} runs", where=str(runs), advice=", ".join(run.id for run in found[:5])
        )
    return exact[0] if exact else found[0]
