"""The lock of one run: one writer at a time, and who that is.

The lock is the operating system's, on the log itself: it is gone the moment its process is, so a stale one needs no
judgement. The file beside it only says whose it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from goldenpath_loop.errors import RunLockedError
from goldenpath_loop.system import clock
from goldenpath_loop.system.mounts import network_kind_of

__all__ = ["Owner", "is_held", "lock", "owner_of", "release"]

_LOOKER_S = 0.1
"""Longer than anybody who only looks holds the lock."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that writes a run, or did last."""

    pid: int
    host: str
    since: str
    """UTC, ISO 8601."""


def lock(fd: int, log: Path) -> None:
    """Take the lock of the log at `log`, open as `fd`, and leave our name beside it.

    Raises:
        RunLockedError: Another process holds it, or may hold it on another machine.
    """
    give_up_at_s = clock.monotonic_s() + _LOOKER_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            # `is_held` takes the lock for a moment to see whether it is free; a writer keeps it.
            if clock.monotonic_s() < give_up_at_s:
                time.sleep(_LOOKER_S / 10)
                continue
            raise _locked(log) from error
    _refuse_what_no_lock_can_tell(log)
    own = Owner(os.getpid(), socket.gethostname(), clock.now().isoformat(timespec="seconds"))
    # Who it is helps a person; a run that cannot say it is locked all the same.
    with contextlib.suppress(OSError):
        fresh = _place(log).with_suffix(f".{own.pid}")
        fresh.write_text(json.dumps(asdict(own)) + "\n", encoding="utf-8")
        fresh.replace(_place(log))


def release(log: Path) -> None:
    """Take our name away; the lock itself goes with the file descriptor."""
    with contextlib.suppress(OSError):
        _place(log).unlink()


def is_held(log: Path) -> bool:
    """Whether some process holds the lock of the log at `log` now; False when there is no log."""
    try:
        fd = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two lookers never take each other for a writer.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def owner_of(log: Path) -> Owner | None:
    """Who holds the run, or held it when it was killed; None when nobody says."""
    try:
        record = json.loads(_place(log).read_text("utf-8"))
        return Owner(int(record["pid"]), str(record["host"])[:255], str(record["since"])[:40])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _refuse_what_no_lock_can_tell(log: Path) -> None:
    """Where another machine's locks may not be seen, its name beside the log counts as much."""
    owner = owner_of(log)
    if owner is None or owner.host == socket.gethostname():
        return
    kind = network_kind_of(log.parent)
    if kind:
        raise RunLockedError(
            f"process {owner.pid} on {owner.host} has written this run since {owner.since} and did not say goodbye; "
            f"whether it still does, {kind} cannot tell",
            where=str(log.parent),
            advice=f"If that process is gone, remove {_place(log)} and try again.",
        )


def _locked(log: Path) -> RunLockedError:
    owner = owner_of(log)
    who = f"process {owner.pid} on {owner.host} since {owner.since}" if owner else "another process"
    return RunLockedError(
        f"another loop is working on this run: {who}",
        where=str(log.parent),
        advice="`loop wait` waits for it, `loop pause` stops it.",
    )


def _place(log: Path) -> Path:
    return log.with_name("owner.json")
