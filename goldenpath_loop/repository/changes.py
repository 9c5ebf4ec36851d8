"""What one commit changed, and whether the tests it broke were there when it was made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from goldenpath_loop.records.base import Revision, TestId
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.receipts import ChangeReceipt
from goldenpath_loop.repository.diff_text import parse_diff
from goldenpath_loop.repository.git import Git, checked
from goldenpath_loop.repository.log_text import FORMAT, parse_log
from goldenpath_loop.repository.origins import origins_of
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system import clock

__all__ = ["describe_change"]

_LOG = ("log", "-1", "-m", "--first-parent", "-z", "--name-only", "--no-renames", FORMAT)
_SHOW = ("show", "--first-parent", "-m", "--format=fuller", "--no-renames", "--no-prefix", "-U0")
# Programs of the person's choice must not rewrite what the commit says, nor notes be taken for a part of it.
_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-notes")


async def describe_change(
    root: Path, *, revision: Revision, tests: Sequence[TestId], witness: Witness
) -> ChangeReceipt:
    """Read the commit `revision` against its first parent.

    Raises:
        RepositoryError: It is not there.
    """
    git = Git(root)
    commit = parse_log(await git.run(*_LOG, checked(revision), "--"))[0]
    started_at, began = clock.now(), clock.monotonic_s()
    text = (await git.run(*_SHOW, *_PLAIN, revision, "--")).decode("utf-8", "replace")
    diff = await witness.capture(
        "diff",
        text.encode(),
        subject=f"commit {revision[:10]} {commit.subject}",
        obtained=Obtained(
            how=f"git {' '.join(_SHOW)} {revision}",
            started_at=started_at,
            duration_s=clock.monotonic_s() - began,
            exit_code=0,
        ),
    )
    origins, evidence = await origins_of(git, commit, tests, witness)
    return ChangeReceipt(
        commit=commit,
        hunks=parse_diff(text),
        origins=origins,
        diff=diff,
        origins_evidence=evidence,
    )
