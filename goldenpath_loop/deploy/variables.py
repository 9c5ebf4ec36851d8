"""Addresses and environments of a deployment's services, worked out from their configuration. Pure."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Mapping

from goldenpath_loop.config.variables import expand, port_of, variables_of
from goldenpath_loop.errors import ConfigurationError
from goldenpath_loop.records.target import ServiceSpec

__all__ = ["deployed_urls", "expand", "port_of", "service_environment", "standing_urls", "variables_of"]


def standing_urls(services: Iterable[ServiceSpec], settings: Mapping[str, str]) -> dict[str, str]:
    """Where services answer that this process does not start: their `url`, or loopback and their `port`.

    Raises:
        ConfigurationError: A service says neither.
    """
    urls = {}
    for service in services:
        where = f"services.{service.name}.url"
        if service.url:
            urls[service.name] = _url(service, service.port, settings)
        elif service.port:
            urls[service.name] = f"http://127.0.0.1:{service.port}"
        else:
            raise ConfigurationError(
                "this service has no address", where=where, advice="Give it a `url` or a `port`."
            )
    return urls


def deployed_urls(
    services: Iterable[ServiceSpec], ports: Mapping[str, int], settings: Mapping[str, str]
) -> dict[str, str]:
    """Where the services of a process deployment answer; one that is not started here keeps its own `url`."""
    started = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    return started | standing_urls((s for s in services if s.name not in ports), settings)


def _url(service: ServiceSpec, port: int, settings: Mapping[str, str]) -> str:
    variables = {f"env.{name}": value for name, value in settings.items()}
    if port:
        variables["port"] = str(port)
    return expand(service.url, variables, where=f"services.{service.name}.url")


def service_environment(
    service: ServiceSpec, *, base: Mapping[str, str], variables: Mapping[str, str], tree: str
) -> dict[str, str]:
    """The complete environment one service runs with.

    Args:
        service: The service; its own `env` wins over `base`.
        base: Environment and settings every service shares.
        variables: What placeholders in its `env` stand for.
        tree: The worktree its code is imported from, first of all.

    Raises:
        ConfigurationError: A placeholder stands for nothing.
    """
    # A required setting that is missing is for the service to complain about, in its own words.
    known = {f"env.{name}": "" for name in service.required_settings} | dict(variables)
    where = f"services.{service.name}.env"
    own = {name: expand(value, known, where=f"{where}.{name}") for name, value in service.env.items()}
    environment = {**base, **own}
    path = [tree, os.path.join(tree, "src"), *environment.get("PYTHONPATH", "").split(os.pathsep)]  # noqa: PTH118
    return {
        # A worktree is reset within one second to files of equal size: cached bytecode would survive that.
        "PYTHONDONTWRITEBYTECODE": "1",
        # The last words before a crash are the ones that count.
        "PYTHONUNBUFFERED": "1",
        **environment,
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
    }
