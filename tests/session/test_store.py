"""Evidence bytes: stored once, never changed, checked when they are read."""

from __future__ import annotations

import hashlib
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.errors import LogError
from goldenpath_loop.session.store import EvidenceStore


@given(st.binary(max_size=2000))
def test_bytes_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Under the digest of what was stored."""
    store = EvidenceStore(tmp_path_factory.mktemp("evidence"))
    stored = store.put(data)
    assert stored.digest == hashlib.sha256(data).hexdigest()
    assert stored.size_bytes == len(data)
    assert store.get(stored.digest) == data


def test_the_same_bytes_are_stored_once(tmp_path: Path) -> None:
    """And written once: the file is not touched again."""
    store = EvidenceStore(tmp_path)
    one = store.put(b"same")
    before = (tmp_path / one.digest).stat().st_ino
    other = store.put(b"same")
    assert one.digest == other.digest
    assert [path.name for path in tmp_path.iterdir()] == [one.digest]
    assert (tmp_path / one.digest).stat().st_ino == before


def test_bytes_that_were_changed_are_not_believed(tmp_path: Path) -> None:
    """Not even when only the end is missing."""
    store = EvidenceStore(tmp_path)
    stored = store.put(b"what was seen")
    for forged in (b"what was said", b"what was see", b""):
        (tmp_path / stored.digest).write_bytes(forged)
        with pytest.raises(LogError, match="evidence was changed after it was stored"):
            store.get(stored.digest)


def test_bytes_that_are_gone_are_named(tmp_path: Path) -> None:
    """With the place where they should be."""
    store = EvidenceStore(tmp_path)
    with pytest.raises(LogError, match="evidence is missing") as caught:
        store.get("0" * 64)
    assert caught.value.where == str(tmp_path / ("0" * 64))


_NO_ROOM = """
import resource, sys
from pathlib import Path
from goldenpath_loop.errors import LogError
from goldenpath_loop.session.store import EvidenceStore

resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
try:
    EvidenceStore(Path(sys.argv[1])).put(b"x" * 1000)
except LogError as error:
    print(error.message)
"""


def test_evidence_that_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    """No half file under a digest, no scrap beside it."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", _NO_ROOM, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("evidence could not be stored")
    assert list(tmp_path.iterdir()) == []
