"""Three tiny questions show what a server can do."""

from __future__ import annotations

from typing import Any

import pytest

from goldenpath_loop.model.capabilities import Capabilities, probe
from tests.model.asking import served
from tests.model.capable import Capable
from tests.model_server import Behaviour, Calls, Conversation, Fault, Reply, Text
from tests.model_server.asking import Says
from tests.model_server.behaviours.broken import Broken

pytestmark = pytest.mark.anyio


async def probed(behaviour: Behaviour, model: str = "scripted", **options: Any) -> tuple[Capabilities, int]:
    """What is found, and how many questions that took."""
    async with served(behaviour, **options) as (server, client):
        found = await probe(client, model)
    assert server.problems == []
    return found, len(server.requests)


async def test_a_server_that_can_do_everything() -> None:
    assert await probed(Capable()) == (
        Capabilities(
            model="scripted", offered=("scripted",), listed="yes", schemas="yes", tools="yes", usage="yes"
        ),
        3,
    )


@pytest.mark.parametrize(
    ("behaviour", "schemas", "tools", "usage"),
    [
        (Capable(schemas="no"), "no", "yes", "yes"),
        (Capable(schemas="refused"), "refused", "yes", "yes"),
        (Capable(tools="no"), "yes", "no", "yes"),
        (Capable(tools="refused"), "yes", "refused", "yes"),
        (Capable(schemas="no", usage=False), "no", "yes", "no"),
        (Says(Text('{"colour": "red"}')), "no", "no", "yes"),
        (Says(Text("[" * 5000)), "no", "no", "yes"),
        (Says(Text("")), "no", "no", "yes"),
        (Says(Fault("unknown_tool")), "no", "no", "yes"),
        (Says(Calls([("note", "{")])), "no", "yes", "yes"),
    ],
)
async def test_what_a_server_cannot_do_is_seen(
    behaviour: Behaviour, schemas: str, tools: str, usage: str
) -> None:
    found, _ = await probed(behaviour)
    assert (found.fault, found.schemas, found.tools, found.usage) == (None, schemas, tools, usage)


async def test_a_server_that_says_nothing_is_asked_once() -> None:
    found, questions = await probed(Says(Fault("status", status=500)))
    assert (found.fault, found.schemas, found.tools, found.usage) == ("server_error", *["unknown"] * 3)
    assert questions == 1


async def test_a_line_that_was_closed_is_opened_again() -> None:
    found, questions = await probed(Broken(Fault("drop_before"), first=1, then=Capable()))
    assert (found.fault, found.tools) == (None, "yes")
    assert questions == 5, "two briefs, each tried twice at first"


async def test_the_key_is_refused() -> None:
    found, _ = await probed(Capable(), api_key="another")
    assert (found.fault, found.offered, found.listed) == ("unauthorised", (), "unknown")


async def test_a_name_that_the_server_does_not_list() -> None:
    found, _ = await probed(Capable(), "strange", models=("one", "two"))
    assert (found.offered, found.listed, found.fault) == (("one", "two"), "no", None)


class Tires:
    """Answers the first question and is too busy for all others."""

    def reply(self, conversation: Conversation) -> Reply:
        """Hello, at most."""
        asks_more = "response_format" in conversation.body or conversation.tools
        return Fault("status", status=429) if asks_more else Text("Hello.")


async def test_what_comes_between_leaves_a_question_open() -> None:
    found, questions = await probed(Tires())
    assert (found.schemas, found.tools, found.usage) == ("unknown", "unknown", "yes")
    assert questions == 3
