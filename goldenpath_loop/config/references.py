"""What one key of the configuration may say only if another key agrees."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from goldenpath_loop.config.position import KeyPath
from goldenpath_loop.config.problems import nearest
from goldenpath_loop.config.tables import TableProblem
from goldenpath_loop.records.policy import Settings
from goldenpath_loop.records.target import ServiceSpec, SuiteSpec

__all__ = ["disagreements"]

_SUBSTITUTION = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.\-]*)\}")
_SERVICE_FIELDS = ("url", "port")
_PRIORITIES = range(1, 7)
_DECIDING = frozenset({"start", "url", "port", "path", "command", "junit"})
"""Keys whose absence is the reason for the problems said about a whole table."""


def disagreements(
    settings: Settings, *, unread: Mapping[KeyPath, Collection[str]] | None = None
) -> list[TableProblem]:
    """Every place where `settings` contradicts itself, in the order of the tables.

    Args:
        settings: The configuration.
        unread: Tables that stand in it without these keys, because they could not be read (`*`: any key).
            Nothing is said that could be a mere consequence of that.
    """
    spoiled = unread or {}
    found = [*_target(settings), *_deploy(settings)]
    for service in settings.services:
        if ("deploy",) not in spoiled:
            found += _address(service, settings)
        found += _service(service, settings)
    for suite in settings.suites:
        found += _suite(suite, settings)
    found += _focuses(settings)
    return [problem for problem in found if not _is_consequence(problem[0], spoiled)]


def _is_consequence(path: KeyPath, spoiled: Mapping[KeyPath, Collection[str]]) -> bool:
    for table, keys in spoiled.items():
        if path[: len(table)] != table:
            continue
        if "*" in keys or (path == table and _DECIDING & set(keys)):
            return True
    return False


def _deploy(settings: Settings) -> Iterator[TableProblem]:
    deploy = settings.deploy
    if deploy.adapter == "command" and not deploy.command:
        yield (
            ("deploy",),
            'adapter = "command" needs `command`',
            'for example ["scripts/deploy.sh", "{revision}"]',
        )
    if deploy.adapter != "none" and not settings.services:
        yield (
            ("deploy", "adapter"),
            f'adapter = "{deploy.adapter}" has no service to deploy',
            "add [services.NAME] tables, or leave [deploy] out",
        )
    for number, word in enumerate(deploy.command):
        yield from _unknown_names(
            word, ("deploy", "command", number), settings, ("revision", "branch", "python", "worktree")
        )


def _address(service: ServiceSpec, settings: Settings) -> Iterator[TableProblem]:
    path: KeyPath = ("services", service.name)
    adapter = settings.deploy.adapter
    if adapter == "process" and not service.start:
        yield path, f'service `{service.name}` has no `start`, and adapter = "process" must start it', ""
    if adapter != "process" and not service.url and service.port == 0:
        yield (
            path,
            f"service `{service.name}` has neither `url` nor `port`",
            f'adapter = "{adapter}" does not start it: say where it answers, or set adapter = "process"',
        )


def _service(service: ServiceSpec, settings: Settings) -> Iterator[TableProblem]:
    path: KeyPath = ("services", service.name)
    if service.revision and not any(probe.kind == "http" for probe in service.probes):
        yield (
            (*path, "revision"),
            f"`revision` is read from the first http probe, and service `{service.name}` has none",
            "",
        )
    seen: set[str] = set()
    for number, probe in enumerate(service.probes):
        if probe.name in seen:
            yield (*path, "probes", number, "name"), f"two probes are called `{probe.name}`", ""
        seen.add(probe.name)
    names = ("url", "port", "python", "worktree", "revision")
    yield from _unknown_names(service.url, (*path, "url"), settings, ("port",), services=False)
    for number, word in enumerate(service.start):
        yield from _unknown_names(word, (*path, "start", number), settings, names)
    for key, text in service.env.items():
        yield from _unknown_names(text, (*path, "env", key), settings, names)
    for number, probe in enumerate(service.probes):
        place: KeyPath = (*path, "probes", number)
        texts: dict[KeyPath, str] = {("path",): probe.path, ("send",): probe.send}
        texts |= {("headers", name): text for name, text in probe.headers.items()}
        if probe.login is not None:
            texts["login", "url"] = probe.login.url
            texts |= {("login", "json", name): text for name, text in probe.login.json_body.items()}
        for key_path, text in texts.items():
            yield from _unknown_names(text, (*place, *key_path), settings, ("url", "port"))


def _suite(suite: SuiteSpec, settings: Settings) -> Iterator[TableProblem]:
    path: KeyPath = ("suites", suite.name)
    if not suite.path and not suite.command:
        yield path, f"suite `{suite.name}` has neither `path` nor `command`", ""
    if suite.path and suite.command:
        yield (*path, "command"), f"suite `{suite.name}` has both `path` and `command`", "keep one of them"
    if suite.junit and not suite.command:
        yield (*path, "junit"), "`junit` goes with `command`; pytest suites report on their own", ""
    if suite.command and not suite.junit:
        yield (
            (*path, "command"),
            f"suite `{suite.name}` runs a command and does not say where it writes its results",
            'add the JUnit XML file it writes: junit = "report.xml"',
        )
    for key, text in (("path", suite.path), ("junit", suite.junit)):
        if _leaves_tree(text):
            yield (*path, key), f"`{key}` leads out of the checkout", "write it relative to the checkout"
    services = [service.name for service in settings.services]
    for number, name in enumerate(suite.needs):
        if name not in services:
            yield (*path, "needs", number), f"unknown service `{name}`", nearest(name, services)
    names = ("python", "worktree", "revision")
    for number, word in enumerate(suite.command):
        yield from _unknown_names(word, (*path, "command", number), settings, names)
    for key, text in suite.env.items():
        yield from _unknown_names(text, (*path, "env", key), settings, names)


def _focuses(settings: Settings) -> Iterator[TableProblem]:
    suites = [suite.name for suite in settings.suites]
    for focus in settings.focuses:
        path: KeyPath = ("focuses", focus.name)
        for number, name in enumerate(focus.suites):
            if name not in suites:
                yield (*path, "suites", number), f"unknown suite `{name}`", nearest(name, suites)
        for number, priority in enumerate(focus.priorities):
            if priority not in _PRIORITIES:
                yield (*path, "priorities", number), "a priority must be 1 to 6", ""


def _target(settings: Settings) -> Iterator[TableProblem]:
    for number, prefix in enumerate(settings.target.tests):
        if _leaves_tree(prefix):
            yield (
                ("target", "tests", number),
                "`tests` leads out of the checkout",
                "write it relative to the checkout",
            )
    yield from _unknown_names(
        settings.target.python, ("target", "python"), settings, ("python",), services=False
    )


def _unknown_names(
    text: str, path: KeyPath, settings: Settings, names: tuple[str, ...], *, services: bool = True
) -> Iterator[TableProblem]:
    """Substitutions `{name}` in `text` that nothing will fill in."""
    known = set(names)
    if services:
        known |= {
            f"services.{service.name}.{field}" for service in settings.services for field in _SERVICE_FIELDS
        }
    for name in _SUBSTITUTION.findall(text):
        if name in known or name.startswith("env."):
            continue
        parts = name.split(".")
        if services and parts[0] == "services" and parts[-1] in _SERVICE_FIELDS:
            service = ".".join(parts[1:-1])
            advice = nearest(service, (spec.name for spec in settings.services))
            yield path, f"unknown service `{service}` in `{{{name}}}`", advice
        else:
            yield path, f"nothing fills in `{{{name}}}`", nearest(name, known)


def _leaves_tree(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.is_absolute() or ".." in pure.parts
