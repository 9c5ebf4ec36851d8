"""P3: login and tokens, through the edge."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.priority3, pytest.mark.http, pytest.mark.auth]


class TestAuthRoutes:
    def test_login_with_wrong_password(self, http):
        """A wrong password is refused and does not say what was wrong."""
        form = {"user": "staging-e2e-user-001@chat.example", "password": "wrong"}
        answer = http.post("/auth/login", json=form)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "wrong_credentials"

    def test_token_names_the_user(self, http, token, bearer):
        """A token leads back to its user."""
        answer = http.get("/auth/verify", headers=bearer(token))
        assert answer.status_code == 200
        assert answer.json()["user"] == "staging-e2e-user-001@chat.example"

    def test_changed_token_is_refused(self, http, token, bearer):
        """A token with another user in it does not pass."""
        head, _, signature = token.split(".")
        other = "eyJzdWIiOiJzb21lYm9keS1lbHNlIn0"
        answer = http.get("/auth/verify", headers=bearer(f"{head}.{other}.{signature}"))
        assert answer.status_code == 401

    def test_providers(self, http):
        """Clients learn how people can log in."""
        providers = http.get("/auth/providers").json()["providers"]
        assert {"name": "password", "available": True} in providers
