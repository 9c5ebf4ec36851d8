"""Git by its own command line: the one place of this package that runs it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.base import Revision
from goldenpath_loop.repository.git_settings import NEUTRAL, QUIET
from goldenpath_loop.system.environment import own_environment
from goldenpath_loop.system.process import Command, Completed, run

__all__ = ["EMAIL", "Git", "advice_for", "checked", "paths_of", "readable", "said"]

EMAIL = "goldenpath-loop@localhost"
_NAME = "goldenpath-loop"
_MAX_OUTPUT_BYTES = 256_000_000

_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
_NEUTRAL_ENVIRONMENT = {
    # Paths are paths here: one that holds `*` or begins with `:` is no pattern.
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_GLOB_PATHSPECS": "0",
    "GIT_NOGLOB_PATHSPECS": "0",
    "GIT_ICASE_PATHSPECS": "0",
    "GIT_DIFF_OPTS": "",
    "GIT_EDITOR": "true",
    "GIT_AUTHOR_NAME": _NAME,
    "GIT_AUTHOR_EMAIL": EMAIL,
    "GIT_COMMITTER_NAME": _NAME,
    "GIT_COMMITTER_EMAIL": EMAIL,
}

_REVISION = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s']+@")
_ADVICE = (
    ("dubious ownership", "Let git trust the folder: git config --global --add safe.directory FOLDER"),
    (
        ".lock': File exists",
        "Another git works there, or was killed: wait for it, or remove the file it names.",
    ),
    ("No space left", "Free space on the disk, then go on with `loop resume`."),
    ("Permission denied", "Check who owns the folder; the loop needs to read it and git needs to write it."),
    ("bad object", "The commit is not in this clone: git fetch --all"),
    ("object file", "The repository is damaged: git fsck names what is missing."),
)


class Git:
    """Runs git in one folder.

    Args:
        folder: A checkout, or a worktree of one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def attempt(
        self,
        *arguments: str,
        stdin: bytes = b"",
        as_the_user: bool = False,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = 300.0,
    ) -> Completed:
        """Run git and return how it went, whatever the exit code.

        Args:
            arguments: What comes after `git`.
            stdin: What it reads.
            as_the_user: Whether the person's own settings and hooks count; our own bookkeeping never needs them.
            environment: Variables on top of the usual ones; credentials travel here, never as arguments.
            timeout_s: How long it may take.

        Raises:
            ProcessError: Git could not be started.
        """
        neutral = {} if as_the_user else _NEUTRAL_ENVIRONMENT
        env = own_environment({**_ENVIRONMENT, **neutral, **(environment or {})})
        if not as_the_user:
            env.pop("GIT_EXTERNAL_DIFF", None)
        command = Command(
            ("git", *(QUIET if as_the_user else NEUTRAL), *arguments),
            cwd=self.folder,
            env=env,
            stdin=stdin,
            timeout_s=timeout_s,
            max_output_bytes=_MAX_OUTPUT_BYTES,
            is_bookkeeping=not as_the_user,
        )
        return await run(command, separate=True)

    async def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run git and return what it printed.

        Raises:
            RepositoryError: It did not exit with 0, or printed more than can be kept.
            ProcessError: Git could not be started.
        """
        done = await self.attempt(*arguments, stdin=stdin, environment=environment)
        where = f"git {' '.join(arguments[:3])}"
        if done.exit_code != 0 or done.ended != "exited":
            words = said(done)
            raise RepositoryError(words, where=where, advice=advice_for(words))
        if done.truncated:
            raise RepositoryError("git printed more than can be read at once", where=where)
        return done.output

    async def line(self, *arguments: str) -> str:
        """Run git and return the one line it printed, without its newline.

        Raises:
            RepositoryError: It did not exit with 0.
            ProcessError: Git could not be started.
        """
        return (await self.run(*arguments)).decode("utf-8", "replace").strip()

    async def ref(self, name: str) -> Revision | None:
        """Commit that the full name of a ref, `refs/heads/main`, points at; None when there is no such ref."""
        there = await self.attempt("show-ref", "--verify", "--quiet", "--", name)
        if there.exit_code != 0:
            return None
        found = await self.attempt("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return found.output.decode().strip() if found.exit_code == 0 else None

    async def holds_file(self, revision: Revision, path: str) -> bool:
        """Whether there is a file called `path` in a revision."""
        listed = await self.run("ls-tree", "-z", "--full-tree", checked(revision), "--", path)
        return any(entry.split(b" ", 2)[1] == b"blob" for entry in listed.split(b"\0") if entry)


def checked(revision: str) -> Revision:
    """The revision, which is a full commit id and so can be neither an option nor a range.

    Raises:
        RepositoryError: It is something else.
    """
    if not _REVISION.fullmatch(revision):
        raise RepositoryError(f"{revision!r} is not a full commit id")
    return revision


def said(done: Completed) -> str:
    """What git complained about, one line, without credentials of addresses in it."""
    if done.ended != "exited":
        return "git took too long and was ended"
    text = _CREDENTIALS.sub("", done.errors.decode("utf-8", "replace"))
    lines = [one.strip() for one in text.splitlines() if one.strip()]
    telling = [one for one in lines if one.startswith(("fatal:", "error:"))]
    return (telling or lines or [f"git ended with exit code {done.exit_code}"])[0]


def advice_for(words: str) -> str:
    """What a person can do about what git said; empty when nothing can be said."""
    return next((advice for sign, advice in _ADVICE if sign in words), "")


def paths_of(output: bytes) -> tuple[str, ...]:
    """Paths of output made with `-z`, in a form that can be given back to git whatever bytes they hold."""
    return tuple(os.fsdecode(path) for path in output.split(b"\0") if path)


def readable(path: str) -> str:
    """A path of `paths_of` as it stands in records: always valid text."""
    return os.fsencode(path).decode("utf-8", "replace")
