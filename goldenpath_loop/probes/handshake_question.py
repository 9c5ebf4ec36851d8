"""Opens a WebSocket, holds it, says what the probe says, and listens."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.http11 import Response
from websockets.typing import Subprotocol

from goldenpath_loop.config.variables import port_of
from goldenpath_loop.probes.answer import Seen
from goldenpath_loop.probes.handshake_answer import Conversation, classify_handshake, transcript_of
from goldenpath_loop.probes.login import admit
from goldenpath_loop.probes.question import Question
from goldenpath_loop.system.clock import monotonic_s, now
from goldenpath_loop.system.http import failure_line, trusted_certificates

__all__ = ["ask_handshake"]

_REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})
_CLOSE_S = 0.5
_MESSAGE_BYTES = 1_000_000
_MESSAGES_KEPT = 200
_MESSAGE_CHARS_KEPT = 20_000


class _Opening(connect):
    """Records redirects instead of following them silently, and stays on the host that was asked for."""

    def __init__(self, conversation: Conversation, **options: Any) -> None:
        super().__init__(conversation.url, **options)
        self._conversation = conversation

    def process_redirect(self, exc: Exception) -> Exception | str:
        if not isinstance(exc, InvalidStatus) or exc.response.status_code not in _REDIRECTS:
            return exc
        location = exc.response.headers.get("Location", "")
        target = urljoin(self.uri, location) if location else ""
        if target.startswith("http"):
            target = f"ws{target.removeprefix('http')}"
        try:
            same = _origin(target) == _origin(self.uri)
        except ValueError:
            same = False
        if not same or target in (self.uri, *self._conversation.hops):
            return exc
        self._conversation.hops.append(target)
        return target


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, port_of(url)


def _text(message: str | bytes) -> str:
    if isinstance(message, str):
        return message[:_MESSAGE_CHARS_KEPT]
    return f"[{len(message)} bytes] {message[:64].hex()}"


def _note_answer(conversation: Conversation, response: Response) -> None:
    conversation.status = response.status_code
    conversation.reason = response.reason_phrase
    conversation.headers = tuple(response.headers.raw_items())
    conversation.body = bytes(response.body or b"")


def _note_end(conversation: Conversation, closed: ConnectionClosed, opened: float) -> None:
    conversation.closed_after_ms = (monotonic_s() - opened) * 1000
    if closed.rcvd is not None:
        conversation.closed = f"{closed.rcvd.code} {closed.rcvd.reason}".strip()
    elif closed.sent is not None:
        conversation.closed = f"{closed.sent.code} {closed.sent.reason} (said by the probe)"
    else:
        conversation.closed = "1006 connection lost without a close frame"


async def _listen(connection: ClientConnection, conversation: Conversation) -> None:
    text = _text(await connection.recv())
    if len(conversation.said) < _MESSAGES_KEPT:
        conversation.said.append(("message", text))
    elif len(conversation.said) == _MESSAGES_KEPT:
        conversation.said.append(("message", "[this one and later ones were not kept]"))


async def _converse(question: Question, connection: ClientConnection, conversation: Conversation) -> None:
    spec = question.spec
    opened = monotonic_s()
    early = 0
    try:
        with anyio.move_on_after(spec.hold_s):
            while True:
                await _listen(connection, conversation)
                early += 1
        conversation.held = True
        if question.send:
            await connection.send(question.send)
            conversation.said.append(("sent", question.send))
        else:
            # Nothing was asked, so whatever the server says on its own is what the probe waits for.
            conversation.collected = early
        while conversation.collected < spec.collect:
            await _listen(connection, conversation)
            conversation.collected += 1
        if question.send and not spec.collect:
            with anyio.move_on_after(spec.hold_s):
                while True:
                    await _listen(connection, conversation)
    except ConnectionClosed as closed:
        if not conversation.held:
            conversation.collected = early
        _note_end(conversation, closed, opened)


async def _open(question: Question, conversation: Conversation, headers: tuple[tuple[str, str], ...]) -> None:
    spec = question.spec
    began = monotonic_s()
    options: dict[str, Any] = {"ssl": trusted_certificates()} if question.url.startswith("wss:") else {}
    opening = _Opening(
        conversation,
        subprotocols=[Subprotocol(name) for name in spec.subprotocols] or None,
        additional_headers=list(headers),
        user_agent_header="goldenpath-loop",
        proxy=None,
        open_timeout=None,  # the probe's own limit holds
        ping_interval=None,
        close_timeout=_CLOSE_S,
        max_size=_MESSAGE_BYTES,
        **options,
    )
    try:
        connection = await opening
    except InvalidStatus as refusal:
        conversation.latency_ms = (monotonic_s() - began) * 1000
        _note_answer(conversation, refusal.response)
        return
    except (WebSocketException, OSError, EOFError, UnicodeError) as failure:
        conversation.error = failure_line(failure)
        return
    try:
        conversation.latency_ms = (monotonic_s() - began) * 1000
        if connection.response is not None:
            _note_answer(conversation, connection.response)
        conversation.is_open = True
        conversation.subprotocol = connection.subprotocol
        await _converse(question, connection, conversation)
        with anyio.move_on_after(_CLOSE_S):
            await connection.close()
    finally:
        connection.transport.abort()


async def ask_handshake(question: Question) -> Seen:
    """Ask once, within the probe's `timeout_s` for login, handshake and conversation together."""
    spec = question.spec
    started_at, began = now(), monotonic_s()
    admission = await admit(question)
    lines = list(admission.lines)
    if admission.problem:
        answer = admission.refusal(lines)
    else:
        headers, secrets = admission.headers, (admission.token,)
        offered = (("sec-websocket-protocol", ", ".join(spec.subprotocols)),) if spec.subprotocols else ()
        conversation = Conversation(url=question.url, sent=(*offered, *headers))
        with anyio.move_on_after(admission.left_s):
            await _open(question, conversation, headers)
        if not conversation.is_open and conversation.status is None and not conversation.error:
            conversation.error = f"no answer within {spec.timeout_s:g} s"
        lines += transcript_of(conversation, secrets=secrets)
        answer = classify_handshake(spec, conversation, lines, secrets=secrets)
    return Seen(
        answer=answer,
        kind="websocket_handshake",
        transcript="\n".join(lines) + "\n",
        how=f"GET {question.url} (upgrade: websocket)",
        started_at=started_at,
        duration_s=monotonic_s() - began,
    )
