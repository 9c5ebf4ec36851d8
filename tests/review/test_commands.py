"""`loop list`, `loop status` and `loop show`, typed as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import Session

from .conftest import Recorded


def _loop(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "goldenpath_loop", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _said(*arguments: str, cwd: Path) -> str:
    done = _loop(*arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _json(*arguments: str, cwd: Path) -> list[dict[str, Any]]:
    found = json.loads(_said(*arguments, "--json", cwd=cwd))
    assert isinstance(found, list)
    return found


def _runs(run: Recorded) -> str:
    return str(run.folder.path.parent)


def test_list_shows_every_run_also_a_damaged_one(
    repaired: Recorded, killed: Recorded, tmp_path: Path
) -> None:
    """One line or one object a run, newest first."""
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / "20260103-000000-b").symlink_to(killed.folder.path)
    (runs / "20260102-000000-a").symlink_to(repaired.folder.path)
    broken = RunFolder(runs / "20260101-000000-c")
    broken.path.mkdir()
    broken.log.write_bytes(b"nonsense\n" + killed.folder.log.read_bytes())
    found = _json("list", "--runs", str(runs), cwd=tmp_path)
    assert [one["state"] for one in found] == ["interrupted", "finished", "damaged"]
    assert found[1]["culprits"][0]["subject"] == "Consolidate paths and route registration"
    text = _said("list", "--runs", str(runs), cwd=tmp_path)
    assert len(text.strip().splitlines()) == 4


def test_an_empty_folder_is_no_error(tmp_path: Path) -> None:
    """Before the first run there is nothing to list."""
    assert "no run yet" in _said("list", cwd=tmp_path)
    assert _json("list", cwd=tmp_path) == []


def test_status_sees_that_a_run_goes_on(killed: Recorded, tmp_path: Path) -> None:
    """The writer's lock is held by this very process."""
    with Session(killed.folder):
        (found,) = _json("status", str(killed.folder.path), cwd=tmp_path)
    assert found["state"] == "running"
    (found,) = _json("status", str(killed.folder.path), cwd=tmp_path)
    assert found["state"] == "interrupted"


def test_show_tells_every_event_grouped_by_phase(repaired: Recorded, tmp_path: Path) -> None:
    """Headings are phases; nothing of the log is left out."""
    text = _said("show", "20260102", "--runs", _runs(repaired), cwd=tmp_path)
    headings = [line for line in text.splitlines() if line.startswith("cycle ")]
    assert headings[0] == "cycle 1, deploy_check"
    assert headings[-1] == "cycle 2, execute"
    numbers = {int(line.split()[2]) for line in text.splitlines() if line.startswith(" ")}
    assert numbers == set(range(1, len(repaired.lines) + 1))


def test_show_as_json_is_the_log_itself(repaired: Recorded, tmp_path: Path) -> None:
    """Machine data never goes through a console."""
    found = _json("show", "--runs", _runs(repaired), cwd=tmp_path)
    written = [json.loads(line) for line in repaired.folder.log.read_text().splitlines()]
    assert found == written


@pytest.mark.parametrize("option", [(), ("--evidence",)])
def test_show_prints_evidence_with_how_it_was_obtained(
    repaired: Recorded, tmp_path: Path, option: tuple[str, ...]
) -> None:
    """Metadata, then the bytes."""
    evidence = repaired.evidence("::test_five_events", "c1/execute/")
    text = _said("show", str(repaired.folder.path), *option, evidence, cwd=tmp_path)
    assert "test result: tests/e2e/test_websocket_events.py::test_five_events" in text
    assert "how: python -m pytest" in text
    assert "outcome: red\nInvalidStatus: server rejected WebSocket connection: HTTP 200" in text


def test_evidence_cannot_act_on_the_terminal(nasty: Recorded, tmp_path: Path) -> None:
    """Control characters of stored bytes are spelled out."""
    evidence = nasty.evidence("", "c1/execute/")
    text = _said("show", str(nasty.folder.path), evidence, cwd=tmp_path)
    assert "\\u202e" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    "reference", ["verdict", "finding", "K1", "R1", "pull_request/goldenpath/revert-000000000009", "audit/R1"]
)
def test_a_record_is_shown_down_to_the_tests_own_words(
    repaired: Recorded, tmp_path: Path, reference: str
) -> None:
    """From whatever a person holds to what the failing test said."""
    ids = {"verdict": repaired.verdict("culprit", "K1"), "finding": repaired.finding("why_chain")}
    text = _said("show", str(repaired.folder.path), ids.get(reference, reference), cwd=tmp_path)
    below = text[text.index("rests on:") :]
    words = "test_close is red: InvalidStatus: server rejected WebSocket connection: HTTP 200"
    assert words in below


def test_a_finding_is_shown_with_quotes_and_refuters(repaired: Recorded, tmp_path: Path) -> None:
    """Both sides of each link with evidence, bytes and text."""
    text = _said("show", str(repaired.folder.path), repaired.finding("why_chain"), cwd=tmp_path)
    assert "1. why: tests/e2e/test_websocket_events.py::test_close fails" in text
    assert "[33:82] “handshake: refused with HTTP 200 application/json”" in text
    assert "looked for as a refuter:" in text


def test_json_of_a_record_is_what_it_rests_on(repaired: Recorded, tmp_path: Path) -> None:
    """An array of events, as without a reference."""
    found = _json("show", str(repaired.folder.path), "K1", cwd=tmp_path)
    assert {one["type"] for one in found} == {"decision.made", "evidence.captured"}


def test_an_unknown_reference_names_similar_ones(repaired: Recorded, tmp_path: Path) -> None:
    """A usage error, with what there is."""
    done = _loop("show", str(repaired.folder.path), "revert", cwd=tmp_path)
    assert done.returncode == 2
    assert "no record called revert" in done.stderr
    assert "remedy/revert/000000000009" in done.stderr


def test_two_references_at_once_are_refused(repaired: Recorded, tmp_path: Path) -> None:
    """Which of them is meant cannot be guessed."""
    done = _loop("show", str(repaired.folder.path), "V1", "--evidence", "E1", cwd=tmp_path)
    assert done.returncode == 2
