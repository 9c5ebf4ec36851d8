"""Small real servers on loopback, written down byte for byte."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

__all__ = ["closed_port", "http_answer", "http_server", "json_answer", "silent_server", "websocket_server"]


def http_answer(status: str, body: bytes, *headers: str) -> bytes:
    """A complete HTTP answer; `status` is such as `200 OK`."""
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


def json_answer(document: Any, status: str = "200 OK") -> bytes:
    return http_answer(status, json.dumps(document).encode(), "content-type: application/json")


@asynccontextmanager
async def http_server(
    answer: bytes | Callable[[str], bytes], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[str]]]:
    """Answers every request with `answer`, or with what it makes of the request; gives URL and requests."""
    requests: list[str] = []

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Some probes knock and leave without asking anything.
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                (int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")),
                0,
            )
            request = head + (await reader.readexactly(length)).decode()
            requests.append(request)
            writer.write(answer if isinstance(answer, bytes) else answer(request))
            await writer.drain()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0, ssl=tls)
    async with server:
        scheme = "https" if tls else "http"
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """Takes connections and never says a word."""
    over = asyncio.Event()

    async def serve_one(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            await over.wait()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    async with server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            over.set()


@asynccontextmanager
async def websocket_server(
    talk: Callable[[ServerConnection], Awaitable[None]],
    *,
    instead: Callable[[Request], tuple[HTTPStatus, dict[str, str], bytes] | None] | None = None,
    choose: Callable[[ServerConnection, Sequence[Any]], Any] | None = None,
) -> AsyncIterator[tuple[str, list[Request]]]:
    """Talks to every connection, unless `instead` answers the handshake by plain HTTP."""
    requests: list[Request] = []

    async def before(connection: ServerConnection, request: Request) -> Response | None:
        requests.append(request)
        answer = instead(request) if instead is not None else None
        if answer is None:
            return None
        status, headers, body = answer
        response = connection.respond(status, body.decode())
        for name, value in headers.items():
            response.headers[name] = value
        return response

    async with serve(talk, "127.0.0.1", 0, process_request=before, select_subprotocol=choose) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}", requests


def closed_port() -> int:
    """A loopback port where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
