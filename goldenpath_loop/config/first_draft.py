"""The first goldenpath.toml, written from what a checkout shows; every guess says that it is one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from goldenpath_loop.config.look_around import FoundSuite, Surroundings

__all__ = ["first_draft", "to_fill_in"]


def first_draft(found: Surroundings) -> str:
    """A commented goldenpath.toml that loads as it is."""
    return "\n".join([*_target(found), *_services(found), *_suites(found), *_rest(found)]) + "\n"


def to_fill_in(found: Surroundings) -> tuple[str, ...]:
    """What only a person knows and the draft therefore lacks."""
    missing: list[str] = []
    if not found.services:
        missing.append("services: how each is started or where it answers, what to ask it ([services.NAME])")
    else:
        missing.append("services: what a healthy answer is; the draft only checks that each port is open")
        closed = [service.name for service in found.services if not service.port]
        if closed:
            missing.append(f"services without a published port: {', '.join(closed)}")
    missing.append("deploy: how a revision gets to where the tests look ([deploy])")
    if not found.suites:
        missing.append("suites: no pytest files were found ([suites.NAME])")
    elif found.services and not any(suite.needs for suite in found.suites):
        missing.append("suites: which services each needs (`needs`)")
    if found.suites and not any(suite.value_at_risk_usd for suite in found.suites):
        missing.append("suites: the revenue each protects (`value_at_risk_usd`)")
    if found.npm_test:
        missing.append("package.json: how its tests write JUnit XML; the suite stands there as a comment")
    return tuple(missing)


def _target(found: Surroundings) -> Iterator[str]:
    yield "# Written by `loop init` from what was found in this checkout. `loop doctor` checks it."
    yield ""
    yield "[target]"
    yield f"name = {_text(found.name)}"
    yield f"branch = {_text(found.branch)}  # what should be deployed, and where pull requests go"
    yield f"remote = {_text(found.remote)}"
    yield f"tests = {_list(found.tests or ('tests/',))}  # protected: never part of a remedy"
    yield f"packages = {_list(found.packages)}  # import names of the code under test"
    if found.python:
        yield f"python = {_text(found.python)}  # of this machine; `{{python}}` is the one that runs the loop"
    else:
        yield 'python = "{python}"  # the one that runs the loop; it needs pytest and what the tests import'
    if found.index:
        yield f"index = {_text(found.index.path)}  # the suites below were taken from it"
    yield ""


def _services(found: Surroundings) -> Iterator[str]:
    published = [service for service in found.services if service.port]
    yield "[deploy]"
    yield '# "process": the loop starts the services itself, also earlier revisions beside the deployed one;'
    yield "#            every service then needs `start`."
    yield '# "command": a script of yours deploys: command = ["scripts/deploy.sh", "{revision}"].'
    yield '# "none": somebody else deploys; the loop only looks.'
    yield 'adapter = "none"'
    yield '# env_file = "../staging.env"  # KEY=VALUE lines; the values are treated as secrets'
    yield ""
    if not published:
        yield "# [services.api]"
        yield '# start = ["{python}", "-m", "api"]'
        yield '# env = { PORT = "{port}" }'
        yield '# required_settings = ["API_SECRET"]'
        yield '# revision = "revision"  # JSON field of the first http probe that names the served commit'
        yield "# [[services.api.probes]]"
        yield '# name = "health"'
        yield '# kind = "http"  # or websocket, tcp, tls, dns'
        yield '# path = "/health"'
        yield ""
    for service in published:
        yield f"[services.{_key(service.name)}]  # from {found.compose_file}"
        yield f"url = {_text(f'http://127.0.0.1:{service.port}')}"
        yield f"[[services.{_key(service.name)}.probes]]"
        yield 'name = "port"'
        yield 'kind = "tcp"  # only whether the port is open; better: kind = "http", path = "/health"'
        yield ""


def _suites(found: Surroundings) -> Iterator[str]:
    yield "# priority: 1 (a run fails with any red test) to 6. Correct the guesses."
    if found.markers:
        yield f"# markers that pytest knows here: {', '.join(_comment(marker) for marker in found.markers)}"
    for suite in found.suites:
        yield from _suite(suite)
    if not found.suites:
        yield "# [suites.e2e]"
        yield '# path = "tests/e2e"'
        yield "# priority = 1"
        yield ""
    if found.npm_test:
        yield f"# package.json runs its tests with: {_comment(found.npm_test)}"
        yield "# [suites.npm]"
        yield '# command = ["npm", "test"]'
        yield '# junit = "report.xml"  # where the command writes its results'
        yield ""


def _suite(suite: FoundSuite) -> Iterator[str]:
    yield f"[suites.{_key(suite.name)}]"
    yield f"path = {_text(suite.path)}"
    if suite.markers:
        yield f"markers = {_text(suite.markers)}"
    yield f"priority = {suite.priority}  # {_comment(suite.reason)}"
    if suite.needs:
        yield f"needs = {_list(suite.needs)}"
    if suite.value_at_risk_usd:
        yield f"value_at_risk_usd = {round(suite.value_at_risk_usd)}  # a month"
    yield ""


def _rest(found: Surroundings) -> Iterator[str]:
    first = sorted(found.suites, key=lambda suite: suite.priority)[:1]
    if first:
        top = first[0].priority
        names = [suite.name for suite in found.suites if suite.priority == top]
        yield "[focuses.goldenpath]  # `loop start --focus goldenpath`"
        yield f"suites = {_list(names)}"
        yield ""
    yield "[limits]"
    yield "cycles = 5"
    yield "pull_requests = 3"
    yield "duration_s = 7200"


def _text(text: str) -> str:
    # JSON escapes are TOML escapes, save that TOML wants DEL escaped too.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(items: Sequence[str]) -> str:
    return "[" + ", ".join(_text(item) for item in items) + "]"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _comment(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
