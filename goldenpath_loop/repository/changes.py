"""What one commit changed, and whether the tests it broke were there when it was made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.base import Revision, TestId
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.history import Commit
from goldenpath_loop.records.receipts import ChangeReceipt, TestOrigin
from goldenpath_loop.repository.diff_text import parse_diff
from goldenpath_loop.repository.git import Git
from goldenpath_loop.repository.log_text import FORMAT, parse_log
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system import clock

__all__ = ["describe_change"]


async def describe_change(
    root: Path, *, revision: Revision, tests: Sequence[TestId], witness: Witness
) -> ChangeReceipt:
    """Read the commit `revision` against its first parent.

    Raises:
        RepositoryError: It is not there.
    """
    git = Git(root)
    listed = parse_log(
        await git.run(
            "log", "-1", "-m", "--first-parent", "-z", "--name-only", "--no-renames", FORMAT, revision
        )
    )
    if not listed:
        raise RepositoryError("there is no such commit", where=revision)
    commit = listed[0]
    show = ("show", "--first-parent", "-m", "--format=fuller", "--no-renames", "--no-prefix", "-U0", revision)
    started_at, began = clock.now(), clock.monotonic_s()
    text = (await git.run(*show)).decode("utf-8", "replace")
    diff = await witness.capture(
        "diff",
        text.encode(),
        subject=f"commit {revision[:10]} {commit.subject}",
        obtained=Obtained(
            how=f"git {' '.join(show)}",
            started_at=started_at,
            duration_s=clock.monotonic_s() - began,
            exit_code=0,
        ),
    )
    origins, evidence = await _origins(git, commit, tests, witness)
    return ChangeReceipt(
        commit=commit,
        hunks=parse_diff(text),
        origins=origins,
        diff=diff,
        origins_evidence=evidence,
    )


async def _origins(
    git: Git, commit: Commit, tests: Sequence[TestId], witness: Witness
) -> tuple[tuple[TestOrigin, ...], str | None]:
    if not tests:
        return (), None
    started_at, began = clock.now(), clock.monotonic_s()
    by_path: dict[str, TestOrigin] = {}
    lines: list[str] = []
    for path in dict.fromkeys(test.split("::", 1)[0] for test in tests):
        origin = await _origin(git, commit, path)
        by_path[path] = origin
        state = "existed" if origin.existed else "did not exist"
        lines.append(f"{path}: {state} before the change")
        if origin.first_commit and origin.first_committed_at:
            lines.append(f"  added by {origin.first_commit} on {origin.first_committed_at.isoformat()}")
        if origin.changed_along:
            lines.append("  the change itself touches it")
    lines.append(f"the change: {commit.revision} on {commit.committed_at.isoformat()}")
    evidence = await witness.capture(
        "history",
        ("\n".join(lines) + "\n").encode(),
        subject=f"tests at {commit.revision[:10]}",
        obtained=Obtained(
            how=f"git log --diff-filter=A --format=%H -- PATH; git cat-file -e {commit.revision[:10]}^:PATH",
            started_at=started_at,
            duration_s=clock.monotonic_s() - began,
            exit_code=0,
        ),
    )
    return tuple(by_path[test.split("::", 1)[0]].model_copy(update={"id": test}) for test in tests), evidence


async def _origin(git: Git, commit: Commit, path: str) -> TestOrigin:
    existed = False
    if commit.parents:
        existed = (await git.attempt("cat-file", "-e", f"{commit.parents[0]}:{path}")).exit_code == 0
    added = await git.attempt("log", "--diff-filter=A", "--format=%H %cI", "--all", "--", path)
    rows = added.output.decode("utf-8", "replace").split("\n")
    first = next((row.split(" ", 1) for row in reversed(rows) if " " in row), None)
    return TestOrigin(
        id=path,
        existed=existed,
        first_commit=first[0] if first else None,
        first_committed_at=datetime.fromisoformat(first[1]) if first else None,
        changed_along=path in commit.files,
    )
