"""First-parent history of the base branch, read in one go."""

from __future__ import annotations

from pathlib import Path

from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.receipts import CommitsReceipt
from goldenpath_loop.repository.git import Git, checked
from goldenpath_loop.repository.log_text import FORMAT, parse_log
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system import clock

__all__ = ["list_commits"]


async def list_commits(
    root: Path, *, bad: Revision, limit: int, without: Revision | None = None, witness: Witness
) -> CommitsReceipt:
    """Commits that lead to `bad` along first parents, newest first, with the paths each touches.

    Args:
        root: Top of the user's checkout.
        bad: Where history is read from.
        limit: The most commits to list.
        without: What leads to this one is left out.
        witness: Gets the list as evidence.

    Raises:
        RepositoryError: `bad` is not there.
        ProcessError: Git could not be started.
    """
    arguments = (
        "log",
        "--first-parent",
        "-m",
        "-z",
        "--name-only",
        "--no-renames",
        f"--max-count={limit + 1}",
        FORMAT,
        checked(bad),
        *([f"^{checked(without)}"] if without else []),
        "--",
    )
    started_at, began = clock.now(), clock.monotonic_s()
    git = Git(root)
    commits = parse_log(await git.run(*arguments))
    listed = commits[:limit]
    # A shallow clone ends at a commit that has a parent elsewhere; git shows it without one.
    is_cut = len(commits) <= limit and await git.line("rev-parse", "--is-shallow-repository") == "true"
    text = "".join(
        f"commit {one.revision}\n  {one.committed_at.isoformat()} {one.author}: {one.subject}\n"
        for one in listed
    )
    if is_cut:
        text += "the clone is shallow: older commits are not in it\n"
    evidence = await witness.capture(
        "history",
        text.encode(),
        subject=f"history of {bad[:10]}",
        obtained=Obtained(
            how=f"git {' '.join(word for word in arguments if word != FORMAT and word != '--')}",
            started_at=started_at,
            duration_s=clock.monotonic_s() - began,
            exit_code=0,
        ),
    )
    return CommitsReceipt(commits=listed, complete=len(commits) <= limit and not is_cut, evidence=evidence)
