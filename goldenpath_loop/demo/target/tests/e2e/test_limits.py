"""P5: too much of something is refused, and refused politely."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.priority5, pytest.mark.http]


class TestLimits:
    def test_long_body_is_refused(self, http):
        """A body over the limit is refused at the edge."""
        answer = http.post("/api/threads", content=b"x" * 70_000)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "body_too_long"

    def test_wrong_method(self, http):
        """A method a path does not know is a 405 that says which it knows."""
        answer = http.delete("/api/agents")
        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]

    def test_anonymous_write_is_refused(self, http):
        """Without a token nothing is written."""
        answer = http.post("/api/threads", json={"title": "anonymous"})
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "missing_token"
