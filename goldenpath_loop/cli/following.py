"""Prints what agents and loop say to each other while they say it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from goldenpath_loop.review.dispatches import Dispatch
    from goldenpath_loop.review.reading import Reading
    from goldenpath_loop.session.chain import Chain
    from goldenpath_loop.session.folder import RunFolder

__all__ = ["Said", "follow"]

_LOOK_EVERY_S = 0.25

Said = Callable[["Dispatch", Path, dict[str, Any]], None]
"""Takes one new line of one transcript."""


def follow(
    folder: RunFolder, key: str | None, said: Said, *, began: Callable[[], None]
) -> Sequence[Dispatch]:
    """Pass on new lines until the dispatch called `key` ended, or the run is over; what was followed.

    Args:
        folder: The run.
        key: A dispatch whose conversation is told from its beginning; None for every one that is under way now or
            begins later.
        said: Called with each new line.
        began: Called once everything there was has been passed on, and what comes now is new.
    """
    follower = _Follower(folder, key, said)
    is_over = follower.look()
    began()
    while not is_over and not follower.look():
        time.sleep(_LOOK_EVERY_S)
    return follower.followed


class _Follower:
    def __init__(self, folder: RunFolder, key: str | None, said: Said) -> None:
        self._folder = folder
        self._key = key
        self._said = said
        self._chain: Chain | None = None
        self._reading: Reading | None = None
        self._passed_over: set[str] | None = None
        self._told: dict[Path, int] = {}
        self.followed: list[Dispatch] = []

    def look(self) -> bool:
        """Pass on what is new; whether nothing more can come."""
        from goldenpath_loop.review.dispatches import dispatches_of
        from goldenpath_loop.session.lock import is_held

        # The lock first, the log next, transcripts last: what is over by the log has its whole transcript on the disk.
        held = is_held(self._folder.log)
        dispatches = dispatches_of(self._read_on(), is_held=held)
        if self._passed_over is None:
            self._passed_over = {one.key for one in dispatches if one.state != "under way"}
        self.followed = list(self._chosen(dispatches, self._passed_over))
        for one in self.followed:
            self._pass_on(one)
        if self._key is not None:
            return all(one.state != "under way" for one in self.followed)
        return not held

    def _chosen(self, dispatches: Sequence[Dispatch], passed_over: set[str]) -> Iterator[Dispatch]:
        for one in dispatches:
            if one.key == self._key or (self._key is None and one.key not in passed_over):
                yield one

    def _pass_on(self, one: Dispatch) -> None:
        from goldenpath_loop.review.dispatches import transcript_of
        from goldenpath_loop.session.transcripts import read_transcript_from

        path = transcript_of(self._folder, one)
        if path is None:
            return
        new, self._told[path] = read_transcript_from(path, self._told.get(path, 0))
        for line in new:
            self._said(one, path, line)

    def _read_on(self) -> Reading:
        from goldenpath_loop.review.reading import Reading, add_line
        from goldenpath_loop.session.chain import Chain

        self._chain = self._chain or Chain(self._folder.log)
        self._reading = self._reading or Reading()
        for line in self._chain:
            add_line(self._reading, line)
        return self._reading
