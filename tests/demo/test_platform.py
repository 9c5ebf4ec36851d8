"""The target is a real platform, and each scenario is wrong in the way it says."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from goldenpath_loop.demo import DemoSite

from .deployment import Platform, clean_environment, git, run_suites, running

Sites = Callable[[str], DemoSite]

ALL_TESTS = 48
SUITES_WITHOUT_AUTH = tuple(
    f"tests/e2e/test_{name}.py" for name in ("critical_path", "connectivity", "discovery", "limits", "docs")
)
LOST_IN_EVENTS = frozenset(
    {
        "test_tool_executing_names_the_tool",
        "test_tool_completed_carries_results",
        "test_pipeline_execution",
    }
)


@pytest.fixture(scope="module")
def healthy(site: Sites) -> Iterator[Platform]:
    """The platform with nothing wrong."""
    with running(site("all-green").root) as platform:
        yield platform


@contextlib.contextmanager
def chat(platform: Platform) -> Iterator[ClientConnection]:
    """A chat socket of the probe's account, through the edge."""
    login = {"user": "probe@chat.example", "password": "golden-path-probe"}
    token = httpx.post(platform.urls["auth"] + "/login", json=login, trust_env=False).json()["token"]
    with connect(
        platform.urls["edge"].replace("http", "ws", 1) + "/ws/chat",
        additional_headers={"Authorization": f"Bearer {token}"},
        proxy=None,
    ) as socket:
        yield socket


def test_a_healthy_platform_passes_its_whole_suite(healthy: Platform) -> None:
    """All tests are green when nothing is wrong."""
    suites = run_suites(healthy)
    assert (suites.passed, suites.red) == (ALL_TESTS, frozenset()), suites.output


@pytest.mark.parametrize(
    ("service", "dependencies"),
    [("auth", {"database"}), ("backend", {"database", "auth"}), ("edge", {"backend", "auth"})],
)
def test_health_tells_state_dependencies_revision_and_uptime(
    healthy: Platform, service: str, dependencies: set[str]
) -> None:
    """Each service reports what an operator asks first."""
    health = healthy.get(service, "/health").json()
    assert health["status"] == "healthy"
    assert health["service"] == service
    assert health["revision"] == git(healthy.tree, "rev-parse", "HEAD")
    assert health["uptime_seconds"] > 0
    assert health["dependencies"].keys() == dependencies
    for dependency in health["dependencies"].values():
        assert dependency["status"] == "connected" and dependency["response_time_ms"] >= 0


def test_the_probe_of_the_configuration_sees_five_events(healthy: Platform) -> None:
    """What goldenpath.toml sends gets the five events of a run."""
    with chat(healthy) as socket:
        socket.send('{"type": "chat", "text": "hello"}')
        kinds = [json.loads(socket.recv(timeout=10))["type"] for _ in range(5)]
    assert kinds == ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"]


def test_suites_say_which_address_is_missing(healthy: Platform) -> None:
    """Without an address a test fails and says so; it does not try another one."""
    suites = run_suites(healthy, "tests/e2e/test_docs.py", environment={})
    assert suites.passed == 0 and len(suites.red) == 3
    assert "E2E_BASE_URL is not set" in suites.output


def test_the_served_revision_is_that_of_the_tree(site: Sites, tmp_path: Path) -> None:
    """An old worktree serves the old revision, whatever GIT_DIR says."""
    root = site("all-green").root
    old = git(root, "rev-parse", "HEAD~10")
    tree = tmp_path / "old"
    git(root, "worktree", "add", "--quiet", "--detach", str(tree), old)
    told = subprocess.run(
        [sys.executable, "-c", "from chatlib.revision import served_revision; print(served_revision())"],
        cwd=tree,
        env=clean_environment(GIT_DIR=str(root / ".git"), REVISION="another"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.strip()
    git(root, "worktree", "remove", "--force", str(tree))
    assert told == old


def test_a_handshake_at_the_faulty_route_gets_json(fresh: Sites) -> None:
    """Health is green, the chat path answers 200 with a description, and exactly the chat tests are red."""
    demo = fresh("websocket-route")
    with running(demo.root) as platform:
        assert platform.get("edge", "/health").json()["status"] == "healthy"
        with pytest.raises(InvalidStatus, match="HTTP 200") as refused, chat(platform):
            pass
        told = json.loads(refused.value.response.body)
        assert (told["service"], told["status"]) == ("chat", "operational")
        suites = run_suites(platform)
        assert "server rejected WebSocket connection: HTTP 200" in suites.output
        by_marker = run_suites(platform, "tests/e2e", "-m", "not websocket")
    assert by_marker.red == frozenset()
    assert suites.passed == by_marker.passed
    assert len(suites.red) == ALL_TESTS - by_marker.passed

    assert demo.culprit is not None
    git(demo.root, "revert", "--no-edit", demo.culprit)
    with running(demo.root) as platform:
        repaired = run_suites(platform)
    assert (repaired.passed, repaired.red) == (ALL_TESTS, frozenset()), repaired.output


def test_tool_events_lose_their_payload(fresh: Sites) -> None:
    """Only the tests that look into tool events are red, and the revert brings them back."""
    demo = fresh("event-payload")
    with running(demo.root) as platform:
        suites = run_suites(platform)
    assert (suites.passed, suites.red) == (ALL_TESTS - len(LOST_IN_EVENTS), LOST_IN_EVENTS), suites.output
    assert "tool_completed without results" in suites.output

    assert demo.culprit is not None
    git(demo.root, "revert", "--no-edit", demo.culprit)
    with running(demo.root) as platform:
        repaired = run_suites(platform)
    assert (repaired.passed, repaired.red) == (ALL_TESTS, frozenset()), repaired.output


def test_without_its_secret_auth_does_not_start_and_the_rest_does(site: Sites) -> None:
    """Auth exits with 78 and one line; backend and edge are degraded, and what needs no user is green."""
    with running(site("missing-secret").root, secret="") as platform:
        auth = platform.services["auth"]
        assert auth.process.wait(timeout=30) == 78
        auth.reader.join(timeout=10)
        assert auth.lines == ["auth: cannot start: SERVICE_SECRET is not set"]

        health = platform.get("backend", "/health")
        assert health.status_code == 200
        assert health.json()["status"] == "degraded"
        assert health.json()["dependencies"]["auth"]["status"] == "unreachable"

        without = run_suites(platform, *SUITES_WITHOUT_AUTH)
        everything = run_suites(platform)
    assert without.passed == 18 and without.red == frozenset(), without.output
    assert everything.red and everything.red.isdisjoint(without.red)


def test_services_end_on_sigterm_with_sockets_open(site: Sites) -> None:
    """Every service ends by itself with 0, also while somebody chats, and leaves no process behind."""
    with running(site("all-green").root) as platform, chat(platform) as socket:
        socket.send('{"type": "chat", "text": "hello"}')
        socket.recv(timeout=10)
        for service in platform.services.values():
            os.killpg(service.process.pid, signal.SIGTERM)
        assert {name: one.process.wait(timeout=10) for name, one in platform.services.items()} == {
            "auth": 0,
            "backend": 0,
            "edge": 0,
        }
        for service in platform.services.values():
            with pytest.raises(ProcessLookupError):
                os.killpg(service.process.pid, 0)
        with pytest.raises(ConnectionClosed):
            while True:
                socket.recv(timeout=10)
