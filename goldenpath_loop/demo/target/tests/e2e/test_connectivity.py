"""P3: the edge reaches what is behind it, and says so when it does not."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.priority3, pytest.mark.http]


class TestConnectivity:
    def test_edge_reaches_backend(self, http):
        """The edge lists the backend as connected, with a response time."""
        backend = http.get("/health").json()["dependencies"]["backend"]
        assert backend["status"] == "connected"
        assert backend["response_time_ms"] > 0

    def test_one_revision_everywhere(self, http):
        """Edge and backend serve the same revision."""
        revisions = {http.get(path).json()["revision"] for path in ("/health", "/api/health")}
        assert len(revisions) == 1

    def test_request_id_is_returned(self, http):
        """A caller's request id comes back."""
        answer = http.get("/api/agents", headers={"X-Request-ID": "e2e-1"})
        assert answer.headers["X-Request-ID"] == "e2e-1"

    def test_unknown_path(self, http):
        """What nobody answers is a 404 with a code."""
        answer = http.get("/no/such/path")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "not_found"
