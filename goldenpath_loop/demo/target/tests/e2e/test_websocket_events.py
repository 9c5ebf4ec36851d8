"""P1: the five events of an agent run, in order and complete."""

import pytest

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.priority1,
    pytest.mark.websocket,
    pytest.mark.auth,
]

EVENTS = [
    "agent_started",
    "agent_thinking",
    "tool_executing",
    "tool_completed",
    "agent_completed",
]


def event(events, kind):
    """The one event of a kind."""
    found = [one for one in events if one["type"] == kind]
    assert len(found) == 1, f"{len(found)} events {kind} in {[one['type'] for one in events]}"
    return found[0]


class TestWebSocketEvents:
    def test_event_flow(self, chat, token):
        """All five events come, in their order."""
        assert [one["type"] for one in chat(token).ask("hello there")] == EVENTS

    def test_events_are_numbered(self, chat, token):
        """Events of a run carry its id and count up from one."""
        events = chat(token).ask("hello there")
        assert [one["sequence"] for one in events] == [1, 2, 3, 4, 5]
        assert len({one["run_id"] for one in events}) == 1

    def test_agent_events_name_the_agent(self, chat, token):
        """Whoever starts, thinks and completes has a name."""
        events = chat(token).ask("hello there")
        assert event(events, "agent_started")["agent"] == "assistant"
        assert event(events, "agent_thinking")["agent"] == "assistant"

    def test_tool_executing_names_the_tool(self, chat, token):
        """The client can show which tool is at work."""
        started = event(chat(token).ask("what is 2 + 3"), "tool_executing")
        assert "tool_name" in started, f"tool_executing without tool_name: {started}"
        assert started["tool_name"] == "calculator"

    def test_tool_completed_carries_results(self, chat, token):
        """The client can show what the tool found."""
        done = event(chat(token).ask("what is 2 + 3"), "tool_completed")
        assert "results" in done, f"tool_completed without results: {done}"
        assert done["results"]["value"] == 5
