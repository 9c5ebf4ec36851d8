"""A server of the chat completions interface on a real socket, whose model is a script."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.model_server.conversation import Conversation
from tests.model_server.faults import commit, said_instead, spoil
from tests.model_server.http import Dropped, Exchange, Request, read_request
from tests.model_server.reply import Behaviour, Calls, Fault, Reply, Text
from tests.model_server.wire import complaint, completion, error, message_of, pieces, usage

__all__ = ["Counted", "ModelServer", "Options", "serve"]

_JOIN_S = 10.0


@dataclass(frozen=True)
class Options:
    """How the server behaves, whatever its model says.

    Attributes:
        latency_s: Time that passes before an answer begins.
        pace_s: Time between two chunks of a stream.
        concurrency: Requests that are answered at once; None for any number.
        retry_after: What the answer to one request too many says in `Retry-After`.
        api_key: The only key that is let in; None lets everybody in.
        models: Names that `GET /v1/models` gives.
        piece_chars: Length of the pieces in which streams come.
    """

    latency_s: float = 0.0
    pace_s: float = 0.0
    concurrency: int | None = None
    retry_after: str = "1"
    api_key: str | None = None
    models: tuple[str, ...] = ("scripted",)
    piece_chars: int = 24


@dataclass
class Counted:
    """How many requests for an answer were open at once."""

    now: int = 0
    most: int = 0
    refused: int = 0


@dataclass
class ModelServer:
    """A running server, and everything it was asked.

    Attributes:
        requests: Every request for an answer that came in, refused ones too: `at` (seconds since the epoch),
            `method`, `path`, `headers` (names in lower case), `body` (JSON), and once known `status` and `usage`.
        problems: Tracebacks of behaviours that raised; a test that passes in spite of one proves little.
    """

    behaviour: Behaviour
    options: Options
    port: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    counted: Counted = field(default_factory=Counted)

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def base_url(self) -> str:
        """What a client is given."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def in_flight(self) -> int:
        """Requests for an answer that are open now."""
        return self.counted.now

    @property
    def most_in_flight(self) -> int:
        """The most requests for an answer that were open at once, refused ones included."""
        return self.counted.most

    async def run(self, stop: asyncio.Event, ready: threading.Event) -> None:
        """Serve until told to stop."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        async with server:
            await stop.wait()
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (request := await read_request(reader, writer)) is not None:
                await self._answer(request, Exchange(reader, writer))
                if not request.keeps_alive:
                    break
        except Dropped:
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, request: Request, exchange: Exchange) -> None:
        key = self.options.api_key
        is_chat = (request.method, request.path) == ("POST", "/v1/chat/completions")
        record: dict[str, Any] = {}
        if is_chat:
            record = self._recorded(request)
            self.counted.now += 1
            self.counted.most = max(self.counted.most, self.counted.now)
        try:
            if key is not None and request.headers.get("authorization") != f"Bearer {key}":
                await exchange.json(401, error("Incorrect API key provided.", code="invalid_api_key"))
            elif is_chat:
                await self._chat(record, exchange)
            elif request.path == "/v1/models":
                rows = [
                    {"id": x, "object": "model", "created": 0, "owned_by": "test"}
                    for x in self.options.models
                ]
                await exchange.json(200, {"object": "list", "data": rows})
            else:
                await exchange.json(404, error(f"Unknown request URL: {request.method} {request.path}."))
        finally:
            if is_chat:
                record["status"] = exchange.status
                self.counted.now -= 1

    def _recorded(self, request: Request) -> dict[str, Any]:
        try:
            body = json.loads(request.data)
        except ValueError:
            body = None
        record = {
            "at": time.time(),
            "method": request.method,
            "path": request.path,
            "headers": dict(request.headers),
            "body": body,
        }
        self.requests.append(record)
        return record

    async def _chat(self, record: dict[str, Any], exchange: Exchange) -> None:
        body = record["body"]
        wrong = complaint(body)
        if wrong:
            await exchange.json(400, error(wrong))
            return
        limit = self.options.concurrency
        if limit is not None and self.counted.now - self.counted.refused > limit:
            self.counted.refused += 1
            try:
                headers = {"Retry-After": self.options.retry_after}
                busy = error("Rate limit reached.", kind="requests", code="rate_limit_exceeded")
                await exchange.json(429, busy, headers)
            finally:
                self.counted.refused -= 1
            return
        conversation = Conversation(body)
        try:
            reply = await asyncio.to_thread(self.behaviour.reply, conversation)
        except Exception:  # noqa: BLE001 - whatever a script raises is a problem of the script, to be shown
            self.problems.append(traceback.format_exc())
            await exchange.json(500, error(self.problems[-1], kind="server_error"))
            return
        await exchange.sleep(self.options.latency_s)
        await self._say(reply, conversation, record, exchange)

    async def _say(
        self, reply: Reply, conversation: Conversation, record: dict[str, Any], exchange: Exchange
    ) -> None:
        body = record["body"]
        fault = reply if isinstance(reply, Fault) else None
        if fault is not None:
            reply = said_instead(fault, conversation)
        if isinstance(reply, Fault):
            await commit(reply, exchange, stream=bool(body.get("stream")))
            if exchange.status:
                return
            reply = Text(reply.content)
        if isinstance(reply, Calls) and not conversation.may_call and fault is None:
            reply = Text(reply.content or "I have no tool that I could call.")
        if fault is not None and fault.kind == "hang":
            await exchange.sleep(fault.seconds)
        message, reason = message_of(reply, (f"call_{conversation.turn}_{n}" for n in itertools.count(1)))
        earlier = [one["body"] for one in self.requests if "usage" in one]
        used = usage(body, earlier, json.dumps([message["content"], message.get("tool_calls")]))
        record["usage"] = used
        head = {"id": f"chatcmpl-{next(self._ids)}", "created": int(time.time()), "model": body["model"]}
        whole = completion(head, message, reason, used)
        if fault is not None:
            whole = dict(spoil(fault, message, whole))
        if body.get("stream"):
            await self._stream(whole, fault, body, exchange)
        else:
            await _in_one_piece(whole, fault, exchange)

    async def _stream(
        self, whole: dict[str, Any], fault: Fault | None, body: dict[str, Any], exchange: Exchange
    ) -> None:
        kind = fault.kind if fault else ""
        head = {name: whole[name] for name in ("id", "created", "model")}
        counts = whole["usage"] if (body.get("stream_options") or {}).get("include_usage") else None
        await exchange.open_stream()
        if kind == "no_choices":
            await exchange.event(json.dumps({**whole, "object": "chat.completion.chunk"}))
        else:
            choice = whole["choices"][0]
            chunks = pieces(
                head, choice["message"], choice["finish_reason"], counts, self.options.piece_chars
            )
            for number, one in enumerate(chunks):
                await exchange.event(json.dumps(one, ensure_ascii=False))
                if number == 1 and kind == "drop_midway":
                    await exchange.sleep(0.05)
                    raise exchange.drop()
                if number == 1 and kind == "stall" and fault is not None:
                    await exchange.sleep(fault.seconds)
                if number == 1 and kind == "stream_error":
                    await exchange.event(json.dumps(error("The server is overloaded.", kind="server_error")))
                    break
                if self.options.pace_s:
                    await exchange.sleep(self.options.pace_s)
        await exchange.event("[DONE]")
        await exchange.close_stream()


async def _in_one_piece(whole: dict[str, Any], fault: Fault | None, exchange: Exchange) -> None:
    kind = fault.kind if fault else ""
    if kind == "stream_error":
        await exchange.json(503, error("The server is overloaded.", kind="server_error"))
        return
    data = json.dumps(whole, ensure_ascii=False).encode()
    if kind in ("drop_midway", "stall"):
        await exchange.whole(200, data[: len(data) // 2], promised=len(data))
        if kind == "drop_midway" or fault is None:
            await exchange.sleep(0.05)
            raise exchange.drop()
        await exchange.sleep(fault.seconds)
        await exchange.rest(data[len(data) // 2 :])
        return
    await exchange.whole(200, data)


@contextmanager
def serve(
    behaviour: Behaviour,
    *,
    latency_s: float = 0.0,
    pace_s: float = 0.0,
    concurrency: int | None = None,
    retry_after: str = "1",
    api_key: str | None = None,
    models: tuple[str, ...] = ("scripted",),
    piece_chars: int = 24,
) -> Iterator[ModelServer]:
    """A server that plays `behaviour` in a thread of its own, until the block ends; see `Options`."""
    options = Options(latency_s, pace_s, concurrency, retry_after, api_key, models, piece_chars)
    server = ModelServer(behaviour, options)
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    def play() -> None:
        try:
            loop.run_until_complete(server.run(stop, ready))
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()

    thread = threading.Thread(target=play, name="model-server", daemon=True)
    thread.start()
    if not ready.wait(_JOIN_S):
        raise RuntimeError("the model server did not start")
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(_JOIN_S)
