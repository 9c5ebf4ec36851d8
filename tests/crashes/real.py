"""Lives of the real command on real repositories: killed at chosen lines, resumed, and looked at from outside."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tests
from goldenpath_loop.core.state import State
from goldenpath_loop.records.events import EffectRequested, EffectSettled, PhaseFinished
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.folder import RunFolder
from tests.core.test_crashes import fates
from tests.crashes.plug import Point
from tests.crashes.tally import Found, lost_lines
from tests.e2e.command import environment, leftovers, only_run, state_of, typed
from tests.e2e.library import git

__all__ = ["Life", "armed", "boundaries", "compared", "life", "seen_from_outside"]

# In the process alone, not in its environment: what it starts must not find our tests beside its own.
_LAUNCH = "import sys; sys.path.insert(0, sys.argv.pop(1)); from tests.crashes.launcher import main; main()"
_CODE = Path(tests.__file__).parent.parent
_LONGEST_S = 300.0


@dataclass(frozen=True, slots=True)
class Life:
    """One run from its first process to its last.

    Args:
        root: The checkout it was typed in.
        run: Its folder.
        kills: How many of its processes were killed.
        exit_code: How the last one ended.
        errors: What that one said on standard error.
        record: The JSON object it printed.
        lost: Lines that were in the log at a kill, and are not in it at the end.
        again: Effects that had settled before a kill, and were asked for after it.
        orphans: Processes that are left.
        picture: What a person sees of it at the end, without times and numbers that a crash shifts.
        changes: How often each branch was moved, here and in the remote, and how many pull requests there are.
    """

    root: Path
    run: RunFolder
    kills: int
    exit_code: int
    errors: str
    record: dict[str, Any]
    lost: tuple[str, ...]
    again: tuple[str, ...]
    orphans: tuple[str, ...]
    picture: dict[str, object]
    changes: Counter[str]


def boundaries(lines: int) -> list[Point]:
    """Every boundary of a run of so many lines, in one of two ways.

    Right after a line nothing has followed from it. Before the next, or with a piece of that, whatever was done in
    between is in the world, and the log does not know.
    """
    chance = random.Random(lines)
    torn = [Point(line + 1, keep=chance.choice([0, chance.randrange(10_000)])) for line in range(1, lines)]
    return [Point(line) if line % 2 else torn[line - 1] for line in range(1, lines)]


def life(root: Path, folder: Path, words: Sequence[str], points: Sequence[Point]) -> Life:
    """Type `loop` with `words`, kill it, resume it, kill that, and so on; the last resume lives.

    Args:
        root: The checkout to type it in.
        folder: Everything lies below it: checkout, remote, caches.
        words: The command that begins the run, with `--json`.
        points: Where its process is killed, then the one that resumes it, and so on.
    """
    spoken, remains = list(words), list[tuple[bytes, set[str], int]]()
    code, output, errors = -signal.SIGKILL, "", ""
    for point in points:
        code, output, errors = armed(root, folder, spoken, point)
        if code != -signal.SIGKILL:
            break
        log = only_run(root / "runs").log.read_bytes()
        events = [line.event for line in read(only_run(root / "runs").log)]
        remains.append((log, {one.key for one in events if isinstance(one, EffectSettled)}, len(events)))
        spoken = ["resume", "--json"]
    if code == -signal.SIGKILL:
        done = typed(*spoken, folder=root, cache=folder, timeout_s=_LONGEST_S)
        code, output, errors = done.exit_code, done.output, done.errors
    run = only_run(root / "runs")
    whole, events = run.log.read_bytes(), [line.event for line in read(run.log)]
    again: list[str] = []
    for _, settled, before in remains:
        asked = [one.effect.key for one in events[before:] if isinstance(one, EffectRequested)]
        again += [key for key in asked if key in settled]
    record = json.loads(output) if output.startswith("{") else {}
    return Life(
        root=root,
        run=run,
        kills=len(remains),
        exit_code=code,
        errors=errors,
        record=record,
        lost=tuple(line for log, _, _ in remains for line in lost_lines(log, whole)),
        again=tuple(again),
        orphans=tuple(leftovers(str(folder))),
        picture=seen_from_outside(root, folder, run, record),
        changes=_changes(root, run),
    )


def armed(root: Path, folder: Path, words: Sequence[str], point: Point) -> tuple[int, str, str]:
    """Type `loop` with `words` in a process that is killed at `point`: exit code, output and errors."""
    done = subprocess.run(
        [sys.executable, "-c", _LAUNCH, str(_CODE), point.to_json(), *words],
        cwd=root,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr


def seen_from_outside(root: Path, folder: Path, run: RunFolder, record: dict[str, Any]) -> dict[str, object]:
    """Everything that must be the same however often a run was killed."""
    state = state_of(run)
    closed = [line.event for line in read(run.log) if isinstance(line.event, PhaseFinished)]
    seen: dict[str, object] = {
        "answer": {name: _plain(str(value), run, folder) for name, value in record.items() if name != "run"},
        "remedies": fates(state),
        "conclusions": _conclusions(state),
        "findings": [(one.kind, one.title, one.statement) for one in state.findings],
        "phases": [(one.cycle, one.phase, one.attempt, one.result) for one in closed],
        "branches": _refs(root),
        "checkout": git(root, "status", "--porcelain", "--branch"),
        "worktrees": len(git(root, "worktree", "list").splitlines()),
        "left in the cache": sorted(path.name for path in folder.rglob("*.scratch")),
        "pull requests": {
            path.name: _plain(path.read_text(), run, folder) for path in sorted(run.path.glob("pull_req*.md"))
        },
        "worklog": run.worklog.exists(),
        "verified": typed("verify", folder=root, cache=folder).exit_code,
    }
    remote = git(root, "remote", "get-url", "origin") if git(root, "remote") else ""
    if remote:
        seen["remote"] = _refs(Path(remote))
    return seen


def _refs(repository: Path) -> str:
    """Every ref with where it points; an entry of a pull request names its run, so it points elsewhere in each.

    Left out is what git notes of a remote when a push comes back: a push that is killed with its engine notes nothing.
    """
    everything = ("refs/heads", "refs/tags", "refs/goldenpath")
    listed = git(repository, "for-each-ref", "--format=%(refname) %(objectname)", *everything)
    return re.sub(r"^(refs/goldenpath/\S+) \w+$", r"\1", listed, flags=re.MULTILINE)


def _conclusions(state: State) -> dict[str, str]:
    """The last verdict about everything but single commits: which of them a search asks may differ."""
    return {f"{one.kind} {one.subject}": one.value for one in state.verdicts if one.kind != "probe"}


def _plain(text: str, run: RunFolder, folder: Path) -> str:
    """Without places, times and numbers: these are another run's own."""
    text = text.replace(run.id, "RUN").replace(str(folder), "FOLDER")
    text = re.sub(r"line \d+: `[0-9a-f]{64}`", "line N: `HASH`", text)
    return re.sub(r"\b([EFV])\d+\b", r"\1N", text)


def _changes(root: Path, run: RunFolder) -> Counter[str]:
    """What was done to the world and how often; moves of branches from the reflogs of checkout and remote."""
    moved = Counter({"pull requests": len(list(run.path.glob("pull_req*.md")))})
    for repository in (root / ".git", root.parent / "origin.git"):
        below = repository / "logs" / "refs" / "heads"
        for path in below.rglob("*"):
            if path.is_file():
                name = f"{repository.name}: {path.relative_to(below)}"
                moved[name] = len(path.read_text().splitlines())
    return moved


def compared(one: Life, whole: Life, points: Sequence[Point]) -> Found:
    """What of a life that was killed is not as in the one that was not."""
    differs = []
    if one.exit_code != whole.exit_code:
        differs.append(f"it ended with {one.exit_code}: {one.errors[-2000:]}")
    differs += [
        f"{name} is {one.picture.get(name)!s:.1000}, not {wanted!s:.1000}"
        for name, wanted in whole.picture.items()
        if one.picture.get(name) != wanted
    ]
    differs += [f"left over: {line}" for line in one.orphans]
    doubled = (*one.again, *sorted((one.changes - whole.changes).elements()))
    return Found(", then ".join(map(str, points)), one.kills, tuple(differs), one.lost, doubled)
