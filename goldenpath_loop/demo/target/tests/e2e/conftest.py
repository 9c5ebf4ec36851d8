"""Where the deployed platform is, and how a test gets a user, a request, a chat socket."""

import contextlib
import json
import os

import httpx
import pytest
from websockets.sync.client import connect

ACCOUNTS = {
    "staging-e2e-user-001@chat.example": "golden-path-001",
    "staging-e2e-user-002@chat.example": "golden-path-002",
}
TIMEOUT_S = 10.0


def address(name):
    """A base URL from the environment; there is no default, so that no test goes astray."""
    url = os.environ.get(name, "").rstrip("/")
    if not url:
        pytest.fail(f"{name} is not set: the E2E suite needs the address of a deployment", False)
    return url


@pytest.fixture(scope="session")
def http():
    """Requests to the edge."""
    with httpx.Client(
        base_url=address("E2E_BASE_URL"), timeout=TIMEOUT_S, trust_env=False
    ) as client:
        yield client


@pytest.fixture(scope="session")
def login():
    """Logs a user in at the auth service and gives the token."""
    auth_url = address("E2E_AUTH_URL")

    def log_in(user="staging-e2e-user-001@chat.example"):
        answer = httpx.post(
            f"{auth_url}/login",
            json={"user": user, "password": ACCOUNTS[user]},
            timeout=TIMEOUT_S,
            trust_env=False,
        )
        assert answer.status_code == 200, f"login of {user}: {answer.status_code} {answer.text}"
        return answer.json()["token"]

    return log_in


@pytest.fixture(scope="session")
def token(login):
    """The first user's token."""
    return login()


@pytest.fixture(scope="session")
def other_token(login):
    """The second user's token."""
    return login("staging-e2e-user-002@chat.example")


@pytest.fixture(scope="session")
def bearer():
    """The header that carries a token."""
    return lambda token: {"Authorization": f"Bearer {token}"}


class Chat:
    """One open chat socket."""

    def __init__(self, socket):
        self.socket = socket

    def send(self, text, **fields):
        """Send a chat message."""
        self.socket.send(json.dumps({"type": "chat", "text": text, **fields}))

    def receive(self):
        """The next event."""
        return json.loads(self.socket.recv(timeout=TIMEOUT_S))

    def ask(self, text, **fields):
        """Send a message and collect the events of the whole run."""
        self.send(text, **fields)
        events = [self.receive()]
        while events[-1]["type"] not in ("agent_completed", "error"):
            events.append(self.receive())
        return events


@pytest.fixture
def chat(bearer):
    """Opens chat sockets at the edge; closes them after the test."""
    url = "ws" + address("E2E_BASE_URL").removeprefix("http") + "/ws/chat"
    with contextlib.ExitStack() as sockets:

        def open_chat(token=None, subprotocols=("chat.v1",)):
            connection = connect(
                url,
                subprotocols=list(subprotocols) or None,
                additional_headers=bearer(token) if token else None,
                open_timeout=TIMEOUT_S,
                proxy=None,
            )
            return Chat(sockets.enter_context(connection))

        yield open_chat


@pytest.fixture
def thread(http, token, bearer):
    """A fresh thread of the first user."""
    answer = http.post("/api/threads", json={"title": "E2E"}, headers=bearer(token))
    assert answer.status_code == 201, f"POST /api/threads: {answer.status_code} {answer.text}"
    return answer.json()
