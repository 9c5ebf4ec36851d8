"""One HTTP exchange as a value, whatever the world does."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import anyio
import pytest

from goldenpath_loop.system.http import exchange, failure_line, field_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def server(*pieces: bytes, hang: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Reads a request's head, writes `pieces`, then closes or says nothing more."""
    heads: list[bytes] = []
    over = asyncio.Event()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            for piece in pieces:
                writer.write(piece)
            await writer.drain()
            if hang:
                await over.wait()

    listening = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    async with listening:
        try:
            yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", heads
        finally:
            over.set()


async def test_an_answer_is_kept_as_it_came() -> None:
    head = b"HTTP/1.1 201 Made\r\nX-A: 1\r\nX-A: 2\r\nContent-Type: Application/JSON; charset=utf-8\r\n\r\n"
    async with server(head, b'{"a": {"b": 1}}') as (url, heads):
        seen = await exchange("GET", f"{url}/x?y=1", headers=[("x-probe", "1")])
    assert (seen.status, seen.reason, seen.error) == (201, "Made", "")
    assert [value for name, value in seen.headers if name.lower() == "x-a"] == ["1", "2"]
    assert seen.media_type == "application/json"
    assert seen.body == b'{"a": {"b": 1}}'
    assert seen.document == {"a": {"b": 1}}
    assert seen.latency_ms > 0
    assert heads[0].startswith(b"GET /x?y=1 HTTP/1.1\r\n")
    assert b"x-probe: 1" in heads[0]


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with server(b"HTTP/1.1 204 No Content\r\n\r\n") as (url, _):
        assert (await exchange("GET", url)).status == 204


async def test_a_redirect_is_named_and_not_followed() -> None:
    async with server(b"HTTP/1.1 302 Found\r\nlocation: ../login\r\ncontent-length: 0\r\n\r\n") as (
        url,
        heads,
    ):
        seen = await exchange("GET", f"{url}/a/b")
    assert len(heads) == 1
    assert seen.redirect == f"{url}/login"


async def test_a_body_longer_than_wanted_is_cut() -> None:
    async with server(b"HTTP/1.1 200 OK\r\n\r\n", b"1" * 100_000) as (url, _):
        seen = await exchange("GET", url, max_body_bytes=10)
    assert seen.body == b"1" * 10
    assert seen.truncated
    assert seen.document is None


async def test_a_slow_body_ends_at_the_time_limit_with_what_is_known() -> None:
    async with server(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", hang=True) as (url, _):
        with anyio.fail_after(5):
            seen = await exchange("GET", url, timeout_s=0.2)
    assert seen.status == 200
    assert seen.error == "no complete answer within 0.2 s"
    assert seen.document is None


async def test_a_connection_closed_without_an_answer_is_said() -> None:
    async with server() as (url, _):
        assert (await exchange("GET", url)).error == "connection closed without an answer"


@pytest.mark.parametrize("url", ["nonsense", "gopher://127.0.0.1/", "http://"])
async def test_an_address_that_cannot_be_used_is_said(url: str) -> None:
    seen = await exchange("GET", url)
    assert seen.status is None
    assert "address" in seen.error


async def test_a_header_that_cannot_be_sent_is_said_without_its_value() -> None:
    async with server() as (url, _):
        seen = await exchange("GET", url, headers=[("x-a", "hunter22\r\nx-b: c")])
    assert seen.status is None
    assert seen.error
    assert "hunter22" not in seen.error


async def test_cancelling_goes_through() -> None:
    async with server(hang=True) as (url, _):
        with anyio.move_on_after(0.1) as scope:
            await exchange("GET", url, timeout_s=30)
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "connection refused"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "connection reset by peer"),
        (TimeoutError(errno.ETIMEDOUT, "x"), "connection timed out"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "name not known"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "name not looked up: temporary failure"),
        (OSError("Multiple exceptions: [Errno 111] a, [Errno 111] b"), "connection refused"),
        (ExceptionGroup("all", [OSError(errno.ENETUNREACH, "x")]), "network is unreachable"),
        (ValueError("what\nelse"), "ValueError: what else"),
        (ValueError(), "ValueError"),
    ],
)
def test_a_failure_is_one_short_line(failure: Exception, line: str) -> None:
    assert failure_line(failure) == line
    outer = RuntimeError("All attempts failed")
    outer.__cause__ = failure
    if not line.startswith("ValueError"):
        assert failure_line(outer) == line


def test_a_tls_failure_is_one_short_line() -> None:
    failure = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)")
    assert failure_line(failure).startswith("TLS failed: ")


@pytest.mark.parametrize(
    ("document", "name", "value"),
    [
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a.b": 2, "a": {"b": 1}}, "a.b", 2),
        ({"a": [1]}, "a.0", None),
        ([], "a", None),
        (None, "a", None),
    ],
)
def test_a_field_is_found_by_its_dotted_name(document: object, name: str, value: object) -> None:
    assert field_of(document, name) == value
