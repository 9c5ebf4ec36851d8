"""Several who promise something share the disk, and nobody is told of what could still be lost."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.errors import LogError
from goldenpath_loop.records.events import EffectFailed, LimitReached, RunPaused
from goldenpath_loop.records.line import Line
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import Session

from .examples import EVENTS

pytestmark = pytest.mark.anyio


class Disk:
    """Stands before the real one: counts what is brought to it, and can be slow or refuse."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.turns = 0
        self.error: OSError | None = None
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self._fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self.fsync)

    def fsync(self, fd: int) -> None:
        """Bring one file to the disk."""
        self.may_go_on.wait()
        self.turns += 1
        if self.error is not None:
            raise self.error
        self._fsync(fd)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """The disk of the session logs of one test."""
    return Disk(monkeypatch)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A folder with a log of one line."""
    folder = RunFolder(tmp_path)
    with Session(folder) as session:
        session.append(EVENTS[0])
    return folder


async def test_whoever_comes_while_the_disk_works_shares_the_next_turn(run: RunFolder, disk: Disk) -> None:
    """A hundred promises at once take two turns: the one under way, and one for all who came meanwhile."""
    with Session(run) as session:
        disk.turns = 0
        disk.may_go_on.clear()

        async def promise() -> None:
            seq = session.append(EffectFailed(key="k", error="e")).seq
            await session.commit()
            assert session._log.synced_seq >= seq

        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(promise)
            await anyio.sleep(0.05)
            disk.may_go_on.set()
        assert disk.turns <= 2
        assert session.seq == 101


async def test_what_nobody_relies_on_costs_no_turn(run: RunFolder, disk: Disk) -> None:
    """A commit without a promise before it comes back at once."""
    with Session(run) as session:
        disk.turns = 0
        session.append(LimitReached(limit="cycles", allowed=1, used=1))
        await session.commit()
        assert disk.turns == 0


async def test_a_person_is_told_after_the_disk(run: RunFolder, disk: Disk) -> None:
    """Listeners hear of a line at once, watchers when it cannot be lost any more; the order stays."""
    heard: list[int] = []
    told: list[int] = []
    with Session(run, listeners=[lambda line: heard.append(line.seq)]) as session:
        session.watch(lambda line: told.append(line.seq))
        session.append(LimitReached(limit="cycles", allowed=1, used=1))
        assert told == [2]
        session.append(EffectFailed(key="k", error="e"))
        session.append(LimitReached(limit="cycles", allowed=1, used=1))
        assert heard == [1, 2, 3, 4]
        assert told == [2]
        await session.commit()
        assert told == [2, 3, 4]


def test_what_was_promised_is_on_the_disk_when_the_session_is_closed(run: RunFolder, disk: Disk) -> None:
    """A command that appends one decision and ends needs no more than that."""
    told: list[Line] = []
    with Session(run) as session:
        session.watch(told.append)
        disk.turns = 0
        session.append(RunPaused(reason="r"))
        assert told == []
    assert disk.turns == 1
    assert [line.seq for line in told] == [2]


async def test_a_disk_that_refused_once_is_never_believed_again(run: RunFolder, disk: Disk) -> None:
    """The kernel may have dropped what it had: no further event, no second attempt, no success."""
    told: list[Line] = []
    with Session(run) as session:
        session.watch(told.append)
        session.append(RunPaused(reason="r"))
        disk.error = OSError(5, "Input/output error")
        with pytest.raises(LogError, match="the disk did not take the log: Input/output error"):
            await session.commit()
        disk.error = None
        with pytest.raises(LogError, match="takes no more events"):
            session.append(RunPaused(reason="again"))
        with pytest.raises(LogError, match="takes no more events"):
            await session.commit()
        turns = disk.turns
    assert disk.turns == turns
    assert told == []
    # What the kernel may have dropped can still be read here, and would not after a power failure.
    assert [line.seq for line in read(run.log)] == [1]


@pytest.mark.parametrize("fate", ["removed", "replaced", "folder removed"])
async def test_a_log_that_was_taken_away_is_noticed(tmp_path: Path, fate: str) -> None:
    """Writing into a file that has no name any more succeeds, and everything in it is lost."""
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    session = Session(folder)
    session.append(EVENTS[0])
    await session.commit()
    match fate:
        case "removed":
            folder.log.unlink()
        case "replaced":
            other = tmp_path / "other"
            other.write_bytes(folder.log.read_bytes())
            other.replace(folder.log)
        case _:
            folder.path.rename(tmp_path / "elsewhere")
    session.append(RunPaused(reason="r"))
    wanted = "another file was put in its place" if fate == "replaced" else "it was removed"
    with pytest.raises(LogError, match=wanted):
        await session.commit()
    with pytest.raises(LogError, match="takes no more events"):
        session.append(RunPaused(reason="again"))
    session.__exit__(None, None, None)


def test_evidence_is_described_from_the_log_again(run: RunFolder) -> None:
    """A session opened later knows what an earlier one captured, and where it was not there says so."""
    described = next(event for event in EVENTS if event.type == "evidence.captured").evidence
    with Session(run) as session:
        name = session.capture(
            described.kind, b"words", subject="s", obtained=described.obtained, effect="base"
        )
    with Session(run) as session:
        known = session.evidence(name)
        assert known is not None and known.subject == "s"
        assert session.bytes_of(name) == b"words"
        assert [one.id for one in session.all_evidence()] == [name]
        assert session.evidence("E99") is None
        assert session.bytes_of("E99") is None
    assert len(list(read(run.log))) == 2
