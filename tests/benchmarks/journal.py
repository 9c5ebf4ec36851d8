"""What keeping the record of a run costs, beside the ways other agent loops keep theirs.

    python -m tests.benchmarks.journal [--steps 1000] [--events 300000]

Writing: `steps` events, each on the disk before the next. Reopening: a record of `events` events, in a process of its
own. The baselines are designs, written down here in their plainest form: one JSON file that is written anew at each
step (as mini-swe-agent keeps its trajectory), one file an event (as OpenHands keeps its events), and SQLite with a
write-ahead log. On reopening they parse JSON and no more; the session log also checks every hash and every field, and
folds the state.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import anyio

from goldenpath_loop.core.past import Past
from goldenpath_loop.records.events import AnyEvent
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.log import COMMIT_POINTS, SessionLog
from goldenpath_loop.session.session import Session
from tests.benchmarks.long_session import events_of_a_night

_AT_ONCE = 32
_BASELINE = "SQLite, WAL"

Write = Callable[[Path, Iterable[AnyEvent]], None]
Reopen = Callable[[Path], int]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--reopen", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reopen:
        _reopen_here(*options.reopen)
        return
    with tempfile.TemporaryDirectory() as folder:
        _write_all(Path(folder), options.steps)
    print()
    with tempfile.TemporaryDirectory() as folder:
        _reopen_all(Path(folder), options.events)


def _write_all(folder: Path, steps: int) -> None:
    print(f"{steps} events, each on the disk before the next; ratios to {_BASELINE}\n")
    print(f"{'':34} {'events/s':>14} {'MB written':>18}")
    found: dict[str, tuple[float, float]] = {}
    for name, write in _WRITERS.items():
        place = folder / name.replace(" ", "-").replace(",", "")
        place.mkdir()
        promised = (event for event in events_of_a_night(steps * 3) if event.type in COMMIT_POINTS)
        events = list(islice(promised, steps))
        bytes_before, began = _bytes_written(), time.perf_counter()
        write(place, events)
        found[name] = steps / (time.perf_counter() - began), (_bytes_written() - bytes_before) / 1e6
    speed, size = found[_BASELINE]
    for name, (its_speed, its_size) in found.items():
        print(f"{name:34} {its_speed:8.0f} {its_speed / speed:5.2f} {its_size:12.2f} {its_size / size:5.2f}")


def _reopen_all(folder: Path, events: int) -> None:
    print(f"a record of {events} events reopened; ratios to {_BASELINE}\n")
    print(f"{'':34} {'s':>12} {'MB of memory':>18}")
    found: dict[str, tuple[float, float]] = {}
    for name, fill in _FILLERS.items():
        place = folder / name.replace(" ", "-").replace(",", "")
        place.mkdir()
        fill(place, events_of_a_night(events))
        argv = [sys.executable, "-m", "tests.benchmarks.journal", "--reopen", name, str(place)]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        seen, took_s, memory = done.stdout.split()
        assert int(seen) == events, (name, seen)
        found[name] = float(took_s), float(memory)
    took, memory_mb = found[_BASELINE]
    for name, (its_time, its_memory) in found.items():
        print(
            f"{name:34} {its_time:6.2f} {its_time / took:5.2f} {its_memory:12.0f} {its_memory / memory_mb:5.2f}"
        )


def _reopen_here(name: str, place: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    seen = _REOPENERS[name](Path(place))
    took_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1024 if sys.platform == "linux" else 1024 * 1024
    print(seen, took_s, (after - before) / unit)


def _bytes_written() -> int:
    """Bytes this process handed to the kernel."""
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("wchar: "):
            return int(line.split()[1])
    raise SystemExit("this system does not count the bytes a process writes")


def _plain(event: AnyEvent) -> dict[str, Any]:
    return event.model_dump(mode="json")


def _write_whole(place: Path, events: Iterable[AnyEvent]) -> None:
    kept: list[dict[str, Any]] = []
    for event in events:
        kept.append(_plain(event))
        _durably(place / "trajectory.json", json.dumps(kept).encode())


def _fill_whole(place: Path, events: Iterable[AnyEvent]) -> None:
    with (place / "trajectory.json").open("w") as file:
        file.write("[")
        for number, event in enumerate(events):
            file.write(("," if number else "") + json.dumps(_plain(event)))
        file.write("]")


def _reopen_whole(place: Path) -> int:
    return len(json.loads((place / "trajectory.json").read_bytes()))


def _write_files(place: Path, events: Iterable[AnyEvent]) -> None:
    folder = os.open(place, os.O_RDONLY)
    for number, event in enumerate(events):
        _durably(place / f"{number}.json", json.dumps(_plain(event)).encode())
        os.fsync(folder)
    os.close(folder)


def _fill_files(place: Path, events: Iterable[AnyEvent]) -> None:
    for number, event in enumerate(events):
        (place / f"{number}.json").write_bytes(json.dumps(_plain(event)).encode())


def _reopen_files(place: Path) -> int:
    names = sorted(place.iterdir(), key=lambda path: int(path.stem))
    return len([json.loads(path.read_bytes()) for path in names])


def _durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _database(place: Path) -> sqlite3.Connection:
    database = sqlite3.connect(place / "events.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, event TEXT)")
    return database


def _write_database(place: Path, events: Iterable[AnyEvent]) -> None:
    database = _database(place)
    for event in events:
        database.execute("INSERT INTO events (event) VALUES (?)", (json.dumps(_plain(event)),))
    database.close()


def _fill_database(place: Path, events: Iterable[AnyEvent]) -> None:
    database = _database(place)
    database.execute("BEGIN")
    rows = ((json.dumps(_plain(event)),) for event in events)
    database.executemany("INSERT INTO events (event) VALUES (?)", rows)
    database.execute("COMMIT")
    database.close()


def _reopen_database(place: Path) -> int:
    rows = _database(place).execute("SELECT event FROM events ORDER BY seq")
    return len([json.loads(text) for (text,) in rows])


def _write_log(place: Path, events: Iterable[AnyEvent]) -> None:
    with SessionLog(place / "session.jsonl") as log:
        for event in events:
            log.append(event)
            log.sync()


def _write_log_at_once(place: Path, events: Iterable[AnyEvent]) -> None:
    """Many units at once, each of which waits for the disk before it goes on."""
    waiting = iter(events)

    async def unit(session: Session) -> None:
        for event in waiting:
            session.append(event)
            await session.commit()

    async def write() -> None:
        with Session(RunFolder(place)) as session:
            async with anyio.create_task_group() as units:
                for _ in range(_AT_ONCE):
                    units.start_soon(unit, session)

    anyio.run(write)


def _fill_log(place: Path, events: Iterable[AnyEvent]) -> None:
    with SessionLog(place / "session.jsonl") as log:
        for event in events:
            log.append(event)


def _reopen_log(place: Path) -> int:
    past = Past()
    with Session(RunFolder(place), listeners=[past.see]):
        return past.state.last_seq


_WHOLE, _FILES, _LOG = "one JSON file, written anew", "one file an event", "session log"
_WRITERS: dict[str, Write] = {
    _WHOLE: _write_whole,
    _FILES: _write_files,
    _BASELINE: _write_database,
    _LOG: _write_log,
    f"session log, {_AT_ONCE} units at once": _write_log_at_once,
}
_FILLERS: dict[str, Write] = {
    _WHOLE: _fill_whole,
    _FILES: _fill_files,
    _BASELINE: _fill_database,
    _LOG: _fill_log,
}
_REOPENERS: dict[str, Reopen] = {
    _WHOLE: _reopen_whole,
    _FILES: _reopen_files,
    _BASELINE: _reopen_database,
    _LOG: _reopen_log,
}

if __name__ == "__main__":
    main()
