"""The health answer: own state, dependencies with response times, revision, uptime."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatlib.replies import reply
from chatlib.revision import served_revision
from chatlib.version import VERSION

Check = Callable[[], Awaitable[None]]


async def measure(check: Check) -> dict[str, Any]:
    """Run one dependency check and time it; a check that raises means unreachable."""
    started = time.perf_counter()
    try:
        await check()
    except Exception:
        status = "unreachable"
    else:
        status = "connected"
    return {"status": status, "response_time_ms": round((time.perf_counter() - started) * 1000, 2)}


class Health:
    """Answers `/health` and `/health/live` of one service."""

    def __init__(self, service: str, checks: Mapping[str, Check]) -> None:
        self.service = service
        self.checks = checks
        self.started = time.monotonic()
        self.revision = served_revision()

    async def full(self, request: Request) -> Response:
        """Everything an operator asks first.

        A dependency that is down makes the service degraded, not dead: what needs no such
        dependency still works, so the status code stays 200.
        """
        dependencies = {name: await measure(check) for name, check in self.checks.items()}
        connected = all(found["status"] == "connected" for found in dependencies.values())
        return reply(
            {
                "status": "healthy" if connected else "degraded",
                "service": self.service,
                "version": VERSION,
                "revision": self.revision,
                "uptime_seconds": round(time.monotonic() - self.started, 3),
                "dependencies": dependencies,
            }
        )

    async def live(self, request: Request) -> Response:
        """Only that the process answers; asked by the other services."""
        return reply({"status": "alive", "service": self.service})
