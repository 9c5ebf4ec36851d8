"""The scenarios of the demo: what is wrong with the target, and where."""

from __future__ import annotations

from dataclasses import dataclass

from goldenpath_loop.demo.history import Fault

__all__ = ["FAULTS", "SCENARIOS", "WITHOUT_SECRET", "Scenario"]


@dataclass(frozen=True)
class Scenario:
    """One state of the target to work on."""

    name: str
    summary: str
    """One sentence for the person who chooses."""


SCENARIOS = (
    Scenario(
        "websocket-route", "Health is green, and every chat handshake gets a JSON body instead of an upgrade."
    ),
    Scenario(
        "event-payload", "Chat works, but tool events lost what the client shows: tool_name and results."
    ),
    Scenario(
        "missing-secret", "The auth service cannot start: SERVICE_SECRET is not set. No code is at fault."
    ),
    Scenario(
        "missing-case",
        "A chat into somebody else's thread breaks off: a table always lacked one entry. No revert mends it.",
    ),
    Scenario(
        "innocent-warning",
        "A socket closes one answer early, and the loud warning is not why. No revert mends it.",
    ),
    Scenario("all-green", "Nothing is wrong."),
)

FAULTS = {
    "websocket-route": Fault(
        step="Consolidate paths and route registration",
        slips=(
            (
                "backend/app.py",
                "from starlette.routing import BaseRoute, Route, WebSocketRoute\n",
                "from starlette.routing import BaseRoute, Route\n",
            ),
            (
                "backend/app.py",
                "from backend.chat import chat_endpoint, describe_chat\n",
                "from backend.chat import describe_chat\n",
            ),
            ("backend/app.py", "        WebSocketRoute(paths.CHAT, chat_endpoint),\n", ""),
        ),
    ),
    "event-payload": Fault(
        step="Consolidate event names and the event envelope",
        slips=(
            (
                "backend/events.py",
                'EVENT_FIELDS = ("agent", "detail", "tool_name", "arguments", "results", "response")',
                'EVENT_FIELDS = ("agent", "detail", "arguments", "response")',
            ),
        ),
    ),
    "missing-case": Fault(
        step="",
        slips=(("backend/chat.py", '    "no_such_thread": "message.no_such_thread",\n', ""),),
    ),
    "innocent-warning": Fault(
        step="",
        slips=(("backend/chat.py", "while turn <= MAX_TURNS:", "while turn < MAX_TURNS:"),),
    ),
}

WITHOUT_SECRET = frozenset({"missing-secret"})
"""Scenarios in which the operator's settings lack SERVICE_SECRET."""
