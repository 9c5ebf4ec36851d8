"""P1: the endpoints every client asks before it does anything."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.priority1, pytest.mark.http]


class TestCriticalPath:
    def test_edge_health(self, http):
        """The edge answers and says what it is."""
        answer = http.get("/health")
        assert answer.status_code == 200
        assert answer.json()["service"] == "edge"

    def test_backend_health(self, http):
        """The backend answers and its database is connected."""
        answer = http.get("/api/health")
        assert answer.status_code == 200
        assert answer.json()["dependencies"]["database"]["status"] == "connected"

    def test_service_discovery(self, http):
        """Clients find every service."""
        answer = http.get("/api/discovery/services")
        assert answer.status_code == 200
        names = {service["name"] for service in answer.json()["services"]}
        assert names == {"edge", "backend", "auth"}

    def test_mcp_config(self, http):
        """Clients learn how to reach the agents."""
        answer = http.get("/api/mcp/config")
        assert answer.status_code == 200
        assert answer.json()["url"] == "/ws/chat"

    def test_mcp_servers(self, http):
        """At least one tool server is connected."""
        answer = http.get("/api/mcp/servers")
        assert answer.status_code == 200
        assert [server["status"] for server in answer.json()["servers"]] == ["connected"]
