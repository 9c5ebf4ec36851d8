"""Where a folder lies, told from what the machine says about its mounts."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath

import pytest

from goldenpath_loop.system.mounts import (
    is_network,
    mount_of,
    network_kind_of,
    read_mount_output,
    read_mountinfo,
)

LINUX = "\n".join(
    [
        "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw",
        "23 22 0:21 / /proc rw - proc proc rw",
        "40 22 0:50 / /mnt/team rw,relatime shared:7 master:2 - nfs4 server:/export rw,vers=4.2",
        "41 40 0:51 / /mnt/team/local rw - xfs /dev/vdb1 rw",
        r"42 22 0:52 / /mnt/our\040share rw - cifs //server/our\040share rw",
        r"43 22 0:53 / /mnt/\303\274ber rw - fuse.sshfs ada@host:/ rw",
        r"44 22 0:54 / /mnt/back\134slash rw - 9p drives rw",
        "45 22 0:55 / /mnt/twice rw - nfs server:/old rw",
        "46 22 0:56 / /mnt/twice rw - tmpfs tmpfs rw",
        "47 22 0:57 / /mnt/tea rw - btrfs /dev/vdc rw",
        "a line that is no mount",
        "48 22 0:58 / /mnt/unfinished rw",
    ]
)

MAC = "\n".join(
    [
        "/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)",
        "devfs on /dev (devfs, local, nobrowse)",
        "map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)",
        "//ada@server/our%20share on /Volumes/our share (smbfs, nodev, nosuid, mounted by ada)",
        "server:/export on /Volumes/put on top (nfs)",
        "a line that is no mount",
    ]
)


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/home/ada/runs", "ext4"),
        ("/mnt/team", "nfs4"),
        ("/mnt/team/runs", "nfs4"),
        ("/mnt/team/local/runs", "xfs"),
        ("/mnt/teams", "ext4"),
        ("/mnt/tea/runs", "btrfs"),
        ("/mnt/our share/runs", "cifs"),
        ("/mnt/über", "fuse.sshfs"),
        (r"/mnt/back\slash/runs", "9p"),
        ("/mnt/twice/runs", "tmpfs"),
        ("/mnt/unfinished", "ext4"),
    ],
)
def test_the_innermost_mount_counts_on_linux(folder: str, kind: str) -> None:
    """And of two on one place the later; names may hold blanks, backslashes and any letter."""
    found = mount_of(PurePosixPath(folder), read_mountinfo(LINUX))
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/Users/ada/runs", "apfs"),
        ("/Volumes/our share/runs", "smbfs"),
        ("/Volumes/put on top/runs", "nfs"),
        ("/Volumes/put", "apfs"),
        ("/System/Volumes/Data/home/ada", "autofs"),
    ],
)
def test_the_innermost_mount_counts_on_macos(folder: str, kind: str) -> None:
    """Its words are for people, and places may hold blanks there as well."""
    found = mount_of(PurePosixPath(folder), read_mount_output(MAC))
    assert found is not None
    assert found.kind == kind


def test_nothing_is_claimed_of_a_machine_that_says_nothing() -> None:
    """No mounts, no answer."""
    assert mount_of(PurePosixPath("/runs"), []) is None


@pytest.mark.parametrize(
    ("kind", "is_kept_elsewhere"),
    [
        *((kind, True) for kind in ("nfs", "nfs4", "cifs", "smb3", "smbfs", "sshfs", "fuse.sshfs", "9p", "ceph")),
        *((kind, True) for kind in ("glusterfs", "fuse.glusterfs", "lustre", "afs", "fuse.s3fs", "fuse")),
        *((kind, False) for kind in ("ext4", "xfs", "btrfs", "zfs", "apfs", "tmpfs", "overlay", "fuseblk")),
        *((kind, False) for kind in ("fuse.fuse-overlayfs", "fuse.gocryptfs", "fusectl", "nfsd", "autofs")),
    ],
)  # fmt: skip
def test_kinds_of_other_machines(kind: str, is_kept_elsewhere: bool) -> None:
    """Whatever runs in user space may be kept elsewhere, unless it is known not to be."""
    assert is_network(kind) == is_kept_elsewhere


@pytest.mark.skipif(sys.platform != "linux", reason="looks at this machine's own mounts")
def test_this_machine_is_asked(tmp_path: Path) -> None:
    """A folder need not be there yet."""
    assert network_kind_of(Path("/proc/self")) == ""
    assert isinstance(network_kind_of(tmp_path / "not" / "there"), str)
