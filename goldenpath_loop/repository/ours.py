"""Which commits are ours: nothing else is ever moved or overwritten."""

from __future__ import annotations

from goldenpath_loop.records.base import Revision
from goldenpath_loop.repository.git import EMAIL, Git, checked

__all__ = ["TRAILER", "is_ours"]

TRAILER = "Goldenpath-Remedy"
"""Last line of every remedy's message."""


async def is_ours(git: Git, revision: Revision) -> bool:
    """Whether we made the commit, and nobody changed it since: an amended one carries the name of who did."""
    shown = await git.attempt("log", "-1", "--format=%ce%n%B", checked(revision), "--")
    email, _, message = shown.output.decode("utf-8", "replace").partition("\n")
    return shown.exit_code == 0 and email == EMAIL and f"\n{TRAILER}: " in message
