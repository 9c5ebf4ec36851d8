"""Logs that were written once load for ever. The files are never written again; a new schema gets new ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from goldenpath_loop.core.remedies import is_proven, remedies
from goldenpath_loop.core.state import fold
from goldenpath_loop.records.events import SCHEMA_VERSION, AnyEvent, RunStarted
from goldenpath_loop.records.line import UnknownEvent
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.log import SessionLog

GOLDEN = Path(__file__).parent.parent / "golden"
LOGS = [GOLDEN / "session-v1.jsonl", GOLDEN / "events-v1.jsonl", GOLDEN / "agents-v1.jsonl"]


def is_kept(old: Any, new: Any) -> bool:
    """Whether everything that `old` says is said by `new`; `new` may say more."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in new and is_kept(value, new[key]) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(is_kept, old, new))
    return type(old) is type(new) and bool(old == new)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_every_line_says_what_it_said(path: Path, tmp_path: Path) -> None:
    """It loads, its chain holds, and written again it loses no word."""
    lines = list(read(path))
    again = tmp_path / "session.jsonl"
    with SessionLog(again) as log:
        for line in lines:
            assert not isinstance(line.event, UnknownEvent)
            log.append(line.event)
    assert [line.event for line in read(again)] == [line.event for line in lines]
    for old, new in zip(path.read_bytes().splitlines(), again.read_bytes().splitlines(), strict=True):
        before, after = json.loads(old), json.loads(new)
        assert before["type"] == after["type"]
        assert is_kept(before["payload"], after["payload"])


def test_the_old_run_is_still_repaired() -> None:
    """Through an edge that failed, a kill, a pause and a resume, to a proven remedy and its pull request."""
    state = fold(read(LOGS[0]))
    assert state.finished is not None
    assert state.finished.outcome == "repaired"
    assert state.finished.exit_code == 0
    assert state.generation == 1
    assert [is_proven(state, remedy) for remedy in remedies(state)] == [True]
    culprit = state.verdict("culprit", "K1")
    assert culprit is not None
    assert culprit.revision == f"{9:012x}".ljust(40, "0")
    assert [finding.kind for finding in state.findings] == ["why_chain"]


def test_the_old_files_hold_every_event_of_their_schema() -> None:
    """A type that is not in them would not be protected; a new schema version needs golden files of its own."""
    events = [line.event for path in LOGS[1:] for line in read(path)]
    assert {type(event) for event in events} == set(get_args(get_args(AnyEvent)[0]))
    started = events[0]
    assert isinstance(started, RunStarted)
    assert started.schema_version == SCHEMA_VERSION
