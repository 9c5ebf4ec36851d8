"""The events a client sees while an agent works."""

from dataclasses import dataclass
from typing import Any

AGENT_STARTED = "agent_started"
AGENT_THINKING = "agent_thinking"
TOOL_EXECUTING = "tool_executing"
TOOL_COMPLETED = "tool_completed"
AGENT_COMPLETED = "agent_completed"

KINDS = (AGENT_STARTED, AGENT_THINKING, TOOL_EXECUTING, TOOL_COMPLETED, AGENT_COMPLETED)

EVENT_FIELDS = ("agent", "detail", "tool_name", "arguments", "results", "response")


@dataclass
class Run:
    """One answer of an agent, from the user's message to the agent's."""

    run_id: str
    thread_id: str
    sequence: int = 0

    def next_sequence(self) -> int:
        """The number of the next event, counted from 1."""
        self.sequence += 1
        return self.sequence


def envelope(run: Run, kind: str, **fields: Any) -> dict[str, Any]:
    """One event: what all events say first, then what this kind adds."""
    event = {
        "type": kind,
        "run_id": run.run_id,
        "thread_id": run.thread_id,
        "sequence": run.next_sequence(),
    }
    event.update((name, fields[name]) for name in EVENT_FIELDS if name in fields)
    return event


def error_event(code: str, message: str) -> dict[str, Any]:
    """What the client gets for a message nobody can work with."""
    return {"type": "error", "code": code, "message": message}
