"""The application of the edge."""

import contextlib
from collections.abc import AsyncIterator

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from chatlib import paths
from chatlib.health import Check, Health
from chatlib.logs import get_logger, record
from chatlib.request_id import RequestId
from chatlib.settings import base_url
from edge.forward import UPSTREAM_TIMEOUT_S, forward
from edge.landing import landing
from edge.tunnel import tunnel
from edge.upstreams import Upstreams

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

log = get_logger("edge")


def liveness(client: httpx.AsyncClient, url: str) -> Check:
    """A check whether the service at a base URL answers."""

    async def check() -> None:
        (await client.get(url + paths.LIVE, timeout=1.0)).raise_for_status()

    return check


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Close the connections to the services at the end."""
    yield
    await app.state.client.aclose()
    record(log, "service.stopped")


def create_app() -> Starlette:
    """The application: own health, and everything else to the services."""
    upstreams = Upstreams(backend=base_url("BACKEND_URL"), auth=base_url("AUTH_URL"))
    client = httpx.AsyncClient(timeout=UPSTREAM_TIMEOUT_S, trust_env=False)
    health = Health(
        "edge",
        {"backend": liveness(client, upstreams.backend), "auth": liveness(client, upstreams.auth)},
    )
    app = Starlette(
        routes=[
            Route("/", landing),
            Route(paths.HEALTH, health.full),
            Route(paths.LIVE, health.live),
            Route("/{path:path}", forward, methods=METHODS),
            WebSocketRoute("/{path:path}", tunnel),
        ],
        middleware=[Middleware(RequestId)],
        lifespan=lifespan,
    )
    app.state.upstreams = upstreams
    app.state.client = client
    return app
