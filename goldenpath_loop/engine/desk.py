"""Where agents are asked: the team, the one line to the model, and what the run knows when they ask back."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from goldenpath_loop.core.state import State
from goldenpath_loop.engine.door import Door
from goldenpath_loop.errors import ConfigurationError
from goldenpath_loop.model.caller import Caller
from goldenpath_loop.model.client import open_client
from goldenpath_loop.model.prices import Prices
from goldenpath_loop.records.target import ModelSpec
from goldenpath_loop.session.session import Session
from goldenpath_loop.system.environment import own_environment
from goldenpath_loop.system.process import Command, run
from goldenpath_loop.team.load import Team

__all__ = ["Desk", "key_of", "open_desk"]

_KEY_TIMEOUT_S = 30.0


@dataclass(slots=True)
class Desk:
    """Everything a dispatch needs beside the bench."""

    session: Session
    team: Team
    spec: ModelSpec
    caller: Caller | None
    """None when no model is configured."""
    state: Callable[[], State] = field(default=State)
    """What the run has come to, at any moment."""
    door: Door = field(default_factory=Door)
    """What every call of a model goes through."""


@asynccontextmanager
async def open_desk(session: Session, team: Team, spec: ModelSpec) -> AsyncIterator[Desk]:
    """Connect to the model; without one configured the desk is there and nobody sits at it.

    Raises:
        ConfigurationError: The command that prints the key failed.
        PutOffError: The run is to pause before that command was started.
    """
    desk = Desk(session, team, spec, None)
    if not spec.name:
        yield desk
        return
    prices = Prices(spec.prompt_usd, spec.cached_usd, spec.answer_usd, spec.ceiling_usd)
    async with open_client(
        base_url=spec.base_url,
        key=await key_of(spec),
        prices=prices,
        timeout_s=spec.timeout_s,
        answer_tokens=spec.answer_tokens,
    ) as client:
        desk.caller = Caller(
            client,
            concurrency=spec.concurrency,
            requests_per_minute=spec.requests_per_minute,
            tokens_per_minute=spec.tokens_per_minute,
            # The door of the run that sits down here later.
            sleep=lambda seconds: desk.door.sleep(seconds),
        )
        yield desk


async def key_of(spec: ModelSpec) -> str:
    """The key for the model's server, from a command or the environment; empty when there is none.

    Raises:
        ConfigurationError: The command failed or printed nothing.
    """
    if not spec.api_key_command:
        return os.environ.get(spec.api_key_env, "") if spec.api_key_env else ""
    done = await run(
        Command(spec.api_key_command, cwd=Path.cwd(), env=own_environment(), timeout_s=_KEY_TIMEOUT_S),
        separate=True,
    )
    key = done.output.decode("utf-8", "replace").strip()
    if done.exit_code != 0 or not key:
        # What it printed may be half a key: it is not repeated here.
        raise ConfigurationError(
            f"the command that prints the model's key ended with {done.exit_code} and no key"
            if not key
            else f"the command that prints the model's key ended with {done.exit_code}",
            where="model.api_key_command",
            advice="Run it by hand.",
        )
    return key
