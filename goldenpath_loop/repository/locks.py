"""Locks that a killed git left on refs of ours: nobody else would ever take them away."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

import anyio

from goldenpath_loop.system import clock

__all__ = ["release_refs"]

_OURS = re.compile(r"refs/(?:heads/|remotes/[^/]+/)?goldenpath/[^\0]+")
_STILL_S = 3.0
"""How long a lock has to lie there unchanged before nobody holds it: git holds one for milliseconds."""
_PATIENCE_S = 30.0
"""How long locks may come and go before it is left to the command that needs them to complain."""
_LOOK_AGAIN_S = 0.02


async def release_refs(folder: Path, names: Iterable[str]) -> None:
    """Wait until the refs `names` are not locked, and take away the lock of a git that was killed.

    Only below `goldenpath/`, where nobody but engines writes. The age of a lock is what we see pass ourselves: clocks
    of machines that share a folder differ.

    Args:
        folder: Where git keeps the refs: `.git`, or a bare repository.
        names: Full names of refs; what is not ours is left alone.
    """
    for name in names:
        if _OURS.fullmatch(name) and ".." not in name.split("/"):
            await _release(folder / f"{name}.lock")


async def _release(lock: Path) -> None:
    began_s = seen_s = clock.monotonic_s()
    seen = _identity(lock)
    while seen is not None and clock.monotonic_s() - began_s < _PATIENCE_S:
        if clock.monotonic_s() - seen_s >= _STILL_S:
            # Where we may not, git says what is in the way.
            with contextlib.suppress(OSError):
                lock.unlink()
            return
        await anyio.sleep(_LOOK_AGAIN_S)
        now = _identity(lock)
        if now != seen:
            seen, seen_s = now, clock.monotonic_s()


def _identity(lock: Path) -> tuple[int, int, int] | None:
    try:
        found = lock.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
