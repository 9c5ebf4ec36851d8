"""P2: agents are found, work, use their tools, and survive nonsense."""

import contextlib

import pytest
from websockets.exceptions import ConnectionClosed

pytestmark = [pytest.mark.e2e, pytest.mark.priority2]


class TestAgentPipeline:
    @pytest.mark.http
    def test_agent_discovery(self, http):
        """The agents of the platform are listed."""
        names = [agent["name"] for agent in http.get("/api/agents").json()["agents"]]
        assert names == ["assistant", "analyst"]

    @pytest.mark.http
    def test_agent_configuration(self, http):
        """Every tool an agent may use is offered by a tool server."""
        servers = http.get("/api/mcp/servers").json()["servers"]
        offered = {tool["name"] for server in servers for tool in server["tools"]}
        agent = http.get("/api/agents/analyst").json()
        assert agent["tools"] and set(agent["tools"]) <= offered

    @pytest.mark.websocket
    @pytest.mark.auth
    def test_pipeline_execution(self, chat, token):
        """An agent uses a tool and answers with what the tool found."""
        events = chat(token).ask("what is 10 / 4")
        used = [one.get("tool_name") for one in events if one["type"] == "tool_completed"]
        assert used == ["calculator"]
        assert events[-1]["response"] == "10 / 4 is 2.5."

    @pytest.mark.websocket
    @pytest.mark.auth
    def test_choice_of_agent(self, chat, token):
        """A message may ask for an agent by name."""
        events = chat(token).ask("remember the harbour", agent="analyst")
        assert events[0]["agent"] == "analyst"

    @pytest.mark.websocket
    @pytest.mark.auth
    def test_lifecycle_monitoring(self, http, chat, token):
        """A completed run is counted in the metrics of the pipeline."""
        before = http.get("/api/metrics/pipeline").json()["runs_completed"]
        chat(token).ask("hello")
        assert http.get("/api/metrics/pipeline").json()["runs_completed"] > before

    @pytest.mark.http
    @pytest.mark.websocket
    @pytest.mark.auth
    def test_long_conversation(self, http, chat, token):
        """One socket answers as many messages as clients are told."""
        turns = http.get("/api/mcp/config").json()["turns"]
        one, answers = chat(token), 0
        with contextlib.suppress(ConnectionClosed):
            while answers < turns:
                one.ask("hello again")
                answers += 1
        assert answers == turns, f"expected {turns} answers on one socket, got {answers}"

    @pytest.mark.websocket
    @pytest.mark.auth
    def test_pipeline_error_handling(self, chat, token):
        """Nonsense gets an error event, and the socket goes on working."""
        one = chat(token)
        one.socket.send("this is not JSON")
        assert one.receive()["code"] == "invalid_json"
        assert one.ask("hello")[-1]["type"] == "agent_completed"
