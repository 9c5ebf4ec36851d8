"""Reads what the pytest plugin wrote, line by line, into tests and what each of them showed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Attempt", "ErrorTold", "Frame", "Stage", "StreamReader", "TestStory"]

_LARGEST = 10**11
"""Nothing that is counted or timed here comes near; seconds since the epoch reach it in the year 5138."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a traceback; `path` is relative when it lies in the tree under test."""

    path: str
    line: int
    function: str


@dataclass(frozen=True, slots=True)
class ErrorTold:
    """An exception as the plugin found it."""

    exception: str
    message: str
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """One report: setup, call or teardown of a test, a subtest, or the collection of a file."""

    name: str
    outcome: str
    """pytest's own word: passed, failed, skipped, rerun."""
    duration_s: float = 0.0
    error: ErrorTold | None = None
    longrepr: str = ""
    stdout: str = ""
    stderr: str = ""
    log: str = ""
    reason: str = ""
    wasxfail: str | None = None
    is_subtest: bool = False


@dataclass(slots=True)
class Attempt:
    """One try of one test; there are more than one when a plugin repeats failures."""

    stages: list[Stage] = field(default_factory=list)

    def has_passed(self, name: str) -> bool:
        """Whether this stage itself was run and passed."""
        return any(one.name == name and one.outcome == "passed" and not one.is_subtest for one in self.stages)


@dataclass(slots=True)
class TestStory:
    """Everything the stream says about one test, or about a file that could not be collected."""

    __test__ = False  # the name is the field's word; keeps pytest from collecting it

    id: str
    line: int = 0
    started_at: float = 0.0
    """Seconds since the epoch."""
    last_at: float = 0.0
    attempts: list[Attempt] = field(default_factory=lambda: [Attempt()])
    is_ended: bool = False

    @property
    def stages(self) -> list[Stage]:
        """Reports of all attempts, in order."""
        return [stage for attempt in self.attempts for stage in attempt.stages]


class StreamReader:
    """Folds the stream as it grows. A torn or unreadable line is counted and left out, never guessed at."""

    def __init__(self) -> None:
        self._rest = b""
        self.is_started = False
        self.is_collected = False
        self.exit_status: int | None = None
        """What pytest said at its very end; None when it never got there."""
        self.collected: dict[str, None] = {}
        self.deselected: dict[str, None] = {}
        self.tests: dict[str, TestStory] = {}
        self.collect_errors: dict[str, TestStory] = {}
        self.foreign_modules: dict[str, str] = {}
        self.is_foreign_from_start = False
        """Whether foreign modules were found before any test, so that none was run."""
        self.troubles: list[str] = []
        """Internal errors of pytest or of the plugin."""
        self.unreadable = 0

    def feed(self, data: bytes) -> list[TestStory]:
        """Take the next bytes; the tests that ended with them."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [story for line in lines if line.strip() for story in self._read(line)]

    def hanging(self) -> TestStory | None:
        """The test that started and never ended, the latest if several ran beside each other."""
        return max(self.open(), key=lambda story: story.started_at, default=None)

    def open(self) -> list[TestStory]:
        """Tests that started and never ended."""
        return [story for story in self.tests.values() if not story.is_ended]

    def _read(self, line: bytes) -> list[TestStory]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            self.unreadable += 1
            return []
        facts = _Facts(record)
        match facts.text("event"):
            case "session_start":
                self.is_started = True
            case "collected":
                self.is_collected = True
                self.collected.update(dict.fromkeys(facts.names("ids")))
            case "deselected":
                self.deselected.update(dict.fromkeys(facts.names("ids")))
            case "collect_error":
                return self._collect_error(facts)
            case "imports":
                foreign = facts.mapping("foreign")
                self.foreign_modules.update(foreign)
                self.is_foreign_from_start |= bool(foreign) and facts.text("when") == "collection"
            case "test_start":
                self._test_start(facts)
            case "test_report":
                self._test_report(facts)
            case "test_end":
                return self._test_end(facts)
            case "session_finish":
                if facts.has_number("exit_status"):
                    self.exit_status = int(facts.number("exit_status"))
            case "internal_error":
                self.troubles.append(facts.text("text"))
            case "internal":
                self.troubles.append(f"plugin, {facts.text('where')}: {facts.text('error')}")
            case _:
                pass
        return []

    def _collect_error(self, facts: _Facts) -> list[TestStory]:
        name = facts.text("id") or "."
        if name in self.collect_errors:
            return []
        at = facts.number("at")
        story = TestStory(id=name, started_at=at, last_at=at, is_ended=True)
        story.attempts[0].stages.append(facts.stage("collect", "failed"))
        self.collect_errors[name] = story
        return [story]

    def _test_start(self, facts: _Facts) -> None:
        if not (name := facts.text("id")):
            return
        at = facts.number("at")
        if name in self.tests:
            self.tests[name].is_ended = False
            self.tests[name].last_at = at
        else:
            self.tests[name] = TestStory(id=name, line=int(facts.number("line")), started_at=at, last_at=at)

    def _test_report(self, facts: _Facts) -> None:
        if not (name := facts.text("id")):
            return
        at = facts.number("at")
        story = self.tests.setdefault(name, TestStory(id=name, started_at=at))
        story.last_at = at
        stage = facts.stage(facts.text("stage"), facts.text("outcome"))
        if stage.name == "setup" and story.attempts[-1].stages:
            story.attempts.append(Attempt())
        story.attempts[-1].stages.append(stage)

    def _test_end(self, facts: _Facts) -> list[TestStory]:
        story = self.tests.get(facts.text("id"))
        if story is None:
            return []
        story.is_ended = True
        story.last_at = facts.number("at")
        return [story]


class _Facts:
    """Typed looks into one record that anyone may have written."""

    def __init__(self, record: Mapping[object, object]) -> None:
        self._record = record

    def text(self, name: str) -> str:
        return _clean(self._record.get(name))

    def has_number(self, name: str) -> bool:
        value = self._record.get(name)
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST

    def number(self, name: str) -> float:
        value = self._record.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return 0.0
        # JSON as Python reads it also has NaN, infinities and numbers of any size.
        return float(value) if 0 <= value < _LARGEST else 0.0

    def names(self, name: str) -> list[str]:
        value = self._record.get(name)
        return (
            [_clean(one) for one in value if one and isinstance(one, str)] if isinstance(value, list) else []
        )

    def mapping(self, name: str) -> dict[str, str]:
        value = self._record.get(name)
        if not isinstance(value, dict):
            return {}
        return {_clean(key): _clean(one) for key, one in value.items() if key and one}

    def stage(self, name: str, outcome: str) -> Stage:
        wasxfail = self.text("wasxfail") if "wasxfail" in self._record else None
        return Stage(
            name=name,
            outcome=outcome,
            duration_s=self.number("duration_s"),
            error=self._error(),
            longrepr=self.text("longrepr"),
            stdout=self.text("stdout"),
            stderr=self.text("stderr"),
            log=self.text("log"),
            reason=self.text("reason"),
            wasxfail=wasxfail,
            is_subtest=self._record.get("subtest") is True,
        )

    def _error(self) -> ErrorTold | None:
        value = self._record.get("error")
        if not isinstance(value, dict):
            return None
        told = _Facts(value)
        frames = value.get("frames")
        return ErrorTold(
            exception=told.text("exception"),
            message=told.text("message"),
            frames=tuple(_frames(frames)) if isinstance(frames, list) else (),
        )


def _frames(frames: list[object]) -> list[Frame]:
    found = []
    for one in frames:
        match one:
            case [str(path), int(line), str(function)]:
                found.append(Frame(_clean(path), line if 0 < line < _LARGEST else 0, _clean(function)))
            case _:
                pass
    return found


def _clean(value: object) -> str:
    """Text that can be stored as UTF-8: lone surrogates become question marks."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""
