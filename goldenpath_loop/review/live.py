"""Shows a run while it goes on: a live picture on a terminal, plain lines everywhere else."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from goldenpath_loop.core.state import State
from goldenpath_loop.records.base import EffectKey
from goldenpath_loop.records.line import Line
from goldenpath_loop.review.closing import closing_lines
from goldenpath_loop.review.frame import STYLES, clock_words, frame
from goldenpath_loop.review.timeline import Entry, Weight
from goldenpath_loop.review.watch import Watch
from goldenpath_loop.system import clock

__all__ = ["LiveView"]

_PICTURES_PER_SECOND = 4
_LEAST_CHARS = 30


class LiveView:
    """Listens to a session and tells it to a console; a context manager that ends with a summary.

    Args:
        console: Where to; NO_COLOR and its width are honoured.
        live: A picture that is drawn again and again, with headlines above it; otherwise one line an event.
        worklog: Path of the worklog, for the summary.
        now: The clock that elapsed times are measured to.
    """

    def __init__(
        self,
        console: Console,
        *,
        live: bool,
        worklog: Path | None = None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._console = console
        self._worklog = worklog
        self._now = now
        self._watch = Watch()
        self._beginning: tuple[Entry, ...] = ()
        # The picture is drawn by a thread of its own.
        self._lock = Lock()
        self._live: Live | None = None
        if live and not console.quiet:
            self._live = Live(
                get_renderable=self._picture,
                console=console,
                transient=True,
                refresh_per_second=_PICTURES_PER_SECOND,
                vertical_overflow="crop",
            )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if self._watch.state.started is not None:
            watch = self._watch
            for line in closing_lines(watch.state, watch.charge, self._worklog, width=self._width):
                self._print(line)

    def remember(self, line: Line, state: State) -> None:
        """Take in one line of what happened before this view was opened, after which there was `state`."""
        with self._lock:
            if line.seq == 1:
                self._beginning = self._watch.see(line)
            else:
                self._beginning = ()
                self._watch.remember(line, state)

    def caught_up(self) -> None:
        """All of the past was taken in: a single first line is told, a longer past only counted."""
        state = self._watch.state
        if state.last_seq > 1:
            where = f", phase {state.phase.phase}" if state.phase else ""
            self._print(Text(f"{state.last_seq} events so far, cycle {state.cycle}{where}", style="dim"))
        self._tell(self._beginning)

    def line(self, line: Line) -> None:
        """Take in one line of the log; made for `Session.watch`."""
        with self._lock:
            told = self._watch.see(line)
        self._tell(told)

    def _tell(self, told: tuple[Entry, ...]) -> None:
        most = Weight.HEADLINE if self._live is not None else Weight.DETAIL
        for entry in told:
            if entry.weight <= most:
                for text in _told(entry, self._width):
                    self._print(text)

    def progress(self, effect_key: EffectKey, text: str) -> None:
        """Take in a progress text of an effect that is under way; shown in the picture alone."""
        with self._lock:
            self._watch.hear(effect_key, text)

    @property
    def _width(self) -> int | None:
        return self._console.width if self._console.is_terminal else None

    def _print(self, text: Text) -> None:
        # Wrapping is left to the terminal, so that a path can be copied and a log can be searched.
        self._console.print(text, soft_wrap=True, markup=False, highlight=False)

    def _picture(self) -> RenderableType:
        width, height = self._console.size
        with self._lock:
            return frame(self._watch, now=self._now(), width=width, height=height)


def _told(entry: Entry, width: int | None) -> Iterator[Text]:
    at = f"{clock_words(entry.elapsed_s)}  "
    room = max(_LEAST_CHARS, width - len(at) - 1) if width else len(entry.text) + 1
    for number, part in enumerate(textwrap.wrap(entry.text, room) or [""]):
        text = Text(at if number == 0 else " " * len(at), style="dim")
        yield text.append(part, style=f"not dim {STYLES[entry.tone]}".removesuffix(" none"))
