"""Puts a proposed patch into a worktree, and says what it then changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from goldenpath_loop.records.agents import Edit
from goldenpath_loop.records.history import Hunk
from goldenpath_loop.repository.diff_text import parse_diff
from goldenpath_loop.repository.git import Git, paths_of, readable, said

__all__ = ["Applied", "apply_patch"]

_DIFF = ("diff", "--cached", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the worktree, or why nothing did."""

    hunks: tuple[Hunk, ...] = ()
    changed: tuple[str, ...] = ()
    patch: str = ""
    problem: str = ""


async def apply_patch(folder: Path, *, diff: str, edits: Sequence[Edit]) -> Applied:
    """Apply a unified diff, or edits, to the clean worktree in `folder`, and stage what changed.

    Raises:
        RepositoryError: Git refused in a way that says nothing about the patch.
        ProcessError: Git could not be started.
    """
    if bool(diff.strip()) == bool(edits):
        return Applied(problem="a patch is either a diff or edits" if edits else "there is no patch")
    git = Git(folder)
    problem = await _apply_diff(git, diff) if diff.strip() else _apply_edits(folder, edits)
    if problem:
        return Applied(problem=problem)
    await git.run("add", "--all")
    raw = await git.run(*_DIFF, "--raw", "-z", "HEAD", "--")
    entries = [entry for entry in raw.split(b"\0") if entry.startswith(b":")]
    odd = [entry for entry in entries if _is_odd(entry)]
    if odd:
        return Applied(problem="it changes the mode of a file, or makes a link")
    changed = tuple(
        readable(path) for path in paths_of(await git.run(*_DIFF, "--name-only", "-z", "HEAD", "--"))
    )
    text = (await git.run(*_DIFF, "-U0", "--no-prefix", "HEAD", "--")).decode("utf-8", "replace")
    patch = (await git.run(*_DIFF, "HEAD", "--")).decode("utf-8", "surrogateescape")
    return Applied(hunks=parse_diff(text), changed=changed, patch=patch)


def _is_odd(entry: bytes) -> bool:
    old, new = entry[1:].split(b" ", 2)[:2]
    ordinary = {b"000000", b"100644", b"100755"}
    return old not in ordinary or new not in ordinary or (old != b"000000" != new and old != new)


async def _apply_diff(git: Git, diff: str) -> str:
    text = diff if diff.endswith("\n") else f"{diff}\n"
    # Models miscount the lines of hunks; what the lines say has to fit all the same.
    done = await git.attempt(
        "apply", "--recount", "--whitespace=nowarn", "-", stdin=text.encode("utf-8", "replace")
    )
    return "" if done.exit_code == 0 else f"the diff does not apply: {said(done)}"


def _apply_edits(folder: Path, edits: Sequence[Edit]) -> str:
    for edit in edits:
        pure = PurePosixPath(edit.path)
        place = folder / pure
        if pure.is_absolute() or ".." in pure.parts or not place.resolve().is_relative_to(folder.resolve()):
            return f"{edit.path} lies outside of the tree"
        if place.is_symlink() or not place.is_file():
            return f"there is no file {edit.path}"
        try:
            text = place.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            return f"{edit.path} is no text"
        count = text.count(edit.search)
        if count != 1:
            return f"the text to replace stands {count} times in {edit.path}, and has to stand there once"
        place.write_bytes(text.replace(edit.search, edit.replace).encode("utf-8"))
    return ""
