"""Which revision a deployment serves right now, asked from its services."""

from __future__ import annotations

import anyio

from goldenpath_loop.config.variables import expand, variables_of
from goldenpath_loop.engine.bench import Bench
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.target import ServiceSpec
from goldenpath_loop.system.http import exchange

__all__ = ["served_revision"]


async def served_revision(
    bench: Bench, deployment: str, needed: tuple[str, ...], expected: Revision
) -> Revision | None:
    """The revision that the services of a suite serve.

    Args:
        bench: The run's workbench.
        deployment: Which deployment is asked; empty for none.
        needed: Services that count; empty means all that name their revision.
        expected: What they should serve.

    Returns:
        `expected` when every service that answers says so, else the first other one that is said; None when
        nobody says anything.
    """
    if not deployment:
        return None
    urls = bench.urls(deployment)
    said: dict[str, Revision | None] = {}

    async def ask(service: ServiceSpec) -> None:
        probe = next((one for one in service.probes if one.kind == "http"), None)
        if probe is None or service.name not in urls:
            return
        variables = variables_of(urls, settings=bench.environment, service=service.name)
        path = expand(probe.path, variables, where=f"services.{service.name}.probes.{probe.name}.path")
        address = path if "://" in path else f"{urls[service.name].rstrip('/')}/{path.removeprefix('/')}"
        answer = await exchange(probe.method, address, timeout_s=probe.timeout_s)
        said[service.name] = answer.revision(service.revision)

    async with anyio.create_task_group() as group:
        for service in bench.revision_services():
            if not needed or service.name in needed:
                group.start_soon(ask, service)
    stated = [said[name] for name in sorted(said) if said[name] is not None]
    others = [revision for revision in stated if revision != expected]
    return others[0] if others else stated[0] if stated else None
