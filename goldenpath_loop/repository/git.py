"""Git by its own command line: the one place that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.system.process import Command, Completed, own_environment, run

__all__ = ["Git"]

_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
_ALWAYS = ("-c", "core.quotePath=false", "-c", "color.ui=false", "-c", "advice.detachedHead=false")
_NO_HOOKS = ("-c", "core.hooksPath=/dev/null")


class Git:
    """Runs git in one folder.

    Args:
        folder: A checkout, or a worktree of one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def at(self, folder: Path) -> Git:
        """The same repository, seen from another worktree."""
        return Git(folder)

    async def attempt(
        self,
        *arguments: str,
        stdin: bytes = b"",
        hooks: bool = False,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = 300.0,
    ) -> Completed:
        """Run git and return how it went, whatever the exit code.

        Args:
            arguments: What comes after `git`.
            stdin: What it reads.
            hooks: Whether the user's hooks run; our own bookkeeping never needs them.
            environment: Variables on top of the usual ones.
            timeout_s: How long it may take.

        Raises:
            ProcessError: Git could not be started.
        """
        argv = ("git", *_ALWAYS, *(() if hooks else _NO_HOOKS), *arguments)
        env = own_environment({**_ENVIRONMENT, **(environment or {})})
        command = Command(
            argv, cwd=self.folder, env=env, stdin=stdin, timeout_s=timeout_s, max_output_bytes=64_000_000
        )
        return await run(command, separate=True)

    async def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        hooks: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run git and return what it printed.

        Raises:
            RepositoryError: It did not exit with 0.
        """
        done = await self.attempt(*arguments, stdin=stdin, hooks=hooks, environment=environment)
        if done.exit_code != 0:
            raise RepositoryError(said(done), where=f"git {' '.join(arguments[:3])}")
        return done.output

    async def line(self, *arguments: str) -> str:
        """Run git and return the one line it printed, without its newline."""
        return (await self.run(*arguments)).decode("utf-8", "replace").strip()


def said(done: Completed) -> str:
    """What git complained about, one line."""
    lines = [one.strip() for one in done.errors.decode("utf-8", "replace").splitlines() if one.strip()]
    telling = [one for one in lines if one.startswith(("fatal:", "error:"))]
    if done.ended != "exited":
        return "git took too long and was ended"
    return (telling or lines or [f"git ended with exit code {done.exit_code}"])[0]
