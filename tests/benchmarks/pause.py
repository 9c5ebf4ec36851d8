"""How long a run takes to acknowledge a pause and to be quiet, beside killing it, and what each leaves behind.

    python -m tests.benchmarks.pause [--pauses 100] [--seed 1] [--most 6]

The real command works on a target with slow tests, a setup and agents at a slow and moody model in this process, and
is interrupted at random moments, early ones as often as late ones: by the request that `loop pause` leaves, by the one
of `loop pause --now`, and, as a baseline, by SIGKILL to its process group; in turns, so that whatever else the machine
does befalls all alike. Acknowledged: the line stands in the log. Quiet: nobody holds the run any more, and the engine's
process is gone. What is left is counted right after.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from goldenpath_loop.session.chain import last_line
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.lock import is_held
from goldenpath_loop.session.requests import Request, ask
from tests.e2e.command import LOOP, environment, leftovers
from tests.e2e.paused_shop import Moody, build_team
from tests.e2e.pausing import Run
from tests.model_server import serve

_LOOK_EVERY_S = 0.002
_GIVE_UP_S = 120.0

Row = Literal["soft", "now", "SIGKILL"]

_ROWS: tuple[Row, ...] = ("soft", "now", "SIGKILL")


@dataclass
class Seen:
    """What came of the interruptions of one kind.

    Attributes:
        acknowledged: Seconds until the log said so, one for each that it said.
        quiet: Seconds until nobody held the run and the engine was gone.
        left: How many processes were left, after each.
        said: How many logs end with the line of a pause.
    """

    acknowledged: list[float] = field(default_factory=list)
    quiet: list[float] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    said: int = 0


def _until(is_so: Callable[[], bool]) -> bool:
    give_up_at = time.monotonic() + _GIVE_UP_S
    while not is_so():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


def _says_so(run: RunFolder, start: int) -> bool:
    with run.log.open("rb") as log:
        log.seek(start)
        return b'"control.requested"' in log.read()


def interrupt(run: RunFolder, root: Path, folder: Path, row: Row, after_s: float, seen: Seen) -> bool:
    """Go on with the run for a while, then interrupt it; whether there was still something to interrupt."""
    with subprocess.Popen(
        [*LOOP, "resume", run.id, "--json"],
        cwd=root,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        _until(lambda: is_held(run.log) or process.poll() is not None)
        time.sleep(after_s)
        start = run.log.stat().st_size
        if process.poll() is not None or not is_held(run.log):
            process.wait()
            return False
        began = time.monotonic()
        if row == "SIGKILL":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            ask(run, Request("pause" if row == "soft" else "pause_now", "a benchmark"))
            if _until(lambda: _says_so(run, start) or process.poll() is not None) and _says_so(run, start):
                seen.acknowledged.append(time.monotonic() - began)
        _until(lambda: not is_held(run.log) and process.poll() is not None)
        seen.quiet.append(time.monotonic() - began)
    seen.left.append(len(leftovers(str(folder))))
    last = last_line(run.log)
    # A run that was killed before it wrote a line still ends with the pause before.
    is_new = run.log.stat().st_size > start
    seen.said += is_new and last is not None and last.event.type == "run.paused"
    return True


def measure(pauses: int, seed: int, most_s: float, folder: Path) -> dict[Row, Seen]:
    """Interrupt runs in turns until each kind was there so often."""
    chance, seen = random.Random(seed), {row: Seen() for row in _ROWS}
    number = 0
    wanted = [row for _ in range(pauses) for row in _ROWS]
    while wanted:
        number += 1
        place = folder / str(number)
        place.mkdir()
        with ExitStack() as stack:
            server = stack.enter_context(serve(Moody(seed + number), pace_s=0.005))
            library = build_team(place, server.base_url)
            run = Run(library).folder
            is_there = True
            while wanted and is_there:
                after_s = math.exp(chance.uniform(math.log(0.02), math.log(most_s)))
                is_there = interrupt(run, library.root, folder, wanted[0], after_s, seen[wanted[0]])
                if is_there:
                    wanted.pop(0)
            # What a kill left is ended by the next engine of the run.
            if is_there and leftovers(str(folder)):
                interrupt(run, library.root, folder, "now", most_s, Seen())
    return seen


def _figures(values: list[float]) -> str:
    if not values:
        return f"{'-':>8}{'-':>8}{'-':>8}"
    ordered = sorted(values)
    shown = [
        ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] for share in (0.5, 0.99, 1.0)
    ]
    return "".join(f"{one:>8.2f}" for one in shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pauses", type=int, default=100, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=float, default=6.0, help="longest time before one, in seconds")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pauses-") as name:
        seen = measure(arguments.pauses, arguments.seed, arguments.most, Path(name))
    print(f"{arguments.pauses} interruptions of each kind, seconds\n")
    print(f"{'':10}{'acknowledged':>24}{'quiet':>24}{'left something':>18}{'log says so':>14}")
    print(f"{'':10}{'p50':>8}{'p99':>8}{'max':>8}{'p50':>8}{'p99':>8}{'max':>8}")
    for row, one in seen.items():
        left = f"{sum(bool(count) for count in one.left)} ({sum(one.left)} proc.)"
        print(f"{row:10}{_figures(one.acknowledged)}{_figures(one.quiet)}{left:>18}{one.said:>14}")


if __name__ == "__main__":
    main()
