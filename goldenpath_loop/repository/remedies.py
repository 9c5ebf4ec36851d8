"""Remedies as commits on branches of their own, made in worktrees of their own, the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.receipts import RemedyReceipt, WorktreeReceipt
from goldenpath_loop.repository.git import Git, said
from goldenpath_loop.repository.worktrees import prepare_worktree
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system import clock

__all__ = ["TRAILER", "compose", "revert_commit"]

TRAILER = "Goldenpath-Remedy"
_NAME, _EMAIL = "goldenpath-loop", "goldenpath-loop@localhost"


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
) -> RemedyReceipt:
    """Revert `commit` on top of `onto`, meant for `branch`, leaving all below `protected` as it is on `onto`.

    The branch itself is made when it is pushed: a remedy that proves to be none leaves no trace in the repository.

    Files in which the revert conflicts with later changes stay as they are on `onto` too and are named in the
    receipt: whether the rest is enough is for the proof to say. When nothing else is left there is no remedy.

    The commit's dates come from `onto`, so the same remedy has the same id on every clone.

    Raises:
        RepositoryError: Git refused in a way that says nothing about the revert.
    """
    await prepare_worktree(root, folder, name=tree, revision=onto)
    git = Git(folder)
    parents = (await git.line("rev-list", "--parents", "-n", "1", commit)).split()[1:]
    mainline = ("--mainline", "1") if len(parents) > 1 else ()
    done = await git.attempt("revert", "--no-commit", *mainline, commit)
    unmerged = await _conflicts(git)
    if done.exit_code != 0 and not unmerged:
        await git.attempt("revert", "--abort")
        return RemedyReceipt(branch=branch, problem=said(done))
    kept = [*unmerged, *(prefix.rstrip("/") for prefix in protected)]
    for path in kept:
        await git.attempt("rm", "-r", "-f", "-q", "--cached", "--ignore-unmatch", "--", path)
        await git.attempt("reset", "--quiet", onto, "--", path)
    await git.attempt("revert", "--quit")
    conflicts = tuple(path for path in unmerged if not any(path.startswith(prefix) for prefix in protected))
    if not (await git.run("diff", "--cached", "--name-only", onto)).strip():
        await git.attempt("reset", "--hard", "--quiet", onto)
        problem = "it conflicts with later changes" if conflicts else "it changes nothing but protected tests"
        return RemedyReceipt(branch=branch, conflicts=conflicts, problem=problem)
    head = await _commit(git, onto, f"{message}\n{TRAILER}: revert {commit}\n")
    await git.run("checkout", "--force", "--detach", head)
    await git.attempt("clean", "-ffdxq")
    return await _receipt(git, branch, onto, head, conflicts, witness)


async def _conflicts(git: Git) -> tuple[str, ...]:
    listed = await git.run("diff", "--name-only", "--diff-filter=U", "-z")
    return tuple(path for path in listed.decode("utf-8", "replace").split("\0") if path)


async def _commit(git: Git, onto: Revision, message: str) -> Revision:
    """A commit of the index on top of `onto`, one second younger than it."""
    tree = await git.line("write-tree")
    seconds = int(await git.line("show", "-s", "--format=%ct", onto)) + 1
    name = await git.attempt("config", "user.name")
    email = await git.attempt("config", "user.email")
    who = name.output.decode().strip() or _NAME
    mail = email.output.decode().strip() or _EMAIL
    environment = {
        "GIT_AUTHOR_NAME": who,
        "GIT_AUTHOR_EMAIL": mail,
        "GIT_COMMITTER_NAME": who,
        "GIT_COMMITTER_EMAIL": mail,
        "GIT_AUTHOR_DATE": f"{seconds} +0000",
        "GIT_COMMITTER_DATE": f"{seconds} +0000",
    }
    made = await git.run(
        "commit-tree", tree, "-p", onto, "-F", "-", stdin=message.encode(), environment=environment
    )
    return made.decode().strip()


async def _receipt(
    git: Git,
    branch: str,
    onto: Revision,
    head: Revision,
    conflicts: tuple[str, ...],
    witness: Witness,
) -> RemedyReceipt:
    started_at, began = clock.now(), clock.monotonic_s()
    show = ("diff", "--stat", "-p", "--no-renames", onto, head)
    text = await git.run(*show)
    diff = await witness.capture(
        "diff",
        text,
        subject=f"remedy {branch}",
        obtained=Obtained(
            how=f"git {' '.join(show)}",
            started_at=started_at,
            duration_s=clock.monotonic_s() - began,
            exit_code=0,
        ),
    )
    listed = await git.run("diff", "--name-only", "--no-renames", "-z", onto, head)
    files = tuple(path for path in listed.decode("utf-8", "replace").split("\0") if path)
    return RemedyReceipt(branch=branch, head=head, conflicts=conflicts, files=files, diff=diff)


async def compose(
    root: Path, folder: Path, *, base: Revision, heads: Sequence[Revision], tree: str
) -> WorktreeReceipt:
    """A worktree with `base` plus the commits `heads`, in order; what conflicts is said in the receipt."""
    first = heads[0] if heads else base
    await prepare_worktree(root, folder, name=tree, revision=first)
    git = Git(folder)
    for head in heads[1:]:
        done = await git.attempt("cherry-pick", "--no-commit", head)
        if done.exit_code != 0:
            conflicts = await _conflicts(git)
            await git.attempt("reset", "--hard", "--quiet", first)
            detail = f" in {', '.join(conflicts[:3])}" if conflicts else f": {said(done)}"
            return WorktreeReceipt(tree=tree, revision=first, problem=f"{head[:10]} does not fit{detail}")
        message = (await git.run("show", "-s", "--format=%B", head)).decode("utf-8", "replace")
        composed = await _commit(git, await git.line("rev-parse", "HEAD"), message)
        await git.run("checkout", "--force", "--detach", composed)
    revision = await git.line("rev-parse", "HEAD")
    if not revision:
        raise RepositoryError("the composed revision cannot be read", where=str(folder))
    return WorktreeReceipt(tree=tree, revision=revision)
