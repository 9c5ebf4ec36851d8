"""P2: messages come in, are kept, and are found again."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.priority2, pytest.mark.auth]


class TestMessageFlow:
    @pytest.mark.http
    def test_thread_management(self, http, token, bearer, thread):
        """A thread can be read, renamed and removed."""
        url, headers = f"/api/threads/{thread['id']}", bearer(token)
        assert http.get(url, headers=headers).json()["title"] == "E2E"
        assert http.patch(url, json={"title": "new"}, headers=headers).json()["title"] == "new"
        assert http.delete(url, headers=headers).status_code == 200
        assert http.get(url, headers=headers).status_code == 404

    @pytest.mark.http
    def test_message_endpoints(self, http, token, bearer, thread):
        """A message left over HTTP is listed."""
        url, headers = f"/api/threads/{thread['id']}/messages", bearer(token)
        assert http.post(url, json={"text": "hello"}, headers=headers).status_code == 201
        assert http.get(url, headers=headers).json()["messages"][0]["text"] == "hello"

    @pytest.mark.http
    def test_message_pages(self, http, token, bearer, thread):
        """A long thread is read a page at a time."""
        url, headers = f"/api/threads/{thread['id']}/messages", bearer(token)
        for number in range(3):
            http.post(url, json={"text": f"message {number}"}, headers=headers)
        first = http.get(url, params={"limit": 2}, headers=headers).json()["messages"]
        rest = http.get(url, params={"after": first[-1]["id"]}, headers=headers).json()
        assert [row["text"] for row in rest["messages"]] == ["message 2"]

    @pytest.mark.websocket
    def test_websocket_message_flow(self, http, chat, token, bearer, thread):
        """Question and answer of a chat are kept in its thread."""
        answer = chat(token).ask("count these words", thread_id=thread["id"])[-1]["response"]
        stored = http.get(f"/api/threads/{thread['id']}/messages", headers=bearer(token)).json()
        assert [row["text"] for row in stored["messages"]] == ["count these words", answer]

    @pytest.mark.http
    def test_error_handling_flow(self, http, token, bearer, thread):
        """A message without a text is refused with a code."""
        url = f"/api/threads/{thread['id']}/messages"
        answer = http.post(url, json={"text": "  "}, headers=bearer(token))
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "missing_text"
