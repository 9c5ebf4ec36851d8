"""Reads what `git log` prints in our own format. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pydantic import ValidationError

from goldenpath_loop.errors import RepositoryError
from goldenpath_loop.records.history import Commit

__all__ = ["FORMAT", "parse_log", "when"]

FORMAT = "--format=%x00%H%x00%P%x00%aN%x00%ct%x00%s"
"""One record a commit. NUL is the one byte that neither a name nor a path holds: an empty field begins a commit, five
fields follow, then its paths up to the next empty one."""

_FIELDS = 5


def parse_log(output: bytes) -> tuple[Commit, ...]:
    """Commits of `git log -z --name-only` with `FORMAT`, in the order they were printed.

    Raises:
        RepositoryError: This is not what git prints.
    """
    if not output:
        return ()
    fields = output.decode("utf-8", "replace").split("\0")
    if fields.pop():
        raise _unreadable("it breaks off")
    return tuple(_commits(fields))


def _commits(fields: list[str]) -> Iterator[Commit]:
    at = 0
    while at < len(fields):
        if fields[at] or len(fields) <= at + _FIELDS:
            raise _unreadable(f"no commit begins at field {at}")
        revision, parents, author, seconds, subject = fields[at + 1 : at + 1 + _FIELDS]
        at += 1 + _FIELDS
        paths: list[str] = []
        while at < len(fields) and fields[at]:
            paths.append(fields[at])
            at += 1
        if paths:
            # Git sets the paths off from the message by a newline.
            paths[0] = paths[0].removeprefix("\n")
        try:
            yield Commit(
                revision=revision,
                parents=tuple(parents.split(" ")) if parents else (),
                subject=subject,
                author=author,
                committed_at=when(seconds),
                files=tuple(paths),
            )
        except ValidationError as error:
            raise _unreadable(f"the commit before field {at} is none") from error


def when(seconds: str) -> datetime:
    """Time of a commit; the beginning of time when a broken clock wrote one that cannot be."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _unreadable(detail: str) -> RepositoryError:
    return RepositoryError(f"git log printed something that cannot be read: {detail}")
