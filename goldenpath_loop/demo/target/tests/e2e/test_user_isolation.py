"""P3: nobody sees what belongs to somebody else."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.priority3, pytest.mark.auth]


class TestUserIsolation:
    @pytest.mark.http
    def test_foreign_thread_is_not_found(self, http, other_token, bearer, thread):
        """Another user's thread does not exist for me."""
        answer = http.get(f"/api/threads/{thread['id']}", headers=bearer(other_token))
        assert answer.status_code == 404

    @pytest.mark.http
    def test_lists_hold_own_threads_only(self, http, other_token, bearer, thread):
        """Another user's thread is not in my list."""
        listed = http.get("/api/threads", headers=bearer(other_token)).json()["threads"]
        assert thread["id"] not in [row["id"] for row in listed]

    @pytest.mark.websocket
    def test_chat_into_a_foreign_thread(self, chat, other_token, thread):
        """I cannot talk into another user's thread."""
        events = chat(other_token).ask("let me in", thread_id=thread["id"])
        assert [one.get("code") for one in events] == ["no_such_thread"]
