"""First-parent history of the base branch, read in one go."""

from __future__ import annotations

from pathlib import Path

from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.receipts import CommitsReceipt
from goldenpath_loop.repository.git import Git
from goldenpath_loop.repository.log_text import FORMAT, parse_log
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system import clock

__all__ = ["list_commits"]


async def list_commits(root: Path, *, bad: Revision, limit: int, witness: Witness) -> CommitsReceipt:
    """Commits that lead to `bad` along first parents, newest first, with the paths each touches.

    Raises:
        RepositoryError: `bad` is not there.
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
        bad,
        "--",
    )
    started_at, began = clock.now(), clock.monotonic_s()
    commits = parse_log(await Git(root).run(*arguments))
    listed = commits[:limit]
    text = "".join(
        f"commit {one.revision}\n  {one.committed_at.isoformat()} {one.author}: {one.subject}\n"
        for one in listed
    )
    evidence = await witness.capture(
        "history",
        text.encode(),
        subject=f"history of {bad[:10]}",
        obtained=Obtained(
            how=f"git {' '.join(arguments[:3])} {bad}",
            started_at=started_at,
            duration_s=clock.monotonic_s() - began,
            exit_code=0,
        ),
    )
    return CommitsReceipt(commits=listed, complete=len(commits) <= limit, evidence=evidence)
