"""Gives a written history to git: one stream into `git fast-import`, then a checkout."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from goldenpath_loop.demo.history import Commit
from goldenpath_loop.errors import RepositoryError

__all__ = ["check_out", "git", "import_history", "stream_of"]

EXECUTABLE = frozenset({"ci/run"})
TIMEOUT_S = 60.0


def git(*arguments: str, stdin: bytes = b"") -> str:
    """Run git so that nothing of the person's own configuration can change the outcome.

    Raises:
        RepositoryError: git is not there, does not end in time, or refuses.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", "-c", "core.autocrlf=false", "-c", f"core.hooksPath={os.devnull}", *arguments],
            input=stdin,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=True,
            env=environment,
        )
    except OSError as error:
        raise RepositoryError("git cannot be started", advice="Install git and try again.") from error
    except subprocess.TimeoutExpired as error:
        raise RepositoryError(f"git {arguments[0]} did not end within {TIMEOUT_S:g} s") from error
    except subprocess.CalledProcessError as error:
        raise RepositoryError(
            f"git {arguments[0]}: {error.stderr.decode(errors='replace').strip()}"
        ) from error
    return done.stdout.decode()


def stream_of(commits: Sequence[Commit]) -> bytes:
    """The history in the language of `git fast-import`; commit n gets the mark n + 1."""
    parts: list[bytes] = []

    def counted(text: str) -> bytes:
        data = text.encode()
        return b"data %d\n%s\n" % (len(data), data)

    before: dict[str, str] = {}
    for number, commit in enumerate(commits):
        who = f"{commit.author} {int(commit.at.timestamp())} +0000"
        parts.append(f"commit refs/heads/main\nmark :{number + 1}\nauthor {who}\ncommitter {who}\n".encode())
        parts.append(counted(commit.message + "\n"))
        if number:
            parts.append(b"from :%d\n" % number)
        parts += [f"D {path}\n".encode() for path in sorted(before.keys() - commit.tree.keys())]
        for path, text in sorted(commit.tree.items()):
            if before.get(path) != text:
                mode = "100755" if path in EXECUTABLE else "100644"
                parts.append(f"M {mode} inline {path}\n".encode() + counted(text))
        before = commit.tree
    parts.append(b"done\n")
    return b"".join(parts)


def import_history(origin: Path, commits: Sequence[Commit]) -> list[str]:
    """Make a bare repository with the history on `main`.

    Returns:
        The full commit ids, oldest first.

    Raises:
        RepositoryError: git refused.
    """
    git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(origin))
    git("-C", str(origin), "fast-import", "--quiet", "--done", stdin=stream_of(commits))
    return git("-C", str(origin), "rev-list", "--reverse", "main").split()


def check_out(origin: Path, checkout: Path) -> None:
    """Clone the bare repository, with an identity of its own so that commits work on any machine.

    Raises:
        RepositoryError: git refused.
    """
    git("clone", "--quiet", "--template=", str(origin), str(checkout))
    for name, value in (
        ("user.name", "Staging Operator"),
        ("user.email", "operator@chat.example"),
        ("commit.gpgsign", "false"),
        ("core.autocrlf", "false"),
    ):
        git("-C", str(checkout), "config", name, value)
