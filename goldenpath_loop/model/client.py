"""One call to an OpenAI-compatible server: streamed, checked for its shape, with every way of failing as a value."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from goldenpath_loop.model.messages import Ask, Fault, FaultKind, Reply, ToolCall, estimated_tokens
from goldenpath_loop.model.prices import Prices
from goldenpath_loop.records.usage import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["ChatClient", "open_client"]

_NO_KEY = "none"
_SHOWN_CHARS = 300


@dataclass(slots=True)
class _Growing:
    """A reply while it streams in."""

    text: list[str] = field(default_factory=list)
    calls: dict[int, dict[str, str]] = field(default_factory=dict)
    finish: str = ""
    counted: Any = None
    has_choice: bool = False


class ChatClient:
    """Speaks chat completions with one server.

    Args:
        sdk: The SDK's client, told to try everything once.
        prices: What tokens cost there.
        timeout_s: Longest silence of the server.
        answer_tokens: Most tokens of one answer.
    """

    def __init__(self, sdk: AsyncOpenAI, *, prices: Prices, timeout_s: float, answer_tokens: int) -> None:
        self._sdk = sdk
        self._prices = prices
        self._timeout_s = timeout_s
        self.answer_tokens = answer_tokens

    def most(self, ask: Ask) -> Usage:
        """The most that `ask` can use."""
        prompt = estimated_tokens(json.dumps(ask.messages)) + estimated_tokens(
            json.dumps([dict(one.parameters) for one in ask.tools])
        )
        return self._prices.priced(
            Usage(prompt_tokens=prompt, answer_tokens=self.answer_tokens, is_estimated=True)
        )

    async def call(self, model: str, ask: Ask) -> Reply | Fault:
        """Ask once; what goes wrong is the answer, never an exception."""
        growing = _Growing()
        fault = await self._stream(model, ask, growing)
        usage = self._used(ask, growing)
        if fault is not None:
            spoke = growing.has_choice or growing.counted is not None
            return Fault(fault.kind, fault.message, fault.retry_after_s, usage if spoke else None)
        if not growing.has_choice:
            return Fault("not_an_answer", "the server sent no answer in the form of chat completions")
        if not growing.finish:
            return Fault("connection", "the stream ended in the middle of the answer", usage=usage)
        calls = tuple(
            ToolCall(one["id"] or f"call-{number}", one["name"], one["arguments"])
            for number, one in sorted(growing.calls.items())
        )
        return Reply("".join(growing.text), calls, growing.finish, usage)

    async def _stream(self, model: str, ask: Ask, growing: _Growing) -> Fault | None:
        import openai  # noqa: PLC0415  it takes a second, and most commands never ask

        try:
            with anyio.fail_after(self._timeout_s):
                stream = await self._sdk.chat.completions.create(**self._request(model, ask))
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
        except TimeoutError:
            return Fault("timeout", f"the server was silent for {self._timeout_s:g} s")
        except openai.APITimeoutError:
            return Fault("timeout", "the server did not answer in time")
        except openai.APIStatusError as error:
            return _of_status(error.status_code, error.response.headers, error.message)
        except openai.APIConnectionError as error:
            return Fault("connection", f"no connection: {error.__cause__ or error}"[:_SHOWN_CHARS])
        except openai.APIError as error:
            return Fault("server_error", f"the server reports an error: {error.message}"[:_SHOWN_CHARS])
        except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
            # What a broken server sends ends up deep inside of the SDK.
            return Fault("not_an_answer", f"the server's answer has the wrong form: {error}"[:_SHOWN_CHARS])
        except OSError as error:
            return Fault("connection", f"the connection broke: {error}"[:_SHOWN_CHARS])
        except Exception as error:
            if not type(error).__module__.startswith(("httpx", "httpcore", "h11", "h2")):
                raise
            return Fault(
                "connection", f"the connection broke: {error or type(error).__name__}"[:_SHOWN_CHARS]
            )

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
        counted = growing.counted
        if counted is not None and isinstance(getattr(counted, "prompt_tokens", None), int):
            details = getattr(counted, "prompt_tokens_details", None)
            cached = getattr(details, "cached_tokens", None) or 0
            return self._prices.priced(
                Usage(
                    prompt_tokens=max(0, counted.prompt_tokens),
                    cached_tokens=min(max(0, cached), counted.prompt_tokens),
                    answer_tokens=max(0, counted.completion_tokens or 0),
                )
            )
        said = "".join(growing.text) + "".join(one["arguments"] for one in growing.calls.values())
        prompt = self.most(ask).prompt_tokens
        return self._prices.priced(
            Usage(prompt_tokens=prompt, answer_tokens=estimated_tokens(said), is_estimated=True)
        )


def _grow(growing: _Growing, chunk: Any) -> None:
    if getattr(chunk, "usage", None) is not None:
        growing.counted = chunk.usage
    for choice in getattr(chunk, "choices", None) or ():
        growing.has_choice = True
        growing.finish = choice.finish_reason or growing.finish
        delta = choice.delta
        if delta is None:
            continue
        if delta.content:
            growing.text.append(delta.content)
        for piece in delta.tool_calls or ():
            call = growing.calls.setdefault(piece.index or 0, {"id": "", "name": "", "arguments": ""})
            call["id"] = piece.id or call["id"]
            if piece.function is not None:
                call["name"] += piece.function.name or ""
                call["arguments"] += piece.function.arguments or ""


def _of_status(status: int, headers: Mapping[str, str], message: str) -> Fault:
    kinds: dict[int, FaultKind] = {
        401: "unauthorised",
        403: "unauthorised",
        408: "timeout",
        429: "rate_limited",
    }
    kind = kinds.get(status, "server_error" if status >= 500 else "refused_request")
    return Fault(kind, f"HTTP {status}: {message}"[:_SHOWN_CHARS], _retry_after_s(headers))


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
    from openai import AsyncOpenAI  # noqa: PLC0415

    sdk = AsyncOpenAI(
        base_url=base_url or "https://api.openai.com/v1",
        api_key=key or _NO_KEY,
        max_retries=0,
        timeout=timeout_s,
    )
    async with sdk:
        yield ChatClient(sdk, prices=prices, timeout_s=timeout_s, answer_tokens=answer_tokens)
