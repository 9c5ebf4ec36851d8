"""One picture of a run that is going on, fitted to the size of the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.text import Text

from goldenpath_loop.core.phases import PHASES
from goldenpath_loop.review.timeline import Entry, Tone
from goldenpath_loop.review.watch import PhaseRow, Running, Watch
from goldenpath_loop.review.wording import seconds
from goldenpath_loop.system.plain import plain_line

__all__ = ["STYLES", "clock_words", "frame"]

STYLES: dict[Tone, str] = {
    "good": "green",
    "bad": "red",
    "doubtful": "yellow",
    "plain": "none",
    "quiet": "dim",
}
"""How good and bad news look."""

_MOST_NEWS = 6
_MOST_RUNNING = 5
_LEAST_HEIGHT = 4
_NARROW = 100
_TEST_FOLDERS = re.compile(r"\S*/(?=[^/\s]+::)")
_TEST_FILES = re.compile(r"\S*\.\w+::(?=\S)")
_RESULT_STYLES = {"done": "green", "nothing to do": "green", "stopped": "red", "running": "cyan"}
_WORD_STYLES = {"green": "green", "red": "red", "timeout": "red", "unresolved": "yellow"}


def frame(watch: Watch, *, now: datetime, width: int, height: int) -> RenderableType:
    """The picture at `now`; never taller than `height` lines, every line cut to `width`."""
    height = max(_LEAST_HEIGHT, height - 1)  # the line of the cursor
    rows: list[RenderableType] = [_head(watch, now, width), Rule(style="dim")]
    rows += _phases(watch, now, width, all_phases=height >= len(PHASES) + 6)
    rows.append(_tests(watch))
    room = height - len(rows)
    running = list(watch.running.values())
    shown = running[: max(0, min(_MOST_RUNNING, room - 1))]
    rows += [_running(one, now, width) for one in shown]
    if len(running) > len(shown) and room:
        rows.append(_line(f"and {len(running) - len(shown)} more under way", "dim"))
    room = min(_MOST_NEWS, height - len(rows) - 1)
    if room > 0 and watch.news:
        rows.append(Rule(style="dim"))
        rows += [_news(entry, width) for entry in list(watch.news)[-room:]]
    return Group(*rows)


def clock_words(elapsed_s: float) -> str:
    """`0:03:12`."""
    whole = int(max(0.0, elapsed_s))
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def _line(text: str = "", style: str = "none") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _head(watch: Watch, now: datetime, width: int) -> Text:
    started = watch.state.started
    target = started.policy.target.name if started and started.policy else "run"
    left = plain_line(f"{target}, focus {started.focus}" if started else "run", max_chars=60)
    cycle = f"cycle {watch.state.cycle}" if watch.state.cycle else "starting"
    right = f"{cycle}  {clock_words(watch.state.active_until(now))}"
    run = plain_line(started.run, max_chars=80) if started else ""
    text = _line().append(left, style="bold")
    if run and len(left) + len(run) + len(right) + 4 <= width:
        text.append(f"  {run}", style="dim")
    return text.append(" " * max(2, width - len(text) - len(right))).append(right)


def _phases(watch: Watch, now: datetime, width: int, *, all_phases: bool) -> Iterator[Text]:
    current = watch.state.phase.phase if watch.state.phase else None
    for name in PHASES:
        if all_phases or name == current:
            yield _phase(name, watch.phases.get(name), now, width)


def _phase(name: str, row: PhaseRow | None, now: datetime, width: int) -> Text:
    if row is None:
        return _line(name, "dim")
    result = row.result if row.ended else "running"
    elapsed = seconds(((row.ended or now) - row.began).total_seconds())
    label = f"{name} ({row.attempt})" if row.attempt > 1 else name
    text = _line().append(f"{label:<20}", style="none" if row.ended else "bold")
    text.append(f"{result:<14}", style=_RESULT_STYLES.get(result, "yellow"))
    return text.append(f"{elapsed:>12}").append(f"  {_short_ids(row.summary, width)}", style="dim")


def _running(one: Running, now: datetime, width: int) -> Text:
    text = _line().append("now ", style="cyan")
    text.append(f"{seconds((now - one.began).total_seconds()):>12}  ").append(one.words)
    if one.said:
        word, _, rest = _short_ids(one.said, width).partition(" ")
        text.append("  ").append(word, style=_WORD_STYLES.get(word, "none")).append(f" {rest}")
    return text


def _tests(watch: Watch) -> Text:
    seen = watch.tests
    text = _line("tests  ").append(f"{seen.green} green", style="green" if seen.green else "dim")
    text.append(f"  {seen.bad} red", style="bold red" if seen.bad else "dim")
    if seen.unresolved:
        text.append(f"  {seen.unresolved} not run", style="yellow")
    return text


def _news(entry: Entry, width: int) -> Text:
    return (
        _line()
        .append(f"{clock_words(entry.elapsed_s)}  ", style="dim")
        .append(_short_ids(entry.text, width), style=STYLES[entry.tone])
    )


def _short_ids(text: str, width: int) -> str:
    """Test ids without folders, on a narrow screen without their files: the end of an id says most."""
    return (_TEST_FILES if width < _NARROW else _TEST_FOLDERS).sub("", text)
