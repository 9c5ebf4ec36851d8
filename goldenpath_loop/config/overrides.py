"""Keys of the configuration set by environment variables: `GOLDENPATH_LIMITS__CYCLES=3`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_origin

from goldenpath_loop.config.position import KeyPath
from goldenpath_loop.config.problems import Problem, nearest
from goldenpath_loop.config.tables import field_named, keys_of
from goldenpath_loop.records.base import Record

__all__ = ["PREFIX", "Override", "read_overrides"]

PREFIX = "GOLDENPATH_"


@dataclass(frozen=True, slots=True)
class Override:
    """One key, the variable that sets it, and the value in TOML's terms."""

    path: KeyPath
    variable: str
    value: object


def read_overrides(
    environ: Mapping[str, str],
    *,
    tables: Mapping[str, type[Record]],
    named: Mapping[str, tuple[type[Record], Iterable[str]]],
    gates: Iterable[str],
) -> tuple[list[Override], list[Problem]]:
    """The overrides in `environ`, ordered by variable, and the variables that fit no key.

    A name with two underscores after the prefix is meant for us; others (`GOLDENPATH_HOME`) are left alone.
    Text keys take the value as it is, others read it as TOML: `GOLDENPATH_LOOP__JOBS=4`,
    `GOLDENPATH_TARGET__TESTS=["tests/"]`.

    Args:
        environ: Environment variables.
        tables: Record type of every plain table, by name.
        named: Record type and configured names of every table of tables (`services`).
        gates: Priorities that have a gate.
    """
    known: dict[str, tuple[KeyPath, object]] = {}
    for table, model in tables.items():
        for key in keys_of(model):
            known[_variable(table, key)] = ((table, key), field_named(model, key))
    for table, (model, names) in named.items():
        for name in names:
            for key in keys_of(model):
                if key != "name":
                    known[_variable(table, name, key)] = ((table, name, key), field_named(model, key))
    for gate in gates:
        known[_variable("gates", gate)] = (("gates", gate), float)
    overrides: list[Override] = []
    problems: list[Problem] = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or "__" not in variable.removeprefix(PREFIX):
            continue
        if variable not in known:
            where = f"environment {variable}"
            problems.append(Problem(where, "fits no key of the configuration", nearest(variable, known)))
            continue
        path, annotation = known[variable]
        overrides.append(Override(path, variable, _value(environ[variable], annotation)))
    return overrides, problems


def _variable(*parts: str) -> str:
    return PREFIX + "__".join(re.sub(r"[^A-Z0-9]", "_", part.upper()) for part in parts)


def _value(text: str, annotation: object) -> object:
    if annotation is str or get_origin(annotation) is Literal:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text  # left as text, so that the key's own check says what it should have been
