"""Placeholders stand for values, braces stay braces, and a wrong name is said with the nearest right one."""

from __future__ import annotations

import pytest

from goldenpath_loop.config.variables import expand, port_of, variables_of
from goldenpath_loop.errors import ConfigurationError

VARIABLES = variables_of(
    {"auth": "http://127.0.0.1:4711/", "web-api": "https://api.example"},
    {"auth": 4711},
    "/usr/bin/python3",
    "/tree",
    {"TOKEN": "{python}"},
    service="auth",
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{services.auth.url}/login", "http://127.0.0.1:4711/login"),
        ("{services.auth.port}", "4711"),
        ("{services.web-api.port}", "443"),
        ("{url} {port}", "http://127.0.0.1:4711 4711"),
        ("{python} {worktree}", "/usr/bin/python3 /tree"),
        ("{env.TOKEN}", "{python}"),
        ('{"type": "chat", "to": {"a": 1}}', '{"type": "chat", "to": {"a": 1}}'),
        ('{"at": "{worktree}"}', '{"at": "/tree"}'),
        ("{} { } {0} ${HOME:-x}", "{} { } {0} ${HOME:-x}"),
    ],
)
def test_names_between_braces_are_replaced_and_nothing_else(text: str, value: str) -> None:
    assert expand(text, VARIABLES) == value


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("{services.aut.url}", "{services.auth.url}"),
        ("{pyhton}", "{python}"),
        ("{env.SOMETHING_ELSE_ENTIRELY}", "Set SOMETHING_ELSE_ENTIRELY"),
        ("{zzzzzzzzzz}", "Known names: port, python"),
    ],
)
def test_an_unknown_name_is_said_with_what_helps(text: str, advice: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        expand(text, VARIABLES, where="services.auth.start")
    assert text in caught.value.message
    assert caught.value.where == "services.auth.start"
    assert advice in caught.value.advice


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://a", 80),
        ("wss://a/b", 443),
        ("http://a:8000", 8000),
        ("ftp://a", None),
        ("http://a:99999", None),
    ],
)
def test_an_address_has_its_own_port_or_its_schemes(url: str, port: int | None) -> None:
    assert port_of(url) == port
