"""Addresses and environments of services, from their configuration alone."""

from __future__ import annotations

import pytest

from goldenpath_loop.deploy.variables import deployed_urls, service_environment, standing_urls
from goldenpath_loop.errors import ConfigurationError
from goldenpath_loop.records.target import ServiceSpec

AUTH = ServiceSpec(name="auth", start=("auth",), url="https://auth.example")


def test_a_standing_service_answers_at_its_url_or_its_port() -> None:
    services = (
        AUTH,
        ServiceSpec(name="b", port=81),
        ServiceSpec(name="c", url="http://{env.HOST}:{port}", port=82),
    )
    assert standing_urls(services, {"HOST": "c.example"}) == {
        "auth": "https://auth.example",
        "b": "http://127.0.0.1:81",
        "c": "http://c.example:82",
    }


def test_a_service_with_neither_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(ConfigurationError) as caught:
        standing_urls((ServiceSpec(name="a"),), {})
    assert caught.value.where == "services.a.url"


def test_a_service_started_here_answers_here_whatever_its_url_says() -> None:
    assert deployed_urls((AUTH,), {"auth": 4711}, {}) == {"auth": "http://127.0.0.1:4711"}


def test_the_tree_comes_first_on_the_import_path_and_the_service_wins_over_the_settings() -> None:
    service = ServiceSpec(name="a", env={"MODE": "own", "PYTHONDONTWRITEBYTECODE": ""})
    base = {"MODE": "shared", "PYTHONPATH": "/elsewhere", "KEPT": "1"}
    environment = service_environment(service, base=base, variables={}, tree="/t")
    assert environment == {
        "MODE": "own",
        "KEPT": "1",
        "PYTHONPATH": "/t:/t/src:/elsewhere",
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONUNBUFFERED": "1",
    }
