"""What a disk that is full, read-only or gone means to a run, and whether there is room on it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path

from goldenpath_loop.errors import DiskError

__all__ = ["advice_for", "disk_error", "flush", "require_room"]

_LEAST_BYTES = 1_000_000
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_CLOSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE})
_BROKEN = frozenset({errno.EIO, errno.ENXIO, errno.ENODEV})
_SAFE = "everything before it is safe."


def flush(fd: int) -> None:
    """Bring a file to the disk, past the drive's own memory where the system can ask for that (macOS).

    Raises:
        OSError: The disk did not take it.
    """
    beyond_the_drive = getattr(fcntl, "F_FULLFSYNC", None)
    if beyond_the_drive is not None:
        with contextlib.suppress(OSError):  # not every file system knows it
            fcntl.fcntl(fd, beyond_the_drive)
            return
    os.fsync(fd)


def advice_for(error: OSError) -> str:
    """What a person can do about it; empty when it is no matter of a disk."""
    match error.errno:
        case number if number in _FULL:
            return f"Make room on that disk, then `loop resume`: {_SAFE}"
        case number if number in _CLOSED:
            return f"Make it writable again, then `loop resume`: {_SAFE}"
        case number if number in _GONE:
            return "It was removed or renamed: bring it back, then `loop resume`, or begin a new run."
        case number if number in _BROKEN:
            return f"Look at the disk, then `loop resume`: {_SAFE}"
        case _:
            return ""


def disk_error(error: OSError) -> DiskError | None:
    """`error` as one message with its place; None when it is no matter of a disk."""
    advice = advice_for(error)
    if not advice:
        return None
    return DiskError(error.strerror or str(error), where=str(error.filename or ""), advice=advice)


def require_room(*places: Path) -> None:
    """Refuse to go on while the disk of one of `places` is full: nothing that was measured on it means anything.

    Raises:
        DiskError: There is less than a megabyte, or no further file can be made.
    """
    for place in places:
        existing = next(folder for folder in (place, *place.parents) if folder.exists())
        found = os.statvfs(existing)
        # What is set aside for the administrator is room for nobody else.
        blocks = found.f_bfree if os.geteuid() == 0 else found.f_bavail
        has_files = found.f_files == 0 or found.f_ffree > 0
        if blocks * found.f_frsize < _LEAST_BYTES or not has_files:
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(existing))
            raise DiskError(
                "the disk is full, and what ran on it proves nothing",
                where=str(existing),
                advice=advice_for(full),
            )
