"""Remedies as commits made in worktrees of their own, the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.receipts import RemedyReceipt, WorktreeReceipt
from goldenpath_loop.repository.git import Git, checked, paths_of, readable, said
from goldenpath_loop.repository.hunks import take_back
from goldenpath_loop.repository.ours import TRAILER
from goldenpath_loop.repository.worktrees import prepare_worktree
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system import clock

__all__ = ["commit_patch", "compose", "revert_commit"]


async def revert_commit(
    root: Path,
    folder: Path,
    *,
    commit: Revision,
    onto: Revision,
    branch: str,
    tree: str,
    message: str,
    protected: Sequence[str],
    witness: Witness,
    hunks: Sequence[int] = (),
) -> RemedyReceipt:
    """Revert `commit` on top of `onto`, meant for `branch`, leaving all below `protected` as it is on `onto`.

    The branch itself is made when it is pushed: a remedy that proves to be none leaves no trace in the repository.

    Files in which the revert conflicts with later changes stay as they are on `onto` too and are named in the
    receipt: whether the rest is enough is for the proof to say. When nothing else is left there is no remedy.

    The same remedy has the same id on every clone: its dates come from `onto`, and author and committer are the
    loop itself, never the person whose machine it runs on.

    With `hunks` only those are taken back, each file merged with what later commits made of it.

    Raises:
        RepositoryError: Git refused in a way that says nothing about the revert.
    """
    await prepare_worktree(root, folder, name=tree, revision=onto)
    git = Git(folder)
    if hunks:
        return await _revert_hunks(git, folder, commit, onto, branch, message, hunks, witness)
    parents = (await git.line("rev-list", "--parents", "-n", "1", checked(commit), "--")).split(" ")[1:]
    mainline = ("--mainline", "1") if len(parents) > 1 else ()
    done = await git.attempt("revert", "--no-commit", *mainline, commit)
    unmerged = await _unmerged(git)
    if done.exit_code != 0 and not unmerged:
        await git.run("reset", "--hard", "--quiet", onto)
        return RemedyReceipt(branch=branch, problem=said(done))
    reverted = await git.run("diff", "--cached", "--name-only", "-z", onto)
    conflicts = tuple(path for path in unmerged if not _is_below(path, protected))
    moved = await _moved_along(git, commit, parents[0], unmerged) if parents and unmerged else ()
    for path in (*unmerged, *moved, *(str(PurePosixPath(prefix)) for prefix in protected)):
        await git.run("reset", "--quiet", onto, "--", path)
    named = tuple(readable(path) for path in conflicts)
    if not await git.run("diff", "--cached", "--name-only", onto):
        await git.run("reset", "--hard", "--quiet", onto)
        return RemedyReceipt(branch=branch, conflicts=named, problem=_nothing(named, reverted))
    head = await _commit(git, onto, f"{message.rstrip()}\n\n{TRAILER}: revert {commit}\n")
    await _settle(git, head)
    return await _receipt(git, branch, onto, head, named, witness)


async def _revert_hunks(
    git: Git,
    folder: Path,
    commit: Revision,
    onto: Revision,
    branch: str,
    message: str,
    hunks: Sequence[int],
    witness: Witness,
) -> RemedyReceipt:
    composed = await take_back(folder, commit=commit, chosen=hunks)
    if composed.problem:
        await _settle(git, onto)
        return RemedyReceipt(branch=branch, problem=composed.problem)
    await git.run("add", "--all")
    named = ",".join(map(str, hunks))
    head = await _commit(git, onto, f"{message.rstrip()}\n\n{TRAILER}: revert {commit} hunks {named}\n")
    await _settle(git, head)
    return await _receipt(git, branch, onto, head, (), witness)


async def commit_patch(
    folder: Path, *, onto: Revision, branch: str, message: str, dispatch: str, witness: Witness
) -> RemedyReceipt:
    """Make a commit of what is staged in the worktree in `folder`, the same on every machine.

    Raises:
        RepositoryError: Git refused.
        ProcessError: Git could not be started.
    """
    git = Git(folder)
    head = await _commit(git, onto, f"{message.rstrip()}\n\n{TRAILER}: patch of {dispatch}\n")
    await _settle(git, head)
    return await _receipt(git, branch, onto, head, (), witness)


def _nothing(conflicts: tuple[str, ...], reverted: bytes) -> str:
    if conflicts:
        return "it conflicts with later changes"
    if reverted:
        return "it changes nothing but protected tests"
    return "nothing of the change is left to take back"


def _is_below(path: str, prefixes: Sequence[str]) -> bool:
    return any(PurePosixPath(path).is_relative_to(prefix) for prefix in prefixes)


async def _unmerged(git: Git) -> tuple[str, ...]:
    return paths_of(await git.run("diff", "--name-only", "--diff-filter=U", "-z"))


async def _moved_along(
    git: Git, commit: Revision, parent: Revision, unmerged: Sequence[str]
) -> tuple[str, ...]:
    """Other names of the unmerged files: taking back half of a rename would lose the file or double it."""
    listed = await git.run("diff-tree", "-r", "-M", "-z", "--diff-filter=R", "--name-status", commit, parent)
    parts = paths_of(listed)
    pairs = zip(parts[1::3], parts[2::3], strict=True)
    return tuple(path for pair in pairs if not set(pair).isdisjoint(unmerged) for path in pair)


async def _commit(git: Git, onto: Revision, message: str) -> Revision:
    """A commit of the index on top of `onto`, one second younger than it."""
    tree = await git.line("write-tree")
    seconds = int(await git.line("log", "-1", "--format=%ct", onto, "--")) + 1
    dates = {"GIT_AUTHOR_DATE": f"{seconds} +0000", "GIT_COMMITTER_DATE": f"{seconds} +0000"}
    text = message.encode("utf-8", "replace")
    made = await git.run("commit-tree", tree, "-p", onto, "-F", "-", stdin=text, environment=dates)
    return made.decode().strip()


async def _settle(git: Git, head: Revision) -> None:
    """Leave the worktree at `head` with nothing half done in it."""
    await git.run("checkout", "--force", "--detach", head)
    await git.run("reset", "--hard", "--quiet", head)
    await git.run("clean", "-ffdxq")


async def _receipt(
    git: Git,
    branch: str,
    onto: Revision,
    head: Revision,
    conflicts: tuple[str, ...],
    witness: Witness,
) -> RemedyReceipt:
    started_at, began = clock.now(), clock.monotonic_s()
    show = ("diff", "--stat", "-p", "--no-renames", "--no-ext-diff", "--no-textconv")
    text = await git.run(*show, "--no-color", "--src-prefix=a/", "--dst-prefix=b/", onto, head, "--")
    diff = await witness.capture(
        "diff",
        text,
        subject=f"remedy {branch}",
        obtained=Obtained(
            how=f"git {' '.join(show)} {onto} {head}",
            started_at=started_at,
            duration_s=clock.monotonic_s() - began,
            exit_code=0,
        ),
    )
    listed = await git.run("diff", "--name-only", "--no-renames", "-z", onto, head, "--")
    files = tuple(readable(path) for path in paths_of(listed))
    return RemedyReceipt(branch=branch, head=head, conflicts=conflicts, files=files, diff=diff)


async def compose(
    root: Path, folder: Path, *, base: Revision, heads: Sequence[Revision], tree: str
) -> WorktreeReceipt:
    """A worktree with `base` plus the commits `heads`, in order; what conflicts is said in the receipt.

    The same base and heads give the same revision everywhere; one head made on `base` is that revision itself.

    Raises:
        RepositoryError: A revision is not there, or git refused.
    """
    await prepare_worktree(root, folder, name=tree, revision=base)
    git = Git(folder)
    revision = base
    for head in heads:
        standing = (await git.line("rev-list", "--parents", "-n", "1", checked(head), "--")).split(" ")[1:]
        if standing == [revision]:
            revision = head
            await _settle(git, revision)
            continue
        done = await git.attempt("cherry-pick", "--no-commit", head)
        if done.exit_code != 0:
            conflicts = await _unmerged(git)
            await _settle(git, revision)
            named = ", ".join(readable(path) for path in conflicts[:3])
            detail = f" in {named}" if conflicts else f": {said(done)}"
            return WorktreeReceipt(tree=tree, revision=revision, problem=f"{head[:10]} does not fit{detail}")
        message = (await git.run("log", "-1", "--format=%B", head, "--")).decode("utf-8", "replace")
        revision = await _commit(git, revision, message)
        await _settle(git, revision)
    return WorktreeReceipt(tree=tree, revision=revision)
