"""Pushes branches of ours; looks at the remote first, and again afterwards."""

from __future__ import annotations

from pathlib import Path

from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.receipts import PushReceipt
from goldenpath_loop.repository.git import Git, checked, said
from goldenpath_loop.repository.ours import is_ours
from goldenpath_loop.system.process import Completed

__all__ = ["push_branch"]

_HOOKS_TIMEOUT_S = 900.0
"""People let whole test suites run before a push."""


async def push_branch(root: Path, *, remote: str, branch: str, head: Revision) -> PushReceipt:
    """Make `branch` point at `head`, here and in `remote`.

    A branch that stands there already is left as it is; one with a head that is not ours is never overwritten,
    nor is one that somebody has checked out. What goes wrong is said in the receipt.
    """
    git = Git(root)
    problem = await _claim(git, branch, checked(head))
    if problem:
        return PushReceipt(branch=branch, problem=problem)
    place = await _push_address(git, remote)
    if place is None:
        problem = f"there is no remote called {remote}; the branch is in this repository only"
        return PushReceipt(branch=branch, local_only=True, problem=problem)
    standing, problem = await _remote_head(git, remote, place, branch)
    if problem:
        return PushReceipt(branch=branch, problem=problem)
    if standing == head:
        return PushReceipt(branch=branch, remote_head=head)
    if standing is not None and not await _is_ours_there(git, place, branch, standing):
        return PushReceipt(
            branch=branch,
            remote_head=standing,
            problem=f"{remote} has a branch called {branch} at {standing[:10]} that is not ours",
        )
    done = await git.attempt(
        "push",
        "--no-follow-tags",
        "--no-signed",
        "--recurse-submodules=no",
        # An empty expectation means: only if it is not there.
        f"--force-with-lease=refs/heads/{branch}:{standing or ''}",
        "--",
        remote,
        f"{head}:refs/heads/{branch}",
        as_the_user=True,
        timeout_s=_HOOKS_TIMEOUT_S,
    )
    # What the push says matters less than where the branch stands: another engine may have done the same.
    now, problem = await _remote_head(git, remote, place, branch)
    if now == head:
        return PushReceipt(branch=branch, remote_head=head)
    return PushReceipt(
        branch=branch, remote_head=now, problem=problem or f"the push was refused: {_why(done)}"
    )


async def _push_address(git: Git, remote: str) -> str | None:
    """What to look at to see a push: the remote, or where it pushes to when that is another place."""
    fetches = await git.attempt("remote", "get-url", "--", remote)
    pushes = await git.attempt("remote", "get-url", "--push", "--", remote)
    if fetches.exit_code != 0 or pushes.exit_code != 0:
        return None
    return remote if fetches.output == pushes.output else pushes.output.decode().strip()


async def _remote_head(git: Git, remote: str, place: str, branch: str) -> tuple[Revision | None, str]:
    name = f"refs/heads/{branch}"
    listed = await git.attempt("ls-remote", "--heads", "--", place, name, timeout_s=60.0)
    if listed.exit_code != 0:
        return None, f"{remote} cannot be reached: {said(listed)}"
    # Git matches the end of names, so others than the one asked for may be listed.
    rows = (row.partition("\t") for row in listed.output.decode("utf-8", "replace").split("\n"))
    return next((revision for revision, _, found in rows if found == name), None), ""


async def _is_ours_there(git: Git, place: str, branch: str, revision: Revision) -> bool:
    # Into nothing but the object store: neither FETCH_HEAD nor a tracking branch of the person's changes.
    quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=")
    await git.attempt("fetch", *quiet, "--", place, f"refs/heads/{branch}")
    return await is_ours(git, revision)


def _why(done: Completed) -> str:
    """The words of who refused, one line."""
    lines = [one.strip() for one in done.errors.decode("utf-8", "replace").splitlines()]
    words = [one for one in lines if one.startswith(("! [", "remote: "))]
    if done.ended != "exited" or not words:
        return said(done)
    return "; ".join(words)[:300]


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
    why = ("-m", "goldenpath-loop: remedy")
    moved = await git.attempt("update-ref", *why, name, head, standing or "0" * len(head))
    # Somebody may have been quicker with the very same.
    if moved.exit_code == 0 or await git.ref(name) == head:
        return ""
    return f"the branch {branch} cannot be made: {said(moved)}"


async def _is_checked_out(git: Git, name: str) -> bool:
    listed = await git.run("worktree", "list", "--porcelain")
    return f"branch {name}".encode() in listed.split(b"\n")
