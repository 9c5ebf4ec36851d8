"""HTTP/1.1 by hand on a socket, so that a server can also break it: half bodies, dropped lines, silence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

__all__ = ["Dropped", "Exchange", "Request", "read_request"]

_LOOK_S = 0.02


class Dropped(Exception):
    """The connection is of no use any more."""


@dataclass(frozen=True)
class Request:
    """One request, header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    data: bytes

    @property
    def keeps_alive(self) -> bool:
        """Whether another request may follow on the connection."""
        return self.headers.get("connection", "").lower() != "close"


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """The next request of a connection; None when there is none."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
        }
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            data = await _chunks(reader)
        else:
            data = await reader.readexactly(int(headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, OSError):
        return None
    return Request(method, path.partition("?")[0], headers, data)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    data = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        data += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return data


class Exchange:
    """The answer to one request, written piece by piece."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.status = 0

    async def json(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        """Answer with a JSON body."""
        await self.whole(status, json.dumps(value).encode(), headers)

    async def whole(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        kind: str = "application/json",
        promised: int | None = None,
    ) -> None:
        """Answer with a body; `promised` is the length that is announced when it is not the true one."""
        size = len(body) if promised is None else promised
        await self._head(status, {"Content-Type": kind, "Content-Length": str(size), **(headers or {})})
        await self._write(body)

    async def rest(self, data: bytes) -> None:
        """What was still owed of a body."""
        await self._write(data)

    async def open_stream(self) -> None:
        """Begin an answer of server-sent events."""
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        await self._head(200, {**headers, "Transfer-Encoding": "chunked"})

    async def event(self, data: str) -> None:
        """One server-sent event, as an HTTP chunk of its own."""
        await self.chunk(f"data: {data}\n\n".encode())

    async def chunk(self, data: bytes) -> None:
        """One HTTP chunk."""
        await self._write(b"%x\r\n%b\r\n" % (len(data), data))

    async def close_stream(self) -> None:
        """Say that the answer is whole."""
        await self._write(b"0\r\n\r\n")

    async def sleep(self, seconds: float) -> None:
        """Say nothing for a while.

        Raises:
            Dropped: The other side has left.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        while (left := until - clock()) > 0:
            await asyncio.sleep(min(left, _LOOK_S))
            if self._reader.at_eof() or self._writer.is_closing():
                raise Dropped

    def drop(self) -> Dropped:
        """Cut the line at once; to be raised."""
        self._writer.transport.abort()
        return Dropped()

    async def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        try:
            words = HTTPStatus(status).phrase
        except ValueError:
            words = "Unknown"
        lines = [f"HTTP/1.1 {status} {words}", *(f"{name}: {value}" for name, value in headers.items())]
        await self._write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def _write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise Dropped from error
