"""A language model that can be scripted: a real HTTP server for the tests of whatever speaks to one."""

from __future__ import annotations

from tests.model_server.conversation import Conversation, Envelope, Listed, ToolResult
from tests.model_server.reply import Behaviour, Calls, Fault, FaultKind, Reply, Text
from tests.model_server.server import ModelServer, serve

__all__ = [
    "Behaviour",
    "Calls",
    "Conversation",
    "Envelope",
    "Fault",
    "FaultKind",
    "Listed",
    "ModelServer",
    "Reply",
    "Text",
    "ToolResult",
    "serve",
]
