"""Forwards WebSockets, and refusals of them as they are."""

import asyncio
import contextlib
import time

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedError,
    InvalidHandshake,
    InvalidStatus,
)
from websockets.typing import Subprotocol

from chatlib.logs import get_logger, record, warn
from chatlib.replies import refuse
from edge.upstreams import Upstreams

OPEN_TIMEOUT_S = 10.0
OPEN_BUDGET_S = 0.0005
PASSED_HEADERS = ("authorization", "cookie", "x-request-id")

# How a side that leaves first ends the other way.
DEPARTURES = (asyncio.CancelledError, ConnectionClosed, WebSocketDisconnect)

log = get_logger("edge")


async def client_to_upstream(client: WebSocket, upstream: ClientConnection) -> None:
    """Pass on what the client sends until it leaves."""
    while True:
        message = await client.receive()
        if message["type"] == "websocket.disconnect":
            await upstream.close(code=usable_code(message.get("code")))
            return
        text, data = message.get("text"), message.get("bytes")
        await upstream.send(text if text is not None else data or b"")


async def upstream_to_client(client: WebSocket, upstream: ClientConnection) -> None:
    """Pass on what the service sends until it closes, for a good reason or a bad one."""
    with contextlib.suppress(ConnectionClosedError):
        async for message in upstream:
            if isinstance(message, str):
                await client.send_text(message)
            else:
                await client.send_bytes(message)
    await client.close(code=usable_code(upstream.close_code))


def usable_code(code: int | None) -> int:
    """A close code that may be sent; some only exist to be read."""
    return code if code is not None and code not in (1005, 1006, 1015) else 1000


async def relay(client: WebSocket, upstream: ClientConnection) -> None:
    """Carry messages both ways until one side is done."""
    ways = [
        asyncio.create_task(client_to_upstream(client, upstream)),
        asyncio.create_task(upstream_to_client(client, upstream)),
    ]
    _, open_ways = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in open_ways:
        way.cancel()
    for outcome in await asyncio.gather(*ways, return_exceptions=True):
        if outcome is not None and not isinstance(outcome, DEPARTURES):
            record(log, "tunnel.broken", error=type(outcome).__name__)


def watch_opening(path: str, took_s: float) -> None:
    """Warn of a socket that took its time: whoever waits on either side may lose patience."""
    if took_s > OPEN_BUDGET_S:
        warn(
            log,
            "tunnel.late",
            path=path,
            took_s=round(took_s, 4),
            limit=f"OPEN_BUDGET_S={OPEN_BUDGET_S} in edge/tunnel.py",
            risk="the socket may be closed early",
        )


async def tunnel(client: WebSocket) -> None:
    """Connect a client's socket with the service behind it.

    The service decides first: the client's handshake is answered only after the service's own
    answer is known, and a refusal reaches the client with its status and its body.
    """
    upstreams: Upstreams = client.app.state.upstreams
    url = upstreams.find(client.url.path)
    if url is None:
        await client.send_denial_response(refuse(404, "not_found", "nothing answers this path"))
        return

    passed = [(name, client.headers[name]) for name in PASSED_HEADERS if name in client.headers]
    offered = [Subprotocol(name) for name in client.scope.get("subprotocols", [])]
    started = time.monotonic()
    try:
        async with connect(
            "ws" + url.removeprefix("http"),
            subprotocols=offered or None,
            additional_headers=passed,
            open_timeout=OPEN_TIMEOUT_S,
            proxy=None,
        ) as upstream:
            watch_opening(client.url.path, time.monotonic() - started)
            await client.accept(subprotocol=upstream.subprotocol)
            record(log, "tunnel.opened", path=client.url.path)
            await relay(client, upstream)
    except InvalidStatus as refusal:
        answer = refusal.response
        record(log, "tunnel.refused", path=client.url.path, status=answer.status_code)
        await client.send_denial_response(
            Response(
                bytes(answer.body or b""),
                status_code=answer.status_code,
                media_type=answer.headers.get("Content-Type"),
            )
        )
    except (OSError, TimeoutError, InvalidHandshake) as error:
        record(log, "upstream.unreachable", path=client.url.path, error=type(error).__name__)
        await client.send_denial_response(
            refuse(502, "upstream_unreachable", "the service behind the edge does not answer")
        )
