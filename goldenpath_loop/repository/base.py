"""What the user's checkout is, and which commit is the base. Reads only."""

from __future__ import annotations

from pathlib import Path

from goldenpath_loop.records.receipts import BaseReceipt
from goldenpath_loop.repository.git import Git, paths_of, readable, said

__all__ = ["inspect_base"]


async def inspect_base(root: Path, branch: str) -> BaseReceipt:
    """Look at the repository in `root`; everything that is wrong with it is in the receipt.

    Files that git does not track are the person's own business and do not count as dirty.

    Args:
        root: Top of the user's checkout.
        branch: The base branch.

    Raises:
        RepositoryError: The checkout's state cannot be read.
        ProcessError: Git could not be started.
    """
    git = Git(root)
    inside = await git.attempt("rev-parse", "--is-inside-work-tree")
    if inside.exit_code != 0:
        words = said(inside)
        if "not a git repository" in words:
            words = f"{root} is not a git repository; the loop works on committed revisions"
        return BaseReceipt(problem=words)
    if inside.output.strip() != b"true":
        return BaseReceipt(problem=f"{root} has no files checked out; clone it, and run there")
    revision = await git.ref(f"refs/heads/{branch}")
    if revision is None:
        anything = await git.attempt("for-each-ref", "--count=1", "refs/heads")
        reason = f"has no branch called {branch}" if anything.output.strip() else "has no commit yet"
        return BaseReceipt(
            problem=f"the repository {reason}; set [target] branch to the one that is deployed"
        )
    listed = await git.run("status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames")
    return BaseReceipt(revision=revision, dirty=tuple(readable(entry[3:]) for entry in paths_of(listed)))
