"""Lives of the real engine in worlds on paper, killed at chosen lines; what became of the world is kept in a file."""

from __future__ import annotations

import json
import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from goldenpath_loop.records import effects as asked
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.events import EffectRequested, EffectSettled
from goldenpath_loop.records.policy import Policy
from goldenpath_loop.records.receipts import AnyReceipt, RemedyReceipt
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.testing import paper_policy
from tests.core.team_worlds import TeamWorld, team_policy
from tests.core.test_crashes import asking, check, double, simple
from tests.core.worlds import Life, World, live, start
from tests.crashes.apart import is_killed
from tests.crashes.plug import Point, arm
from tests.crashes.tally import Found, lost_lines

__all__ = ["WORLDS", "Case", "lines_of", "survive"]

WORLDS: dict[str, tuple[Callable[[], World], int]] = {
    "simple": (simple, 1),
    "double": (double, 3),
    "asking": (asking, 2),
}
"""Each world and how many units are under way in it at once."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run: where its process is killed, and where the process that resumes it, and the next."""

    folder: Path
    world: str
    points: tuple[Point, ...]


_LONGEST_S = 120.0
"""Far longer than any life on paper takes; one that waits for ever is a finding, not a sweep without an end."""


class _Ledger:
    """What was asked of a world and what changed in it, written down by whichever process lived in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, **entry: object) -> None:
        """One entry, in one write, so that a kill leaves all of it or nothing."""
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(fd, json.dumps(entry).encode() + b"\n")
        finally:
            os.close(fd)

    def entries(self) -> list[dict[str, Any]]:
        """Everything so far."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_bytes().splitlines()]

    def begun(self) -> list[str]:
        """Keys of everything that anybody began to do."""
        return [entry["begun"] for entry in self.entries() if "begun" in entry]

    def standing(self) -> dict[str, list[object]]:
        """What is where: branches, what they were pushed at, their pull requests."""
        return {entry["place"]: entry["holds"] for entry in self.entries() if "place" in entry}

    def changes(self) -> Counter[str]:
        """How often each place was changed."""
        return Counter(entry["place"] for entry in self.entries() if "place" in entry)


def _in(ledger: _Ledger, world: str) -> World:
    """The world as it stands, with everything that is done to it from now on written down."""
    target = WORLDS[world][0]()
    for entry in ledger.entries():
        target.trees.update(entry.get("trees", {}))
        target.reverted.update({name: frozenset(numbers) for name, numbers in entry.get("reverted", ())})
        if isinstance(target, TeamWorld):
            target.patched.update(entry.get("patched", {}))
    perform = target.perform

    async def noting(effect: AnyEffect, witness: Witness) -> AnyReceipt:
        ledger.note(begun=effect.key)
        receipt = await perform(effect, witness)
        ledger.note(
            trees=target.trees,
            reverted=[(name, sorted(numbers)) for name, numbers in target.reverted.items()],
            patched=target.patched if isinstance(target, TeamWorld) else {},
        )
        for place, holds in _places(effect, receipt):
            # Who changes something looks first: that is what a performer of changes promises.
            if ledger.standing().get(place) != holds:
                ledger.note(place=place, holds=holds)
        return receipt

    target.perform = noting  # type: ignore[method-assign]
    return target


def _places(effect: AnyEffect, receipt: AnyReceipt) -> Iterator[tuple[str, list[object]]]:
    """What others could see after an effect, and what it holds then."""
    match effect:
        case asked.PushBranch():
            yield f"remote {effect.branch}", [effect.head]
        case asked.OpenPullRequest():
            yield f"pull request {effect.branch}", [effect.head, effect.title, effect.draft]
        case _ if isinstance(receipt, RemedyReceipt):
            yield f"remedy {receipt.branch}", [receipt.head]


def _policy(world: str) -> Policy:
    jobs = WORLDS[world][1]
    return team_policy(jobs=jobs) if world == "asking" else paper_policy(jobs=jobs)


def _life(run: RunFolder, world: str) -> Life:
    """One process's worth of a run, in the world as it stands."""
    target = _in(_Ledger(run.path / "world.jsonl"), world)

    async def lived() -> Life:
        with anyio.fail_after(_LONGEST_S):
            return await live(run, target, _policy(world))

    return anyio.run(lived)


def lines_of(given: tuple[Path, str]) -> int:
    """How many lines the uninterrupted run of a world has that its engine writes."""
    folder, world = given
    return len(_whole(folder, world)[0].lines) - 1


_wholes: dict[str, tuple[Life, _Ledger]] = {}


def _whole(folder: Path, world: str) -> tuple[Life, _Ledger]:
    """The run that nobody interrupts; lived once in each process."""
    if world not in _wholes:
        run = start(folder.parent / f"whole-{world}-{os.getpid()}", _policy(world))
        _wholes[world] = (_life(run, world), _Ledger(run.path / "world.jsonl"))
    return _wholes[world]


def survive(case: Case) -> Found:
    """Kill the engine at each point of `case`, let the last one live, and compare with the uninterrupted run.

    To be called in a process that may fork.
    """
    whole, done = _whole(case.folder, case.world)
    run = start(case.folder, _policy(case.world))
    ledger = _Ledger(run.path / "world.jsonl")
    kills, differs, lost, doubled = 0, [], [], []
    remains: list[tuple[bytes, set[str], int]] = []
    for point in case.points:

        def dying(point: Point = point) -> None:
            arm(point)
            _life(run, case.world)

        try:
            if not is_killed(dying):
                break
        except AssertionError as error:
            differs.append(str(error))
            break
        kills += 1
        events = [line.event for line in read(run.log)]
        requested = {event.effect.key for event in events if isinstance(event, EffectRequested)}
        lost += [f"the request of {key}, which was begun" for key in {*ledger.begun()} - requested]
        settled = {event.key for event in events if isinstance(event, EffectSettled)}
        remains.append((run.log.read_bytes(), settled, len(ledger.begun())))
    differs += _differences(lambda: check(_life(run, case.world), whole))
    for log, settled, before in remains:
        lost += lost_lines(log, run.log.read_bytes())
        doubled += sorted({key for key in ledger.begun()[before:] if key in settled})
    if ledger.standing() != done.standing():
        differs.append(f"the world is another: {ledger.standing()}")
    doubled += sorted((ledger.changes() - done.changes()).elements())
    where = f"{case.world} {case.folder.name}: {', then '.join(map(str, case.points))}"
    return Found(where, kills, tuple(differs), tuple(lost), tuple(doubled))


def _differences(compare: Callable[[], None]) -> list[str]:
    try:
        compare()
    except Exception:  # noqa: BLE001 - whatever it is, it belongs to the point at which it happened
        return [traceback.format_exc()]
    return []
