"""Worktrees of the run's own, outside of the user's checkout: made, reset, and taken away."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import anyio
from anyio import to_thread

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.receipts import WorktreeReceipt
from goldenpath_loop.repository.git import Git, advice_for, checked, said

__all__ = ["head_of", "overlay", "prepare_worktree", "remove_worktrees"]

# Git keeps its list of worktrees in one place of the repository and does not wait for itself.
_registry = anyio.Lock()


async def prepare_worktree(root: Path, folder: Path, *, name: str, revision: Revision) -> WorktreeReceipt:
    """A clean detached worktree at `revision` in `folder`; one that is there already is reset.

    What a killed engine left in `folder` is replaced. The user's checkout, index and branches stay as they are.

    Args:
        root: Top of the user's checkout.
        folder: Where the worktree lies; outside of the checkout.
        name: What the run calls it.
        revision: What is checked out.

    Raises:
        RepositoryError: It could not be made, or `folder` is a place that is not ours.
        ProcessError: Git could not be started.
    """
    _refuse_places_of_the_user(root, folder)
    if not await _reset(root, folder, checked(revision)):
        async with _registry:
            await _make(root, folder, revision)
    return WorktreeReceipt(tree=name, revision=revision)


def _refuse_places_of_the_user(root: Path, folder: Path) -> None:
    checkout, place = root.resolve(), folder.resolve()
    if place.is_relative_to(checkout):
        problem = "a worktree must not lie inside the checkout"
    elif checkout.is_relative_to(place):
        problem = "a worktree must not lie around the checkout"
    elif (folder / ".git").is_dir():
        problem = "a repository of somebody else is there"
    else:
        return
    advice = "Set [loop] worktrees to a folder outside of the repository that nothing else uses."
    raise RepositoryError(problem, where=str(folder), advice=advice)


async def _reset(root: Path, folder: Path, revision: Revision) -> bool:
    if not (folder / ".git").is_file() or not await _is_worktree_of(root, folder):
        return False
    git = Git(folder)
    for arguments in (
        ("checkout", "--force", "--detach", revision),
        ("reset", "--hard", "--quiet", revision),
        ("clean", "-ffdxq"),
    ):
        if (await git.attempt(*arguments)).exit_code != 0:
            return False
    return True


async def _is_worktree_of(root: Path, folder: Path) -> bool:
    words = ("rev-parse", "--show-toplevel", "--git-common-dir")
    there, here = await Git(folder).attempt(*words), await Git(root).attempt(*words)
    if there.exit_code != 0 or here.exit_code != 0:
        return False
    top, common = there.output.decode("utf-8", "surrogateescape").splitlines()[:2]
    own = here.output.decode("utf-8", "surrogateescape").splitlines()[1]
    # Git answers relative to where it was asked.
    same_repository = (folder / common).resolve() == (root / own).resolve()
    return same_repository and Path(top).resolve() == folder.resolve()


async def _make(root: Path, folder: Path, revision: Revision) -> None:
    git = Git(root)
    try:
        await to_thread.run_sync(_clear, folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RepositoryError(
            f"the place of a worktree cannot be cleared: {error.strerror or error}",
            where=str(folder),
            advice="Remove the folder by hand, or set [loop] worktrees to another place.",
        ) from error
    # Ours alone is forgotten: `git worktree prune` would also forget one of the user's whose disk is not there.
    await git.attempt("worktree", "remove", "--force", "--force", str(folder))
    # Forced twice: a git that was killed while adding leaves its entry locked.
    done = await git.attempt("worktree", "add", "--force", "--force", "--detach", str(folder), revision)
    if done.exit_code != 0:
        words = said(done)
        raise RepositoryError(words, where=f"worktree of {revision[:10]}", advice=advice_for(words))


def _clear(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


async def remove_worktrees(root: Path, folder: Path) -> None:
    """Take away `folder` with every worktree in it, and git's memory of them. Safe to repeat.

    Raises:
        RepositoryError: `folder` is a place that is not ours.
        ProcessError: Git could not be started.
    """
    if folder.exists():
        # A run that was blocked at once never made any, wherever they would have been.
        _refuse_places_of_the_user(root, folder)
    async with _registry:
        await to_thread.run_sync(lambda: shutil.rmtree(folder, ignore_errors=True))
        if not root.is_dir():
            return
        git = Git(root)
        listed = await git.attempt("worktree", "list", "--porcelain")
        for line in listed.output.decode("utf-8", "surrogateescape").splitlines():
            path = line.removeprefix("worktree ")
            if path != line and Path(path).is_relative_to(folder.resolve()):
                await git.attempt("worktree", "remove", "--force", "--force", path)


async def head_of(folder: Path) -> Revision | None:
    """The commit that the worktree in `folder` is at; None when it is no worktree.

    Raises:
        ProcessError: Git could not be started.
    """
    done = await Git(folder).attempt("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return done.output.decode().strip() if done.exit_code == 0 else None


async def overlay(folder: Path, *, revision: Revision, prefixes: Sequence[str]) -> None:
    """Put the files below `prefixes` as they are in `revision` into the worktree, and take away all others there.

    Only files change; the index stays at the worktree's own revision, so that git says honestly what differs.

    Args:
        folder: The worktree.
        revision: Whose files are put there.
        prefixes: Folders or files, relative to the worktree.

    Raises:
        RepositoryError: Git refused.
        ProcessError: Git could not be started.
    """
    git = Git(folder)
    for prefix in prefixes:
        path = prefix.rstrip("/") or "."
        wanted = await git.run("ls-tree", "-r", "-z", "--name-only", revision, "--", path)
        standing = await git.run("ls-files", "-z", "--", path)
        if wanted or standing:
            await git.run("restore", f"--source={revision}", "--worktree", "--no-overlay", "--", path)
