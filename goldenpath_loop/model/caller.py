"""All calls of a run go through here: one limiter, one place that tries again, and every attempt charged."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import anyio

from goldenpath_loop.model.client import ChatClient
from goldenpath_loop.model.messages import Ask, Fault, Reply
from goldenpath_loop.model.width import Width
from goldenpath_loop.records.usage import Usage

__all__ = ["Account", "Caller"]

_ATTEMPTS = {"rate_limited": 8, "server_error": 4, "timeout": 2, "connection": 4, "not_an_answer": 2}
_FIRST_WAIT_S = 0.25
_MOST_WAIT_S = 60.0
_MINUTE_S = 60.0


class Account(Protocol):
    """Where calls are charged."""

    async def reserve(self, model: str, most: Usage) -> int | str:
        """Number of the call when there is room for `most`, else why there is none."""
        ...

    def settle(self, call: int, usage: Usage, *, duration_s: float, problem: str = "") -> None:
        """What the call used."""
        ...


@dataclass(frozen=True, slots=True)
class _Sent:
    at: float
    tokens: int


class Caller:
    """Shares one server among all dispatches.

    Args:
        client: Asks once.
        concurrency: Calls at once; fewer while the server refuses to take as many.
        requests_per_minute: 0 for no limit of our own.
        tokens_per_minute: The same.
        now: The clock.
        sleep: Waits on that clock.
    """

    def __init__(
        self,
        client: ChatClient,
        *,
        concurrency: int,
        requests_per_minute: int = 0,
        tokens_per_minute: int = 0,
        now: Callable[[], float] = anyio.current_time,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._client = client
        self._width = Width(concurrency, now=now)
        self._open = 0
        self._requests_per_minute = requests_per_minute
        self._tokens_per_minute = tokens_per_minute
        self._sent: deque[_Sent] = deque()
        self._free_from = 0.0
        self._now = now
        self._sleep = sleep

    async def ask(self, model: str, ask: Ask, account: Account) -> Reply | Fault:
        """What the model says, tried again where that can help; every attempt is reserved before and settled after."""
        for attempt in range(1, max(_ATTEMPTS.values()) + 1):
            reply = await self._once(model, ask, account)
            if isinstance(reply, Fault) and reply.may_be_schema:
                reply = await self._once(model, ask, account, is_plain=True)
            if isinstance(reply, Reply) or attempt >= _ATTEMPTS.get(reply.kind, 1):
                return reply
            wait_s = min(_FIRST_WAIT_S * 2 ** (attempt - 1), _MOST_WAIT_S)
            if reply.retry_after_s is not None:
                wait_s = min(reply.retry_after_s, _MOST_WAIT_S)
            if reply.kind == "rate_limited":
                # The server speaks to all of us.
                self._free_from = max(self._free_from, self._now() + wait_s)
            else:
                await self._sleep(wait_s)
        raise AssertionError("the last attempt returns")

    async def _once(self, model: str, ask: Ask, account: Account, *, is_plain: bool = False) -> Reply | Fault:
        most = self._client.most(ask)
        async with self._width.places:
            await self._room(most.tokens)
            call = await account.reserve(model, most)
            if isinstance(call, str):
                return Fault("budget", call)
            began = self._now()
            reply: Reply | Fault | None = None
            self._open += 1
            try:
                reply = await self._client.once(model, ask, is_plain=is_plain)
            finally:
                self._open -= 1
                # Of a call that was cut off nobody knows what it used.
                used = most if reply is None else _used(reply)
                problem = "cancelled" if reply is None else reply.message if isinstance(reply, Fault) else ""
                account.settle(call, used, duration_s=round(self._now() - began, 3), problem=problem)
            if isinstance(reply, Reply):
                self._width.served()
            elif reply.kind == "rate_limited":
                self._width.refused(self._open)
            return reply

    async def _room(self, tokens: int) -> None:
        """Wait until the server's own limits and ours leave room for one more call."""
        while True:
            now = self._now()
            while self._sent and self._sent[0].at <= now - _MINUTE_S:
                self._sent.popleft()
            wait_s = max(self._free_from - now, self._crowded_for(now, tokens))
            if wait_s <= 0:
                self._sent.append(_Sent(now, tokens))
                return
            await self._sleep(wait_s)

    def _crowded_for(self, now: float, tokens: int) -> float:
        if not self._sent:
            return 0.0
        is_full = bool(self._requests_per_minute) and len(self._sent) >= self._requests_per_minute
        used = sum(one.tokens for one in self._sent)
        is_heavy = bool(self._tokens_per_minute) and used + tokens > self._tokens_per_minute
        return self._sent[0].at + _MINUTE_S - now if is_full or is_heavy else 0.0


def _used(reply: Reply | Fault) -> Usage:
    if isinstance(reply, Reply):
        return reply.usage
    return reply.usage or Usage()
