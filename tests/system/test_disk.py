"""What a disk's refusal means to a person, and when there is no room to go on."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from goldenpath_loop.errors import DiskError
from goldenpath_loop.system.disk import disk_error, require_room


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Make room"),
        (errno.EDQUOT, "Make room"),
        (errno.EROFS, "Make it writable"),
        (errno.EACCES, "Make it writable"),
        (errno.ENOENT, "bring it back"),
        (errno.ESTALE, "bring it back"),
        (errno.EIO, "Look at the disk"),
    ],
)
def test_a_refusal_names_the_place_and_what_to_do(number: int, advice: str) -> None:
    """One message, and how to go on after it."""
    found = disk_error(OSError(number, os.strerror(number), "runs/r/session.jsonl"))
    assert found is not None
    assert str(found).startswith(f"runs/r/session.jsonl: {os.strerror(number)}\n")
    assert advice in found.advice
    assert "`loop resume`" in found.advice


@pytest.mark.parametrize("number", [errno.ECONNREFUSED, errno.EPIPE, errno.EMFILE, None])
def test_other_errors_of_the_system_are_not_taken_for_one_of_the_disk(number: int | None) -> None:
    """They are somebody else's to explain."""
    assert disk_error(OSError(number, "no") if number else OSError("no")) is None


@pytest.mark.parametrize(
    ("free", "for_all", "files", "free_files", "user", "is_full"),
    [
        (300, 300, 100, 10, 1000, False),
        (300, 0, 100, 10, 1000, True),
        (300, 0, 100, 10, 0, False),
        (0, 0, 100, 10, 0, True),
        (300, 300, 100, 0, 1000, True),
        (300, 300, 0, 0, 1000, False),
    ],
    ids=["room", "only for root", "for root", "none", "no files", "files are not counted"],
)
def test_a_full_disk_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    free: int,
    for_all: int,
    files: int,
    free_files: int,
    user: int,
    is_full: bool,
) -> None:
    """By what there is for whoever asks; the folder itself need not be there yet."""
    found = SimpleNamespace(f_bfree=free, f_bavail=for_all, f_frsize=4096, f_files=files, f_ffree=free_files)
    monkeypatch.setattr(os, "statvfs", lambda place: found)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    if not is_full:
        require_room(tmp_path / "not" / "there")
        return
    with pytest.raises(DiskError, match="the disk is full") as caught:
        require_room(tmp_path / "not" / "there")
    assert caught.value.where == str(tmp_path)
