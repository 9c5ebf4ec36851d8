"""What a person who watches a run sees: phases, what is under way, the latest news. No terminal in here."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from goldenpath_loop.core.comparing import RepeatTally, tally
from goldenpath_loop.core.readings import cycle_runs
from goldenpath_loop.core.state import State
from goldenpath_loop.records.base import EffectKey
from goldenpath_loop.records.events import (
    ClockJumped,
    CycleStarted,
    EffectFailed,
    EffectPutOff,
    EffectRequested,
    EffectSettled,
    PhaseFinished,
    PhaseStarted,
    RunFinished,
    RunPaused,
    RunResumed,
    UsageRecorded,
    UsageReserved,
)
from goldenpath_loop.records.line import Line
from goldenpath_loop.review.charges import Charge, is_uncounted
from goldenpath_loop.review.timeline import Entry, Story, Weight
from goldenpath_loop.review.wording import effect_words
from goldenpath_loop.system.plain import plain_line

__all__ = ["PhaseRow", "Running", "Watch"]

_NEWS_KEPT = 30
_OUTCOMES = ("green", "red", "timeout", "unresolved")


@dataclass(slots=True)
class PhaseRow:
    """One phase of the current cycle."""

    began: datetime
    attempt: int
    ended: datetime | None = None
    result: str = ""
    summary: str = ""


@dataclass(slots=True)
class Running:
    """One effect that is under way."""

    words: str
    began: datetime
    said: str = ""
    """Its latest progress."""
    seen: Counter[str] = field(default_factory=Counter)
    """Test outcomes its progress has told so far."""


class Watch:
    """Takes in log lines and progress texts, and knows what is worth showing."""

    def __init__(self) -> None:
        self._story = Story()
        self.phases: dict[str, PhaseRow] = {}
        """Phases of the current cycle that began, by name."""
        self.running: dict[EffectKey, Running] = {}
        self.news: deque[Entry] = deque(maxlen=_NEWS_KEPT)
        self.last_at: datetime | None = None
        self._calls = 0
        self._is_uncounted = False

    @property
    def state(self) -> State:
        """What the lines so far have come to."""
        return self._story.state

    def see(self, line: Line) -> tuple[Entry, ...]:
        """Take in one line; what it says."""
        told = self._story.tell(line)
        match line.event:
            case EffectRequested(effect=effect):
                self.running[effect.key] = Running(effect_words(effect), datetime.fromisoformat(line.at))
            case EffectSettled(key=key) | EffectFailed(key=key) | EffectPutOff(key=key):
                self.running.pop(key, None)
            case RunPaused() | RunFinished() | RunResumed():
                self.running.clear()
            case _:
                pass
        self._note(line)
        self.news.extend(entry for entry in told if entry.weight <= Weight.DETAIL)
        return told

    def remember(self, line: Line, state: State) -> None:
        """Take in a line of the past, after which there was `state`, without telling it."""
        self._story.state = state
        self._story.pass_over(line)
        self._note(line)

    def _note(self, line: Line) -> None:
        at = self.last_at = datetime.fromisoformat(line.at)
        match line.event:
            case CycleStarted():
                self.phases.clear()
            case PhaseStarted(phase=phase, attempt=attempt):
                self.phases[phase] = PhaseRow(at, attempt)
            case PhaseFinished(phase=phase, result=result, summary=summary):
                row = self.phases.setdefault(phase, PhaseRow(at, 1))
                row.ended, row.result = at, result.replace("_", " ")
                row.summary = plain_line(summary, max_chars=400)
            case UsageReserved():
                self._calls += 1
            case UsageRecorded() as event:
                self._is_uncounted |= is_uncounted(event)
            case ClockJumped(by_s=by_s):
                # What is under way began by the clock as it went then.
                by = timedelta(seconds=by_s)
                for running in self.running.values():
                    running.began += by
                for row in self.phases.values():
                    row.began, row.ended = row.began + by, row.ended + by if row.ended else None
            case RunResumed():
                for row in self.phases.values():
                    # The time the run lay dead is not the phase's time.
                    row.began = row.began if row.ended else at
            case _:
                pass

    def hear(self, key: EffectKey, text: str) -> str:
        """Take in one progress text; how it is shown."""
        said = plain_line(text, max_chars=400)
        running = self.running.get(key)
        if running is not None:
            running.said = said
            word = said.split(" ", 1)[0]
            if word in _OUTCOMES and "/execute/" in key:
                running.seen[word] += 1
        return said

    @property
    def charge(self) -> Charge:
        """What models came to so far."""
        state = self.state
        is_least = self._is_uncounted or bool(state.open_calls)
        return Charge(calls=self._calls, usage=state.usage, is_least=is_least)

    @property
    def tests(self) -> RepeatTally:
        """Results of this cycle's suites, those that are under way included."""
        runs = cycle_runs(self.state, self.state.cycle)
        settled = tally(result for run in runs.values() for result in run.results)
        seen: Counter[str] = Counter()
        for running in self.running.values():
            seen += running.seen
        return RepeatTally(
            green=settled.green + seen["green"],
            red=settled.red + seen["red"],
            timeout=settled.timeout + seen["timeout"],
            unresolved=settled.unresolved + seen["unresolved"],
        )
