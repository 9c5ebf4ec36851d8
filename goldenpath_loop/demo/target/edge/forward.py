"""Forwards plain HTTP."""

import httpx
from starlette.requests import Request
from starlette.responses import Response

from chatlib.logs import get_logger, record
from chatlib.replies import refuse
from edge.upstreams import Upstreams

MAX_BODY_BYTES = 64 * 1024
UPSTREAM_TIMEOUT_S = 10.0

# RFC 9110, 7.6.1, and what httpx and uvicorn write themselves.
HOP_BY_HOP = {
    "connection",
    "content-length",
    "date",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}

log = get_logger("edge")


def end_to_end(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers that concern more than one connection."""
    return [(name, value) for name, value in headers if name.decode().lower() not in HOP_BY_HOP]


async def bounded_body(request: Request) -> bytes | None:
    """The body of a request, or None when it is too long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


async def forward(request: Request) -> Response:
    """Pass a request on and its answer back."""
    upstreams: Upstreams = request.app.state.upstreams
    url = upstreams.find(request.url.path)
    if url is None:
        return refuse(404, "not_found", "nothing answers this path")

    body = await bounded_body(request)
    if body is None:
        return refuse(413, "body_too_long", f"a body has at most {MAX_BODY_BYTES} bytes")

    client: httpx.AsyncClient = request.app.state.client
    try:
        answer = await client.request(
            request.method,
            url,
            params=request.url.query.encode() or None,
            headers=end_to_end(request.headers.raw),
            content=body,
        )
    except httpx.HTTPError as error:
        record(log, "upstream.unreachable", path=request.url.path, error=type(error).__name__)
        return refuse(502, "upstream_unreachable", "the service behind the edge does not answer")

    response = Response(answer.content, status_code=answer.status_code)
    response.raw_headers = [
        (name.lower(), value)
        for name, value in end_to_end(answer.headers.raw)
        if name.lower() != b"content-encoding"
    ]
    response.headers["content-length"] = str(len(answer.content))
    return response
