"""What an engine that was killed left behind: its processes, its scratch folder, its worktrees."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from anyio import to_thread

from goldenpath_loop.engine.bench import worktrees_folder
from goldenpath_loop.records.events import RunStarted
from goldenpath_loop.repository.worktrees import remove_worktrees
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.system.process_tree import end_left_over

__all__ = ["clear_up", "end_processes_of", "mark_of"]


def mark_of(folder: RunFolder) -> str:
    """By which every process of a run is known, whichever engine started it."""
    return f"run-{hashlib.sha256(str(folder.path.resolve()).encode()).hexdigest()[:20]}"


async def end_processes_of(folder: RunFolder) -> None:
    """End what earlier engines of a run left running; the caller knows that none is alive."""
    await to_thread.run_sync(end_left_over, mark_of(folder))


async def clear_up(folder: RunFolder, started: RunStarted) -> None:
    """Do what an engine that was killed after the run's last event had no time for.

    Raises:
        RepositoryError: Git refused to take its worktrees away.
    """
    await end_processes_of(folder)
    if started.settings is None:
        return
    root = Path(started.root)
    worktrees = worktrees_folder(started.settings, root)
    # What services and tests wrote there was never redacted.
    shutil.rmtree(worktrees / f"{folder.id}.scratch", ignore_errors=True)
    if (worktrees / folder.id).exists():
        await remove_worktrees(root, worktrees / folder.id)
