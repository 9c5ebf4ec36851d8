"""Reads what `git log` prints in our own format. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from goldenpath_loop.records.history import Commit

__all__ = ["FORMAT", "parse_log"]

FORMAT = "--format=%x01%H%x02%P%x02%aN%x02%cI%x02%s"
"""One record a commit, begun by a byte that no path or subject holds; the touched paths follow, NUL-separated."""


def parse_log(output: bytes) -> tuple[Commit, ...]:
    """Commits of `git log -z --name-only` with `FORMAT`, in the order they were printed."""
    return tuple(_commits(output.decode("utf-8", "replace")))


def _commits(text: str) -> Iterator[Commit]:
    for record in text.split("\x01")[1:]:
        head, *paths = record.split("\0")
        # Git separates a commit's line from its paths by a newline of its own.
        fields = head.rstrip("\n").split("\x02", 4)
        revision, parents, author, committed_at, subject = fields
        yield Commit(
            revision=revision,
            parents=tuple(parents.split()),
            subject=subject,
            author=author,
            committed_at=datetime.fromisoformat(committed_at),
            files=tuple(path.lstrip("\n") for path in paths if path.strip("\n")),
        )
