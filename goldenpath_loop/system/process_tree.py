"""Finds and signals every process that came from one we started, also those that left its group."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = [
    "MARKER",
    "ProcessTree",
    "adopt_orphans",
    "end_left_over",
    "mark_from_now_on",
    "starting",
]

MARKER = "GOLDENPATH_PROCESS"
"""Environment variable by which a process is recognised after it left its group and lost its parents."""

_PR_SET_CHILD_SUBREAPER = 36
_PF_EXITING = 0x4
_PROC = Path("/proc")
_LOOKS = 50


@cache
def adopt_orphans() -> bool:
    """Become the parent of processes whose parents die, so that none escapes to init; Linux only."""
    if sys.platform != "linux":
        return False
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return False
    return bool(prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def mark_from_now_on(mark: str) -> None:
    """Let everything that this process starts from now on carry `mark`, also after this process died."""
    outer = os.environ.get(MARKER, "")
    if mark not in outer.split(":"):
        os.environ[MARKER] = f"{outer}:{mark}" if outer else mark


def end_left_over(mark: str) -> int:
    """Kill every process that carries `mark`; Linux only, elsewhere nobody can be recognised.

    Returns:
        How many there were. This process and its ancestors are spared.
    """
    if sys.platform != "linux":
        return 0
    ended: set[tuple[int, int]] = set()
    # Asked again until nobody is found: a process may start another while it is being looked at.
    for _ in range(_LOOKS):
        table = dict(_entries())
        spared = set(_ancestors(os.getpid(), table))
        found = {
            (pid, entry.started)
            for pid, entry in table.items()
            if pid not in spared and not entry.is_dying and _carries(pid, mark.encode())
        }
        for pid, _started in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        ended |= found
        if not found:
            break
    return len(ended)


def _ancestors(pid: int, table: dict[int, _Entry]) -> Iterator[int]:
    while pid in table:
        yield pid
        pid = table[pid].parent


def _carries(pid: int, mark: bytes) -> bool:
    try:
        return mark in (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False


_starts: set[object] = set()
"""Programs that were forked but have no `ProcessTree` yet: no unknown child may be reaped meanwhile."""


@contextmanager
def starting() -> Iterator[None]:
    """Hold while a program is started and until its `ProcessTree` is made, so that its exit stays its own."""
    token = object()
    _starts.add(token)
    try:
        yield
    finally:
        _starts.discard(token)


@dataclass(frozen=True, slots=True)
class _Entry:
    parent: int
    group: int
    session: int
    is_zombie: bool
    is_dying: bool
    """Has given up its memory and with it its environment, or is a zombie already."""
    started: int


class ProcessTree:
    """All processes that come from the one with id `root`, which leads its own session.

    On Linux a process belongs to it by group, session, descent or by the marker in its environment. On other
    systems only the group is known; a process that left it is out of reach there.
    """

    _roots: set[int] = set()  # noqa: RUF012 -- one table of the processes whose exit asyncio waits for

    def __init__(self, root: int, mark: str) -> None:
        self._root = root
        self._mark = mark.encode()
        self._started = 0
        self._seen: set[tuple[int, int]] = set()
        ProcessTree._roots.add(root)
        if (entry := _entry(root)) is not None:
            self._started = entry.started

    def alive(self) -> bool:
        """Whether any process of it is left; reaps the dead ones that became our children."""
        return self._group_exists() if sys.platform != "linux" else bool(self._members())

    def signal(self, *, kill: bool) -> bool:
        """Ask every process to end, or kill it; whether there was any."""
        number = signal.SIGKILL if kill else signal.SIGTERM
        if sys.platform != "linux":
            if not self._group_exists():
                return False
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._root, number)
            return True
        members = self._members()
        for pid in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        return bool(members)

    def _group_exists(self) -> bool:
        try:
            os.killpg(self._root, 0)
        except (ProcessLookupError, PermissionError):
            # macOS answers "not permitted" when only zombies are left.
            return False
        return True

    def _members(self) -> set[int]:
        table = dict(_entries())
        children: dict[int, list[int]] = {}
        for pid, entry in table.items():
            children.setdefault(entry.parent, []).append(pid)
        own = os.getpid()
        nearby = _below(own, children) if adopt_orphans() else set(table)
        nearby.discard(own)
        members: set[int] = set()
        for pid in nearby:
            entry = table[pid]
            if pid in members or entry.started < self._started:
                continue
            is_near = self._root in (pid, entry.group, entry.session)
            if is_near or self._is_marked(pid, entry) or self._is_dying_orphan(pid, entry):
                members |= {pid} | _below(pid, children)
        self._seen |= {(pid, table[pid].started) for pid in members}
        self._reap(table, members)
        # A dead member counts once more: it may have started a process after the table was begun, or its
        # parent may be dying and has not handed it to us yet. The root's death is told by asyncio.
        return {pid for pid in members if pid != self._root or not table[pid].is_zombie}

    def _is_dying_orphan(self, pid: int, entry: _Entry) -> bool:
        # A dying process has no environment left to read. One that became our child is known only by living
        # in a session of its own; the children we start ourselves all stand in `_roots`.
        return (
            entry.is_dying
            and not _starts
            and entry.parent == os.getpid()
            and pid not in ProcessTree._roots
            and entry.session != os.getsid(0)
        )

    def _is_marked(self, pid: int, entry: _Entry) -> bool:
        if (pid, entry.started) in self._seen:
            return True
        return _carries(pid, self._mark)

    def _reap(self, table: dict[int, _Entry], members: set[int]) -> None:
        for pid in members - ProcessTree._roots:
            if table[pid].is_zombie and table[pid].parent == os.getpid():
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
        if self._root not in table:
            ProcessTree._roots.discard(self._root)


def _below(pid: int, children: dict[int, list[int]]) -> set[int]:
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found


def _entries() -> Iterator[tuple[int, _Entry]]:
    with os.scandir(_PROC) as folder:
        pids = [int(item.name) for item in folder if item.name.isdigit()]
    for pid in pids:
        if (entry := _entry(pid)) is not None:
            yield pid, entry


def _entry(pid: int) -> _Entry | None:
    try:
        text = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    # The program's name stands in brackets and may itself hold spaces and brackets.
    fields = text[text.rindex(b")") + 2 :].split()
    return _Entry(
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        is_zombie=fields[0] in (b"Z", b"X"),
        is_dying=fields[0] in (b"Z", b"X") or bool(int(fields[6]) & _PF_EXITING),
        started=int(fields[19]),
    )
