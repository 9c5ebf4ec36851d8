"""A model that answers at once and reads nothing: what it claims sounds right and rests on nothing."""

from __future__ import annotations

import json
from typing import Any

from tests.model_server.conversation import Conversation
from tests.model_server.reply import Reply, Text
from tests.model_server.schema import fit, is_string, properties_of

__all__ = ["Lazy"]


class Lazy:
    """Claims success from the first listed evidence's name alone."""

    def reply(self, conversation: Conversation) -> Reply:
        """A plausible answer of the wanted shape."""
        first = conversation.listed[0].id if conversation.listed else "E1"
        schema = conversation.schema or {}
        claim = {name: value for name, value in _claims(first).items() if name in properties_of(schema)}
        if is_string(schema, "summary"):
            claim["title"] = "Fix the failing tests"
        return Text(json.dumps(fit(claim, schema)))


def _claims(evidence: str) -> dict[str, Any]:
    citation = {"evidence": evidence, "quote": "connection pool exhausted", "start": -1, "end": -1}
    finding = {
        "kind": "observation",
        "title": "Race condition in the connection pool",
        "statement": "The failures are caused by a race condition in the connection pool.",
        "citations": [citation],
    }
    diff = "--- a/app.py\n+++ b/app.py\n@@ -1,1 +1,1 @@\n-TIMEOUT = 5\n+TIMEOUT = 30\n"
    return {
        "findings": [finding],
        "suites": [],
        "objections": [],
        "stood": list(range(1, 6)),
        "diff": diff,
        "edits": [{"path": "app.py", "search": "TIMEOUT = 5", "replace": "TIMEOUT = 30"}],
        "intended": ["app.py"],
        "rationale": "A longer time-out makes all tests pass.",
        "summary": "All tests pass now.",
    }
