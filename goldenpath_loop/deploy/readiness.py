"""Waits until a service that was just started answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import anyio

from goldenpath_loop.deploy.variables import expand
from goldenpath_loop.records.target import ProbeSpec, ServiceSpec
from goldenpath_loop.system.clock import monotonic_s
from goldenpath_loop.system.http import exchange

__all__ = ["Doorbell", "doorbell_of", "wait_until_answers"]

_POLL_S = 0.05
_SETTLE_S = 2.0
"""How long a service may answer with another status than the one asked for before that is its answer."""


@dataclass(frozen=True, slots=True)
class Doorbell:
    """Where to knock to learn whether a service is there."""

    port: int
    url: str = ""
    """Address of its first HTTP probe; empty when it has none and a connection must do."""
    method: str = "GET"
    status: int = 200
    timeout_s: float = 5.0


def doorbell_of(service: ServiceSpec, *, url: str, port: int, variables: Mapping[str, str]) -> Doorbell:
    """Where to knock at `service`.

    Raises:
        ConfigurationError: A placeholder in the probe's path stands for nothing.
    """
    probe: ProbeSpec | None = next((one for one in service.probes if one.kind == "http"), None)
    if probe is None:
        return Doorbell(port)
    path = expand(probe.path, variables, where=f"services.{service.name}.probes.{probe.name}.path")
    address = path if "://" in path else f"{url.rstrip('/')}/{path.removeprefix('/')}"
    return Doorbell(port, address, probe.method, probe.status, probe.timeout_s)


async def wait_until_answers(bell: Doorbell) -> str:
    """Knock until somebody answers; the caller bounds the time.

    Returns:
        Empty when the answer is the one asked for, otherwise what came instead, such as `answers HTTP 503`:
        a service that keeps saying so is there, and what it says is for the probes to judge.
    """
    first_answer_s: float | None = None
    while True:
        if bell.url:
            asked = await exchange(bell.method, bell.url, timeout_s=bell.timeout_s)
            if asked.status == bell.status:
                return ""
            if asked.status is not None:
                first_answer_s = monotonic_s() if first_answer_s is None else first_answer_s
                if monotonic_s() - first_answer_s >= _SETTLE_S:
                    return f"answers HTTP {asked.status}"
        else:
            try:
                stream = await anyio.connect_tcp("127.0.0.1", bell.port)
            except OSError:
                pass
            else:
                await stream.aclose()
                return ""
        await anyio.sleep(_POLL_S)
