"""How much of a server's room is used when many conversations share it, beside the SDK's own retries.

    python -m tests.benchmarks.fan_out [--calls 64] [--at-once 16] [--latency 0.2] [--repeat 3]

One call each, all begun at the same moment, against a scripted server in a process of its own that turns away what is
too much. Ideal is a server that is never idle and needs no time but its latency. This one does, and so does the SDK.
The first two rows say how much, and are what the others can be measured by: bare sockets, and the SDK behind a
semaphore of just the right size. Then ours, told how much the server takes; ours, told four times as much, so that it
has to find out; and the SDK's own retries without any limit.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

import anyio
from openai import APIError, AsyncOpenAI, DefaultAsyncHttpxClient

from goldenpath_loop.model.caller import Caller
from goldenpath_loop.model.client import open_client
from goldenpath_loop.model.messages import Ask, Reply
from goldenpath_loop.model.prices import Prices
from goldenpath_loop.records.usage import Usage
from tests.model_server import Text, serve
from tests.model_server.asking import Says

_ANSWER = '{"findings": [], "not_enough_evidence": "nothing was read"}'
_BRIEF = "Why do these tests fail?\n" + "E1 test_result t 9 bytes\n" * 40
_SDK_RETRIES = 2
"""The SDK's own default."""


@dataclass(frozen=True)
class Setting:
    """What is asked, and of whom."""

    calls: int
    at_once: int
    latency_s: float

    @property
    def ideal_s(self) -> float:
        """Time that the calls take when the server is never idle."""
        return self.calls * self.latency_s / self.at_once


@dataclass
class Outcome:
    """One run.

    Attributes:
        answered: Calls that came back with the answer.
        duration_s: From the first to the last.
        requests: What the server saw.
    """

    answered: int
    duration_s: float
    requests: int = 0


class Free:
    """An account without limits."""

    def __init__(self) -> None:
        self._calls = 0

    async def reserve(self, model: str, most: Usage) -> int | str:
        """The next number."""
        self._calls += 1
        return self._calls

    def settle(self, call: int, usage: Usage, *, duration_s: float, problem: str = "") -> None:
        """Nothing is charged."""


async def _all(one: Callable[[int], Awaitable[bool]], setting: Setting) -> Outcome:
    answered = 0

    async def call(number: int) -> None:
        nonlocal answered
        is_answered = await one(number)
        answered += is_answered

    began = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for number in range(setting.calls):
            tasks.start_soon(call, number)
    return Outcome(answered, time.perf_counter() - began)


async def ours(base_url: str, setting: Setting, width: int) -> Outcome:
    """Through the caller that all dispatches of a run share."""
    async with open_client(
        base_url=base_url, key="", prices=Prices(), timeout_s=30, answer_tokens=200
    ) as client:
        caller = Caller(client, concurrency=width)

        async def one(number: int) -> bool:
            ask = Ask(({"role": "user", "content": f"{number} {_BRIEF}"},))
            reply = await caller.ask("scripted", ask, Free())
            return isinstance(reply, Reply) and reply.text == _ANSWER

        return await _all(one, setting)


async def sdk(base_url: str, setting: Setting, width: int, retries: int) -> Outcome:
    """The SDK alone, as most programs use it."""
    places = anyio.CapacityLimiter(width)
    transport = DefaultAsyncHttpxClient(trust_env=False)
    async with AsyncOpenAI(
        base_url=base_url, api_key="none", max_retries=retries, http_client=transport
    ) as client:

        async def one(number: int) -> bool:
            try:
                async with places:
                    stream = await client.chat.completions.create(
                        model="scripted",
                        messages=[{"role": "user", "content": f"{number} {_BRIEF}"}],
                        stream=True,
                    )
                    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
            except APIError:
                return False
            return "".join(pieces) == _ANSWER

        return await _all(one, setting)


async def bare(base_url: str, setting: Setting) -> Outcome:
    """No client at all: what is sent is written by hand, what comes is not looked at."""
    places = anyio.CapacityLimiter(setting.at_once)
    address = urlsplit(base_url)
    host, port = str(address.hostname), address.port or 80

    async def one(number: int) -> bool:
        body = {
            "model": "scripted",
            "messages": [{"role": "user", "content": f"{number} {_BRIEF}"}],
            "stream": True,
        }
        data = json.dumps(body).encode()
        lines = (
            f"POST {address.path}/chat/completions HTTP/1.1",
            f"Content-Length: {len(data)}",
            "Connection: close",
        )
        head = "\r\n".join([*lines, "", ""])
        answer = b""
        async with places, await anyio.connect_tcp(host, port) as stream:
            await stream.send(head.encode() + data)
            async for piece in stream:
                answer += piece
        return b"[DONE]" in answer

    return await _all(one, setting)


def _serve(setting: Setting, line: Connection) -> None:
    """A process of its own: sends its address, then after each run how often it was asked."""
    with serve(Says(Text(_ANSWER)), latency_s=setting.latency_s, concurrency=setting.at_once) as server:
        line.send(server.base_url)
        while line.recv():
            line.send(len(server.requests))
            server.requests.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=64)
    parser.add_argument("--at-once", type=int, default=16, help="what the server takes")
    parser.add_argument("--latency", type=float, default=0.2, help="of one call, in seconds")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    setting = Setting(arguments.calls, arguments.at_once, arguments.latency)
    rows: dict[str, Callable[[str], Awaitable[Outcome]]] = {
        "bare sockets": lambda base: bare(base, setting),
        "the SDK behind a semaphore": lambda base: sdk(base, setting, setting.at_once, 0),
        "ours": lambda base: ours(base, setting, setting.at_once),
        "ours, told 4 times as much": lambda base: ours(base, setting, 4 * setting.at_once),
        f"the SDK's {_SDK_RETRIES} retries": lambda base: sdk(base, setting, setting.calls, _SDK_RETRIES),
    }
    here, there = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(setting, there), daemon=True)
    server.start()
    base_url = here.recv()
    print(
        f"{setting.calls} calls of {setting.latency_s:g} s, {setting.at_once} at once: ideal {setting.ideal_s:.2f} s, "
        f"median of {arguments.repeat}\n"
    )
    print(f"{'':28}{'answered':>10}{'requests':>10}{'seconds':>9}{'of ideal':>10}")
    outcomes: dict[str, list[Outcome]] = {name: [] for name in rows}
    for _ in range(arguments.repeat):
        # In turns, so that whatever else the machine does befalls all alike.
        for name, row in rows.items():
            outcome = anyio.run(row, base_url)
            here.send(True)
            outcome.requests = here.recv()
            outcomes[name].append(outcome)
    for name, seen in outcomes.items():
        shown = sorted(seen, key=lambda one: one.duration_s)[(len(seen) - 1) // 2]
        # What was not answered is no throughput.
        share = shown.answered * setting.latency_s / setting.at_once / shown.duration_s
        print(f"{name:28}{shown.answered:>10}{shown.requests:>10}{shown.duration_s:>9.2f}{share:>10.1%}")
    here.send(False)
    server.join()


if __name__ == "__main__":
    main()
