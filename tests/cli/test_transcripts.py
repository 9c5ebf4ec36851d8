"""`loop transcripts` shows who was asked and what was said, and nothing said acts on the terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from goldenpath_loop.records.agents import Objections
from goldenpath_loop.records.events import EffectFailed, RunPaused, RunResumed
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import Session
from tests.review.talks import NASTY, Talk, begin, observation, write_talks

RUN = "20260102-030405-all"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished run with three dispatches."""
    return write_talks(RunFolder(tmp_path_factory.mktemp("runs") / RUN))


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "goldenpath_loop", "transcripts", *arguments]


def _loop(run: RunFolder, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*arguments, "--runs", str(run.path.parent)),
        cwd=run.path.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _said(run: RunFolder, *arguments: str) -> str:
    done = _loop(run, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_table_says_what_came_of_each_question_and_what_it_cost(told: RunFolder) -> None:
    """A row a dispatch; of what nobody counted it says that it is the least, of guesses that they are guesses."""
    text = _said(told)
    rows = {line.split()[1]: line for line in text.splitlines() if "c1/" in line}
    assert list(rows) == ["c1/analyse/K1/1", "c1/doubt/K1/1", "c1/fix/K1/1"]
    analyst = rows["c1/analyse/K1/1"].split()
    assert analyst[2:7] == ["failure_analyst", "K1", "answered:", "1", "finding;"]
    assert analyst[-8:] == ["3", "3,060", "$0.0369", "75", "%", "0.50", "s", "1"]
    assert "inconclusive: the server was silent for 5 s" in rows["c1/doubt/K1/1"]
    assert "≥~810" in rows["c1/doubt/K1/1"] and "≥~$1.50" in rows["c1/doubt/K1/1"]
    assert "not enough evidence: no log of the edge" in rows["c1/fix/K1/1"]
    assert "≥~4,890" in text
    assert "estimated" in text.splitlines()[-1]


def test_as_json_it_is_one_object(told: RunFolder) -> None:
    """With numbers as numbers, and where each transcript lies."""
    found = json.loads(_said(told, "--json"))
    assert found["run"] == RUN
    first, second, _ = found["dispatches"]
    assert (first["state"], first["turns"], first["tokens"], first["cached_share"]) == (
        "answered",
        3,
        3060,
        0.75,
    )
    assert first["refusals"][0]["turn"] == 2
    assert Path(first["transcript"]).is_file()
    assert (second["state"], second["is_estimated"], second["is_least"]) == ("inconclusive", True, True)
    assert found["total"]["calls"] == 6


@pytest.mark.parametrize("name", ["c1/analyse/K1/1", "analyse", "ANALYSE/k1", "1"])
def test_a_conversation_is_shown_by_key_part_or_row(told: RunFolder, name: str) -> None:
    """Roles, headings of the brief, calls, results, refusals, cost a turn, the end."""
    text = _said(told, RUN, name)
    brief = text[: text.index("turn 1")]
    assert "# Why is it red?" in brief and "## Cluster" in brief and "evidence E1" in brief
    assert "no heading" not in brief and "Say why." not in brief
    assert "failure_analyst  turn 1; 1,000 tokens in (75 % cached), 20 out, $0.0123, waited 0.50 s" in text
    assert 'calls read_evidence(id="E1", start=0)' in text
    assert 'tool  read_evidence(id="E1", start=0): E1 service_log, ' in text
    assert "KeyError: 'no_such_thread'" in text and "line 39" not in text and "[... 39 more lines]" in text
    assert "gate  refuses, for 1 reason" in text and "- The moon did it: E9 was never put before" in text
    assert "answered after 3 turns, 3,060 tokens (75 % of the prompts cached), $0.0369" in text


def test_full_leaves_nothing_out(told: RunFolder) -> None:
    """Briefs, arguments and results to their last line."""
    short, full = _said(told, RUN, "doubt"), _said(told, RUN, "doubt", "--full")
    assert "more characters]" in short and "x" * 300 not in short
    assert "x" * 300 in full
    assert "Say why." in full and "You decide nothing." in full
    assert "line 39" in _said(told, RUN, "1", "--full")


def test_faults_guesses_and_what_was_put_aside_are_shown(told: RunFolder) -> None:
    """What went wrong in a conversation stands in it."""
    text = _said(told, RUN, "2")
    assert "refused: it touches tests" in text
    assert "loop  1 result to save room" in text
    assert "no answer  turn 2, timeout" in text and "waited 5.00 s" in text
    assert "inconclusive after 2 turns, 810 tokens" in text and ", estimated" in text


def test_json_of_one_dispatch_is_its_lines(told: RunFolder) -> None:
    """Exactly what was written."""
    written = (told.path / "transcripts" / "c1-fix-K1-1.jsonl").read_text().splitlines()
    assert json.loads(_said(told, RUN, "fix", "--json")) == [json.loads(line) for line in written]


def test_search_shows_lines_with_those_around(told: RunFolder) -> None:
    """In all conversations, or in one; capitals do not matter."""
    text = _said(told, RUN, "--search", "keyerror")
    assert "c1/analyse/K1/1" in text and "c1/doubt" not in text
    assert 'result of read_evidence(id="E1", start=0), line 3' in text
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if "> KeyError: 'no_such_thread'" in line)
    assert "Traceback" in lines[at - 1]
    hits = json.loads(_said(told, RUN, "--search", "silent", "--json"))
    assert {hit["dispatch"] for hit in hits} == {"c1/doubt/K1/1"}
    assert {hit["part"] for hit in hits} == {"no answer", "end"}


def test_a_search_without_a_hit_ends_with_one(told: RunFolder) -> None:
    """As grep does, so that a script can ask."""
    done = _loop(told, RUN, "fix", "--search", "KeyError")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing that was said holds 'KeyError'" in done.stderr
    done = _loop(told, RUN, "fix", "--search", "KeyError", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (1, [])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((RUN, "K1"), 2, "K1 fits 3 dispatches"),
        ((RUN, "judge"), 2, "There is: 1 c1/analyse/K1/1, 2 c1/doubt/K1/1, 3 c1/fix/K1/1."),
        ((RUN, "9"), 2, "no dispatch called 9"),
        (("2030", "1"), 2, "no run called 2030"),
        ((RUN, "--follow"), 2, "is not running"),
        ((RUN, "--search", "x", "--follow"), 2, "do not go together"),
        ((RUN, "--search", " "), 2, "needs a text"),
    ],
)
def test_what_cannot_be_done_is_said(
    told: RunFolder, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """One message, no trace, the exit code of its kind."""
    done = _loop(told, *arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_transcript_that_is_gone_or_changed_is_no_surprise(tmp_path: Path) -> None:
    """Gone: exit 1 with its place. Changed: shown, and said. Broken: exit 1 with the line."""
    run = write_talks(RunFolder(tmp_path / RUN))
    place = run.path / "transcripts"
    (place / "c1-fix-K1-1.jsonl").unlink()
    changed = place / "c1-analyse-K1-1.jsonl"
    changed.write_bytes(changed.read_bytes().replace(b"first try", b"other try"))
    (place / "c1-doubt-K1-1.jsonl").write_bytes(b'["no object"]\n')
    gone, other, broken = (_loop(run, RUN, number) for number in "312")
    assert (gone.returncode, other.returncode, broken.returncode) == (1, 0, 1)
    assert "c1-fix-K1-1.jsonl" in gone.stderr
    assert "not as it was written" in other.stderr and "other try" in other.stdout
    assert "c1-doubt-K1-1.jsonl:1: this line is not a JSON object" in broken.stderr
    searched = _loop(run, RUN, "--search", "KeyError")
    assert searched.returncode == 0
    assert "c1/fix/K1/1 was not searched" in searched.stderr


def test_a_run_without_agents_says_so(tmp_path: Path) -> None:
    """No dispatch is no error."""
    run = RunFolder(tmp_path / RUN)
    run.path.mkdir()
    with Session(run) as session:
        begin(session)
    assert "no agent was asked" in _said(run)
    assert json.loads(_said(run, "--json"))["dispatches"] == []
    assert _loop(run, RUN, "1").returncode == 2


@pytest.mark.parametrize("options", [(), ("1",), ("1", "--full"), ("--search", "red"), ("1", "--json")])
def test_nothing_that_was_said_acts_on_the_terminal(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Escape sequences, C1 controls, backspaces and direction marks are spelled out, on a terminal as well."""
    run = write_talks(RunFolder(tmp_path / RUN), said=NASTY)
    for text in (_said(run, RUN, *options), _on_a_terminal(run, RUN, *options)):
        assert "\x1b]" not in text and "\x1b[2J" not in text and "\x9b" not in text
        assert "\u202e" not in text and "\x08" not in text and "\x7f" not in text
        if options:
            assert "[bold]markup[/bold]" in text


def test_on_a_narrow_terminal_no_number_is_cut(told: RunFolder) -> None:
    """Words share a column, so that all numbers have room; what is said is folded under its own beginning."""
    lines = _without_colours(_on_a_terminal(told, RUN, columns=80))
    assert lines[2].split()[-6:] == ["turns", "tokens", "cost", "cached", "latency", "refused"]
    assert lines[3].split()[-8:] == ["3", "3,060", "$0.0369", "75", "%", "0.50", "s", "1"]
    assert "failure_analyst about K1" in lines[4]
    lines = _without_colours(_on_a_terminal(told, RUN, "1", columns=60))
    assert max(map(len, lines)) <= 60
    at = next(number for number, line in enumerate(lines) if "- The moon did it" in line)
    assert lines[at + 1].startswith(" " * 13)


def _without_colours(text: str) -> list[str]:
    return re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()


def _on_a_terminal(run: RunFolder, *arguments: str, columns: int = 100) -> str:
    mine, theirs = pty.openpty()
    environment = {**os.environ, "PAGER": "cat", "TERM": "xterm-256color", "COLUMNS": f"{columns}"}
    with subprocess.Popen(
        _command(*arguments, "--runs", str(run.path.parent)),
        cwd=run.path.parent,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    ) as process:
        os.close(theirs)
        data = b""
        while select.select([mine], [], [], 60)[0]:
            try:
                piece = os.read(mine, 65536)
            except OSError:
                break
            data += piece
            if not piece:
                break
    os.close(mine)
    assert process.returncode == 0, data
    return data.decode()


@contextmanager
def _following(run: RunFolder, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    with subprocess.Popen(
        _command(RUN, *arguments, "--follow", "--runs", str(run.path.parent)),
        cwd=run.path.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell lets what it starts in the background ignore Ctrl-C, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        seen: list[str] = []
        assert process.stdout is not None
        reader = threading.Thread(target=lambda out=process.stdout: seen.extend(out), daemon=True)
        reader.start()
        try:
            yield process, seen
            reader.join(10)
        finally:
            process.kill()


def _wait_for(seen: list[str], words: str) -> None:
    give_up_at = time.monotonic() + 20
    while not any(words in line for line in seen):
        assert time.monotonic() < give_up_at, seen
        time.sleep(0.05)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Session]:
    """A run that this process is writing."""
    run = RunFolder(tmp_path / RUN)
    run.path.mkdir()
    with Session(run) as session:
        begin(session)
        yield session


def test_a_dispatch_under_way_is_listed_and_can_be_read(live: Session) -> None:
    """Its last line may be half written."""
    with Talk(live) as talk:
        talk.reply("thinking")
        talk.reserve()
        with talk.file.path.open("ab") as file:
            file.write(b'{"type": "repl')
        (one,) = json.loads(_said(live.folder, "--json"))["dispatches"]
        assert (one["state"], one["turns"], one["is_least"]) == ("under way", 1, False)
        assert "under way" in _said(live.folder)
        text = _said(live.folder, RUN, "1")
        assert "thinking" in text
        assert text.splitlines()[-1].endswith("under way")


def test_follow_prints_until_the_dispatch_ends(live: Session) -> None:
    """From its beginning, each line as it comes; the run goes on."""
    with Talk(live) as talk:
        talk.reply("before anybody looked")
        with _following(live.folder, "analyse") as (process, seen):
            _wait_for(seen, "before anybody looked")
            talk.reply("while somebody looks")
            _wait_for(seen, "while somebody looks")
            assert process.poll() is None
            talk.settle(observation())
            assert process.wait(20) == 0
    assert any("answered after 2 turns" in line for line in seen)


def test_follow_without_a_dispatch_tells_all_that_begin_until_the_run_is_over(tmp_path: Path) -> None:
    """What was over before is left out; the lock says when no more can come."""
    run = RunFolder(tmp_path / RUN)
    run.path.mkdir()
    with Session(run) as session:
        begin(session)
        with Talk(session) as talk:
            talk.reply("long ago")
            talk.settle(observation())
        with _following(run, "--json") as (process, seen):
            _wait_for(seen, "waiting for what agents")
            with Talk(session, key="c1/doubt/K1/1", agent="sceptic") as talk:
                talk.reply("just now")
                _wait_for(seen, "just now")
                talk.settle(Objections(stood=(1,)))
            session.__exit__(None, None, None)
            assert process.wait(20) == 0
    lines: list[dict[str, Any]] = [json.loads(line) for line in seen if line.startswith("{")]
    assert [line["type"] for line in lines] == ["brief", "reply", "end"]
    assert {line["dispatch"] for line in lines} == {"c1/doubt/K1/1"}


def test_follow_is_ended_quietly_by_ctrl_c(live: Session) -> None:
    """No trace, no message, the shell's own code."""
    with Talk(live) as talk, _following(live.folder, "1") as (process, seen):
        talk.reply("something")
        _wait_for(seen, "something")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert not any("Traceback" in line or "Abort" in line for line in seen)


def test_what_a_crash_cut_off_has_its_own_file(tmp_path: Path) -> None:
    """After a resume the second attempt is the one that is shown; before it began there is nothing to show."""
    run = RunFolder(tmp_path / RUN)
    run.path.mkdir()
    with Session(run) as session:
        begin(session)
        with Talk(session) as talk:
            talk.reply("the first attempt")
            talk.reserve()
    assert "cut off: the loop ended while it was under way" in _said(run)
    assert "the first attempt" in _said(run, RUN, "1")
    (one,) = json.loads(_said(run, "--json"))["dispatches"]
    assert (one["state"], one["is_least"]) == ("cut off", True)
    with Session(run) as session:
        session.append(RunResumed(version="0"))
        assert "cut off" in _said(run)
        with Talk(session, calls=talk.calls) as again:
            again.reply("the second attempt")
            again.settle(observation())
            text = _said(run, RUN, "1")
            assert "the second attempt" in text and "the first attempt" not in text
            (one,) = json.loads(_said(run, "--json"))["dispatches"]
            assert (one["state"], one["tokens"], one["is_least"]) == ("answered", 2040, True)


def test_a_conversation_that_a_pause_put_off_says_so(tmp_path: Path) -> None:
    """It is held again after `loop resume`."""
    run = RunFolder(tmp_path / RUN)
    run.path.mkdir()
    with Session(run) as session:
        begin(session)
        with Talk(session) as talk:
            talk.reply("half a thought")
            talk.write("put_off", reason="the run is to pause")
        session.append(RunPaused(reason="SIGINT"))
    assert "cut off: the run was paused while it was under way" in _said(run)
    assert "loop  is held again later: the run is to pause" in _said(run, RUN, "1")


def test_a_dispatch_that_failed_says_why(live: Session) -> None:
    """It has no receipt, and what was said until then can be read."""
    with Talk(live) as talk:
        talk.reply("cut short")
    live.append(EffectFailed(key=talk.key, error="the run's time is over", duration_s=2.0))
    assert "failed: the run's time is over" in _said(live.folder)
    text = _said(live.folder, RUN, "1")
    assert "cut short" in text and text.splitlines()[-1].endswith("failed: the run's time is over")
