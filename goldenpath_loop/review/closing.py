"""The last words of a run: outcome, culprit, pull request, cost of models, worklog, what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from rich.text import Text

from goldenpath_loop.core.state import State
from goldenpath_loop.review.charges import Charge, charge_words
from goldenpath_loop.review.facts import culprits_of, pull_requests_of
from goldenpath_loop.review.handing_over import hand_off_rows
from goldenpath_loop.review.wording import seconds, short
from goldenpath_loop.system.plain import plain_line

__all__ = ["closing_lines"]

_LABEL_CHARS = 14
_LEAST_CHARS = 30
_STYLES = {"passed": "bold green", "repaired": "bold green"}


def closing_lines(state: State, charge: Charge, worklog: Path | None, *, width: int | None) -> Iterator[Text]:
    """The summary, line by line.

    Args:
        state: What the run has come to.
        charge: What models came to; nothing is said of none.
        worklog: Where its worklog lies; None leaves it out.
        width: Columns to wrap sentences to; None leaves them whole. Paths are never wrapped.
    """
    yield Text()
    finished = state.finished
    if finished is not None:
        yield Text(finished.outcome, style=_STYLES.get(finished.outcome, "bold yellow"))
        yield from _row("reason", finished.reason, width)
    elif state.paused:
        yield Text("paused", style="bold yellow")
    else:
        yield Text("no outcome: the run was cut off", style="bold red")
    for culprit in culprits_of(state):
        words = f"{short(culprit.revision)} “{culprit.subject}” for {', '.join(culprit.clusters)}"
        yield from _row("culprit", words, width)
    for opened in pull_requests_of(state):
        yield from _row("pull request", _place(opened.address, worklog) + opened.note, None)
    if charge.calls:
        yield from _row("model", charge_words(charge), width)
    if finished is not None and finished.hand_off is not None:
        for label, words in hand_off_rows(finished.hand_off):
            # A command is copied, and wrapped it would be two.
            yield from _row(label, words, None if label == "more" else width)
    if worklog is not None:
        yield from _row("worklog", str(worklog), None)
    for action in finished.next_actions if finished else ():
        yield from _row("next", action, width)
    if finished is None and state.started is not None:
        yield from _row("next", f"Go on with: loop resume {state.started.run}", width)
    if state.last_at is not None:
        yield from _row("duration", seconds(state.active_until(state.last_at)), None)


def _row(label: str, words: str, width: int | None) -> Iterator[Text]:
    line = plain_line(words, max_chars=2000)
    room = max(_LEAST_CHARS, (width or 0) - _LABEL_CHARS - 2)
    parts = textwrap.wrap(line, room, break_long_words=False, break_on_hyphens=False) if width else [line]
    for number, part in enumerate(parts or [""]):
        name = label if number == 0 else ""
        yield Text(f"  {name:<{_LABEL_CHARS}}", style="dim").append(part, style="not dim")


def _place(address: str, worklog: Path | None) -> str:
    """A pull request of the local forge is a file of the run's folder."""
    if worklog is None or "://" in address or Path(address).is_absolute():
        return address
    return str(worklog.parent / address)
