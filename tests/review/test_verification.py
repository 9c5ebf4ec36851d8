"""`verify` finds whatever was changed after it was written."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from goldenpath_loop.core.pins import Pin, pin_words, pins_in
from goldenpath_loop.records.effects import AnyEffect, OpenPullRequest
from goldenpath_loop.records.events import EffectRequested
from goldenpath_loop.review.verification import verify
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.folder import RunFolder
from tests.core.worlds import World, live, start

from .talks import write_talks

TESTS = ("tests/test_a.py::test_a",)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A whole run with a culprit, a chain, a remedy and a proof."""
    run = start(tmp_path_factory.mktemp("run"))
    return anyio.run(lambda: live(run, World(commits=12, tests=TESTS, culprits={TESTS[0]: 5}))).folder


@pytest.fixture
def run(lived: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy to do harm to."""
    shutil.copytree(lived.path, tmp_path / "copy")
    return RunFolder(tmp_path / "copy")


def test_a_run_as_it_was_written_is_true(run: RunFolder) -> None:
    """And it says how much was looked at."""
    found = verify(run)
    assert found.is_true, found.problems
    assert min(found.events, found.evidence, found.citations, found.reasons) > 0
    assert (found.torn_bytes, found.unnamed) == (0, ())


def test_evidence_that_was_changed_or_removed_is_named(run: RunFolder) -> None:
    """With the quotes that rested on it."""
    files = sorted(run.evidence.iterdir())
    files[0].write_bytes(files[0].read_bytes() + b" ")
    files[1].unlink()
    found = verify(run)
    assert {one.what for one in found.problems} >= {"evidence"}
    assert len({one.where for one in found.problems if one.what == "evidence"}) >= 2


@pytest.mark.parametrize("which", [0, 5, -2])
def test_a_line_that_was_changed_breaks_the_chain(run: RunFolder, which: int) -> None:
    """However well it still reads; the last line alone has nothing after it."""
    lines = run.log.read_bytes().splitlines(keepends=True)
    record = json.loads(lines[which])
    record["at"] = "2020-01-01T00:00:00+00:00"
    lines[which] = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    run.log.write_bytes(b"".join(lines))
    assert [one.what for one in verify(run).problems] == ["log"]


def test_a_log_that_was_cut_shorter_than_a_pull_request_knew_it_is_found(run: RunFolder) -> None:
    """Every line that is left is as it was; the pull request names one that is gone."""
    bodies = [one.body for one in asked_of(run) if isinstance(one, OpenPullRequest)]
    (run.path / "pull_request.md").write_text(bodies[0])
    found = verify(run)
    assert found.is_true, found.problems
    assert found.pins == 1
    (pin,) = pins_in(bodies[0])
    lines = run.log.read_bytes().splitlines(keepends=True)
    run.log.write_bytes(b"".join(lines[: pin.seq]))
    assert verify(run).is_true
    run.log.write_bytes(b"".join(lines[: pin.seq - 1]))
    (problem,) = verify(run).problems
    assert problem.what == "pin"
    assert f"had {pin.seq} lines; now it ends at {pin.seq - 1}" in problem.message


def test_a_pull_request_of_another_log_is_found(run: RunFolder) -> None:
    """Its line has another hash, or its run another name."""
    there = Pin("paper", 3, "0" * 64)
    (run.path / "pull_request.md").write_text(pin_words(there))
    (run.path / "pull_request-2.md").write_text(pin_words(replace(there, run="other")))
    assert [one.where for one in verify(run).problems] == ["pull_request-2.md", "pull_request.md"]


def asked_of(run: RunFolder) -> list[AnyEffect]:
    """Every effect that the run asked for."""
    return [line.event.effect for line in read(run.log) if isinstance(line.event, EffectRequested)]


def test_a_torn_tail_is_a_crash_and_no_lie(run: RunFolder) -> None:
    """What was never written whole was never promised."""
    run.log.write_bytes(run.log.read_bytes() + b'{"seq": 9')
    found = verify(run)
    assert found.is_true
    assert found.torn_bytes == 9


def test_what_lies_beside_the_evidence_is_told(run: RunFolder) -> None:
    """It proves nothing and harms nothing."""
    (run.evidence / "notes.txt").write_text("mine")
    found = verify(run)
    assert found.is_true
    assert found.unnamed == ("notes.txt",)


def test_a_quote_out_of_place_is_found(run: RunFolder) -> None:
    """Somebody rewrote the log with a chain that checks: the quotes still have to be there."""

    def lie(record: dict[str, Any]) -> None:
        if record["type"] == "finding.appended" and record["payload"]["finding"]["chain"]:
            record["payload"]["finding"]["chain"][0]["effect_citation"]["quote"] = "something else entirely"

    _rewrite(run, lie)
    found = verify(run)
    assert [one.what for one in found.problems] == ["citation"]


def _rewrite(run: RunFolder, change: Callable[[dict[str, Any]], None]) -> None:
    prev, out = "0" * 64, []
    for raw in run.log.read_bytes().splitlines():
        record = json.loads(raw)
        change(record)
        record["prev"] = prev
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
        prev = hashlib.sha256(line).hexdigest()
        out.append(line + b"\n")
    run.log.write_bytes(b"".join(out))


@pytest.fixture
def talked(tmp_path: Path) -> RunFolder:
    """A run in which agents were asked."""
    return write_talks(RunFolder(tmp_path / "talked"))


def test_conversations_as_they_were_are_true(talked: RunFolder) -> None:
    """And they are counted."""
    found = verify(talked)
    assert found.is_true, found.problems
    assert (found.transcripts, found.citations) == (3, 1)


def test_a_changed_byte_in_a_transcript_is_found_and_named(talked: RunFolder) -> None:
    """With the dispatch it is about."""
    path = talked.path / "transcripts" / "c1-analyse-K1-1.jsonl"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    (problem,) = verify(talked).problems
    assert (problem.what, problem.where) == ("transcript", "transcripts/c1-analyse-K1-1.jsonl")
    assert "SHA-256" in problem.message and "c1/analyse/K1/1" in problem.message


def test_a_transcript_that_is_gone_is_named(talked: RunFolder) -> None:
    """A line that was added is as bad as a file that is missing."""
    place = talked.path / "transcripts"
    (place / "c1-fix-K1-1.jsonl").unlink()
    with (place / "c1-doubt-K1-1.jsonl").open("ab") as file:
        file.write(b"{}\n")
    found = verify(talked)
    assert [one.where for one in found.problems] == [
        "transcripts/c1-doubt-K1-1.jsonl",
        "transcripts/c1-fix-K1-1.jsonl",
    ]
    assert "cannot be read" in found.problems[1].message


@pytest.mark.parametrize("place", ["../../etc/passwd", "/etc/passwd", "transcripts/..", "session.jsonl"])
def test_a_transcript_elsewhere_is_none(talked: RunFolder, place: str) -> None:
    """The log cannot send anybody out of the run's folder."""

    def send(record: dict[str, Any]) -> None:
        if record["type"] == "effect.settled" and record["payload"]["key"] == "c1/fix/K1/1":
            record["payload"]["receipt"]["transcript"] = place

    _rewrite(talked, send)
    (problem,) = verify(talked).problems
    assert (problem.what, problem.where) == ("transcript", place)
    assert "does not lie among the transcripts" in problem.message


def test_a_citation_of_what_the_agent_never_read_is_found(talked: RunFolder) -> None:
    """The quote is in place, and the agent cannot have it from there."""

    def forget(record: dict[str, Any]) -> None:
        if record["type"] == "effect.settled" and record["payload"]["key"] == "c1/analyse/K1/1":
            record["payload"]["receipt"]["read"] = ["E2"]

    _rewrite(talked, forget)
    (problem,) = verify(talked).problems
    assert (problem.what, problem.where) == ("citation", "F1")
    assert problem.message == "E1 was never put before c1/analyse/K1/1"


def test_a_finding_of_a_dispatch_that_never_answered_is_found(talked: RunFolder) -> None:
    """Somebody has to have said it."""

    def rename(record: dict[str, Any]) -> None:
        if record["type"] == "finding.appended":
            record["payload"]["finding"]["dispatch"] = "c1/analyse/K7/1"

    _rewrite(talked, rename)
    (problem,) = verify(talked).problems
    assert (problem.what, problem.where) == ("citation", "F1")
    assert "c1/analyse/K7/1" in problem.message
