"""Behaviours as plans: generators that ask tools and go on with what these said.

A plan is told anew from its beginning on every turn, fed with the results that the conversation holds. So the
server keeps nothing between requests, and conversations held side by side cannot mix.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from tests.model_server.conversation import Conversation
from tests.model_server.reply import Calls, Reply, Text
from tests.model_server.schema import fit

__all__ = ["Ask", "Plan", "Step", "follow"]

Ask = Sequence[tuple[str, Mapping[str, Any]]]
"""Calls that may be made at the same time."""

Plan = Generator[Ask, list[str], dict[str, Any] | str]
"""Yields calls, is sent their results in the same order, returns the answer. What cannot be called says nothing."""


class Step:
    """The answers a conversation holds to calls that were made in it."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._said = {_key(one.name, one.arguments): one.text for one in conversation.results}

    def missing(self, asked: Ask) -> list[tuple[str, Mapping[str, Any]]]:
        """Calls that can be made and were not, none twice."""
        if not self._conversation.may_call:
            return []
        open_calls = {_key(name, arguments): (name, arguments) for name, arguments in asked}
        return [
            call
            for key, call in open_calls.items()
            if key not in self._said and call[0] in self._conversation.tools
        ]

    def results(self, asked: Ask) -> list[str]:
        """What each call has said; nothing for one that could not be made."""
        return [self._said.get(_key(name, arguments), "") for name, arguments in asked]


def follow(plan: Plan, conversation: Conversation, *, per_turn: int = 8) -> Reply:
    """The next reply of a plan: the calls it waits for, at most `per_turn` of them, or its answer."""
    step = Step(conversation)
    try:
        asked = next(plan)
        while True:
            missing = step.missing(asked)
            if missing:
                return Calls(missing[:per_turn])
            asked = plan.send(step.results(asked))
    except StopIteration as end:
        if isinstance(end.value, str):
            return Text(end.value)
        return Text(json.dumps(fit(end.value, conversation.schema or {}), ensure_ascii=False))


def _key(name: str, arguments: Mapping[str, Any]) -> str:
    return f"{name} {json.dumps(arguments, sort_keys=True)}"
