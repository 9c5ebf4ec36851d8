"""The stream is read as far as it goes; nothing in it is guessed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from goldenpath_loop.suites.outcome import Cut, planned_rows, result_of
from goldenpath_loop.suites.stream import Frame, StreamReader


def line(event: str, **facts: object) -> bytes:
    return json.dumps({"event": event, "at": 1000.0, **facts}).encode() + b"\n"


def report(test: str, stage: str, outcome: str = "passed", **facts: object) -> bytes:
    return line("test_report", id=test, stage=stage, outcome=outcome, duration_s=0.5, **facts)


def whole(test: str, **call: object) -> bytes:
    """A test that runs from start to end; `call` changes the report of its call."""
    outcome = str(call.pop("outcome", "passed"))
    return b"".join(
        [
            line("test_start", id=test, line=7),
            report(test, "setup"),
            report(test, "call", outcome, **call),
            report(test, "teardown"),
            line("test_end", id=test),
        ]
    )


def read(data: bytes) -> StreamReader:
    reader = StreamReader()
    reader.feed(data)
    return reader


FAILED: Mapping[str, object] = {
    "exception": "ValueError",
    "message": "no",
    "frames": [["tests/t.py", 3, "test_b"], ["/usr/lib/x.py", 9, "inner"]],
}
SESSION = b"".join(
    [
        line("session_start", pid=1),
        line("collector", id="tests/t.py"),
        line("collected", ids=["a", "b", "c", "d", "e"]),
        line("deselected", ids=["f"]),
        whole("a"),
        whole("b", outcome="failed", error=FAILED, longrepr="E   ValueError: no"),
        whole("c", outcome="skipped", reason="later"),
        line("test_start", id="d"),
        report("d", "setup"),
        report("d", "call", "passed", wasxfail="known"),
        report("d", "teardown"),
        line("test_end", id="d"),
        whole("e", outcome="skipped", wasxfail="known"),
        line("imports", when="finish", foreign={}),
        line("session_finish", exit_status=1),
    ]
)


def test_a_whole_session_is_read() -> None:
    reader = read(SESSION)
    assert (reader.is_started, reader.is_collected, reader.exit_status) == (True, True, 1)
    assert list(reader.collected) == ["a", "b", "c", "d", "e"]
    assert list(reader.deselected) == ["f"]
    assert reader.open() == []
    assert {name: result_of(story).outcome for name, story in reader.tests.items()} == {
        "a": "green",
        "b": "red",
        "c": "unresolved",
        "d": "unresolved",
        "e": "unresolved",
    }


def test_tests_are_handed_on_when_they_end() -> None:
    reader = StreamReader()
    parts = whole("a").split(b"\n")
    assert reader.feed(b"\n".join(parts[:-2]) + b"\n") == []
    assert [story.id for story in reader.feed(parts[-2] + b"\n")] == ["a"]


@settings(deadline=None)  # a slow machine is no failure
@given(st.lists(st.integers(0, len(SESSION)), max_size=6))
def test_it_does_not_matter_in_which_pieces_the_stream_comes(cuts: list[int]) -> None:
    reader = StreamReader()
    ended = []
    places = [0, *sorted(cuts), len(SESSION)]
    for start, end in itertools.pairwise(places):
        ended += [story.id for story in reader.feed(SESSION[start:end])]
    assert ended == ["a", "b", "c", "d", "e"]
    assert reader.exit_status == 1


def has_evidence_of_passing(data: bytes, test: str) -> bool:
    """By its own reading of the bytes: whole lines that say call and teardown passed."""
    said = set()
    for one in data.split(b"\n")[:-1]:
        try:
            record = json.loads(one)
        except ValueError:
            continue
        if isinstance(record, dict) and record.get("event") == "test_report" and record.get("id") == test:
            said.add((record.get("stage"), record.get("outcome")))
    return {("call", "passed"), ("teardown", "passed")} <= said


@settings(deadline=None)  # a slow machine is no failure
@given(st.integers(0, len(SESSION)), st.sampled_from(["", "timeout", "crash"]))
def test_wherever_the_stream_ends_nothing_is_green_without_a_passed_call_and_teardown(
    end: int, cut: Cut
) -> None:
    data = SESSION[:end]
    reader = read(data)
    for name, story in reader.tests.items():
        result = result_of(story, cut=cut, ending="over")
        if result.outcome == "green":
            assert has_evidence_of_passing(data, name)
            assert name == "a"
    for row in planned_rows(["a", "b", "z"], reader, reader.tests):
        assert row.outcome == "unresolved"


NUMBERS: list[object] = [True, -1, 0, 7, 10**400, 0.5, float("nan"), float("-inf"), 1e300]
TEXTS: list[object] = ["", "a", "\ud800", "x\0y"]
NESTED: list[object] = [
    [],
    ["a", 1, None, "\udfff"],
    {},
    {"": "x", "shop": 3, "b": "/old/b.py"},
    [["p", -3, "f"], ["p", 10**400, "f"], ["p"], [1, 2, 3]],
]
JUNK = st.sampled_from([None, *NUMBERS, *TEXTS, *NESTED])
RECORDS = st.fixed_dictionaries(
    {
        "event": st.sampled_from(
            [
                "session_start",
                "collected",
                "deselected",
                "collect_error",
                "imports",
                "test_start",
                "test_report",
                "test_end",
                "session_finish",
                "internal",
                "internal_error",
                "unknown",
            ]
        )
    },
    optional={
        "id": st.sampled_from(["a", "b", ""]) | JUNK,
        "at": JUNK,
        "ids": JUNK,
        "line": JUNK,
        "stage": st.sampled_from(["setup", "call", "teardown"]) | JUNK,
        "outcome": st.sampled_from(["passed", "failed", "skipped", "rerun"]) | JUNK,
        "duration_s": JUNK,
        "error": JUNK | st.fixed_dictionaries({"exception": JUNK, "message": JUNK, "frames": JUNK}),
        "foreign": JUNK,
        "exit_status": JUNK,
        "wasxfail": JUNK,
        "subtest": JUNK,
        "longrepr": JUNK,
    },
)


@settings(deadline=None)  # a slow machine is no failure
@given(st.lists(RECORDS, max_size=12), st.integers(0, 40))
def test_nothing_anyone_writes_into_the_stream_breaks_the_reader(records: list[object], torn: int) -> None:
    data = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    data = data[: len(data) - torn] if torn else data
    reader = read(data)
    cuts: tuple[Cut, ...] = ("", "timeout", "crash")
    for name, story in (reader.tests | reader.collect_errors).items():
        for cut in cuts:
            result = result_of(story, cut=cut, ending="over")
            result.model_dump_json().encode()
            if result.outcome == "green":
                assert has_evidence_of_passing(data, name)


@settings(deadline=None)  # a slow machine is no failure
@given(st.binary(max_size=200).filter(lambda data: b"{" not in data))
def test_bytes_that_are_no_records_are_counted_not_guessed(data: bytes) -> None:
    reader = read(data + b"\n")
    assert reader.tests == {}
    assert reader.unreadable == sum(1 for one in data.split(b"\n") if one.strip())


def test_a_test_without_an_end_is_the_hanging_one() -> None:
    data = line("session_start") + whole("a") + line("test_start", id="b") + report("b", "setup")
    reader = read(data)
    hanging = reader.hanging()
    assert hanging is not None
    assert hanging.id == "b"
    cut = result_of(hanging, cut="timeout", ending="it took too long", until=1042.0)
    assert (cut.outcome, cut.stage, cut.duration_s) == ("timeout", "call", 42.0)
    crash = result_of(hanging, cut="crash", ending="it died")
    assert (crash.outcome, crash.stage) == ("red", "call")
    assert crash.failure is not None
    assert (crash.failure.exception, crash.failure.message) == ("ProcessCrash", "it died")
    assert result_of(hanging).outcome == "unresolved"


def test_a_known_stack_gives_the_place_of_a_hang() -> None:
    reader = read(line("test_start", id="tests/t.py::test_b"))
    stack = (
        Frame("tests/t.py", 3, "test_b"),
        Frame("shop.py", 9, "wait"),
        Frame("/usr/lib/threading.py", 1, "wait"),
    )
    cut = result_of(reader.tests["tests/t.py::test_b"], cut="timeout", ending="over", where=stack)
    assert cut.failure is not None
    assert (cut.failure.path, cut.failure.line, cut.failure.function) == ("shop.py", 9, "wait")
    assert cut.failure.frames == ("tests/t.py:3:test_b", "shop.py:9:wait", "/usr/lib/threading.py:1:wait")


def test_a_hang_in_teardown_is_no_pass_and_a_failure_before_it_stays_red() -> None:
    started = line("test_start", id="a") + report("a", "setup")
    passed = read(started + report("a", "call"))
    assert result_of(passed.tests["a"], cut="timeout", ending="over").outcome == "timeout"
    assert result_of(passed.tests["a"], cut="timeout", ending="over").stage == "teardown"
    failed = read(started + report("a", "call", "failed", error=FAILED))
    assert result_of(failed.tests["a"], cut="timeout", ending="over").outcome == "red"


def test_a_rerun_that_passes_is_green_and_says_so() -> None:
    first = report("a", "setup") + report("a", "call", "rerun", error=FAILED) + report("a", "teardown")
    again = report("a", "setup") + report("a", "call") + report("a", "teardown")
    result = result_of(read(line("test_start", id="a") + first + again + line("test_end", id="a")).tests["a"])
    assert result.outcome == "green"
    assert result.reason == "passed after 1 failed attempt of the same run"


def test_a_rerun_alone_is_no_pass() -> None:
    first = report("a", "setup") + report("a", "call", "rerun", error=FAILED) + report("a", "teardown")
    assert result_of(
        read(line("test_start", id="a") + first + line("test_end", id="a")).tests["a"]
    ).outcome == ("unresolved")


def test_a_test_that_failed_once_and_ran_again_under_the_same_name_is_red() -> None:
    result = result_of(read(whole("a", outcome="failed", error=FAILED) + whole("a")).tests["a"])
    assert result.outcome == "red"


def test_a_failed_subtest_is_red_and_a_skipped_one_decides_nothing() -> None:
    start = line("test_start", id="a") + report("a", "setup")
    rest = report("a", "call") + report("a", "teardown") + line("test_end", id="a")
    skipped = report("a", "call", "skipped", reason="one of them", subtest=True)
    failed = report("a", "call", "failed", error=FAILED, subtest=True)
    passed = report("a", "call", "passed", subtest=True)
    assert result_of(read(start + skipped + rest).tests["a"]).outcome == "green"
    assert result_of(read(start + failed + rest).tests["a"]).outcome == "red"
    only = start + passed + report("a", "teardown") + line("test_end", id="a")
    assert result_of(read(only).tests["a"]).outcome == "unresolved"


def test_a_failure_without_an_exception_is_told_by_its_text() -> None:
    def told(longrepr: str) -> tuple[str, str]:
        failure = result_of(
            read(whole("t.py::a[1]", outcome="failed", longrepr=longrepr)).tests["t.py::a[1]"]
        ).failure
        assert failure is not None
        assert (failure.path, failure.line, failure.function) == ("t.py", 7, "a")
        return failure.exception, failure.message

    assert told("x\nE   shop.errors.Closed: we are closed\nE   really") == ("Closed", "we are closed")
    assert told("[XPASS(strict)] known") == ("UnexpectedPass", "[XPASS(strict)] known")
    assert told("worker 'gw0' crashed while running 'a'") == (
        "ProcessCrash",
        "worker 'gw0' crashed while running 'a'",
    )
    assert told("just words\n\nmore") == ("Failed", "just words")
    assert told("") == ("Failed", "Failed")


def test_planned_tests_without_a_result_say_why() -> None:
    data = (
        line("session_start")
        + line("collect_error", id="tests/broken.py", longrepr="no")
        + line("deselected", ids=["d"])
        + line("collected", ids=["a", "b"])
        + whole("a")
    )
    reader = read(data)
    rows = planned_rows(["a", "b", "d", "tests/broken.py::x", "tests/broken.pyc::x"], reader, reader.tests)
    assert {row.id: row.not_run for row in rows} == {
        "b": "never_started",
        "d": "deselected",
        "tests/broken.py::x": "not_collected",
        "tests/broken.pyc::x": "missing",
    }
    assert {row.outcome for row in rows} == {"unresolved"}
    early = read(line("session_start"))
    assert [row.not_run for row in planned_rows(["a"], early, early.tests)] == ["never_started"]


def test_foreign_modules_are_known_with_the_moment_they_were_found() -> None:
    late = read(line("imports", when="finish", foreign={"shop": "/old/shop.py"}))
    assert late.foreign_modules == {"shop": "/old/shop.py"}
    assert not late.is_foreign_from_start
    assert read(line("imports", when="collection", foreign={"shop": "/old/shop.py"})).is_foreign_from_start
    assert not read(line("imports", when="collection", foreign={})).is_foreign_from_start
