"""What `loop doctor` finds out about the configured model, by asking it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

from goldenpath_loop.cli.check import Check
from goldenpath_loop.engine.desk import key_of
from goldenpath_loop.errors import LoopError
from goldenpath_loop.model.capabilities import Capabilities, probe
from goldenpath_loop.model.client import open_client
from goldenpath_loop.model.prices import Prices
from goldenpath_loop.records.target import ModelSpec

__all__ = ["model_checks"]

_MOST_WAIT_S = 60.0
_ANSWER_TOKENS = 512
_NAMES_SHOWN = 8
_OPENAI = "api.openai.com"


async def model_checks(spec: ModelSpec) -> AsyncIterator[Check]:
    """One check for each model that is configured; none when none is."""
    names = tuple(dict.fromkeys(name for name in (spec.name, spec.fast, spec.strong) if name))
    if not spec.name:
        return
    try:
        key = await key_of(spec)
    except LoopError as error:
        yield Check("model key", "problem", error.message, error.advice)
        return
    async with open_client(
        base_url=spec.base_url,
        key=key,
        prices=Prices(),
        timeout_s=min(spec.timeout_s, _MOST_WAIT_S),
        answer_tokens=min(spec.answer_tokens, _ANSWER_TOKENS),
    ) as client:
        for name in names:
            found = await probe(client, name)
            yield _unanswered(found, spec, key) if found.fault is not None else _answered(found, spec)


def _server(spec: ModelSpec) -> str:
    """Host and port alone: an address may hold a password."""
    parts = urlsplit(spec.base_url or f"https://{_OPENAI}")
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or "the server"


def _answered(found: Capabilities, spec: ModelSpec) -> Check:
    lacks = list(_lacks(found))
    parts = [
        "answers",
        {"yes": "keeps to schemas", "no": "ignores schemas", "refused": "refuses schemas"}.get(found.schemas),
        {"yes": "calls tools", "no": "calls no tool", "refused": "refuses tools"}.get(found.tools),
        {"yes": "counts tokens", "no": "counts no tokens"}.get(found.usage),
    ]
    said = f"{_server(spec)} {', '.join(part for part in parts if part)}"
    return Check(f"model {found.model}", "warning" if lacks else "ok", said, "\n".join(lacks))


def _lacks(found: Capabilities) -> Iterator[str]:
    """What is missing, and what that means for a run."""
    if found.listed == "no":
        yield f"it lists no `{found.model}` and may answer with another model; {_offer(found)}"
    if found.schemas in ("no", "refused"):
        yield "without schemas more answers have to be asked for twice; each is checked here in any case"
    if found.tools == "no":
        yield "an agent that calls no tool sees the evidence of its brief alone: expect little of it"
    if found.tools == "refused":
        yield "most agents offer tools and would be refused: choose a model that takes them"
    if found.usage == "no":
        yield "what it uses is guessed from the length of the texts, and marked as a guess"
    if "unknown" in (found.schemas, found.tools):
        yield "not all questions were answered; ask again with `loop doctor`"


def _unanswered(found: Capabilities, spec: ModelSpec, key: str) -> Check:
    name, server = f"model {found.model}", _server(spec)
    if found.fault == "unauthorised":
        if not key:
            where = f"`{spec.api_key_env}` is not set" if spec.api_key_env else "none is configured"
            advice = "set it, or have `model.api_key_command` print the key"
            return Check(name, "problem", f"{server} wants a key, and {where}", advice)
        origin = "that `model.api_key_command` prints" if spec.api_key_command else f"in `{spec.api_key_env}`"
        # The server's own words may repeat half of the key.
        message = f"{server} refuses the key {origin} ({found.message.partition(':')[0]})"
        return Check(name, "problem", message, "is it this server's key, and may it use this model?")
    if found.fault == "rate_limited":
        return Check(
            name,
            "warning",
            f"{server} is too busy to answer: {found.message}",
            "look at the quota; ask again later",
        )
    if found.listed == "no":
        message = f"{server} does not know it: {found.message}"
        return Check(name, "problem", message, f"correct `model.name`; {_offer(found)}")
    advice = {
        "connection": "does the server run, and is `model.base_url` its address?",
        "timeout": "is the server overloaded, or still loading the model?",
        "not_an_answer": "correct `model.base_url`: most end in /v1",
        "refused_request": "correct `model.base_url` (most end in /v1) or the model's name",
    }.get(found.fault or "", "look at the server's own log")
    return Check(name, "problem", f"{server} does not answer: {found.message}", advice)


def _offer(found: Capabilities) -> str:
    shown = ", ".join(found.offered[:_NAMES_SHOWN])
    more = len(found.offered) - _NAMES_SHOWN
    return f"it offers {shown}{f' and {more} more' if more > 0 else ''}"
