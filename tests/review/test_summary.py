"""How a run stands, read from its log and its lock."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta

import pytest
from rich.console import Console

from goldenpath_loop.review.summary import RunSummary, damaged, status_of, summarise, table_of
from goldenpath_loop.session.lock import is_held
from goldenpath_loop.session.session import Session

from .conftest import Recorded


def _text(renderable: object) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_finished_run_has_outcome_culprit_and_pull_request(repaired: Recorded) -> None:
    """The facts a list needs, as data."""
    found = summarise(repaired.lines, run="x", is_held=False)
    assert (found.state, found.outcome, found.exit_code) == ("finished", "repaired", 0)
    assert (found.target, found.focus, found.cycle, found.phase) == ("chat", "goldenpath", 2, None)
    assert (found.green, found.red, found.not_run) == (6, 0, 1)
    assert [one.revision[:12] for one in found.culprits] == ["000000000009"]
    assert [one.address for one in found.pull_requests] == ["pull_request.md"]
    assert RunSummary.model_validate_json(json.dumps(found.model_dump(mode="json"))) == found


@pytest.mark.parametrize(("is_held", "state"), [(True, "running"), (False, "interrupted")])
def test_without_an_outcome_the_lock_tells_running_from_interrupted(
    killed: Recorded, is_held: bool, state: str
) -> None:
    """A log cannot say of itself that its writer is dead."""
    found = summarise(killed.lines, run="x", is_held=is_held)
    assert found.state == state
    assert found.outcome is None
    assert found.phase == "execute"
    assert found.under_way == ("run websocket-events, 4 tests, on 00000000000f",)


def test_only_a_run_that_goes_on_gets_older(killed: Recorded) -> None:
    """The duration of a dead run ends with its last event."""
    later = datetime.fromisoformat(killed.lines[-1].at) + timedelta(seconds=100)
    dead = summarise(killed.lines, run="x", is_held=False, now=later)
    alive = summarise(killed.lines, run="x", is_held=True, now=later)
    assert alive.duration_s - dead.duration_s == pytest.approx(100, abs=0.01)


def test_every_beginning_of_a_log_has_a_summary(repaired: Recorded) -> None:
    """An empty log as well."""
    for end in range(len(repaired.lines) + 1):
        found = summarise(repaired.lines[:end], run="r", is_held=False)
        assert found.events == end
        assert _text(status_of(found))


def test_the_lock_is_seen_and_not_taken(killed: Recorded) -> None:
    """Looking at a run neither disturbs its writer nor leaves a lock behind."""
    assert not is_held(killed.folder.log)
    with Session(killed.folder):
        assert is_held(killed.folder.log)
        assert is_held(killed.folder.log)
    assert not is_held(killed.folder.log)
    assert not is_held(killed.folder.path / "nothing")


def test_a_table_shows_ids_whole_and_damage_with_its_reason(repaired: Recorded) -> None:
    """An id that is cut cannot be typed."""
    run = summarise(repaired.lines, run="x", is_held=False)
    text = _text(table_of([run, damaged("20260101-000000-all", "line 3 is not an event")]))
    assert "20260102-030405-goldenpath" in text
    assert "repaired" in text
    assert "20260101-000000-all" in text
    assert "damaged" in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80


def test_status_says_how_to_go_on(killed: Recorded) -> None:
    """An interrupted run can be resumed."""
    text = _text(status_of(summarise(killed.lines, run="x", is_held=False)))
    assert "interrupted" in text
    assert "left open   run websocket-events, 4 tests, on 00000000000f" in text
    assert "Go on with: loop resume 20260102-030405-goldenpath" in text


def test_what_models_cost_is_said_where_any_was_asked(talked: Recorded, killed: Recorded) -> None:
    """Of a call that nobody counted it is said that it may have been more."""
    found = summarise(talked.lines, run="x", is_held=False)
    assert found.charge is not None
    assert (found.charge.calls, found.charge.is_least) == (6, True)
    assert found.charge.usage.tokens == 4890
    assert "model       6 calls, at least 4,890 tokens, at least $1.55" in _text(status_of(found))
    assert RunSummary.model_validate_json(json.dumps(found.model_dump(mode="json"))) == found
    nobody = summarise(killed.lines, run="x", is_held=False)
    assert nobody.charge is None
    assert "model" not in _text(status_of(nobody))
