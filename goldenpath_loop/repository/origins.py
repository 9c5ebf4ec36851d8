"""Whether tests were there before a change was made, also under another name."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from goldenpath_loop.records.base import EvidenceId, Revision, TestId
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.history import Commit
from goldenpath_loop.records.receipts import TestOrigin
from goldenpath_loop.repository.git import Git, paths_of, readable
from goldenpath_loop.repository.log_text import when
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system import clock

__all__ = ["origins_of"]

_MOST_NAMES = 20


@dataclass(frozen=True, slots=True)
class _Addition:
    """Where a file of this name first appears in the history."""

    path: str
    commit: Revision
    committed_at: datetime


async def origins_of(
    git: Git, commit: Commit, tests: Sequence[TestId], witness: Witness
) -> tuple[tuple[TestOrigin, ...], EvidenceId | None]:
    """Where the files of `tests` come from, seen from `commit`; a test whose file git never knew is left out."""
    started_at, began = clock.now(), clock.monotonic_s()
    by_path: dict[str, TestOrigin] = {}
    lines: list[str] = []
    for path in dict.fromkeys(test.split("::", 1)[0] for test in tests):
        additions = [one async for one in _additions(git, path)]
        if not additions or not await git.holds_file(additions[0].commit, path):
            continue
        by_path[path] = await _origin(git, commit, path, additions)
        lines += _told(by_path[path], additions)
    if not by_path:
        return (), None
    lines.append(f"the change: {commit.revision} on {commit.committed_at.isoformat()}")
    evidence = await witness.capture(
        "history",
        ("\n".join(lines) + "\n").encode("utf-8", "replace"),
        subject=f"tests at {commit.revision[:10]}",
        obtained=Obtained(
            how=f"git log --all --diff-filter=A -- PATH; git ls-tree {commit.revision[:10]}^ PATH",
            started_at=started_at,
            duration_s=clock.monotonic_s() - began,
            exit_code=0,
        ),
    )
    found = tuple(
        by_path[path].model_copy(update={"id": test})
        for test in tests
        if (path := test.split("::", 1)[0]) in by_path
    )
    return found, evidence


async def _origin(git: Git, commit: Commit, path: str, additions: Sequence[_Addition]) -> TestOrigin:
    names = [one.path for one in additions]
    before = commit.parents[:1]
    existed = [name for parent in before for name in names if await git.holds_file(parent, name)]
    return TestOrigin(
        id=path,
        existed=bool(existed),
        first_commit=additions[-1].commit,
        first_committed_at=additions[-1].committed_at,
        changed_along=any(readable(name) in commit.files for name in names),
    )


def _told(origin: TestOrigin, additions: Sequence[_Addition]) -> list[str]:
    state = "existed" if origin.existed else "did not exist"
    lines = [f"{origin.id}: {state} before the change"]
    lines += [
        f"  renamed from {readable(older.path)} by {newer.commit} on {newer.committed_at.isoformat()}"
        for newer, older in itertools.pairwise(additions)
    ]
    first = additions[-1]
    lines.append(f"  added by {first.commit} on {first.committed_at.isoformat()}")
    if origin.changed_along:
        lines.append("  the change itself touches it")
    return lines


async def _additions(git: Git, path: str) -> AsyncIterator[_Addition]:
    """The commit that added `path`, then the one that added the name it had before that, and so on."""
    start, seen = "--all", set[str]()
    while path not in seen and len(seen) < _MOST_NAMES:
        seen.add(path)
        # Rows come newest first: the last one is the first time there was such a file.
        added = ("log", "--diff-filter=A", "--no-renames", "--format=%H %ct %P", start, "--", path)
        rows = (await git.attempt(*added)).output.decode("ascii", "replace").splitlines()
        if not rows:
            # Never there, or a test that is not named after a file.
            return
        revision, committed, *parents = rows[-1].split()
        yield _Addition(path, revision, when(committed))
        if len(parents) != 1:
            return
        before = await _name_before(git, parents[0], revision, path)
        if before is None:
            return
        start, path = parents[0], before


async def _name_before(git: Git, parent: Revision, revision: Revision, path: str) -> str | None:
    renames = ("diff-tree", "-r", "-M", "-z", "--diff-filter=R", "--name-status")
    listed = await git.run(*renames, parent, revision)
    parts = paths_of(listed)
    renamed = {new: old for _, old, new in zip(parts[::3], parts[1::3], parts[2::3], strict=True)}
    return renamed.get(path)
