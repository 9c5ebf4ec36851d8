"""Opens the pull request of a branch once for all engines: entered in the remote first, then written beside the run."""

from __future__ import annotations

import dataclasses
import hashlib
import socket

from goldenpath_loop.engine.bench import Bench
from goldenpath_loop.errors import LogError, RepositoryError
from goldenpath_loop.forge.local import PullRequest, address_of, withdraw
from goldenpath_loop.forge.local import open_pull_request as write
from goldenpath_loop.records.effects import OpenPullRequest
from goldenpath_loop.records.receipts import PullRequestReceipt
from goldenpath_loop.repository.register import Entry, register
from goldenpath_loop.session.folder import RunFolder

__all__ = ["open_pull_request"]


async def open_pull_request(effect: OpenPullRequest, bench: Bench) -> PullRequestReceipt:
    """Open it, or find that another run did.

    Only who is entered in the remote writes the file. Whoever is killed between the two is entered still, and writes
    it when it goes on. Without a remote nobody competes for the branch.

    Raises:
        RepositoryError: The branch is not where it was pushed to any more.
    """
    remote = bench.policy.target.remote
    proposed = PullRequest(
        branch=effect.branch,
        head=effect.head,
        base_branch=effect.base_branch,
        title=bench.redactor.text(effect.title)[0],
        body=bench.redactor.text(effect.body)[0],
        draft=effect.draft,
        where=f"in {bench.root}" + (f" and on {remote}" if effect.is_pushed else ""),
    )
    folder = bench.folder.path
    if not effect.is_pushed:
        return write(folder, proposed)
    try:
        registered = await register(
            bench.root,
            remote=remote,
            branch=effect.branch,
            entry=_entry(effect, bench, str(address_of(folder, proposed))),
            text=proposed.text.encode("utf-8", "replace"),
        )
    except RepositoryError:
        withdraw(folder, proposed)
        raise
    if registered.is_ours:
        return write(folder, dataclasses.replace(proposed, unasked=registered.problem))
    withdraw(folder, proposed)
    theirs = registered.entry
    return PullRequestReceipt(
        branch=effect.branch,
        address=theirs.address,
        draft=theirs.draft,
        found=True,
        opened_by=f"run {theirs.run} on {theirs.host}",
    )


def _entry(effect: OpenPullRequest, bench: Bench, address: str) -> Entry:
    host, _ = bench.redactor.text(socket.gethostname())
    place, _ = bench.redactor.text(address)
    return Entry(
        run=bench.folder.id,
        log=_beginning(bench.folder),
        host=host or "a host without a name",
        address=place,
        head=effect.head,
        draft=effect.draft,
    )


def _beginning(folder: RunFolder) -> str:
    """What tells this run from all others: its name is only that of the second in which it began."""
    try:
        with folder.log.open("rb") as log:
            line = log.readline()
    except OSError as error:
        raise LogError(f"the log cannot be read: {error.strerror}", where=str(folder.log)) from error
    return hashlib.sha256(line.removesuffix(b"\n")).hexdigest()
