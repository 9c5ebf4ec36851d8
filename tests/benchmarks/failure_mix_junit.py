"""Failures with known causes as JUnit reports bring them from other languages: browser tests, TypeScript, Go, Java.

Nothing in here was looked at while the clustering was made: what it scores here is what a new project may expect.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from goldenpath_loop.records.results import Failure
from tests.benchmarks.failure_mix import ENTITIES, Known, Mix

__all__ = ["suite_of"]


def _browser(mix: Mix, exception: str, message: str, helper: str = "") -> Failure:
    spec = f"e2e/{mix.chance.choice(sorted(ENTITIES))}.spec.ts"
    return mix.failure(exception, message, f"{spec}:<anonymous>", *((helper,) if helper else ()))


def _code(mix: Mix, entity: str, exception: str, message: str, *frames: str) -> Failure:
    about = entity if mix.chance.random() < 0.5 else mix.chance.choice(sorted(ENTITIES))
    way = mix.chance.choice(((), ("src/app/boot.ts:start",), ("src/app/router.ts:route",)))
    return mix.failure(exception, message, f"src/{about}/{about}.test.ts:<anonymous>", *way, *frames)


def invisible(mix: Mix, entity: str) -> None:
    """A part of the page never shows up."""
    mix.cause(
        entity,
        lambda: _browser(
            mix,
            "Error",
            f"Timed out {mix.chance.choice((5000, 10000))}ms waiting for expect(locator).toBeVisible()\n"
            f"Locator: getByTestId('{entity}-list')\nExpected: visible\nReceived: <element(s) not found>\n"
            f"Call log:\n  - waiting for getByTestId('{entity}-list')",
        ),
    )


def undefined(mix: Mix, entity: str) -> None:
    """Something is undefined where it is read."""
    said = f"Cannot read properties of undefined (reading '{ENTITIES[entity][1]}')"
    mix.cause(entity, lambda: _code(mix, entity, "TypeError", said, f"src/{entity}/store.ts:select"))


def unequal(mix: Mix, entity: str) -> None:
    """A field of an answer is gone, and only the comparison says so."""
    field = ENTITIES[entity][1]
    mix.cause(
        entity,
        lambda: _code(
            mix,
            entity,
            "Error",
            "expect(received).toEqual(expected) // deep equality\n- Expected - 1\n+ Received + 1\n  Object {\n"
            f'    "id": {mix.number()},\n-   "{field}": {mix.number()},\n+   "{field}": undefined,\n  }}',
        ),
    )


def registry(mix: Mix, entity: str) -> None:
    """One fault in one function, which says a few different things, each to several tests."""
    names = mix.chance.sample(("alpha", "beta", "gamma", "delta", "omega"), 3)
    mix.cause(
        entity,
        lambda: _code(
            mix,
            entity,
            "RangeError",
            f"unknown {entity} plugin '{mix.chance.choice(names)}'",
            f"src/{entity}/registry.ts:lookup",
        ),
        most=8,
    )


def request(mix: Mix, entity: str) -> None:
    """The client's one function tells which route gives which status."""
    method = mix.chance.choice(("GET", "POST"))
    mix.cause(
        entity,
        lambda: _code(
            mix,
            entity,
            "AxiosError",
            f"Request failed with status code 500: {method} /api/{entity}/{mix.number()}",
            "src/http.ts:request",
        ),
    )


def nil(mix: Mix, entity: str) -> None:
    """Go says the same of every nil."""

    def said() -> Failure:
        return mix.failure(
            "panic",
            "runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation "
            f"violation code=0x1 addr=0x{mix.chance.getrandbits(8):x} pc=0x{mix.chance.getrandbits(24):x}]",
            f"internal/{mix.chance.choice(sorted(ENTITIES))}/service_test.go:TestService{mix.number()}",
            f"internal/{entity}/store.go:Load",
        )

    mix.cause(entity, said)


def null(mix: Mix, entity: str) -> None:
    """Java names what was null; the function is one that all share."""
    model, field = ENTITIES[entity]

    def said() -> Failure:
        return mix.failure(
            "java.lang.NullPointerException",
            f'Cannot invoke "com.shop.{model}.get{field.title()}()" because the return value of '
            f'"com.shop.Registry.find{model}(long)" is null',
            f"src/test/java/com/shop/{mix.chance.choice(('Cart', 'Api', 'Batch'))}Test.java:test{mix.number()}",
            "src/main/java/com/shop/Pricing.java:apply",
        )

    mix.cause(entity, said)


def query(mix: Mix, entity: str) -> None:
    """A field has left the schema; every query that asks for it says so."""
    model, field = ENTITIES[entity]
    mix.cause(
        entity,
        lambda: _browser(
            mix,
            "GraphQLError",
            f'Cannot query field "{field}" on type "{model}". (operation Load{mix.number()}, trace {mix.uuid()})',
            "e2e/support/api.ts:query",
        ),
    )


def unreachable(mix: Mix, _: str) -> None:
    """The page's server does not listen, whatever page is asked for."""
    mix.cause(
        "page",
        lambda: _browser(
            mix,
            "Error",
            "page.goto: net::ERR_CONNECTION_REFUSED at "
            f"http://localhost:{mix.port()}/{mix.chance.choice(sorted(ENTITIES))}\nCall log:\n  - navigating",
        ),
    )


def limited(mix: Mix, _: str) -> None:
    """A limit of requests, whatever route is asked for."""
    mix.cause(
        "limit",
        lambda: _browser(
            mix,
            "AssertionError",
            f"expected 200, got 429 for GET /api/{mix.chance.choice(sorted(ENTITIES))}/{mix.number()}",
        ),
    )


_OF_ENTITIES: tuple[Callable[[Mix, str], None], ...] = (
    invisible,
    undefined,
    unequal,
    registry,
    request,
    nil,
    null,
    query,
)
_OF_ALL = (unreachable, limited)


def suite_of(chance: random.Random) -> list[Known]:
    """The failures of one suite: 3 to 5 kinds of cause, of one or two entities each."""
    mix = Mix(chance)
    for kind in chance.sample((*_OF_ENTITIES, *_OF_ALL), chance.randint(3, 5)):
        for entity in chance.sample(sorted(ENTITIES), 1 if kind in _OF_ALL else chance.choice((1, 2))):
            kind(mix, entity)
    return mix.known
