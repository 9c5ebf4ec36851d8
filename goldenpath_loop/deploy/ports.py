"""Ports of this machine: which are free, and who holds one that is not."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from collections.abc import Collection
from pathlib import Path

from goldenpath_loop.errors import DeployError

__all__ = ["free_ports", "holder_of", "is_taken"]

_PROC = Path("/proc")
_LISTENING = "0A"
_TRIES = 100


def free_ports(count: int, *, avoid: Collection[int] = ()) -> tuple[int, ...]:
    """`count` different loopback ports that nobody holds now. They are reserved together and released.

    Args:
        count: How many.
        avoid: Ports promised to somebody who does not hold them yet.

    Raises:
        DeployError: The machine has no such ports.
    """
    with contextlib.ExitStack() as held:
        ports: list[int] = []
        for _ in range(count + _TRIES):
            if len(ports) == count:
                break
            one = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            try:
                one.bind(("127.0.0.1", 0))
            except OSError as failure:
                raise DeployError(f"no free port on this machine: {failure.strerror}") from failure
            port = int(one.getsockname()[1])
            if port not in avoid:
                ports.append(port)
        if len(ports) < count:
            raise DeployError("no free port on this machine")
        return tuple(ports)


def is_taken(port: int) -> bool:
    """Whether a service that listens on `port` would fail because somebody else does."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        # Without this, connections of an earlier service that are still fading count as taken.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError as failure:
            # Other errors, such as a port this user may not use, are for the service to run into.
            return failure.errno == errno.EADDRINUSE
    if sys.platform == "linux":
        return False
    # Elsewhere that option lets a second listener in beside one on all addresses.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.settimeout(0.5)
        return one.connect_ex(("127.0.0.1", port)) == 0


def _inodes(port: int) -> set[str]:
    """Sockets that listen on `port`, by inode, as Linux lists them."""
    found = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(fields[9])
    return found


def holder_of(port: int) -> str:
    """Who listens on `port`, for people: `pid 4711 (python)`; empty where that cannot be found out.

    Only Linux tells, and only about this user's processes.
    """
    wanted = {f"socket:[{inode}]" for inode in _inodes(port)}
    if not wanted:
        return ""
    for process in sorted(_PROC.glob("[0-9]*"), key=lambda path: int(path.name)):
        if any(_target(link) in wanted for link in _links(process / "fd")):
            with contextlib.suppress(OSError):
                return f"pid {process.name} ({(process / 'comm').read_text().strip()})"
    return ""


def _links(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
