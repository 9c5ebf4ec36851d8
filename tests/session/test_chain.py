"""Reading a log: a line at a time, from where one was, and of any version."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.errors import DamagedLogError, LogError
from goldenpath_loop.records.events import SCHEMA_VERSION, EffectFailed, RunPaused, RunResumed
from goldenpath_loop.records.line import UnknownEvent
from goldenpath_loop.session.chain import GENESIS, Chain, last_line, read
from goldenpath_loop.session.line import record_of
from goldenpath_loop.session.log import SessionLog

from .examples import EVENTS


def rechained(records: list[dict[str, object]]) -> bytes:
    """A log of `records` whose chain holds, whatever is in them."""
    prev, data = GENESIS, b""
    for seq, record in enumerate(records, start=1):
        whole = {"seq": seq, "at": "2030-01-01T00:00:00+00:00", "prev": prev, **record}
        ordered = {key: whole[key] for key in ("seq", "at", "type", "prev", "payload")}
        raw = json.dumps(ordered, separators=(",", ":")).encode()
        prev, data = hashlib.sha256(raw).hexdigest(), data + raw + b"\n"
    return data


def of_a_newer_version() -> list[dict[str, object]]:
    """A run of a version that has a field, a type and a resume that this one does not know."""
    started = EVENTS[0].model_dump(mode="json", exclude={"type"})
    return [
        {"type": "run.started", "payload": started | {"schema_version": SCHEMA_VERSION + 1}},
        {"type": "weather.reported", "payload": {"sky": "clear"}},
        {"type": "run.paused", "payload": {"causes": [], "reason": "r", "mood": "calm"}},
        {"type": "run.paused", "payload": {"causes": [], "reason": "known"}},
    ]


@given(st.lists(st.integers(0, 5), max_size=8))
def test_reading_goes_on_where_it_was(tmp_path_factory: pytest.TempPathFactory, steps: list[int]) -> None:
    """However the log grows between two looks, each line comes once, and a line that is being written comes whole."""
    path = tmp_path_factory.mktemp("log") / "session.jsonl"
    path.touch()
    chain, seen = Chain(path), 0
    with SessionLog(path) as log:
        for step in steps:
            for number in range(step):
                log.append(RunPaused(reason=str(number)))
            with path.open("ab") as half:
                half.write(b'{"seq":')
            seen += sum(1 for _ in chain)
            assert seen == chain.seq == log.seq
            with path.open("r+b") as whole:
                whole.truncate(chain.end)
    assert [line.seq for line in read(path)] == list(range(1, seen + 1))


def test_one_line_is_held_at_a_time(tmp_path: Path) -> None:
    """A log of megabytes is read in the room of its buffer."""
    path = tmp_path / "session.jsonl"
    with SessionLog(path) as log:
        for _ in range(400):
            log.append(EffectFailed(key="k", error="x" * 20_000))
    for line in read(path):
        assert line.seq
        break
    tracemalloc.start()
    assert sum(1 for _ in read(path)) == 400
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 8_000_000
    assert most < 3_000_000


def test_a_log_of_a_newer_version_is_shown_and_not_written(tmp_path: Path) -> None:
    """What is not known stays as it stands; whoever wants to go on is told which version is needed."""
    path = tmp_path / "session.jsonl"
    path.write_bytes(rechained(of_a_newer_version()))
    lines = list(read(path))
    assert [type(line.event) is UnknownEvent for line in lines] == [False, True, True, False]
    for line, raw in zip(lines, path.read_bytes().splitlines(), strict=True):
        if isinstance(line.event, UnknownEvent):
            assert record_of(line) == json.loads(raw)
    before = path.read_bytes()
    with pytest.raises(LogError, match=f"a newer version wrote it .log version {SCHEMA_VERSION + 1}"):
        SessionLog(path)
    assert path.read_bytes() == before


def test_a_beginning_that_only_a_newer_version_knows_is_shown(tmp_path: Path) -> None:
    """Also when the first line itself has fields that are not known here."""
    path = tmp_path / "session.jsonl"
    newer = of_a_newer_version()
    payload = newer[0]["payload"]
    assert isinstance(payload, dict)
    path.write_bytes(rechained([{"type": "run.started", "payload": payload | {"moon": "full"}}, *newer[1:]]))
    assert [type(line.event) is UnknownEvent for line in read(path)] == [True, True, True, False]


def test_a_newer_version_may_have_gone_on_with_an_old_run(tmp_path: Path) -> None:
    """From its resume on, what is not known is of that version."""
    path = tmp_path / "session.jsonl"
    started = EVENTS[0].model_dump(mode="json", exclude={"type"})
    resumed = RunResumed(version="9").model_dump(mode="json", exclude={"type"}) | {
        "schema_version": SCHEMA_VERSION + 2,
        "moon": "full",
    }
    path.write_bytes(
        rechained(
            [
                {"type": "run.started", "payload": started},
                {"type": "run.resumed", "payload": resumed},
                {"type": "weather.reported", "payload": {}},
            ]
        )
    )
    assert [type(line.event) is UnknownEvent for line in read(path)] == [False, True, True]


@pytest.mark.parametrize(
    "record",
    [
        {"type": "weather.reported", "payload": {}},
        {"type": "run.paused", "payload": {"causes": [], "reason": "r", "mood": "calm"}},
        {"type": "run.started", "payload": {"causes": [], "run": 3}},
    ],
)
def test_of_this_version_what_is_not_known_is_damage(tmp_path: Path, record: dict[str, object]) -> None:
    """Nobody can have written it, although the chain holds."""
    path = tmp_path / "session.jsonl"
    started = EVENTS[0].model_dump(mode="json", exclude={"type"})
    path.write_bytes(rechained([{"type": "run.started", "payload": started}, record]))
    with pytest.raises(DamagedLogError, match="line 2 is not an event"):
        list(read(path))


@pytest.mark.parametrize("size", [1, 100, 300_000])
def test_the_last_line_is_found_without_the_others(tmp_path: Path, size: int) -> None:
    """Also a long one, and also behind a torn tail."""
    path = tmp_path / "session.jsonl"
    with SessionLog(path) as log:
        log.append(EVENTS[0])
        last = log.append(RunPaused(reason="x" * size))
    assert last_line(path) == last
    with path.open("ab") as file:
        file.write(b'{"seq":3,"at":')
    assert last_line(path) == last


def test_an_empty_log_has_no_last_line(tmp_path: Path) -> None:
    """Nor has one that only has a torn one; where there is no log, that is said."""
    path = tmp_path / "session.jsonl"
    path.touch()
    assert last_line(path) is None
    path.write_bytes(b'{"seq":1')
    assert last_line(path) is None
    with pytest.raises(LogError, match="no session log"):
        last_line(tmp_path / "nothing")
