"""Which revision a deployment serves right now, asked from its services."""

from __future__ import annotations

from dataclasses import dataclass

import anyio

from goldenpath_loop.config.variables import expand, variables_of
from goldenpath_loop.engine.bench import Bench
from goldenpath_loop.records.base import Revision, ServiceName
from goldenpath_loop.records.target import ServiceSpec
from goldenpath_loop.system.http import exchange

__all__ = ["Served", "served_revision"]


@dataclass(frozen=True, slots=True)
class Served:
    """What the services of a deployment say about their revision."""

    revision: Revision | None
    """The expected one when every service that answers says so, else another that one of them said; None when
    nobody says anything."""
    silent: tuple[ServiceName, ...] = ()
    """Services that count and did not say."""


async def served_revision(
    bench: Bench, deployment: str, needed: tuple[str, ...], expected: Revision
) -> Served:
    """Ask every service that can say which revision it serves.

    Args:
        bench: The run's workbench.
        deployment: Which deployment is asked; empty for none.
        needed: Services that have to answer; empty means all that name their revision. The others may be out,
            but one that answers must serve the same.
        expected: What they should serve.
    """
    if not deployment:
        return Served(None)
    urls = bench.urls(deployment)
    said: dict[ServiceName, Revision | None] = {}

    async def ask(service: ServiceSpec) -> None:
        probe = next((one for one in service.probes if one.kind == "http"), None)
        if probe is None or service.name not in urls:
            return
        variables = variables_of(urls, settings=bench.environment, service=service.name)
        path = expand(probe.path, variables, where=f"services.{service.name}.probes.{probe.name}.path")
        address = path if "://" in path else f"{urls[service.name].rstrip('/')}/{path.removeprefix('/')}"
        answer = await exchange(probe.method, address, timeout_s=probe.timeout_s)
        said[service.name] = answer.revision(service.revision)

    services = bench.revision_services()
    async with anyio.create_task_group() as group:
        for service in services:
            group.start_soon(ask, service)
    stated = [found for name in sorted(said) if (found := said[name]) is not None]
    others = [revision for revision in stated if revision != expected]
    silent = tuple(
        service.name
        for service in services
        if said.get(service.name) is None and (not needed or service.name in needed)
    )
    return Served(others[0] if others else stated[0] if stated else None, silent)
