"""One run in a few facts, for lists and for a look at how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from goldenpath_loop.core.comparing import RepeatTally, tally
from goldenpath_loop.core.readings import cycle_runs
from goldenpath_loop.core.state import State, evolve
from goldenpath_loop.records.base import EffectKey, Record
from goldenpath_loop.records.events import PhaseName, RunOutcome
from goldenpath_loop.records.hand_off import HandOff
from goldenpath_loop.records.line import Line
from goldenpath_loop.review.charges import Calls, Charge, charge_of, charge_words, count_calls
from goldenpath_loop.review.facts import CulpritFact, PullRequestFact, culprits_of, pull_requests_of
from goldenpath_loop.review.handing_over import hand_off_rows
from goldenpath_loop.review.wording import effect_words, seconds, short
from goldenpath_loop.system.plain import plain_line

__all__ = [
    "RunSummary",
    "damaged",
    "status_of",
    "summarise",
    "table_of",
]

RunState = Literal["running", "paused", "finished", "interrupted", "damaged"]

_STYLES = {"passed": "green", "repaired": "green", "running": "cyan", "paused": "yellow"}


class RunSummary(Record):
    """How one run stands."""

    run: str
    folder: str = ""
    """Where the run lies; addresses that are no URL are relative to it."""
    target: str = ""
    focus: str = ""
    state: RunState
    outcome: RunOutcome | None = None
    reason: str = ""
    """Of the outcome; of the damage when the log cannot be read."""
    exit_code: int | None = None
    started_at: AwareDatetime | None = None
    last_event_at: AwareDatetime | None = None
    duration_s: float = 0.0
    """Time of work: pauses and the time the run lay dead do not count."""
    cycle: int = 0
    phase: PhaseName | None = None
    green: int = 0
    """Tests of the latest cycle that ran any."""
    red: int = 0
    not_run: int = 0
    culprits: tuple[CulpritFact, ...] = ()
    pull_requests: tuple[PullRequestFact, ...] = ()
    under_way: tuple[str, ...] = ()
    """What was asked for and has not come back, in words."""
    next_actions: tuple[str, ...] = ()
    hand_off: HandOff | None = None
    """Where the run left off when a limit stood in its way."""
    charge: Charge | None = None
    """What models came to; None while none was asked."""
    events: int = 0


def summarise(
    lines: Iterable[Line], *, run: str, folder: str = "", is_held: bool, now: datetime | None = None
) -> RunSummary:
    """The facts of one run.

    Args:
        lines: Its session log.
        run: Its id, for a log that has no beginning.
        folder: Where it lies.
        is_held: Whether some process holds the log's lock. A run without an outcome that nobody holds was cut off.
        now: The present, for the duration of a run that goes on; None counts to its last event.
    """
    state, calls = State(), dict[EffectKey, Calls]()
    for line in lines:
        state = evolve(state, line)
        count_calls(calls, line.event)
    started, finished = state.started, state.finished
    policy = started.policy if started else None
    until = now if now is not None and is_held else state.last_at
    seen = _tests(state)
    return RunSummary(
        run=started.run if started else run,
        folder=folder,
        target=policy.target.name if policy else "",
        focus=started.focus if started else "",
        state=_state(state, is_held=is_held),
        outcome=finished.outcome if finished else None,
        reason=finished.reason if finished else "",
        exit_code=finished.exit_code if finished else None,
        started_at=state.started_at,
        last_event_at=state.last_at,
        duration_s=round(state.active_until(until), 3) if until else 0.0,
        cycle=state.cycle,
        phase=state.phase.phase if state.phase and not finished else None,
        green=seen.green,
        red=seen.bad,
        not_run=seen.unresolved,
        culprits=culprits_of(state),
        pull_requests=pull_requests_of(state),
        under_way=tuple(effect_words(effect) for effect in state.in_flight) if not finished else (),
        next_actions=finished.next_actions if finished else (),
        hand_off=finished.hand_off if finished else None,
        charge=charge_of(calls, state),
        events=state.last_seq,
    )


def damaged(run: str, problem: str, *, folder: str = "") -> RunSummary:
    """A run whose log cannot be read."""
    return RunSummary(run=run, folder=folder, state="damaged", reason=problem)


def table_of(summaries: Sequence[RunSummary]) -> RenderableType:
    """Runs as a table, a line each."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("run", no_wrap=True, overflow="fold")
    table.add_column("state", no_wrap=True)
    table.add_column("tests")
    table.add_column("took", no_wrap=True, justify="right")
    # The run's id says when and which focus; the target matters only where several share a folder.
    has_targets = len({one.target for one in summaries if one.target}) > 1
    if has_targets:
        table.add_column("target", overflow="fold")
    table.add_column("culprit, pull request", overflow="fold")
    for one in summaries:
        table.add_row(
            Text(plain_line(one.run, max_chars=80)),
            _word(one),
            _counts(one) if one.green or one.red or one.not_run else Text("-", style="dim"),
            Text(seconds(one.duration_s)),
            *([Text(plain_line(one.target, max_chars=40))] if has_targets else []),
            Text(plain_line(_found(one), max_chars=160)),
        )
    return table


def status_of(one: RunSummary) -> RenderableType:
    """One run, a fact a line."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for label, value in _facts(one):
        table.add_row(label, value if isinstance(value, Text) else Text(plain_line(value, max_chars=1000)))
    return table


def _facts(one: RunSummary) -> Iterator[tuple[str, str | Text]]:
    yield "run", one.run
    if one.folder:
        yield "folder", one.folder
    if one.target or one.focus:
        yield "target", f"{one.target or 'no usable configuration'}, focus {one.focus or 'none'}"
    yield "state", _word(one)
    if one.reason:
        yield "reason", one.reason
    if one.started_at:
        yield "started", f"{one.started_at:%Y-%m-%d %H:%M:%S} UTC"
    if one.last_event_at:
        yield "last event", f"{one.last_event_at:%Y-%m-%d %H:%M:%S} UTC, number {one.events}"
    yield "duration", seconds(one.duration_s)
    if one.cycle:
        yield "cycle", f"{one.cycle}" + (f", phase {one.phase}" if one.phase else "")
    if one.green or one.red or one.not_run:
        yield "tests", _counts(one)
    for words in one.under_way:
        yield "under way" if one.state == "running" else "left open", words
    for culprit in one.culprits:
        yield "culprit", f"{short(culprit.revision)} “{culprit.subject}” for {', '.join(culprit.clusters)}"
    for opened in one.pull_requests:
        yield "pull request", f"{opened.address} (branch {opened.branch}){opened.note}"
    if one.charge is not None:
        yield "model", charge_words(one.charge)
    for label, words in hand_off_rows(one.hand_off) if one.hand_off is not None else ():
        yield label, words
    for action in one.next_actions:
        yield "next", action
    if one.state in ("paused", "interrupted"):
        yield "next", f"Go on with: loop resume {one.run}"


def _state(state: State, *, is_held: bool) -> RunState:
    if state.finished is not None:
        return "finished"
    if state.paused:
        return "paused"
    return "running" if is_held else "interrupted"


def _tests(state: State) -> RepeatTally:
    for cycle in range(state.cycle, 0, -1):
        results = [result for run in cycle_runs(state, cycle).values() for result in run.results]
        if results:
            return tally(results)
    return RepeatTally()


def _word(one: RunSummary) -> Text:
    word = (one.outcome or one.state).replace("_", " ")
    return Text(word, style=_STYLES.get(word, "yellow" if one.outcome else "red"))


def _counts(one: RunSummary) -> Text:
    text = Text(f"{one.green} green")
    if one.red:
        text.append(f", {one.red} red", style="red")
    if one.not_run:
        text.append(f", {one.not_run} not run", style="yellow")
    return text


def _found(one: RunSummary) -> str:
    found = [short(culprit.revision) for culprit in one.culprits]
    found += [opened.address + opened.note for opened in one.pull_requests]
    return ", ".join(found) or (one.reason if one.state == "damaged" else "")
