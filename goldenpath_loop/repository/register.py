"""The register of pull requests: one ref a branch in the remote itself, so that engines which never meet open one.

A ref is made and moved only from where it was seen, so of engines that compete exactly one enters. It points at a
commit that stands for itself: `pull_request.md` is the text, the message says who opened it and for which head.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.base import Revision, pull_request_ref
from goldenpath_loop.repository.git import EMAIL, Git
from goldenpath_loop.repository.remote import Remote, remote_called
from goldenpath_loop.system.plain import plain_line

__all__ = ["Entry", "Registered", "register"]

_TRIES = 8
_FILE = "pull_request.md"
_MAX_CHARS = 400
_FORMS = {
    "Run": re.compile(r"[A-Za-z0-9_.-]{1,200}"),
    "Log": re.compile(r"[0-9a-f]{64}"),
    "Head": re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?"),
    "State": re.compile(r"draft|open"),
    "Host": re.compile(r".+"),
    "Address": re.compile(r".+"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """Who opened the pull request of a branch, for what, and where its file is."""

    run: str
    log: str
    """SHA-256 of the first line of the run's log: two runs that began in the same second have the same name."""
    host: str
    address: str
    head: Revision
    draft: bool


@dataclass(frozen=True, slots=True)
class Registered:
    """Whose pull request it is."""

    entry: Entry
    is_ours: bool
    problem: str = ""
    """Why nobody could be asked; whether another run opened it is not known then."""


async def register(root: Path, *, remote: str, branch: str, entry: Entry, text: bytes) -> Registered:
    """Enter the pull request of `branch` in `remote`, or find the one that is entered.

    An entry of the same run is brought up to date: it may have been made by an engine that was killed since. One of
    another run counts when it is for the same head, or for the head that the branch was moved to meanwhile; one for
    an older head is taken over.

    Raises:
        RepositoryError: The branch stands at another head now, and nobody says why.
        ProcessError: Git could not be started.
    """
    there = await remote_called(root, remote)
    if there is None:
        return Registered(entry, True, f"there is no remote called {remote}")
    ref, head = pull_request_ref(branch), f"refs/heads/{branch}"
    problem = ""
    for _ in range(_TRIES):
        found, problem = await there.standing(ref, head)
        if problem:
            return Registered(entry, True, problem)
        known = await _read(there, ref, found[ref]) if ref in found else None
        match _whose(entry, known, found.get(head)):
            case "theirs":
                assert isinstance(known, Entry)
                return Registered(known, False)
            case "moved":
                where = f"at {found[head][:10]}" if head in found else "gone"
                raise RepositoryError(f"{branch} is {where} on {remote} since it was pushed", where=branch)
            case "absent":
                return Registered(entry, True, f"{ref} of {remote} could not be fetched")
            case "unreadable":
                return Registered(entry, True, f"{ref} of {remote} is no entry of a pull request")
            case "ours":
                pass
        commit = await _commit(there.git, entry, branch, text, found.get(ref))
        if commit == found.get(ref):
            return Registered(entry, True)
        moved = await there.move(ref, commit, standing=found.get(ref))
        if moved.now == commit:
            return Registered(entry, True)
        problem = moved.problem
        if moved.now == found.get(ref):
            break
    return Registered(entry, True, f"{ref} cannot be written: {problem}")


def _whose(
    mine: Entry, known: Entry | Literal["unreadable", "absent"] | None, branch_head: Revision | None
) -> Literal["ours", "theirs", "moved", "unreadable", "absent"]:
    if isinstance(known, str):
        return known
    if known is not None and known.log != mine.log and known.head in (mine.head, branch_head):
        return "theirs"
    return "ours" if branch_head == mine.head else "moved"


async def _read(remote: Remote, ref: str, revision: Revision) -> Entry | Literal["unreadable", "absent"]:
    """The entry at `revision`; what it says comes from outside and is held to its form."""
    is_here = ("cat-file", "-e", revision)
    if (await remote.git.attempt(*is_here)).exit_code != 0:
        await remote.fetch(ref)
        if (await remote.git.attempt(*is_here)).exit_code != 0:
            return "absent"
    shown = await remote.git.attempt("log", "-1", "--format=%ce%n%B", revision, "--")
    email, _, message = shown.output.decode("utf-8", "replace").partition("\n")
    rows = (line.partition(": ") for line in message.splitlines() if line.startswith("Goldenpath-"))
    said = {
        name.removeprefix("Goldenpath-"): plain_line(words, max_chars=_MAX_CHARS) for name, _, words in rows
    }
    is_whole = all(name in said and form.fullmatch(said[name]) for name, form in _FORMS.items())
    if shown.exit_code != 0 or email != EMAIL or not is_whole:
        return "unreadable"
    return Entry(
        run=said["Run"],
        log=said["Log"],
        host=said["Host"],
        address=said["Address"],
        head=said["Head"],
        draft=said["State"] == "draft",
    )


async def _commit(git: Git, entry: Entry, branch: str, text: bytes, standing: Revision | None) -> Revision:
    """The entry as a commit on top of the one that stands; that one itself when it says the same.

    Nothing of the moment is in it, so an engine that was killed and its successor make the same one. On top, because
    there are servers that let no ref be moved to anything else.
    """
    blob = (await git.run("hash-object", "-w", "--stdin", stdin=text)).decode().strip()
    tree = (await git.run("mktree", stdin=f"100644 blob {blob}\t{_FILE}\n".encode())).decode().strip()
    rows = {
        "Run": entry.run,
        "Log": entry.log,
        "Host": entry.host,
        "Address": entry.address,
        "Head": entry.head,
        "State": "draft" if entry.draft else "open",
    }
    lines = "".join(f"Goldenpath-{name}: {' '.join(words.split())}\n" for name, words in rows.items())
    message = f"Pull request of {branch}\n\n{lines}".encode("utf-8", "replace")
    if standing is not None:
        shown = await git.run("log", "-1", "--format=%T%n%B", standing, "--")
        if shown.strip() == f"{tree}\n".encode() + message.strip():
            return standing
    seconds = int(await git.line("log", "-1", "--format=%ct", entry.head, "--"))
    dates = {"GIT_AUTHOR_DATE": f"{seconds} +0000", "GIT_COMMITTER_DATE": f"{seconds} +0000"}
    parents = ("-p", standing) if standing else ()
    made = await git.run("commit-tree", tree, *parents, "-F", "-", stdin=message, environment=dates)
    return made.decode().strip()
