"""Pushes branches of ours; looks at the remote first, and again afterwards."""

from __future__ import annotations

from pathlib import Path

from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.receipts import PushReceipt
from goldenpath_loop.repository.git import Git, checked, said
from goldenpath_loop.repository.locks import release_refs
from goldenpath_loop.repository.ours import is_ours
from goldenpath_loop.repository.remote import Remote, remote_called

__all__ = ["push_branch"]


async def push_branch(root: Path, *, remote: str, branch: str, head: Revision) -> PushReceipt:
    """Make `branch` point at `head`, here and in `remote`.

    A branch that stands there already is left as it is; one with a head that is not ours is never overwritten,
    nor is one that somebody has checked out. What goes wrong is said in the receipt.
    """
    git = Git(root)
    problem = await _claim(git, branch, checked(head))
    if problem:
        return PushReceipt(branch=branch, problem=problem)
    there = await remote_called(root, remote)
    if there is None:
        problem = f"there is no remote called {remote}; the branch is in this repository only"
        return PushReceipt(branch=branch, local_only=True, problem=problem)
    name = f"refs/heads/{branch}"
    found, problem = await there.standing(name)
    if problem:
        return PushReceipt(branch=branch, problem=problem)
    standing = found.get(name)
    if standing == head:
        return PushReceipt(branch=branch, remote_head=head)
    if standing is not None and not await _is_ours_there(there, name, standing):
        return PushReceipt(
            branch=branch,
            remote_head=standing,
            problem=f"{remote} has a branch called {branch} at {standing[:10]} that is not ours",
        )
    moved = await there.move(name, head, standing=standing)
    return PushReceipt(branch=branch, remote_head=moved.now, problem=moved.problem)


async def _is_ours_there(remote: Remote, name: str, revision: Revision) -> bool:
    await remote.fetch(name)
    return await is_ours(remote.git, revision)


async def _claim(git: Git, branch: str, head: Revision) -> str:
    """Point `branch` at `head`; empty when it does, else why it does not."""
    name = f"refs/heads/{branch}"
    if (await git.attempt("check-ref-format", name)).exit_code != 0:
        return f"{branch!r} cannot be the name of a branch"
    standing = await git.ref(name)
    if standing == head:
        return ""
    if standing is not None:
        if not await is_ours(git, standing):
            return f"a branch called {branch} exists and is not ours"
        if await _is_checked_out(git, name):
            return f"the branch {branch} is checked out somewhere and would change below the person's hands"
    common = await git.attempt("rev-parse", "--git-common-dir")
    await release_refs(git.folder / common.output.decode("utf-8", "surrogateescape").strip(), (name,))
    why = ("-m", "goldenpath-loop: remedy")
    moved = await git.attempt("update-ref", *why, name, head, standing or "0" * len(head))
    # Somebody may have been quicker with the very same.
    if moved.exit_code == 0 or await git.ref(name) == head:
        return ""
    return f"the branch {branch} cannot be made: {said(moved)}"


async def _is_checked_out(git: Git, name: str) -> bool:
    listed = await git.run("worktree", "list", "--porcelain")
    return f"branch {name}".encode() in listed.split(b"\n")
