"""P1: login, chat, answer. Without these there is no product."""

import pytest
from websockets.exceptions import InvalidStatus

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.priority1,
    pytest.mark.websocket,
    pytest.mark.auth,
]


class TestCriticalChat:
    def test_001_websocket_connection(self, chat, token):
        """A user with a token gets a chat socket."""
        assert chat(token).socket.protocol.state.name == "OPEN"

    def test_002_websocket_subprotocol(self, chat, token):
        """The service agrees on the chat protocol."""
        assert chat(token).socket.subprotocol == "chat.v1"

    def test_003_websocket_authentication(self, chat):
        """Without a token the handshake is refused with 401."""
        with pytest.raises(InvalidStatus) as refused:
            chat(token=None)
        assert refused.value.response.status_code == 401

    def test_004_websocket_message_send(self, chat, token):
        """A message gets an answer in words."""
        events = chat(token).ask("what is 6 * 7")
        assert events[-1]["response"] == "6 * 7 is 42."

    def test_005_concurrent_connections(self, chat, token):
        """Ten sockets at once, each with its own run."""
        chats = [chat(token) for _ in range(10)]
        for one in chats:
            one.send("hello")
        assert len({one.receive()["run_id"] for one in chats}) == 10

    def test_006_golden_path(self, http, chat, login, bearer):
        """Login, chat, answer, and the conversation is there afterwards."""
        token = login()
        events = chat(token).ask("hello golden path")
        thread_id = events[-1]["thread_id"]
        stored = http.get(f"/api/threads/{thread_id}/messages", headers=bearer(token)).json()
        assert [row["role"] for row in stored["messages"]] == ["user", "assistant"]
