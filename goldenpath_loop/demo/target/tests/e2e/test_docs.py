"""P6: the interface is described."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.priority6, pytest.mark.http]


class TestDocs:
    def test_openapi(self, http):
        """The description lists the main paths."""
        paths = http.get("/openapi.json").json()["paths"]
        assert {"/api/threads", "/api/agents", "/api/mcp/config"} <= set(paths)

    def test_docs_page(self, http):
        """The same is there as a page."""
        assert "/api/threads" in http.get("/docs").text

    def test_landing_page(self, http):
        """The bare address greets people."""
        answer = http.get("/")
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "Chat platform" in answer.text
