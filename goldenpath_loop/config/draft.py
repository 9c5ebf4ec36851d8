"""The tree of a configuration file to settings, with everything that is wrong with single tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from goldenpath_loop.config.overrides import Override
from goldenpath_loop.config.position import KeyPath
from goldenpath_loop.config.problems import nearest
from goldenpath_loop.config.tables import TableProblem, read_table, type_name
from goldenpath_loop.records.base import Record
from goldenpath_loop.records.policy import Limits, Settings
from goldenpath_loop.records.target import (
    DeploySpec,
    FocusSpec,
    ForgeSpec,
    LoopSpec,
    ModelSpec,
    ServiceSpec,
    SuiteSpec,
    TargetSpec,
)

__all__ = ["NAMED", "TABLES", "Draft", "apply", "gates_of", "names_in", "read_tables"]

TABLES: Mapping[str, type[Record]] = {
    "target": TargetSpec,
    "deploy": DeploySpec,
    "limits": Limits,
    "forge": ForgeSpec,
    "model": ModelSpec,
    "loop": LoopSpec,
}
NAMED: Mapping[str, type[Record]] = {"services": ServiceSpec, "suites": SuiteSpec, "focuses": FocusSpec}

_WITH_DEMO = ("demo", "limits", "loop")
_NAME_LETTERS = "ASCII letters, digits, `.`, `-` and `_`"

_ALL = frozenset("*")

R = TypeVar("R", bound=Record)


@dataclass(slots=True)
class Draft:
    """Settings with a stand-in for every table that could not be read."""

    settings: Settings
    demo: str = ""
    problems: list[TableProblem] = field(default_factory=list)
    unread: dict[KeyPath, frozenset[str]] = field(default_factory=dict)
    """Tables that stand in `settings` without these keys, which could not be read; `*` for all keys."""


def gates_of() -> dict[str, float]:
    """The gates of a configuration that names none."""
    gates = Settings.model_fields["gates"].get_default(call_default_factory=True)
    return dict(gates)


def names_in(tree: Mapping[str, object], table: str) -> list[str]:
    """Names of the tables below `table`: of the services, the suites, the focuses."""
    named = tree.get(table)
    if not isinstance(named, dict):
        return []
    return [name for name, value in named.items() if isinstance(value, dict)]


def apply(tree: Mapping[str, object], overrides: list[Override]) -> dict[str, object]:
    """A copy of `tree` in which every override stands in place of what the file says."""
    result = dict(tree)
    for override in overrides:
        table = result
        for part in override.path[:-1]:
            inner = table.get(str(part), {})
            if not isinstance(inner, dict):
                break  # the file has something else here, which is a problem of its own
            table[str(part)] = table = dict(inner)
        else:
            table[str(override.path[-1])] = override.value
    return result


def read_tables(tree: Mapping[str, object]) -> Draft:
    """Settings from the configuration's own tree, as the TOML parser gives it."""
    reader = _Reader(tree)
    demo = reader.demo()
    if demo:
        target = TargetSpec(name=demo)
    elif "target" in tree:
        target = reader.table("target", TargetSpec, TargetSpec(name="target"))
    else:
        target = TargetSpec(name="target")
        reader.unread["target",] = _ALL
        if "demo" not in tree:
            advice = 'add [target] with name = "..."' if tree else "`loop init` writes a first version"
            reader.problems.append((("target",), "missing table [target]", advice))
    settings = Settings(
        target=target,
        deploy=reader.table("deploy", DeploySpec, DeploySpec()),
        services=reader.named("services", ServiceSpec),
        suites=reader.named("suites", SuiteSpec),
        focuses=reader.named("focuses", FocusSpec),
        gates=reader.gates(),
        limits=reader.table("limits", Limits, Limits()),
        forge=reader.table("forge", ForgeSpec, ForgeSpec()),
        model=reader.table("model", ModelSpec, ModelSpec()),
        loop=reader.table("loop", LoopSpec, LoopSpec()),
    )
    return Draft(settings, demo, reader.problems, reader.unread)


class _Reader:
    def __init__(self, tree: Mapping[str, object]) -> None:
        self._tree = tree
        self.problems: list[TableProblem] = []
        self.unread: dict[KeyPath, frozenset[str]] = {}
        known = (*TABLES, *NAMED, "gates", "demo")
        for key in tree:
            if key not in known:
                kind = "table" if isinstance(tree[key], dict) else "key"
                self.problems.append(((key,), f"unknown {kind} `{key}`", nearest(key, known)))

    def demo(self) -> str:
        if "demo" not in self._tree:
            return ""
        value = self._tree["demo"]
        if not isinstance(value, str) or not value:
            self.problems.append((("demo",), f"`demo` must be text, not {type_name(value)}", ""))
            return ""
        for key in self._tree:
            if key not in _WITH_DEMO:
                advice = "with `demo` only [limits] and [loop] may be set"
                self.problems.append(((key,), f"`{key}` cannot stand beside `demo`", advice))
        return value

    def table(self, name: str, model: type[R], stand_in: R) -> R:
        value = self._tree.get(name, {})
        if not isinstance(value, dict):
            self.problems.append(((name,), f"`{name}` must be a table, not {type_name(value)}", ""))
            self.unread[name,] = _ALL
            return stand_in
        return self._read((name,), model, value) or stand_in

    def named(self, table: str, model: type[R]) -> tuple[R, ...]:
        value = self._tree.get(table, {})
        if not isinstance(value, dict):
            self.problems.append(
                (
                    (table,),
                    f"`{table}` must hold named tables, not {type_name(value)}",
                    f"write [{table}.NAME]",
                )
            )
            self.unread[table,] = _ALL
            return ()
        records: list[R] = []
        for name, inner in value.items():
            path: KeyPath = (table, name)
            stand_in = model.model_validate({"name": name or "unnamed"})
            if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
                self.problems.append((path, f"a name is made of {_NAME_LETTERS}, not `{name}`", ""))
            if not isinstance(inner, dict):
                self.problems.append(
                    (path, f"`{name}` must be a table, not {type_name(inner)}", f"write [{table}.{name}]")
                )
                self.unread[path] = _ALL
                records.append(stand_in)
                continue
            if "name" in inner:
                self.problems.append(
                    ((*path, "name"), "unknown key `name`", f"the name stands in [{table}.{name}]")
                )
            body = {key: item for key, item in inner.items() if key != "name"}
            records.append(self._read(path, model, {"name": name or "unnamed", **body}) or stand_in)
        return tuple(records)

    def gates(self) -> dict[str, float]:
        gates = gates_of()
        value = self._tree.get("gates", {})
        if not isinstance(value, dict):
            self.problems.append((("gates",), f"`gates` must be a table, not {type_name(value)}", ""))
            return gates
        for name, share in value.items():
            if name not in gates:
                self.problems.append((("gates", name), f"unknown gate `{name}`", nearest(name, gates)))
            elif isinstance(share, bool) or not isinstance(share, (int, float)):
                self.problems.append(
                    (("gates", name), f"`{name}` must be a number, not {type_name(share)}", "")
                )
            elif not 0 <= share <= 1:
                advice = "it is a share, for example 0.05 for one red test in twenty"
                self.problems.append((("gates", name), f"`{name}` must be between 0 and 1", advice))
            else:
                gates[name] = float(share)
        return gates

    def _read(self, path: KeyPath, model: type[R], value: Mapping[str, object]) -> R | None:
        record, problems = read_table(model, value)
        self.problems += [((*path, *inner), message, advice) for inner, message, advice in problems]
        if record is None:
            spoiled = frozenset(str(inner[0]) for inner, _, _ in problems if inner)
            record, _ = read_table(model, {key: item for key, item in value.items() if key not in spoiled})
            self.unread[path] = spoiled if record is not None else _ALL
        return record
