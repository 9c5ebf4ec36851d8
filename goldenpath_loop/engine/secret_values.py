"""Which values must never be written: what the operator's settings and the environment hold of secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from goldenpath_loop.deploy.settings import read_settings
from goldenpath_loop.records.policy import Settings
from goldenpath_loop.session.redaction import Redactor
from goldenpath_loop.session.vocabulary import names_of

__all__ = ["operator_settings_of", "redactor_of", "secret_values"]

_WORDS = (
    r"(?:^|[_\W])(?:authorization|cookie|credentials?|pass(?:wd|word|phrase)?|pwd|secrets?|token|dsn"
    r"|(?:api|access|private|signing|encryption)[_-]?key)"
)
_VARIABLE = re.compile(rf"{_WORDS}(?:$|_)", re.IGNORECASE)
_KEY = re.compile(rf"{_WORDS}$", re.IGNORECASE)
_PLACES = frozenset({"PWD", "OLDPWD"})
"""Where a shell stands; no password, whatever the name looks like."""
_REFERENCE = re.compile(r"\{env\.([A-Za-z_][A-Za-z0-9_]*)\}")
_PARTLY_SUBSTITUTED = re.compile(r"\{[A-Za-z_][A-Za-z0-9_.\-]*\}")


def operator_settings_of(settings: Settings, config_folder: Path) -> dict[str, str]:
    """What the operator's settings file says; empty when none is configured.

    Raises:
        ConfigurationError: It cannot be read.
    """
    if not settings.deploy.env_file:
        return {}
    return read_settings(config_folder / settings.deploy.env_file)


def redactor_of(settings: Settings, config_folder: Path) -> Redactor:
    """What takes secrets out of everything this run writes.

    Raises:
        ConfigurationError: The settings file cannot be read.
    """
    secrets = secret_values(settings, operator_settings_of(settings, config_folder), os.environ)
    return Redactor(secrets, names={*names_of(settings), str(config_folder)})


def secret_values(
    settings: Settings, operator_settings: Mapping[str, str], environment: Mapping[str, str]
) -> frozenset[str]:
    """Every value that is a secret because of where it comes from or what it is called.

    That is all of the settings file, every variable the configuration refers to as `{env.NAME}`, the model's key,
    and what stands in the environment or in the configuration under a name like `API_TOKEN` or `password`.
    """
    configured = settings.model_dump(mode="json")
    around = {**environment, **operator_settings}
    asked = {name for text in _texts(configured) for name in _REFERENCE.findall(text)}
    asked.add(settings.model.api_key_env)
    named = {name for name in environment if _VARIABLE.search(name) and name not in _PLACES}
    found = {around[name] for name in (asked | named) & around.keys()}
    return frozenset(
        value for value in (*operator_settings.values(), *found, *_literals(configured)) if value
    )


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)


def _literals(value: Any) -> Iterator[str]:
    """Values that the configuration itself gives to keys that are called like a secret."""
    if isinstance(value, dict):
        for key, item in value.items():
            is_literal = isinstance(item, str) and not _PARTLY_SUBSTITUTED.search(item)
            if is_literal and _KEY.search(key):
                yield item
            else:
                yield from _literals(item)
    elif isinstance(value, list):
        for item in value:
            yield from _literals(item)
