"""Secrets are known by where they come from and by what they are called."""

from __future__ import annotations

import pytest

from goldenpath_loop.engine.secret_values import secret_values
from goldenpath_loop.records.policy import Settings
from goldenpath_loop.records.target import LoginSpec, ProbeSpec, ServiceSpec, SuiteSpec, TargetSpec


def configured() -> Settings:
    """A configuration that refers to the environment and holds a password of its own."""
    login = LoginSpec.model_validate(
        {"url": "/login", "json": {"user": "probe", "password": "correct horse"}}
    )
    probe = ProbeSpec(
        name="chat",
        kind="websocket",
        login=login,
        headers={"Authorization": "Bearer {env.PROBE_BEARER}", "X-Api-Key": "literal key"},
    )
    return Settings(
        target=TargetSpec(name="chat"),
        services=(ServiceSpec(name="edge", env={"PLAN": "{env.BILLING_PLAN}"}, probes=(probe,)),),
        suites=(SuiteSpec(name="unit", path="tests", env={"MODE": "fast"}),),
    )


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("PROBE_BEARER", True),
        ("BILLING_PLAN", True),
        ("OPENAI_API_KEY", True),
        ("GITHUB_TOKEN", True),
        ("DB_PASSWORD", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("SENTRY_DSN", True),
        ("DB_PWD", True),
        ("PWD", False),
        ("OLDPWD", False),
        ("PATH", False),
        ("TOKENIZERS_PARALLELISM", False),
        ("KEYBOARD", False),
        ("SECRETARY", False),
    ],
)
def test_a_variable_is_a_secret_by_name_or_because_it_is_asked_for(name: str, is_secret: bool) -> None:
    found = secret_values(configured(), {}, {name: "the value"})
    assert ("the value" in found) is is_secret


def test_the_settings_file_is_secret_whole_and_literals_by_their_key() -> None:
    """What is substituted later is no value yet."""
    found = secret_values(configured(), {"ANYTHING": "from the file"}, {})
    assert found == {"from the file", "correct horse", "literal key"}
