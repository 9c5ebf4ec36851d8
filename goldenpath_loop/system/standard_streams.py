"""Standard output and error of a process that must outlive whoever reads them."""

from __future__ import annotations

import contextlib
import io
import os
import select
from collections import deque
from threading import Condition, Thread
from types import TracebackType
from typing import Self, TextIO

__all__ = ["ViewStream", "keep_places", "say_last"]

_MOST_WAITING = 1_000_000
"""Characters that are kept for a reader who does not read; a picture of a screen has a few thousand."""


def keep_places() -> None:
    """Let nothing that is opened from now on take the place of a standard stream that was closed.

    The session log would else become standard output of this process, and be written to by whoever prints.
    """
    for place in (0, 1, 2):
        try:
            os.fstat(place)
        except OSError:
            # The lowest free number is given, and that is this one.
            os.open(os.devnull, os.O_RDWR)


def say_last(stream: TextIO | None, text: str) -> None:
    """Write `text` to `stream` when somebody is there to read it; the exit code says the rest."""
    if stream is None:
        return
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except (OSError, ValueError):
        _give_up(stream)


def _give_up(stream: TextIO) -> None:
    """Let what is left in its buffer go nowhere, or the interpreter would fail over it at its own end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class ViewStream(io.TextIOBase):
    """Text for whoever watches. Writing to it never waits and never fails.

    A reader who is gone (a closed pipe, a terminal that hung up, a full disk) takes the view with him and nothing
    else; a reader who does not read (a pager, a terminal that was told to stop) gets it when he does, and what is
    too much is left out. Leaving the block waits until everything was taken or nobody is there any more.

    Args:
        target: Where to; None when the process has no such stream.
    """

    def __init__(self, target: TextIO | None) -> None:
        self._target = target
        self._waiting: deque[str] = deque()
        self._size = 0
        self._left_out = 0
        self._is_over = False
        self._is_gone = target is None
        self._changed = Condition()
        self._writer: Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        if self._writer is not None:
            # Ctrl-C means that nobody waits for the rest.
            with contextlib.suppress(KeyboardInterrupt):
                self._writer.join()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the target."""
        return getattr(self._target, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Whether the target is a terminal."""
        return self._target is not None and self._target.isatty()

    def fileno(self) -> int:
        """The number of the target's file."""
        if self._target is None:
            raise io.UnsupportedOperation("there is no such stream")
        return self._target.fileno()

    @property
    def is_behind(self) -> bool:
        """Whether something that was taken is still to be written."""
        with self._changed:
            return self._size > 0

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Take `text`; it is written by a thread of its own."""
        with self._changed:
            if self._is_gone or not text:
                return len(text)
            if self._size + len(text) > _MOST_WAITING:
                self._left_out += text.count("\n")
                return len(text)
            if self._left_out and not self.isatty():
                self._waiting.append(f"[{self._left_out} lines left out: nobody took them]\n")
            self._left_out = 0
            self._waiting.append(text)
            self._size += len(text)
            if self._writer is None:
                self._writer = Thread(target=self._write_on, name="view", daemon=True)
                self._writer.start()
            self._changed.notify_all()
        return len(text)

    def flush(self) -> None:
        """Nothing to do: what was taken is on its way."""

    def _write_on(self) -> None:
        assert self._target is not None
        while True:
            with self._changed:
                while not self._waiting and not self._is_over:
                    self._changed.wait()
                if not self._waiting:
                    return
                text = "".join(self._waiting)
                self._waiting.clear()
            try:
                _write_whole(self._target, text)
            except (OSError, ValueError):
                with self._changed:
                    self._is_gone = True
                    self._waiting.clear()
                _give_up(self._target)
                return
            with self._changed:
                self._size = sum(map(len, self._waiting))


def _write_whole(target: TextIO, text: str) -> None:
    try:
        number = target.fileno()
    except (OSError, ValueError):  # not a file of the system, so nobody can keep it waiting
        target.write(text)
        target.flush()
        return
    # Past the target's own buffer: whoever waits in there for a reader holds up the interpreter's end.
    target.flush()
    data = memoryview(text.encode(target.encoding or "utf-8", "replace"))
    while data:
        try:
            data = data[os.write(number, data) :]
        except BlockingIOError:
            # Somebody at the other end made it so; a reader who is slow is a reader all the same.
            select.select([], [number], [])
