"""Runs of a made-up shop with evidence as real ones have it, and what an honest agent could say of each.

A failure has one true story: the test's answer, the edge's log, the backend's log, the source line, the change. All
around it stand hundreds of lines that have nothing to do with it, with carriage returns, colours and other scripts.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from goldenpath_loop.core.state import State
from goldenpath_loop.records.effects import Deploy, DescribeChange, DispatchAgent, ProbeService
from goldenpath_loop.records.findings import WhyLink
from goldenpath_loop.records.history import Commit
from goldenpath_loop.records.receipts import ChangeReceipt, DeployReceipt, DispatchReceipt, ProbeReceipt
from goldenpath_loop.records.services import ServiceReport
from tests.core.builders import NOON, PARENT, REVISION
from tests.core.written import Written, cite, why

__all__ = ["OLDER", "Shop", "open_shop"]

OLDER = "d" * 40
_ROUTES = ("threads", "messages", "orders", "invoices", "agents", "wünsche", "注文")
_VERBS = ("list", "load", "find", "count", "merge")
_KEYS = ("owner", "state", "größe", "total", "created_at", "名前")
_CHATTER = (
    "INFO  {service} request {n} GET /api/health took {m} ms",
    "DEBUG {service} cache hit for key session:{n}",
    "INFO  {service} GET /static/app.{n}.css 304 in {m} ms",
    "WARN  {service} slow query ({m} ms): SELECT id, name FROM users WHERE id = {n}",
    "INFO  {service} Größe des Pools: {m} von {n}, alles in Ordnung",
    "INFO  {service} 利用者 {n} がログインしました ({m} ms)",
    "INFO  {service} worker {m} picked up job {n} from the queue",
)
_SOURCE = (
    "def {verb}_{noun}_{n}(rows, limit={m}):",
    '    """Rows of {noun} that are younger than {m} days."""',
    "    found = [row for row in rows if row.age < {m}]",
    "    logger.debug('found %d of %d', len(found), {n})  # für die Übersicht",
    "    if len(found) > {n}:",
    "        raise TooMany('{noun}', {m})",
    "    return sorted(found, key=by_{noun})[:{m}]",
    "",
)


@dataclass
class Shop:
    """A run, and what can be said about it.

    Attributes:
        now: Evidence about the revision in question.
        older: True evidence about other revisions.
        unread: Evidence about the revision that nobody read.
        story: The true why-chain, from the test's words down to the change.
        state: What the run has come to.
    """

    run: Written = field(default_factory=Written)
    now: list[str] = field(default_factory=list)
    older: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    story: tuple[WhyLink, ...] = ()
    state: State = field(default_factory=State)

    @property
    def read(self) -> list[str]:
        """What the agent was shown: a bold one, so old evidence too."""
        return [*self.now, *self.older]


@dataclass(frozen=True)
class _Names:
    route: str
    verb: str
    key: str
    line: int
    number: int

    @property
    def function(self) -> str:
        return f"{self.verb}_{self.route}"

    @property
    def path(self) -> str:
        return f"backend/{self.verb}er.py"


def open_shop(rng: random.Random) -> Shop:
    """One run with its evidence, told by `rng` alone."""
    shop = Shop()
    names = _Names(
        rng.choice(_ROUTES), rng.choice(_VERBS), rng.choice(_KEYS), rng.randint(20, 180), rng.randint(1, 9000)
    )
    test = f"tests/e2e/test_{names.verb}.py::test_{names.function}[{names.number}]"
    ids = _failing_run(shop, rng, names, test)
    source = shop.run.evidence("source", _source(rng, names), f"{names.path} lines 1 to 260 of 260")
    shop.run.did(_asked("earlier", REVISION), DispatchReceipt(agent="sceptic"), source)
    diff = shop.run.evidence("diff", _diff(rng, names), REVISION)
    commit = Commit(revision=REVISION, parents=(PARENT,), subject="s", author="Ä", committed_at=NOON)
    change = DescribeChange(key="change/aaaa", revision=REVISION)
    shop.run.did(change, ChangeReceipt(commit=commit, diff=diff), diff)
    shop.now += [source, diff]
    _probes(shop, rng, names)
    _older(shop, rng, names, test)
    shop.run.clustered(test)
    shop.story = _story(names, (*ids, source, diff))
    shop.state = shop.run.state
    return shop


def _asked(key: str, revision: str) -> DispatchAgent:
    return DispatchAgent(key=key, agent="sceptic", subject="K1", inputs={}, revision=revision)


def _failing_run(shop: Shop, rng: random.Random, names: _Names, test: str) -> tuple[str, str, str]:
    """The run that everything is about: one failure, and what the services said meanwhile."""
    run, at = shop.run, NOON + timedelta(seconds=rng.randint(60, 3000))
    result = run.evidence("test_result", _result(rng, names, test), test, at=at, duration_s=2.0)
    edge = run.evidence("service_log", _log(rng, names, "edge", at), "log of edge in staging", at=NOON)
    backend = run.evidence(
        "service_log", _log(rng, names, "backend", at), "log of backend in staging", at=NOON
    )
    other = run.evidence("command_output", _chatter(rng, "runner", 300), "suite e2e")
    run.ran("c0/execute/e2e", "e2e", result, edge, backend, other)
    unread = run.evidence("service_log", _log(rng, names, "auth", at), "log of auth in staging", at=NOON)
    run.ran("c0/execute/unit", "unit", unread, outcome="green")
    shop.now += [result, edge, backend, other]
    shop.unread.append(unread)
    return result, edge, backend


def _probes(shop: Shop, rng: random.Random, names: _Names) -> None:
    asked = ProbeService(key="c0/probe/edge", deployment="staging", service="edge")
    answer = shop.run.evidence("http_exchange", _exchange(rng, names), "probe edge.api", served=REVISION)
    receipt = ProbeReceipt(report=ServiceReport(service="edge", reports=()))
    shop.run.did(asked, receipt, answer)
    shop.now.append(answer)


def _older(shop: Shop, rng: random.Random, names: _Names, test: str) -> None:
    """What was seen on another revision, by every instrument that says which one."""
    run, at = shop.run, NOON - timedelta(hours=3)
    result = run.evidence("test_result", _result(rng, names, test), test, at=at)
    log = run.evidence("service_log", _log(rng, names, "edge", at), "log of edge in staging", at=at)
    run.ran("again/e2e", "e2e", result, log, revision=OLDER)
    answer = run.evidence("http_exchange", _exchange(rng, names), "probe edge.api", served=OLDER)
    start = run.evidence("service_log", _log(rng, names, "backend", at), "log of backend in preview", at=at)
    deployed = DeployReceipt(deployment="preview", revision=OLDER)
    effect = Deploy(key="deploy/preview", deployment="preview", tree="t", revision=OLDER, preview=True)
    run.did(effect, deployed, start)
    probe = ProbeService(key="probe/preview", deployment="preview", service="edge")
    run.did(probe, ProbeReceipt(report=ServiceReport(service="edge", reports=())), answer)
    source = run.evidence("source", _source(rng, names), f"{names.path} lines 1 to 260 of 260")
    run.did(_asked("c-1/analyse/K1/1", OLDER), DispatchReceipt(agent="failure_analyst"), source)
    shop.older += [result, log, answer, start, source]


def _chatter(rng: random.Random, service: str, count: int) -> str:
    said = (rng.choice(_CHATTER) for _ in range(count))
    return "".join(
        one.format(service=service, n=rng.randint(2, 9999), m=rng.randint(2, 99)) + "\n" for one in said
    )


def _result(rng: random.Random, names: _Names, test: str) -> str:
    message = f"AssertionError: GET /api/{names.route} answered 502, expected 200"
    lines = [f"test: {test}", "outcome: red", "stage: call", f"duration_s: {rng.uniform(0.1, 2):.3f}"]
    lines += ["--- message ---", message, "--- failure in call ---"]
    lines += [f"    assert answer.status == 200, '{names.route} {names.number}'"]
    for _ in range(rng.randint(60, 160)):
        lines.append(rng.choice(_SOURCE).format(verb="check", noun="page", n=rng.randint(2, 999), m=7))
    lines += ["--- captured stdout ---", _chatter(rng, "test", 80)]
    return "\n".join(lines)


def _log(rng: random.Random, names: _Names, service: str, at: datetime) -> str:
    """Three hundred lines with the one that matters at the test's time, coloured as terminals like it."""
    before = _stamped(rng, _chatter(rng, service, 220), 0)
    after = _stamped(rng, _chatter(rng, service, 80), 3100)
    first, *rest = _words(names, service)
    said = [f"{at:%Y-%m-%d %H:%M:%S},120 {first}", *rest]
    if service == "edge" and rng.random() < 0.5:
        said = [one.replace("ERROR edge", "\x1b[31mERROR\x1b[0m \x1b[1medge\x1b[0m") for one in said]
    end = rng.choice(("\n", "\r\n"))
    return end.join([*before, *said, *after]) + end


def _stamped(rng: random.Random, text: str, since_s: int) -> list[str]:
    spoken = [one for one in text.split("\n") if one]
    return [
        f"{NOON + timedelta(seconds=since_s + number * 0.2):%Y-%m-%d %H:%M:%S},{rng.randint(100, 999)} {one}"
        for number, one in enumerate(spoken)
    ]


def _words(names: _Names, service: str) -> list[str]:
    if service == "edge":
        return [f"ERROR edge backend answered 500 for GET /api/{names.route} in {names.number} ms"]
    if service == "auth":
        return [f"ERROR auth refused the token of GET /api/{names.route}"]
    return [
        f"ERROR backend GET /api/{names.route} failed after {names.number} ms",
        f'  File "/srv/{names.path}", line {names.line}, in {names.function}',
        f"KeyError: '{names.key}'",
    ]


def _source(rng: random.Random, names: _Names) -> str:
    lines = []
    for _ in range(259):
        line = rng.choice(_SOURCE)
        lines.append(
            line.format(verb=rng.choice(_VERBS), noun="row", n=rng.randint(2, 999), m=rng.randint(2, 99))
        )
    lines.insert(names.line, f'    return [row["{names.key}"] for row in {names.function}_rows()]')
    return "\n".join(lines) + "\n"


def _diff(rng: random.Random, names: _Names) -> str:
    head = [f"commit {REVISION}", "Author: Ä. Öst <a@example.org>", "", f"    Sort {names.route}", ""]
    head += [f"diff --git a/{names.path} b/{names.path}", f"@@ -{names.line},7 +{names.line},7 @@"]
    head += [f"-    return [row.get('{names.key}') for row in {names.function}_rows()]"]
    head += [f'+    return [row["{names.key}"] for row in {names.function}_rows()]']
    rest = [rng.choice(" +-") + one for one in _source(rng, names).split("\n")]
    return "\n".join([*head, *rest])


def _exchange(rng: random.Random, names: _Names) -> str:
    rows = ",\r\n".join(
        f'  {{"id": {rng.randint(1, 99999)}, "{names.key}": "Wert {number}", "ok": true}}'
        for number in range(90)
    )
    return (
        f"GET /api/{names.route} HTTP/1.1\r\nhost: edge\r\n\r\nHTTP/1.1 200 OK\r\n"
        f"content-type: application/json; charset=utf-8\r\nx-request-id: {names.number}\r\n\r\n[\r\n{rows}\r\n]\r\n"
    )


def _story(names: _Names, ids: tuple[str, str, str, str, str]) -> tuple[WhyLink, ...]:
    result, edge, backend, source, diff = ids
    told = {
        "symptom": cite(result, f"GET /api/{names.route} answered 502, expected 200"),
        "edge": cite(edge, f"ERROR edge backend answered 500 for GET /api/{names.route}"),
        "backend": cite(backend, f"ERROR backend GET /api/{names.route} failed"),
        "trace": cite(backend, f"in {names.function}\nKeyError: '{names.key}'"),
        "source": cite(source, f'return [row["{names.key}"] for row in {names.function}_rows()]'),
        "change": cite(diff, f"-    return [row.get('{names.key}') for row in {names.function}_rows()]"),
    }
    steps = list(told.items())
    return tuple(
        why(above, below, refuter=above[1] if number == 2 else None)
        for number, (above, below) in enumerate(itertools.pairwise(steps))
    )
