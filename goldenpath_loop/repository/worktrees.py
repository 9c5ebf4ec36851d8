"""Worktrees of the run's own, outside of the user's checkout: made, reset, and taken away."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import anyio

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.receipts import WorktreeReceipt
from goldenpath_loop.repository.git import Git, said

__all__ = ["overlay", "prepare_worktree", "remove_worktrees"]

# Git keeps its list of worktrees in one place of the repository and does not wait for itself.
_registry = anyio.Lock()


async def prepare_worktree(root: Path, folder: Path, *, name: str, revision: Revision) -> WorktreeReceipt:
    """A clean detached worktree at `revision` in `folder`; one that is there already is reset.

    Raises:
        RepositoryError: It could not be made.
    """
    if root.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise RepositoryError(
            "a worktree must not lie inside the checkout",
            where=str(folder),
            advice="Set [loop] worktrees to a folder outside of the repository.",
        )
    async with _registry:
        if not await _reset(folder, revision):
            await _make(root, folder, revision)
    return WorktreeReceipt(tree=name, revision=revision)


async def _reset(folder: Path, revision: Revision) -> bool:
    if not (folder / ".git").exists():
        return False
    git = Git(folder)
    top = await git.attempt("rev-parse", "--show-toplevel")
    if top.exit_code != 0 or Path(top.output.decode().strip()).resolve() != folder.resolve():
        return False
    for arguments in (
        ("checkout", "--force", "--detach", revision),
        ("reset", "--hard", "--quiet", revision),
        ("clean", "-ffdxq"),
    ):
        if (await git.attempt(*arguments)).exit_code != 0:
            return False
    return True


async def _make(root: Path, folder: Path, revision: Revision) -> None:
    git = Git(root)
    if folder.exists():
        shutil.rmtree(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    await git.attempt("worktree", "prune")
    done = await git.attempt("worktree", "add", "--force", "--detach", str(folder), revision)
    if done.exit_code != 0:
        raise RepositoryError(said(done), where=f"worktree of {revision[:10]}")


async def remove_worktrees(root: Path, folder: Path) -> None:
    """Take away `folder` with every worktree in it, and git's memory of them."""
    if not folder.exists():
        return
    async with _registry:
        git = Git(root)
        for path in sorted(folder.iterdir()):
            if (path / ".git").exists():
                await git.attempt("worktree", "remove", "--force", "--force", str(path))
        shutil.rmtree(folder, ignore_errors=True)
        await git.attempt("worktree", "prune")


async def overlay(folder: Path, *, revision: Revision, prefixes: Sequence[str]) -> None:
    """Put the files below `prefixes` as they are in `revision` into the worktree, and take away all others there.

    Raises:
        RepositoryError: Git refused.
    """
    git = Git(folder)
    for prefix in prefixes:
        path = prefix.rstrip("/")
        listed = await git.run("ls-tree", "-r", "-z", "--name-only", revision, "--", path)
        await git.attempt("rm", "-r", "-f", "-q", "--ignore-unmatch", "--", path)
        if listed.strip(b"\0"):
            await git.run("checkout", "--force", revision, "--", path)
    # The index is only a means here: probes look at files, and a reset throws everything away again.
