"""Whose run it is: said to who comes second, and believed where no lock can tell."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from goldenpath_loop.errors import RunLockedError
from goldenpath_loop.records.events import RunResumed
from goldenpath_loop.session import lock as lock_module
from goldenpath_loop.session.lock import Owner, is_held, owner_of
from goldenpath_loop.session.log import SessionLog

from .examples import EVENTS

_OWNER = """
import sys
from pathlib import Path
from goldenpath_loop.session.log import SessionLog

log = SessionLog(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def test_who_comes_second_is_told_who_holds_the_run(tmp_path: Path) -> None:
    """Process, host and since when; the name outlives a kill, the lock does not, and the next owner takes over."""
    path = tmp_path / "session.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(RunLockedError, match=rf"process {other.pid} on {socket.gethostname()} since 20"):
            SessionLog(path)
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
    stale = owner_of(path)
    assert stale is not None and stale.pid == other.pid
    assert not is_held(path)
    with SessionLog(path) as log:
        own = owner_of(path)
        assert own is not None and own.pid == os.getpid()
        log.append(EVENTS[0])
    assert owner_of(path) is None
    assert sorted(one.name for one in tmp_path.iterdir()) == ["session.jsonl"]


@pytest.mark.parametrize("words", ["", "{", "[]", '{"pid": "x", "host": "h", "since": "s"}'])
def test_a_name_that_cannot_be_read_stands_in_nobodys_way(tmp_path: Path, words: str) -> None:
    """It is only told, never relied on."""
    path = tmp_path / "session.jsonl"
    (tmp_path / "owner.json").write_text(words)
    assert owner_of(path) is None
    with SessionLog(path) as log:
        log.append(EVENTS[0])


def _left_behind_by(host: str, folder: Path) -> None:
    record = {"pid": 4711, "host": host, "since": "2026-11-21T01:00:00+00:00"}
    (folder / "owner.json").write_text(json.dumps(record))


def test_on_a_network_file_system_another_machines_word_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its locks may not be seen here, so a person has to say that its process is gone."""
    path = tmp_path / "session.jsonl"
    monkeypatch.setattr(lock_module, "network_kind_of", lambda path: "nfs4")
    _left_behind_by("night-7", tmp_path)
    with pytest.raises(RunLockedError, match=r"process 4711 on night-7 .* nfs4 cannot tell"):
        SessionLog(path)
    assert owner_of(path) == Owner(4711, "night-7", "2026-11-21T01:00:00+00:00")
    (tmp_path / "owner.json").unlink()
    with SessionLog(path) as log:
        log.append(EVENTS[0])
    _left_behind_by(socket.gethostname(), tmp_path)
    with SessionLog(path) as log:
        log.append(RunResumed(version="1"))


def test_on_a_disk_of_this_machine_the_lock_knows_better(tmp_path: Path) -> None:
    """A container that was killed had another name; its run goes on without a question."""
    path = tmp_path / "session.jsonl"
    _left_behind_by("container-1", tmp_path)
    with SessionLog(path) as log:
        log.append(EVENTS[0])
