"""The session log: written once, chained, and never half believed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.errors import DamagedLogError, LogError, RunLockedError
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.events import AnyEvent, LimitReached, RunPaused, RunResumed
from goldenpath_loop.records.receipts import AnyReceipt
from goldenpath_loop.session.chain import GENESIS, read
from goldenpath_loop.session.lock import is_held
from goldenpath_loop.session.log import COMMIT_POINTS, SessionLog

from .examples import EFFECTS, EVENTS, RECEIPTS


def written(path: Path, *events: AnyEvent) -> list[bytes]:
    """A log of `events`, as the lines on disk."""
    with SessionLog(path) as log:
        for event in events or EVENTS[:5]:
            log.append(event)
    return path.read_bytes().splitlines(keepends=True)


def _kinds(union: object) -> set[type]:
    return set(get_args(get_args(union)[0]))


def test_there_is_an_example_of_everything() -> None:
    """So that the round trip leaves no type out."""
    assert {type(event) for event in EVENTS} == _kinds(AnyEvent)
    assert {type(effect) for effect in EFFECTS} == _kinds(AnyEffect)
    assert {type(receipt) for receipt in RECEIPTS} == _kinds(AnyReceipt)


def test_every_event_comes_back_as_it_was(tmp_path: Path) -> None:
    """Types, order and numbers; what `append` returns is what a reader gets."""
    path = tmp_path / "session.jsonl"
    with SessionLog(path) as log:
        appended = [log.append(event) for event in EVENTS]
    lines = list(read(path))
    assert lines == appended
    assert [line.event for line in lines] == list(EVENTS)
    assert [line.seq for line in lines] == list(range(1, len(EVENTS) + 1))
    assert lines[0].prev == GENESIS


def test_a_line_has_the_shape_that_was_promised(tmp_path: Path) -> None:
    """`seq`, `at`, `type`, `prev`, then the payload; one line an event, whatever is in it."""
    lines = written(tmp_path / "session.jsonl", *EVENTS)
    assert len(lines) == len(EVENTS)
    for line in lines:
        assert list(json.loads(line)) == ["seq", "at", "type", "prev", "payload"]


def test_what_somebody_relies_on_is_a_commit_point() -> None:
    """Everything that is promised is on the disk first; only evidence and words said in passing may wait."""
    assert {event.type for event in EVENTS} - COMMIT_POINTS == {
        "cycle.finished",
        "effect.put_off",
        "evidence.captured",
        "finding.rejected",
        "limit.reached",
        "usage.recorded",
    }


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, text: str, number: float) -> None:
    """Control characters, line separators, quotes and every script."""
    path = tmp_path_factory.mktemp("log") / "session.jsonl"
    event = LimitReached(limit=text, allowed=number, used=0.0)
    with SessionLog(path) as log:
        log.append(event)
        log.append(RunPaused(reason=text))
    assert [line.event for line in read(path)] == [event, RunPaused(reason=text)]


def test_an_event_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    """Half a character would make the log unreadable; the log stays as it was and takes the next event."""
    path = tmp_path / "session.jsonl"
    with SessionLog(path) as log:
        log.append(EVENTS[0])
        with pytest.raises(LogError, match=r"run\.paused event could not be written"):
            log.append(RunPaused.model_construct(type="run.paused", reason="\ud800", causes=()))
        log.append(RunPaused(reason="whole"))
    assert [line.event.type for line in read(path)] == ["run.started", "run.paused"]


def _edited(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[2].replace(b'"seq":3', b'"seq":4'), *lines[3:]]


def _not_json(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], b"{\n", *lines[3:]]


def _wrong_payload(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], b"[]\n", *lines[3:]]


def _without_payload(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], b'{"type":"run.paused"}\n', *lines[3:]]


def _unknown_type(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[2].replace(b'"type":"', b'"type":"x', 1), *lines[3:]]


@pytest.mark.parametrize(
    ("damage", "number"),
    [
        (lambda lines: lines[1:], 1),
        (lambda lines: [*lines[:2], *lines[3:]], 3),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 2),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], 4),
        (lambda lines: [*lines[:2], b"\n", *lines[2:]], 3),
        (lambda lines: [*lines[:4], b"\xff\xfe\n"], 5),
        (_edited, 3),
        (_not_json, 3),
        (_wrong_payload, 3),
        (_without_payload, 3),
        (_unknown_type, 3),
    ],
    ids=[
        "first removed", "one removed", "swapped", "doubled", "empty line", "last unreadable",
        "number edited", "not JSON", "no object", "no payload", "unknown type",
    ],
)  # fmt: skip
def test_damage_is_named_with_its_line_and_nothing_is_changed(
    tmp_path: Path, damage: Callable[[list[bytes]], list[bytes]], number: int
) -> None:
    """Whoever reads and whoever wants to write: both stop, and the file stays as it was."""
    path = tmp_path / "session.jsonl"
    data = b"".join(damage(written(path)))
    path.write_bytes(data)
    with pytest.raises(DamagedLogError, match=rf"line {number} "):
        list(read(path))
    with pytest.raises(DamagedLogError, match=rf"line {number} "):
        SessionLog(path)
    assert path.read_bytes() == data
    assert not is_held(path)


def test_text_edited_in_place_breaks_the_chain(tmp_path: Path) -> None:
    """A line that still reads well is found by the hash in the next one."""
    path = tmp_path / "session.jsonl"
    lines = written(path)
    path.write_bytes(b"".join([lines[0], lines[1].replace(b"SIGINT", b"SIGXXX"), *lines[2:]]))
    with pytest.raises(DamagedLogError, match="line 3 does not follow line 2"):
        list(read(path))


def test_a_torn_last_line_is_cut_kept_aside_and_reported(tmp_path: Path) -> None:
    """At every byte: what was whole stays, what was torn lies beside it, and the next event follows."""
    whole = written(tmp_path / "whole.jsonl")
    good, last = b"".join(whole[:-1]), whole[-1]
    for size in range(len(last)):
        folder = tmp_path / str(size)
        folder.mkdir()
        path = folder / "session.jsonl"
        path.write_bytes(good + last[:size])
        assert len(list(read(path))) == len(whole) - 1
        with SessionLog(path) as log:
            assert log.torn_bytes == size
            assert log.seq == len(whole) - 1
            log.append(RunResumed(version="2"))
        assert [line.event.type for line in read(path)][-1] == "run.resumed"
        aside = [one.read_bytes() for one in folder.iterdir() if one != path]
        assert aside == ([last[:size]] if size else [])


def test_a_tail_of_zeros_is_torn_too(tmp_path: Path) -> None:
    """Some file systems leave them after a power cut."""
    path = tmp_path / "session.jsonl"
    good = b"".join(written(path))
    path.write_bytes(good + bytes(4096))
    with SessionLog(path) as log:
        assert log.torn_bytes == 4096
    assert path.read_bytes() == good


def test_tails_torn_at_the_same_place_are_all_kept(tmp_path: Path) -> None:
    """One does not overwrite the other."""
    path = tmp_path / "session.jsonl"
    good = b"".join(written(path))
    for tail in (b"one", b"two"):
        path.write_bytes(good + tail)
        SessionLog(path).close()
    kept = sorted(one.read_bytes() for one in tmp_path.iterdir() if one != path)
    assert kept == [b"one", b"two"]


def test_an_empty_log_is_a_log(tmp_path: Path) -> None:
    """A process that died before its first line left nothing to repair."""
    path = tmp_path / "session.jsonl"
    path.touch()
    assert list(read(path)) == []
    assert len(written(path)) == 5


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    """For a reader; a writer makes it."""
    with pytest.raises(LogError, match="no session log"):
        read(tmp_path / "session.jsonl")
    assert not is_held(tmp_path / "session.jsonl")


def test_a_log_that_cannot_be_opened_is_an_error_of_ours(tmp_path: Path) -> None:
    """A folder in its place."""
    with pytest.raises(LogError, match="cannot be opened"):
        SessionLog(tmp_path)


_FULL_DISK = """
import resource, sys
from pathlib import Path
from goldenpath_loop.errors import LogError
from goldenpath_loop.records.events import RunPaused
from goldenpath_loop.session.log import SessionLog

log = SessionLog(Path(sys.argv[1]))
limit = Path(sys.argv[1]).stat().st_size + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
for attempt in range(2):
    try:
        log.append(RunPaused(reason="x" * 100))
    except LogError as error:
        print(error.message)
"""


@pytest.mark.parametrize("room", [0, 1, 100])
def test_a_full_disk_leaves_a_log_that_can_be_read(tmp_path: Path, room: int) -> None:
    """Nothing of a line that did not fit stays, nothing is glued to it, and there is room again it goes on."""
    path = tmp_path / "session.jsonl"
    good = b"".join(written(path))
    done = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(path), str(room)], capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()
    assert "an event could not be written" in first
    assert "takes no more events" in second
    assert path.read_bytes() == good
    with SessionLog(path) as log:
        assert log.torn_bytes == 0
        log.append(RunResumed(version="1"))
    assert len(list(read(path))) == 6


_OWNER = """
import sys
from pathlib import Path
from goldenpath_loop.session.log import SessionLog

log = SessionLog(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def test_one_writer_at_a_time_and_none_after_its_death(tmp_path: Path) -> None:
    """The lock belongs to the process: held while it lives, gone the moment it is killed."""
    path = tmp_path / "session.jsonl"
    written(path)
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "open\n"
        assert is_held(path)
        with pytest.raises(RunLockedError, match="another loop is working on this run"):
            SessionLog(path)
        assert len(list(read(path))) == 5
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
    assert not is_held(path)
    with SessionLog(path) as log:
        log.append(RunResumed(version="1"))


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    """A service that outlives the engine must not keep the run from being resumed."""
    path = tmp_path / "session.jsonl"
    ready = [sys.executable, "-c", "print(flush=True); input()"]
    with SessionLog(path) as log:
        log.append(EVENTS[0])
        child = subprocess.Popen(ready, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        assert not is_held(path)
    finally:
        child.communicate(b"\n")


_WITHOUT_RIGHTS = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from goldenpath_loop.errors import LoopError
from goldenpath_loop.session.folder import create_run
from goldenpath_loop.session.log import SessionLog
from goldenpath_loop.session.store import EvidenceStore

folder = Path(sys.argv[1])
if os.geteuid() == 0:
    os.seteuid(65534)
for attempt in (
    lambda: create_run(folder / "runs", datetime.now(UTC), "goldenpath"),
    lambda: SessionLog(folder / "session.jsonl"),
    lambda: EvidenceStore(folder / "evidence").put(b"data"),
):
    try:
        attempt()
    except LoopError as error:
        print(type(error).__name__, error.message)
"""


def test_a_read_only_folder_is_said_so(tmp_path: Path) -> None:
    """Whoever wants to write there gets an error of ours with the system's reason."""
    folder = tmp_path / "sealed"
    folder.mkdir(mode=0o555)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_WITHOUT_RIGHTS), str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "UsageError the runs folder cannot be written: Permission denied",
        "LogError the session log cannot be opened: Permission denied",
        "LogError evidence could not be stored: Permission denied",
    ]
