"""Writes the demo to disk: origin, checkout, and the operator's settings."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from goldenpath_loop.demo.chronicle import STEPS
from goldenpath_loop.demo.edits import Tree
from goldenpath_loop.demo.fast_import import check_out, import_history
from goldenpath_loop.demo.history import write_history
from goldenpath_loop.demo.scenarios import FAULTS, SCENARIOS, WITHOUT_SECRET
from goldenpath_loop.errors import UsageError

__all__ = ["DemoSite", "final_tree", "write_demo"]

# Python leaves its caches in an installed package; they are no part of the target.
CACHES = frozenset({"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache"})

SECRET_LINE = "SERVICE_SECRET=staging-5d0c7c1f6b2e4a9d8e3f7a61c4b90d52\n"


@dataclass(frozen=True)
class DemoSite:
    """Where a written demo is."""

    root: Path
    """The checkout to run the loop in."""
    origin: Path
    """The bare repository it tracks."""
    culprit: str | None
    """Full id of the commit that made the fault; None when no commit did. Stands nowhere in the target."""


def final_tree() -> Tree:
    """The source of the target as the package ships it."""
    tree: Tree = {}

    def collect(folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir() and entry.name not in CACHES:
                collect(entry, f"{prefix}{entry.name}/")
            elif entry.is_file():
                tree[prefix + entry.name] = entry.read_text(encoding="utf-8")

    collect(files("goldenpath_loop.demo") / "target", "")
    return tree


def write_demo(directory: Path, scenario: str) -> DemoSite:
    """Write the demo into a directory that is empty or not there yet.

    The same scenario always gives the same commits.

    Args:
        directory: Gets `chat` (checkout), `origin.git` (bare) and `staging.env` (settings of the operator).
        scenario: A name from `SCENARIOS`.

    Raises:
        UsageError: There is no such scenario, or the directory holds something.
        RepositoryError: git refused.
    """
    names = [known.name for known in SCENARIOS]
    if scenario not in names:
        raise UsageError(f"there is no scenario {scenario!r}", advice=f"Choose one of: {', '.join(names)}.")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UsageError(
            "the demo needs an empty directory",
            where=str(directory),
            advice="Name a new directory, or empty this one.",
        )
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)

    commits = write_history(STEPS, final_tree(), FAULTS.get(scenario))
    origin, root = directory / "origin.git", directory / "chat"
    ids = import_history(origin, commits)
    check_out(origin, root)

    settings = directory / "staging.env"
    settings.touch(mode=0o600)
    settings.write_text(
        "# Settings of staging that are no part of the repository.\n"
        + ("" if scenario in WITHOUT_SECRET else SECRET_LINE),
        encoding="utf-8",
    )
    culprits = [commit_id for commit_id, commit in zip(ids, commits, strict=True) if commit.faulty]
    return DemoSite(root, origin, culprits[0] if culprits else None)
