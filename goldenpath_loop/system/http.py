"""One HTTP request and what came back, as plain values; the only place that knows the HTTP library."""

from __future__ import annotations

import errno
import json as json_text
import os
import re
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

import anyio
import httpx

from goldenpath_loop.system.clock import monotonic_s, now

__all__ = ["Exchange", "exchange", "failure_line", "field_of", "trusted_certificates"]

_REVISION = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request as it was sent and the answer as it came; `status` is None when there was none."""

    method: str
    url: str
    sent: tuple[tuple[str, str], ...]
    """Request headers, credentials included: mask them before anything is shown."""
    started_at: datetime
    latency_ms: float
    """Until the whole answer was there, or until the attempt ended."""
    status: int | None = None
    reason: str = ""
    version: str = "HTTP/1.1"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    truncated: bool = False
    """Whether the answer was longer than `body`."""
    error: str = ""
    """One line such as `connection refused`; empty when the whole answer came."""
    document: Any = field(default=None, compare=False)
    """The body as JSON; None when it is not JSON or not complete."""

    def header(self, name: str) -> str:
        """The first header of that name, in any case; empty when there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def media_type(self) -> str:
        """The content type without its parameters; empty when the answer names none."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def redirect(self) -> str:
        """Where the answer points to instead, as a complete address; empty when it does not."""
        location = self.header("location")
        return urljoin(self.url, location) if self.status in _REDIRECTS and location else ""

    def revision(self, name: str) -> str | None:
        """The full commit id in the JSON field `name` (dots go deeper); None when there is no such thing."""
        value = field_of(self.document, name) if name else None
        if not isinstance(value, str):
            return None
        value = value.strip().lower()
        return value if _REVISION.fullmatch(value) else None


def field_of(document: Any, name: str) -> Any:
    """The value at `name` in a JSON document, where `a.b` looks into `a`; None when it is not there."""
    if isinstance(document, Mapping) and name in document:
        return document[name]
    for part in name.split("."):
        if not isinstance(document, Mapping) or part not in document:
            return None
        document = document[part]
    return document


def trusted_certificates() -> ssl.SSLContext:
    """What TLS connections trust: the shipped authorities, the system's and those in `SSL_CERT_FILE`."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


def _causes(failure: BaseException) -> Iterable[BaseException]:
    """`failure` and what led to it, outermost first; of several attempts the first counts."""
    current: BaseException | None = failure
    seen: set[int] = set()
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            current = current.exceptions[0]
        else:
            current = current.__cause__ or current.__context__


def _known_line(failure: BaseException) -> str:
    match failure:
        case socket.gaierror():
            # Only these two say that the name itself is wrong; the others mean that nobody could be asked.
            unknown = failure.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
            return "name not known" if unknown else f"name not looked up: {failure.strerror}".lower()
        case UnicodeError():
            return "name not known: it is not a valid host name"
        case ssl.SSLCertVerificationError():
            return f"certificate not accepted: {failure.verify_message}"
        case ssl.SSLError():
            # Only errors that OpenSSL itself reports have a reason.
            reason: str = getattr(failure, "reason", None) or "unknown reason"
            return f"TLS failed: {reason.replace('_', ' ').lower()}"
        case OSError() if failure.errno is not None:
            return os.strerror(failure.errno).lower()
        case OSError():
            # asyncio joins the errors of several addresses into one text without a number.
            number = re.search(r"\[Errno (\d+)\]", str(failure))
            return os.strerror(int(number[1])).lower() if number else ""
        case httpx.RemoteProtocolError() if "without sending" in str(failure):
            return "connection closed without an answer"
        case httpx.RemoteProtocolError():
            return f"answer is not HTTP: {failure}"
        case httpx.LocalProtocolError():
            # The library's own text repeats the header, which may be a credential.
            return "request cannot be sent: a header or the address is not valid HTTP"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return f"address cannot be used: {failure}"
        case _:
            return ""


def failure_line(failure: BaseException) -> str:
    """Why a connection failed, in one short line: `connection refused`, `name not known`."""
    line = next(filter(None, map(_known_line, _causes(failure))), "")
    if not line:
        line = f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__
    if line == os.strerror(errno.ETIMEDOUT).lower():
        line = "connection timed out"
    return " ".join(line.split())[:300]


def _document(body: bytes) -> Any:
    try:
        return json_text.loads(body)
    except (ValueError, RecursionError):
        return None


async def exchange(
    method: str,
    url: str,
    *,
    headers: Iterable[tuple[str, str]] = (),
    json: Any = None,
    timeout_s: float = 5.0,
    max_body_bytes: int = 1_000_000,
) -> Exchange:
    """Send one request and return what happened; a world that does not answer is a value, not an exception.

    Proxies of the environment are not used and redirects are not followed: `Exchange.redirect` names them.

    Args:
        method: HTTP method.
        url: Complete address, `http://` or `https://`.
        headers: Extra request headers.
        json: Sent as the request's JSON body; None for no body.
        timeout_s: Bound on the whole exchange, from looking up the name to the last byte of the answer.
        max_body_bytes: Bytes of the answer's body that are kept.
    """
    started_at, began = now(), monotonic_s()
    # Decoded bodies would differ from what the server sent, and may be far larger than what came in.
    wanted = [("accept-encoding", "identity"), ("user-agent", "goldenpath-loop"), *headers]
    sent: tuple[tuple[str, str], ...] = tuple(wanted)
    response: httpx.Response | None = None
    body, truncated, error = bytearray(), False, ""
    # Loading certificates costs more than a whole exchange on loopback; without TLS nothing is verified.
    verify = trusted_certificates() if url.lower().startswith("https:") else False
    with anyio.move_on_after(timeout_s) as scope:
        try:
            async with httpx.AsyncClient(
                trust_env=False, follow_redirects=False, timeout=None, verify=verify
            ) as client:
                request = client.build_request(method, url, headers=wanted, json=json)
                sent = tuple(request.headers.multi_items())
                response = await client.send(request, stream=True)
                try:
                    async for chunk in response.aiter_raw():
                        body += chunk
                        if len(body) > max_body_bytes:
                            truncated = True
                            del body[max_body_bytes:]
                            break
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as failure:
            error = failure_line(failure)
    if scope.cancelled_caught:
        error = f"{'no' if response is None else 'no complete'} answer within {timeout_s:g} s"
    latency_ms = (monotonic_s() - began) * 1000
    if response is None:
        return Exchange(method, url, sent, started_at, latency_ms, error=error)
    return Exchange(
        method=method,
        url=url,
        sent=sent,
        started_at=started_at,
        latency_ms=latency_ms,
        status=response.status_code,
        reason=response.reason_phrase,
        version=response.http_version,
        headers=tuple(response.headers.multi_items()),
        body=bytes(body),
        truncated=truncated,
        error=error,
        document=None if truncated or error else _document(bytes(body)),
    )
