"""What the user's checkout is, and which commit is the base. Reads only."""

from __future__ import annotations

from pathlib import Path

from goldenpath_loop.records.receipts import BaseReceipt
from goldenpath_loop.repository.git import Git

__all__ = ["inspect_base"]


async def inspect_base(root: Path, branch: str) -> BaseReceipt:
    """Look at the repository in `root`; everything that is wrong with it is in the receipt."""
    git = Git(root)
    inside = await git.attempt("rev-parse", "--is-inside-work-tree")
    if inside.exit_code != 0:
        return BaseReceipt(problem=f"{root} is not a git repository; the loop works on committed revisions")
    head = await git.attempt("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
    if head.exit_code != 0:
        anything = await git.attempt("rev-parse", "--verify", "--quiet", "HEAD")
        reason = "has no commit yet" if anything.exit_code != 0 else f"has no branch called {branch}"
        return BaseReceipt(
            problem=f"the repository {reason}; set [target] branch to the one that is deployed"
        )
    revision = head.output.decode().strip()
    status = await git.run("status", "--porcelain=v1", "-z", "--untracked-files=no")
    dirty = tuple(entry[3:] for entry in status.decode("utf-8", "replace").split("\0") if len(entry) > 3)
    return BaseReceipt(revision=revision, dirty=dirty)
