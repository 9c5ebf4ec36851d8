"""P4: what clients can find out without logging in."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.priority4, pytest.mark.http]


class TestDiscovery:
    def test_events_are_announced(self, http):
        """Clients learn which events there are before they connect."""
        events = http.get("/api/mcp/config").json()["events"]
        assert events[0] == "agent_started" and events[-1] == "agent_completed"

    def test_tools_have_a_purpose(self, http):
        """Every tool says what it is for."""
        servers = http.get("/api/mcp/servers").json()["servers"]
        assert all(tool["purpose"] for server in servers for tool in server["tools"])

    def test_unknown_agent(self, http):
        """An agent that is not there is a 404 with a code."""
        answer = http.get("/api/agents/nobody")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "no_such_agent"
