"""One call to an OpenAI-compatible server: streamed, checked for its shape, with every way of failing as a value."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio

from goldenpath_loop.model.messages import Ask, Fault, FaultKind, Reply, ToolCall, estimated_tokens
from goldenpath_loop.model.prices import Prices
from goldenpath_loop.records.usage import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream

__all__ = ["ChatClient", "open_client"]

_NO_KEY = "none"
_SHOWN_CHARS = 300
_NOT_UNDERSTOOD = (400, 422)
_LOCAL = ("localhost", "127.0.0.1", "::1")
_TRANSPORTS = ("httpx", "httpcore", "h11", "h2")
_NEVER_SENT = ("ConnectError", "ConnectTimeout")
"""What the transport raises before a request is on its way."""


@dataclass(slots=True)
class _Growing:
    """A reply while it streams in."""

    text: list[str] = field(default_factory=list)
    calls: list[dict[str, str]] = field(default_factory=list)
    place: dict[int, int] = field(default_factory=dict)
    """Where in `calls` the pieces with this index go."""
    finish: str = ""
    counted: Any = None
    has_choice: bool = False
    is_refused: bool = False
    status: int = 0
    """Status with which the request was refused."""
    is_sent: bool = True
    """False when there was nobody to send the request to."""


class ChatClient:
    """Speaks chat completions with one server.

    Args:
        sdk: The SDK's client, told to try everything once.
        prices: What tokens cost there.
        timeout_s: Longest silence of the server.
        answer_tokens: Most tokens of one answer.
        key: What is never repeated, also when the server does.
    """

    def __init__(
        self, sdk: AsyncOpenAI, *, prices: Prices, timeout_s: float, answer_tokens: int, key: str = ""
    ) -> None:
        self._sdk = sdk
        self._prices = prices
        self._timeout_s = timeout_s
        self._key = key
        self.answer_tokens = answer_tokens
        self.takes_schemas = True
        """False once the server refused a `response_format` and took the same question without one."""

    def most(self, ask: Ask) -> Usage:
        """The most that `ask` can use."""
        prompt = estimated_tokens(json.dumps(ask.messages)) + estimated_tokens(
            json.dumps([dict(one.parameters) for one in ask.tools])
        )
        return self._prices.priced(
            Usage(prompt_tokens=prompt, answer_tokens=self.answer_tokens, is_estimated=True)
        )

    async def call(self, model: str, ask: Ask) -> Reply | Fault:
        """Ask, and once more without the schema when that might be to blame; see `once`."""
        reply = await self.once(model, ask)
        if isinstance(reply, Fault) and reply.may_be_schema:
            return await self.once(model, ask, is_plain=True)
        return reply

    async def once(self, model: str, ask: Ask, *, is_plain: bool = False) -> Reply | Fault:
        """Send one request; what goes wrong is the answer, never an exception.

        Args:
            model: Who is asked.
            ask: What is asked.
            is_plain: Without its schema, because the same request was refused with it.
        """
        growing = _Growing()
        if is_plain or not self.takes_schemas:
            ask = replace(ask, schema=None)
        fault = await self._stream(model, ask, growing)
        if is_plain and growing.has_choice:
            self.takes_schemas = False
        if growing.finish and fault is not None and fault.kind in ("timeout", "connection"):
            fault = None  # What the line does after a whole answer takes nothing from it.
        usage = self._used(ask, growing)
        if fault is not None:
            may_be_schema = growing.status in _NOT_UNDERSTOOD and ask.schema is not None
            return replace(
                fault,
                usage=usage if _is_charged(fault, growing) else None,
                may_be_schema=may_be_schema,
            )
        if not growing.has_choice:
            text = "the server sent no answer in the form of chat completions"
            return Fault("not_an_answer", text, usage=usage)
        if not growing.finish:
            return Fault("connection", "the stream ended in the middle of the answer", usage=usage)
        calls = tuple(
            # The messages before it make an id of ours unique in its conversation.
            ToolCall(one["id"] or f"call-{len(ask.messages)}-{number}", one["name"], one["arguments"])
            for number, one in enumerate(growing.calls)
        )
        finish = "content_filter" if growing.is_refused else growing.finish
        return Reply("".join(growing.text), calls, finish, usage)

    async def _stream(self, model: str, ask: Ask, growing: _Growing) -> Fault | None:
        try:
            with anyio.fail_after(self._timeout_s):
                stream = await self._opened(self._request(model, ask))
            if not hasattr(stream, "__aiter__"):
                return Fault("not_an_answer", "the server did not stream")
            async with stream:
                chunks = stream.__aiter__()
                while True:
                    # Each chunk has its own time: a long answer is no silence.
                    with anyio.fail_after(self._timeout_s):
                        chunk = await anext(chunks, None)
                    if chunk is None:
                        return None
                    _grow(growing, chunk)
        except Exception as error:
            fault = self._fault_of(error)
            if fault is None:
                raise
            growing.status = getattr(error, "status_code", 0)
            growing.is_sent = type(error.__cause__ or error).__name__ not in _NEVER_SENT
            return fault

    async def _opened(self, request: dict[str, Any]) -> AsyncStream[object]:
        """The stream of one request. Chunks stay as they came: making models of them takes most of a call's time."""
        import openai  # noqa: PLC0415

        kind = openai.AsyncStream[object]
        return await self._sdk.post(
            "/chat/completions", cast_to=object, body=request, stream=True, stream_cls=kind
        )

    async def models(self) -> tuple[str, ...] | Fault:
        """Names of the models that the server offers."""
        try:
            with anyio.fail_after(self._timeout_s):
                page = await self._sdk.models.list()
                return tuple(str(one.id) for one in page.data)
        except Exception as error:
            fault = self._fault_of(error)
            if fault is None:
                raise
            return fault

    def _fault_of(self, error: Exception) -> Fault | None:
        """What the server or the line to it did; None for an error that neither can be blamed for."""
        import openai  # noqa: PLC0415

        match error:
            case TimeoutError():
                return Fault("timeout", f"the server was silent for {self._timeout_s:g} s")
            case openai.APITimeoutError():
                return Fault("timeout", "the server did not answer in time")
            case openai.APIStatusError():
                return _of_status(error.status_code, error.response.headers, self._told(error.message))
            case openai.APIConnectionError():
                return Fault("connection", self._told(f"no connection: {error.__cause__ or error}"))
            case openai.APIError():
                message = f"the server reports an error: {error.message}"
                return Fault("server_error", self._told(message))
            case ValueError() | TypeError() | AttributeError() | KeyError() | IndexError():
                # What a broken server sends ends up deep inside of the SDK.
                message = f"the server's answer has the wrong form: {error}"
                return Fault("not_an_answer", self._told(message))
            case _ if isinstance(error, OSError) or type(error).__module__.startswith(_TRANSPORTS):
                message = f"the connection broke: {error or type(error).__name__}"
                return Fault("connection", self._told(message))
            case _:
                return None

    def _told(self, message: str) -> str:
        """A server's words, short enough for a log and without the key that some repeat."""
        clean = message.replace(self._key, "[key]") if self._key else message
        return clean[: _SHOWN_CHARS - 12]

    def _request(self, model: str, ask: Ask) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": model,
            "messages": list(ask.messages),
            "max_tokens": self.answer_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if ask.tools:
            request["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": one.name,
                        "description": one.description,
                        "parameters": dict(one.parameters),
                    },
                }
                for one in ask.tools
            ]
        if ask.schema is not None:
            request["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": dict(ask.schema)},
            }
        return request

    def _used(self, ask: Ask, growing: _Growing) -> Usage:
        counted = growing.counted if isinstance(growing.counted, dict) else None
        if isinstance(_at(counted, "prompt_tokens"), int):
            details = _at(counted, "prompt_tokens_details")
            details = details if isinstance(details, dict) else None
            prompt = _count(_at(counted, "prompt_tokens"))
            return self._prices.priced(
                Usage(
                    prompt_tokens=prompt,
                    cached_tokens=min(_count(_at(details, "cached_tokens")), prompt),
                    answer_tokens=_count(_at(counted, "completion_tokens")),
                )
            )
        said = "".join(growing.text) + "".join(one["arguments"] for one in growing.calls)
        prompt = self.most(ask).prompt_tokens
        return self._prices.priced(
            Usage(prompt_tokens=prompt, answer_tokens=estimated_tokens(said), is_estimated=True)
        )


def _is_charged(fault: Fault, growing: _Growing) -> bool:
    """Whether the server may have worked: it fell silent, hung up, or said what nobody understands."""
    spoke = growing.has_choice or growing.counted is not None or fault.kind == "timeout"
    return spoke or (growing.is_sent and not growing.status)


def _grow(growing: _Growing, chunk: object) -> None:
    if _at(chunk, "usage") is not None:
        growing.counted = _at(chunk, "usage")
    for choice in _at(chunk, "choices") or ():
        growing.has_choice = True
        growing.finish = _text(choice, "finish_reason") or growing.finish
        delta = _at(choice, "delta")
        growing.text.append(_text(delta, "content"))
        growing.is_refused |= bool(_at(delta, "refusal"))
        for piece in _at(delta, "tool_calls") or ():
            call = _call_of(growing, piece)
            function = _at(piece, "function")
            call["name"] += _text(function, "name")
            call["arguments"] += _text(function, "arguments")


def _call_of(growing: _Growing, piece: object) -> dict[str, str]:
    """The call that a piece belongs to; a new id begins a new one, since some servers leave the index out."""
    index, id = _count(_at(piece, "index")), _text(piece, "id")
    known = growing.calls[growing.place[index]] if index in growing.place else None
    if known is None or (id and known["id"] and id != known["id"]):
        growing.place[index] = len(growing.calls)
        known = {"id": "", "name": "", "arguments": ""}
        growing.calls.append(known)
    known["id"] = id or known["id"]
    return known


def _at(value: object, name: str) -> Any:
    """A field of a JSON object; None where there is none."""
    if value is not None and not isinstance(value, dict):
        raise TypeError(f"there is something else where an object with {name} should be")
    return value.get(name) if value else None


def _text(value: object, name: str) -> str:
    found = _at(value, name)
    if found is not None and not isinstance(found, str):
        raise TypeError(f"{name} is no text")
    return found or ""


def _count(value: Any) -> int:
    return max(0, value) if isinstance(value, int) else 0


def _of_status(status: int, headers: Mapping[str, str], message: str) -> Fault:
    kinds: dict[int, FaultKind] = {
        401: "unauthorised",
        403: "unauthorised",
        408: "timeout",
        429: "rate_limited",
    }
    kind = kinds.get(status, "server_error" if status >= 500 else "refused_request")
    return Fault(kind, f"HTTP {status}: {message}", _retry_after_s(headers))


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        return max(0.0, float(headers["retry-after"])) if "retry-after" in headers else None
    except ValueError:
        return None  # an HTTP date: our own waiting time serves as well


@asynccontextmanager
async def open_client(
    *, base_url: str, key: str, prices: Prices, timeout_s: float, answer_tokens: int
) -> AsyncIterator[ChatClient]:
    """A client for the server at `base_url` (empty: the SDK's own), closed on every way out."""
    # It takes a second to import, and most commands never ask.
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient  # noqa: PLC0415

    # A proxy that the environment names leads out of the machine, never to a server on it.
    is_local = urlsplit(base_url).hostname in _LOCAL
    sdk = AsyncOpenAI(
        http_client=DefaultAsyncHttpxClient(trust_env=not is_local),
        base_url=base_url or "https://api.openai.com/v1",
        api_key=key or _NO_KEY,
        max_retries=0,
        timeout=2 * timeout_s,  # The client's own clock rings first.
    )
    async with sdk:
        yield ChatClient(sdk, prices=prices, timeout_s=timeout_s, answer_tokens=answer_tokens, key=key)
