"""A few questions to git about a folder, asked before there is a run."""

from __future__ import annotations

from pathlib import Path

from goldenpath_loop.errors import UsageError
from goldenpath_loop.system.environment import own_environment
from goldenpath_loop.system.process import Command, run

__all__ = ["ask_git", "begin_of_line", "branch_of", "remote_of", "revision_of", "top_of"]

# Nobody is there to type a password, and output must be in the words we look for.
_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=8"


async def ask_git(folder: Path, *words: str, timeout_s: float = 20.0) -> str | None:
    """What git answers, without the last newline; None when it refuses or takes longer than `timeout_s`.

    Raises:
        ProcessError: Git cannot be started.
    """
    environment = own_environment(_ENVIRONMENT)
    environment.setdefault("GIT_SSH_COMMAND", _SSH)
    command = Command(("git", *words), folder, environment, timeout_s=timeout_s, grace_s=1.0)
    done = await run(command, separate=True)
    if done.ended != "exited" or done.exit_code != 0:
        return None
    return done.output.decode("utf-8", "surrogateescape").removesuffix("\n")


async def top_of(folder: Path) -> Path:
    """Top of the checkout that `folder` lies in.

    Raises:
        UsageError: It lies in none.
        ProcessError: Git cannot be started.
    """
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=str(folder))
    top = await ask_git(folder, "rev-parse", "--show-toplevel")
    if not top:
        raise UsageError(
            "this folder is not in a git repository",
            where=str(folder),
            advice="the loop works on commits: name a folder of a checkout, or start with `git init`",
        )
    return Path(top)


async def remote_of(top: Path) -> str:
    """The remote to work with: `origin`, else the first, else `origin` as the name to be."""
    remotes = (await ask_git(top, "remote") or "").split()
    return "origin" if "origin" in remotes or not remotes else remotes[0]


async def branch_of(top: Path, remote: str) -> str:
    """The remote's default branch as far as this clone knows it, else the one checked out, else `main`."""
    head = await ask_git(top, "symbolic-ref", "--short", f"refs/remotes/{remote}/HEAD")
    if head:
        return head.removeprefix(f"{remote}/")
    return await ask_git(top, "symbolic-ref", "--short", "HEAD") or "main"


async def revision_of(top: Path, name: str) -> str:
    """The commit that `name` stands for.

    Raises:
        UsageError: There is none.
        ProcessError: Git cannot be started.
    """
    found = await ask_git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if not found:
        raise UsageError(f"{name} is no commit of this repository", where=str(top))
    return found


async def begin_of_line(top: Path, bad: str, good: str) -> str:
    """The newest first-parent ancestor of `bad` that also leads to `good`: `good` itself, or where its branch began.

    Raises:
        UsageError: The two have no such commit in common, or nothing lies between.
        ProcessError: Git cannot be started.
    """
    line = (await ask_git(top, "rev-list", "--first-parent", bad, f"^{good}", timeout_s=120.0) or "").split()
    if not line:
        raise UsageError(
            f"{bad[:10]} leads to {good[:10]}, not the other way round",
            where=str(top),
            advice="exchange --good and --bad, or name an older --good",
        )
    begin = await ask_git(top, "rev-parse", "--verify", "--quiet", f"{line[-1]}^1")
    if not begin:
        raise UsageError(
            f"{good[:10]} and {bad[:10]} have no history in common",
            where=str(top),
            advice="name a --good revision that leads to the bad one",
        )
    return begin
