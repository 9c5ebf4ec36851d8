"""What models may use is never overrun, whatever is asked, answered, cut off, resumed or changed, in any order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import cast

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenpath_loop.core.limits import refused_by
from goldenpath_loop.core.state import State
from goldenpath_loop.engine.desk import open_desk
from goldenpath_loop.model.caller import Caller
from goldenpath_loop.model.client import ChatClient
from goldenpath_loop.model.messages import Ask, Fault, Reply
from goldenpath_loop.records.agents import AgentLimits
from goldenpath_loop.records.events import LimitsChanged, RunResumed, UsageRecorded, UsageReserved
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.records.target import ModelSpec
from goldenpath_loop.records.usage import Usage
from goldenpath_loop.session.chain import read

from ..model.asking import ASK, Clock
from ..model_server import Text, serve
from ..model_server.asking import Says
from .accounting import WIDE, Books, Process, Schedule, begun, play, reserve, schedule, total, uninterrupted

LIVES, BATCHES = 10_000, 20


def lived(life: Schedule) -> Books:
    """A life from its beginning to its end, with everything that holds for all of them.

    After every step the log folds to the state that the engine goes by, no call has another one's number, a call is
    let through exactly when it fits, and the charges stay below the limit that the last call was let through under:
    they can pass it only by what a server uses beyond the most that was asked of it. A limit that is set below what
    is charged lets nothing through until enough has come back.
    """
    with tempfile.TemporaryDirectory() as name:
        books = anyio.run(play, life, Path(name))
        tokens, cost = anyio.run(uninterrupted, books, Path(name))
    # Interruptions cost what the calls may have used that they cut off, in full, and nothing else.
    held = total((*books.open.values(), *books.cut_off.values()))
    assert books.charged == (tokens + held[0], cost + held[1])
    return books


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False).map(schedule))
def test_no_order_of_things_overruns_a_limit(life: Schedule) -> None:
    """Reserve, settle, fail and try again, crash, resume, other limits; several agents at once."""
    lived(life)


@pytest.mark.full
@pytest.mark.parametrize("batch", range(BATCHES))
def test_ten_thousand_lives(batch: int) -> None:
    """The same, seed by seed."""
    seeds = range(batch * LIVES // BATCHES, (batch + 1) * LIVES // BATCHES)
    for seed in seeds:
        try:
            lived(schedule(Random(seed)))
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


def test_the_lives_are_worth_living() -> None:
    """All that is claimed is put to the test: calls cut off, many that came back, more charged than is allowed now."""
    lives = [schedule(Random(seed)) for seed in range(200)]
    books = [lived(life) for life in lives]
    assert sum(bool(one.cut_off) for one in books) > 30
    assert sum(len(one.settled) > 3 for one in books) > 10
    assert sum(one.charged[0] > one.limits.tokens for one in books) > 5
    assert sum(life.keeps_its_word for life in lives) > 50


MOST = Usage(prompt_tokens=100, answer_tokens=50, cost_usd=1.0, is_estimated=True)
PART = Usage(prompt_tokens=100, answer_tokens=10, cost_usd=0.5)
WELL, LOST = Reply("well", (), "stop", PART), Fault("connection", "it broke", usage=PART)
DOWN, SILENT = Fault("server_error", "HTTP 500: down"), Fault("timeout", "silent", usage=PART)


class Scripted:
    """Stands where the client stands: says one thing after the other, and dies where it is to say nothing."""

    def __init__(self, *said: Reply | Fault | None) -> None:
        self.said = list(said)
        self.seen: list[Usage] = []
        self.state: Callable[[], State] = State

    def most(self, ask: Ask) -> Usage:
        """The most that a call can use."""
        return MOST

    async def once(self, model: str, ask: Ask, *, is_plain: bool = False) -> Reply | Fault:
        """The next thing it says."""
        self.seen.append(self.state().charged)
        await anyio.lowlevel.checkpoint()
        said = self.said.pop(0)
        if said is None:
            raise Killed
        return said


class Killed(BaseException):
    """The process is gone."""


async def asked(client: Scripted, process: Process, dispatch: str = "c1/fix/K1/1") -> Reply | Fault:
    """One question, put through the line that all dispatches share, whose waits take no time."""
    client.state = lambda: process.state
    caller = Caller(
        cast(ChatClient, client), concurrency=4, now=Clock().now, sleep=lambda _: anyio.lowlevel.checkpoint()
    )
    return await caller.ask("m", ASK, process.account(dispatch))


def settled(process: Process) -> list[tuple[int, Usage, str]]:
    """Every call that came back: its number, what it used, what was wrong with it."""
    return [
        (line.event.call, line.event.usage, line.event.problem)
        for line in read(process.session.folder.log)
        if isinstance(line.event, UsageRecorded)
    ]


def test_every_attempt_is_a_call_of_its_own(tmp_path: Path) -> None:
    """Reserved anew before it is made, with a number of its own, and charged what it used though it came to nothing."""
    process = Process(begun(tmp_path / "run"), Limits())
    client = Scripted(SILENT, DOWN, LOST, WELL)
    assert anyio.run(asked, client, process) == WELL
    assert settled(process) == [
        (1, PART, "silent"),
        (2, Usage(), "HTTP 500: down"),
        (3, PART, "it broke"),
        (4, PART, ""),
    ]
    # While a call is under way it counts in full, beside what the earlier ones used.
    assert [one.cost_usd for one in client.seen] == [1.0, 1.5, 1.5, 2.0]
    assert process.state.charged.cost_usd == 1.5
    process.die()


def test_attempts_end_where_the_money_ends(tmp_path: Path) -> None:
    """The second attempt would fit, were it not for what the first one used."""
    process = Process(begun(tmp_path / "run"), Limits(cost_usd=1.25))
    client = Scripted(LOST, WELL)
    said = anyio.run(asked, client, process)
    assert isinstance(said, Fault) and said.kind == "budget"
    assert "0.5 of 1.25 used of the run's money" in said.message
    assert client.said == [WELL]
    assert process.state.charged.cost_usd == 0.5
    process.die()


def test_what_is_cut_off_counts_as_the_most_it_could_use(tmp_path: Path) -> None:
    """The task was ended, and that is settled; or the process, and it never is. Another process goes on counting."""
    process = Process(begun(tmp_path / "run"), Limits(cost_usd=2.5))
    with pytest.raises(Killed):
        anyio.run(asked, Scripted(LOST, None), process)
    assert [(usage.cost_usd, problem) for _, usage, problem in settled(process)] == [
        (0.5, "it broke"),
        (1.0, "cancelled"),
    ]
    assert isinstance(anyio.run(reserve, process.account("c1/fix/K2/1"), MOST), int)
    process.die()
    process = Process(process.session.folder, Limits(cost_usd=2.5))
    process.session.append(RunResumed(version="0"))
    assert process.state.charged.cost_usd == 2.5
    said = anyio.run(asked, Scripted(WELL), process)
    assert isinstance(said, Fault) and said.kind == "budget"
    process.session.append(LimitsChanged(limits=Limits(cost_usd=3.5), by="ada"))
    assert anyio.run(asked, Scripted(WELL), process) == WELL
    assert [number for number, _, _ in settled(process)] == [1, 2, 3]
    assert process.state.charged.cost_usd == 3.0
    process.die()


def test_an_agent_that_is_asked_again_after_a_crash_has_used_what_it_used(tmp_path: Path) -> None:
    """Its own limit does not start again at zero either; the call that was cut off counts in full."""
    own = WIDE.model_copy(update={"cost_usd": 2.25})
    process = Process(begun(tmp_path / "run"), Limits(), own)
    assert anyio.run(asked, Scripted(WELL), process) == WELL
    used = process.state.charged.cost_usd
    assert isinstance(anyio.run(reserve, process.account("c1/fix/K1/1"), MOST), int)
    process.die()
    process = Process(process.session.folder, Limits(), own)
    process.session.append(RunResumed(version="0"))
    assert process.account("c1/fix/K1/1").used.cost_usd == used + MOST.cost_usd
    assert process.account("c1/fix/K2/1").used.cost_usd == 0
    said = anyio.run(asked, Scripted(WELL), process)
    assert isinstance(said, Fault) and said.kind == "budget"
    assert "this agent's money" in said.message
    process.die()


@pytest.mark.parametrize(
    ("run", "own", "limit"),
    [
        (Limits(cost_usd=0.9), WIDE, "cost_usd"),
        (Limits(tokens=149), WIDE, "tokens"),
        (Limits(), WIDE.model_copy(update={"tokens": 149}), ""),
        (Limits(), WIDE.model_copy(update={"cost_usd": 0.9}), ""),
    ],
    ids=["the run's money", "the run's tokens", "the agent's tokens", "the agent's money"],
)
def test_a_refusal_says_whose_limit_it_is(tmp_path: Path, run: Limits, own: AgentLimits, limit: str) -> None:
    """Decisions go by these words: a limit of the run that leaves no room is reached, one of the agent is its own."""
    process = Process(begun(tmp_path / "run"), run, own)
    said = anyio.run(reserve, process.account("c1/fix/K1/1"), MOST)
    process.die()
    assert isinstance(said, str)
    assert refused_by(said) == limit


@pytest.mark.parametrize(
    ("prices", "a_million"),
    [({}, 75.0), ({"ceiling_usd": 3.0}, 3.0), ({"prompt_usd": 0.0, "answer_usd": 0.0}, 0.0)],
    ids=["nothing is known", "another ceiling", "known to be free"],
)
def test_what_nobody_has_a_price_for_costs_the_ceiling(
    tmp_path: Path, prices: dict[str, float], a_million: float
) -> None:
    """From the configuration to the log, before the call and after it."""
    process = Process(begun(tmp_path / "run"), Limits())

    async def ask(base_url: str) -> Reply | Fault:
        spec = ModelSpec.model_validate({"name": "m", "base_url": base_url, "api_key_env": "", **prices})
        async with open_desk(process.session, process.desk.team, spec) as desk:
            assert desk.caller is not None
            return await desk.caller.ask("m", ASK, process.account("c1/fix/K1/1"))

    with serve(Says(Text("well"))) as server:
        assert isinstance(anyio.run(ask, server.base_url), Reply)
    process.die()
    events = [line.event for line in read(process.session.folder.log)]
    (most,) = [one.most for one in events if isinstance(one, UsageReserved)]
    (used,) = [one.usage for one in events if isinstance(one, UsageRecorded)]
    assert most.tokens > used.tokens > 0
    for one in (most, used):
        assert one.cost_usd == pytest.approx(one.tokens * a_million / 1_000_000)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from([WELL, LOST, DOWN, SILENT]), min_size=9), min_size=1, max_size=5))
def test_no_crowd_of_dispatches_overruns_the_money(said: list[list[Reply | Fault]]) -> None:
    """All at once and trying again as they may, they stay below what the run may use, call by call."""

    async def crowd(process: Process) -> None:
        async with anyio.create_task_group() as tasks:
            for number, one in enumerate(said):
                tasks.start_soon(asked, Scripted(*one), process, f"c1/fix/K{number}/1")

    with tempfile.TemporaryDirectory() as name:
        process = Process(begun(Path(name) / "run"), Limits(cost_usd=3.0, tokens=600))
        charged: list[Usage] = []
        process.session.listen(lambda line: charged.append(process.state.charged))
        anyio.run(crowd, process)
        used = [usage for _, usage, _ in settled(process)]
        process.die()
    assert max(one.cost_usd for one in charged) <= 3.0
    assert max(one.tokens for one in charged) <= 600
    assert process.state.open_calls == {}
    assert (process.state.charged.tokens, process.state.charged.cost_usd) == total(used)
