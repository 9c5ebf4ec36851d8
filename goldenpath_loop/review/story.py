"""A whole run as text: every event with its time, grouped by phase."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.text import Text

from goldenpath_loop.records.line import Line
from goldenpath_loop.review.frame import STYLES
from goldenpath_loop.review.timeline import Tone, Weight, timeline

__all__ = ["story_lines"]

_QUIET: Tone = "quiet"


def story_lines(lines: Iterable[Line]) -> Iterator[Text]:
    """One line an event, under a heading a phase; times are seconds of work since the run began."""
    phase = ""
    for entry in timeline(lines):
        if entry.phase != phase:
            phase = entry.phase
            yield Text()
            yield Text(phase, style="bold")
        text = Text(f"{entry.elapsed_s:>10.2f} s  {entry.seq:>5}  ", style="dim")
        tone = _QUIET if entry.weight is Weight.TRACE else entry.tone
        yield text.append(
            entry.text, style=f"not dim {STYLES[tone]}".removesuffix(" none") if tone != _QUIET else "dim"
        )
