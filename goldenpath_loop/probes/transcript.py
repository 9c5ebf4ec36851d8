"""An exchange as text that a person can read and cite, with credentials masked. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from goldenpath_loop.system.http import Exchange
from goldenpath_loop.system.plain import plain, plain_line

__all__ = ["body_text", "header_lines", "is_laid_out", "lay_out", "mask", "of_exchange"]

_MASK = "***"
_SHORTEST_SECRET = 4
_CREDENTIAL = re.compile(
    r"auth(?:orization|entication)|cookie|token|secret|password|api-?key|credential", re.I
)
_HEADERS_SHOWN = 80
_HEADER_CHARS = 600
_BODY_CHARS = 60_000
_LAID_OUT_BYTES = 60_000
_LAID_OUT_DEPTH = 40
_JSON_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def mask(text: str, secrets: Iterable[str]) -> str:
    """`text` without the values in `secrets`; very short ones would take innocent words apart and stay."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _MASK)
    return text


def header_lines(headers: Iterable[tuple[str, str]]) -> list[str]:
    """Headers, one a line; of a credential only the scheme (`Bearer ***`) remains."""
    lines = []
    for name, value in list(headers)[:_HEADERS_SHOWN]:
        if _CREDENTIAL.search(name) and not name.lower().startswith("access-control-"):
            scheme = re.match(r"(?:Bearer|Basic|Digest) (?=.)", value, re.I)
            value = (scheme[0] if scheme else "") + _MASK
        lines.append(
            f"{plain_line(name.lower(), max_chars=100)}: {plain_line(value, max_chars=_HEADER_CHARS)}"
        )
    return lines


def lay_out(document: str) -> str:
    """A JSON text with line breaks and indentation; every key, number and string stays as it was written.

    Returns `document` itself when it is nested too deeply to be read by anyone.
    """
    lines, line, depth = [], "", 0
    parts = _JSON_PART.findall(document)
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        if part in "{[" and following in ("}", "]"):
            line += part
        elif part in "{[":
            depth += 1
            if depth > _LAID_OUT_DEPTH:
                return document
            lines.append(line + part)
            line = "  " * depth
        elif part in "}]" and line.endswith(("{", "[")):
            line += part
        elif part in "}]":
            depth -= 1
            lines.append(line)
            line = "  " * depth + part
        elif part == ",":
            lines.append(line + part)
            line = "  " * depth
        else:
            line += ": " if part == ":" else part
    return "\n".join([*lines, line])


def is_laid_out(body: bytes) -> bool:
    """Whether `body_text` breaks this body into lines: a JSON object or list of readable size."""
    if len(body) > _LAID_OUT_BYTES or body.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def body_text(body: bytes, secrets: Iterable[str] = ()) -> str:
    """A body as text without `secrets`: JSON laid out, other text as it came, anything else described."""
    # Before anything is cut, or the first half of a secret might stay.
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            body = body.replace(secret.encode(), _MASK.encode())
    if not body:
        return ""
    try:
        text = body.decode()
    except UnicodeDecodeError as failure:
        # A body that was cut may end inside a character; that does not make it binary.
        if failure.start < len(body) - 3:
            return f"[{len(body)} bytes that are not text]"
        text = body.decode(errors="replace")
    if is_laid_out(body):
        text = lay_out(text)
    return plain(text.strip("\r\n"), max_chars=_BODY_CHARS)


def of_exchange(exchange: Exchange, *, secrets: Sequence[str] = (), hide_body: bool = False) -> list[str]:
    """The lines of one HTTP exchange: request, answer, body.

    Args:
        exchange: What happened.
        secrets: Values that must not appear, such as a token the server just gave out.
        hide_body: For answers whose body is a credential.
    """
    lines = [
        plain_line(f"{exchange.method} {exchange.url}", max_chars=2000),
        *header_lines(exchange.sent),
        "",
    ]
    if exchange.status is not None:
        received = f"{len(exchange.body)} bytes in {exchange.latency_ms:.0f} ms"
        if exchange.truncated:
            received += ", the rest was not read"
        elif is_laid_out(exchange.body) and not hide_body:
            received += ", JSON laid out in lines"
        version = exchange.version if exchange.version.startswith("HTTP/") else "HTTP"
        lines += [
            plain_line(f"{version} {exchange.status} {exchange.reason}", max_chars=200),
            *header_lines(exchange.headers),
            f"received: {received}",
            "",
        ]
        body = body_text(exchange.body, secrets)
        if hide_body and body:
            body = "[body not shown: it has a credential]"
        lines += body.split("\n") if body else []
    if exchange.error:
        lines.append(f"no answer: {plain_line(exchange.error, max_chars=400)}")
    return [mask(line, secrets) for line in lines]
