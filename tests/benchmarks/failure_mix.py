"""Failures of a chat service with known causes, in the words that pytest, httpx, SQLAlchemy and their like really use.

Every suite has 3 to 5 of fourteen kinds of cause, each of one or two entities of the service: two causes of a suite may
look much alike, but something always tells them apart, be it only the file of the test.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from goldenpath_loop.records.results import Failure, TestResult
from goldenpath_loop.science.signature import signature_of

__all__ = ["ENTITIES", "Known", "Mix", "suite_of"]

ENTITIES = {
    "orders": ("Order", "price"),
    "users": ("User", "email"),
    "agents": ("Agent", "tools"),
    "threads": ("Thread", "owner_id"),
    "messages": ("Message", "content"),
    "files": ("Upload", "checksum"),
    "plans": ("Plan", "quota"),
    "webhooks": ("Hook", "secret"),
    "invoices": ("Invoice", "due_date"),
    "events": ("Event", "payload"),
}

_BACKGROUND = "(Background on this error at: https://sqlalche.me/e/20/e3q8)"


@dataclass(frozen=True)
class Known:
    """One failure, and the number of its true cause."""

    result: TestResult
    cause: int


Says = Callable[[], Failure]


class Mix:
    """Failures of one suite, cause by cause."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.known: list[Known] = []
        self.causes = 0

    def cause(self, entity: str, *surfaces: Says, most: int = 5) -> None:
        """One cause: each of its surfaces is shown by 1 to `most` tests, mostly those of `entity`."""
        self.causes += 1
        for says in surfaces:
            for _ in range(self.chance.randint(1, most)):
                failure = says()
                file = failure.frames[0].split(":")[0]
                test = f"{file}::test_{entity}_{len(self.known)}"
                result = TestResult(
                    id=test, outcome="red", failure=failure, signature=signature_of(failure), duration_s=0.1
                )
                self.known.append(Known(result, self.causes))

    def line(self) -> int:
        return self.chance.randint(8, 240)

    def number(self) -> int:
        return self.chance.randint(1, 99_999)

    def port(self) -> int:
        return self.chance.randint(20_000, 60_000)

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128)))

    def file(self, entity: str, folder: str) -> str:
        """The file of a test that meets a fault of `entity`: mostly the entity's own."""
        about = entity if self.chance.random() < 0.6 else self.chance.choice(sorted(ENTITIES))
        return f"tests/{folder}/test_{about}.py"

    def failure(self, exception: str, message: str, *frames: str) -> Failure:
        """A failure whose frames (`path:function`) get line numbers."""
        parts = [frame.rpartition(":") for frame in frames]
        lines = [self.line() for _ in frames]
        return Failure(
            exception=exception,
            message=message,
            path=parts[-1][0],
            line=lines[-1],
            function=parts[-1][2],
            frames=tuple(
                f"{path}:{line}:{function}" for (path, _, function), line in zip(parts, lines, strict=True)
            ),
        )

    def unit(self, entity: str, exception: str, message: str, *frames: str) -> Failure:
        """Raised in the service's code, reached by some way."""
        file = self.file(entity, "unit")
        way = self.chance.choice(((), ("app/api.py:dispatch",), ("app/jobs.py:run", "app/api.py:call")))
        return self.failure(exception, message, f"{file}:test_{self.number()}", *way, *frames)

    def seen(self, entity: str, exception: str, message: str, helper: str = "") -> Failure:
        """Seen by an end-to-end test, perhaps in a helper of the tests."""
        file = self.file(entity, "e2e")
        frames = (f"{file}:test_{self.number()}", *((f"tests/e2e/{helper}",) if helper else ()))
        return self.failure(exception, message, *frames)


def missing_key(mix: Mix, entity: str) -> None:
    """A field is gone: unit tests see the KeyError, end-to-end tests a 500 whose body names it."""
    _, field = ENTITIES[entity]

    def answered() -> Failure:
        body = json.dumps({"detail": f"KeyError: '{field}'", "request_id": mix.uuid()})
        url = f"http://127.0.0.1:{mix.port()}/api/v1/{entity}/{mix.number()}"
        return mix.seen(
            entity, "AssertionError", f"GET {url} returned 500: {body}\nassert 500 == 200", "client.py:expect"
        )

    mix.cause(
        entity, lambda: mix.unit(entity, "KeyError", f"'{field}'", f"app/{entity}.py:serialize"), answered
    )


def none_attribute(mix: Mix, entity: str) -> None:
    """Something is None where its callers use it."""
    _, field = ENTITIES[entity]
    said = f"'NoneType' object has no attribute '{field}'"
    mix.cause(entity, lambda: mix.unit(entity, "AttributeError", said, f"app/{entity}.py:find"))


def column(mix: Mix, entity: str) -> None:
    """A column is gone, told by the one function that talks to the database."""
    _, field = ENTITIES[entity]
    said = (
        f"(sqlite3.OperationalError) no such column: {entity}.{field}\n"
        f"[SQL: SELECT {entity}.id, {entity}.{field} FROM {entity} WHERE {entity}.id = ?]\n"
    )
    mix.cause(
        entity,
        lambda: mix.unit(
            entity,
            "OperationalError",
            f"{said}[parameters: ({mix.number()},)]\n{_BACKGROUND}",
            f"app/{entity}.py:load",
            "app/db.py:execute",
        ),
    )


def locked(mix: Mix, _: str) -> None:
    """The database is locked for whoever writes, told by the same function."""

    def said() -> Failure:
        table = mix.chance.choice(sorted(ENTITIES))
        return mix.unit(
            table,
            "OperationalError",
            f"(sqlite3.OperationalError) database is locked\n[SQL: INSERT INTO {table} (id) VALUES (?)]\n"
            f"[parameters: ('{mix.uuid()}',)]\n{_BACKGROUND}",
            f"app/{table}.py:save",
            "app/db.py:execute",
        )

    mix.cause("database", said)


def service_down(mix: Mix, entity: str) -> None:
    """Nobody listens; how that is said depends on the client."""

    def refused() -> Failure:
        said = f"[Errno 111] Connect call failed ('127.0.0.1', {mix.port()})"
        return mix.seen(entity, "ConnectionRefusedError", said, "client.py:request")

    def failed() -> Failure:
        said = f"GET http://127.0.0.1:{mix.port()}/{entity}/health: All connection attempts failed"
        return mix.seen(entity, "ConnectError", said, "client.py:request")

    mix.cause(entity, mix.chance.choice((refused, failed)), failed)


def handshake(mix: Mix, entity: str) -> None:
    """Credentials are refused, by the socket and by the routes."""

    def socket() -> Failure:
        return mix.seen(
            entity, "InvalidStatus", "server rejected WebSocket connection: HTTP 403", "ws.py:connect"
        )

    def route() -> Failure:
        said = f"GET http://127.0.0.1:{mix.port()}/api/v1/{entity} returned 403: " + json.dumps(
            {"detail": f"token lacks scope {entity}:read", "request_id": mix.uuid()}
        )
        return mix.seen(entity, "AssertionError", f"{said}\nassert 403 == 200", "client.py:expect")

    mix.cause(entity, socket, route, most=3)


def closed(mix: Mix, entity: str) -> None:
    """The service's worker dies behind an open socket."""

    def said() -> Failure:
        why = f"1011 (internal error) {entity} worker {mix.uuid()[:8]} died"
        return mix.seen(entity, "ConnectionClosedError", f"received {why}; then sent {why}", "ws.py:receive")

    mix.cause(entity, said)


def missing_event(mix: Mix, entity: str) -> None:
    """An event never comes; what came instead differs."""

    def said() -> Failure:
        came = mix.chance.sample(("started", "token", "thinking", "tool_called", "ping"), 3)
        return mix.seen(
            entity,
            "TimeoutError",
            f"no '{entity}_completed' within {mix.chance.choice((2.0, 5.0, 10.0))} s, got {came}",
            "ws.py:wait_for",
        )

    mix.cause(entity, said)


def fixture(mix: Mix, entity: str) -> None:
    """A fixture that tests of many files share cannot be made."""

    def said() -> Failure:
        run = f"/tmp/pytest-of-ci/pytest-{mix.chance.randint(1, 99)}/{entity}{mix.chance.randint(0, 9)}"
        file = f"tests/unit/test_{mix.chance.choice(sorted(ENTITIES))}.py"
        return mix.failure(
            "FileNotFoundError",
            f"[Errno 2] No such file or directory: '{run}/{entity}-seed.json'",
            f"{file}:test_{mix.number()}",
            f"tests/conftest.py:seeded_{entity}",
        )

    mix.cause(entity, said)


def wrong_value(mix: Mix, entity: str) -> None:
    """A function gives a wrong answer, so that nothing crashes: only pytest's own words name it."""
    model, _ = ENTITIES[entity]

    def decimal() -> Failure:
        got, wanted = f"Decimal('{mix.number() / 100}')", f"Decimal('{mix.number() / 100}')"
        said = (
            f"assert {got} == {wanted}\n +  where {got} = total_of({model}(id={mix.number()}, lines=[...]))"
        )
        return mix.failure("AssertionError", said, f"{mix.file(entity, 'unit')}:test_{mix.number()}")

    def method() -> Failure:
        got, wanted = mix.number(), mix.number()
        said = (
            f"assert {got} == {wanted}\n +  where {got} = <bound method {model}.total_of of "
            f"<app.{entity}.{model} object at {hex(mix.chance.getrandbits(44))}>>()"
        )
        return mix.failure("AssertionError", said, f"{mix.file(entity, 'unit')}:test_{mix.number()}")

    mix.cause(entity, *mix.chance.choice(((decimal,), (method,), (decimal, method))))


def import_error(mix: Mix, entity: str) -> None:
    """A name is gone; who imports it first differs."""
    model, _ = ENTITIES[entity]

    def said() -> Failure:
        where = f"/home/ci/build-{mix.number()}/app/{entity}.py"
        way = mix.chance.choice(((), ("app/api.py:<module>",), ("app/jobs.py:<module>",)))
        return mix.failure(
            "ImportError",
            f"cannot import name '{model}' from 'app.{entity}' ({where})",
            f"{mix.file(entity, 'unit')}:<module>",
            *way,
        )

    mix.cause(entity, said)


def validation(mix: Mix, entity: str) -> None:
    """A field of a model is gone, told by the one function that checks all models."""
    model, field = ENTITIES[entity]

    def said() -> Failure:
        seen = f"{{'id': {mix.number()}, 'created': '2026-11-{mix.chance.randint(1, 28):02}T10:00:00Z'}}"
        said = (
            f"1 validation error for {model}Out\n{field}\n  Field required [type=missing, "
            f"input_value={seen}, input_type=dict]\n"
            "    For further information visit https://errors.pydantic.dev/2.9/v/missing"
        )
        return mix.unit(entity, "ValidationError", said, "app/schemas.py:parse")

    mix.cause(entity, said)


def bare_status(mix: Mix, entity: str) -> None:
    """Nothing but a status: all that helps is which tests see it."""

    def said() -> Failure:
        return mix.failure(
            "AssertionError",
            "assert 500 == 200\n +  where 500 = <Response [500 Internal Server Error]>.status_code",
            f"tests/e2e/test_{entity}.py:test_{mix.number()}",
        )

    mix.cause(entity, said)


def service_error(mix: Mix, entity: str) -> None:
    """Many routes fail because of one thing, which the service's log names."""

    def said() -> Failure:
        route = mix.chance.choice(sorted(ENTITIES))
        method = mix.chance.choice(("GET", "POST", "DELETE"))
        return mix.seen(
            entity,
            "AssertionError",
            f"assert 500 == 200: {method} /api/v1/{route}/{mix.number()} (request {mix.uuid()}); "
            f"service: TimeoutError in acquire: pool '{entity}' of size {mix.chance.randint(5, 9)} is exhausted",
        )

    mix.cause(entity, said)


_OF_ENTITIES = (
    missing_key,
    none_attribute,
    column,
    closed,
    missing_event,
    fixture,
    wrong_value,
    import_error,
    validation,
    bare_status,
    service_error,
)
_OF_ALL = (locked, service_down, handshake)  # no failure ties them to an entity: at most one cause of a suite


def suite_of(chance: random.Random) -> list[Known]:
    """The failures of one suite."""
    mix = Mix(chance)
    for kind in chance.sample((*_OF_ENTITIES, *_OF_ALL), chance.randint(3, 5)):
        for entity in chance.sample(sorted(ENTITIES), 1 if kind in _OF_ALL else chance.choice((1, 2))):
            kind(mix, entity)
    return mix.known
