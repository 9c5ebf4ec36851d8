"""Random lives of the accounts of a run, played on the real log, beside books that are kept by hand."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Literal

from goldenpath_loop.core.state import State, evolve, fold
from goldenpath_loop.engine.account import DispatchAccount
from goldenpath_loop.engine.desk import Desk
from goldenpath_loop.records.agents import AgentLimits
from goldenpath_loop.records.events import LimitsChanged, RunResumed, UsageReserved
from goldenpath_loop.records.line import Line
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.records.target import ModelSpec
from goldenpath_loop.records.usage import Usage
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import Session
from goldenpath_loop.team.load import Team
from goldenpath_loop.testing import paper_policy, paper_run

__all__ = [
    "WIDE",
    "Books",
    "Process",
    "Schedule",
    "Step",
    "begun",
    "play",
    "reserve",
    "schedule",
    "total",
    "uninterrupted",
]

WIDE = AgentLimits(turns=1000, tokens=10**12, duration_s=1e6, cost_usd=1e9)
"""An agent that never meets a limit of its own."""

Call = tuple[str, int]
Crash = Literal["between two lines", "in the middle of a new line", "in the middle of the last line"]


async def reserve(account: DispatchAccount, most: Usage) -> int | str:
    """Ask the account for one more call, whether it answers at once or has to wait for the disk first."""
    answer: Any = account.reserve("m", most)
    if inspect.isawaitable(answer):
        answer = await answer
    assert isinstance(answer, int | str)
    return answer


@dataclass(frozen=True)
class Step:
    """One thing that happens.

    Attributes:
        kind: `ask`: a dispatch reserves a call. `answer`: its open call is settled. `crash`: the process is gone, and
            another one goes on. `limits`: a person sets others.
        dispatch: Whose call it is.
        most: What an `ask` reserves.
        share: How much of it an `answer` says was used; more than 1 is a server that broke its word.
        problem: Why the answer is of no use; a call that failed is asked again at once.
        crash: Where the writer stood.
        limits: What is allowed from now on.
    """

    kind: Literal["ask", "answer", "crash", "limits"]
    dispatch: int = 0
    most: Usage = field(default_factory=Usage)
    share: float = 1.0
    problem: str = ""
    crash: Crash = "between two lines"
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Schedule:
    """A whole life."""

    limits: Limits
    steps: tuple[Step, ...]

    @property
    def keeps_its_word(self) -> bool:
        """Whether no server uses more than it may, and no limit is ever lowered."""
        allowed = [self.limits, *(one.limits for one in self.steps if one.kind == "limits")]
        is_rising = all(
            before.tokens <= after.tokens and before.cost_usd <= after.cost_usd
            for before, after in pairwise(allowed)
        )
        return is_rising and all(one.share <= 1 for one in self.steps)


def schedule(chance: Random) -> Schedule:
    """A life that begins with limits small enough to be met."""
    is_honest, is_rising = chance.random() < 0.5, chance.random() < 0.5
    dispatches = chance.randint(1, 4)
    limits = first = _limits(chance)
    steps: list[Step] = []
    for _ in range(chance.randint(1, 30)):
        dispatch = chance.randrange(dispatches)
        match chance.choices(("ask", "answer", "failed", "crash", "limits"), (12, 6, 3, 2, 1))[0]:
            case "ask":
                steps.append(Step("ask", dispatch, most=_most(chance)))
            case "answer":
                most = 1.0 if is_honest else 3.0
                steps.append(Step("answer", dispatch, share=_eighths(chance, most)))
            case "failed":
                problem = chance.choice(("HTTP 500: down", "cancelled", "the server did not stream"))
                steps.append(Step("answer", dispatch, share=_eighths(chance, 1.0), problem=problem))
            case "crash":
                where: tuple[Crash, ...] = (
                    "between two lines",
                    "in the middle of a new line",
                    "in the middle of the last line",
                )
                steps.append(Step("crash", crash=chance.choice(where)))
            case _:
                limits = _risen(chance, limits) if is_rising else _limits(chance)
                steps.append(Step("limits", limits=limits))
    return Schedule(first, tuple(steps))


# Money comes in parts of a power of two, so that sums are exact in whatever order they are made.


def _limits(chance: Random) -> Limits:
    return Limits(tokens=chance.choice((0, 1000, 4000, 16000)), cost_usd=chance.choice((0, 1, 4, 16)))


def _risen(chance: Random, old: Limits) -> Limits:
    return Limits(
        tokens=old.tokens + chance.choice((0, 500, 4000)),
        cost_usd=old.cost_usd + chance.choice((0, 0.25, 4)),
    )


def _most(chance: Random) -> Usage:
    return Usage(
        prompt_tokens=8 * chance.randint(0, 100),
        answer_tokens=8 * chance.randint(1, 50),
        cost_usd=chance.randint(0, 64) / 64,
        is_estimated=True,
    )


def _eighths(chance: Random, most: float) -> float:
    return chance.randint(0, int(8 * most)) / 8


def _used(most: Usage, share: float) -> Usage:
    return Usage(
        prompt_tokens=int(most.prompt_tokens * share),
        answer_tokens=int(most.answer_tokens * share),
        cost_usd=most.cost_usd * share,
    )


def total(usages: Iterable[Usage]) -> tuple[int, float]:
    """Tokens and money of some calls."""
    listed = list(usages)
    return sum(one.tokens for one in listed), sum(one.cost_usd for one in listed)


@dataclass(frozen=True)
class Books:
    """What a person with paper and pencil would know."""

    limits: Limits
    settled: Mapping[Call, tuple[Usage, Usage]] = field(default_factory=dict)
    """What each finished call was allowed, and what it used."""
    open: Mapping[Call, Usage] = field(default_factory=dict)
    cut_off: Mapping[Call, Usage] = field(default_factory=dict)
    """Calls whose process died before they came back."""
    bar: tuple[float, float] = (0, 0)
    """What may be charged at most: what was allowed when the last call was let through, and by how much servers have
    used more than they were allowed since."""

    @property
    def charged(self) -> tuple[int, float]:
        """Tokens and money that count."""
        held = (*self.open.values(), *self.cut_off.values())
        return total((*(used for _, used in self.settled.values()), *held))

    def has_room(self, most: Usage) -> bool:
        """Whether one more call fits."""
        tokens, cost = self.charged
        return tokens + most.tokens <= self.limits.tokens and cost + most.cost_usd <= self.limits.cost_usd

    def reserved(self, call: Call, most: Usage) -> Books:
        """After a call was let through."""
        bar = (self.limits.tokens, self.limits.cost_usd)
        return replace(self, open={**self.open, call: most}, bar=bar)

    def answered(self, call: Call, used: Usage) -> Books:
        """After it came back."""
        most = self.open[call]
        left = {key: one for key, one in self.open.items() if key != call}
        excess = (max(0, used.tokens - most.tokens), max(0.0, used.cost_usd - most.cost_usd))
        bar = (self.bar[0] + excess[0], self.bar[1] + excess[1])
        return replace(self, open=left, settled={**self.settled, call: (most, used)}, bar=bar)

    def died(self) -> Books:
        """After the process was gone: nobody will ever know what its open calls used."""
        return replace(self, open={}, cut_off={**self.cut_off, **self.open})


class Process:
    """One engine process: the log open for writing, a state that follows it, an account for each dispatch.

    Args:
        run: A run that has its first line.
        limits: What the run may use while nobody changed it.
        own: What each agent may use.
    """

    def __init__(self, run: RunFolder, limits: Limits, own: AgentLimits = WIDE) -> None:
        self.state: State = fold(read(run.log))
        self.session = Session(run)
        self.session.listen(self._apply)
        self.desk = Desk(self.session, Team({}, {}, {}, {}), ModelSpec(), None, state=lambda: self.state)
        self._limits, self._own = limits, own
        self._accounts: dict[str, DispatchAccount] = {}

    def _apply(self, line: Line) -> None:
        self.state = evolve(self.state, line)

    def account(self, dispatch: str) -> DispatchAccount:
        """The account of `dispatch`, opened when it is first asked for."""
        if dispatch not in self._accounts:
            self._accounts[dispatch] = DispatchAccount(
                self.desk, dispatch, self._own, lambda: self.state.limits or self._limits
            )
        return self._accounts[dispatch]

    def die(self) -> None:
        """Let go of the file without another word."""
        self.session.__exit__(None, None, None)


def begun(folder: Path) -> RunFolder:
    """A run with its first line."""
    folder.mkdir()
    run = RunFolder(folder)
    with Session(run) as session:
        session.append(paper_run(paper_policy()))
    return run


async def play(life: Schedule, folder: Path) -> Books:
    """Play a life, compare log, state and books after every step, and return the books.

    Raises:
        AssertionError: They do not say the same.
    """
    run = begun(folder / "run")
    books = before = Books(life.limits)
    """What the books said before the last line of the log was written."""
    process = Process(run, life.limits)
    for step in life.steps:
        dispatch = f"c1/fix/K{step.dispatch}/1"
        call = next((one for one in books.open if one[0] == dispatch), None)
        match step.kind:
            case "ask" if call is None:
                books, before = await _ask(process, books, before, dispatch, step.most)
            case "answer" if call is not None:
                most = books.open[call]
                used = _used(most, step.share)
                process.account(dispatch).settle(call[1], used, duration_s=0.5, problem=step.problem)
                books, before = books.answered(call, used), books
                if step.problem:
                    _compare(books, process, run, life)
                    books, before = await _ask(process, books, before, dispatch, most)
            case "crash":
                process.die()
                if _tear(run, step.crash):
                    # What was being written never was: a call that was being reserved was not made.
                    books = before
                process = Process(run, life.limits)
                process.session.append(RunResumed(version="0"))
                books = before = books.died()
            case "limits":
                process.session.append(LimitsChanged(limits=step.limits, by="ada"))
                books, before = replace(books, limits=step.limits), books
            case _:
                continue
        _compare(books, process, run, life)
    process.die()
    return books


async def _ask(
    process: Process, books: Books, before: Books, dispatch: str, most: Usage
) -> tuple[Books, Books]:
    """The books after a call was asked for, and before the last line was written."""
    answer = await reserve(process.account(dispatch), most)
    assert isinstance(answer, int) == books.has_room(most), answer
    if isinstance(answer, str):
        return books, before
    call = (dispatch, answer)
    assert call not in {*books.settled, *books.open, *books.cut_off}, "two calls have one number"
    return books.reserved(call, most), books


def _tear(run: RunFolder, crash: Crash) -> bool:
    """Leave the end of the log as a crash does; whether the last line is lost with it."""
    data = run.log.read_bytes()
    match crash:
        case "in the middle of a new line":
            run.log.write_bytes(data + b'{"seq":7,"at":"20')
        case "in the middle of the last line" if data.count(b"\n") > 1:
            last = data[:-1].rfind(b"\n") + 1
            run.log.write_bytes(data[: last + (len(data) - last) // 2])
            return True
        case _:
            pass
    return False


def _compare(books: Books, process: Process, run: RunFolder, life: Schedule) -> None:
    state, lines = process.state, read(run.log)
    assert fold(lines) == state, "the log does not say what the engine believes"
    assert dict(state.open_calls) == {**books.open, **books.cut_off}
    assert (state.usage.tokens, state.usage.cost_usd) == total(used for _, used in books.settled.values())
    assert (state.charged.tokens, state.charged.cost_usd) == books.charged
    assert books.charged[0] <= books.bar[0] and books.charged[1] <= books.bar[1]
    if life.keeps_its_word:
        assert state.charged.tokens <= books.limits.tokens
        assert state.charged.cost_usd <= books.limits.cost_usd
    numbers: dict[str, list[int]] = {}
    for line in lines:
        if isinstance(line.event, UsageReserved):
            numbers.setdefault(line.event.dispatch, []).append(line.event.call)
    assert all(calls == list(range(1, len(calls) + 1)) for calls in numbers.values())


async def uninterrupted(books: Books, folder: Path) -> tuple[int, float]:
    """What the finished calls of a life are charged when one process makes them one after the other."""
    process = Process(begun(folder / "uninterrupted"), Limits(tokens=10**12, cost_usd=10**9))
    for (dispatch, _), (most, used) in books.settled.items():
        account = process.account(dispatch)
        call = await reserve(account, most)
        assert isinstance(call, int)
        account.settle(call, used, duration_s=0.5)
    process.die()
    charged = process.state.charged
    return charged.tokens, charged.cost_usd
