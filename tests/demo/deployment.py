"""Starts the target's services for a test, as a deployment would, and runs its suites against them."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

__all__ = ["START_LIMIT_S", "Platform", "Suites", "clean_environment", "git", "run_suites", "running"]

START_LIMIT_S = 30.0
SUITES_LIMIT_S = 120.0
# uvicorn ends with this when it cannot listen.
PORT_TAKEN = 3


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment without anything that could point git or the services elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "PYTEST_", "E2E_", "COV_")) and name != "SERVICE_SECRET"
    }
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **extra}


def git(folder: Path, *arguments: str) -> str:
    """What git answers in a folder."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=clean_environment(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1"),
    )
    return done.stdout.strip()


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on."""
    with contextlib.ExitStack() as sockets:
        held = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]


class Service:
    """One service of the target in a process group of its own."""

    def __init__(self, name: str, tree: Path, environment: dict[str, str]) -> None:
        self.lines: list[str] = []
        self.spoke = threading.Event()
        self.process = subprocess.Popen(
            [sys.executable, "-m", name],
            cwd=tree,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        """Keep what the service writes; it is about to listen when its first line comes."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            self.spoke.set()
        self.spoke.set()

    def stop(self) -> int:
        """Ask the whole group to end, and say how it did."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return self.process.wait(timeout=10)
        finally:
            self.reader.join(timeout=10)
            assert self.process.stderr is not None
            self.process.stderr.close()


@dataclass(frozen=True)
class Platform:
    """The started services and where they listen."""

    tree: Path
    services: dict[str, Service]
    urls: dict[str, str]

    def get(self, service: str, path: str) -> httpx.Response:
        """Ask a service itself."""
        return httpx.get(self.urls[service] + path, trust_env=False, timeout=10)

    def stop(self) -> None:
        """End every service."""
        for service in self.services.values():
            service.stop()


def wait_until_it_answers(service: Service, url: str) -> None:
    """Return when the service answers its liveness path, or has ended."""
    assert service.spoke.wait(START_LIMIT_S), "the service says nothing"
    deadline = time.monotonic() + START_LIMIT_S
    with httpx.Client(trust_env=False, timeout=START_LIMIT_S) as client:
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.ConnectError):
                client.get(url + "/health/live")
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                service.process.wait(timeout=0.02)
                return
    raise AssertionError(f"the service does not answer: {service.lines}")


def start(tree: Path, secret: str) -> Platform:
    """The three services of a tree, each answering or ended."""
    names = ("auth", "backend", "edge")
    ports = dict(zip(names, free_ports(3), strict=True))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    environment = clean_environment(AUTH_URL=urls["auth"], BACKEND_URL=urls["backend"])
    if secret:
        environment["SERVICE_SECRET"] = secret
    platform = Platform(tree, {}, urls)
    try:
        for name in names:
            platform.services[name] = Service(name, tree, {**environment, "PORT": str(ports[name])})
        for name, service in platform.services.items():
            wait_until_it_answers(service, urls[name])
    except BaseException:
        platform.stop()
        raise
    return platform


@contextlib.contextmanager
def running(tree: Path, secret: str = "a secret of the tests, long enough") -> Iterator[Platform]:
    """The three services of a tree; ended afterwards.

    A port that was free may be somebody else's by the time a service wants it; then all start again.
    """
    platform = start(tree, secret)
    for _ in range(3):
        if all(service.process.poll() != PORT_TAKEN for service in platform.services.values()):
            break
        platform.stop()
        platform = start(tree, secret)
    try:
        yield platform
    finally:
        platform.stop()


@dataclass(frozen=True)
class Suites:
    """What a run of E2E suites gave."""

    passed: int
    red: frozenset[str]
    """Names of the tests that failed or could not be set up."""
    output: str


def run_suites(platform: Platform, *selection: str, environment: dict[str, str] | None = None) -> Suites:
    """Run E2E tests of the platform's own tree against it."""
    if environment is None:
        environment = {"E2E_BASE_URL": platform.urls["edge"], "E2E_AUTH_URL": platform.urls["auth"]}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--tb=short",
            *(selection or ("tests/e2e",)),
        ],
        cwd=platform.tree,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=SUITES_LIMIT_S,
        check=False,
    )
    passed = re.search(r"(\d+) passed", done.stdout)
    red = re.findall(r"^(?:FAILED|ERROR) \S+::(\w+)", done.stdout, re.MULTILINE)
    return Suites(int(passed[1]) if passed else 0, frozenset(red), done.stdout + done.stderr)
