"""Keeps what a program prints within bounds, hands its lines on, and knows when it was last heard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

from goldenpath_loop.system.clock import monotonic_s

__all__ = ["Pulse", "Sink"]

_LINE_BYTES = 65_536
"""A longer line is handed on in pieces."""


class Pulse:
    """When something last happened."""

    def __init__(self, watched: Path | None) -> None:
        self._watched = watched
        self._size = -1
        self._last_s = monotonic_s()

    def beat(self) -> None:
        """Output came."""
        if self._watched is None:
            self._last_s = monotonic_s()

    def forgive(self, time_s: float) -> None:
        """Nothing could happen for that long, and nobody could see it."""
        self._last_s = min(self._last_s + time_s, monotonic_s())

    def last_s(self) -> float:
        """When something last happened, on the monotonic clock."""
        if self._watched is not None:
            try:
                size = self._watched.stat().st_size
            except OSError:
                size = -1
            if size != self._size:
                self._size, self._last_s = size, monotonic_s()
        return self._last_s


class Sink:
    """Keeps the head and the tail of a stream and hands its lines on."""

    def __init__(self, max_bytes: int, on_line: Callable[[str], None] | None, pulse: Pulse) -> None:
        self._head = bytearray()
        self._head_bytes = max(1, max_bytes // 2)
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._tail_bytes = max(1, max_bytes - self._head_bytes)
        self._line = bytearray()
        self._on_line = on_line
        self._pulse = pulse
        self.left_out = 0
        """Bytes that were not kept."""

    def feed(self, chunk: bytes) -> None:
        """Take the next piece of the stream."""
        self._pulse.beat()
        room = self._head_bytes - len(self._head)
        self._head += chunk[:room]
        if rest := chunk[room:] if room > 0 else chunk:
            self._tail.append(rest)
            self._tail_size += len(rest)
            while self._tail_size - len(self._tail[0]) >= self._tail_bytes:
                dropped = self._tail.popleft()
                self._tail_size -= len(dropped)
                self.left_out += len(dropped)
            if (excess := self._tail_size - self._tail_bytes) > 0:
                self._tail[0] = self._tail[0][excess:]
                self._tail_size -= excess
                self.left_out += excess
        if self._on_line is not None:
            self._split(chunk, self._on_line)

    def flush(self) -> None:
        """Hand on a last line that has no newline."""
        if self._on_line is not None and self._line:
            self._on_line(self._line.decode("utf-8", "replace"))
            self._line.clear()

    def kept(self) -> bytes:
        """What was kept; a gap says how many bytes it stands for."""
        gap = f"\n[{self.left_out} bytes left out]\n".encode() if self.left_out else b""
        return bytes(self._head) + gap + b"".join(self._tail)

    def _split(self, chunk: bytes, on_line: Callable[[str], None]) -> None:
        *lines, rest = (bytes(self._line) + chunk).split(b"\n")
        for line in lines:
            on_line(line.removesuffix(b"\r").decode("utf-8", "replace"))
        if len(rest) > _LINE_BYTES:
            on_line(rest.decode("utf-8", "replace"))
            rest = b""
        self._line = bytearray(rest)
