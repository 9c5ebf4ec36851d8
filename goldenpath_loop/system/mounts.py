"""Which kind of file system a folder lies on, and whether another machine keeps it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

__all__ = ["Mount", "is_network", "mount_of", "network_kind_of", "read_mount_output", "read_mountinfo"]

_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|9p|afpfs|afs|ceph|coda|gfs2|glusterfs|lustre|ncpfs|ocfs2|sshfs|webdav|fuse(\..+)?"
)
_LOCAL_FUSE = re.compile(
    r"fuse\.(bindfs|cryfs|encfs|exfat|fuse-overlayfs|gocryptfs|lxcfs|mergerfs|ntfs(-3g)?|securefs|squashfuse\w*)"
)
"""File systems in user space that only give another look to a disk of this machine."""
_OCTAL = re.compile(r"\\([0-7]{3})")
_MAC_LINE = re.compile(r".*? on (/.*) \(([^,()]+)[^()]*\)")
_ASK_S = 5.0


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted file system."""

    point: str
    kind: str


def read_mountinfo(text: str) -> Iterator[Mount]:
    """The mounts that /proc/self/mountinfo tells, in order; what is no mount is passed over."""
    for line in text.splitlines():
        # Between the options and the type stand any number of optional fields, closed by a dash.
        before, dash, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")[0]
        if dash and len(fields) >= 6 and kind:
            yield Mount(_unescaped(fields[4]), kind)


def read_mount_output(text: str) -> Iterator[Mount]:
    """The mounts that `mount` prints on macOS, in order; what is no mount is passed over."""
    for line in text.splitlines():
        if found := _MAC_LINE.fullmatch(line):
            yield Mount(found[1], found[2].strip())


def mount_of(folder: PurePath, mounts: Iterable[Mount]) -> Mount | None:
    """The mount that `folder` lies on: the innermost, and of several on one place the last."""
    best: Mount | None = None
    for mount in mounts:
        is_above = folder.is_relative_to(mount.point)
        if is_above and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best


def is_network(kind: str) -> bool:
    """Whether a file system of this type is, or may be, kept by another machine."""
    return bool(_NETWORK.fullmatch(kind)) and not _LOCAL_FUSE.fullmatch(kind)


def network_kind_of(folder: Path) -> str:
    """Type of the network file system that `folder`, or where it will be made, lies on; empty when it is local."""
    place = folder.resolve()
    found = mount_of(place, _mounts())
    return found.kind if found is not None and is_network(found.kind) else ""


def _mounts() -> list[Mount]:
    """Nothing where nothing can be known: then nothing is claimed."""
    try:
        if sys.platform == "linux":
            return list(read_mountinfo(Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")))
        done = subprocess.run(("/sbin/mount",), capture_output=True, timeout=_ASK_S, check=False)
        return list(read_mount_output(done.stdout.decode("utf-8", "surrogateescape")))
    except (OSError, subprocess.TimeoutExpired):
        return []


def _unescaped(field: str) -> str:
    """`field` with its octal escapes as the bytes that they stand for."""
    data = field.encode("utf-8", "surrogateescape").decode("latin-1")
    data = _OCTAL.sub(lambda found: chr(int(found[1], 8) & 0xFF), data)
    return data.encode("latin-1").decode("utf-8", "surrogateescape")
