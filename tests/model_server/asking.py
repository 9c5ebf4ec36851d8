"""What the tests of the server share: plain requests, a foreign client, a model of one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.model_server import Behaviour, Conversation, Reply, serve

__all__ = ["BRIEF", "READ", "Says", "events", "request", "sdk"]

READ = {
    "type": "function",
    "function": {
        "name": "read_evidence",
        "parameters": {
            "type": "object",
            "properties": {"id": {"type": "string"}, "start": {"type": "integer"}},
            "required": ["id"],
        },
    },
}
BRIEF = [
    {"role": "system", "content": "Rules."},
    {"role": "user", "content": "# Why?\n\nE1 test_result t 9 bytes"},
]


class Says:
    """Always the same."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def reply(self, conversation: Conversation) -> Reply:
        """What it was made with."""
        return self._reply


def request(base: str, /, *, timeout: float = 5.0, **more: Any) -> httpx.Response:
    """One request in plain HTTP."""
    body = {"model": "scripted", "messages": BRIEF, **more}
    with httpx.Client(trust_env=False, timeout=timeout) as client:
        return client.post(f"{base}/chat/completions", json=body)


def events(answer: httpx.Response) -> list[str]:
    """Data of the server-sent events."""
    return [line.removeprefix("data: ") for line in answer.text.splitlines() if line]


@contextmanager
def sdk(behaviour: Behaviour, retries: int = 0, **options: Any) -> Iterator[tuple[Any, Any]]:
    """The server, and a foreign client of it."""
    openai: Any = pytest.importorskip("openai")
    transport = {"trust_env": False, "timeout": 5.0}
    with (
        serve(behaviour, **options) as server,
        openai.DefaultHttpxClient(**transport) as http,
        openai.OpenAI(
            base_url=server.base_url, api_key="key", max_retries=retries, http_client=http
        ) as client,
    ):
        yield server, client
