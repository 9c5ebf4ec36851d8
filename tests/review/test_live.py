"""The live view: a picture that fits on a terminal, plain lines elsewhere, a summary at the end."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from goldenpath_loop.core.state import fold
from goldenpath_loop.records.events import (
    ControlRequested,
    EffectFailed,
    EvidenceCaptured,
    FindingRejected,
    LimitReached,
    RunPaused,
    RunResumed,
)
from goldenpath_loop.records.findings import Finding
from goldenpath_loop.records.line import Line, UnknownEvent
from goldenpath_loop.review.frame import frame
from goldenpath_loop.review.live import LiveView
from goldenpath_loop.review.watch import Watch
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import Session

from .conftest import Recorded
from .staging import Staging


def _end(lines: list[Line]) -> datetime:
    return datetime.fromisoformat(lines[-1].at)


def _pipe() -> Console:
    return Console(file=io.StringIO(), force_terminal=False, width=80)


def _terminal(width: int = 80, height: int = 24) -> Console:
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        width=width,
        height=height,
        color_system="standard",
        legacy_windows=False,
        _environ={},
    )


def _shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _told(lines: Iterable[Line], console: Console, *, worklog: Path | None = None) -> str:
    with LiveView(console, live=console.is_terminal, worklog=worklog) as view:
        for line in lines:
            view.line(line)
    return _shown(console)


def _picture(watch: Watch, now: datetime, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), force_terminal=False, width=width, height=height, record=True)
    console.print(frame(watch, now=now, width=width, height=height))
    return console.export_text().rstrip("\n").split("\n")


def test_in_a_pipe_each_piece_of_news_is_one_whole_line(repaired: Recorded) -> None:
    """Phases, decisions, suites, red tests, probed commits, verdicts, findings, pull request, outcome."""
    lines = _told(repaired.lines, _pipe()).splitlines()
    expected = (
        "deploy_check started",
        "F1 contradiction: cycle 1: every service reports healthy, yet edge refuses its handshake",
        "decided plan: run (7 tests in 3 suites)",
        "red tests/e2e/test_websocket_events.py::test_order[en]: InvalidStatus: server rejected",
        "websocket-events is red: 0 of 4 passed, 3 failed",
        "execute done in",
        "K1 regression: failed in 3 of 3 runs",
        "commit 000000000008: green for K1, “Change 8”",
        "K1 confirmed: 0000000000 “Consolidate paths and route registration”",
        "remedy: goldenpath/revert-000000000009 at 00000000f00d",
        "proof of R1, without: websocket-events: 0 of 3 passed, 3 failed",
        "R1 proven: red without it, green with it, red again without it",
        "pull request pull_request.md",
        "cycle 2 begins, with R1",
        "outcome repaired:",
    )
    places = [next(number for number, line in enumerate(lines) if words in line) for words in expected]
    assert places == sorted(places)
    assert max(map(len, lines)) > 80  # nothing is wrapped where there is no screen
    assert "\x1b" not in "".join(lines)


def test_a_pull_request_of_another_run_is_told_as_such(record: Callable[[Staging], Recorded]) -> None:
    """When it is found, and in the summary."""
    run = record(Staging(address="/far/pull_request.md", opened_by="run other on far"))
    text = _told(run.lines, _pipe(), worklog=run.folder.worklog)
    assert "pull request already opened by run other on far: /far/pull_request.md" in text
    closing = text[text.index("\nrepaired\n") :]
    assert "pull request  /far/pull_request.md, already opened by run other on far\n" in closing


def test_it_ends_with_a_summary(repaired: Recorded) -> None:
    """Outcome, reason, culprit, the file of the pull request, worklog, what to do next, duration."""
    text = _told(repaired.lines, _pipe(), worklog=repaired.folder.worklog)
    closing = text[text.index("\nrepaired\n") :]
    assert "culprit       000000000009 “Consolidate paths and route registration” for K1" in closing
    assert f"pull request  {repaired.folder.path / 'pull_request.md'}\n" in closing
    assert f"worklog       {repaired.folder.worklog}\n" in closing
    assert "next          Review and merge pull_request.md" in closing
    assert "duration" in closing


def test_a_run_that_was_cut_off_ends_with_how_to_go_on(killed: Recorded) -> None:
    """No outcome is said to be one."""
    text = _told(killed.lines, _pipe())
    assert "no outcome: the run was cut off" in text
    assert "Go on with: loop resume 20260102-030405-goldenpath" in text


def test_what_happened_before_is_not_told_again(killed: Recorded) -> None:
    """A resumed run begins with one line about its past."""
    console = _pipe()
    with Session(killed.folder) as session:
        resumed = session.append(RunResumed(version="0.1.0"))
    with LiveView(console, live=False) as view:
        for number, line in enumerate(killed.lines, start=1):
            view.remember(line, fold(killed.lines[:number]))
        view.caught_up()
        view.line(resumed)
    lines = _shown(console).splitlines()
    assert "begins" not in _shown(console)
    assert lines[0] == f"{len(killed.lines)} events so far, cycle 1, phase execute"
    assert lines[1].endswith("resumed by version 0.1.0")
    assert lines[2] == ""


def test_a_fresh_run_is_told_from_its_first_line(repaired: Recorded) -> None:
    """There is no past to count."""
    console = _pipe()
    with LiveView(console, live=False) as view:
        view.remember(repaired.lines[0], fold(repaired.lines[:1]))
        view.caught_up()
    assert "target chat, focus goldenpath" in _shown(console).splitlines()[0]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (140, 50), (60, 10), (30, 5), (20, 2)])
def test_the_picture_fits_whatever_happens(
    repaired: Recorded, nasty: Recorded, width: int, height: int
) -> None:
    """A line too many makes a terminal scroll garbage, at every line of the log."""
    for run in (repaired, nasty):
        watch = Watch()
        for line in run.lines:
            watch.see(line)
            shown = _picture(watch, _end(run.lines), width, height)
            assert len(shown) <= max(4, height - 1)
            assert all(len(row) <= width for row in shown)


def test_the_picture_names_phases_what_runs_and_the_counts(killed: Recorded) -> None:
    """Every phase is listed; what is under way has its own clock and its latest words."""
    watch = Watch()
    for line in killed.lines:
        watch.see(line)
    (key,) = watch.running
    watch.hear(key, "red tests/e2e/test_websocket_events.py::test_close 0.12 s")
    watch.hear(key, "green tests/e2e/test_websocket_events.py::test_open 0.12 s")
    now = _end(killed.lines) + timedelta(minutes=2, seconds=5)
    text = "\n".join(_picture(watch, now, 140, 40))
    assert "deploy_check        done" in text
    assert "execute             running" in text
    assert "pull_request" in text
    assert "run websocket-events, 4 tests, on 00000000000f  green test_websocket_events.py::test_open" in text
    assert "2 min 05 s" in text
    assert "tests  1 green  1 red" in text


def test_progress_of_searches_does_not_count_as_results(repaired: Recorded) -> None:
    """Old commits are red on purpose; the counts are those of the cycle's own suites."""
    watch = Watch()
    for line in repaired.lines:
        watch.see(line)
        if isinstance(line.event, EvidenceCaptured) and line.event.effect.startswith("probe/"):
            watch.hear(line.event.effect, "red a::b 0.1 s")
            assert watch.tests.bad == 3


def test_on_a_terminal_only_headlines_stay(repaired: Recorded) -> None:
    """The picture is drawn over and over and is gone at the end; the story above it stays."""
    text = _told(repaired.lines, _terminal())
    assert "K1 confirmed" in text
    assert "P1 breached" not in text.split("\x1b[?25h")[-1]
    assert text.count("\x1b[?25l") == 1  # the cursor is hidden once
    assert text.rindex("\x1b[?25h") < text.index("Review and merge")  # and comes back before the summary


def test_no_color_is_honoured(repaired: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR takes colours away, also on a terminal."""
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    text = _told(repaired.lines, console)
    assert "\x1b[31m" not in text
    assert "\x1b[32m" not in text


def test_a_quiet_console_stays_quiet(repaired: Recorded) -> None:
    """With --json nothing but the JSON object is said."""
    console = Console(file=io.StringIO(), quiet=True, force_terminal=True)
    assert _told(repaired.lines, console) == ""


def test_text_from_outside_cannot_act_on_the_terminal(nasty: Recorded) -> None:
    """Escape sequences and direction marks of a test's message are spelled out; markup is not read."""
    text = _told(nasty.lines, _pipe())
    assert "\x1b" not in text
    assert "\u202e" not in text
    watch = Watch()
    for line in nasty.lines:
        watch.see(line)
    watch.hear(next(iter(watch.running), "x"), "red [bold]x[/bold] \x1b[2J")
    assert "\x1b" not in "\n".join(_picture(watch, _end(nasty.lines), 120, 40))


def test_time_that_a_run_lay_dead_does_not_count(killed: Recorded, tmp_path: Path) -> None:
    """Elapsed times come from the log's own times, pauses left out."""
    watch = Watch()
    for line in killed.lines:
        watch.see(line)
    before = watch.state.active_until(_end(killed.lines))
    folder = RunFolder(tmp_path / "later")
    folder.path.mkdir()
    with Session(folder) as session:
        resumed = session.append(RunResumed(version="0.1.0"))
    later = _end(killed.lines) + timedelta(hours=5)
    (entry,) = watch.see(replace(resumed, at=later.isoformat()))
    assert entry.elapsed_s == pytest.approx(before)
    assert watch.running == {}


def test_what_goes_wrong_is_told(repaired: Recorded, tmp_path: Path) -> None:
    """Failed effects, limits, rejected claims, requests of a person and pauses each have their line."""
    console = _pipe()
    folder = RunFolder(tmp_path / "r")
    folder.path.mkdir()
    with Session(folder) as session, LiveView(console, live=False) as view:
        session.listen(view.line)
        for line in repaired.lines[:6]:
            assert not isinstance(line.event, UnknownEvent)
            session.append(line.event)
        session.append(EffectFailed(key="c1/tree", error="the disk is full", advice="make room"))
        claim = Finding(id="F1", kind="observation", title="The moon did it", statement="surely")
        session.append(FindingRejected(proposed=claim, reasons=("it cites nothing",)))
        session.append(LimitReached(limit="duration_s", allowed=60, used=61.5))
        session.append(ControlRequested(request="pause_now", by="ada"))
        session.append(RunPaused(reason="SIGINT"))
    text = _shown(console)
    assert "failed: worktree cycle-1 at 00000000000f: the disk is full" in text
    assert "F1 rejected: The moon did it (it cites nothing)" in text
    assert "limit reached: duration_s, 61.5 of 60" in text
    assert "pause now asked for by ada" in text
    assert "paused: SIGINT" in text
    assert "\npaused\n" in text


def test_agents_are_heard_of_when_they_are_asked_and_when_they_are_done(talked: Recorded) -> None:
    """One line each; the summary says what all of them cost."""
    text = _told(talked.lines, _pipe())
    assert "failure_analyst is asked about K1\n" in text
    assert "failure_analyst about K1: answered after 3 turns, 3,060 tokens, 1 answer refused\n" in text
    assert "sceptic about K1: inconclusive after 2 turns, 810 tokens: the server was silent for 5 s\n" in text
    cost = "6 calls, at least 4,890 tokens, at least $1.55 (62 % cached), estimated"
    assert f"  model         {cost}\n" in text


def test_on_a_terminal_it_stays_what_came_of_a_question(talked: Recorded) -> None:
    """That one is asked is seen in the picture, under what is under way."""
    text = _told(talked.lines, _terminal(width=120))
    assert "sceptic about K1: inconclusive" in text
    watch = Watch()
    for line in talked.lines[:5]:
        watch.see(line)
    assert "ask failure_analyst about K1" in "\n".join(_picture(watch, _end(talked.lines[:5]), 120, 40))


def test_without_a_model_nothing_is_said_of_its_cost(repaired: Recorded) -> None:
    """No line, not even of zero."""
    assert "  model" not in _told(repaired.lines, _pipe())
