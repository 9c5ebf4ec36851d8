"""Reads the source at a revision: files, lines that hold a text, history. Only reads."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from goldenpath_loop.records.base import Revision
from goldenpath_loop.repository.git import Git, checked, said

__all__ = ["blame", "file_at", "log_of", "search_at", "show_commit"]

_MOST_HITS = 200
_SHOW = ("show", "--first-parent", "-m", "--format=fuller", "--no-renames", "--stat", "-p")
_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-notes")


def _inside(path: str) -> str | None:
    """The path relative to the repository; None when it leads out of it."""
    pure = PurePosixPath(path.removeprefix("./"))
    return None if pure.is_absolute() or ".." in pure.parts or not pure.parts else str(pure)


async def file_at(root: Path, revision: Revision, path: str) -> str | None:
    """Text of a file at `revision`; None when there is no such file, or it is no text.

    Raises:
        ProcessError: Git could not be started.
    """
    inside = _inside(path)
    if inside is None:
        return None
    shown = await Git(root).attempt("show", f"{checked(revision)}:{inside}")
    if shown.exit_code != 0 or b"\0" in shown.output[:8000]:
        return None
    return shown.output.decode("utf-8", "replace")


async def search_at(root: Path, revision: Revision, text: str) -> list[str]:
    """Lines of the source that hold `text`, as `path:line: text`, the first two hundred.

    Raises:
        ProcessError: Git could not be started.
    """
    found = await Git(root).attempt("grep", "-n", "-I", "-F", "-e", text, checked(revision), "--")
    lines = found.output.decode("utf-8", "replace").splitlines()
    return [line.removeprefix(f"{revision}:") for line in lines[:_MOST_HITS]]


async def log_of(root: Path, revision: Revision, path: str, limit: int) -> str:
    """One line for each of the latest commits that lead to `revision`, those that touch `path` when it is named.

    Raises:
        ProcessError: Git could not be started.
    """
    inside = _inside(path) if path else None
    if path and inside is None:
        return f"{path} is not inside the repository"
    paths = [inside] if inside else []
    shown = await Git(root).attempt(
        "log",
        f"--max-count={limit}",
        "--format=%H %as %an: %s",
        "--no-notes",
        checked(revision),
        "--",
        *paths,
    )
    return shown.output.decode("utf-8", "replace") or said(shown)


async def show_commit(root: Path, name: str) -> str:
    """One commit with its diff; what git says when there is no such commit.

    Raises:
        ProcessError: Git could not be started.
    """
    git = Git(root)
    if not name.isalnum():
        return f"{name} is not the id of a commit"
    found = await git.attempt("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if found.exit_code != 0:
        return f"there is no commit {name}"
    shown = await git.attempt(*_SHOW, *_PLAIN, found.output.decode().strip(), "--")
    return shown.output.decode("utf-8", "replace")


async def blame(root: Path, revision: Revision, path: str) -> str:
    """Who last changed each line of a file.

    Raises:
        ProcessError: Git could not be started.
    """
    inside = _inside(path)
    if inside is None:
        return f"{path} is not inside the repository"
    shown = await Git(root).attempt("blame", "--date=short", checked(revision), "--", inside)
    return shown.output.decode("utf-8", "replace") if shown.exit_code == 0 else said(shown)
