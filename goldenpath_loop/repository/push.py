"""Pushes branches of ours; looks at the remote first, and again afterwards."""

from __future__ import annotations

from pathlib import Path

from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.receipts import PushReceipt
from goldenpath_loop.repository.git import Git, said
from goldenpath_loop.repository.remedies import TRAILER

__all__ = ["push_branch"]


async def push_branch(root: Path, *, remote: str, branch: str, head: Revision) -> PushReceipt:
    """Make `branch` point at `head`, here and in `remote`.

    A branch that stands there already is left as it is; one with a head that is not ours is never overwritten.
    What goes wrong is said in the receipt.
    """
    git = Git(root)
    problem = await _claim(git, branch, head)
    if problem:
        return PushReceipt(branch=branch, problem=problem)
    if (await git.attempt("remote", "get-url", remote)).exit_code != 0:
        problem = f"there is no remote called {remote}; the branch is in this repository only"
        return PushReceipt(branch=branch, local_only=True, problem=problem)
    standing, problem = await _remote_head(git, remote, branch)
    if problem:
        return PushReceipt(branch=branch, problem=problem)
    if standing == head:
        return PushReceipt(branch=branch, remote_head=head)
    if standing is not None and not await _is_ours(git, remote, branch, standing):
        return PushReceipt(
            branch=branch,
            remote_head=standing,
            problem=f"{remote} has a branch called {branch} at {standing[:10]} that is not ours",
        )
    done = await git.attempt(
        "push",
        f"--force-with-lease=refs/heads/{branch}:{standing or ''}",
        remote,
        f"{head}:refs/heads/{branch}",
        hooks=True,
    )
    now, problem = await _remote_head(git, remote, branch)
    if now == head:
        return PushReceipt(branch=branch, remote_head=head)
    return PushReceipt(
        branch=branch, remote_head=now, problem=problem or f"the push was refused: {said(done)}"
    )


async def _remote_head(git: Git, remote: str, branch: str) -> tuple[Revision | None, str]:
    listed = await git.attempt("ls-remote", "--heads", remote, f"refs/heads/{branch}", timeout_s=60.0)
    if listed.exit_code != 0:
        return None, f"{remote} cannot be reached: {said(listed)}"
    row = listed.output.decode("utf-8", "replace").split()
    return (row[0] if row else None), ""


async def _is_ours(git: Git, remote: str, branch: str, revision: Revision) -> bool:
    await git.attempt("fetch", "--no-tags", "--quiet", remote, f"refs/heads/{branch}")
    message = await git.attempt("show", "-s", "--format=%B", revision)
    return message.exit_code == 0 and TRAILER in message.output.decode("utf-8", "replace")


async def _claim(git: Git, branch: str, head: Revision) -> str:
    """Point `branch` at `head`; empty when it does, else why it does not."""
    there = await git.attempt("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")
    standing = there.output.decode().strip() if there.exit_code == 0 else ""
    if standing == head:
        return ""
    if standing:
        message = (await git.run("show", "-s", "--format=%B", standing)).decode("utf-8", "replace")
        if TRAILER not in message:
            return f"a branch called {branch} exists and is not ours"
    await git.run("update-ref", f"refs/heads/{branch}", head, standing or "0" * len(head))
    return ""
